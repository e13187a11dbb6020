"""A day at a fake with one fault, or two, at any of its messages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import combinations
from typing import Any

import pytest

from intrabar.brokers.fakes.account import FakeAccount
from intrabar.brokers.fakes.faults import EVENTS, OF_EVENTS, OF_REQUESTS, Faults, Point
from intrabar.errors import LinkError
from intrabar.links.broker import Broker
from intrabar.model.broker_facts import Ref, Request

Schedule = tuple[tuple[Point, str], ...]
Day = Callable[[Faults], Awaitable[Any]]


def schedules(day: Day, length: int, most: Mapping[str, int]) -> Iterator[Schedule]:
    """Faults at so many messages of a day, of each kind at the first `most` of them."""
    faults = Faults()
    asyncio.run(day(faults))  # type: ignore[arg-type]
    met = [x for x in dict.fromkeys(faults.seen) if x[1] < most.get(x[0], 99)]
    each = {x: OF_EVENTS if x[0] in EVENTS else OF_REQUESTS for x in met}
    for some in combinations(met, length):
        found: list[Schedule] = [()]
        for point in some:
            found = [(*before, (point, fault)) for before in found for fault in each[point]]
        yield from found


def play(day: Day, found: list[Schedule], at_once: int = 8) -> list[str]:
    """The schedules after which something is wrong, some at a time."""

    async def one(schedule: Schedule, turn: asyncio.Semaphore) -> str:
        async with turn:
            try:
                await day(Faults(schedule))
            except Exception as error:
                return f"{schedule}: {type(error).__name__}: {error}"
        return ""

    async def main() -> list[str]:
        turn = asyncio.Semaphore(at_once)
        return [x for x in await asyncio.gather(*(one(x, turn) for x in found)) if x]

    return asyncio.run(main())


async def settled(broker: Broker, request: Request) -> bool:
    """Look an order up until it is answered; whether it is there."""
    for _ in range(8):
        with contextlib.suppress(LinkError):
            return await broker.find(Ref(request)) is not None
    raise AssertionError("a look-up that is never answered")


async def agrees(broker: Broker, account: FakeAccount, *, has_fills: bool = True) -> None:
    """A look shows the account as it is, and no name was sent twice."""
    look = await broker.snapshot(0)
    assert look.complete == {"orders", "fills", "positions", "balance"}
    assert look.positions == account.positions
    assert look.balance == pytest.approx(account.equity)
    shown = {fact.vendor_id: fact for fact in look.orders}
    assert set(shown) == {x.id for x in account.orders.values() if x.status != "held"}
    for vendor_id, fact in shown.items():
        order = account.orders[vendor_id]
        assert (fact.state in ("acked", "working", "partial")) == (order.rest > 0.0)
        assert fact.filled == order.filled
    assert not has_fills or len(look.fills) == len(account.fills)
    ours = [x.client_id for x in account.orders.values() if x.client_id]
    assert len(ours) == len(set(ours))
