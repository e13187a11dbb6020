"""What a run was made with: source code, commit, machine."""

from __future__ import annotations

import hashlib
import inspect
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from intrabar.strategy.bot import Bot
from intrabar.strategy.registry import AnyStrategy


def commit() -> dict[str, Any]:
    """Commit of the working folder, and whether files in it differ; empty outside of git."""
    try:
        said = [
            subprocess.run(
                ["git", *arguments], capture_output=True, text=True, timeout=5, check=True
            ).stdout.strip()
            for arguments in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"])
        ]
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"commit": said[0], "dirty": bool(said[1])}


def machine() -> dict[str, Any]:
    """Facts that a repetition need not share."""
    return {
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": sys.executable,
    }


def sources_of(strategies: Mapping[str, AnyStrategy]) -> dict[str, dict[str, Any]]:
    """Parameters of each strategy, and a hash of the files that its rules are in."""
    return {
        name: {"parameters": repr(s)[:2_000], "sha256": _source_hash(s)}
        for name, s in strategies.items()
    }


def _source_hash(strategy: AnyStrategy) -> str:
    parts = [strategy.entry, strategy.exit] if isinstance(strategy, Bot) else [strategy]
    digest = hashlib.sha256()
    for part in parts:
        try:
            file = inspect.getsourcefile(type(part))
        except TypeError:
            file = None
        if file:
            with open(file, "rb") as source:
                digest.update(source.read())
    return digest.hexdigest()
