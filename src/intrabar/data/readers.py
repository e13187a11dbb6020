"""Readers: from a file to raw bars, with nothing repaired and nothing left out in silence.

Text, JSON, Parquet, feather and Excel, packed or not, told apart by their bytes (`reading/`);
frames go the same way from their columns on. Every row keeps its text and its number, so that
what the checks set aside can be written down as it was. What the stamps mean in UTC is settled
here; whether the bars are sound, in `checks`. What cannot be told is asked, by an error that
names the option.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.data import calendars, periods
from intrabar.data.formats import FORMATS, Format, find_format
from intrabar.data.instruments import pair_of
from intrabar.data.reading.headless import named_columns
from intrabar.data.reading.numbers import numbers_of
from intrabar.data.reading.offered import READERS, read_by
from intrabar.data.reading.placing import Place, place
from intrabar.data.reading.several import one_instrument, one_ticker
from intrabar.data.reading.sources import table_in
from intrabar.data.reading.stamp_columns import stamp_columns
from intrabar.data.reading.table import Table, counted
from intrabar.data.reading.words import plain, zone_in
from intrabar.data.stamps import Stamps, parse_stamps
from intrabar.errors import ConfigError, DataError, FileError
from intrabar.model.bars import Floats, Times

LABELS = ("start", "end")
_FIXED_POINT = 1e-9
UNDEFINED = float(2**63 - 1)


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a file; what is None is told by the file or its format.

    Parameters
    ----------
    format : str, optional
        A name of `formats.FORMATS`.
    mapping : mapping, optional
        Fields to columns, where the header does not tell.
    columns : sequence of str
        Names of the columns in their order, for a file without a header: "time", "open", ...
    only : mapping
        Column to value: the rows of one instrument among several; the value "*" takes all.
    symbol : str
        What the bars will be called; "" where that says nothing.
    label : {"start", "end"}, optional
        Edge of the bar that its stamp marks.
    zone : str, optional
        IANA zone of stamps without an offset; None: the exchange's.
    period : str, optional
        "1m", "5m", "1h", "1d"; None: the most common step.
    calendar : str
        Exchange calendar; "" where none is known.
    suggested : bool
        The calendar is what the symbol's name suggests, "" for nothing: it tells the zone only
        where the bars bear it out, and they may tell the calendar.
    side : {"mid", "bid", "ask"}
        Prices to take from a file of quotes.
    time_format : str, optional
        `strftime` words for stamps that are written in an unusual way.
    ambiguous : {"raise", "earliest", "latest"}
        What to make of a local time that happens twice and cannot be told apart.
    decimal : {".", ","}, optional
        What parts the decimals of a number; None: told by the numbers.
    scale : float, optional
        What prices are multiplied by: 1e-9 for fixed point, 0.01 for cents.
    """

    format: str | None = None
    mapping: Mapping[str, str] | None = None
    columns: Sequence[str] = ()
    only: Mapping[str, str] = field(default_factory=dict)
    symbol: str = ""
    label: str | None = None
    zone: str | None = None
    period: str | None = None
    calendar: str = ""
    suggested: bool = False
    side: str = "mid"
    time_format: str | None = None
    ambiguous: str = "raise"
    decimal: str | None = None
    scale: float | None = None


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
    long : (n,) bool
        The row has more cells than the header.
    notes : tuple of str
        What was guessed or left out on the way, for people.
    read : tuple of str
        Columns that were read, or may have been in place of others.
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
    long: NDArray[np.bool_]
    notes: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


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
        raise FileError(f"{path}: there is no such file")
    if path.is_dir():
        raise DataError(f"{path} is a folder; name a file")
    how = how or Reading()
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        if how.format is not None and how.format not in FORMATS and how.format in READERS:
            table, how = read_by(how.format, path), replace(how, format=None)
        else:
            table = table_in(content, how.symbol, how.columns)
        return read_table(table, how, path.name, sha256)
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from error


def read_frame(frame: pl.DataFrame, how: Reading | None = None) -> RawBars:
    """Read a Polars frame of bars, as `read_file` reads a file."""
    return read_table(counted(frame), how or Reading(), "frame", "")


def read_table(table: Table, how: Reading, source: str, sha256: str) -> RawBars:
    """Read the columns of a table.

    Parameters
    ----------
    table : Table
    how : Reading
    source : str
        Name of the file.
    sha256 : str
        Of the file's bytes; "" for frames.

    Raises
    ------
    DataError, ConfigError
        As `read_file`.
    """
    table, how, form, (time, clock) = understood(table, how)
    frame = table.frame
    stamps = stamps_in(frame, time, clock, how, table.rows)
    placed = place(stamps, table.rows, place_of(table, form, time, how))
    numbers = numbers_of(frame, form.price_columns, volumes_in(frame, form), how.decimal)
    made, notes = prices_in(frame, form, numbers, how.scale)
    volume, taken, told = volume_in(frame, form, numbers)
    notes = (*table.notes, *placed.notes, *notes, *told, *twofold(form))
    long = np.zeros(frame.height, np.bool_) if table.long is None else table.long
    return RawBars(
        table.rows,
        placed.open_time,
        placed.close_time,
        placed.session,
        stamps.readable,
        made,
        volume,
        placed.period,
        form.name,
        placed.label,
        placed.zone,
        placed.calendar,
        source,
        sha256,
        frame,
        taken,
        long,
        notes,
        (*form.columns, *form.other_closes),
    )


def understood(table: Table, how: Reading) -> tuple[Table, Reading, Format, tuple[str, str]]:
    """The rows of one instrument, and which columns are what: those of stamp and clock apart.

    Raises
    ------
    DataError, ConfigError
        As `read_file`.
    """
    if how.label is not None and how.label not in LABELS:
        raise ConfigError(f"label is {how.label!r}, must be start or end")
    if how.decimal not in (None, ".", ","):
        raise ConfigError(f"decimal is {how.decimal!r}, must be '.' or ','")
    if not table.headed:
        table, how = named_columns(table, how)
    table = one_ticker(table, how.symbol, how.only)
    quote = (pair_of(how.symbol) or ("", ""))[1]
    form = find_format(table.frame.columns, how.format, how.side, how.mapping, quote)
    table = one_instrument(table, form.columns, how.symbol, how.only)
    if table.frame.height == 0:
        raise DataError("there is a header but no row of data")
    return table, how, form, stamp_columns(table.frame, form)


def place_of(table: Table, form: Format, time: str, how: Reading) -> Place:
    """What is known about where the stamps of a table lie."""
    period = periods.parse_period(how.period) if how.period else None
    return Place(
        how.calendar,
        how.suggested,
        how.symbol,
        how.zone,
        zone_in(time) or table.zone,
        how.label or form.label,
        how.label is not None or form.label_known,
        period,
        how.ambiguous,
    )


def stamps_in(frame: pl.DataFrame, time: str, clock: str, how: Reading, rows: Times) -> Stamps:
    """The stamps of a table, most of which can be read."""
    stamps = parse_stamps(
        frame[time],
        frame[clock] if clock else None,
        how.time_format,
        fits=_fits(how),
        zone_given=how.zone is not None,
    )
    lost = int(np.count_nonzero(~stamps.readable))
    if 3 * lost > frame.height:
        at = int(np.argmax(~stamps.readable))
        text = f"{frame[time][at]}" + (f" {frame[clock][at]}" if clock else "")
        if "e+" in text.lower():
            raise DataError(
                f"the stamps have lost their digits, in a spreadsheet perhaps: {text!r} (row "
                f"{rows[at]}); fetch the file again"
            )
        if re.fullmatch(r"[2-6]\d{4}(?:\.\d+)?", text):
            raise DataError(
                f"the stamps of the column {time!r}, such as {text!r}, look like days as Excel "
                "counts them; give the column the form of a date in the spreadsheet and save again"
            )
        which = "no stamp" if lost == frame.height else f"{lost} of {frame.height} stamps"
        hint = "%d.%m.%Y %H:%M" if clock or ":" in text else "%d.%m.%Y"
        verb = "can be read, the first is" if lost == frame.height else "cannot be read, such as"
        raise DataError(
            f"{which} of the column {time!r} {verb} {text!r} (row {rows[at]}); give its format in "
            f"strftime's words, such as --time-format '{hint}', or another column: --map time=..."
        )
    return stamps


def _fits(how: Reading) -> Callable[[Times], bool]:
    """Whether dates may be those of bars: sessions of the exchange, else weekdays."""

    def fit(days: Times) -> bool:
        if how.calendar:
            return bool(calendars.is_session(how.calendar, days).mean() > 0.95)
        return not how.suggested or bool(((days + 3) % 7 < 5).mean() > 0.95)

    return fit


def volumes_in(frame: pl.DataFrame, form: Format) -> tuple[str, ...]:
    """Columns that may be the volume and hold numbers."""
    return tuple(c for c in (*form.volume, *form.other_volumes) if _may_be_numbers(frame[c]))


def _may_be_numbers(column: pl.Series) -> bool:
    return column.dtype == pl.String or column.dtype.is_numeric() or column.dtype == pl.Null


def prices_in(
    frame: pl.DataFrame, form: Format, numbers: Mapping[str, Floats], scale: float | None
) -> tuple[Floats, tuple[str, ...]]:
    """Open, high, low, close, and what is to be told about them."""
    prices = np.column_stack([np.mean([numbers[c] for c in pair], axis=0) for pair in form.prices])
    notes: tuple[str, ...] = ()
    if plain(form.prices[3][0]) == "prc" and (prices[:, 3] < 0).any():
        count = int(np.count_nonzero(prices[:, 3] < 0))
        prices[:, 3] = np.abs(prices[:, 3])
        notes = (
            f"{count} negative PRC are means of bid and ask, as CRSP marks them: taken as positive",
        )
    prices[prices >= UNDEFINED] = np.nan
    if scale is not None:
        return prices * scale, (*notes, f"prices were multiplied by {scale:g}")
    middle = float(np.nanmedian(prices)) if np.isfinite(prices).any() else 0.0
    whole = np.isfinite(prices)
    if middle >= 1e7 and not np.mod(prices[whole], 1).any():
        has = {plain(c) for c in frame.columns}
        if "rtype" in has or "publisher id" in has:
            return prices * _FIXED_POINT, (*notes, "prices are fixed point of 1e-9, as Databento's")
        if middle >= 1e9:
            raise DataError(
                f"the prices, such as {middle:.0f}, look like fixed point; say what they are "
                "multiplied by: --scale 1e-9, or --scale 1 to take them as they are"
            )
    return prices, notes


def volume_in(
    frame: pl.DataFrame, form: Format, numbers: Mapping[str, Floats]
) -> tuple[Floats, bool, tuple[str, ...]]:
    """The volume, whether there is one, and what is to be told about it."""
    empty = np.zeros(frame.height)
    if not form.volume:
        if form.other_volumes:
            told = ", ".join(map(repr, form.other_volumes))
            return (
                empty,
                False,
                (
                    f"no volume was read, it is 0; columns that may be it: {told} (--map "
                    f'"volume={form.other_volumes[0]}")',
                ),
            )
        return empty, False, ()
    total = np.sum([numbers[c] for c in form.volume if c in numbers] or [empty * np.nan], axis=0)
    others = tuple(c for c in form.other_volumes if c in numbers)
    if not np.nan_to_num(total).any():
        # MetaTrader's real volume is 0 where the broker has none.
        if full := [c for c in others if "tick" in plain(c) and np.nan_to_num(numbers[c]).any()]:
            return numbers[full[0]], True, (f"the volume is {full[0]}: {form.volume[0]} is 0",)
    named = " + ".join(form.volume)
    if np.isnan(total).all() or (total == -1).all():
        return empty, False, (f"the column {named!r} has no volume in any row; it is written as 0",)
    if others:
        told = ", ".join(map(repr, others))
        return total, True, (f"the volume is {named!r}; not read: {told}",)
    return total, True, ()


def twofold(form: Format) -> tuple[str, ...]:
    """What is to be told of columns that may be the close as well."""
    if not form.other_closes:
        return ()
    told = ", ".join(map(repr, form.other_closes))
    return (f"the close is {form.prices[3][0]!r}; not read: {told} (--map close=...)",)
