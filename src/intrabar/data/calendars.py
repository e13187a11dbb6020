"""Exchange calendars: when a market is open, and which session an instant belongs to.

Sessions are named by their trade date, as days since 1970; hours are UTC nanoseconds, half-open:
a market is open at its opening and shut at its close. "24/7" is crypto's calendar (a session is a
UTC day), "24/5" forex's (17:00 to 17:00 New York, Monday to Friday, no holidays). Halts inside a
session are not known.
"""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from intrabar.data.schedules import (
    ALWAYS,
    EPOCH,
    FOREX,
    Sessions,
    calendar_named,
    canonical,
    days_of,
    local_midnight,
    regular_hours,
    schedule,
    zone_of,
)
from intrabar.errors import DataError
from intrabar.model.bars import DAY_NS, Times

__all__ = [
    "LAST_MOMENT",
    "Sessions",
    "calendar_named",
    "canonical",
    "half_days",
    "holidays",
    "hours_of",
    "is_open",
    "is_session",
    "local_dates",
    "next_open",
    "own_day",
    "session_hours",
    "sessions",
    "spans_midnight",
    "trade_dates",
    "whole_day",
    "zone_of",
]

LAST_MOMENT = 1_000_000
"""Ns by which a day of 24 hours closes before midnight, so that its close bears its own date."""

_FIRST_YEAR, _LAST_YEAR = 1885, 2199
_known: dict[str, Sessions] = {}


def sessions(calendar: str, first: int | date, last: int | date) -> Sessions:
    """Sessions of a calendar from one trade date to another, both included.

    Parameters
    ----------
    calendar : str
        "NYSE", "CME_Equity", "24/7", "24/5", or any name of `pandas_market_calendars`.
    first, last : date or days since 1970

    Raises
    ------
    NotFoundError
        Unknown calendar.
    DataError
        The dates are beyond what calendars cover (years 1885 to 2199).
    """
    name = canonical(calendar)
    low, high = days_of(first), days_of(last)
    if high < low:
        return _of(name, low, low).between(low + 1, low)
    return _of(name, low, high).between(low, high)


def is_open(calendar: str, instants: Times) -> NDArray[np.bool_]:
    """Whether the market is open at each instant (int64, ns UTC)."""
    if instants.size == 0:
        return np.zeros(0, np.bool_)
    return _around(calendar, instants).row_of(instants) >= 0


def next_open(calendar: str, instants: Times) -> Times:
    """The first instant at or after each (int64, ns UTC) at which the market is open."""
    if instants.size == 0:
        return instants
    known = _around(calendar, instants)
    last = np.maximum(np.searchsorted(known.open, instants, "right") - 1, 0)
    pauses = (instants >= known.break_start[last]) & (instants < known.break_end[last])
    after = np.minimum(np.searchsorted(known.open, instants, "left"), len(known) - 1)
    shut = np.where(pauses, known.break_end[last], known.open[after])
    return np.where(known.row_of(instants) >= 0, instants, np.maximum(shut, instants))


def is_session(calendar: str, days: Times) -> NDArray[np.bool_]:
    """Whether each date (days since 1970) is a session."""
    if days.size == 0:
        return np.zeros(0, np.bool_)
    return np.isin(days, sessions(calendar, int(days.min()), int(days.max())).date)


def hours_of(calendar: str, days: Times) -> tuple[Times, Times]:
    """Opening and close of the daily bar of each date, ns UTC, as `session_hours`.

    Without a calendar, and round the clock, it closes at the last moment of its own day,
    23:59:59.999.
    """
    opening, close = session_hours(calendar, days)
    return opening, own_day(calendar, close)


def own_day(calendar: str, close: Times) -> Times:
    """Closes of whole days (ns UTC), those at midnight a moment earlier: on their own date."""
    if calendar and canonical(calendar) != ALWAYS:
        return close
    return np.where(close % DAY_NS == 0, close - LAST_MOMENT, close)


def whole_day(close: Times) -> Times:
    """Closes (ns UTC) with the moment that `own_day` took: until when shorter bars lie inside."""
    return np.where(close % DAY_NS == DAY_NS - LAST_MOMENT, close + LAST_MOMENT, close)


def session_hours(calendar: str, days: Times) -> tuple[Times, Times]:
    """Opening and close of each date, ns UTC; the regular hours where it is no session.

    Without a calendar a date opens at 00:00 UTC and closes 24 hours later.
    """
    if not calendar or canonical(calendar) == ALWAYS:
        return days * DAY_NS, (days + 1) * DAY_NS
    known = sessions(calendar, int(days.min()), int(days.max()))
    row = np.minimum(np.searchsorted(known.date, days), max(len(known) - 1, 0))
    hit = known.date[row] == days if len(known) else np.zeros(days.shape, np.bool_)
    opening, close = np.zeros_like(days), np.zeros_like(days)
    if hit.any():
        opening[hit], close[hit] = known.open[row[hit]], known.close[row[hit]]
    if not hit.all():
        opening[~hit], close[~hit] = regular_hours(canonical(calendar), days[~hit])
    return opening, close


def trade_dates(calendar: str, open_time: Times) -> Times:
    """Session (days since 1970) that bars opening at these instants (ns UTC) belong to.

    Outside all sessions it is the local date where sessions lie within one day (a share's
    after-hours bar belongs to its day), and the next session where they span midnight (a quote
    before the future opens on Sunday belongs to Monday). Without a calendar: the UTC date.
    """
    if not calendar or canonical(calendar) == ALWAYS or open_time.size == 0:
        return np.floor_divide(open_time, DAY_NS)
    known = _around(calendar, open_time)
    if spans_midnight(known):
        row = np.searchsorted(known.close, open_time, "right")
        return known.date[np.minimum(row, len(known) - 1)]
    return local_dates(zone_of(calendar), open_time)


def local_dates(zone: str, instants: Times) -> Times:
    """Local date of each instant (ns UTC), days since 1970."""
    import polars as pl

    local = pl.Series(instants).cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone(zone)
    return local.dt.date().to_physical().to_numpy().astype(np.int64)


def own_dates(calendar: str, dates: Times) -> tuple[Times, Times]:
    """From when and until when bars belong to dates (ns UTC), where that hangs on local midnight.

    Where sessions span midnight, and for a date of UTC, there is no such edge: the ends of time.
    """
    least, most = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    known = _around(calendar, dates * DAY_NS) if calendar and dates.size else None
    if known is None or known.calendar == ALWAYS or spans_midnight(known):
        return np.full_like(dates, least), np.full_like(dates, most)
    zone = ZoneInfo(zone_of(calendar))
    days, row = np.unique(dates, return_inverse=True)
    edges = [local_midnight(int(day), zone) for day in (*days, *(days + 1))]
    from_, until = np.array(edges, np.int64).reshape(2, -1)
    return from_[row], until[row]


def half_days(calendar: str, first: int | date, last: int | date) -> Times:
    """Sessions that close earlier than the regular hours, days since 1970."""
    found = sessions(calendar, first, last)
    if found.calendar in (ALWAYS, FOREX) or not len(found):
        return np.zeros(0, np.int64)
    _, regular = regular_hours(found.calendar, found.date)
    return found.date[found.close < regular]


def holidays(calendar: str, first: int | date, last: int | date) -> Times:
    """Weekdays on which the market is shut all day, days since 1970."""
    days = np.arange(days_of(first), days_of(last) + 1, dtype=np.int64)
    weekday = (days + 3) % 7 < 5  # 1970-01-01 was a Thursday
    return np.setdiff1d(days[weekday], sessions(calendar, first, last).date)


def _around(calendar: str, instants: Times) -> Sessions:
    # Ten days more on each side: an instant in a long weekend belongs to the session after it.
    first, last = int(instants.min()) // DAY_NS, int(instants.max()) // DAY_NS
    return sessions(calendar, first - 10, last + 10)


def spans_midnight(known: Sessions) -> bool:
    """Whether sessions begin, by their own clock, on the day before their trade date."""
    if not len(known) or (known.open // DAY_NS >= known.date).all():
        return False
    return bool((local_dates(zone_of(known.calendar), known.open) < known.date).any())


def _of(name: str, low: int, high: int) -> Sessions:
    # Kept per process, in whole years: the next question is mostly about the same ones.
    have = _known.get(name)
    if have is None or not len(have) or low < have.date[0] or high > have.date[-1]:
        ends = [low, high] if have is None or not len(have) else [low, high, *have.date[[0, -1]]]
        first = (EPOCH + timedelta(days=int(min(ends)))).year
        last = (EPOCH + timedelta(days=int(max(ends)))).year
        if first < _FIRST_YEAR or last > _LAST_YEAR:
            raise DataError(
                f"calendar {name} covers {_FIRST_YEAR} to {_LAST_YEAR}, not {first} to {last}; "
                "look for a wrong year in the dates"
            )
        have = schedule(name, max(first - 1, _FIRST_YEAR), min(last + 1, _LAST_YEAR))
        _known[name] = have
    return have
