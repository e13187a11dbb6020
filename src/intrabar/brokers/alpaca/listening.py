"""What the stream of an account at Alpaca tells, and that it tells it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Any

from intrabar.brokers.alpaca import words
from intrabar.brokers.alpaca.looks import Looks
from intrabar.errors import BadAnswer, LinkError, RateLimited
from intrabar.links.alpaca.hosts import Hosts, Keys
from intrabar.links.alpaca.rest import Refusal
from intrabar.links.alpaca.streams import Limits, trade_updates
from intrabar.links.clock import Clock
from intrabar.links.lines import delay
from intrabar.links.reading import begin, number
from intrabar.model.broker_facts import CashFact, FillFact, OrderFact
from intrabar.model.facts import LinkFact

Fact = OrderFact | FillFact | CashFact | LinkFact

_MOVES_OTHERS = ("fill", "partial_fill", "canceled", "expired", "rejected")
"""Events of an order after which its legs and alternatives are others."""


class Listening:
    """The stream of trade updates, opened again for ever.

    Parameters
    ----------
    hosts, keys
    looks : Looks
        Asked for what the stream leaves out.
    clock, limits
    """

    def __init__(
        self, hosts: Hosts, keys: Keys, looks: Looks, clock: Clock, limits: Limits
    ) -> None:
        self._hosts, self._keys, self._looks = hosts, keys, looks
        self._clock, self._limits = clock, limits
        self._chance = random.Random(0)
        self.closed = asyncio.Event()
        self._leaving, self._named = 0, asyncio.Event()
        self._named.set()

    @contextmanager
    def naming(self) -> Iterator[None]:
        """While a group leaves: its legs have no names of ours before it is answered."""
        self._leaving += 1
        self._named.clear()
        try:
            yield
        finally:
            self._leaving -= 1
            if not self._leaving:
                self._named.set()

    async def events(self) -> AsyncGenerator[Fact]:
        """As `Broker.events`."""
        attempt = 0
        while not self.closed.is_set():
            yield LinkFact("connecting")
            try:
                async with aclosing(self._told()) as facts:
                    async for fact in facts:
                        attempt = 0
                        yield fact
            except (LinkError, Refusal) as error:
                yield LinkFact("down", str(error))
                wait = delay(attempt, self._chance)
                after = error.after if isinstance(error, RateLimited) else 0.0
                await self._sleep(max(wait, after))
                attempt += 1

    async def _told(self) -> AsyncGenerator[Fact]:
        """What one connection tells, until it is closed."""
        stream = trade_updates(self._hosts, self._keys, self._limits)
        up, totals, untold = 0, dict[str, float](), set[str]()
        closing = asyncio.ensure_future(self.closed.wait())
        coming = None
        try:
            while not closing.done():
                coming = asyncio.ensure_future(anext(stream))
                await asyncio.wait({coming, closing}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    return
                update, coming = coming.result(), None
                if update is None and not up:
                    up = self._clock.now()
                    yield LinkFact("up")
                elif update is None:
                    untold = await self._require_quiet(up, totals, untold)
                else:
                    for fact in await self._facts(update, totals):
                        yield fact
        finally:
            closing.cancel()
            if coming is not None:
                coming.cancel()
                await asyncio.wait({coming})
            await stream.aclose()

    async def _require_quiet(
        self, since: int, told: Mapping[str, float], before: set[str]
    ) -> set[str]:
        """Ask for the fills that a silent stream should have told; those that are missing now.

        Raises
        ------
        LinkError
            One was missing before, and is.
        """
        try:
            missing = await self._looks.untold(since, told)
        except (LinkError, Refusal):
            return before
        if missing & before:
            raise LinkError("alpaca: the stream is connected, but mute: it has not told fills")
        return missing

    async def _facts(self, update: Mapping[str, Any], totals: dict[str, float]) -> list[Fact]:
        """What a trade update says: its fill, its order, and what becomes of the others with it.

        The stream is silent where the alternative of a leg ends with it, so it is looked up.
        """
        order, event = update.get("order"), update.get("event")
        if not isinstance(order, dict):
            raise BadAnswer(f"alpaca: a trade update without an order: {begin(dict(update))}")
        if order.get("order_class") == "mleg":  # options in one, which we never send
            return [words.order_fact(leg) for leg, _ in words.flat([order], "alpaca: legs")]
        filled = number(order.get("filled_qty"), "alpaca: filled_qty")
        totals[str(order.get("id"))] = max(totals.get(str(order.get("id")), 0.0), filled)
        if not self._looks.knows(order):
            await self._named.wait()
        family = await self._looks.family(order) if event in _MOVES_OTHERS else []
        fact = await self._looks.fact(order)
        facts: list[Fact] = []
        if event in ("fill", "partial_fill"):
            fill = words.fill_fact(update, fact)
            facts += [] if fill is None else [fill]
        return [*facts, fact, *family]

    async def _sleep(self, seconds: float) -> None:
        """Wait, but for no longer than until it is closed."""
        tasks = {
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self.closed.wait()),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
