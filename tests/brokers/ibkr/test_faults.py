"""Every message of a bracket's life meets every fault, one at a time: what is true is found."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Iterable

import pytest

from intrabar.brokers.fakes.account import FakeAccount
from intrabar.brokers.fakes.faults import OF_EVENTS, OF_REQUESTS, OF_THE_VENDOR, Faults, Point
from intrabar.brokers.fakes.ibkr.server import FakeTws
from intrabar.brokers.ibkr.adapter import Ibkr
from intrabar.errors import LinkError
from intrabar.links.broker import Wanted
from intrabar.links.clock import WallClock
from intrabar.model.broker_facts import Change, FillFact, Ref, Request, Snapshot
from tests.brokers.ibkr.stages import ACCOUNT, account

NAME = "0a1b2c-1-0"
ENTRY = Request(NAME, "AAPL", 1, "limit", 10.0, 95.0)
STOP = Request(
    f"{NAME}s", "AAPL", -1, "stop", 10.0, stop_price=90.0, reduce_only=True, parent=NAME,
    position=10.0,
)  # fmt: skip
TARGET = Request(
    f"{NAME}t", "AAPL", -1, "limit", 10.0, 110.0, reduce_only=True, parent=NAME, position=10.0
)
ALL = {"orders", "fills", "positions", "balance"}
AT_ONCE = 12  # schedules; each waits nearly all the time
BY_KIND = {"event": OF_EVENTS}


async def life(schedule: Iterable[tuple[Point, str]]) -> tuple[Faults, str]:
    """A bracket that fills, whose stop moves, whose target fills; what is wrong at the end."""
    there, faults = account(), Faults(schedule)
    tws = FakeTws(there, faults)
    await tws.start()
    wanted = Wanted(ACCOUNT, "paper", ("AAPL",))
    broker = Ibkr({"port": tws.port}, wanted, WallClock(), seconds=0.75, silence=0.3, patience=0.05)
    told: list[object] = []

    async def listen() -> None:
        async for fact in broker.events():
            told.append(fact)  # noqa: PERF401

    listening = asyncio.ensure_future(listen())
    try:
        for _ in range(3):
            with contextlib.suppress(LinkError):
                await broker.connect()
                break
        await broker.submit((ENTRY, STOP, TARGET))
        _fill(there, NAME, 4.0, 95.0)
        await asyncio.sleep(0)
        _fill(there, NAME, 6.0, 95.0)
        await broker.replace(Ref(STOP), Change(float("nan"), stop_price=92.0))
        _fill(there, TARGET.client_id, 3.0, 110.0)
        await broker.cancel(Ref(TARGET))
        look = await _whole_look(broker)
        return faults, _wrong(there, look, told)
    finally:
        listening.cancel()
        await broker.close()
        await tws.stop()


def _fill(there: FakeAccount, client_id: str, qty: float, price: float) -> None:
    order = there.by_client_id(client_id)
    if order is not None and order.status == "working" and order.rest >= qty:
        there.fill(order.id, qty, price)


async def _whole_look(broker: Ibkr) -> Snapshot:
    """The first look that is whole; a fault of length 1 leaves one soon."""
    for _ in range(8):
        with contextlib.suppress(LinkError):
            look = await broker.snapshot(0)
            if look.complete == ALL:
                return look
    raise AssertionError("no whole look")


def _wrong(there: FakeAccount, look: Snapshot, told: list[object]) -> str:
    """What is not as it is there; "" if all is."""
    names = Counter(order.client_id for order in there.orders.values())
    if max(names.values(), default=0) > 1:
        return f"sent twice: {names}"
    mine = {
        x.vendor_id: (x.client_id, x.filled, x.state in ("acked", "working")) for x in look.orders
    }
    true = {x.id: (x.client_id, x.filled, x.rest > 0.0) for x in there.orders.values()}
    if mine != true:
        return f"orders: {mine}, there {true}"
    for fact in look.orders:
        order = there.orders[fact.vendor_id]
        if (fact.limit_price, fact.stop_price) != (order.limit_price, order.stop_price):
            if repr(fact.limit_price) != repr(order.limit_price):
                return f"limit {fact}"
            if repr(fact.stop_price) != repr(order.stop_price):
                return f"stop {fact}"
    if look.positions != there.positions:
        return f"positions {look.positions}, there {there.positions}"
    if sum(x.qty for x in look.fills) != sum(x.qty for x in there.fills):
        return f"fills {look.fills}"
    known = {(x.id, x.version) for x in look.fills}
    heard = {(x.id, x.version) for x in told if isinstance(x, FillFact)}
    return f"fills that nobody has: {heard - known}" if heard - known else ""


async def carried_out(count: int, seed: int) -> tuple[int, list[str]]:
    """How many schedules of one fault, or of so many of two, were met; and what is wrong then."""
    faults, why = await life(())
    assert not why, why
    ones = [
        (point, fault)
        for point in dict.fromkeys(faults.seen)
        for fault in BY_KIND.get(point[0], (*OF_REQUESTS, *OF_THE_VENDOR))
    ]
    chance, schedules = random.Random(seed), [[one] for one in ones]
    if count:
        schedules = [chance.sample(ones, 2) for _ in range(count)]
    turn = asyncio.Semaphore(AT_ONCE)

    met = 0

    async def one(schedule: list[tuple[Point, str]]) -> str:
        nonlocal met
        async with turn:
            faults, why = await life(schedule)
            met += len(faults.met) == len(schedule)
            return f"{schedule}: {why}" if why else ""

    found = await asyncio.gather(*map(one, schedules))
    return met, [why for why in found if why]


def test_one_fault_anywhere_leaves_what_is_true_to_be_found() -> None:
    count, wrong = asyncio.run(carried_out(0, 0))
    assert count > 250
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_two_faults_leave_it_too() -> None:
    _, wrong = asyncio.run(carried_out(4_000, 1))
    assert not wrong, "\n".join(wrong)
