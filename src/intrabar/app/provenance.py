"""What a run was made with: versions, source code, commit, machine."""

from __future__ import annotations

import hashlib
import inspect
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import intrabar
from intrabar import __version__
from intrabar.kernel import CACHE
from intrabar.strategy.bot import Bot
from intrabar.strategy.registry import AnyStrategy

PACKAGES = ("numpy", "numba", "polars", "TA-Lib")


def versions() -> dict[str, str]:
    """Versions of what takes part in a run."""
    found = {"intrabar": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


@cache
def package_code() -> str:
    """A hash of all code of the package that takes part in a run, and of what it stands on."""
    package = Path(intrabar.__file__).parent
    digest = hashlib.sha256(f"{CACHE.name} {versions()['TA-Lib']} {__version__}".encode())
    for folder in ("analysis", "data", "engine", "model", "strategy"):
        for source in sorted((package / folder).rglob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


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
