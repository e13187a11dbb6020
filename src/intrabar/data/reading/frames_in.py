"""Frames of a program as tables: Polars, pandas with any index and columns, Arrow."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from intrabar.data.reading.table import Table, counted
from intrabar.data.reading.text import unique
from intrabar.data.reading.words import STAMPS, TICKERS, plain
from intrabar.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def table_of(frame: Any) -> Table:
    """The columns of a frame, its index among them where it holds more than a count.

    Raises
    ------
    DataError
        It is no frame.
    """
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, pl.DataFrame):
        return counted(frame)
    if type(frame).__module__.partition(".")[0] == "pandas" and hasattr(frame, "columns"):
        return _of_pandas(frame)
    if hasattr(frame, "__arrow_c_stream__") and hasattr(frame, "columns"):
        return counted(pl.DataFrame(frame))
    raise DataError(f"a frame is needed, not {type(frame).__name__}")


def _of_pandas(frame: pd.DataFrame) -> Table:
    # Through NumPy: Polars' own way needs pyarrow, which is no dependency.
    import pandas as pd

    labels = [_label(name) for name in frame.columns]
    columns = [(label, frame.iloc[:, i]) for i, label in enumerate(labels)]
    levels = range(frame.index.nlevels)
    indexed = []
    for level in levels:
        values = frame.index.get_level_values(level)
        name = str(frame.index.names[level] or "")
        if isinstance(values, pd.PeriodIndex):
            values = values.to_timestamp()
        plain_count = pd.api.types.is_integer_dtype(values.dtype) and len(values) < 10**7
        if plain_count and not name and (len(values) == 0 or abs(int(values.max())) < 10**7):
            continue  # a count that lost its first rows
        if name in labels:
            continue
        known = plain(name) in STAMPS or plain(name) in TICKERS
        if not name or (not known and frame.index.nlevels == 1):
            name = "time" if "time" not in map(plain, labels) else "index"
        indexed.append((name, pd.Series(values, name=name)))
    names, repeated = unique([name for name, _ in (*indexed, *columns)])
    cells = [_series(column) for _, column in (*indexed, *columns)]
    made = pl.DataFrame([c.alias(n) for n, c in zip(names, cells, strict=True)])
    return counted(made, repeated=repeated)


def _label(name: Any) -> str:
    """A column's name; pairs, as yfinance has them, with both parts."""
    if not isinstance(name, tuple):
        return str(name)
    parts = [str(part) for part in name if str(part) not in ("", "nan")]
    return parts[0] if len(parts) == 1 else str(tuple(parts[:2]))


def _series(column: Any) -> pl.Series:
    import pandas as pd

    if isinstance(column.dtype, pd.DatetimeTZDtype):
        zone = str(column.dtype.tz)
        utc = column.dt.tz_convert("UTC").dt.tz_localize(None)
        stamps = pl.Series(utc.to_numpy().astype("datetime64[ns]"))
        return _zoned(stamps.dt.replace_time_zone("UTC"), zone)
    if isinstance(column.dtype, pd.PeriodDtype):
        return _series(column.dt.to_timestamp())
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return pl.Series(column.to_numpy().astype("datetime64[ns]"))
    if pd.api.types.is_bool_dtype(column.dtype):
        return pl.Series([None if pd.isna(v) else str(v) for v in column], dtype=pl.String)
    if pd.api.types.is_integer_dtype(column.dtype) and not column.isna().any():
        return pl.Series(column.to_numpy(dtype="int64"))
    if pd.api.types.is_numeric_dtype(column.dtype):
        return pl.Series(column.to_numpy(dtype=float, na_value=float("nan")))
    return pl.Series([_text(v) for v in column], dtype=pl.String)


def _text(cell: Any) -> str | None:
    """A cell of any kind as text; None for a missing one."""
    import pandas as pd

    if isinstance(cell, Decimal):
        return None if cell.is_nan() else str(cell)
    return None if pd.api.types.is_scalar(cell) and pd.isna(cell) else str(cell)


def _zoned(stamps: pl.Series, zone: str) -> pl.Series:
    # pandas has fixed offsets that are no zones of IANA: "UTC-04:00"
    try:
        return stamps.dt.convert_time_zone(zone)
    except pl.exceptions.PolarsError:
        offset = re.fullmatch(r"UTC([+-])(\d{2}):(\d{2})", zone)
        if offset is None or offset[3] != "00":
            return stamps
        sign = "-" if offset[1] == "+" else "+"
        return stamps.dt.convert_time_zone(f"Etc/GMT{sign}{int(offset[2])}")
