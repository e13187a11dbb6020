"""Sessions that trade through a TWS on loopback: brackets, trails and flips on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from intrabar.brokers.fakes.ibkr.contracts import stock
from intrabar.brokers.fakes.ibkr.server import FakeTws
from intrabar.brokers.ibkr.adapter import Ibkr
from intrabar.engine.session.broker_events import link_body, look_up_body, snapshot_body
from intrabar.engine.session.effects import Effect, Look, LookUp
from intrabar.engine.session.plan import Plan
from intrabar.links.broker import Wanted
from intrabar.links.clock import WallClock
from intrabar.links.lines import Bucket
from intrabar.model.bars import Market
from intrabar.model.entry import Entry
from intrabar.model.facts import LinkFact
from tests.brokers.ibkr.stages import ACCOUNT, account
from tests.brokers.session_worlds import SECOND, SessionWorld, fills_by, quoted
from tests.engine.session.sessions import events_of
from tests.live.worlds import World

HISTORY, ROWS = 20, 60


class TwsWorld(SessionWorld):
    """One session whose broker is the adapter before its fake; the test is the market."""

    def __init__(self, plan: Plan, market: Market, seed: int) -> None:
        self.loop = asyncio.new_event_loop()
        self.there = account()
        self.there.symbols = {x.symbol: 100.0 for x in plan.instruments}
        self.tws = FakeTws(self.there)
        for number, symbol in enumerate(self.there.symbols):
            self.tws.contracts[symbol] = stock(7_000 + number, symbol)
        self.wait(self.tws.start())
        wanted = Wanted(ACCOUNT, "paper", tuple(self.there.symbols))
        broker = Ibkr({"port": self.tws.port}, wanted, WallClock(), patience=0.2)
        super().__init__(plan, market, HISTORY, broker)
        self.there.now = lambda: self.now
        self.chance = Random(seed)
        self.told: list[Any] = []

    def wait(self, call: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(call, 20.0))

    def begin(self) -> None:
        async def listen() -> None:
            async for fact in self.broker.events():
                self.told.append(fact)

        async def connect() -> None:
            await self.broker.connect()
            self.broker._wire._client.MaxRequests = 0  # 45 messages a second go, and here is no TWS
            self.broker._wire._reads = Bucket(10**6, 1.0, WallClock())
            self.listening = asyncio.ensure_future(listen())

        self.wait(connect())

    def start(self) -> None:
        for event in events_of(self.market, self.history)[:2]:
            self._take(Entry(event.at, 0, 0, event.kind, event.body))
        self.handle(("link", link_body("broker", LinkFact("up"))))

    def end(self) -> None:
        async def close() -> None:
            await self.broker.close()
            await self.listening
            await self.tws.stop()

        self.wait(close())
        self.loop.close()

    # What the driver does, with a broker that answers later

    def leave(self, sending: Any) -> tuple[Any, ...]:
        if sending.group:
            self.sent += [request.client_id for request in sending.group]
            return tuple(self.wait(self.broker.submit(sending.group)))
        if sending.change is not None:
            return (self.wait(self.broker.replace(sending.ref, sending.change)),)
        return (self.wait(self.broker.cancel(sending.ref)),)

    def carry_out(self, effect: Effect) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(effect, LookUp):
            found = self.wait(self.broker.find(effect.ref))
            yield "report", look_up_body(effect.name, found, self.now)
        elif isinstance(effect, Look):
            yield "snapshot", snapshot_body(self.wait(self.broker.snapshot(0)))
        else:
            yield from super().carry_out(effect)

    def seen(self) -> dict[str, Any]:
        return quoted(self.there.symbols, self.there.equity)

    def hear(self) -> None:
        """Take in all that was told; what is answered comes behind it on the same line."""
        while True:
            self.wait(self._all_told())
            facts = [fact for fact in self.told if not isinstance(fact, LinkFact)]
            self.told.clear()
            if not facts:
                return
            self.tell(facts)

    async def _all_told(self) -> None:
        await self.broker._wire.open_orders()
        for _ in range(3):
            await asyncio.sleep(0)

    # The market

    def run_row(self) -> None:
        self._trade(self.row)
        closed = self.events[int(self.market.time[self.row])]
        self.handle((closed.kind, closed.body))
        self.hear()
        for _ in range(3):
            self.clock += 20 * SECOND
            if self.session.next_timer(self.now) is not None:
                self.handle(("timer", {"which": "due"}))
            self.hear()
        self.clock = 0
        self.row += 1

    def _trade(self, bar: int) -> None:
        """Fill what the prices of a bar reach, often in two parts."""
        for j, symbol in enumerate(self.there.symbols):
            opened, high, low, close = (
                float(getattr(self.market, name)[bar][j])
                for name in ("open", "high", "low", "close")
            )
            if opened != opened:
                continue  # no bar
            self.there.symbols[symbol] = round(close, 2)
            for order in list(self.there.orders.values()):
                if order.symbol != symbol or order.status != "working":
                    continue
                buys = order.side > 0
                limit = low <= order.limit_price if buys else high >= order.limit_price
                stop = high >= order.stop_price if buys else low <= order.stop_price
                price = {
                    "market": opened,
                    "limit": order.limit_price if limit else None,
                    "stop": order.stop_price if stop else None,
                }[order.type]
                if price is not None:
                    self._fill(order.id, price)

    def _fill(self, vendor_id: str, price: float) -> None:
        order = self.there.orders[vendor_id]
        if order.rest > 1.0 and self.chance.random() < 0.4:
            self.there.fill(vendor_id, order.rest // 2, price)
            self.hear()
        if order.rest:
            self.there.fill(vendor_id, order.rest, price)
        self.hear()

    def require_agreement(self) -> None:
        book = dict.fromkeys(self.there.symbols, 0.0)
        door = self.session.door
        assert door is not None
        for (_, symbol), qty in door.positions.items():
            book[symbol] += qty
        there = self.there.positions
        assert book == {symbol: there.get(symbol, (0.0, 0.0))[0] for symbol in book}
        assert len(set(self.sent)) == len(self.sent)


@pytest.mark.parametrize(
    ("bot", "seed"),
    [("CoinFlip, FixedPercent", 1), ("CoinFlip, TrailingATR", 1), ("Signals", 5)],
)
def test_a_session_and_its_account_agree_after_every_row(bot: str, seed: int) -> None:
    world = World(bot, seed, ROWS, HISTORY)
    plan = world.plan()
    plan = replace(plan, limits=type(plan.limits)(), broker=fills_by(Ibkr.can))
    mine = TwsWorld(plan, replace(world.base.market, actions=()), seed)
    try:
        mine.begin()
        mine.start()
        while mine.row < len(mine.market) - 1:
            mine.run_row()
            mine.require_agreement()
    finally:
        mine.end()
    assert len(mine.there.fills) >= 3
