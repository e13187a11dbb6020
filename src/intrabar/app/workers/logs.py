"""The log of a session: a line of JSON for each thing that happens, without a secret.

It goes to `log.jsonl` in the session's folder, cut at 100 MB, and to a stream if there is one. A
disk that is full or a reader that is slow costs lines of the log, which are counted, and no more.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TextIO

import msgspec

from intrabar.app.workers.log_events import EVENTS, LEVELS, Level, line_of, since_start
from intrabar.errors import ConfigError, MissingExtra
from intrabar.model.entry import Entry
from intrabar.model.secret import redacted
from intrabar.version import __version__

NAME = "log.jsonl"
LARGEST = 100_000_000  # bytes of a file
KEPT = 10  # files before the present one
WAITING = 1_000  # lines that a slow reader may be behind
WITHIN = 2.0  # seconds for them, at the end

OF_A_LINE = ("ts", "level", "event", "service", "version", "pid", "session", "mode", "place", "at")
"""Fields of each line: what an entry calls by such a name is told as `its_...`."""

Form = Literal["json", "text"]
FORMS: tuple[Form, ...] = ("json", "text")
_encode = msgspec.json.Encoder(enc_hook=str).encode


def wanted(stream: TextIO) -> tuple[Level, Form]:
    """Level and form of the lines on a stream, by `INTRABAR_LOG`: "debug", "json", "info,text".

    Left out: `info`; text on a terminal, else JSON.

    Raises
    ------
    ConfigError
        Another word.
    """
    level: Level = "info"
    form: Form = "text" if stream.isatty() else "json"
    said = os.environ.get("INTRABAR_LOG", "")
    for word in filter(None, (part.strip().lower() for part in said.split(","))):
        if word in LEVELS:
            level = word
        elif word in FORMS:
            form = word
        else:
            raise ConfigError(
                f"INTRABAR_LOG: {word!r} is neither a level ({', '.join(LEVELS)}) nor json or text"
            )
    return level, form


class Log:
    """Writes events; an observer of a session's driver, and what others call with an event.

    Parameters
    ----------
    folder : Path
        The session's.
    known : mapping
        Fields of every line beside `ts`, `level`, `event`, `service`, `version` and `pid`:
        session, mode.
    stream : TextIO, optional
        Where lines go besides.

    Raises
    ------
    MissingExtra
        It needs packages that are not installed.
    """

    def __init__(
        self, folder: Path, known: Mapping[str, Any], stream: TextIO | None = None
    ) -> None:
        try:
            import structlog
        except ImportError:
            raise MissingExtra("the log of a session", "live") from None
        self._file = CutFile(folder / NAME)
        self._shown: Shown | None = None
        self._least, self._form = LEVELS.index("debug"), "json"
        if stream is not None:
            level, self._form = wanted(stream)
            self._least = LEVELS.index(level)
            self._shown = Shown(stream)
        fixed = {"service": "session", "version": __version__, "pid": os.getpid(), **known}
        self._text = structlog.dev.ConsoleRenderer(colors=False)
        self._log = structlog.wrap_logger(
            self._file, [_in_order, _without_secrets, self._put], structlog.BoundLoggerBase
        ).bind(**fixed)
        self._lock = threading.Lock()

    def __call__(self, event: str, **fields: Any) -> None:
        """Write an event of the table; any other one is written as a warning."""
        level = EVENTS[event].level if event in EVENTS else "warning"
        with self._lock:
            self._lost()
            self._log._proxy_to_logger("write", event, level=level, **fields)

    def take(self, entries: Sequence[Entry], session: object = None) -> None:
        """Write what has been committed."""
        for entry in since_start(entries):
            event, fields = line_of(entry)
            fields = {f"its_{k}" if k in OF_A_LINE else k: v for k, v in fields.items()}
            self(event, place=f"{entry.bar}:{entry.step}", at=_iso(entry.at), **fields)

    def close(self) -> None:
        """Write what waits; the stream stays open."""
        if self._shown is not None:
            self._shown.close()
        with self._lock:
            self._lost()
        self._file.close()

    def _lost(self) -> None:
        """Say how many lines were lost, as soon as one can be written again."""
        for sink in (self._file, self._shown):
            if sink is not None and sink.dropped and sink.has_room():
                dropped, sink.dropped = sink.dropped, 0
                self._log._proxy_to_logger("write", "log.dropped", level="error", lines=dropped)
                if sink.dropped:
                    sink.dropped = dropped  # that line was lost too

    def _put(self, _: Any, __: str, line: MutableMapping[str, Any]) -> bytes:
        """Show a line; what the file takes of it."""
        text = _encode(line) + b"\n"
        if self._shown is not None and LEVELS.index(line["level"]) >= self._least:
            if self._form == "text":
                self._shown.write(self._told(line))
            else:
                self._shown.write(text.decode())
        return text

    def _told(self, line: Mapping[str, Any]) -> str:
        left_out = ("service", "version", "pid", "ts")
        short = {name: value for name, value in line.items() if name not in left_out}
        short["timestamp"] = line["ts"]
        return f"{self._text(None, '', short)}\n"


def _in_order(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The fields that every line has, first."""
    first = {"ts": _iso(time.time_ns()), "level": line["level"], "event": line["event"]}
    return {**first, **{name: value for name, value in line.items() if name not in first}}


def _without_secrets(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return dict(redacted(dict(line)))


def _iso(at: int) -> str:
    whole, rest = divmod(at, 1_000_000_000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000:06d}Z"


class CutFile:
    """A file that gives way to another one when it is full; `.1` is the last before it.

    Parameters
    ----------
    path : Path
    largest : int, bytes
    kept : int
        Full ones that stay.
    """

    def __init__(self, path: Path, largest: int = LARGEST, kept: int = KEPT) -> None:
        self._path, self._largest, self._kept = path, largest, kept
        self._file: int | None = None
        self._size = 0
        self.dropped = 0  # lines that could not be written

    def write(self, line: bytes) -> None:
        """Write a line, or count it."""
        try:
            if self._file is None:
                self._open()
            if self._size and self._size + len(line) > self._largest:
                self._cut()
            assert self._file is not None
            written = os.write(self._file, line)
            if written < len(line):
                os.ftruncate(self._file, self._size)  # no half lines
                raise OSError
            self._size += written
        except OSError:
            self.dropped += 1

    def has_room(self) -> bool:
        """Whether it is worth an attempt."""
        return True

    def close(self) -> None:
        """Close it; another write opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._file).st_size

    def _cut(self) -> None:
        self.close()
        for number in range(self._kept, 0, -1):
            before = self._path if number == 1 else self._numbered(number - 1)
            with suppress(FileNotFoundError):
                os.replace(before, self._numbered(number))
        self._open()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


class Shown:
    """A stream that is written by a thread of its own, so that a slow reader holds nobody up."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._queue: queue.Queue[str | None] = queue.Queue(WAITING)
        self.dropped = 0
        self._thread = threading.Thread(target=self._work, name="log", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Let a line be written, or count it."""
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            self.dropped += 1

    def has_room(self) -> bool:
        """Whether another line would be taken."""
        return not self._queue.full()

    def close(self) -> None:
        """Wait for what is on its way, but not for ever."""
        with suppress(queue.Full):
            self._queue.put(None, timeout=WITHIN)
        self._thread.join(WITHIN)

    def _work(self) -> None:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        while (line := self._queue.get()) is not None:
            try:  # what the stream has no letters for is shown by its number
                self._stream.write(line.encode(encoding, "backslashreplace").decode(encoding))
                if self._queue.empty():
                    self._stream.flush()
            except (OSError, ValueError):  # nobody reads any more
                return


def page() -> str:
    """`docs/log-events.md`."""
    rows = [f"| `{name}` | {event.level} | {event.says} |" for name, event in EVENTS.items()]
    return "\n".join([_HEAD, *rows, ""])


_HEAD = """# Events of the log

Each line of a session's `log.jsonl` is one of these (`python -m intrabar.app.workers.logs` writes
this page). `error` needs a person, `warning` may, `info` is the story, `debug` the detail. Every
line has `ts` (UTC), `level`, `event`, `service`, `version`, `pid`, `session` and `mode`; a line
about a record of the journal has its fields, its `place` (row and step) and `at`, the time of its
turn. A field of a record that is called as one of these has `its_` before it: `its_level`.

| event | level | says |
| --- | --- | --- |"""


if __name__ == "__main__":
    sys.stdout.write(page())
