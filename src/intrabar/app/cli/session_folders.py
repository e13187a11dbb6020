"""The folders of sessions, and how each says that its session stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from intrabar.app.folders.journals import JOURNAL_FILE
from intrabar.app.workers.control import SOCKET, ask
from intrabar.app.workers.signs import STATUS
from intrabar.errors import NotFoundError, StateError, Timeout


def folders_in(sessions: Path) -> Iterator[Path]:
    """Those of a folder in which a session lives or has lived."""
    if not sessions.is_dir():
        raise NotFoundError(
            "folder of sessions", str(sessions), [], "there is none; give --sessions"
        )
    signs = (JOURNAL_FILE, STATUS, SOCKET)  # the journal may be in a database elsewhere
    yield from sorted(f for f in sessions.iterdir() if any((f / sign).exists() for sign in signs))


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
    """Whether a process has it, also one that does not answer."""
    return process_of(folder) != "none"


def process_of(folder: Path) -> Literal["answers", "silent", "none"]:
    """Whether the process of a session answers, does not, or is none."""
    try:
        ask(folder, {"kind": "status"}, within=1.0)
    except Timeout:
        return "silent"
    except StateError:
        return "none"
    return "answers"


def status_of(folder: Path) -> dict[str, Any]:
    """What its folder says, and whether a process has it.

    Raises
    ------
    StateError
        `status.json` is not what a session writes.
    """
    told: dict[str, Any] = {}
    path = folder / STATUS
    if path.exists():
        try:
            told = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise StateError(
                f"{path}: {error}; intrabar session export {folder.name} works it out again"
            ) from None
    return {**told, "process": process_of(folder)}


def followed(status: Callable[[], dict[str, Any]], wait: Callable[[], None]) -> Iterator[str]:
    """How a session stands, again each time that it has changed; the last is why it ended."""
    seen = None
    while True:
        told = status()
        now = told.get("seq"), told["process"] == "silent"
        if now != seen:
            seen = now
            yield _line(told)
        if told.get("state") == "stopped":
            yield f"it has ended: {told['why']}"
            return
        if told["process"] == "none":
            yield "no process has it: it ended without a word; intrabar paper goes on with it"
            return
        wait()


def _line(told: dict[str, Any]) -> str:
    row = (
        f"{told['time']}  equity {told['equity']:,.2f}  day {told['day_profit']:+,.2f}"
        if "equity" in told
        else "no row yet"
    )
    breaker = told.get("breaker", {}).get("state", "unknown")
    held, orders = len(told.get("positions", ())), len(told.get("orders", ()))
    silent = "  it does not answer" if told["process"] == "silent" else ""
    return f"{row}  positions {held}  orders {orders}  breaker {breaker}{silent}"
