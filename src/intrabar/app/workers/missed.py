"""Bars that closed before a session listens to its source: they are told first, in their order."""

from __future__ import annotations

from collections.abc import AsyncIterator

from intrabar.data.live.catching_up import closed_since
from intrabar.engine.session.seal import Sealer
from intrabar.errors import AuthError, LinkError
from intrabar.links.clock import Clock
from intrabar.links.source import BarSource
from intrabar.model.bars import Bars
from intrabar.model.facts import Fact, LinkFact, Quote

PAUSE = 5.0
"""Seconds before a source that did not answer is asked again."""


def going_on(source: BarSource, last: int, clock: Clock, sealer: Sealer, now: int) -> BarSource:
    """A source that goes on behind a row (ns UTC); no row is sealed until it has caught up."""
    if now - last >= sealer.period:
        sealer.take(LinkFact("syncing"), now)
    return GoesOn(source, last, clock)


class GoesOn:
    """A source that tells what has closed behind a row before what happens.

    Between the row and the first question lie the time that a session did not run, the re-run of
    its journal and what its kernels take to compile: bars close meanwhile.

    Parameters
    ----------
    source : BarSource
    last : int, ns UTC
        When the row closed.
    clock : Clock
    """

    def __init__(self, source: BarSource, last: int, clock: Clock) -> None:
        self._source, self._last, self._clock = source, last, clock
        self.can = source.can

    async def quote(self, symbol: str) -> Quote:  # noqa: D102
        return await self._source.quote(symbol)

    async def history(self, symbol: str, period: int, start: int, end: int) -> Bars:  # noqa: D102
        return await self._source.history(symbol, period, start, end)

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:  # noqa: D102
        newest, asked = dict.fromkeys(symbols, self._last), self._last
        if self._clock.now() - asked >= period:
            yield LinkFact("syncing", "bars that closed meanwhile are asked for")
        # What closes during the last question the source tells: it begins a bar back.
        while (now := self._clock.now()) - asked >= period:
            try:
                bars = await closed_since(self._source, newest, period, now)
            except AuthError:
                raise
            except LinkError as error:
                yield LinkFact("down", str(error))
                await self._clock.sleep(PAUSE)
                continue
            for bar in bars:
                newest[bar.symbol] = bar.time
                yield bar
            asked = now
        if asked > self._last:
            yield LinkFact("up")
        async for fact in self._source.events(symbols, period):
            yield fact

    async def close(self) -> None:  # noqa: D102
        await self._source.close()
