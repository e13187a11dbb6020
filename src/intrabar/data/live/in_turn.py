"""Several sources, one after the other: where one is down for a while the next is listened to.

The bars of a row of a symbol are those of one source: what one has told another does not tell
again, and a bar whose open one has told is not closed by another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from intrabar.data.live.catching_up import closed_since
from intrabar.errors import AuthError, ConfigError, LinkError
from intrabar.links.clock import SECOND_NS, Clock, WallClock
from intrabar.links.source import BarSource
from intrabar.model.bars import Bars
from intrabar.model.facts import BarClosed, BarOpened, Fact, LinkFact, Quote, SourceCan

PATIENCE = 60.0
"""Seconds for which a source may be down before the next is listened to."""

PAUSE = 5.0
"""Seconds before the next where a source failed at once."""

_T = TypeVar("_T")


class InTurn:
    """Sources in the order in which they are wished for; after the last comes the first.

    Parameters
    ----------
    sources : sequence of (name, BarSource)
    clock : Clock, optional

    Raises
    ------
    ConfigError
        There is none, or they have no period in common.
    """

    def __init__(
        self, sources: Sequence[tuple[str, BarSource]], clock: Clock | None = None
    ) -> None:
        if not sources:
            raise ConfigError("live.sources: there is none; name one: [{name: yfinance}]")
        self._sources, self._clock = list(sources), clock or WallClock()
        self._newest: dict[str, int] = {}  # close time of the newest bar that was told or opened
        self._closed = False
        self.can = self._common()

    def _common(self) -> SourceCan:
        able = [source.can for _, source in self._sources]
        limited = [set(can.periods) for can in able if can.periods]
        periods = tuple(sorted(set.intersection(*limited))) if limited else ()
        if limited and not periods:
            names = ", ".join(name for name, _ in self._sources)
            raise ConfigError(f"live.sources: {names} have no period in common")
        ways = [can.opens for can in able]
        return SourceCan(
            next(way for way in ("none", "prints", "forming") if way in ways),
            max(can.lag for can in able),
            corrects=any(can.corrects for can in able),
            quotes=any(can.quotes for can in able),
            periods=periods,
            streams=all(can.streams for can in able),
            lag_daily=max(can.lag_daily for can in able),
        )

    async def quote(self, symbol: str) -> Quote:  # noqa: D102
        able = [source for _, source in self._sources if source.can.quotes]
        return await self._first(lambda source: source.quote(symbol), able)

    async def history(self, symbol: str, period: int, start: int, end: int) -> Bars:  # noqa: D102
        sources = [source for _, source in self._sources]
        return await self._first(lambda s: s.history(symbol, period, start, end), sources)

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:  # noqa: D102
        turn = 0
        refused: set[int] = set()  # whose key was, since a bar came
        while not self._closed:
            name, source = self._sources[turn]
            events, began = source.events(symbols, period), self._clock.now()
            try:
                known = {x: self._newest[x] for x in symbols if x in self._newest}
                for bar in await closed_since(source, known, period, self._clock.now()):
                    self._newest[bar.symbol] = bar.time
                    yield bar
                edge = dict(self._newest)
                async for fact in self._until_down(events):
                    if isinstance(fact, BarOpened | BarClosed):
                        refused.clear()
                        if fact.time <= edge.get(fact.symbol, 0):
                            continue
                        newest = max(fact.time, self._newest.get(fact.symbol, 0))
                        self._newest[fact.symbol] = newest
                    yield fact
                return
            except LinkError as error:
                if isinstance(error, AuthError):
                    refused.add(turn)
                if len(refused) == len(self._sources):
                    raise
                why = str(error)
            finally:
                await events.aclose()  # type: ignore[attr-defined]
            turn = (turn + 1) % len(self._sources)
            if self._clock.now() - began < PAUSE * SECOND_NS:
                await self._clock.sleep(PAUSE)  # all may be down
            now_asked = self._sources[turn][0]
            yield LinkFact("syncing", f"{name} is down ({why}); {now_asked} is listened to")

    async def close(self) -> None:  # noqa: D102
        self._closed = True
        for _, source in self._sources:
            await source.close()

    async def _until_down(self, events: AsyncIterator[Fact]) -> AsyncIterator[Fact]:
        """What a source tells, until it ends.

        Raises
        ------
        LinkError
            It was down for too long.
        """
        down: int | None = None
        why = ""
        while True:
            left = None
            if down is not None and len(self._sources) > 1:
                left = max(PATIENCE - (self._clock.now() - down) / SECOND_NS, 0.0)
            try:
                async with asyncio.timeout(left):
                    fact = await anext(events)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise LinkError(why) from None
            if isinstance(fact, LinkFact):
                if fact.state == "down":
                    down, why = self._clock.now() if down is None else down, fact.reason
                elif fact.state == "up":
                    down = None
            yield fact

    async def _first(
        self, ask: Callable[[BarSource], Awaitable[_T]], sources: Sequence[BarSource]
    ) -> _T:
        """The answer of the first source that is not down."""
        for at, source in enumerate(sources):
            try:
                return await ask(source)
            except LinkError:
                if at == len(sources) - 1:
                    raise
        return await ask(self._sources[0][1])
