"""Exchange calendars: when a market is open, and which session an instant belongs to.

The only door to `pandas_market_calendars`, which is imported when a calendar is first asked
for (it costs half a second). Sessions are named by their trade date, as days since 1970; hours
are UTC nanoseconds, half-open: a market is open at its opening and shut at its close.

"24/7" (crypto: a session is a UTC day) and "24/5" (forex: from 17:00 to 17:00 New York, Monday
to Friday, no holidays) are computed here. Halts inside a session are not known.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import DataError, NotFoundError
from intrabar.model.bars import DAY_NS, Times

ALWAYS = "24/7"
FOREX = "24/5"

# Names of the trade for names of the library, compared in lower case.
_ALIASES = {
    "24/7": ALWAYS,
    "crypto": ALWAYS,
    "24/5": FOREX,
    "forex": FOREX,
    "fx": FOREX,
    "nyse": "NYSE",
    "xnys": "NYSE",
    "nasdaq": "NYSE",
    "xnas": "NYSE",
    "arca": "NYSE",
    "us": "NYSE",
    "cboe": "CBOE_Index_Options",
    "cme": "CME Globex Equity",
    "cme_equity": "CME Globex Equity",
    "cbot_equity": "CME Globex Equity",
    "cme_fx": "CMEGlobex_FX",
    "cme_currency": "CMEGlobex_FX",
    "cme_rate": "CME Globex Interest Rate Products",
    "cme_interestrate": "CME Globex Interest Rate Products",
    "cbot_rate": "CME Globex Interest Rate Products",
    "cme_energy": "CMEGlobex_CL",
    "nymex": "CMEGlobex_CL",
    "cme_metals": "CMEGlobex_GC",
    "comex": "CMEGlobex_GC",
    "cme_crypto": "CME Globex Crypto",
    "cme_grains": "CMEGlobex_Grains",
}

# What the library has wrong. None: shut all day; a time: the local close.
_OVERRIDES: dict[str, dict[date, time | None]] = {
    "NYSE": {date(1999, 12, 31): time(13)},
    # Good Fridays without a jobs report, given as mornings
    "CME Globex Equity": {
        date(2024, 3, 29): None,
        date(2025, 4, 18): None,
        date(2027, 3, 26): None,
    },
}

_EPOCH = date(1970, 1, 1)
_FIRST_YEAR, _LAST_YEAR = 1885, 2199
_NEW_YORK = "America/New_York"


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """Sessions of one calendar, in order.

    Parameters
    ----------
    calendar : str
        Canonical name.
    date : (n,) int64, days since 1970
        Trade dates, strictly rising.
    open, close : (n,) int64, ns UTC
    break_start, break_end : (n,) int64, ns UTC
        Equal where the session has no break.
    """

    calendar: str
    date: Times
    open: Times
    close: Times
    break_start: Times
    break_end: Times

    def __len__(self) -> int:
        return int(self.date.shape[0])

    def between(self, first: int, last: int) -> Sessions:
        """The sessions with `first <= date <= last`, days since 1970."""
        s = slice(
            int(np.searchsorted(self.date, first, "left")),
            int(np.searchsorted(self.date, last, "right")),
        )
        return Sessions(
            self.calendar,
            self.date[s],
            self.open[s],
            self.close[s],
            self.break_start[s],
            self.break_end[s],
        )

    def row_of(self, instants: Times) -> NDArray[np.int64]:
        """Row of the session that is open at each instant, -1 where none is."""
        if not len(self):
            return np.full(instants.shape, -1, np.int64)
        row = np.searchsorted(self.open, instants, "right") - 1
        at = np.maximum(row, 0)
        inside = (row >= 0) & (instants < self.close[at])
        inside &= (instants < self.break_start[at]) | (instants >= self.break_end[at])
        return np.where(inside, row, -1)


_known: dict[str, Sessions] = {}


def canonical(calendar: str) -> str:
    """Name under which a calendar is kept: "XNYS" is "NYSE", "crypto" is "24/7".

    Raises
    ------
    NotFoundError
        No calendar has that name; the message has the nearest.
    """
    alias = _ALIASES.get(calendar.strip().lower())
    if alias:
        return alias
    names = {name.lower(): name for name in _library().get_calendar_names()}
    name: str | None = names.get(calendar.strip().lower())
    if name is None:
        raise NotFoundError("calendar", calendar, {*names.values(), "24/5", "24/7", "CME_Equity"})
    return name


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
    low, high = _days(first), _days(last)
    if high < low:
        return _of(name, low, low).between(low + 1, low)
    return _of(name, low, high).between(low, high)


def is_open(calendar: str, instants: Times) -> NDArray[np.bool_]:
    """Whether the market is open at each instant (int64, ns UTC)."""
    if instants.size == 0:
        return np.zeros(0, np.bool_)
    return _around(calendar, instants).row_of(instants) >= 0


def is_session(calendar: str, days: Times) -> NDArray[np.bool_]:
    """Whether each date (days since 1970) is a session."""
    if days.size == 0:
        return np.zeros(0, np.bool_)
    return np.isin(days, sessions(calendar, int(days.min()), int(days.max())).date)


def zone_of(calendar: str) -> str:
    """Time zone of the exchange; UTC for "24/7" and where no calendar is known."""
    if not calendar:
        return "UTC"
    name = canonical(calendar)
    if name in (ALWAYS, FOREX):
        return "UTC" if name == ALWAYS else _NEW_YORK
    return str(_library().get_calendar(name).tz)


def hours_of(calendar: str, days: Times) -> tuple[Times, Times]:
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
        opening[~hit], close[~hit] = _regular_hours(canonical(calendar), days[~hit])
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
    if _spans_midnight(known):
        row = np.searchsorted(known.close, open_time, "right")
        return known.date[np.minimum(row, len(known) - 1)]
    return local_dates(zone_of(calendar), open_time)


def local_dates(zone: str, instants: Times) -> Times:
    """Local date of each instant (ns UTC), days since 1970."""
    import polars as pl

    local = pl.Series(instants).cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone(zone)
    return local.dt.date().to_physical().to_numpy().astype(np.int64)


def half_days(calendar: str, first: int | date, last: int | date) -> Times:
    """Sessions that close earlier than the regular hours, days since 1970."""
    found = sessions(calendar, first, last)
    if found.calendar in (ALWAYS, FOREX) or not len(found):
        return np.zeros(0, np.int64)
    _, regular = _regular_hours(found.calendar, found.date)
    return found.date[found.close < regular]


def holidays(calendar: str, first: int | date, last: int | date) -> Times:
    """Weekdays on which the market is shut all day, days since 1970."""
    days = np.arange(_days(first), _days(last) + 1, dtype=np.int64)
    weekday = (days + 3) % 7 < 5  # 1970-01-01 was a Thursday
    return np.setdiff1d(days[weekday], sessions(calendar, first, last).date)


def _library() -> Any:
    # Pandas' warnings about the library's own calls concern nobody here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas_market_calendars

    return pandas_market_calendars


def _days(day: int | date) -> int:
    return day if isinstance(day, int) else (day - _EPOCH).days


def _around(calendar: str, instants: Times) -> Sessions:
    # Ten days more on each side: an instant in a long weekend belongs to the session after it.
    first, last = int(instants.min()) // DAY_NS, int(instants.max()) // DAY_NS
    return sessions(calendar, first - 10, last + 10)


def _spans_midnight(known: Sessions) -> bool:
    return bool(len(known)) and bool((known.open // DAY_NS < known.date).any())


def _of(name: str, low: int, high: int) -> Sessions:
    # Kept per process, in whole years: the next question is mostly about the same ones.
    have = _known.get(name)
    if have is None or not len(have) or low < have.date[0] or high > have.date[-1]:
        ends = [low, high] if have is None or not len(have) else [low, high, *have.date[[0, -1]]]
        first = (_EPOCH + timedelta(days=int(min(ends)))).year
        last = (_EPOCH + timedelta(days=int(max(ends)))).year
        if first < _FIRST_YEAR or last > _LAST_YEAR:
            raise DataError(
                f"calendar {name} covers {_FIRST_YEAR} to {_LAST_YEAR}, not {first} to {last}; "
                "look for a wrong year in the dates"
            )
        have = _computed(name, max(first - 1, _FIRST_YEAR), min(last + 1, _LAST_YEAR))
        _known[name] = have
    return have


def _computed(name: str, first_year: int, last_year: int) -> Sessions:
    first, last = date(first_year, 1, 1), date(last_year, 12, 31)
    days = np.arange(_days(first), _days(last) + 1, dtype=np.int64)
    if name == ALWAYS:
        opening, close = days * DAY_NS, (days + 1) * DAY_NS
        return Sessions(name, days, opening, close, close, close)
    if name == FOREX:
        days = days[(days + 3) % 7 < 5]
        opening, close = _regular_hours(name, days)
        return Sessions(name, days, opening, close, close, close)
    return _overridden(name, _scheduled(name, first, last))


def _scheduled(name: str, first: date, last: date) -> Sessions:
    library = _library()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = library.get_calendar(name).schedule(str(first), str(last))
    days = table.index.to_numpy().astype("datetime64[D]").astype(np.int64)

    def column(of: str, instead: str) -> Times:
        values = table[of if of in table.columns else instead]
        utc = values.dt.tz_convert("UTC").dt.tz_localize(None)
        return np.asarray(utc.to_numpy().astype("datetime64[ns]"), np.int64)

    opening, close = column("market_open", ""), column("market_close", "")
    pause, resume = column("break_start", "market_close"), column("break_end", "market_close")
    return Sessions(name, days, opening, close, pause, resume)


def _overridden(name: str, found: Sessions) -> Sessions:
    changes = _OVERRIDES.get(name)
    if not changes:
        return found
    close, keep = found.close.copy(), np.ones(len(found), np.bool_)
    zone = ZoneInfo(zone_of(name))
    for day, closing in changes.items():
        here = found.date == _days(day)
        if closing is None:
            keep &= ~here
        else:
            close[here] = _instant(day, closing, zone)
    pause = np.where(found.break_start == found.close, close, found.break_start)
    resume = np.where(found.break_end == found.close, close, found.break_end)
    rows = (found.date[keep], found.open[keep], close[keep], pause[keep], resume[keep])
    return Sessions(name, *rows)


def _regular_hours(name: str, days: Times) -> tuple[Times, Times]:
    if name == FOREX:
        zone = ZoneInfo(_NEW_YORK)
        both = [_EPOCH + timedelta(days=int(d)) for d in days]
        before = [_instant(d - timedelta(days=1), time(17), zone) for d in both]
        after = [_instant(d, time(17), zone) for d in both]
        return np.array(before, np.int64), np.array(after, np.int64)
    import pandas as pd

    calendar = _library().get_calendar(name)
    index = pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[ns]"))
    hours: list[Times] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for edge in ("market_open", "market_close"):
            at = pd.DatetimeIndex(calendar.days_at_time(index, edge)).tz_convert("UTC")
            hours.append(at.tz_localize(None).to_numpy().astype("datetime64[ns]").astype(np.int64))
    return hours[0], hours[1]


def _instant(day: date, at: time, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, at, zone).timestamp()) * 1_000_000_000
