"""The clock of a run: the local time of each exchange, and the sessions of its calendar.

A bar belongs to the session in which it opens, as `trade_dates` says; so its close at the end of
the session still counts there. Without a calendar, and for "24/7", a session is a day of UTC. What
a session's hours are is known before it opens, half days too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from intrabar.data.calendars import hours_of, sessions, spans_midnight, zone_of
from intrabar.data.schedules import ALWAYS, EPOCH, canonical
from intrabar.model.bars import DAY_NS, Floats, Market, Times
from intrabar.model.session import Session

if TYPE_CHECKING:
    import polars as pl

MINUTE_NS = 60_000_000_000
NO_HOURS = int(np.iinfo(np.int64).min)


class Stretches(NamedTuple):
    """The stretches of time that belong to one session each, in order.

    Parameters
    ----------
    since, until : (n,) int64, ns UTC
        First instant of each stretch, and of the next.
    date : (n,) int64, days since 1970
    open, close : (n,) int64, ns UTC
        Hours of the session; `NO_HOURS` where that date has none.
    """

    since: Times
    until: Times
    date: Times
    open: Times
    close: Times


def stretches(calendar: str, first: int, last: int) -> Stretches:
    """The stretches of a calendar that hold every instant from `first` to `last` (ns UTC)."""
    low, high = first // DAY_NS - 2, last // DAY_NS + 2
    days = np.arange(low, high + 1, dtype=np.int64)
    if not calendar or canonical(calendar) == ALWAYS:
        begin, end = days * DAY_NS, (days + 1) * DAY_NS
        return Stretches(begin, end, days, begin, end)
    # Ten days more: an instant in a long weekend belongs to the session after it.
    known = sessions(calendar, low - 10, high + 10)
    if spans_midnight(known):
        return Stretches(_before(known.close), known.close, known.date, known.open, known.close)
    zone = _zone(calendar)
    until = np.array([_end_of(EPOCH + timedelta(days=int(d)), zone) for d in days], np.int64)
    opening, close = np.full(days.shape, NO_HOURS), np.full(days.shape, NO_HOURS)
    row, inside = known.date - low, (known.date >= low) & (known.date <= high)
    opening[row[inside]], close[row[inside]] = known.open[inside], known.close[inside]
    return Stretches(_before(until), until, days, opening, close)


def _before(until: Times) -> Times:
    """Where each stretch begins: where the one before it ends."""
    return np.append(NO_HOURS, until[:-1])


@lru_cache(maxsize=256)
def _zone(calendar: str) -> ZoneInfo:
    return ZoneInfo(zone_of(calendar))


def _end_of(day: date, zone: ZoneInfo) -> int:
    """The first instant of the next day; the later one where the clock shows midnight twice."""
    midnight = datetime.combine(day + timedelta(days=1), time(), zone)
    return max(int(midnight.replace(fold=fold).timestamp()) for fold in (0, 1)) * 1_000_000_000


class ExchangeClock:
    """Local time and sessions of some instruments.

    Parameters
    ----------
    calendars : sequence of str
        Of each instrument; "" where none is known.
    """

    def __init__(self, calendars: Sequence[str]) -> None:
        self._calendars = tuple(calendars)
        self._known: dict[str, tuple[int, int, Stretches]] = {}
        self._last = [(0, 0, 0, 0, EPOCH)] * len(self._calendars)

    def zone(self, column: int) -> ZoneInfo:
        """Time zone of the exchange; UTC without a calendar."""
        return _zone(self._calendars[column])

    def session(self, column: int, of: int, at: int) -> Session:
        """The session to which a bar that opens at `of` belongs, seen at `at` (ns UTC)."""
        since, until, opening, close, day = self._last[column]
        if not since <= of < until:
            one = self._at(column, np.array([of], np.int64))
            since, until = int(one.since[0]), int(one.until[0])
            opening, close = int(one.open[0]), int(one.close[0])
            day = EPOCH + timedelta(days=int(one.date[0]))
            self._last[column] = since, until, opening, close, day
        return Session(day, (at - opening) / MINUTE_NS, (close - at) / MINUTE_NS)

    def columns(self, names: Sequence[str], market: Market) -> dict[str, Floats]:
        """Fields of the clock as compiled rules read them, at the close of every bar.

        Parameters
        ----------
        names : of `CLOCK_FIELDS`
            `weekday` is that of the trade date, 0 for Monday; `hour` and `minute` are local.
        market : Market

        Returns
        -------
        dict of name to (t, n) float64
        """
        makers: dict[str, Callable[[int, Market], Times | Floats]] = {
            "minutes_since_open": lambda j, m: (m.time - self._of(j, m).open) / MINUTE_NS,
            "minutes_to_close": lambda j, m: (self._of(j, m).close - m.time) / MINUTE_NS,
            "hour": lambda j, m: local_minutes(self.zone(j).key, m.time) // 60,
            "minute": lambda j, m: local_minutes(self.zone(j).key, m.time) % 60,
            "weekday": lambda j, m: (self._of(j, m).date + 3) % 7,  # 1970-01-01 was a Thursday
        }
        width = range(len(market.symbols))
        return {
            name: np.stack([makers[name](j, market) for j in width], axis=1).astype(np.float64)
            for name in names
        }

    def _of(self, column: int, market: Market) -> Stretches:
        """The session of every bar of an instrument."""
        return self._at(column, np.minimum(market.open_time[:, column], market.time - 1))

    def _at(self, column: int, opened: Times) -> Stretches:
        """The stretch of each instant; a date that has no session has its regular hours."""
        calendar = self._calendars[column]
        known = self._over(calendar, int(opened.min()), int(opened.max()))
        row = np.searchsorted(known.until, opened, "right")
        found = Stretches(*(part[row] for part in known))
        shut = found.open == NO_HOURS
        if shut.any():
            found.open[shut], found.close[shut] = hours_of(calendar, found.date[shut])
        return found

    def _over(self, calendar: str, first: int, last: int) -> Stretches:
        """Kept, and made longer where an instant lies outside; a year at least."""
        low, high, known = self._known.get(calendar, (0, 0, None))
        if known is None or first < low or last > high:
            edges = [first, last] if known is None else [first, last, low, high]
            low, high = min(edges), max(edges) + 366 * DAY_NS
            known = stretches(calendar, low, high)
            self._known[calendar] = low, high, known
        return known


def local_weekdays(zone: str, instants: Times) -> Times:
    """Weekday of the local day of each instant (ns UTC), 0 for Monday."""
    return _local(zone, instants).dt.weekday().to_numpy().astype(np.int64) - 1


def local_minutes(zone: str, instants: Times) -> Times:
    """Minute of the local day of each instant (ns UTC), whole minutes."""
    import polars as pl

    local = _local(zone, instants)
    minutes = local.dt.hour().cast(pl.Int64) * 60 + local.dt.minute()
    return minutes.to_numpy().astype(np.int64)


def _local(zone: str, instants: Times) -> pl.Series:
    import polars as pl

    return pl.Series(instants).cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone(zone)
