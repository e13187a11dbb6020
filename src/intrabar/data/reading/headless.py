"""Files without a header: their columns are told by what stands in them, or asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from intrabar.data.reading.numbers import numbers_of
from intrabar.data.reading.table import Table
from intrabar.data.stamps import is_clock, parse_stamps
from intrabar.errors import DataError

if TYPE_CHECKING:
    from intrabar.data.readers import Reading

_PRICES = ("open", "high", "low", "close")
_ASK = (
    "name its columns in their order: --columns time,open,high,low,close,volume (clock for a time "
    "of day beside its date, - for what is not read)"
)
_EPOCH = r"^\d{9,19}(?:\.\d+)?$"
_NINJA = r"^\d{8} \d{6}$"


def named_columns(table: Table, how: Reading) -> tuple[Table, Reading]:
    """Name the columns of a table without a header.

    Returns
    -------
    (Table, Reading)
        The second with the columns as its mapping.

    Raises
    ------
    DataError
        The columns cannot be told apart, or the layout is that of two programs.
    """
    if how.mapping:
        raise DataError(f"the file has no header, so that --map finds no names; {_ASK}")
    names = _told(table.frame, table.rows)
    if re.match(_NINJA, str(table.frame[0, 0])) and (how.zone is None or how.label is None):
        missing = " ".join(
            word
            for word, value in (("--zone UTC", how.zone), ("--label end", how.label))
            if not value
        )
        other = missing.replace("UTC", "EST").replace("end", "start")
        raise DataError(
            f"the file has no header, and its layout is that of NinjaTrader ({missing}) and of "
            f"HistData ({other}); say which by these options"
        )
    if how.scale is None and names[0] == "time" and _is_lean(table.frame, names):
        raise DataError(
            "the file has no header, and its prices look like LEAN's, 10,000 times the price; say "
            "what they are multiplied by: --scale 0.0001, or --scale 1 to take them as they are"
        )
    frame = table.frame.rename(dict(zip(table.frame.columns, names, strict=True)))
    note = f"the file has no header; its columns were read as {','.join(_shown(names))}"
    return replace(table, frame=frame, headed=True, notes=(*table.notes, note)), how


def _is_lean(frame: pl.DataFrame, names: Sequence[str]) -> bool:
    if not re.match(r"^\d{8} \d{2}:\d{2}$", str(frame[0, 0])):
        return False
    whole = [frame[:, names.index(p)].cast(pl.Int64, strict=False) for p in _PRICES]
    return all(w.null_count() == 0 and bool(((w % 100) == 0).mean() > 0.9) for w in whole)  # type: ignore[operator]


def _told(frame: pl.DataFrame, rows: object) -> list[str]:
    width = frame.width
    if frame.height == 0:
        raise DataError(f"the file has no header; {_ASK}")
    names = [f"column {i + 1}" for i in range(width)]
    head = frame.head(2000)
    at = _ticker_first(head)
    if at:
        names[0] = "ticker"
    time = head[:, at]
    if not parse_stamps_ok(time):
        raise DataError(
            f"the first row holds numbers, so the file has no header, and {head[0, at]!r} is no "
            f"stamp; {_ASK}"
        )
    epoch = bool(time.cast(pl.String).str.contains(_EPOCH).fill_null(False).all())
    epoch = epoch and not _is_date(time)
    first = at + 1
    names[at] = "time"
    if not epoch and first < width and is_clock(head[:, first]) and _is_date(time):
        names[at], names[first] = "date", "clock"
        first += 1
    if first + 4 > width or not _are_prices(head, range(first, first + 4)):
        raise DataError(
            "the first row holds numbers, so the file has no header, and its columns do not look "
            f"like open, high, low, close after the stamp; {_ASK}"
        )
    names[first : first + 4] = _PRICES
    rest = width - first - 4
    binance = rest == 7 and epoch  # volume, close time, and what was traded
    if rest == 1 or binance or (rest == 2 and epoch and _whole(head[:, first + 5])):
        names[first + 4] = "volume"
    elif rest > 0:
        raise DataError(
            f"the file has no header, and of its {width} columns it is not known which is the "
            f"volume; {_ASK}"
        )
    return names


def parse_stamps_ok(column: pl.Series) -> bool:
    """Whether most cells of a column can be read as stamps."""
    try:
        return bool(parse_stamps(column, zone_given=True).readable.mean() > 0.5)
    except DataError:
        return True  # they can, in two ways


def _ticker_first(head: pl.DataFrame) -> int:
    first = head[:, 0].cast(pl.String)
    words = first.str.contains(r"^[A-Za-z][\w./:\-^=]*$").fill_null(False)
    return int(bool(words.mean() > 0.9) and not parse_stamps_ok(head[:, 0]))  # type: ignore[operator]


def _is_date(column: pl.Series) -> bool:
    try:
        return parse_stamps(column, zone_given=True).dates_only
    except DataError:
        return not bool(column.cast(pl.String).str.contains(":").any())


def _are_prices(head: pl.DataFrame, places: Sequence[int] | range) -> bool:
    names = [head.columns[i] for i in places]
    try:
        made = numbers_of(head, names, (), None)
    except DataError:
        return False
    o, h, l, c = (made[n] for n in names)  # noqa: E741
    with np.errstate(invalid="ignore"):
        sound = (h >= np.maximum(o, c)) & (l <= np.minimum(o, c)) & (l > 0)
        known = np.isfinite(o + h + l + c)
    return bool(known.any()) and bool(sound[known].mean() > 0.9)


def _whole(column: pl.Series) -> bool:
    return bool(column.cast(pl.String).str.contains(r"^\d+$").fill_null(False).all())


def _shown(names: Sequence[str]) -> list[str]:
    return ["-" if name.startswith("column ") else name for name in names]
