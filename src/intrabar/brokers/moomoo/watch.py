"""What happens to the orders of an account: pushed by OpenD, and asked for besides."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

from msgspec.structs import replace

from intrabar.brokers.moomoo.line import Line
from intrabar.brokers.moomoo.words import OVER, fact_of, fill_of
from intrabar.errors import LinkError
from intrabar.links.clock import Clock
from intrabar.links.lines import delay
from intrabar.links.moomoo import DeclinedError, Row
from intrabar.model.broker_facts import CashFact, FillFact, OrderFact
from intrabar.model.facts import LinkFact

Fact = OrderFact | FillFact | CashFact | LinkFact


class Watch:
    """Tells what differs from what it has told; nothing of it is kept for a decision.

    Parameters
    ----------
    line : Line
    clock : Clock
    pause : float
        Seconds between two questions for the day's orders.
    """

    def __init__(self, line: Line, clock: Clock, pause: float) -> None:
        self._line, self._clock, self._pause = line, clock, pause
        self._told: dict[str, OrderFact] = {}
        self._news: asyncio.Queue[Fact] = asyncio.Queue()
        self._over = asyncio.Event()
        self._chance = random.Random(0)
        line.told = self._pushed

    async def events(self) -> AsyncIterator[Fact]:
        """Everything that happens from now on."""
        attempt, is_first = 0, True
        while not self._over.is_set():
            try:
                trading = await self._line.trading()
                await self._ask(is_first)
                yield LinkFact("up")
                attempt, is_first = 0, False
                async for fact in self._heard(trading.connection.ended):
                    yield fact
                if not self._over.is_set():
                    yield LinkFact("down", "OpenD has ended the connection")
            except (LinkError, DeclinedError) as error:
                yield LinkFact("down", str(error))
                await self._until(self._clock.sleep(delay(attempt, self._chance)))
                attempt += 1

    def close(self) -> None:
        """End the events."""
        self._over.set()

    async def _heard(self, ended: asyncio.Event) -> AsyncIterator[Fact]:
        """What is told while the connection lives."""
        while not self._over.is_set():
            while not self._news.empty():
                yield self._news.get_nowait()
            if ended.is_set():
                return
            coming = asyncio.ensure_future(self._news.get())
            await self._until(self._clock.sleep(self._pause), ended.wait(), coming)
            if coming.done() and not coming.cancelled():
                yield coming.result()
            elif not self._over.is_set() and not ended.is_set():
                await self._ask(is_first=False)

    async def _until(self, *waits: object) -> None:
        """Wait for the first of them, or until it is closed."""
        tasks = {asyncio.ensure_future(w) for w in (*waits, self._over.wait())}  # type: ignore[call-overload]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                if not task.done():
                    task.cancel()

    async def _ask(self, is_first: bool) -> None:
        """The day's orders; at first those that are over are known, not told."""
        for row in await self._line.glance():
            fact = fact_of(row)
            if is_first and fact.state in OVER and fact.vendor_id not in self._told:
                self._told[fact.vendor_id] = fact
            else:
                self._tell(fact)

    def _pushed(self, what: str, row: Row) -> None:
        if what == "order":
            self._tell(fact_of(row))
        elif what == "fill":
            self._news.put_nowait(fill_of(row))

    def _tell(self, fact: OrderFact) -> None:
        before = self._told.get(fact.vendor_id)
        if before is None or repr(replace(before, time=0)) != repr(replace(fact, time=0)):
            self._told[fact.vendor_id] = fact
            self._news.put_nowait(fact)
