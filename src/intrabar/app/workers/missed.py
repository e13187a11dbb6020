"""The bars of the time in which a session on live bars did not run: told first when it goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from intrabar.app.compose.session import SessionSetup
from intrabar.engine.session.seal import Sealer
from intrabar.links.source import BarSource
from intrabar.model.bars import Bars
from intrabar.model.facts import BarClosed, Fact, LinkFact, Quote


def missed_since(setup: SessionSetup, last: int) -> list[BarClosed]:
    """What the source's history has behind the last row (ns UTC), in the order of time."""
    symbols = setup.plan.symbols
    return [
        BarClosed(symbols[bar.column], row.time, bar.open, bar.high, bar.low, bar.close, bar.volume)
        for row in setup.history
        if row.time > last
        for bar in row.bars
    ]


def going_on(source: BarSource, missed: Sequence[BarClosed], sealer: Sealer, now: int) -> BarSource:
    """The source with what was missed before it; no row is sealed until that was told."""
    if not missed:
        return source
    sealer.take(LinkFact("syncing"), now)
    return GoesOn(source, missed)


class GoesOn:
    """A source that tells what was missed before what happens.

    Parameters
    ----------
    source : BarSource
    missed : sequence of BarClosed
    """

    def __init__(self, source: BarSource, missed: Sequence[BarClosed]) -> None:
        self._source, self._missed = source, missed
        self.can = source.can

    async def quote(self, symbol: str) -> Quote:  # noqa: D102
        return await self._source.quote(symbol)

    async def history(self, symbol: str, period: int, start: int, end: int) -> Bars:  # noqa: D102
        return await self._source.history(symbol, period, start, end)

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:  # noqa: D102
        yield LinkFact("syncing", f"{len(self._missed):,} bars were missed")
        for bar in self._missed:
            yield bar
        yield LinkFact("up")
        async for fact in self._source.events(symbols, period):
            yield fact

    async def close(self) -> None:  # noqa: D102
        await self._source.close()
