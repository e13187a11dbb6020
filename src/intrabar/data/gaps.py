"""Bars that a calendar expects and that are not there, and bars that it does not expect.

Intraday only. A session that has no bar at all is a missing session, not missing bars. Bars
are expected on a grid that starts at the session's opening.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.data.calendars import Sessions
from intrabar.data.periods import HOUR_NS
from intrabar.model.bars import Times

SHIFTS = tuple(h for h in range(-14, 15) if h)
"""Hours by which bars may lie wrong."""

_MOST = 0.8
_STRAY = 0.05


class Spans(NamedTuple):
    """When the rows of a file were: the used ones and those set aside, in order, each time once."""

    open_time: Times  # (n,) int64, ns UTC
    close_time: Times
    session: Times  # (n,) int64, days since 1970
    period: int  # ns


def outside(bars: Spans, known: Sessions) -> NDArray[np.bool_]:
    """Bars that share no instant with an open market.

    An hourly bar from 09:00 to 10:00 lies inside a session that opens at 09:30.
    """
    inside = (known.row_of(bars.open_time) >= 0) | (known.row_of(bars.close_time - 1) >= 0)
    return ~inside


def count_outside(bars: Spans, known: Sessions, hours: int) -> int:
    """How many bars would be `outside` if they were moved by hours."""
    begin = np.concatenate((known.open, known.break_end))
    end = np.concatenate((np.minimum(known.close, _pause(known)), known.close))
    begin, end = begin[end > begin], end[end > begin]
    if not begin.size:  # nothing is open on those days
        return int(bars.open_time.size)
    # A bar shares an instant with a stretch if its first moment or its last lies in it.
    first = np.concatenate((begin, begin - bars.period + 1))
    last = np.concatenate((end, end - bars.period + 1))
    order = np.argsort(first, kind="stable")
    first, last = first[order], np.maximum.accumulate(last[order])
    new = np.append(True, first[1:] > last[:-1])
    first, last = first[new], last[np.append(new[1:], True)]
    moved = hours * HOUR_NS
    inside = np.searchsorted(bars.open_time, last - moved) - np.searchsorted(
        bars.open_time, first - moved
    )
    return int(bars.open_time.size - inside.sum())


def _pause(known: Sessions) -> Times:
    has_break = known.break_end > known.break_start
    return np.where(has_break, known.break_start, known.close)


def missing_bars(
    opened: Times, days: Times, period: int, known: Sessions, second: int, first: int
) -> tuple[int, int]:
    """Bars that are absent inside sessions that have any, and the number of holes they make.

    Parameters
    ----------
    opened : (n,) int64, ns UTC
        When the bars open, in order.
    days : int64, days since 1970
        The sessions that have bars.
    period : int, ns
    known : Sessions
    second : int
        Second of a period in which most bars open.
    first : int, ns UTC
        Before it nothing was promised; nor after the last of `opened`.

    Returns
    -------
    (int, int)
        Missing bars; runs of missing bars (a run ends with its session).
    """
    present = np.isin(known.date, days)
    opening, close = known.open[present], known.close[present]
    # Hourly bars of a session that opens at 09:30 may start at 09:30 or at 09:00: as most do.
    begin = opening - np.mod(opening - second * 1_000_000_000, period)
    slots = np.maximum(-((begin - close) // period), 0)
    if not slots.sum():
        return 0, 0
    starts = np.repeat(begin, slots) + period * _counting(slots)
    shut = np.repeat(known.break_start[present], slots) <= starts
    shut &= starts < np.repeat(known.break_end[present], slots)
    due = ~shut & (starts + period > first) & (starts <= opened[-1])
    starts, session = starts[due], np.repeat(np.arange(slots.size), slots)[due]
    if not starts.size:
        return 0, 0
    row = np.searchsorted(opened, starts, "left")
    # A bar anywhere in the slot fills it: stamps may be off the grid.
    at = np.minimum(row, opened.size - 1)
    absent = ~((row < opened.size) & (opened[at] < starts + period))
    begins = absent & ~np.concatenate(([False], absent[:-1] & (session[1:] == session[:-1])))
    return int(absent.sum()), int(begins.sum())


def from_grid(bars: Spans, known: Sessions) -> Times:
    """How far each bar's start lies behind a whole number of periods, ns."""
    start = bars.open_time
    if bars.period > HOUR_NS and len(known):
        # Longer bars keep their distance from the opening, which clock changes move.
        row = np.minimum(np.searchsorted(known.date, bars.session), len(known) - 1)
        start = start - known.open[row]
    return np.mod(start, bars.period)


def label_doubt(bars: Spans, known: Sessions) -> str | None:
    """A sentence if stamps look as if they mark the other edge of the bar, else None.

    Where a file holds the regular hours, its first bar of a day starts at the opening and its
    last ends at the close. A first bar that ends at the opening on most days is one period
    early; a last one that starts at the close, one late.
    """
    days, first = np.unique(bars.session, return_index=True)
    last = np.append(first[1:], bars.session.size) - 1
    row = np.searchsorted(known.date, days)
    have = np.isin(days, known.date)
    if have.sum() < 3:
        return None
    opening, close = known.open[row[have]], known.close[row[have]]
    first, last = first[have], last[have]
    if (bars.close_time[first] == opening).mean() >= _MOST:
        return (
            "on most days the first bar ends at the opening: the stamps look like starts of bars "
            "(--label start)"
        )
    starts_there = (bars.open_time[first] == opening).mean()
    if (bars.open_time[last] == close).mean() >= _MOST and starts_there < 1 - _MOST:
        return (
            "on most days the last bar starts at the close: the stamps look like ends of bars "
            "(--label end)"
        )
    return None


def zone_doubt(outside: int, moved: Times, rows: int) -> str | None:
    """A sentence if the bars would lie inside the sessions if only they were moved by hours.

    Parameters
    ----------
    outside, rows : int
        Bars outside the sessions, and all bars.
    moved : int64
        Bars outside if they were moved by each of `SHIFTS`.
    """
    lost = outside / rows
    if lost < _STRAY:
        return None
    best = int(np.argmin(moved))
    if moved[best] / rows > lost / 10:
        return None
    return (
        f"{100 * lost:.0f} % of the bars lie outside the sessions, {100 * moved[best] / rows:.0f} "
        f"% would if they were moved by {SHIFTS[best]:+d} hours: is the zone right (--zone)?"
    )


def _counting(sizes: Times) -> Times:
    # 0..n-1 for each n in turn.
    ends = np.cumsum(sizes)
    return np.asarray(np.arange(ends[-1]) - np.repeat(ends - sizes, sizes), np.int64)
