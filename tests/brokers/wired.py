"""The simulated broker behind a wire that has faults, and hands on its market."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal

import numpy as np
from msgspec.structs import replace

from intrabar.brokers.fakes.account import Order, Status
from intrabar.brokers.fakes.faults import Faults
from intrabar.brokers.fitting import require_wanted
from intrabar.brokers.simulated import SimulatedBroker
from intrabar.errors import BadAnswer, LinkError, NotFoundError, RateLimited
from intrabar.links.broker import Wanted
from intrabar.model.bars import Market
from intrabar.model.broker_facts import (
    AccountFacts,
    Can,
    Change,
    OrderFact,
    Outcome,
    Ref,
    Refused,
    Request,
    Snapshot,
    Unknown,
)
from intrabar.model.enums import LedgerKind, OrderStatus, OrderType, TimeInForce
from intrabar.model.facts import LinkFact
from intrabar.model.instrument import Instrument
from intrabar.sim import state
from intrabar.sim.account import Account
from intrabar.sim.inbox import leave
from intrabar.sim.nights import enter
from intrabar.sim.orders import find, finish

HOUR, ROWS, PRICE = 3_600_000_000_000, 300, 100.0
STEPS = range(state.STEP_ON_OPEN, state.STEP_END + 1)
STATUSES: dict[OrderStatus, Status] = {
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELLED: "cancelled",
    OrderStatus.EXPIRED: "expired",
    OrderStatus.REJECTED: "rejected",
}
Deed = Callable[[], Awaitable[Any]]


class Wired:
    """A broker that is the simulated one, as far as its wire lets through."""

    def __init__(self, stage: SimulatedStage, wanted: Wanted) -> None:
        self.stage, self.wanted, self.there = stage, wanted, stage.there
        self._is_closed = False

    @property
    def can(self) -> Can:
        return self.there.can

    async def connect(self) -> AccountFacts:
        await self._read("token", self._nothing)
        facts = await self._read("connect", self.there.connect)
        for symbol in self.wanted.symbols:
            if symbol not in facts.grids:
                raise NotFoundError("symbol", symbol, facts.grids)
        return require_wanted(self.wanted, facts)

    async def submit(self, group: tuple[Request, ...]) -> tuple[Outcome, ...]:
        found = await self._ask("submit", lambda: self.there.submit(group))
        return found if isinstance(found, tuple) else (found,) * len(group)

    async def replace(self, ref: Ref, change: Change) -> Outcome:
        return await self._ask("replace", lambda: self.there.replace(ref, change))

    async def cancel(self, ref: Ref) -> Outcome:
        return await self._ask("cancel", lambda: self.there.cancel(ref))

    async def find(self, ref: Ref) -> OrderFact | None:
        fact = await self._read("find", lambda: self.there.find(ref))
        return None if fact is None else self.stage.shown(fact)

    async def snapshot(self, since: int) -> Snapshot:
        return await self._read("look", lambda: self.there.snapshot(since))

    async def events(self) -> AsyncIterator[Any]:
        held: list[Any] = []
        async for fact in self.there.events():
            if self.stage.is_away.is_set():
                yield LinkFact("down", "it is away")
                await self.stage.is_back.wait()
                yield LinkFact("up")
            if isinstance(fact, LinkFact):
                if fact.state != "syncing":
                    yield fact
                continue
            fault = self.stage.faults.at("event")
            if fault in ("drop", "mute", "garbage", "cut"):
                yield LinkFact("down", fault)
                yield LinkFact("up")
            elif fault == "reorder":
                held.append(fact)
            elif fault != "lose_event":
                for _ in range(2 if fault == "duplicate" else 1):
                    yield self.stage.shown(fact)
                while held:
                    yield held.pop(0)

    async def close(self) -> None:
        self._is_closed = True
        await self.there.close()

    async def _nothing(self) -> None:
        return None

    async def _ask(self, kind: str, deed: Deed) -> Any:
        fault = self.stage.faults.at(kind)
        if self.stage.is_away.is_set():
            return Refused("nobody is there", not_sent=True)
        if fault == "429":
            return Refused("too many requests", code="rate")
        if fault == "reject":
            return Refused("the venue says no")
        if fault in ("lose_request", "mute", "500"):
            return Unknown(fault)
        found = await deed()
        return Unknown(fault) if fault in ("lose_answer", "drop", "garbage") else found

    async def _read(self, kind: str, deed: Deed) -> Any:
        fault = self.stage.faults.at(kind)
        if self._is_closed or self.stage.is_away.is_set():
            raise LinkError("nobody is there")
        if fault == "429":
            raise RateLimited("too many requests", 0.0)
        if fault == "garbage":
            raise BadAnswer("what is that?")
        if fault not in ("", "slow", "expire_token"):
            raise LinkError(fault)
        return await deed()


class SimulatedStage:
    """A market of one instrument that stands still, until a test fills something."""

    account, kind, symbol, price, unknown = "simulated", "paper", "A", PRICE, "NOSUCH"
    secrets: tuple[str, ...] = ()
    deadline = 2.0

    def __init__(self, make: Callable[[SimulatedStage, Wanted], Any] = Wired) -> None:
        times = (time.time_ns() // HOUR + 1 + np.arange(ROWS, dtype=np.int64)) * HOUR
        flat = np.full((ROWS, 1), PRICE)
        market = Market(
            ("A",),
            times,
            *(flat.copy() for _ in range(4)),
            np.zeros((ROWS, 1)),
            np.zeros((ROWS, 1), np.uint8),
            (times - HOUR).reshape(-1, 1),
            HOUR,
        )
        instrument = Instrument("A", lot=0.5, max_volume_share=1.0)
        self.there = SimulatedBroker(market, [instrument], Account())
        self.faults, self.words = Faults(), dict[str, str]()
        self.is_away, self.is_back = asyncio.Event(), asyncio.Event()
        self._make = make
        self._advance()

    def broker(self, wanted: Wanted, *, wrong_keys: bool = False) -> Any:
        return self._make(self, wanted)

    def fault(self, kind: str, fault: str, times: int = 1) -> None:
        self.faults.add(kind, fault, times)

    def truth(self, client_id: str) -> Order | None:
        return next((x for x in self.orders() if x.client_id == client_id), None)

    def orders(self) -> list[Order]:
        unborn = [
            Order("", x.client_id, x.symbol, x.side, x.type, x.qty, x.limit_price, x.stop_price,
                  opens=False, parent=str(self.there._numbers[x.parent]), status="held")
            for x in self.there._unborn.values()
        ]  # fmt: skip
        return [self._order(row) for row in self.there._rows()] + unborn

    def balance(self) -> float:
        return float(self.there.machine.book.account["equity"][0])

    async def settle(self) -> None:
        self._advance()

    async def fill(self, client_id: str, qty: float, price: float) -> None:
        self._advance(qty, price)

    async def end(self, client_id: str, how: Literal["cancelled", "expired", "rejected"]) -> None:
        book = self.there.machine.book
        k = find(book, self.there._numbers[client_id])
        finish(book, k, OrderStatus[how.upper()], 0)
        self._advance()

    async def show(self, client_id: str, word: str) -> None:
        self.words[client_id] = word

    async def trade(self, side: int, qty: float, price: float) -> None:
        self.there.machine.make_room(1)
        values = {"type": OrderType.MARKET, "tif": TimeInForce.GTC, "oco": -1, "strategy": 0}
        leave(self.there.machine.book, state.SUBMIT, instrument=0, side=side, qty=qty, **values)
        self._advance()
        self._advance(qty, price)

    async def pay(self, amount: float) -> None:
        enter(self.there.machine.book, int(LedgerKind.TRANSFER), 0, -1, amount)
        self._advance()

    async def cut(self) -> None:
        self.faults.add("event", "cut")
        self.there._events.put_nowait(LinkFact("down", "cut"))
        self.there._events.put_nowait(LinkFact("up"))

    async def leave(self) -> None:
        self.is_away.set()
        self.is_back.clear()
        self.there._events.put_nowait(LinkFact("syncing"))

    async def come_back(self) -> None:
        self.is_away.clear()
        self.is_back.set()

    async def close(self) -> None:
        pass

    def shown(self, fact: Any) -> Any:
        word = self.words.get(getattr(fact, "client_id", ""))
        if word is None or not isinstance(fact, OrderFact):
            return fact
        known = word in self.there.can.covers
        return replace(fact, state=word if known else "unknown", text=word)

    def _order(self, row: Any) -> Order:
        there = self.there
        number, side = int(row["id"]), int(row["side"])
        filled, money = there._totals.get(number, (0.0, 0.0))
        held = float(there.machine.book.sleeves["qty"][0])
        parent = int(row["parent"])
        request = there.machine.book.orders[find(there.machine.book, number)]
        return Order(
            str(number),
            there._names.get(number, ""),
            "A",
            side,
            OrderType(int(row["type"])).word,
            float(row["qty"]),
            round(float(row["limit_price"]), 9),
            round(float(row["stop_price"]), 9),
            TimeInForce(int(row["tif"])).word,
            int(request["until"]),
            side * held >= 0.0 and parent < 0,
            str(parent) if parent >= 0 else "",
            status=STATUSES.get(OrderStatus(int(row["status"])), "working"),
            filled=filled,
            money=money,
        )

    def _advance(self, volume: float = 0.0, price: float = PRICE) -> None:
        """One bar, at one price."""
        machine = self.there.machine
        bar = machine.bar
        for column in (machine.market.open, machine.market.high, machine.market.low):
            column[bar, 0] = price
        machine.market.close[bar, 0] = price
        machine.market.volume[bar, 0] = volume
        for step in STEPS:
            self.there.advance(bar, step)
        self.there.advance(bar + 1, state.STEP_OPEN)
