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


def missing_bars(bars: Spans, known: Sessions) -> tuple[int, int]:
    """Bars that are absent inside sessions that have any, and the number of holes they make.

    Returns
    -------
    (int, int)
        Missing bars; runs of missing bars (a run ends with its session).
    """
    present = np.isin(known.date, bars.session)
    opening, close = known.open[present], known.close[present]
    phase = _phase(bars, opening)
    first = opening + phase
    slots = np.maximum(-((first - close) // bars.period), 0)
    if not slots.sum():
        return 0, 0
    starts = np.repeat(first, slots) + bars.period * _counting(slots)
    shut = np.repeat(known.break_start[present], slots) <= starts
    shut &= starts < np.repeat(known.break_end[present], slots)
    # Before the first bar and after the last nothing was promised.
    due = ~shut & (starts + bars.period > bars.open_time[0]) & (starts <= bars.open_time[-1])
    starts, session = starts[due], np.repeat(np.arange(slots.size), slots)[due]
    if not starts.size:
        return 0, 0
    row = np.searchsorted(bars.open_time, starts, "left")
    # A bar anywhere in the slot fills it: stamps may be off the grid.
    at = np.minimum(row, bars.open_time.size - 1)
    absent = ~((row < bars.open_time.size) & (bars.open_time[at] < starts + bars.period))
    begins = absent & ~np.concatenate(([False], absent[:-1] & (session[1:] == session[:-1])))
    return int(absent.sum()), int(begins.sum())


def overlapping(bars: Spans) -> NDArray[np.bool_]:
    """Bars that start before the bar before them ends."""
    return np.append(False, bars.open_time[1:] < bars.close_time[:-1])


def off_grid(bars: Spans, known: Sessions) -> NDArray[np.bool_]:
    """Bars whose start is no whole number of periods from where the others start."""
    start = bars.open_time
    if bars.period > HOUR_NS and len(known):
        # Longer bars keep their distance from the opening, which clock changes move.
        row = np.minimum(np.searchsorted(known.date, bars.session), len(known) - 1)
        start = start - known.open[row]
    _, inverse, counts = np.unique(
        np.mod(start, bars.period), return_inverse=True, return_counts=True
    )
    return np.asarray(inverse != np.argmax(counts), np.bool_)


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


def zone_doubt(bars: Spans, known: Sessions) -> str | None:
    """A sentence if the bars would lie inside the sessions if only they were moved by hours."""
    lost = outside(bars, known).mean()
    if lost < _STRAY:
        return None
    hours = [h for h in range(-14, 15) if h]
    moved = [
        outside(
            bars._replace(
                open_time=bars.open_time + h * HOUR_NS, close_time=bars.close_time + h * HOUR_NS
            ),
            known,
        ).mean()
        for h in hours
    ]
    best = int(np.argmin(moved))
    if moved[best] > lost / 10:
        return None
    return (
        f"{100 * lost:.0f} % of the bars lie outside the sessions, {100 * moved[best]:.0f} % would "
        f"if they were moved by {hours[best]:+d} hours: is the zone right (--zone)?"
    )


def _phase(bars: Spans, opening: Times) -> Times:
    # Hourly bars of a session that opens at 09:30 may start at 09:30 or at 09:00: take what
    # most bars do, counted from each opening.
    shared = int(np.bincount(np.mod(bars.open_time, bars.period) // 1_000_000_000).argmax())
    back = np.mod(opening - shared * 1_000_000_000, bars.period)
    return -back


def _counting(sizes: Times) -> Times:
    # 0..n-1 for each n in turn.
    ends = np.cumsum(sizes)
    return np.asarray(np.arange(ends[-1]) - np.repeat(ends - sizes, sizes), np.int64)
