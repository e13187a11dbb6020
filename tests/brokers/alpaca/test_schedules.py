"""One fault at each message of a day: nothing is sent twice, and a look says what is true."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from itertools import combinations

import pytest

from intrabar.brokers.alpaca.adapter import Alpaca
from intrabar.brokers.fakes.alpaca import FakeAlpaca
from intrabar.brokers.fakes.faults import EVENTS, OF_EVENTS, OF_REQUESTS, Faults, Point
from intrabar.errors import LinkError
from intrabar.model.broker_facts import Accepted, Change, Ref, Refused, Request, Unknown
from tests.brokers.alpaca.serving import ENTRY, OUT, STOP, TARGET, Heard, adapter, connected

AT_ONCE = 6
MOST = {"connect": 0, "stream": 0, "fill": 0, "find": 8, "look": 5}
"""Messages of a kind that meet a fault; the login is the conformance's, the second look the first's
once more."""
Schedule = tuple[tuple[Point, str], ...]


async def day(faults: Faults) -> tuple[FakeAlpaca, Heard]:
    """A bracket that fills in parts, a stop that moves, a way out; what is in doubt is asked."""
    async with connected(faults, seconds=3.0) as (broker, fake, heard):
        outcomes = await broker.submit((ENTRY, STOP, TARGET))
        assert all(isinstance(x, Accepted | Refused | Unknown) for x in outcomes)
        await settled(broker, ENTRY)
        entry = fake.account.by_client_id(ENTRY.client_id)
        if entry is not None:
            fake.account.fill(entry.id, 4.0, 99.0)
            fake.account.fill(entry.id, 6.0, 99.5)
            await settled(broker, STOP)
            change = Change(float("nan"), stop_price=95.0, client_id="abcdef-1-1s")
            await broker.replace(Ref(STOP), change)
            await broker.cancel(Ref(TARGET))
        (outcome,) = await broker.submit((OUT,))
        found = await settled(broker, OUT)
        if isinstance(outcome, Accepted):
            assert found
        elif isinstance(outcome, Refused):
            assert not found
        faults.clear()
        await agrees(broker, fake)
        again = adapter(fake, seconds=6.0)
        await again.connect()
        await agrees(again, fake)
        await again.close()
    return fake, heard


async def settled(broker: Alpaca, request: Request) -> bool:
    """Look an order up until it is answered; whether it is there."""
    for _ in range(6):
        with contextlib.suppress(LinkError):
            return await broker.find(Ref(request)) is not None
    raise AssertionError("a look-up that is never answered")


async def agrees(broker: Alpaca, fake: FakeAlpaca) -> None:
    """A look shows the account as it is."""
    account = fake.account
    look = await broker.snapshot(0)
    assert look.complete == {"orders", "fills", "positions", "balance"}
    assert look.positions == account.positions
    assert look.balance == pytest.approx(account.equity)
    shown = {fact.vendor_id: fact for fact in look.orders}
    assert set(shown) == set(account.orders)
    for order in account.orders.values():
        fact = shown[order.id]
        assert (fact.state in ("acked", "working", "partial")) == (order.rest > 0.0)
        assert fact.filled == order.filled
    assert len(look.fills) == len(account.fills)
    ours = [x for x in account.submitted if x.startswith("abcdef")]
    assert len(ours) == len(set(ours))


def points() -> list[Point]:
    """The messages of a day without a fault."""
    faults = Faults()
    asyncio.run(day(faults))
    return list(dict.fromkeys(faults.seen))


def schedules(length: int) -> Iterator[Schedule]:
    """Faults at so many messages."""
    met = [x for x in points() if x[1] < MOST.get(x[0], 99)]
    each = {x: OF_EVENTS if x[0] in EVENTS else OF_REQUESTS for x in met}
    for some in combinations(met, length):
        found: list[Schedule] = [()]
        for point in some:
            found = [(*before, (point, fault)) for before in found for fault in each[point]]
        yield from found


def play(found: list[Schedule]) -> list[str]:
    """The schedules after which something is wrong, some at a time."""

    async def one(schedule: Schedule, turn: asyncio.Semaphore) -> str:
        async with turn:
            try:
                await day(Faults(schedule))
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
    assert play(found) == []


@pytest.mark.slow
def test_schedules_of_two_faults() -> None:
    found = list(schedules(2))[::17]
    print(f"{len(found)} schedules of two faults")
    assert play(found) == []
