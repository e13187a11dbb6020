"""A server on 127.0.0.1 for fakes: HTTP/1.1 with streams, and websockets, where faults bite.

A vendor's fake gives two functions: of which kind a request is (`faults.REQUESTS`), and what
answers it. Frames of streams and sockets go through `Feed.tell`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from intrabar.brokers.fakes.faults import Faults

GARBAGE = b"\x00<html>not what you asked for"
REFUSALS = frozenset({"429", "500", "reject", "expire_token", "second_login"})
LONGEST = 4 * 1024 * 1024  # bytes of a request


@dataclass(frozen=True)
class Call:
    """A request, as it came; names of headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body, read."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """Its body, as a form has it."""
        return {k: v[-1] for k, v in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True)
class Answer:
    """What is answered; a body that is not bytes is JSON."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The body as it leaves."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Streamed:
    """An answer that goes on: `run` has the feed until the client or the server ends it."""

    run: Callable[[Feed], Awaitable[None]]
    headers: Mapping[str, str] = field(default_factory=dict)


class Gone(Exception):  # noqa: N818
    """The other side, or a fault, has ended the connection."""


class Feed:
    """One open stream or socket; what is told on it meets the faults of its kind.

    Parameters
    ----------
    send : callable
        Puts bytes or text on the wire.
    cut : callable
        Ends the connection at once.
    """

    def __init__(
        self,
        send: Callable[[Any], Awaitable[None]],
        cut: Callable[[], None],
        faults: Faults,
    ) -> None:
        self._send, self._cut, self._faults = send, cut, faults
        self._held: list[Any] = []
        self._mute = False
        self._turn = asyncio.Lock()

    async def tell(self, frame: Any, kind: str = "event") -> None:
        """Tell something, if no fault is in the way.

        Raises
        ------
        Gone
        """
        await self._told(frame, self._faults.at(kind))

    async def beat(self, frame: Any) -> None:
        """A sign of life; only silence is in its way.

        Raises
        ------
        Gone
        """
        await self._told(frame, "", holds=False)

    def cut(self) -> None:
        """End it as a network does."""
        self._cut()

    async def _told(self, frame: Any, fault: str, *, holds: bool = True) -> None:
        async with self._turn:
            if fault == "mute":
                self._mute = True
            if self._mute or fault == "lose_event":
                return
            if fault == "drop":
                self._cut()
                raise Gone
            if fault == "reorder":
                self._held.append(frame)
                return
            if fault == "slow":
                await asyncio.sleep(self._faults.slow)
            if fault == "garbage":
                await self._put(GARBAGE + b"\n" if isinstance(frame, bytes) else GARBAGE.decode())
                return
            for _ in range(2 if fault == "duplicate" else 1):
                await self._put(frame)
            while holds and self._held:
                await self._put(self._held.pop(0))

    async def _put(self, frame: Any) -> None:
        try:
            await self._send(frame)
        except (OSError, ConnectionClosed) as error:
            raise Gone from error


Handle = Callable[[Call], Awaitable[Answer | Streamed]]
Refusal = Callable[[str, Call], Answer]


def plain_refusal(fault: str, call: Call) -> Answer:
    """How a vendor says 429 and 500, and that a login is not good any more."""
    status = {"429": 429, "500": 500}.get(fault, 401)
    headers = {"Retry-After": "0"} if status == 429 else {}
    return Answer({"message": HTTPStatus(status).phrase}, status, headers)


class FakeServer:
    """The server of one fake.

    Parameters
    ----------
    handle : callable
        Answers a request.
    kind_of : callable
        Of which kind a request is; "" of one that meets no fault.
    faults : Faults
    refusal : callable
        The vendor's own words for the faults of `REFUSALS`.
    sockets : callable, optional
        Given the feed and the connection of a websocket, until it ends.
    tls : ssl.SSLContext, optional
    """

    def __init__(
        self,
        handle: Handle,
        kind_of: Callable[[Call], str],
        faults: Faults,
        *,
        refusal: Refusal = plain_refusal,
        sockets: Callable[[Feed, ServerConnection], Awaitable[None]] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._handle, self._kind_of, self.faults = handle, kind_of, faults
        self._refusal, self._sockets, self._tls = refusal, sockets, tls
        self.calls: list[Call] = []
        self.port = self.socket_port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._socket_server: Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        """Where its websockets are."""
        return f"{'wss' if self._tls else 'ws'}://127.0.0.1:{self.socket_port}"

    async def start(self) -> None:
        """Listen; after `stop` on the same ports."""
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=self._tls, limit=LONGEST
        )
        self.port = self._server.sockets[0].getsockname()[1]
        if self._sockets is not None:
            self._socket_server = await serve(
                self._converse, "127.0.0.1", self.socket_port, ssl=self._tls
            )
            self.socket_port = next(iter(self._socket_server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Cut every connection and listen no more."""
        if self._server is not None:
            self._server.close()
        self.cut()
        if self._socket_server is not None:
            self._socket_server.close(close_connections=True)
            await self._socket_server.wait_closed()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Cut every connection, as a network does."""
        for writer in list(self._open):
            writer.transport.abort()
        if self._socket_server is not None:
            for connection in list(self._socket_server.connections):
                connection.transport.abort()

    # One connection

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        try:
            while (call := await _read(reader)) is not None:
                self.calls.append(call)
                await self._answer(call, writer)
        except (Gone, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def _answer(self, call: Call, writer: asyncio.StreamWriter) -> None:
        kind = self._kind_of(call)
        fault = self.faults.at(kind) if kind else ""
        if fault == "lose_request":
            raise Gone
        if fault == "restart":
            self.cut()
            raise Gone
        if fault == "mute":
            await asyncio.Event().wait()
        if fault in REFUSALS:
            await _put(writer, self._refusal(fault, call))
            return
        found = await self._handle(call)
        if fault == "lose_answer":
            raise Gone
        if fault == "slow":
            await asyncio.sleep(self.faults.slow)
        if fault == "garbage":
            await _put(writer, Answer(GARBAGE))
        elif isinstance(found, Streamed):
            if fault == "drop":
                raise Gone
            await self._stream(found, writer)
        else:
            await _put(writer, found, half=fault == "drop")

    async def _stream(self, found: Streamed, writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, {**found.headers, "Transfer-Encoding": "chunked"}))
        await writer.drain()

        async def send(frame: bytes) -> None:
            if writer.transport.is_closing():
                raise Gone
            writer.write(b"%x\r\n%s\r\n" % (len(frame), frame))
            await writer.drain()

        await found.run(Feed(send, writer.transport.abort, self.faults))
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _converse(self, connection: ServerConnection) -> None:
        assert self._sockets is not None
        fault = self.faults.at("stream")
        if fault in ("lose_request", "lose_answer", "drop"):
            connection.transport.abort()
            return
        if fault == "restart":
            self.cut()
            return
        feed = Feed(connection.send, connection.transport.abort, self.faults)
        with contextlib.suppress(Gone, ConnectionClosed):
            await self._sockets(feed, connection)


async def _read(reader: asyncio.StreamReader) -> Call | None:
    """The next request of a connection; None where there is none."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    elif length := int(headers.get("content-length", 0)):
        body = await reader.readexactly(length)
    split = urlsplit(target)
    query = {k: v[-1] for k, v in parse_qs(split.query, keep_blank_values=True).items()}
    return Call(method, unquote(split.path), query, headers, body)


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    named = {"Content-Type": "application/json", **headers}
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in named.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _put(writer: asyncio.StreamWriter, answer: Answer, *, half: bool = False) -> None:
    body = answer.encoded()
    writer.write(_head(answer.status, {**answer.headers, "Content-Length": str(len(body))}))
    writer.write(body[: len(body) // 2] if half else body)
    await writer.drain()
    if half:
        raise Gone
