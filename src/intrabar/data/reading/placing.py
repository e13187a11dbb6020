"""Where the bars of stamps lie in time: period, zone, edges and sessions.

A zone is known where the stamps carry an offset, the source or the user names it, or the user
names the exchange. What the symbol's name suggests about the exchange tells the zone only where
the bars bear it out: they begin with its sessions. A name of one to five letters that says
nothing is taken for a US share where its bars keep the sessions of NYSE, and that is told.
Everything else is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.data import calendars, gaps, periods
from intrabar.data.reading.clock_changes import clock_signs
from intrabar.data.reading.offsets import zone_named
from intrabar.data.reading.two_periods import refuse_two_periods
from intrabar.data.stamps import Stamps, known_zone, to_utc
from intrabar.errors import DataError
from intrabar.model.bars import DAY_NS, Times

_MOST = 0.6


@dataclass(frozen=True, slots=True)
class Place:
    """What is known about where stamps lie.

    Parameters
    ----------
    calendar : str
        Exchange calendar; "" where none is known.
    suggested : bool
        The calendar is what the symbol's name suggests ("" for nothing); nobody named it.
    symbol : str
    zone : str, optional
        IANA zone that the user names.
    told_zone : str
        Zone that the source names.
    label : {"start", "end"}
    label_known : bool
        Else the label is assumed.
    period : int, optional
        ns, as the user gives it.
    ambiguous : {"raise", "earliest", "latest"}
    """

    calendar: str = ""
    suggested: bool = False
    symbol: str = ""
    zone: str | None = None
    told_zone: str = ""
    label: str = "start"
    label_known: bool = True
    period: int | None = None
    ambiguous: str = "raise"


class Placed(NamedTuple):
    """Edges (ns UTC, 0 where unreadable), sessions (days since 1970) and what was found."""

    open_time: Times
    close_time: Times
    session: Times
    period: int
    zone: str
    label: str
    calendar: str
    notes: tuple[str, ...]
    lacking: int = 0  # ns, as `rounded_up`


def place(stamps: Stamps, rows: Times, how: Place) -> Placed:
    """Turn stamps into bars' edges.

    Parameters
    ----------
    stamps : Stamps
    rows : (n,) int64
        Number of each row, for messages.
    how : Place

    Raises
    ------
    DataError
        The zone, the label or the period is not known, or the stamps contradict what is.
    """
    ok = stamps.readable
    wall = stamps.wall[ok]
    refuse_two_periods(wall, rows[ok], how.period)
    daily = periods.is_daily(periods.Steps.of(wall), stamps.dates_only, how.period)
    notes: tuple[str, ...] = ()
    if how.suggested and not how.calendar and _keeps_hours_of("NYSE", stamps, rows, how, daily):
        how = replace(how, calendar="NYSE")
        notes = (
            f"{how.symbol} is not in the table; its bars keep the sessions of NYSE, whose calendar "
            "was taken (--calendar names another)",
        )
    if daily:
        zone = how.zone or calendars.zone_of(how.calendar)
        days = _days(stamps, how)
        return Placed(*days, DAY_NS, known_zone(zone), how.label, how.calendar, notes)
    zone = _zone(stamps, rows, how)
    utc = to_utc(stamps, zone, rows, how.ambiguous)
    lacking = rounded_up(utc[ok])
    utc = np.where(ok, utc + lacking, utc)
    label = "end" if lacking and not how.label_known else how.label
    period = how.period or periods.infer_period(periods.Steps.of(utc[ok]))
    opening, close = edges(utc, ok, period, label)
    session = np.zeros_like(utc)
    session[ok] = calendars.trade_dates(how.calendar, opening[ok])
    if not how.label_known and not lacking:
        ask_label(opening[ok], session[ok], period, how.calendar)
    return Placed(opening, close, session, period, zone, label, how.calendar, notes, lacking)


def _keeps_hours_of(calendar: str, stamps: Stamps, rows: Times, how: Place, daily: bool) -> bool:
    """Whether bars of a name that may be a share's keep the sessions of a calendar."""
    if not re.fullmatch(r"[A-Z]{1,5}", how.symbol):
        return False
    ok = stamps.readable
    mine = replace(how, calendar=calendar)
    if daily:
        try:
            session = np.unique(_days(stamps, mine)[2][ok])
        except DataError:
            return False
        return bool(calendars.is_session(calendar, session).mean() >= 0.8)
    if (ok & ~stamps.aware).any():
        zone = how.zone or (zone_named(how.told_zone) if how.told_zone else "")
        if not zone:
            return _borne_out(stamps, rows, replace(mine, zone=calendars.zone_of(calendar)))
        mine = replace(mine, zone=zone)
    try:
        utc = to_utc(stamps, mine.zone or "UTC", rows, "earliest")[ok]
        return bool(calendars.is_open(calendar, utc - how_far_back(utc, how)).mean() >= 0.9)
    except DataError:
        return False


def how_far_back(utc: Times, how: Place) -> int:
    """From a stamp to an instant inside its bar, ns."""
    period = how.period or periods.infer_period(periods.Steps.of(utc))
    return period // 2 if how.label == "end" else -(period // 2)


def edges(utc: Times, ok: NDArray[np.bool_], period: int, label: str) -> tuple[Times, Times]:
    """Opening and close of bars by their stamps, 0 where there is none."""
    close = np.where(ok, utc + (period if label == "start" else 0), 0)
    return np.where(ok, close - period, 0), close


def rounded_up(utc: Times) -> int:
    """Ns that stamps of a bar's last moment lack: Binance marks the end by 09:30:59.999."""
    for step in (1_000_000, 1000):
        if utc.size and (np.mod(utc + step, 1_000_000_000) == 0).all():
            return step
    return 0


def _zone(stamps: Stamps, rows: Times, how: Place) -> str:
    ok = stamps.readable
    own = calendars.zone_of(how.calendar)
    if how.zone:
        return how.zone
    naive = ok & ~stamps.aware
    if not naive.any():
        return own
    if how.told_zone:
        found = zone_named(how.told_zone)
        if found is None:
            raise DataError(
                f"the source says that its zone is {how.told_zone!r}, which is no zone known here; "
                "name it: --zone America/New_York"
            )
        return found
    if stamps.aware[ok].any():
        raise DataError(
            f"some stamps carry an offset and some do not (row {rows[np.argmax(naive)]}); name "
            "the zone of those without: --zone UTC, or --zone America/New_York"
        )
    why = "nothing says which zone they are written in"
    if how.calendar and not how.suggested:
        return own
    if how.calendar:
        name = calendars.canonical(how.calendar)
        if name == "24/7":
            if not clock_signs(stamps.wall[ok]).change:
                return own
            why = "they look as if clocks were changed, so they are not in UTC"
        elif name == "24/5":
            why = "files of currencies are in UTC, New York or a broker's time"
        elif _borne_out(stamps, rows, replace(how, zone=own)):
            return own
        else:
            why = f"taken for {own} they do not begin with the sessions of {how.calendar}"
    broker = (
        ", or --zone Europe/Athens for most MetaTrader brokers" if "24/5" in how.calendar else ""
    )
    sort = "; the rows are newest first: add --sort" if _newest_first(stamps.wall[ok]) else ""
    raise DataError(
        f"the stamps carry no offset, and {why}; name the zone: --zone UTC, or --zone "
        f"America/New_York{broker}{sort}"
    )


def _newest_first(wall: Times) -> bool:
    return bool(wall.size > 1 and (np.diff(wall) <= 0).all())


def _borne_out(stamps: Stamps, rows: Times, how: Place) -> bool:
    """Whether bars read in the exchange's zone begin with its sessions on most days."""
    try:
        utc = np.sort(to_utc(stamps, how.zone or "UTC", rows, "earliest")[stamps.readable])
        period = how.period or periods.infer_period(periods.Steps.of(utc))
    except DataError:
        return False
    opening = utc - (0 if how.label == "start" else period)
    session = calendars.trade_dates(how.calendar, opening)
    days, first = np.unique(session, return_index=True)
    outside = outside_by(opening, session, period, how)
    return begin_with_sessions(days, opening[first], period, how) and outside <= 0.02 * utc.size


def outside_by(opening: Times, session: Times, period: int, how: Place) -> int:
    """How many bars lie outside the sessions, by either edge where it is not known which."""
    known = calendars.sessions(how.calendar, int(session.min()), int(session.max()))
    spans = gaps.Spans(opening, opening + period, session, period)
    outside = gaps.outside(spans, known)
    if not how.label_known:
        outside &= gaps.outside(
            spans._replace(close_time=opening, open_time=opening - period), known
        )
    return int(np.count_nonzero(outside))


def begin_with_sessions(days: Times, first: Times, period: int, how: Place) -> bool:
    """Whether the first bars of most days, by their openings, begin with the sessions."""
    known = calendars.sessions(how.calendar, int(days.min()), int(days.max()))
    have = np.isin(days, known.date)
    days, first = days[have], first[have]
    if not days.size:
        return False
    start = known.open[np.searchsorted(known.date, days)]
    begins = first == start
    if not how.label_known:  # which edge is meant is asked afterwards
        begins |= first == start + period
    if period <= periods.HOUR_NS:
        begins |= (first <= start) & (start < first + period)
    return bool(begins.mean() >= _MOST)


def ask_label(opening: Times, session: Times, period: int, calendar: str) -> None:
    """Refuse where every first bar starts one period after the opening, by an assumed label."""
    if not calendar or calendars.canonical(calendar) in ("24/7", "24/5"):
        return
    order = np.argsort(opening, kind="stable")
    days, first = np.unique(session[order], return_index=True)
    known = calendars.sessions(calendar, int(days[0]), int(days[-1]))
    have = np.isin(days, known.date)
    if not have.any():
        return
    begins = opening[order][first][have]
    start = known.open[np.searchsorted(known.date, days[have])]
    if np.mean(begins == start + period) > 0.8:
        raise DataError(
            "on most days the first stamp is one bar after the opening, as where stamps mark the "
            "end of a bar; say which: --label end, or --label start"
        )


def _days(stamps: Stamps, how: Place) -> tuple[Times, Times, Times]:
    ok = stamps.readable
    day = np.floor_divide(stamps.wall, DAY_NS)
    if how.label == "end" and stamps.clock and stamps.dates_only:
        day = day - 1  # midnight at the end of a day is the next date's 00:00
    aware = ok & stamps.aware
    if how.zone and not stamps.dates_only and not aware.any():
        utc = to_utc(stamps, how.zone, np.arange(ok.size, dtype=np.int64), "earliest")
        stamps = replace(stamps, utc=utc, aware=ok)
        aware = ok
    if aware.any():
        day[aware] = _sessions_of(stamps.utc[aware], stamps.wall[aware], how)
    opening, close = np.zeros_like(day), np.zeros_like(day)
    opening[ok], close[ok] = calendars.hours_of(how.calendar, day[ok])
    _refuse_day_early(day[ok], how.calendar, stamps.dates_only)
    return opening, close, np.where(ok, day, 0)


def _sessions_of(utc: Times, wall: Times, how: Place) -> Times:
    """Session that an instant opens, lies in, or closes; else its date where it is midnight."""
    written = np.floor_divide(wall, DAY_NS)
    midnight = np.mod(wall, DAY_NS) == 0
    if not how.calendar or calendars.canonical(how.calendar) == "24/7":
        if not how.calendar and not midnight.all() and np.mod(utc, DAY_NS).any():
            raise DataError(
                "the stamps of daily bars carry an offset and are no midnights, so that their "
                "sessions depend on the exchange; name it: --calendar NYSE, or --calendar 24/7"
            )
        return np.where(midnight, written, np.floor_divide(utc, DAY_NS))
    known = calendars.sessions(
        how.calendar, int(utc.min() // DAY_NS) - 10, int(utc.max() // DAY_NS) + 10
    )
    row = known.row_of(utc)
    ending = np.minimum(np.searchsorted(known.close, utc), len(known) - 1)
    closes = known.close[ending] == utc
    if how.label != "end":
        closes &= row < 0
    row = np.where(closes, ending, row)
    zone = calendars.zone_of(how.calendar)
    local = calendars.local_dates(zone, utc)
    # Midnight in the exchange's zone is its date, midnight as written the date written.
    other = np.where(midnight & ~_is_midnight(utc, zone), written, local)
    session = np.where(row >= 0, known.date[np.maximum(row, 0)], other)
    return np.asarray(session, np.int64)


def _is_midnight(utc: Times, zone: str) -> NDArray[np.bool_]:
    return np.asarray(
        calendars.local_dates(zone, utc) != calendars.local_dates(zone, utc - 1), np.bool_
    )


def _refuse_day_early(day: Times, calendar: str, dates_only: bool) -> None:
    """Refuse days that are sessions only when all are moved by one: Sundays and no Fridays."""
    if not calendar or calendars.canonical(calendar) == "24/7":
        return
    days = np.unique(day)
    wrong = ~calendars.is_session(calendar, days)
    if wrong.sum() < 1 or days.size < 4 or wrong.mean() < 0.1:
        return
    for step, word in ((1, "early"), (-1, "late")):
        if calendars.is_session(calendar, days + step).all():
            first = np.datetime64(int(days[np.argmax(wrong)]), "D")
            utc = "if the stamps are in UTC say so (--zone UTC), else " if not dates_only else ""
            raise DataError(
                f"the dates look one day {word}: {first} is no session of {calendar}, and moved by "
                f"a day all are; {utc}correct them, or take them as they are: --calendar none"
            )
