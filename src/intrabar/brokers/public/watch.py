"""What happens to orders of an account without a stream: it is asked for again and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from msgspec.structs import replace

from intrabar.brokers.public.looks import OVER, Looks
from intrabar.errors import AuthError, LinkError, RateLimited
from intrabar.links.clock import Clock
from intrabar.links.lines import LONGEST
from intrabar.links.public import AbsentError
from intrabar.model.broker_facts import CashFact, FillFact, OrderFact
from intrabar.model.facts import LinkFact

HIDDEN = 60.0
"""Seconds for which an order that was sent may not be seen yet; then it is looked up alone."""

Fact = OrderFact | FillFact | CashFact | LinkFact


class Watch:
    """Tells what differs from what it has told; nothing of it is kept for a decision.

    Parameters
    ----------
    looks : Looks
    clock : Clock
    pause : float
        Seconds between two questions.
    """

    def __init__(self, looks: Looks, clock: Clock, pause: float) -> None:
        self._looks, self._clock, self._pause = looks, clock, pause
        self._expected: dict[str, float] = {}  # by id: until when it may come to be seen
        self._told: dict[str, OrderFact] = {}
        self._fills: set[str] = set()
        self._over = asyncio.Event()

    def expect(self, vendor_id: str) -> None:
        """An order is about to be sent: it may be over before it is seen among those open."""
        self._expected[vendor_id] = self._clock.tick() + HIDDEN

    def close(self) -> None:
        """End the events."""
        self._over.set()

    async def events(self) -> AsyncIterator[Fact]:
        """Everything that happens from now on."""
        state = LinkFact("connecting")
        while not self._over.is_set():
            facts: list[Fact] = []
            pause = self._pause
            try:
                await self._news(facts)
                link = LinkFact("up")
            except LinkError as error:
                link = LinkFact("down", str(error))
                pause = max(pause, _left_alone(error))
            if link.state != state.state:
                yield link
            state = link
            for fact in facts:
                yield fact
            await self._wait(pause)

    async def _news(self, facts: list[Fact]) -> None:
        """Add what is otherwise than it was told; an order that has changed is asked for alone."""
        there = {order.order_id: order for order in (await self._looks.portfolio()).orders}
        alive = {vendor_id for vendor_id, fact in self._told.items() if fact.state not in OVER}
        now = self._clock.tick()
        self._expected = {k: until for k, until in self._expected.items() if now < until}
        for vendor_id in [*there, *((alive | self._expected.keys()) - there.keys())]:
            before = self._told.get(vendor_id)
            if before is not None and vendor_id in there:
                if _same(before, self._looks.fact(there[vendor_id])):
                    continue
            try:
                order = await self._looks.order(vendor_id)
            except AbsentError:
                if vendor_id in there:  # the one list shows it before the other
                    self._tell(self._looks.fact(there[vendor_id]), facts)
                continue
            fresh = [f for f in self._looks.fills(order) if f.id not in self._fills]
            self._fills |= {fill.id for fill in fresh}
            facts += fresh
            among = await self._looks.orders() if order.status.value == "REPLACED" else ()
            self._tell(self._looks.fact(order, among), facts)

    def _tell(self, fact: OrderFact, facts: list[Fact]) -> None:
        before = self._told.get(fact.vendor_id)
        if before is None or not _same(before, fact):
            facts.append(fact)
        self._told[fact.vendor_id] = fact
        if fact.state in OVER:
            self._expected.pop(fact.vendor_id, None)

    async def _wait(self, seconds: float) -> None:
        waiting = asyncio.ensure_future(self._over.wait())
        pause = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({waiting, pause}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            pause.cancel()


def _same(one: OrderFact, other: OrderFact) -> bool:
    """Whether a fact tells nothing new; when it was looked at is not of it."""
    return repr(replace(one, time=0)) == repr(replace(other, time=0))


def _left_alone(error: LinkError) -> float:
    """Seconds for which the vendor is not asked: a login that it refuses stays refused."""
    if isinstance(error, AuthError):
        return LONGEST
    return error.after if isinstance(error, RateLimited) else 0.0
