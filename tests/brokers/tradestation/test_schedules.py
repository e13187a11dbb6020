"""Faults at the messages of a day: nothing is sent twice, and what is told is true.

A bracket fills in parts, its stop is moved, its target taken back, then all is left. What is in
doubt is looked up, by the order's terms alone where its own id was lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from intrabar.brokers.fakes.faults import (
    EVENTS,
    OF_EVENTS,
    OF_ORDERS,
    OF_REQUESTS,
    OF_THE_VENDOR,
    Faults,
    Point,
)
from intrabar.brokers.fakes.tradestation import FakeTradeStation
from intrabar.brokers.tradestation.adapter import TradeStation
from intrabar.errors import LinkError
from intrabar.links.broker import Wanted
from intrabar.links.clock import WallClock
from intrabar.links.tradestation.client import Client
from intrabar.links.tradestation.tokens import Tokens, write_token
from intrabar.model.broker_facts import (
    Accepted,
    Change,
    FillFact,
    OrderFact,
    Outcome,
    Ref,
    Refused,
    Request,
)
from intrabar.model.facts import LinkFact
from tests.brokers.tradestation.served import KEY

AT_ONCE, WAIT = 16, 1.0
NAN = float("nan")
ENTRY = Request("abcdef-1-0", "AAPL", 1, "limit", 10.0, limit_price=99.0)
STOP = Request(
    "abcdef-1-0s", "AAPL", -1, "stop", 10.0, stop_price=90.0, reduce_only=True, parent="abcdef-1-0"
)
TARGET = Request(
    "abcdef-1-0t",
    "AAPL",
    -1,
    "limit",
    10.0,
    limit_price=120.0,
    reduce_only=True,
    parent="abcdef-1-0",
)
OUT = Request("abcdef-2-0", "AAPL", -1, "limit", 3.0, limit_price=101.0, position=10.0)
Schedule = tuple[tuple[Point, str], ...]


class Day:
    """A fake, an adapter that listens to it, and what is known of our orders.

    Parameters
    ----------
    faults : Faults
    """

    def __init__(self, faults: Faults) -> None:
        self.faults, self.fake = faults, FakeTradeStation(faults, beat=0.05)
        self.ids: dict[str, str] = {}
        self.totals: dict[str, float] = {}
        self.up = asyncio.Event()
        self.folder = Path(tempfile.mkdtemp())
        write_token(self.folder / "t", self.fake.refresh_token)

    def adapter(self) -> TradeStation:
        clock, service = WallClock(), self.fake.service
        tokens = Tokens(service, KEY, self.folder / "t", clock, tries=1, deadline=WAIT)
        client = Client(service, tokens, clock, keeps=True, deadline=WAIT, silence=WAIT, tries=1)
        return TradeStation(client, Wanted(self.fake.account.id, "paper", ("AAPL",)), clock)

    async def listen(self, broker: TradeStation) -> None:
        async for fact in broker.events():
            if isinstance(fact, LinkFact):
                self.up.set() if fact.state == "up" else self.up.clear()
                continue
            there = self.fake.account.orders[fact.vendor_id]
            assert fact.filled <= there.filled
            if there.rest:
                assert fact.state in ("acked", "working", "unknown"), fact
            self.totals[fact.vendor_id] = max(fact.filled, self.totals.get(fact.vendor_id, 0.0))

    def ref(self, request: Request) -> Ref:
        known = self.ids.get(request.client_id)
        others = tuple(x for name, x in self.ids.items() if name != request.client_id)
        return Ref(request, (known,) if known else (), 0, others)

    def heard(self, request: Request, outcome: Outcome) -> None:
        """What an answer says is so; an id is that of the order."""
        there = self.fake.account.by_client_id(request.client_id)
        if isinstance(outcome, Accepted):
            assert there is not None
            if outcome.vendor_id:
                assert outcome.vendor_id == there.id
                self.ids[request.client_id] = outcome.vendor_id
        if isinstance(outcome, Refused):
            assert there is None or not there.rest

    async def looked_up(self, broker: TradeStation, request: Request) -> OrderFact | None:
        for _ in range(8):
            with contextlib.suppress(LinkError):
                found = await broker.find(self.ref(request))
                there = self.fake.account.by_client_id(request.client_id)
                assert (found is None) == (there is None), (found, there)
                if found is not None and there is not None:
                    assert found.vendor_id == there.id
                    assert found.filled == there.filled
                    self.ids[request.client_id] = found.vendor_id
                return found
        raise AssertionError("a look-up that is never answered")

    async def live(self) -> None:
        await self.fake.start()
        broker = self.adapter()
        try:
            for _ in range(4):
                with contextlib.suppress(LinkError):
                    await broker.connect()
                    break
            listening = asyncio.ensure_future(self.listen(broker))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.up.wait(), 0.2)
            await self.trade(broker)
            self.faults.clear()
            await self.agrees(broker)
            other = self.adapter()
            await other.connect()
            await self.agrees(other)
            await other.close()
            if listening.done():
                await listening
            await broker.close()
            await asyncio.wait_for(listening, 1.0)  # it ends when it is closed
        finally:
            await broker.close()
            await self.fake.stop()

    async def trade(self, broker: TradeStation) -> None:
        group = (ENTRY, STOP, TARGET)
        for request, outcome in zip(group, await broker.submit(group), strict=True):
            self.heard(request, outcome)
        for request in group:
            await self.looked_up(broker, request)
        account = self.fake.account
        if (entry := account.by_client_id(ENTRY.client_id)) is not None:
            for _ in range(2 if self.faults.at("fill") == "partial" else 1):
                account.fill(entry.id, 2.0, 99.0)
            account.fill(entry.id, entry.rest, 98.0)
            await broker.replace(self.ref(STOP), Change(NAN, stop_price=95.0))
            await self.looked_up(broker, STOP)
            await broker.cancel(self.ref(TARGET))
            await self.looked_up(broker, TARGET)
        (outcome,) = await broker.submit((OUT,))
        self.heard(OUT, outcome)
        await self.looked_up(broker, OUT)

    async def agrees(self, broker: TradeStation) -> None:
        account, look = self.fake.account, await broker.snapshot(0)
        assert look.complete == {"orders", "fills", "positions", "balance"}
        assert look.positions == account.positions
        assert look.balance == pytest.approx(account.equity)
        shown = {fact.vendor_id: fact for fact in look.orders}
        assert shown.keys() == account.orders.keys()
        for order in account.orders.values():
            fact = shown[order.id]
            assert (fact.state in ("acked", "working")) == (order.rest > 0.0), (fact, order)
            assert fact.filled == order.filled
            assert order.type != "stop" or fact.stop_price == order.stop_price
        totals = {x.vendor_id: x.total for x in look.fills if isinstance(x, FillFact)}
        assert totals == {x.id: x.filled for x in account.orders.values() if x.filled}
        assert len(account.submitted) == len(set(account.submitted))


def points() -> list[Point]:
    """The messages of a day without a fault; heartbeats and later streams are none."""
    faults = Faults()
    asyncio.run(asyncio.wait_for(Day(faults).live(), 10.0))
    return list(dict.fromkeys(faults.seen))


def schedules(length: int) -> Iterator[Schedule]:
    """Faults at so many messages."""
    each = {}
    for point in points():
        if point[0] == "fill":
            each[point] = ("partial",)
        elif point[0] in EVENTS:
            each[point] = OF_EVENTS
        else:
            each[point] = (*OF_REQUESTS, *OF_THE_VENDOR)
    each["submit", 0] = (*each["submit", 0], OF_ORDERS[0])
    for some in combinations(each, length):
        found: list[Schedule] = [()]
        for point in some:
            found = [(*before, (point, fault)) for before in found for fault in each[point]]
        yield from found


def play(found: list[Schedule]) -> list[str]:
    """The schedules after which something is wrong, some at a time."""

    async def one(schedule: Schedule, turn: asyncio.Semaphore) -> str:
        async with turn:
            try:
                await asyncio.wait_for(Day(Faults(schedule)).live(), 60.0)
            except Exception as error:
                return f"{schedule}: {type(error).__name__}: {error}"
        return ""

    async def main() -> list[str]:
        turn = asyncio.Semaphore(AT_ONCE)
        return [x for x in await asyncio.gather(*(one(x, turn) for x in found)) if x]

    return asyncio.run(main())


def test_every_schedule_of_one_fault() -> None:
    found = list(schedules(1))
    assert len(found) > 100
    assert "\n".join(play(found)) == ""


@pytest.mark.slow
def test_schedules_of_two_faults() -> None:
    found = list(schedules(2))[::61]
    print(f"{len(found)} schedules of two faults")
    assert "\n".join(play(found)) == ""


def test_an_order_that_may_be_two_is_nobodys() -> None:
    async def test() -> None:
        day = Day(Faults())
        await day.fake.start()
        broker = day.adapter()
        one, two = ENTRY, Request("abcdef-9-0", "AAPL", 1, "limit", 10.0, limit_price=99.0)
        await broker.submit((one,))
        await broker.submit((two,))
        with pytest.raises(LinkError, match="may be any of"):
            await broker.find(Ref(one))
        ids = list(day.fake.account.orders)
        found = await broker.find(Ref(one, others=(ids[1],)))
        assert found is not None
        assert found.vendor_id == ids[0]
        late = day.fake.account.now() + 3600 * 10**9
        assert await broker.find(Ref(one, sent=late)) is None
        await broker.close()
        await day.fake.stop()

    asyncio.run(test())


def test_another_login_is_not_fought_with() -> None:
    async def test() -> None:
        day = Day(Faults())
        await day.fake.start()
        broker = day.adapter()
        told: list[LinkFact] = []

        async def listen() -> None:
            async for fact in broker.events():
                if isinstance(fact, LinkFact):
                    told.append(fact)
                    day.fake._tell("DualLogon") if fact.state == "up" else None

        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(listen(), 1.5)
        assert [fact.state for fact in told] == ["up", "down"]
        assert "another login" in told[1].reason
        streams = [call for call in day.fake.server.calls if "stream" in call.path]
        assert len(streams) == 1
        await broker.close()
        await day.fake.stop()

    asyncio.run(test())
