"""How a person reaches a session that runs: a socket in its folder, of the owner alone.

A request and its answer are one line of JSON each. Whatever comes in, the session goes on: what is
no request is answered with an error, and who is silent is let go when somebody else comes.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from intrabar.app.workers.kill import KILL
from intrabar.errors import (
    BreakerError,
    ConfigError,
    GateError,
    IntegrityError,
    IntrabarError,
    LinkError,
    StateError,
    StoreError,
    Timeout,
    UsageError,
)
from intrabar.model.secret import redact

SOCKET = "control.sock"
LONGEST_PATH = 100  # bytes of a socket's path; systems allow 104 to 108
LONGEST_LINE = 1 << 20  # bytes
MOST = 64  # connections at once
WITHIN = 5.0  # seconds for an answer

Request = dict[str, Any]
Answer = dict[str, Any]
Handle = Callable[[Request], Awaitable[Answer]]

_TOLD = {  # errors that are a sentence alone, and so pass through the socket
    kind.__name__: kind
    for kind in (
        UsageError, ConfigError, StateError, BreakerError, LinkError, StoreError, IntegrityError,
        GateError, IntrabarError,
    )
}  # fmt: skip


class Control:
    """The socket of a session, in its folder; to be opened by who has the session's lease.

    Parameters
    ----------
    folder : Path
        The session's.
    handle : coroutine function
        Given a request (a dict with `kind`); returns what stands in the answer beside `id`. An
        `IntrabarError` that it raises goes back to who asked.
    """

    def __init__(self, folder: Path, handle: Handle) -> None:
        self._path = folder / SOCKET
        self._handle = handle
        self._silent: dict[asyncio.StreamWriter, None] = {}  # the longest first
        self._busy: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._aside: Path | None = None  # where the socket is, if its own path is too long

    async def open(self) -> None:
        """Begin to listen.

        Raises
        ------
        StateError
            Something else stands at the socket's place, or there are no such sockets.
        """
        if not hasattr(socket, "AF_UNIX") or os.name != "posix":
            raise StateError("a session is reached by a Unix socket, and this system has none")
        self._clear()
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.bind(self._place())
            self._made = os.stat(self._path).st_ino
            os.chmod(self._path, 0o600)  # before anybody can connect
            self._server = await asyncio.start_unix_server(
                self._meet, sock=listening, limit=LONGEST_LINE
            )
        except OSError as error:
            listening.close()
            raise StateError(f"{self._path}: no socket can be made: {error}") from None

    async def close(self) -> None:
        """Answer what is being done, then listen no more."""
        self._server.close()
        for writer in list(self._silent):
            writer.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=WITHIN)
        for task in self._tasks:
            task.cancel()
        with suppress(OSError):
            if os.stat(self._path).st_ino == self._made:  # else another process has taken over
                self._path.unlink()
        if self._aside is not None:
            _take_away(self._aside)

    def _clear(self) -> None:
        """Take away what a process that is gone has left."""
        try:
            found = self._path.lstat().st_mode
        except FileNotFoundError:
            return
        if stat.S_ISLNK(found):
            _take_away(self._path.readlink())
        elif not stat.S_ISSOCK(found):
            raise StateError(f"{self._path} is no socket; move it away, a session needs its place")
        self._path.unlink()

    def _place(self) -> str:
        path = str(self._path.absolute())
        if len(os.fsencode(path)) <= LONGEST_PATH:
            return path
        self._aside = Path(tempfile.mkdtemp(prefix="intrabar-")) / SOCKET  # the owner's alone
        self._path.symlink_to(self._aside)
        return str(self._aside)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._silent[writer] = None
        if len(self._silent) + len(self._busy) > MOST:
            self._let_go(next(iter(self._silent)))
        try:
            while await self._one(reader, writer):
                pass
        except ConnectionError:
            pass  # who asked is gone
        except asyncio.IncompleteReadError:  # it asks no more, and may read what it asked for
            writer.transport.set_write_buffer_limits(0)
            with suppress(ConnectionError):
                await self._send(writer, b"")
        finally:
            self._let_go(writer)
            self._tasks.discard(task)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one line; False: the end."""
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            problem = UsageError(f"a request has at most {LONGEST_LINE} bytes")
            await self._send(writer, _refusal(None, problem))
            return False
        self._silent.pop(writer, None)
        self._busy.add(writer)
        try:
            await self._send(writer, await self._answer_to(line))
        finally:
            self._busy.discard(writer)
        self._silent[writer] = None
        return not writer.is_closing() and self._server.is_serving()

    async def _answer_to(self, line: bytes) -> bytes:
        number = None
        try:
            request = _request_of(line)
            number = request.get("id")
            return _encoded({**await self._handle(request), "id": number, "ok": True})
        except IntrabarError as error:
            return _refusal(number, error)
        except Exception as error:  # a bug: told here, and where the loop tells of bugs
            context = {"message": "a request to the session failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
            return _refusal(number, IntrabarError(f"a bug: {type(error).__name__}: {error}"))

    async def _send(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        writer.write(answer)
        try:
            async with asyncio.timeout(WITHIN):
                await writer.drain()
        except TimeoutError:
            self._let_go(writer)  # it does not read what it asked for

    def _let_go(self, writer: asyncio.StreamWriter) -> None:
        self._silent.pop(writer, None)
        if writer.transport.get_write_buffer_size():
            writer.transport.abort()
        else:
            writer.close()


def ask(folder: Path, request: Request, within: float = WITHIN) -> Answer:
    """Ask the process that has a session; its answer.

    Parameters
    ----------
    folder : Path
        The session's.
    request : dict
        With `kind`.
    within : float, seconds

    Raises
    ------
    StateError
        No process has it.
    Timeout
        It does not answer.
    IntrabarError
        What the session refuses, as it was raised there.
    """
    line = _encoded({"id": 1, **request})
    if len(line) > LONGEST_LINE:
        raise UsageError(f"a request has at most {LONGEST_LINE} bytes, this one has {len(line)}")
    until = time.monotonic() + within
    path = folder / SOCKET
    try:
        place = str(path.readlink() if path.is_symlink() else path.absolute())
        if not path.exists() or len(os.fsencode(place)) > LONGEST_PATH:
            _nobody(folder)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(within)
            _connect(connection, place, until)
            connection.sendall(line)
            answer = _read_line(connection, until)
    except TimeoutError:
        raise Timeout(
            f"{folder}: the session does not answer in {within:g} s; `touch {folder / KILL}` kills "
            "it as soon as it breathes again"
        ) from None
    except PermissionError:
        raise StateError(f"{path} belongs to another user, who alone can reach it") from None
    except OSError:
        _nobody(folder)
    if not answer.endswith(b"\n"):
        _nobody(folder)  # it ended meanwhile
    found: Answer = msgspec.json.decode(answer)
    if found["ok"]:
        return found
    raise _TOLD[found["error"]](found["text"])


def _nobody(folder: Path) -> NoReturn:
    raise StateError(
        f"{folder}: no process has this session; start it again with `intrabar paper` and its "
        f"configuration, or `touch {folder / KILL}` so that it is killed as it starts"
    )


def _connect(connection: socket.socket, place: str, until: float) -> None:
    while time.monotonic() < until:
        with suppress(BlockingIOError):  # so many ask at once that it has no room for them
            return connection.connect(place)
        time.sleep(0.01)
    raise TimeoutError


def _read_line(connection: socket.socket, until: float) -> bytes:
    parts: list[bytes] = []
    while not parts or not parts[-1].endswith(b"\n"):
        left = until - time.monotonic()
        if left <= 0.0:
            raise TimeoutError
        connection.settimeout(left)
        part = connection.recv(1 << 16)
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def _request_of(line: bytes) -> Request:
    try:
        request = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"a request is one line of JSON: {error}") from None
    if not isinstance(request, dict) or not isinstance(request.get("kind"), str):
        raise UsageError('a request is an object with a kind: {"id": 1, "kind": "status"}')
    return request


def _refusal(number: Any, error: IntrabarError) -> bytes:
    told = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _TOLD)
    return _encoded({"id": number, "ok": False, "error": told, "text": redact(str(error))})


def _encoded(answer: Answer) -> bytes:
    return msgspec.json.encode(answer) + b"\n"


def _take_away(place: Path) -> None:
    """Remove a socket that stood aside, and the folder made for it."""
    with suppress(OSError):
        if stat.S_ISSOCK(place.stat().st_mode):
            place.unlink()
        place.parent.rmdir()
