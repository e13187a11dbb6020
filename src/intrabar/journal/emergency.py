"""The mark that a session halted when its journal could not be written, and what it did without.

`emergency.jsonl` is written in advance, so that a full disk has room for it. Its first line is the
mark, the others are what was sent meanwhile, each on disk before it left; the next contact or start
takes them in before anything else, and empties the file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from intrabar.errors import StoreError

NAME = "emergency.jsonl"
ROOM = 1 << 20  # bytes
HALTED = "HALTED"


class Emergency:
    """The emergency file of a session, in one folder or in several.

    Parameters
    ----------
    folders : sequence of Path
        The session's, and where `live.emergency` says.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._paths = [folder / NAME for folder in folders]

    def prepare(self) -> None:
        """Make room, where there is none or too little; a mark that is there stays.

        Raises
        ------
        StoreError
            A file cannot be written.
        """
        for path in self._paths:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                size = path.stat().st_size if path.exists() else 0
                if size < ROOM:  # also where a full disk cut an earlier start short
                    _write(path, b" " * (ROOM - 1 - size) + b"\n", "ab")
            except OSError as error:
                raise StoreError(f"{path} cannot be written: {error.strerror}") from None

    def halt(self, at: int, why: str) -> list[Path]:
        """Write the mark, on disk before this returns.

        Returns
        -------
        list of Path
            The files that have it: with none, a person has to be told so.
        """
        line = msgspec.json.encode({"mark": HALTED, "at": at, "why": why}) + b"\n"
        written = []
        for path in self._paths:
            try:
                if not _lines(path):  # the first mark counts
                    _write(path, line, "r+b" if path.exists() else "xb")
                written.append(path)
            except (OSError, StoreError):
                continue  # the next one; who has none is told
        return written

    def note(self, line: dict[str, Any]) -> list[Path]:
        """Write a line behind those that are there, on disk before this returns; as `halt`."""
        text = msgspec.json.encode(line) + b"\n"
        written = []
        for path in self._paths:
            try:
                whole = b"".join([*(x + b"\n" for x in _lines(path)), text])
                _write(path, whole, "r+b" if path.exists() else "xb")
                written.append(path)
            except (OSError, StoreError):
                continue
        return written

    def lines(self) -> list[dict[str, Any]]:
        """What is written there, the mark first; nothing where nothing happened.

        A line that nobody can read was being written when the process ended: it counts as the mark.

        Raises
        ------
        StoreError
            A file cannot be read.
        """
        found: dict[bytes, dict[str, Any]] = {}
        for path in self._paths:
            for line in _lines(path):
                found.setdefault(line, _read(line, path))
        return list(found.values())

    def clear(self) -> None:
        """Empty it, once it is taken in.

        Raises
        ------
        StoreError
            A file cannot be written.
        """
        for path in self._paths:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise StoreError(f"{path} cannot be emptied: {error.strerror}") from None
        self.prepare()


def emergency_bodies(lines: Sequence[dict[str, Any]], why: str = "") -> list[dict[str, Any]]:
    """Bodies of the events by which a session takes a file in; `why` where it has no line."""
    if not lines:
        return [{"why": why}] if why else []
    return [
        {"why": str(line.get("why", "")), **({"deed": line["deed"]} if "deed" in line else {})}
        for line in lines
    ]


def _read(line: bytes, path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {"mark": HALTED, "at": 0, "why": f"a line of {path} that nobody can read"}


def _lines(path: Path) -> list[bytes]:
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    return [line.strip() for line in content.split(b"\n") if line.strip()]


def _write(path: Path, content: bytes, mode: str) -> None:
    with open(path, mode) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
