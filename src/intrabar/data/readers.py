"""Readers: from a file to a raw frame, with nothing repaired and nothing left out.

CSV (comma, semicolon or tab) and Parquet, also gzipped; told apart by their first bytes. Every
row keeps its text and its number, so that what the checks set aside can be written down as it
was. What the stamps mean in UTC is settled here; whether the bars are sound, in `checks`.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.data import calendars, periods
from intrabar.data.formats import Format, find_format, mapped_format
from intrabar.data.stamps import Stamps, known_zone, parse_stamps, to_utc
from intrabar.errors import ConfigError, DataError
from intrabar.model.bars import DAY_NS, Floats, Times

LABELS = ("start", "end")


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a file; what is None is told by the file or its format.

    Parameters
    ----------
    format : str, optional
        A name of `formats.FORMATS`.
    mapping : mapping, optional
        Fields to columns, for any other header.
    label : {"start", "end"}, optional
        Edge of the bar that its stamp marks.
    zone : str, optional
        IANA zone of stamps without an offset; None: the exchange's.
    period : str, optional
        "1m", "5m", "1h", "1d"; None: the most common step.
    calendar : str
        Exchange calendar; "" where none is known.
    side : {"mid", "bid", "ask"}
        Prices to take from a file of quotes.
    time_format : str, optional
        `strftime` words for stamps that are written in an unusual way.
    ambiguous : {"raise", "earliest", "latest"}
        What to make of a local time that happens twice and cannot be told apart.
    """

    format: str | None = None
    mapping: Mapping[str, str] | None = None
    label: str | None = None
    zone: str | None = None
    period: str | None = None
    calendar: str = ""
    side: str = "mid"
    time_format: str | None = None
    ambiguous: str = "raise"


@dataclass(frozen=True, slots=True, eq=False)
class RawBars:
    """Rows of a file as they stand, and what they mean.

    Parameters
    ----------
    rows : (n,) int64
        Number of each row in its file: the header of a CSV is row 1; Parquet and frames count
        from 0.
    open_time, close_time : (n,) int64, ns UTC
        0 where the stamp is unreadable.
    session : (n,) int64, days since 1970
    readable : (n,) bool
        The stamp could be read.
    prices : (n, 4) float64
        Open, high, low, close; NaN where blank or unreadable.
    volume : (n,) float64
        0 where the source has no volume, NaN where it has and a row is blank.
    period : int, ns
    format, label, zone, calendar : str
        What was found or given.
    source : str
        Name of the file.
    sha256 : str
        Of the file's bytes; "" for frames.
    original : DataFrame
        The columns as they stand in the file.
    has_volume : bool
    """

    rows: Times
    open_time: Times
    close_time: Times
    session: Times
    readable: NDArray[np.bool_]
    prices: Floats
    volume: Floats
    period: int
    format: str
    label: str
    zone: str
    calendar: str
    source: str
    sha256: str
    original: pl.DataFrame
    has_volume: bool


def read_file(path: Path | str, how: Reading | None = None) -> RawBars:
    """Read a file of bars.

    Raises
    ------
    DataError
        The file is missing, empty, cut short, no table, or its columns or stamps fit nothing;
        the message says what was found and what to do.
    ConfigError
        A parameter is wrong, such as an unknown zone.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: there is no such file")
    if path.is_dir():
        raise DataError(f"{path} is a folder; name a file")
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        frame, first_row = _table(content)
        return read_frame(frame, how, source=path.name, sha256=sha256, first_row=first_row)
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from error


def read_frame(
    frame: pl.DataFrame,
    how: Reading | None = None,
    *,
    source: str = "frame",
    sha256: str = "",
    first_row: int = 0,
) -> RawBars:
    """Read a Polars frame of bars, as `read_file` reads a file."""
    how = how or Reading()
    if how.label is not None and how.label not in LABELS:
        raise ConfigError(f"label is {how.label!r}, must be start or end")
    form = _format(frame.columns, how)
    if frame.height == 0:
        raise DataError("there is a header but no row of data")
    clock = frame[form.clock] if form.clock else None
    stamps = parse_stamps(frame[form.time], clock, how.time_format)
    if not stamps.readable.any():
        raise DataError(
            f"no stamp of the column {form.time!r} can be read, the first is "
            f"{frame[form.time][0]!r}; give its format: --time-format '%d.%m.%Y %H:%M'"
        )
    label = how.label or form.label
    rows = np.arange(frame.height, dtype=np.int64) + first_row
    zone, period, times = _placed(stamps, how, label, rows)
    prices = np.column_stack([_mean(frame, pair) for pair in form.prices])
    volume = _sum(frame, form.volume)
    return RawBars(
        rows,
        *times,
        stamps.readable,
        prices,
        volume,
        period,
        form.name,
        label,
        zone,
        how.calendar,
        source,
        sha256,
        frame,
        bool(form.volume),
    )


def _placed(
    stamps: Stamps, how: Reading, label: str, rows: Times
) -> tuple[str, int, tuple[Times, Times, Times]]:
    wall = stamps.wall[stamps.readable]
    given = periods.parse_period(how.period) if how.period else None
    if periods.is_daily(wall, stamps.dates_only, given):
        times = _daily(stamps, label, how.calendar)
        zone = how.zone or calendars.zone_of(how.calendar)
        return known_zone(zone), DAY_NS, times
    if how.zone is None and not how.calendar and not stamps.aware[stamps.readable].all():
        raise DataError(
            "the stamps carry no offset and no zone is known; name the zone that they are written "
            "in (--zone America/New_York) or the exchange (--calendar NYSE)"
        )
    zone = how.zone or calendars.zone_of(how.calendar)
    utc = to_utc(stamps, zone, rows, how.ambiguous)
    period = given or periods.infer_period(utc[stamps.readable])
    shift = period if label == "start" else 0
    close_time = np.where(stamps.readable, utc + shift, 0)
    open_time = np.where(stamps.readable, close_time - period, 0)
    session = np.zeros_like(utc)
    if stamps.readable.any():
        known = open_time[stamps.readable]
        session[stamps.readable] = calendars.trade_dates(how.calendar, known)
    return zone, period, (open_time, close_time, session)


def _daily(stamps: Stamps, label: str, calendar: str) -> tuple[Times, Times, Times]:
    day = np.floor_divide(stamps.wall, DAY_NS)
    if label == "end" and stamps.clock and stamps.dates_only:
        day = day - 1  # midnight at the end of a day is the next date's 00:00
    opening, close = np.zeros_like(day), np.zeros_like(day)
    ok = stamps.readable
    opening[ok], close[ok] = calendars.hours_of(calendar, day[ok])
    return opening, close, np.where(ok, day, 0)


def _format(columns: list[str], how: Reading) -> Format:
    if how.mapping:
        return mapped_format(columns, how.mapping)
    return find_format(columns, how.format, how.side)


def _numbers(column: pl.Series) -> Floats:
    if column.dtype == pl.String:
        column = column.str.strip_chars()
    values = column.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    return np.asarray(values, np.float64)


def _mean(frame: pl.DataFrame, columns: tuple[str, ...]) -> Floats:
    if len(columns) == 1:
        return _numbers(frame[columns[0]])
    return np.asarray(np.mean([_numbers(frame[c]) for c in columns], axis=0), np.float64)


def _sum(frame: pl.DataFrame, columns: tuple[str, ...]) -> Floats:
    total = np.zeros(frame.height)
    for column in columns:
        total = total + _numbers(frame[column])
    return total


def _table(content: bytes) -> tuple[pl.DataFrame, int]:
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, zlib.error, OSError) as error:
            raise DataError(
                f"the gzip file is damaged or cut short ({error}); fetch it again"
            ) from error
    if not content.strip():
        raise DataError("the file is empty")
    try:
        if content[:4] == b"PAR1":
            return pl.read_parquet(io.BytesIO(content)), 0
        return _csv(content), 2
    except pl.exceptions.PolarsError as error:
        raise DataError(f"the file cannot be read as a table: {error}") from error


def _csv(content: bytes) -> pl.DataFrame:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    header = text.split("\n", 1)[0]
    if "\x00" in text or not header.strip().isprintable():
        raise DataError("the file is neither text nor Parquet")
    separator = max(",;\t", key=header.count)
    if not header.count(separator):
        raise DataError(f"the first line is no header of columns: {header.strip()[:60]!r}")
    try:
        return pl.read_csv(io.BytesIO(text.encode()), separator=separator, infer_schema=False)
    except pl.exceptions.ComputeError as error:
        if "more fields" in str(error):
            raise DataError(f"a row has more fields than the header {header.strip()!r}") from error
        raise
