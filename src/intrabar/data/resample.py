"""Longer bars from shorter ones.

Intraday buckets are counted from the opening of the session that a bar belongs to, so that they
keep their local time over clock changes; without a calendar from midnight UTC. A bucket ends with
its session, which is when it is known; a bar that reaches over that end is in it, and ends it.
Daily and weekly bars take in the bars that touch a session only; `left_out` counts the others; a
week is known at the close of the last session that its calendar has, whether there is a bar or
not. No longer bar is known before a bar inside it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from intrabar.data import calendars
from intrabar.data.periods import HOUR_NS, WEEK_NS, period_text
from intrabar.errors import DataError
from intrabar.model.bars import DAY_NS, Bars, Times


def resample(bars: Bars, period: int, calendar: str = "") -> Bars:
    """Bars of a longer period.

    Parameters
    ----------
    bars : Bars
    period : int, ns
        A multiple of the bars' period: less than a day, a day, or a week of seven days.
    calendar : str
        Exchange calendar; "" where none is known.

    Raises
    ------
    DataError
        The period is not longer, no multiple, or more than a day and not a week; or no bar
        lies inside a session.
    """
    made = grouped(bars, period, calendar, usual(phases(bars)))
    if made is None:
        raise DataError(
            f"{bars.symbol}: no bar lies inside a session of {calendar}; "
            "the calendar or the zone is wrong"
        )
    return made


def grouped(bars: Bars, period: int, calendar: str, phase: int) -> Bars | None:
    """As `resample`, of some bars of a series; None where none of them lies inside a session.

    Parameters
    ----------
    phase : ns
        What the opens of the series are usually past a multiple of its period.
    """
    _refuse_period(bars, period)
    if period >= DAY_NS:
        return _whole_sessions(bars, period, calendar)
    opening, close = calendars.session_hours(calendar, bars.session)
    anchor = opening - _behind(bars, opening, phase)
    start = anchor + np.floor_divide(bars.open_time - anchor, period) * period
    end = start + period
    # Before the session is over its last bucket is not; bars after the close have buckets of
    # their own.
    inside = bars.close_time <= close
    start = np.where(~inside & (bars.open_time >= close) & (start < close), close, start)
    end = np.where(inside, np.minimum(end, close), end)
    across = ~inside & (bars.open_time < close)
    # No bucket reaches over the edge at which bars begin to belong to another date.
    from_, until = calendars.own_dates(calendar, bars.session)
    start, end = np.maximum(start, from_), np.minimum(end, until)
    end = np.where(across, bars.close_time, np.maximum(end, bars.close_time))
    # A session may count from before its opening, where the last bar of the one before it reaches.
    begin = np.where(bars.open_time >= opening, np.maximum(start, opening), start)
    return _grouped(bars, period, start, end, bars.session, begin)


def _whole_sessions(bars: Bars, period: int, calendar: str) -> Bars | None:
    opening, close = calendars.session_hours(calendar, bars.session)
    if bars.period < DAY_NS:
        inside = _touches(bars, opening, close)
        if not inside.any():
            return None
        bars, opening, close = _part(bars, inside), opening[inside], close[inside]
        # An hourly bar from 15:30 is dated to 16:30: the day is not known before it.
        close = np.maximum(close, bars.close_time)
    if period == DAY_NS:
        end = calendars.own_day(calendar, close)
        return _grouped(bars, period, opening, end, bars.session, opening)
    week = np.floor_divide(bars.session + 3, 7)  # Monday to Sunday
    first, last = _edges(week)
    sizes = np.diff(np.append(first, week.size))
    end = np.maximum(close[last], _week_ends(week[first], calendar))
    end = calendars.own_day(calendar, end)
    begin = np.repeat(opening[first], sizes)
    end, session = np.repeat(end, sizes), np.repeat(bars.session[last], sizes)
    return _grouped(bars, period, begin, end, session, begin)


def _week_ends(week: Times, calendar: str) -> Times:
    """Close of the last session of each week; 0 where the calendar has none in it."""
    sunday = 7 * week + 3
    if not calendar:
        return (sunday + 1) * DAY_NS
    known = calendars.sessions(calendar, int(sunday.min()) - 6, int(sunday.max()))
    row = np.searchsorted(known.date, sunday, "right") - 1
    is_there = (row >= 0) & (known.date[np.maximum(row, 0)] > sunday - 7)
    return np.asarray(np.where(is_there, known.close[np.maximum(row, 0)], 0), np.int64)


def left_out(bars: Bars, period: int, calendar: str = "") -> int:
    """Bars that `resample` leaves out: outside the sessions, for periods of a day and more."""
    if period < DAY_NS or bars.period >= DAY_NS:
        return 0
    return int((~_touches(bars, *calendars.session_hours(calendar, bars.session))).sum())


def _touches(bars: Bars, opening: Times, close: Times) -> NDArray[np.bool_]:
    return np.asarray((bars.close_time > opening) & (bars.open_time < close), np.bool_)


def _behind(bars: Bars, opening: Times, phase: int) -> Times:
    # Bars on the full hour in a session that opens at 09:30: count from 09:00.
    if bars.period > HOUR_NS:
        return np.zeros_like(opening)
    return np.asarray(np.mod(opening - phase, bars.period), np.int64)


def phases(bars: Bars) -> dict[int, int]:
    """What the opens of bars are past a multiple of their period (ns), and how often."""
    found, counts = np.unique(np.mod(bars.open_time, bars.period), return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def usual(counts: Mapping[int, int]) -> int:
    """The phase that most bars have, the least of several."""
    return min(counts, key=lambda phase: (-counts[phase], phase))


def _grouped(
    bars: Bars, period: int, start: Times, end: Times, session: Times, begin: Times
) -> Bars:
    """A bar of each run of bars with one start and one session; `begin` is its open time."""
    first, last = _edges(start, session)
    return Bars(
        bars.symbol,
        np.maximum.reduceat(end, first),
        bars.open[first],
        np.maximum.reduceat(bars.high, first),
        np.minimum.reduceat(bars.low, first),
        bars.close[last],
        np.add.reduceat(bars.volume, first),
        period,
        begin[first],
        session[first],
    )


def _edges(*keys: Times) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    changes = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    first = np.flatnonzero(np.append(True, changes))
    return first, np.append(first[1:], keys[0].size) - 1


def _part(bars: Bars, keep: NDArray[np.bool_]) -> Bars:
    return Bars(
        bars.symbol,
        bars.close_time[keep],
        bars.open[keep],
        bars.high[keep],
        bars.low[keep],
        bars.close[keep],
        bars.volume[keep],
        bars.period,
        bars.open_time[keep],
        bars.session[keep],
    )


def _refuse_period(bars: Bars, period: int) -> None:
    have, want = period_text(bars.period), period_text(period)
    if period <= bars.period or period % bars.period:
        raise DataError(
            f"{bars.symbol}: {want} bars cannot be made of {have} bars; take a multiple"
        )
    if period > DAY_NS and period != WEEK_NS:
        raise DataError(f"{bars.symbol}: longer than a day there are weeks only (1w), not {want}")
