"""Bars of a session out of shorter ones: those of vendors begin at full hours, sessions do not."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from intrabar.data.calendars import sessions
from intrabar.links.vendor import Row
from intrabar.model.bars import DAY_NS, Times


def openings(stamps: Times, calendar: str, period: int) -> Times:
    """Where the bars begin in which instants lie, ns UTC; -1 outside of the sessions.

    Parameters
    ----------
    stamps : (n,) int64, ns UTC
        Rising.
    calendar : str
    period : int, ns
        Less than a day.
    """
    if not stamps.size:
        return stamps
    known = sessions(calendar, int(stamps[0]) // DAY_NS - 2, int(stamps[-1]) // DAY_NS + 2)
    row = known.row_of(stamps)
    begin = known.open[np.maximum(row, 0)] if len(known) else stamps
    return np.where(row >= 0, begin + (stamps - begin) // period * period, -1)


def built(rows: Iterable[Row], calendar: str, period: int) -> tuple[Row, ...]:
    """Bars of a period out of rows of a shorter one, both by their starts; the last may be half.

    Rows outside of the sessions are left out.
    """
    given = tuple(rows)
    starts = openings(np.array([row.stamp for row in given], np.int64), calendar, period)
    found: dict[int, Row] = {}
    for row, start in zip(given, starts.tolist(), strict=True):
        if start >= 0:
            found[start] = _with(found.get(start), row, start)
    return tuple(found.values())


def _with(bar: Row | None, row: Row, start: int) -> Row:
    """A bar and the row that follows."""
    if bar is None:
        return Row(start, row.open, row.high, row.low, row.close, row.volume)
    return Row(
        start,
        bar.open,
        max(bar.high, row.high),
        min(bar.low, row.low),
        row.close,
        bar.volume + row.volume,
    )
