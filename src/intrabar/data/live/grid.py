"""When the bars of a calendar close, and what a vendor's rows are on it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.data.calendars import LAST_MOMENT, hours_of, sessions, trade_dates
from intrabar.data.periods import period_text
from intrabar.data.schedules import ALWAYS, canonical
from intrabar.data.verdicts import utc_text
from intrabar.errors import BadAnswer, DataError
from intrabar.links.clock import SECOND_NS
from intrabar.links.vendor import Answer, Row, Vendor
from intrabar.model.bars import DAY_NS, Bars, Times
from intrabar.model.facts import BarClosed

_A_WEEK = 19723  # 2024-01-01, to count the bars of a session
_AHEAD = 10  # sessions are looked for within so many days


def require_period(vendor: Vendor, period: int) -> None:
    """Refuse a period (ns) of which a vendor has no bars.

    Raises
    ------
    DataError
    """
    if period not in vendor.periods:
        known = ", ".join(period_text(p) for p in vendor.periods)
        raise DataError(f"{vendor.name} has no bars of {period_text(period)}; it has {known}")


def lag_of(vendor: Vendor, period: int) -> int:
    """How long after its close time a bar of a period is there at the latest, ns."""
    seconds = vendor.lag_daily if period == DAY_NS else vendor.lag
    return round(seconds * SECOND_NS)


class Grid:
    """The bars of one period in the sessions of a calendar.

    Parameters
    ----------
    calendar : str
        "" for days of UTC and bars round the clock.
    period : int, ns
        At most a day.
    """

    def __init__(self, calendar: str, period: int) -> None:
        if not 0 < period <= DAY_NS:
            raise DataError(f"live bars last at most a day, not {period_text(period)}")
        self.calendar, self.period = calendar, period
        self._always = not calendar or canonical(calendar) == ALWAYS

    def due(self, after: int) -> int:
        """The first close time (ns UTC) after an instant.

        Raises
        ------
        DataError
            The exchange is shut for longer than a month from then.
        """
        if self.period == DAY_NS:
            return self._due_day(after)
        if self._always:
            return (after // self.period + 1) * self.period
        day = after // DAY_NS
        for first in range(day - 2, day + 40, _AHEAD):
            known = sessions(self.calendar, first, first + _AHEAD)
            for row in range(len(known)):
                opening, close = int(known.open[row]), int(known.close[row])
                bars = -((opening - close) // self.period)
                if opening + bars * self.period <= after:
                    continue
                step = max((after - opening) // self.period, 0)
                for k in range(step, bars):
                    start = opening + k * self.period
                    paused = known.break_start[row] <= start < known.break_end[row]
                    if not paused and start + self.period > after:
                        return start + self.period
        raise DataError(f"{self.calendar} has no session in the month after {utc_text(after)}")

    def _due_day(self, after: int) -> int:
        if self._always:
            return (after + LAST_MOMENT) // DAY_NS * DAY_NS + DAY_NS - LAST_MOMENT
        day = after // DAY_NS
        for first in range(day - 2, day + 40, _AHEAD):
            known = sessions(self.calendar, first, first + _AHEAD)
            later = known.close[known.close > after]
            if later.size:
                return int(later[0])
        raise DataError(f"{self.calendar} has no session in the month after {utc_text(after)}")

    def bars_a_day(self) -> int:
        """How many there are in a day that is open round the clock, or in the longest session."""
        if self.period == DAY_NS or self._always:
            return DAY_NS // self.period
        known = sessions(self.calendar, _A_WEEK, _A_WEEK + 7)
        return int(-(-(known.close - known.open).max() // self.period))

    def placed(self, answer: Answer, asked: str) -> Placed:
        """The rows of an answer that are bars of this grid, by their close times.

        Rows outside the sessions and off the grid are left out and counted: vendors put their
        last price into a row of its own.

        Parameters
        ----------
        answer : Answer
        asked : str
            The symbol that was asked for.

        Raises
        ------
        BadAnswer
            Another symbol or period, or rows that do not rise.
        """
        if answer.symbol.upper() != asked.upper():
            raise BadAnswer(f"asked for {asked}, got bars of {answer.symbol}; none is taken")
        if answer.period != self.period:
            raise BadAnswer(
                f"{asked}: asked for bars of {period_text(self.period)}, got "
                f"{period_text(answer.period)}; none is taken"
            )
        stamps = np.array([row.stamp for row in answer.rows], np.int64)
        if (stamps[1:] <= stamps[:-1]).any():
            at = int(np.argmax(stamps[1:] <= stamps[:-1])) + 1
            raise BadAnswer(
                f"{asked}: the bar of {utc_text(stamps[at])} comes after that of "
                f"{utc_text(stamps[at - 1])}; none is taken"
            )
        if not stamps.size:
            return Placed(stamps, stamps, stamps, (), 0)
        if self.period == DAY_NS:
            day = stamps // DAY_NS
            opening, close = hours_of(self.calendar, day)
            kept = np.ones(stamps.size, np.bool_) if self._always else self._is_session(day)
        else:
            opening = stamps if answer.label == "start" else self._begun(stamps)
            close = opening + self.period
            day = trade_dates(self.calendar, opening)
            kept = self._on_grid(opening)
        rows = tuple(row for row, keep in zip(answer.rows, kept, strict=True) if keep)
        return Placed(opening[kept], close[kept], day[kept], rows, int(np.sum(~kept)))

    def _begun(self, end: Times) -> Times:
        """When bars began, by their ends: the last one of a session may be short."""
        if self._always:
            return end - self.period
        first, last = int(end.min()) // DAY_NS, int(end.max()) // DAY_NS
        known = sessions(self.calendar, first - 2, last + 2)
        row = known.row_of(end - 1)
        start = known.open[np.maximum(row, 0)]
        within = start + (end - 1 - start) // self.period * self.period
        return np.asarray(np.where(row >= 0, within, end - self.period), np.int64)

    def _is_session(self, day: Times) -> NDArray[np.bool_]:
        known = sessions(self.calendar, int(day.min()), int(day.max()))
        found: NDArray[np.bool_] = np.isin(day, known.date)
        return found

    def _on_grid(self, opening: Times) -> NDArray[np.bool_]:
        if self._always:
            return np.asarray(np.mod(opening, self.period) == 0, np.bool_)
        first, last = int(opening.min()) // DAY_NS, int(opening.max()) // DAY_NS
        known = sessions(self.calendar, first - 2, last + 2)
        row = known.row_of(opening)
        start = known.open[np.maximum(row, 0)]
        fits = (np.mod(opening - start, self.period) == 0) | (np.mod(opening, self.period) == 0)
        found: NDArray[np.bool_] = (row >= 0) & fits
        return found


class Placed(NamedTuple):
    """Rows of a vendor as bars: edges (ns UTC), sessions (days since 1970); the rest is counted."""

    open_time: Times
    close_time: Times
    session: Times
    rows: tuple[Row, ...]
    left_out: int

    def closed(self, now: int, lag: int) -> int:
        """How many of them are over: the next has begun, or they were due `lag` ns ago."""
        over = int(np.searchsorted(self.close_time, now, "right"))
        if over and over == len(self.rows) and self.close_time[-1] + lag > now:
            over -= 1
        return over

    def bars(self, symbol: str, period: int, first: int, end: int) -> Bars:
        """Some of them as bars.

        Raises
        ------
        BadAnswer
            One that cannot be; the message names it.
        """
        part = slice(first, end)
        open_, high, low, close, volume = (
            np.array([getattr(row, name) for row in self.rows[part]], np.float64)
            for name in ("open", "high", "low", "close", "volume")
        )
        closed, opened, day = self.close_time[part], self.open_time[part], self.session[part]
        try:
            return Bars(symbol, closed, open_, high, low, close, volume, period, opened, day)
        except DataError as error:
            raise BadAnswer(f"the vendor's bars cannot be: {error}") from None

    def fact(self, at: int, symbol: str, corrected: bool = False) -> BarClosed:
        """One of them as it is told."""
        row = self.rows[at]
        prices = (row.open, row.high, row.low, row.close, row.volume)
        return BarClosed(symbol, int(self.close_time[at]), *prices, corrected)
