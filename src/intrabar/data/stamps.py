"""Stamps: from the text of a date and time to UTC nanoseconds.

A stamp with `Z` or an offset is taken at its word; one without is local time of a named zone.
Where clocks go back an hour happens twice: the order of the rows tells which is which, and
where it does not, the error says so. Times that clocks skip are an error: the zone is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.errors import ConfigError, DataError
from intrabar.model.bars import DAY_NS, Times

AMBIGUOUS = ("raise", "earliest", "latest")

_DAYS = ("%Y-%m-%d", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y")
_CLOCKS = ("%H:%M:%S%.f", "%H:%M", "%H%M%S", "%H%M", "%I:%M:%S %p", "%I:%M %p")
_OFFSET = r"(?i)\d\s*(?:z|utc|[+-]\d{2}:?\d{2})$"


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """Stamps of the rows of a file.

    Parameters
    ----------
    wall : (n,) int64, ns
        Date and time as they were written, without regard to a zone; 0 where unreadable.
    utc : (n,) int64, ns UTC
        Of the stamps that carry an offset; 0 for the others.
    readable, aware : (n,) bool
    dates_only : bool
        No stamp has a time of day other than midnight.
    clock : bool
        A time of day was written, if only 00:00.
    """

    wall: Times
    utc: Times
    readable: NDArray[np.bool_]
    aware: NDArray[np.bool_]
    dates_only: bool
    clock: bool


def parse_stamps(
    column: pl.Series, clock: pl.Series | None = None, time_format: str | None = None
) -> Stamps:
    """Read a column of stamps: text, dates, datetimes, or numbers since 1970.

    Parameters
    ----------
    column : Series
        Numbers are seconds, milliseconds, microseconds or nanoseconds by their size.
    clock : Series of text, optional
        Time of day, where the column has the date only.
    time_format : str, optional
        Format of the text in the words of `strftime`, where the usual ones do not fit.
    """
    if column.dtype == pl.Date:
        return _stamps(column.cast(pl.Datetime("ns")).to_physical(), None, clock=False)
    if isinstance(column.dtype, pl.Datetime):
        return _from_datetimes(column)
    if column.dtype.is_numeric():
        column = column.cast(pl.Int64, strict=False).cast(pl.String)
    text = column.cast(pl.String).str.strip_chars()
    if clock is not None:
        text = text + " " + _colons(clock.cast(pl.String).str.strip_chars())
    present = text.drop_nulls()
    if time_format is None and len(present) and present.str.contains(r"^-?\d{9,19}$").all():
        utc = _since_1970(text)
        return _stamps(utc, utc, clock=True)
    text = text.str.replace(r"(\d)T(\d)", "${1} ${2}")
    offset = text.str.contains(_OFFSET).fill_null(False) & text.str.contains(":").fill_null(False)
    plain = text.str.replace(r"(?i)\s*(?:z|utc|[+-]\d{2}:?\d{2})$", "").zip_with(offset, text)
    wall = _parse_naive(plain, time_format)
    _refuse_day_first(plain.filter(wall.is_null()))
    shift = _offset_ns(text.zip_with(offset, pl.Series([None], dtype=pl.String)))
    with_clock = bool(present.str.contains(r"[:\s]").any())
    return _stamps(wall, wall - shift, clock=with_clock)


def to_utc(stamps: Stamps, zone: str, rows: Times, ambiguous: str = "raise") -> Times:
    """UTC nanoseconds of all stamps (0 where unreadable).

    Parameters
    ----------
    stamps : Stamps
    zone : str
        IANA name of the zone of stamps without an offset: "America/New_York".
    rows : (n,) int64
        Number of each row in its file, for messages.
    ambiguous : {"raise", "earliest", "latest"}
        What to make of a time that happens twice and that the order of the rows leaves open.

    Raises
    ------
    ConfigError
        No such zone.
    DataError
        A time that does not exist in the zone, or that happens twice and cannot be told apart.
    """
    if ambiguous not in AMBIGUOUS:
        raise ConfigError(f"ambiguous is {ambiguous!r}, must be one of {', '.join(AMBIGUOUS)}")
    naive = np.flatnonzero(stamps.readable & ~stamps.aware)
    utc = stamps.utc.copy()
    if naive.size == 0:
        return utc
    known_zone(zone)
    wall = pl.Series(stamps.wall[naive]).cast(pl.Datetime("ns"))
    first, second = (_localized(wall, zone, which) for which in ("earliest", "latest"))
    missing = first.is_null().to_numpy()
    if missing.any():
        at = int(naive[np.argmax(missing)])
        raise DataError(
            f"row {rows[at]}: {_text(stamps.wall[at])} does not exist in {zone}, where clocks go "
            "forward over it; name the zone that the file is written in (--zone)"
        )
    chosen = first.to_physical().to_numpy().astype(np.int64)
    later = second.to_physical().to_numpy().astype(np.int64)
    twice = np.flatnonzero(chosen != later)
    if twice.size:
        second_pass = _second_pass(stamps.wall[naive], twice, rows[naive], zone, ambiguous)
        chosen[twice] = np.where(second_pass, later[twice], chosen[twice])
    utc[naive] = chosen
    return utc


def known_zone(zone: str) -> str:
    """The zone, if there is one of that name."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            f"unknown time zone {zone!r}; use an IANA name such as America/New_York, "
            "America/Chicago or UTC"
        ) from None
    return zone


def _second_pass(
    wall: Times, twice: Times, rows: Times, zone: str, ambiguous: str
) -> NDArray[np.bool_]:
    # Per night: rows before the one place where the wall clock does not advance are the first
    # pass through the hour, those after it the second.
    second = np.zeros(twice.size, np.bool_)
    night = wall[twice] // DAY_NS
    for one in np.unique(night):
        here = np.flatnonzero(night == one)
        drops = np.flatnonzero(np.diff(wall[twice[here]]) <= 0)
        if drops.size == 1:
            second[here[drops[0] + 1 :]] = True
        elif ambiguous == "raise":
            at = int(twice[here[0]])
            raise DataError(
                f"row {rows[at]}: {_text(wall[at])} happens twice in {zone}, where clocks go back, "
                "and the order of the rows does not tell which one is meant; write stamps with "
                "an offset or in UTC, or choose with --ambiguous earliest or latest"
            )
        else:
            second[here] = ambiguous == "latest"
    return second


def _localized(wall: pl.Series, zone: str, which: str) -> pl.Series:
    local = pl.select(
        pl.lit(wall).dt.replace_time_zone(
            zone,
            ambiguous=which,  # type: ignore[arg-type]
            non_existent="null",
        )
    ).to_series()
    return local.dt.convert_time_zone("UTC")


def _from_datetimes(column: pl.Series) -> Stamps:
    zone = getattr(column.dtype, "time_zone", None)
    fine = column.cast(pl.Datetime("ns", zone))
    if zone is None:
        return _stamps(fine.to_physical(), None, clock=True)
    wall = fine.dt.replace_time_zone(None).to_physical()
    return _stamps(wall, fine.to_physical(), clock=True)


def _stamps(wall: pl.Series, utc: pl.Series | None, *, clock: bool) -> Stamps:
    readable = wall.is_not_null().to_numpy()
    walls = wall.fill_null(0).to_numpy().astype(np.int64)
    if utc is None:
        aware = np.zeros(readable.shape, np.bool_)
        instants = np.zeros_like(walls)
    else:
        aware = utc.is_not_null().to_numpy() & readable
        instants = utc.fill_null(0).to_numpy().astype(np.int64)
    dates_only = bool((walls % DAY_NS == 0).all())
    return Stamps(walls, np.where(aware, instants, 0), readable, aware, dates_only, clock)


def _since_1970(text: pl.Series) -> pl.Series:
    number = text.cast(pl.Int64, strict=False)
    digits = int(text.drop_nulls().str.len_chars().max() or 0)  # type: ignore[arg-type]
    scale = 10 ** (0 if digits > 17 else 3 if digits > 14 else 6 if digits > 11 else 9)
    return number * scale


def _colons(clock: pl.Series) -> pl.Series:
    # TradeStation writes 9:30 as 930 in old exports.
    digits = clock.str.contains(r"^\d{3,4}$").fill_null(False)
    padded = clock.str.zfill(4)
    return (padded.str.slice(0, 2) + ":" + padded.str.slice(2, 2)).zip_with(digits, clock)


def _parse_naive(text: pl.Series, time_format: str | None) -> pl.Series:
    if time_format is not None:
        return _parsed(text, time_format)
    found = pl.Series([None], dtype=pl.Int64).extend_constant(None, max(len(text) - 1, 0))
    found = found.head(len(text))
    formats = [f"{d} {c}" for d in _DAYS for c in _CLOCKS] + list(_DAYS)
    for form in formats:
        left = found.is_null() & text.is_not_null()
        if not left.any():
            break
        # One look at the next open row spares parsing the whole column in vain.
        probe = text.filter(left).head(50)
        if _parsed(probe, form).is_not_null().any():
            found = found.zip_with(found.is_not_null(), _parsed(text, form))
    return found


def _refuse_day_first(unread: pl.Series) -> None:
    # The other rows of such a file would be read with day and month exchanged.
    day_first = unread.str.contains(r"^(?:1[3-9]|2\d|3[01])/\d{1,2}/\d{4}").fill_null(False)
    days = unread.filter(day_first)
    if len(days):
        raise DataError(
            f"the date {days[0]!r} has the day first, which looks like the month first in other "
            "rows; give the format: --time-format '%d/%m/%Y'"
        )


def _parsed(text: pl.Series, form: str) -> pl.Series:
    dated = not any(word in form for word in ("%H", "%I", "%s"))
    full, padded = (f"{form} %H:%M", text + " 00:00") if dated else (form, text)
    moment = padded.str.to_datetime(full, time_unit="us", strict=False)
    year = moment.dt.year()
    sane = (year >= 1700) & (year <= 2250)  # what nanoseconds can hold
    return (moment.to_physical() * 1000).zip_with(
        sane.fill_null(False), pl.Series([None], dtype=pl.Int64)
    )


def _offset_ns(text: pl.Series) -> pl.Series:
    # Null where there is no offset, which makes the difference null: not aware.
    sign = text.str.extract(r"([+-])\d{2}:?\d{2}$")
    hours = text.str.extract(r"[+-](\d{2}):?\d{2}$").cast(pl.Int64)
    minutes = text.str.extract(r"[+-]\d{2}:?(\d{2})$").cast(pl.Int64)
    size = (hours * 60 + minutes) * 60_000_000_000
    signed = (-size).zip_with(sign.eq("-").fill_null(False), size)
    zero = pl.Series([0], dtype=pl.Int64)
    utc = text.str.contains(r"(?i)(?:z|utc)$").fill_null(False)
    return zero.extend_constant(0, len(text) - 1).zip_with(utc, signed) if len(text) else signed


def _text(ns: int | np.int64) -> str:
    return str(np.datetime64(int(ns), "ns"))[:19].replace("T", " ")
