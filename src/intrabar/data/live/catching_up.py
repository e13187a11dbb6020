"""What a source has of the bars since others were told."""

from __future__ import annotations

from collections.abc import Mapping

from intrabar.errors import DataError
from intrabar.links.source import BarSource
from intrabar.model.facts import BarClosed


async def closed_since(
    source: BarSource, newest: Mapping[str, int], period: int, now: int
) -> list[BarClosed]:
    """The bars that closed behind the newest of each symbol, in the order of time.

    Parameters
    ----------
    source : BarSource
    newest : mapping of symbol to ns UTC
    period : int, ns
    now : int, ns UTC

    Raises
    ------
    NotFoundError, LinkError
        As `BarSource.history`; that there is none is no error.
    """
    closed: list[BarClosed] = []
    for symbol, last in newest.items():
        if last >= now:
            continue
        try:
            bars = await source.history(symbol, period, last + 1, now)
        except DataError:  # none was
            continue
        columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
        for time, *values in zip(bars.close_time, *columns, strict=True):
            o, h, low, c, volume = map(float, values)
            closed.append(BarClosed(symbol, int(time), o, h, low, c, volume))
    return sorted(closed, key=lambda bar: bar.time)
