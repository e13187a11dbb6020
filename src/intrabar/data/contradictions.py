"""What bars say of their instrument: the grid of their prices, and the days on which they lie.

A name is a guess, and so is a calendar; bars can contradict both. Nothing here looks at a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from intrabar.data import calendars, gaps
from intrabar.data.pieces import Feed
from intrabar.data.schedules import ALWAYS, canonical
from intrabar.model.bars import DAY_NS, Floats, Times

SOME = 0.01
"""A smaller share of the prices or bars is an error of the data rather than of the guess."""

TOLERANCE = 1e-4  # of a tick
DECIMALS = 12
SATURDAY, SUNDAY = 5, 6


@dataclass(frozen=True, eq=False)
class Seen:
    """The bars of an instrument, as far as they tell what it is.

    Parameters
    ----------
    feed : Feed
        Read once for each question that needs all of its bars.
    calendar : str
        Under which they were read.
    """

    feed: Feed
    calendar: str

    def off_grid(self, tick: float) -> float:
        """Share of the prices that lie between ticks."""
        off = count = 0
        for prices in self._prices():
            off += int((~on_grid(prices, tick)).sum())
            count += prices.size
        return off / count

    @cached_property
    def usual_price(self) -> float:
        """Median of the closes of the first part."""
        return float(np.median(next(iter(self.feed)).close))

    def grid(self, at_most: float) -> float:
        """Largest power of ten that nearly all prices are multiples of, not above `at_most`.

        0 where they are multiples of none: products, such as adjusted prices.
        """
        for decimals in range(DECIMALS + 1):
            tick = 10.0**-decimals
            if tick <= at_most and self.off_grid(tick) < SOME / 10:
                return tick
        return 0.0

    def outside(self) -> tuple[float, str]:
        """Share of the bars that lie on no session of the calendar, and the first of them."""
        if not self.calendar or canonical(self.calendar) == ALWAYS:
            return 0.0, ""
        out = count = 0
        example = ""
        for bars in self.feed:
            if bars.period >= DAY_NS:
                hit = ~calendars.is_session(self.calendar, bars.session)
            else:
                days = bars.session
                known = calendars.sessions(self.calendar, int(days.min()), int(days.max()))
                spans = gaps.Spans(bars.open_time, bars.close_time, bars.session, bars.period)
                hit = gaps.outside(spans, known)
            if hit.any() and not example:
                example = f"{np.datetime64(int(bars.open_time[hit][0]), 'ns')}"[:16]
                if bars.period >= DAY_NS:
                    example = f"{np.datetime64(int(bars.session[hit][0]), 'D')}"
            out += int(hit.sum())
            count += len(bars)
        return out / count, example

    def has_weekends(self) -> bool:
        """Whether there are bars on Saturdays or Sundays, or too few days to tell."""
        first = last = None
        for bars in self.feed:
            weekday = weekdays(bars.session)
            if np.isin(weekday, (SATURDAY, SUNDAY)).any():
                return True
            first = int(bars.session[0]) if first is None else first
            last = int(bars.session[-1])
        return first is None or last is None or last - first < 14

    def _prices(self) -> Iterator[Floats]:
        return (np.concatenate([b.open, b.high, b.low, b.close]) for b in self.feed)


def on_grid(prices: Floats, tick: float) -> np.ndarray:
    """Whether prices are multiples of a tick, but for rounding."""
    ticks = prices / tick
    # A double has 52 bits: what is left of them behind the point of so many ticks.
    room = np.maximum(TOLERANCE, np.abs(ticks) * 4.0 * np.finfo(np.float64).eps)
    return np.asarray(np.abs(ticks - np.round(ticks)) <= room)


def weekdays(days: Times) -> Times:
    """0 for Monday; 1970-01-01 was a Thursday."""
    return (days + 3) % 7
