"""Bars and vendors for the tests of live sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from intrabar.data.calendars import sessions
from intrabar.errors import LinkError, NotFoundError
from intrabar.links.clock import LoopClock
from intrabar.links.vendor import Answer, Row
from intrabar.model.bars import DAY_NS, Bars
from intrabar.model.facts import Quote

MINUTE = 60 * 10**9
SECOND = 10**9


def ns(text: str) -> int:
    """An instant of UTC."""
    return int(np.datetime64(text, "ns").astype(np.int64))


def minutes(symbol: str, first: str, count: int, price: float = 100.0) -> Bars:
    """Bars of a minute, one after the other, whose first begins at an instant."""
    opened = ns(first) + np.arange(count, dtype=np.int64) * MINUTE
    close = price + np.arange(count) * 0.25
    return Bars(
        symbol,
        opened + MINUTE,
        close - 0.25,
        close + 0.5,
        close - 0.5,
        close,
        100.0 + np.arange(count),
        MINUTE,
        opened,
        opened // DAY_NS,
    )


def rows(day: str, period: int, count: int, price: float = 100.0) -> tuple[Row, ...]:
    """Rows of a session of NYSE, stamped by their start."""
    known = sessions("NYSE", *[int(np.datetime64(day, "D").astype(np.int64))] * 2)
    start = int(known.open[0])
    return tuple(
        Row(start + i * period, price + i, price + i + 2, price + i - 2, price + i + 1, 10.0 + i)
        for i in range(count)
    )


@dataclass
class Scripted:
    """A vendor in memory, whose table is looked at with its own clock.

    Parameters
    ----------
    clock : LoopClock
    table : {symbol: rows}
        What will have happened; of a bar in progress the first half is told.
    change : callable, optional
        (symbol, now, rows): what is answered instead, or what it raises.
    behind : int, seconds
        How long after its close time a bar is whole.
    """

    clock: LoopClock
    table: dict[str, tuple[Row, ...]]
    change: Callable[[str, int, tuple[Row, ...]], Iterable[Row]] | None = None
    behind: int = 0
    length: int | None = None  # ns from a stamp to the close; None: the period
    name: str = "scripted"
    lag: float = 13.0
    lag_daily: float = 600.0
    periods: tuple[int, ...] = (MINUTE, 5 * MINUTE, DAY_NS)
    corrects: bool = True
    calls_a_day: int | None = None
    asked: list[tuple[float, str]] = field(default_factory=list)
    is_closed: bool = False

    async def bars(
        self, symbol: str, period: int, start: int, end: int, *, actions: bool = False
    ) -> Answer:
        assert not self.is_closed
        now = self.clock.now()
        self.asked.append((self.clock.tick(), symbol))
        if symbol not in self.table:
            raise NotFoundError("symbol", symbol, self.table)
        over = (self.length or period) + self.behind * SECOND
        found = [row for row in self.table[symbol] if start <= row.stamp <= end]
        whole = [r for r in found if r.stamp + over <= now]
        half = [
            Row(r.stamp, r.open, max(r.open, r.close - 0.5), r.low, r.close - 0.5, r.volume / 2)
            for r in found
            if r.stamp <= now < r.stamp + over
        ]
        told = tuple(whole + half)
        if self.change is not None:
            told = tuple(self.change(symbol, now, told))
        return Answer(symbol, period, "America/New_York", "start", told)

    def earliest(self, period: int) -> int:
        return 0

    async def quote(self, symbol: str) -> Quote:
        if symbol not in self.table:
            raise NotFoundError("symbol", symbol, self.table)
        known = [r for r in self.table[symbol] if r.stamp <= self.clock.now()]
        if not known:
            raise LinkError("nothing yet")
        return Quote(symbol, known[-1].stamp, price=known[-1].close)

    async def close(self) -> None:
        self.is_closed = True
