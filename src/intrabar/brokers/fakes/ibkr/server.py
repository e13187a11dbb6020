"""The fake itself: a socket, the handshake, and an answer with its end frame for every request."""

from __future__ import annotations

import asyncio
import contextlib
import struct

from intrabar.brokers.fakes.account import FakeAccount, Impossible, News
from intrabar.brokers.fakes.faults import Faults
from intrabar.brokers.fakes.ibkr import frames
from intrabar.brokers.fakes.ibkr.answers import ANSWERS
from intrabar.brokers.fakes.ibkr.contracts import CONTRACTS, Contract
from intrabar.brokers.fakes.ibkr.desk import Desk
from intrabar.brokers.fakes.ibkr.market import FakeMarket
from intrabar.brokers.fakes.server import Feed, Gone
from intrabar.links.clock import Clock, WallClock

VERSION = 178
CODES = {"not_open": 161, "unknown_symbol": 200, "id_clash": 103}
SUBMIT, CANCEL = 3, 4
LOOKS = frozenset({5, 7, 16, 61, 62, 99})
BARS = frozenset({1, 9, 20})
NO_FRAMES = frozenset({"lose_answer", "drop", "garbage"})
"""Faults that the request is carried out in spite of."""
REFUSALS = {"429": (100, "Max rate of messages per second has been exceeded"),
            "500": (322, "Error processing request"),
            "expire_token": (504, "Not connected")}  # fmt: skip


class FakeTws:
    """Trader Workstation on 127.0.0.1.

    Parameters
    ----------
    account : FakeAccount
    faults : Faults
    clock : Clock, optional
        Of its market.
    port : int
        0: any that is free.
    """

    def __init__(
        self,
        account: FakeAccount,
        faults: Faults | None = None,
        clock: Clock | None = None,
        port: int = 0,
    ) -> None:
        self.account, self.faults = account, faults or Faults()
        self.market = FakeMarket(clock or WallClock())
        self.market.prices |= account.symbols
        self.port, self.taken = port, set[int]()  # client ids that others have
        self.accounts = [account.id]
        self.unseen, self.unquoted = set[str](), set[str]()  # symbols: no bars, no quotes
        self.clients: dict[int, Connection] = {}
        self.desk = Desk(account)
        self.contracts: dict[str, Contract] = dict(CONTRACTS)
        self.messages: list[list[str]] = []
        self._server: asyncio.Server | None = None
        self._open: set[Connection] = set()
        account.watchers.append(self._news)

    async def start(self) -> None:
        """Listen; after `stop` at the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cut every connection and listen no more."""
        if self._server is not None:
            self._server.close()
        tasks = [x.task for x in self._open if x.task is not None]
        self.cut()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def cut(self) -> None:
        """Cut every connection, as a network does."""
        for connection in list(self._open):
            connection.cut()

    def tell_all(self, frame: list[str]) -> None:
        """Tell every client something."""
        for connection in self.clients.values():
            connection.tell(frame, "event")

    def found(self, asked: dict[str, str]) -> list[Contract]:
        """The contracts that fit a description."""
        return [contract for contract in self.contracts.values() if contract.fits(asked)]

    def contract_of(self, symbol: str) -> Contract:
        """The contract of a symbol of the account."""
        return self.contracts[symbol]

    def name_of(self, contract: Contract) -> str:
        """Our name of a contract."""
        return next(name for name, one in self.contracts.items() if one.con_id == contract.con_id)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, reader, writer)
        self._open.add(connection)
        try:
            await connection.run()
        except (Gone, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(connection)
            if self.clients.get(connection.client_id) is connection:
                del self.clients[connection.client_id]
            connection.end()

    def _news(self, news: News) -> None:
        """Tell the client that has sent an order what has become of it."""
        if news.order is None:
            return
        owner = self.desk.owner(news.order)
        connection = self.clients.get(owner.client_id) if owner is not None else None
        if connection is not None:
            connection.hear(news)


class Connection:
    """One client."""

    def __init__(
        self, tws: FakeTws, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.tws, self._reader, self._writer = tws, reader, writer
        self.client_id = -1
        self.task = asyncio.current_task()
        self._out: asyncio.Queue[tuple[list[str] | None, str]] = asyncio.Queue()
        self._answer: list[list[str]] | None = None  # of the request that is being carried out
        self._mute = self._leaves = False
        self._pump: asyncio.Task[None] | None = None
        self._kept: dict[int, asyncio.Task[None]] = {}
        self._feed = Feed(self._put, self.cut, tws.faults)

    async def run(self) -> None:
        """Shake hands, then answer until the client leaves."""
        await self._reader.readexactly(4)  # API and a NUL
        await self._frame()
        fault = self.tws.faults.at("connect")
        if fault == "garbage":
            self._writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        if fault in ("mute", "garbage", "lose_request", "lose_answer"):
            await asyncio.Event().wait()
        if fault:
            raise Gone
        await self._put("\0".join([str(VERSION), "20261130 12:00:00 Greenwich Mean Time"]))
        self._pump = asyncio.ensure_future(self._pumped())
        while True:
            fields = (await self._frame()).split("\0")[:-1]
            self.tws.messages.append(fields)
            await self._take(fields)

    def cut(self) -> None:
        """End it as a network does."""
        self._writer.transport.abort()

    def end(self) -> None:
        """Let go of everything."""
        for task in (self._pump, *self._kept.values()):
            if task is not None:
                task.cancel()
        self.cut()

    def tell(self, frame: list[str], kind: str = "") -> None:
        """Put a frame in the row: as a part of an answer, or with a kind for its faults."""
        if self._answer is not None:
            self._answer.append(frame)
        else:
            self._out.put_nowait((frame, kind))

    def leave(self) -> None:
        """End it behind what was told."""
        self._leaves = True

    def hear(self, news: News) -> None:
        """Tell what has become of an order of this client."""
        for frame in self.tws.desk.told(news, self.tws.contract_of):
            self.tell(frame, "event")

    def keep(self, number: int, work: asyncio.Task[None]) -> None:
        """Hold what goes on telling under a number."""
        self._kept[number] = work

    def drop(self, number: int) -> None:
        """End what goes on telling under a number."""
        if (work := self._kept.pop(number, None)) is not None:
            work.cancel()

    # In and out

    async def _frame(self) -> str:
        (size,) = struct.unpack(">I", await self._reader.readexactly(4))
        return (await self._reader.readexactly(size)).decode()

    async def _put(self, text: str) -> None:
        if self._writer.transport.is_closing():
            raise Gone
        data = (text + "\0").encode()
        self._writer.write(struct.pack(">I", len(data)) + data)
        await self._writer.drain()

    async def _pumped(self) -> None:
        with contextlib.suppress(Gone, OSError):
            while True:
                frame, kind = await self._out.get()
                if frame is None:
                    self.cut()
                    return
                text = "\0".join(frame)
                await (self._feed.tell(text, kind) if kind else self._feed.beat(text))

    async def _take(self, f: list[str]) -> None:
        kind = self._kind(f)
        fault = self.tws.faults.at(kind) if kind else ""
        if fault == "mute":
            self._mute = True
        if self._mute or fault == "lose_request":
            return
        if fault in ("restart", "second_login"):
            self.tws.cut()
            raise Gone
        self._answer = []
        if fault in REFUSALS:
            self.tell(frames.notice(_number(f), *REFUSALS[fault]))
        elif fault == "reject":
            self._reject(f)
        else:
            self._carry_out(f)
        told, self._answer = self._answer, None
        if fault == "slow":
            await asyncio.sleep(self.tws.faults.slow)
        for frame in told if fault not in NO_FRAMES else []:
            self._out.put_nowait((frame, ""))
        if fault == "garbage":
            for frame in told:
                is_row = frame[0] in ("5", "3", "11", "61", "63", "101", "59", "4")
                self._out.put_nowait(([frame[0], "?", "<garbage>"] if is_row else frame, ""))
        if fault == "drop" or self._leaves:
            self._out.put_nowait((None, ""))

    def _carry_out(self, f: list[str]) -> None:
        found = ANSWERS.get(int(f[0]))
        if found is None:
            self.tell(frames.notice(-1, 320, f"the fake does not know message {f[0]}"))
            return
        try:
            found(self, f)
        except Impossible as no:
            self.tell(frames.notice(_number(f), CODES.get(no.code, 201), str(no)))

    def _kind(self, f: list[str]) -> str:
        number = int(f[0])
        if number == SUBMIT:
            is_known = self.tws.desk.knows(self.client_id, int(f[1]))
            return "replace" if is_known else "submit"
        if number == CANCEL:
            return "cancel"
        if number in BARS:
            return "bars"
        return "look" if number in LOOKS else ""

    def _reject(self, f: list[str]) -> None:
        self.tws.desk.forget(self.client_id, int(f[1]))
        text = "Order rejected - reason: the venue does not take it"
        self.tell(frames.notice(int(f[1]), 201, text))


def _number(f: list[str]) -> int:
    """The number by which a request is answered; -1 where it has none."""
    places = {1: 2, 3: 1, 4: 2, 7: 2, 9: 2, 20: 1, 62: 2}
    return int(f[places[int(f[0])]]) if int(f[0]) in places else -1
