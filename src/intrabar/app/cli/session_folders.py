"""The folders of sessions, and how each says that its session stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from intrabar.app.workers.control import SOCKET, ask
from intrabar.app.workers.signs import STATUS
from intrabar.errors import NotFoundError, StateError


def folders_in(sessions: Path) -> Iterator[Path]:
    """Those of a folder that have a journal, or a process."""
    if not sessions.is_dir():
        raise NotFoundError(
            "folder of sessions", str(sessions), [], "there is none; give --sessions"
        )
    yield from sorted(f for f in sessions.iterdir() if (f / "journal.db").exists() or is_running(f))


def folder_of(name: str, sessions: Path) -> Path:
    """That of one session.

    Raises
    ------
    NotFoundError
    """
    known = {folder.name: folder for folder in folders_in(sessions)}
    if name not in known:
        raise NotFoundError("session", name, known)
    return known[name]


def is_running(folder: Path) -> bool:
    """Whether a process answers there."""
    try:
        ask(folder, {"kind": "status"}, within=1.0)
    except StateError:
        return False
    return True


def status_of(folder: Path) -> dict[str, Any]:
    """What its folder says, and whether a process has it."""
    told: dict[str, Any] = {}
    if (folder / STATUS).exists():
        told = json.loads((folder / STATUS).read_text())
    return {**told, "runs": (folder / SOCKET).exists() and is_running(folder)}
