"""Schedules: the sessions of a calendar, computed or out of the library.

The only door to `pandas_market_calendars`. Importing it costs a second, so what it says is kept
in the cache, under its version, and it is imported where that has no answer. "24/7" and "24/5"
are computed here; what the library is known to have wrong is put right here.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from importlib.metadata import version
from typing import Any
from urllib.parse import quote
from zipfile import BadZipFile
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from intrabar.cache import cache_home
from intrabar.errors import NotFoundError
from intrabar.model.bars import DAY_NS, Times

ALWAYS = "24/7"
FOREX = "24/5"
EPOCH = date(1970, 1, 1)

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
    kept = _kept("all", "names", lambda: {"names": np.array(_library().get_calendar_names())})
    names = {str(name).lower(): str(name) for name in kept["names"]}
    name = names.get(calendar.strip().lower())
    if name is None:
        raise NotFoundError("calendar", calendar, {*names.values(), "24/5", "24/7", "CME_Equity"})
    return name


def calendar_named(given: str | None) -> str | None:
    """The calendar that a user names: "" for "none"; None where none is named.

    Raises
    ------
    NotFoundError
        No calendar has that name; the message has the nearest.
    """
    if given is None:
        return None
    if given.strip().lower() in ("none", ""):
        return ""
    canonical(given)
    return given.strip()


def zone_of(calendar: str) -> str:
    """Time zone of the exchange; UTC for "24/7" and where no calendar is known."""
    if not calendar:
        return "UTC"
    name = canonical(calendar)
    if name in (ALWAYS, FOREX):
        return "UTC" if name == ALWAYS else _NEW_YORK
    kept = _kept(name, "zone", lambda: {"zone": np.array(str(_calendar(name).tz))})
    return str(kept["zone"])


def schedule(name: str, first_year: int, last_year: int) -> Sessions:
    """All sessions of whole years, by canonical name."""
    first, last = date(first_year, 1, 1), date(last_year, 12, 31)
    days = np.arange(days_of(first), days_of(last) + 1, dtype=np.int64)
    if name == ALWAYS:
        opening, close = days * DAY_NS, (days + 1) * DAY_NS
        return Sessions(name, days, opening, close, close, close)
    if name == FOREX:
        days = days[(days + 3) % 7 < 5]
        opening, close = regular_hours(name, days)
        return Sessions(name, days, opening, close, close, close)
    return _overridden(name, _scheduled(name, first, last))


def _scheduled(name: str, first: date, last: date) -> Sessions:
    kept = _kept(name, f"{first.year}-{last.year}", lambda: _asked(name, first, last))
    return Sessions(name, *(kept[f.name] for f in fields(Sessions) if f.name != "calendar"))


def _asked(name: str, first: date, last: date) -> dict[str, Times]:
    """The library's sessions, by the fields of `Sessions`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = _calendar(name).schedule(str(first), str(last))

    def column(of: str, instead: str) -> Times:
        values = table[of if of in table.columns else instead]
        utc = values.dt.tz_convert("UTC").dt.tz_localize(None)
        return np.asarray(utc.to_numpy().astype("datetime64[ns]"), np.int64)

    return {
        "date": table.index.to_numpy().astype("datetime64[D]").astype(np.int64),
        "open": column("market_open", ""),
        "close": column("market_close", ""),
        "break_start": column("break_start", "market_close"),
        "break_end": column("break_end", "market_close"),
    }


def _kept(
    name: str, what: str, work_out: Callable[[], Mapping[str, NDArray[Any]]]
) -> Mapping[str, NDArray[Any]]:
    """What the library says of a calendar: from the cache, or asked and left there."""
    releases = "-".join(version(p) for p in ("pandas_market_calendars", "exchange_calendars"))
    path = cache_home() / "calendars" / releases / f"{quote(name, safe='')}-{what}.npz"
    try:
        with path.open("rb") as there, np.load(there, allow_pickle=False) as stored:
            return dict(stored)
    except (OSError, ValueError, EOFError, BadZipFile):
        found = work_out()
    with suppress(OSError):  # without a cache the next process asks again
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        with part.open("wb") as file:
            np.savez(file, allow_pickle=False, **found)
        os.replace(part, path)
    return found


def _overridden(name: str, found: Sessions) -> Sessions:
    changes = _OVERRIDES.get(name)
    if not changes:
        return found
    close, keep = found.close.copy(), np.ones(len(found), np.bool_)
    zone = ZoneInfo(zone_of(name))
    for day, closing in changes.items():
        here = found.date == days_of(day)
        if closing is None:
            keep &= ~here
        else:
            close[here] = _instant(day, closing, zone)
    pause = np.where(found.break_start == found.close, close, found.break_start)
    resume = np.where(found.break_end == found.close, close, found.break_end)
    rows = (found.date[keep], found.open[keep], close[keep], pause[keep], resume[keep])
    return Sessions(name, *rows)


def regular_hours(name: str, days: Times) -> tuple[Times, Times]:
    """Opening and close (ns UTC) that dates would have if they were ordinary sessions."""
    if name == FOREX:
        zone = ZoneInfo(_NEW_YORK)
        both = [EPOCH + timedelta(days=int(d)) for d in days]
        before = [_instant(d - timedelta(days=1), time(17), zone) for d in both]
        after = [_instant(d, time(17), zone) for d in both]
        return np.array(before, np.int64), np.array(after, np.int64)
    if not len(days):
        return days.astype(np.int64), days.astype(np.int64)
    first, last = (EPOCH + timedelta(days=int(day)) for day in (days.min(), days.max()))
    every = np.arange(days_of(date(first.year, 1, 1)), days_of(date(last.year, 12, 31)) + 1)
    kept = _kept(name, f"{first.year}-{last.year}-regular", lambda: _ordinary(name, every))
    return kept["open"][days - every[0]], kept["close"][days - every[0]]


def _ordinary(name: str, days: Times) -> dict[str, Times]:
    """The library's hours of dates as if each had an ordinary session."""
    import pandas as pd

    calendar = _calendar(name)
    index = pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[ns]"))
    hours: list[Times] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for edge in ("market_open", "market_close"):
            at = pd.DatetimeIndex(calendar.days_at_time(index, edge)).tz_convert("UTC")
            hours.append(at.tz_localize(None).to_numpy().astype("datetime64[ns]").astype(np.int64))
    return {"open": hours[0], "close": hours[1]}


def _instant(day: date, at: time, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, at, zone).timestamp()) * 1_000_000_000


def local_midnight(day: int, zone: ZoneInfo) -> int:
    """When a date (days since 1970) begins in a zone, ns UTC."""
    return _instant(EPOCH + timedelta(days=day), time(0), zone)


def days_of(day: int | date) -> int:
    """Days since 1970."""
    return day if isinstance(day, int) else (day - EPOCH).days


def _calendar(name: str) -> Any:
    return _library().get_calendar(name)


def _library() -> Any:
    # Pandas' warnings about the library's own calls concern nobody here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas_market_calendars

    return pandas_market_calendars
