"""Sessions that trade through Alpaca's wire: brackets, trails and flips on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from random import Random
from typing import Any

import msgspec
import pytest

from intrabar.brokers.alpaca.adapter import Alpaca
from intrabar.brokers.fakes.account import Order
from intrabar.brokers.fakes.alpaca import FakeAlpaca
from intrabar.brokers.fakes.alpaca_words import KEY, NUMBER, SECRET
from intrabar.engine.session.broker_events import link_body, look_up_body, snapshot_body
from intrabar.engine.session.effects import Effect, Look, LookUp
from intrabar.engine.session.plan import Plan
from intrabar.links.alpaca.streams import Limits
from intrabar.links.broker import Wanted
from intrabar.links.clock import WallClock
from intrabar.model.bars import Market
from intrabar.model.entry import Entry
from intrabar.model.facts import LinkFact
from intrabar.model.secret import Secret
from tests.brokers.session_worlds import SECOND, SessionWorld, fills_by, quoted
from tests.engine.session.sessions import events_of
from tests.live.worlds import World

HISTORY, ROWS = 20, 60


class AlpacaWorld(SessionWorld):
    """One session whose broker is the adapter before its fake; the test is the market."""

    def __init__(self, plan: Plan, market: Market, seed: int) -> None:
        self.fake = FakeAlpaca()
        self.fake.account.symbols = {x.symbol: 100.0 for x in plan.instruments}
        self.loop = asyncio.new_event_loop()
        self.wait(self.fake.server.start())
        broker = Alpaca(
            {"api_key": Secret(KEY), "secret_key": Secret(SECRET)},
            Wanted(NUMBER, "paper", tuple(self.fake.account.symbols)),
            WallClock(),
            hosts=self.fake.hosts,
            limits=Limits(2.0, 30.0),
            seconds=5.0,
        )
        super().__init__(plan, market, HISTORY, broker)
        self.fake.account.now = lambda: self.now
        self.chance = Random(seed)
        self.told: asyncio.Queue[Any] = asyncio.Queue()
        self.marks = 0

    def wait(self, call: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(call, 20.0))

    def begin(self) -> None:
        async def listen() -> None:
            async for fact in self.broker.events():
                self.told.put_nowait(fact)

        async def connect() -> None:
            await self.broker.connect()
            self.listening = asyncio.ensure_future(listen())
            while await self.told.get() != LinkFact("up"):
                pass

        self.wait(connect())
        (self.mark,) = self.fake.account.place([Order("", "mark", "A", 1, "limit", 1.0, 1.0)])

    def start(self) -> None:
        for event in events_of(self.market, self.history)[:2]:
            self._take(Entry(event.at, 0, 0, event.kind, event.body))
        self.handle(("link", link_body("broker", LinkFact("up"))))

    def end(self) -> None:
        async def close() -> None:
            await self.broker.close()
            await self.listening
            await self.fake.server.stop()

        self.wait(close())
        self.loop.close()

    # What the driver does, with a broker that answers later

    def leave(self, sending: Any) -> tuple[Any, ...]:
        if sending.group:
            self.sent += [request.client_id for request in sending.group]
            return tuple(self.wait(self.broker.submit(sending.group)))
        if sending.change is not None:
            self.sent.append(sending.change.client_id)
            return (self.wait(self.broker.replace(sending.ref, sending.change)),)
        return (self.wait(self.broker.cancel(sending.ref)),)

    def carry_out(self, effect: Effect) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(effect, LookUp):
            found = self.wait(self.broker.find(effect.ref))
            yield "report", look_up_body(effect.name, found, self.now)
        elif isinstance(effect, Look):
            look = self.wait(self.broker.snapshot(0))
            orders = tuple(x for x in look.orders if x.vendor_id != self.mark.id)
            yield "snapshot", snapshot_body(msgspec.structs.replace(look, orders=orders))
        else:
            yield from super().carry_out(effect)

    def seen(self) -> dict[str, Any]:
        return quoted(self.fake.account.symbols, self.fake.account.equity)

    def hear(self) -> None:
        """Take in all that the stream has told, up to a mark that is told last."""
        while True:
            self.marks += 1
            self.fake.account.show(self.mark.id, f"mark {self.marks}")
            facts = self.wait(self._until(f"mark {self.marks}"))
            if not facts:
                return
            self.tell(facts)

    async def _until(self, mark: str) -> list[Any]:
        found: list[Any] = []
        while (fact := await self.told.get()) is not None:
            if getattr(fact, "text", "") == mark:
                return found
            if getattr(fact, "vendor_id", "") != self.mark.id:
                found.append(fact)
        return found

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
        account, market = self.fake.account, self.market
        for j, symbol in enumerate(account.symbols):
            opened, high, low, close = (
                float(getattr(market, name)[bar][j]) for name in ("open", "high", "low", "close")
            )
            if opened != opened:
                continue  # no bar
            account.symbols[symbol] = round(close, 2)
            for order in list(account.orders.values()):
                if order.symbol != symbol or order.status != "working":
                    continue
                buys = order.side > 0
                price = {
                    "market": opened,
                    "limit": order.limit_price
                    if (low <= order.limit_price if buys else high >= order.limit_price)
                    else None,
                    "stop": order.stop_price
                    if (high >= order.stop_price if buys else low <= order.stop_price)
                    else None,
                }[order.type]
                if price is not None and order is not self.mark:
                    self._fill(order.id, price)

    def _fill(self, vendor_id: str, price: float) -> None:
        order = self.fake.account.orders[vendor_id]
        if order.rest > 1.0 and self.chance.random() < 0.4:
            self.fake.account.fill(vendor_id, order.rest // 2, price)
            self.hear()
        if order.rest:
            self.fake.account.fill(vendor_id, order.rest, price)
        self.hear()

    def require_agreement(self) -> None:
        book = dict.fromkeys(self.fake.account.symbols, 0.0)
        door = self.session.door
        assert door is not None
        for (_, symbol), qty in door.positions.items():
            book[symbol] += qty
        there = self.fake.account.positions
        assert book == {symbol: there.get(symbol, (0.0, 0.0))[0] for symbol in book}
        assert len(set(self.sent)) == len(self.sent)


@pytest.mark.parametrize(
    ("bot", "seed", "kinds"),
    [
        ("CoinFlip, FixedPercent", 1, {"bracket", "oco"}),
        ("CoinFlip, TrailingATR", 1, {"replaced"}),
        ("Signals", 5, {"simple"}),
    ],
)
def test_a_session_and_its_account_agree_after_every_row(
    bot: str, seed: int, kinds: set[str]
) -> None:
    world = World(bot, seed, ROWS, HISTORY)
    plan = world.plan()
    plan = replace(plan, limits=type(plan.limits)(), broker=fills_by(Alpaca.can))
    mine = AlpacaWorld(plan, replace(world.base.market, actions=()), seed)
    try:
        mine.begin()
        mine.start()
        while mine.row < len(mine.market) - 1:
            mine.run_row()
            mine.require_agreement()
    finally:
        mine.end()
    classes = {mine.fake._classes.get(x.client_id, "") for x in mine.fake.account.orders.values()}
    states = {x.status for x in mine.fake.account.orders.values()}
    assert kinds & (classes | states)
    assert len(mine.fake.account.fills) >= 3
