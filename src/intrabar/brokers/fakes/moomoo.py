"""OpenD on loopback, by the messages that the vendor ships: accounts, orders, K-lines.

It shows orders by the remark under which they came, takes one twice, pushes what changes, and with
a simulated account knows no fills: only how much of an order has filled.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from intrabar.brokers.fakes.account import ALIVE, NAN, FakeAccount, Impossible, News, Order
from intrabar.brokers.fakes.faults import Faults
from intrabar.brokers.fakes.moomoo_frames import (
    EASTERN,
    Frame,
    No,
    encoded,
    local,
    module,
    read,
    text,
)
from intrabar.brokers.fakes.moomoo_quotes import FakeQuotes

US, USD = 2, 2
PASSWORD = "a-trade-password"
STATUSES = {
    "accepted": 2,
    "working": 5,
    "filled": 11,
    "cancelled": 15,
    "expired": 15,
    "rejected": 21,
}
WORDS = {"SUBMITTED": 5, "WAITING_SUBMIT": 1, "SUBMITTING": 2, "TIMEOUT": 4}
TYPES = {1: "limit", 2: "market", 10: "stop", 11: "stop_limit"}
TIFS = {0: "day", 1: "gtc", 2: "ioc"}
KINDS = {
    1001: "connect",
    2001: "connect",
    2005: "token",
    2101: "look",
    2102: "look",
    2202: "submit",
    2211: "look",
    2221: "look",
    3103: "bars",
    3202: "connect",
}


class Gone(Exception):  # noqa: N818
    """A fault has ended the connection."""


class FakeOpenD:
    """The gateway, with one account behind it.

    Parameters
    ----------
    account : FakeAccount
        Its id is a number.
    env : "SIMULATE" or "REAL"
    faults : Faults
    bars : callable, optional
        Given code and seconds: the K-lines so far, each (end in ns UTC, open, high, low, close,
        volume), the last in progress; None for a code that nobody knows.
    """

    def __init__(
        self,
        account: FakeAccount,
        env: Literal["SIMULATE", "REAL"] = "SIMULATE",
        faults: Faults | None = None,
        bars: Callable[[str, int], list[tuple[float, ...]] | None] | None = None,
    ) -> None:
        self.account, self.env, self.faults = account, env, faults or Faults()
        self.quotes, self.port = FakeQuotes(account, bars), 0
        self.asked: list[Frame] = []
        self.unlocked = env == "SIMULATE"
        self._server: asyncio.Server | None = None
        self._writers: dict[asyncio.StreamWriter, set[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._pushes: asyncio.Queue[tuple[int, Any]] = asyncio.Queue()
        self._held: list[bytes] = []
        account.watchers.append(self._changed)

    async def start(self) -> None:
        """Listen; after `stop` at the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self._tasks.add(asyncio.ensure_future(self._push()))

    async def stop(self) -> None:
        """Cut every connection and listen no more."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def cut(self) -> None:
        """Cut every connection, as a network does."""
        for writer in list(self._writers):
            writer.transport.abort()
        self._writers.clear()

    # The wire

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers[writer] = set()
        try:
            while (frame := await read(reader)) is not None:
                self.asked.append(frame)
                await self._answer(frame, writer)
        except (Gone, OSError, ValueError, asyncio.CancelledError):
            pass
        finally:
            self._writers.pop(writer, None)
            self._tasks.discard(task)
            writer.transport.abort()

    def kind_of(self, frame: Frame) -> str:
        """Of which kind a request is (`faults.REQUESTS`)."""
        if frame.proto == 2205:
            return "replace" if frame.asked.modifyOrderOp == 1 else "cancel"
        if frame.proto == 2201:
            return "find" if frame.asked.filterConditions.orderIDExList else "look"
        return KINDS.get(frame.proto, "")

    async def _answer(self, frame: Frame, writer: asyncio.StreamWriter) -> None:
        kind = self.kind_of(frame)
        fault = self.faults.at(kind) if kind else ""
        if fault == "restart":
            self.cut()
        if fault in ("lose_request", "restart", "second_login"):
            raise Gone
        if fault == "mute":
            return
        response = module(frame.proto).Response()
        response.retType = 0
        if fault in ("429", "500", "reject", "expire_token"):
            response.retType, response.retMsg = -1, _excuse(fault)
        else:
            try:
                self._fill_in(frame, response, writer)
            except (No, Impossible) as no:
                response.Clear()
                response.retType, response.retMsg = -1, str(no)
        if fault == "lose_answer":
            raise Gone
        if fault == "slow":
            await asyncio.sleep(self.faults.slow)
        body = b"\xff\xff<html>" if fault == "garbage" else response.SerializeToString()
        told = encoded(frame.proto, frame.serial, body)
        writer.write(told[: len(told) // 2] if fault == "drop" else told)
        await writer.drain()
        if fault == "drop":
            raise Gone

    def _fill_in(self, frame: Frame, response: Any, writer: asyncio.StreamWriter) -> None:
        asked = frame.asked
        match frame.proto:
            case 1001:
                told = response.s2c
                told.serverVer, told.loginUserID, told.connID = 1011, 1, len(self.asked)
                told.connAESKey, told.keepAliveInterval = "0123456789abcdef", 10
            case 1004:
                response.s2c.time = int(time.time())
            case 2001:
                self._accounts(response.s2c)
            case 2005:
                if asked.pwdMD5 != hashlib.md5(PASSWORD.encode()).hexdigest():
                    raise No("Wrong trade password")
                self.unlocked = True
            case 2008:
                self._writers[writer] |= {str(x) for x in asked.accIDList}
            case 2202:
                self._place(asked, response.s2c)
            case 2205:
                self._modify(asked, response.s2c)
            case 2201 | 2221 | 2211 | 2101 | 2102:
                self._require_account(asked.header)
                response.s2c.header.CopyFrom(asked.header)
                self._look(frame.proto, asked, response.s2c)
            case 3001:
                self.quotes.subscribe(asked)
                self._writers[writer].add("bars")
            case 3006 | 3103 | 3202 | 3203:
                self.quotes.fill_in(frame.proto, asked, response.s2c)

    # The account

    def _accounts(self, told: Any) -> None:
        one = told.accList.add()
        one.trdEnv = 0 if self.env == "SIMULATE" else 1
        one.accID = int(self.account.id)
        one.trdMarketAuthList.append(US)
        one.accType = 2
        if self.env == "SIMULATE":
            one.simAccType = 1
        else:
            one.securityFirm = 2

    def _require_account(self, header: Any) -> None:
        if header.accID != int(self.account.id) or header.trdEnv != (self.env == "REAL"):
            raise No("Nonexisting acc_id")
        if not self.unlocked:
            raise No("Trade is locked; unlock it first")

    def _place(self, asked: Any, told: Any) -> None:
        self._require_account(asked.header)
        kind = TYPES.get(asked.orderType, "")
        if self.env == "SIMULATE" and (kind not in ("limit", "market") or asked.timeInForce):
            raise No("Simulated trading takes limit and market orders of the day")
        side = 1 if asked.trdSide == 1 else -1
        held = self.account.positions.get(asked.code, (0.0, 0.0))[0]
        order = Order(
            "",
            f"taken {len(self.account.orders)}",  # its remark is its name, and may come twice
            asked.code,
            side,
            kind,
            asked.qty,
            asked.price if kind in ("limit", "stop_limit") else NAN,
            asked.auxPrice if kind in ("stop", "stop_limit") else NAN,
            tif=TIFS[asked.timeInForce],
            opens=side * held >= 0.0,
        )
        watchers, self.account.watchers = self.account.watchers, []
        try:
            (placed,) = self.account.place([order])
        finally:
            self.account.watchers = watchers
        placed.client_id = asked.remark
        told.header.CopyFrom(asked.header)
        told.orderID, told.orderIDEx = int(placed.id), placed.id
        self._changed(News("placed", placed))

    def _modify(self, asked: Any, told: Any) -> None:
        self._require_account(asked.header)
        if asked.modifyOrderOp == 2:
            self.account.cancel(asked.orderIDEx)
        else:
            order = self.account.orders.get(asked.orderIDEx)
            kind = order.type if order is not None else ""
            self.account.change(
                asked.orderIDEx,
                qty=asked.qty,
                limit_price=asked.price if kind in ("limit", "stop_limit") else NAN,
                stop_price=asked.auxPrice if asked.HasField("auxPrice") else NAN,
            )
        told.header.CopyFrom(asked.header)
        told.orderID, told.orderIDEx = int(asked.orderIDEx), asked.orderIDEx

    def _look(self, proto: int, asked: Any, told: Any) -> None:
        account = self.account
        if proto == 2101:
            funds = told.funds
            funds.power = funds.cash = funds.avlWithdrawalCash = account.cash
            funds.totalAssets, funds.marketVal = account.equity, account.equity - account.cash
            funds.frozenCash = funds.debtCash = 0.0
            funds.currency = USD
        elif proto == 2102:
            for symbol, (qty, average) in account.positions.items():
                one = told.positionList.add()
                one.positionID, one.positionSide = 1, 0 if qty > 0.0 else 1
                one.code = one.name = symbol
                one.secMarket, one.qty, one.canSellQty = US, qty, abs(qty)
                one.price, one.val, one.plVal = account.symbols[symbol], 0.0, 0.0
                one.costPrice = one.averageCostPrice = average
        elif proto == 2211:
            if self.env == "SIMULATE":
                raise No("Simulated trading has no list of fills")
            for fill in account.fills:
                self._fill(told.orderFillList.add(), fill)
        else:
            wanted = set(asked.filterConditions.orderIDExList)
            today = datetime.now(EASTERN).date()
            for order in account.orders.values():
                is_past = local(order.created).date() < today and order.status not in ALIVE
                if (proto == 2221) == is_past and (not wanted or order.id in wanted):
                    self._order(told.orderList.add(), order)

    def _order(self, told: Any, order: Order) -> None:
        told.trdSide = 1 if order.side > 0 else 2
        told.orderType = {kind: number for number, kind in TYPES.items()}[order.type]
        told.orderStatus = self._status(order)
        told.orderID, told.orderIDEx = int(order.id), order.id
        told.code = told.name = order.symbol
        told.secMarket, told.trdMarket, told.currency = US, US, USD
        told.qty, told.fillQty, told.remark = order.qty, order.filled, order.client_id
        told.fillAvgPrice = order.average if order.filled else 0.0
        told.price = order.limit_price if order.limit_price == order.limit_price else 0.0
        if order.stop_price == order.stop_price:
            told.auxPrice = order.stop_price
        told.timeInForce = {word: number for number, word in TIFS.items()}[order.tif]
        told.createTime, told.updateTime = text(order.created), text(order.changed)
        told.lastErrMsg = order.text or (order.word if order.word not in WORDS else "")

    def _status(self, order: Order) -> int:
        if order.word:
            return WORDS.get(order.word, -1)
        if order.status in ALIVE and order.filled:
            return 10
        if order.status == "cancelled" and order.filled:
            return 14
        return STATUSES[order.status]

    @staticmethod
    def _fill(told: Any, fill: Any) -> None:
        told.trdSide = 1 if fill.side > 0 else 2
        told.fillID, told.fillIDEx = int(fill.id[1:]), fill.id
        told.orderID, told.orderIDEx = int(fill.order), fill.order
        told.code = told.name = fill.symbol
        told.secMarket, told.qty, told.price = US, fill.qty, fill.price
        told.createTime, told.status = text(fill.time), 0

    # Pushes

    def push_bars(self) -> None:
        """Push the K-line in progress of all that is subscribed to."""
        for message in self.quotes.pushes():
            self._pushes.put_nowait((3007, message))

    def _changed(self, news: News) -> None:
        if news.fill is not None and self.env == "REAL":
            message = module(2218).Response()
            message.retType = 0
            self._fill(message.s2c.orderFill, news.fill)
            self._tell(2218, message)
        if news.order is not None:
            message = module(2208).Response()
            message.retType = 0
            self._order(message.s2c.order, news.order)
            self._tell(2208, message)

    def _tell(self, proto: int, message: Any) -> None:
        header = message.s2c.header
        header.trdEnv, header.accID = int(self.env == "REAL"), int(self.account.id)
        header.trdMarket = US
        self._pushes.put_nowait((proto, message))

    async def _push(self) -> None:
        mute = False
        while True:
            proto, message = await self._pushes.get()
            fault = self.faults.at("event")
            mute = mute or fault == "mute"
            if mute or fault == "lose_event":
                continue
            if fault == "drop":
                self.cut()
                mute = False
                continue
            if fault == "slow":
                await asyncio.sleep(self.faults.slow)
            body = b"\xff\xff<html>" if fault == "garbage" else message.SerializeToString()
            frames = [encoded(proto, 0, body)] * (2 if fault == "duplicate" else 1)
            if fault == "reorder":
                self._held += frames
                continue
            await self._write(frames + self._held, "bars" if proto == 3007 else self.account.id)
            self._held.clear()

    async def _write(self, frames: list[bytes], topic: str) -> None:
        for writer, topics in list(self._writers.items()):
            if topic in topics:
                with contextlib.suppress(OSError):
                    writer.writelines(frames)
                    await writer.drain()


def _excuse(fault: str) -> str:
    return {
        "429": "Request is too frequent; at most 15 in 30 seconds",
        "500": "Internal error of the server",
        "reject": "Order rejected by the venue",
    }.get(fault, "Trade is locked; unlock it first")
