"""The folder of a session: how it stands and what it has done, for people and other programs.

All of it can be worked out again from the journal (`write_folder`), so a disk that is full costs
nothing but time: the session goes on, says so once, and writes the rest when there is room.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from intrabar.app.workers.standing import HEADS, Standing, line_of
from intrabar.engine.session.session import Session
from intrabar.errors import StoreError
from intrabar.model.entry import Entry

STATUS = "status.json"
AT_ONCE = 10_000  # entries


class Signs:
    """Keeps the folder of a session that lives; an observer of its driver.

    Parameters
    ----------
    folder : Path
        The session's.
    problem : callable
        Is told, once, that the folder cannot be written; must not wait.
    """

    def __init__(self, folder: Path, problem: Callable[[str], None]) -> None:
        self.folder = folder
        self.standing = Standing()
        self._problem = problem
        self._sizes: dict[str, int] = {}
        self._waiting = {name: _head(name) for name in HEADS}
        self._is_told = False

    def take(self, entries: Sequence[Entry], session: Session | None = None) -> None:
        """Take in what has been committed; the first time all of the journal."""
        for entry in entries:
            self.standing.add(entry)
        for name, lines in self.standing.lines.items():
            self._waiting[name] += "".join(lines).encode()
            lines.clear()
        try:
            for name in HEADS:
                self._append(name)
            write_status(self.standing, self.folder, os.getpid())
        except OSError as error:
            if not self._is_told:
                self._is_told = True
                self._problem(
                    f"{self.folder} cannot be written: {error.strerror}; the session goes on, and "
                    "the files are completed when they can be (`intrabar session export` too)"
                )
        else:
            self._is_told = False

    def _append(self, name: str) -> None:
        """Write what waits behind what is there; half a line of a failed attempt is cut off."""
        text = self._waiting[name]
        if not text:
            return
        size = self._sizes.get(name)
        with open(self.folder / name, "wb" if size is None else "r+b") as file:
            file.seek(size or 0)
            file.truncate()
            file.write(text)
        self._sizes[name] = (size or 0) + len(text)
        self._waiting[name] = b""


def write_folder(entries: Iterable[Entry], folder: Path) -> dict[str, Any]:
    """Work the files of a session's folder out again; how it stands.

    Parameters
    ----------
    entries : iterable of Entry
        Of the journal, from the first.
    folder : Path
        `status.json`, `metrics.jsonl`, `fills.csv`, `trades.csv` and `equity.csv` are replaced.

    Returns
    -------
    dict
        As `status.json` has it.

    Raises
    ------
    StoreError
        They cannot be written.
    """
    standing = Standing()
    parts = {name: folder / f".{name}.part" for name in HEADS}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, part in parts.items():
            part.write_bytes(_head(name))
        for number, entry in enumerate(entries, 1):
            standing.add(entry)
            if number % AT_ONCE == 0:
                _empty(standing, parts)
        _empty(standing, parts)
        for name, part in parts.items():
            os.replace(part, folder / name)
        return write_status(standing, folder, None)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror}") from None
    finally:
        for part in parts.values():
            with suppress(OSError):
                part.unlink()


def write_status(standing: Standing, folder: Path, pid: int | None) -> dict[str, Any]:
    """Put how a session stands in the place of what was there; never half of it."""
    status = standing.status()
    status["pid"] = pid if standing.why is None else None
    part = folder / f".{STATUS}.part"
    part.write_bytes(msgspec.json.format(msgspec.json.encode(status)) + b"\n")
    os.replace(part, folder / STATUS)
    return status


def _head(name: str) -> bytes:
    columns = HEADS[name]
    return line_of(list(columns)).encode() if columns else b""


def _empty(standing: Standing, parts: dict[str, Path]) -> None:
    for name, lines in standing.lines.items():
        with open(parts[name], "ab") as file:
            file.write("".join(lines).encode())
        lines.clear()
