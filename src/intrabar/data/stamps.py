"""Stamps: from the text of a date and time to UTC nanoseconds.

A stamp with `Z` or an offset is taken at its word; one without is local time of a named zone.
Where clocks go back an hour happens twice: the order of the rows tells which is which, and
where it does not, the error says so. Times that clocks skip are an error: the zone is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.data.reading.dates import parse_by_format, parse_dates
from intrabar.data.reading.offsets import split_tails
from intrabar.errors import ConfigError, DataError
from intrabar.model.bars import DAY_NS, Times
from intrabar.model.values import shown

AMBIGUOUS = ("raise", "earliest", "latest")

DIGIT_DATES = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_DIGITS = r"^-?\d{5,19}(?:\.\d+)?$"
_DIGIT_TIME = r"^\d{1,6}(?:\.0)?$"
_TIME = (
    r"(?i)^\d{1,2}(?::\d{2}(?:[:.]\d{2}(?:[.,:]\d+)?)?(?: ?[ap]\.?m\.?)?"
    r"(?: ?(?:z|utc|gmt|[a-z]{2,4}|[+-]\d{2}:?\d{2}))?| ?[ap]m)$"
)
_SECOND = 1_000_000_000
_QUARTER = 900 * _SECOND
_ALWAYS_UTC = ("UTC", "Etc/UTC")
_FIRST = 10**8 * _SECOND  # numbers of fewer digits are no instants


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
    column: pl.Series,
    clock: pl.Series | None = None,
    time_format: str | None = None,
    *,
    fits: Callable[[Times], bool] = lambda days: True,
    zone_given: bool = False,
) -> Stamps:
    """Read a column of stamps: text, dates, datetimes, or numbers since 1970.

    Parameters
    ----------
    column : Series
        Numbers are seconds, milliseconds, microseconds or nanoseconds, each by its size; or
        dates written as digits, if all of them are: 20240312, 202403120930.
    clock : Series of text, optional
        Time of day, where the column has the date only.
    time_format : str, optional
        Format of the text in the words of `strftime`, where the usual ones do not fit.
    fits : callable, optional
        Whether dates (days since 1970) may be those of bars, where day and month can be
        exchanged.
    zone_given : bool
        Letters that may be several zones are passed over.

    Raises
    ------
    DataError
        Day and month cannot be told apart, or letters of a zone may be several zones.
    """
    if clock is None:
        if column.dtype == pl.Date:
            return made_stamps(column.cast(pl.Datetime("ns")).to_physical(), None, clock=False)
        if isinstance(column.dtype, pl.Datetime):
            return _from_datetimes(column)
    text = text_of(column)
    if clock is not None:
        times = times_of_day(clock, digits_of_times(clock))
        text = text.str.replace(r"[ T]00:00(?::00(?:\.0+)?)?$", "") + " " + times
    elif time_format is None and (made := _from_digits(text)) is not None:
        return made
    present = text.drop_nulls()
    with_clock = bool(present.str.contains(r"[:\s]").any())
    if time_format is not None and "%z" in time_format.replace("#", "").replace(":z", "z"):
        wall, utc = parse_by_format(text, time_format)
        return made_stamps(wall, utc, clock=with_clock)
    text = text.str.replace(r"(?i)((?:gmt|utc)?[+-]\d{4}) \([a-z ]+\)$", "${1}")
    tails = split_tails(text, zone_given)
    plain = text if tails is None else tails.text
    wall = _by_format(plain, time_format) if time_format else parse_dates(plain, fits)
    if tails is None:
        return made_stamps(wall, None, clock=with_clock)
    utc = wall - tails.offset
    made = made_stamps(wall, utc, clock=with_clock)
    for zone in tails.zone.drop_nulls().unique().to_list():
        here = (tails.zone == zone).fill_null(False).to_numpy() & made.readable
        naive = replace(made, readable=here, aware=np.zeros_like(here))
        rows = np.arange(here.size, dtype=np.int64) + 1
        made.utc[here] = to_utc(naive, zone, rows)[here]
        made.aware[here] = True
    return made


def is_clock(column: pl.Series) -> bool:
    """Whether a column holds times of day alone: 09:30, 93000, 9:30 PM."""
    if column.dtype == pl.Time:
        return True
    if isinstance(column.dtype, pl.Datetime) or column.dtype == pl.Date:
        return False
    text = text_of(column).drop_nulls().head(500)
    times = text.str.contains(_DIGIT_TIME) | text.str.contains(_TIME)
    return bool(len(text)) and 2 * int(times.sum()) > len(text)


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
    if zone in _ALWAYS_UTC:
        utc[naive] = stamps.wall[naive]
        return utc
    chosen, later, missing = _both_readings(stamps.wall[naive], zone)
    if missing.any():
        at = int(naive[np.argmax(missing)])
        raise DataError(
            f"row {rows[at]}: {_text(stamps.wall[at])} does not exist in {zone}, where clocks go "
            "forward over it; name the zone that the file is written in (--zone)"
        )
    twice = np.flatnonzero(chosen != later)
    if twice.size:
        walls, numbers = stamps.wall[naive], rows[naive]
        newest_first = np.count_nonzero(np.diff(walls) < 0) * 2 > walls.size
        if newest_first:
            walls, numbers, twice = walls[::-1], numbers[::-1], (walls.size - 1 - twice)[::-1]
        second_pass = _second_pass(walls, twice, numbers, zone, ambiguous)
        if newest_first:
            second_pass, twice = second_pass[::-1], (walls.size - 1 - twice)[::-1]
        chosen[twice] = np.where(second_pass, later[twice], chosen[twice])
    utc[naive] = chosen
    return utc


def known_zone(zone: str) -> str:
    """The zone, if there is one of that name."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            f"unknown time zone {shown(zone)}; use an IANA name such as America/New_York, "
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


def _both_readings(wall: Times, zone: str) -> tuple[Times, Times, NDArray[np.bool_]]:
    """UTC of the earlier and the later reading of local times, and which do not exist."""
    # Clocks have changed on a quarter of an hour since 1970, so one stamp of each will do.
    quarter = wall // _QUARTER if wall.size and wall.min() >= 0 else wall
    begins = np.flatnonzero(np.append(True, quarter[1:] != quarter[:-1]))
    one = pl.Series(wall[begins]).cast(pl.Datetime("ns"))
    readings = [_localized(one, zone, which) for which in ("earliest", "latest")]
    missing = readings[0].is_null().to_numpy()
    sizes = np.diff(np.append(begins, wall.size))
    moves = [
        r.to_physical().fill_null(0).to_numpy().astype(np.int64) - wall[begins] for r in readings
    ]
    early, late = (wall + np.repeat(move, sizes) for move in moves)
    return early, late, np.repeat(missing, sizes)


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
        return made_stamps(fine.to_physical(), None, clock=True)
    wall = fine.dt.replace_time_zone(None).to_physical()
    return made_stamps(wall, fine.to_physical(), clock=True)


def made_stamps(wall: pl.Series, utc: pl.Series | None, *, clock: bool) -> Stamps:
    """Stamps of wall clocks and, where there are offsets, instants (ns, null: none)."""
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


def text_of(column: pl.Series) -> pl.Series:
    """A column as text without blanks around it, null where nothing is left."""
    if column.dtype.is_float():
        whole = column.is_null() | column.is_nan() | (column % 1 == 0)
        if whole.all():
            column = column.cast(pl.Int64, strict=False)
    if column.dtype == pl.Object:
        column = pl.Series([None if v is None else str(v) for v in column], dtype=pl.String)
    text = column.cast(pl.String).str.strip_chars()
    return text.set(text == "", None)


def _by_format(text: pl.Series, form: str) -> pl.Series:
    """Text without its zone by a format of the user, with or without letters of a zone."""
    bare = form.replace("%Z", "").rstrip()
    ways = [
        form,
        bare,
        *(f"{bare} {clock}" for clock in ("%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p")),
    ]
    cut = bare.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz/_")
    if not cut.endswith("%"):
        ways.append(cut.rstrip())
    made = [parse_by_format(text, way)[0] for way in dict.fromkeys(ways)]
    return max(made, key=lambda one: int(one.is_not_null().sum()))


def _from_digits(text: pl.Series) -> Stamps | None:
    """Stamps that are written as digits alone, None where most are not."""
    digits = text.str.contains(_DIGITS).fill_null(False)
    if 2 * int(digits.sum()) <= len(text.drop_nulls()) or not digits.any():
        return None
    bare = text.str.replace(r"\.0+$", "").set(~digits, None)
    present = bare.drop_nulls()
    widths = present.str.len_chars()
    width = int(widths[0])
    if width in DIGIT_DATES and (widths == width).all():
        if present.str.contains(r"^(?:19|20)\d+$").all():
            wall = parse_by_format(bare, DIGIT_DATES[width])[0]
            if wall.is_null().sum() == bare.is_null().sum():
                return made_stamps(wall, None, clock=width > 8)
    utc = _since_1970(bare)
    return made_stamps(utc, utc, clock=True)


def _since_1970(text: pl.Series) -> pl.Series:
    if text.str.contains(r"\.").any():
        return instants_of(text.cast(pl.Float64, strict=False))
    return instants_of(text.cast(pl.Int64, strict=False))


def instants_of(number: pl.Series) -> pl.Series:
    """Ns of numbers since 1970, the unit of each by its size; null before 1973, after next year."""
    frame = pl.DataFrame({"number": number, "size": number.abs()})
    scale = (
        pl.when(pl.col("size") < 10**11)
        .then(_SECOND)
        .when(pl.col("size") < 10**14)
        .then(10**6)
        .when(pl.col("size") < 10**17)
        .then(1000)
        .otherwise(1)
    )
    exact = pl.col("number") * scale
    if number.dtype == pl.Float64:
        exact = (exact / 1000).round().cast(pl.Int64, strict=False) * 1000
    next_year = (int(datetime.now(UTC).timestamp()) + 366 * 86_400) * _SECOND
    return frame.select(
        pl.when((exact >= _FIRST) & (exact <= next_year)).then(exact.cast(pl.Int64))
    ).to_series()


def digits_of_times(clock: pl.Series) -> int:
    """Most digits of the times of day that are written without colons; 0 where none is."""
    text = text_of(clock).str.replace(r"\.0+$", "")
    digits = text.filter(text.str.contains(r"^\d{1,6}$"))
    return int(digits.str.len_chars().max() or 0)  # type: ignore[arg-type]


def times_of_day(clock: pl.Series, longest: int) -> pl.Series:
    """Times of day as text with colons; digits that lost their zeros are padded to the longest."""
    text = text_of(clock).str.replace(r"\.0+$", "")
    if not longest:
        return text
    digits = text.str.contains(r"^\d{1,6}$").fill_null(False)
    hours = clock.name.strip("<> ").lower() in ("hour", "hora", "heure") and longest <= 2
    width = 2 if hours else 4 if longest <= 4 else 6
    padded = text.str.zfill(width)
    made = padded.str.slice(0, 2) + ":" + (padded.str.slice(2, 2) if width > 2 else "00")
    if width == 6:
        made = made + ":" + padded.str.slice(4, 2)
    return made.zip_with(digits, text)


def _text(ns: int | np.int64) -> str:
    return str(np.datetime64(int(ns), "ns"))[:19].replace("T", " ")
