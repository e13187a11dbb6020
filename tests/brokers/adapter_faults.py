"""A session above a vendor's real adapter and its fake, with a fault at each message of the wire.

A vendor's test gives the stage of its conformance tests. A bracket fills in parts, its stop moves,
the position is left by the exit chain; then a resting bracket, whose target fills. What is asked
again is asked by the session's own timers, in virtual time; the wire has real time, in
milliseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np

from intrabar.brokers.fakes.account import Order
from intrabar.brokers.fakes.faults import EVENTS, OF_EVENTS, OF_REQUESTS, Point
from intrabar.brokers.fakes.stage import FakeStage
from intrabar.brokers.sending import Sending
from intrabar.brokers.tickets import OPEN, State
from intrabar.data.timeline import market_from_bars
from intrabar.engine.run import Setup
from intrabar.engine.session.broker_events import (
    link_body,
    look_up_body,
    outcome_body,
    report_body,
    snapshot_body,
    timer_body,
)
from intrabar.engine.session.effects import Effect, Look, LookUp, Send
from intrabar.engine.session.session import Session
from intrabar.errors import LinkError
from intrabar.links.broker import Wanted
from intrabar.model.bars import Bars
from intrabar.model.broker_facts import Outcome, Refused, Unknown
from intrabar.model.entry import Entry
from intrabar.model.facts import LinkFact
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account
from intrabar.strategy.strategy import Strategy
from tests.brokers.session_worlds import SECOND, fills_by, quoted
from tests.engine.session.sessions import events_of, plan_of

Make = Callable[[], Awaitable[FakeStage]]
Schedule = tuple[tuple[Point, str], ...]
PERIOD, HISTORY = 600 * SECOND, 2
CLOSES = (100, 101, 102, 103, 104, 104, 101, 99, 100, 109, 109, 109, 109)
PATIENCE = 150 * SECOND  # of virtual time between two rows
SILENCE = 0.02  # real seconds without a fact: what was told has come
MOST = {"find": 3, "look": 4, "stream": 2}
"""Messages of a kind that meet a fault; more are the same once more."""
BEGINS = frozenset({"token", "connect"})
"""What the login asks; its faults are those of the conformance tests."""


class Scripted(Strategy):
    """In, the stop moves, out; then in again to a limit, and the target."""

    def on_close(self, now: Any) -> None:
        match now.bar - HISTORY:
            case 0:
                now.order("buy", 10, stop_loss=95.0, take_profit=120.0, tif="day")
            case 3:
                now.modify_stop_loss(98.0)
            case 4 if now.position.qty > 0:
                now.order("sell", 10, tif="day")
            case 6:
                now.order("buy", 5, limit=100.0, stop_loss=90.0, take_profit=108.0, tif="day")


class AdapterWorld:
    """One session, its adapter, and what is true at the fake."""

    def __init__(self, stage: FakeStage, schedule: Schedule) -> None:
        self.stage, self.there, self.clock = stage, stage.there, 0
        self.there.now = lambda: self.now
        for (kind, n), fault in schedule:
            stage.server.faults._schedule[kind, n] = fault
        began = time.time_ns() // PERIOD * PERIOD
        closes = np.array([100.0] * HISTORY + [float(x) for x in CLOSES])
        opens = np.concatenate([closes[:1], closes[:-1]])
        high, low = np.maximum(opens, closes), np.minimum(opens, closes)
        times = began + PERIOD * np.arange(1 - HISTORY, len(CLOSES) + 1, dtype=np.int64)
        days = np.zeros(len(times), np.int64)
        bars = Bars(
            stage.symbol, times, opens, high, low, closes, opens, PERIOD, times - PERIOD, days
        )
        self.market = market_from_bars([bars])
        instruments = (Instrument(stage.symbol, calendar="24/7"),)
        account = Account(cash=self.there.cash)
        self.broker = stage.broker(Wanted(stage.account, stage.kind, (stage.symbol,)))
        plan = plan_of(Setup(self.market, instruments, {"s": Scripted()}, account))
        object.__setattr__(plan, "broker", fills_by(self.broker.can))
        self.session, self.row = Session(plan), HISTORY
        self.rows = {e.body["time"]: e for e in events_of(self.market, HISTORY)[2:]}
        self.sent: list[str] = []
        self.facts: asyncio.Queue[Any] = asyncio.Queue()
        self.is_up = False

    @property
    def now(self) -> int:
        return int(self.market.time[min(self.row, len(self.market) - 1)]) + self.clock

    @property
    def desk(self) -> Any:
        return self.session._broker.desk  # type: ignore[union-attr]

    # What the driver does

    async def live(self) -> None:
        await _patiently(self.broker.connect)
        for event in events_of(self.market, HISTORY)[:2]:
            self.session.handle(event)
        listening = asyncio.ensure_future(self._listen())
        try:
            self.clock = SECOND - PERIOD
            await self.drain()
            while self.row < len(self.market):
                await self.run_row()
            self.stage.server.faults.clear()
            for _ in range(3):
                self.clock += 31 * SECOND
                await self.handle(("timer", timer_body()))
                await self.settle()
            if listening.done():
                listening.result()
            self.check()
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
            await self.broker.close()

    async def run_row(self) -> None:
        self.clock = SECOND - PERIOD
        await self.settle()
        for _ in range(2):  # of a market entry a part first
            self.trade()
            await self.settle()
        self.clock = 0
        event = self.rows[int(self.market.time[self.row])]
        await self.handle((event.kind, event.body))
        self.row += 1

    async def settle(self) -> None:
        """Let the timers run until nothing is waited for."""
        until = self.clock + PATIENCE
        await self.drain()
        while self.clock < until and not self.is_quiet():
            due = self.session.next_timer(self.now)
            assert due is not None
            self.clock += max(due - self.now, SECOND // 10)
            self.trade(exits=True)
            await self.handle(("timer", timer_body()))
            await self.drain()

    def is_quiet(self) -> bool:
        desk = self.desk
        asked = any(t.asked != "none" or t.state in IN_DOUBT for t in desk.door.blotter.open)
        waits = desk.looks._wanted or desk.looks._asked or desk.door.doubts
        climbs = any(not at.watched_since for at in desk.ladder.climbs.values())
        return not (asked or waits or climbs or desk.ways_out.chains)

    async def handle(self, *events: tuple[str, dict[str, Any]]) -> None:
        waiting, asked = deque(events), deque[Effect]()
        while waiting or asked:
            if not waiting:
                waiting.extend(await self.carry_out(asked.popleft()))
                continue
            kind, body = waiting.popleft()
            price = float(self.market.open[min(self.row, len(self.market) - 1), 0])
            seen = quoted({self.stage.symbol: price})
            turn = self.session.handle(Entry(self.now, *self.session.place, kind, {**body, **seen}))
            for effect in turn.effects:
                if isinstance(effect, Send):
                    waiting.extendleft(await self.carry_out(effect))
                else:
                    asked.append(effect)

    async def carry_out(self, effect: Effect) -> list[tuple[str, dict[str, Any]]]:
        with contextlib.suppress(LinkError):
            if isinstance(effect, Send):
                return [("outcome", outcome_body(effect.sending, await self.leave(effect.sending)))]
            if isinstance(effect, LookUp):
                found = await self.broker.find(effect.ref)
                return [("report", look_up_body(effect.name, found, self.now))]
            if isinstance(effect, Look):
                return [("snapshot", snapshot_body(await self.broker.snapshot(effect.since)))]
        return []  # no answer: the session asks again

    async def leave(self, sending: Sending) -> tuple[Any, ...]:
        try:
            if sending.group:
                outcomes = await self.broker.submit(sending.group)
                pairs = zip(sending.group, outcomes, strict=True)
                self.sent += [x.client_id for x, outcome in pairs if not _stayed(outcome)]
                return outcomes
            assert sending.ref is not None
            if sending.change is not None:
                self.sent += [sending.change.client_id] if sending.change.client_id else []
                return (await self.broker.replace(sending.ref, sending.change),)
            return (await self.broker.cancel(sending.ref),)
        except LinkError as error:
            return (Unknown(str(error)),) * max(1, len(sending.group))

    async def _listen(self) -> None:
        async for fact in self.broker.events():
            self.facts.put_nowait(fact)

    async def drain(self) -> None:
        """Handle what has been told; a link that is down is waited for."""
        while True:
            try:
                fact = await asyncio.wait_for(self.facts.get(), SILENCE if self.is_up else 3.0)
            except TimeoutError:
                return
            if isinstance(fact, LinkFact):
                self.is_up = fact.state == "up"
                await self.handle(("link", link_body("broker", fact)))
            else:
                await self.handle(("report", report_body(fact)))

    # The venue

    def trade(self, *, exits: bool = False) -> None:
        """Fill at the fake what a bar fills, or of it what leaves at the market."""
        open_, low, high = (
            float(column[self.row, 0])
            for column in (self.market.open, self.market.low, self.market.high)
        )
        for order in list(self.there.orders.values()):
            leaves = order.type == "market" and order.side < 0
            if order.status == "working" and order.rest and (leaves or not exits):
                price = _fills_at(order, open_, low, high)
                if price is not None:
                    first = order.type == "market" and not (leaves or order.filled)
                    self.there.fill(order.id, 4.0 if first else order.rest, price)

    # What must hold

    def check(self) -> None:
        door, there = self.desk.door, self.there
        symbol = self.stage.symbol
        held, average = there.positions.get(symbol, (0.0, 0.0))
        assert door.held(symbol) == held, (door.held(symbol), held)
        cash = float(self.session.machine.book.account["cash"][0])
        paid = there.cash + held * average  # a book moves cash when a trade is over
        assert abs(cash - paid) < 1e-6, f"cash {cash}, there {paid}"
        assert len(set(self.sent)) == len(self.sent), "a name was sent twice"
        ours = [name for name in there.submitted if name]
        assert len(set(ours)) == len(ours), f"made twice: {ours}"
        alive = {order.id for order in there.orders.values() if order.rest}
        known = {x for t in door.tickets.values() if t.state in OPEN for x in t.vendor_ids}
        assert alive <= known, f"alive there, not here: {alive - known}"
        booked = sum(t.booked for t in door.tickets.values())
        assert booked == sum(fill.qty for fill in there.fills), "fills"
        stops = sum(x.rest for x in there.orders.values() if x.type == "stop" and x.side < 0)
        assert stops == held, f"{held} held, {stops} covered"


IN_DOUBT = frozenset({State.SENT, State.UNKNOWN})


def _stayed(outcome: Outcome) -> bool:
    """Whether it gives its name back: nothing was made of it."""
    return isinstance(outcome, Refused) and outcome.not_sent


def _fills_at(order: Order, open_: float, low: float, high: float) -> float | None:
    if order.type == "market":
        return open_
    if order.type == "limit":
        crosses = low <= order.limit_price if order.side > 0 else high >= order.limit_price
        return order.limit_price if crosses else None
    crosses = high >= order.stop_price if order.side > 0 else low <= order.stop_price
    return order.stop_price if crosses else None


async def _patiently(call: Callable[[], Awaitable[Any]]) -> Any:
    for _ in range(4):
        with contextlib.suppress(LinkError):
            return await call()
    return await call()


async def _lived(make: Make, schedule: Schedule) -> AdapterWorld:
    stage = await make()
    try:
        world = AdapterWorld(stage, schedule)
        await world.live()
        return world
    finally:
        await stage.close()


def points(make: Make) -> list[Point]:
    """The messages of a life without a fault."""
    world = asyncio.run(_lived(make, ()))
    seen = list(dict.fromkeys(world.stage.server.faults.seen))
    return [x for x in seen if x[0] not in BEGINS and x[1] < MOST.get(x[0], 99)]


def schedules(make: Make, length: int) -> Iterator[Schedule]:
    """So many faults, each at a message of its own."""
    faults = {
        x: OF_EVENTS if x[0] in EVENTS else (*OF_REQUESTS, "expire_token", "restart")
        for x in points(make)
        if x[0] != "fill"
    }
    for some in combinations(faults, length):
        found: list[Schedule] = [()]
        for point in some:
            found = [(*before, (point, fault)) for before in found for fault in faults[point]]
        yield from found


def play(make: Make, found: list[Schedule], at_once: int = 12) -> list[str]:
    """The schedules after which something is wrong, and what."""

    async def one(schedule: Schedule, turn: asyncio.Semaphore) -> str:
        async with turn:
            try:
                await asyncio.wait_for(_lived(make, schedule), 60.0)
            except Exception as error:
                return f"{schedule}: {type(error).__name__}: {error}"
        return ""

    async def main() -> list[str]:
        turn = asyncio.Semaphore(at_once)
        return [x for x in await asyncio.gather(*(one(x, turn) for x in found)) if x]

    return asyncio.run(main())
