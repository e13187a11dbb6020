"""The folder of a session: how it stands and what it has done, for people and other programs.

All of it can be worked out again from the journal (`write_folder`), so a disk that is full costs
nothing but time: the session goes on, says so once, and writes the rest when there is room.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from intrabar.app.workers.standing import HEADS, METRICS, Standing, Took, line_of
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
    commit_seconds : callable
        How long the last commit took.
    """

    def __init__(
        self,
        folder: Path,
        problem: Callable[[str], None],
        commit_seconds: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.folder = folder
        self._commit_seconds = commit_seconds
        self._turns: deque[float] = deque()  # of rows that are not taken in yet
        self._took = measured_in(folder)  # of rows before this start
        self.standing = Standing()
        self._problem = problem
        self._sizes: dict[str, int] = {}
        self._waiting = {name: _head(name) for name in HEADS}
        self._is_told = False

    def take(self, entries: Sequence[Entry], session: Session | None = None) -> None:
        """Take in what has been committed; the first time all of the journal."""
        for entry in entries:
            self._measure(entry)
            self.standing.add(entry)
        self._took.clear()
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

    def _measure(self, entry: Entry) -> None:
        standing = self.standing
        if entry.kind == "row.closed":
            turn = self._turns.popleft() if self._turns else None
            standing.took = Took() if turn is None else Took(turn, self._commit_seconds())
        elif entry.kind == "row":
            standing.took = self._took.get(int(entry.body["row"]), standing.took)

    def turned(self, kind: str, seconds: float) -> None:
        """How long a turn took that is about to be committed."""
        if kind == "row.closed":
            self._turns.append(seconds)

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


class _Latencies(msgspec.Struct):
    turn: float | None = None
    commit: float | None = None


class _Measured(msgspec.Struct):
    bar: int
    latencies: _Latencies


def measured_in(folder: Path) -> dict[int, Took]:
    """What rows took, as `metrics.jsonl` of a session has it: no journal can tell it again."""
    took: dict[int, Took] = {}
    with suppress(OSError), open(folder / METRICS, "rb") as file:
        for line in file:
            with suppress(msgspec.MsgspecError, UnicodeDecodeError):
                row = msgspec.json.decode(line, type=_Measured)
                took[row.bar] = Took(row.latencies.turn, row.latencies.commit)
    return took


def write_folder(
    entries: Iterable[Entry], folder: Path, took: Mapping[int, Took] | None = None
) -> dict[str, Any]:
    """Work the files of a session's folder out again; how it stands.

    Parameters
    ----------
    entries : iterable of Entry
        Of the journal, from the first.
    folder : Path
        `status.json`, `metrics.jsonl`, `fills.csv`, `trades.csv` and `equity.csv` are replaced.
    took : mapping of row to Took, optional
        What was measured; None: what the folder's own `metrics.jsonl` has.

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
    took = measured_in(folder) if took is None else took
    parts = {name: folder / f".{name}.part" for name in HEADS}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, part in parts.items():
            part.write_bytes(_head(name))
        for number, entry in enumerate(entries, 1):
            if entry.kind == "row":
                standing.took = took.get(int(entry.body["row"]), Took())
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
