"""Frames at the edges: bars from a Polars or pandas frame, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from intrabar.data.checks import REJECTING, check
from intrabar.data.periods import period_text
from intrabar.data.readers import Reading, read_frame
from intrabar.errors import DataError
from intrabar.model.bars import Bars

if TYPE_CHECKING:
    import pandas as pd


def bars_from_frame(
    frame: pl.DataFrame | pd.DataFrame,
    symbol: str,
    *,
    columns: Mapping[str, str] | None = None,
    label: str | None = None,
    zone: str | None = None,
    period: str | None = None,
    calendar: str = "",
    sort: bool = False,
) -> Bars:
    """Make bars of a Polars or pandas frame.

    Parameters
    ----------
    frame : DataFrame
        Columns as in a file of bars; a pandas index of stamps counts as a column.
    symbol : str
    columns : mapping, optional
        Fields `time`, `open`, `high`, `low`, `close`, `volume` to columns.
    label : {"start", "end"}, optional
        Edge of the bar that its stamp marks; None: "start", as most sources do.
    zone : str, optional
        IANA zone of stamps without one; None: the exchange's.
    period : str, optional
        "5m", "1d"; None: the most common step.
    calendar : str
    sort : bool

    Raises
    ------
    DataError
        A row cannot be used; unlike a file's, a frame's rows are not set aside.
    """
    how = Reading(mapping=columns, label=label, zone=zone, period=period, calendar=calendar)
    table = frame if isinstance(frame, pl.DataFrame) else _from_pandas(frame)
    checked = check(read_frame(table, how), symbol, sort=sort)
    broken = [f for f in checked.findings if f.severity == "error"]
    if broken:
        told = "; ".join(f"{REJECTING[f.rule]} ({', '.join(f.examples)})" for f in broken)
        raise DataError(f"{symbol}: {told}")
    return checked.bars


def to_polars(bars: Bars) -> pl.DataFrame:
    """Bars as a Polars frame: close_time, open_time (UTC, ns), open .. volume, session (date)."""
    moment = pl.Datetime("ns", "UTC")
    return pl.DataFrame(
        {
            "close_time": pl.Series(bars.close_time).cast(moment),
            "open_time": pl.Series(bars.open_time).cast(moment),
            "open": bars.open,
            "high": bars.high,
            "low": bars.low,
            "close": bars.close,
            "volume": bars.volume,
            "session": pl.Series(bars.session.astype(np.int32)).cast(pl.Date),
        }
    )


def from_polars(frame: pl.DataFrame, symbol: str, period: int) -> Bars:
    """Bars of a frame that `to_polars` made; `period` in ns."""

    def ints(name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
        return frame[name].to_physical().to_numpy().astype(np.int64)

    prices = (frame[name].to_numpy() for name in ("open", "high", "low", "close"))
    open_, high, low, close = prices
    return Bars(
        symbol,
        ints("close_time"),
        open_,
        high,
        low,
        close,
        frame["volume"].to_numpy(),
        period,
        ints("open_time"),
        ints("session"),
    )


def to_pandas(bars: Bars) -> pd.DataFrame:
    """Bars as a pandas frame, indexed by `close_time` (UTC); its `attrs` name symbol and period."""
    import pandas as pd

    index = pd.DatetimeIndex(bars.close_time.view("datetime64[ns]"), name="close_time")
    frame = pd.DataFrame(
        {
            "open_time": pd.DatetimeIndex(bars.open_time.view("datetime64[ns]")).tz_localize("UTC"),
            "open": bars.open,
            "high": bars.high,
            "low": bars.low,
            "close": bars.close,
            "volume": bars.volume,
            "session": bars.session.astype("datetime64[D]").astype("datetime64[ns]"),
        }
    )
    frame.index = index.tz_localize("UTC")
    frame.attrs = {"symbol": bars.symbol, "period": period_text(bars.period)}
    return frame


def _from_pandas(frame: pd.DataFrame) -> pl.DataFrame:
    # Through NumPy: Polars' own way needs pyarrow, which is no dependency.
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"a frame is needed, not {type(frame).__name__}")
    if isinstance(frame.index, pd.DatetimeIndex):
        index = frame.index.rename(frame.index.name or "time")
        frame = frame.set_axis(index, axis=0).reset_index()
    columns: dict[str, pl.Series] = {}
    for name in frame.columns:
        # yfinance names its columns by pairs of field and symbol
        field = str(name[0] if isinstance(name, tuple) else name)
        if field not in columns:
            columns[field] = _series(frame[name])
    return pl.DataFrame(columns)


def _series(column: Any) -> pl.Series:
    import pandas as pd

    if isinstance(column.dtype, pd.DatetimeTZDtype):
        zone = str(column.dtype.tz)
        utc = column.dt.tz_convert("UTC").dt.tz_localize(None)
        stamps = pl.Series(utc.to_numpy().astype("datetime64[ns]"))
        return stamps.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return pl.Series(column.to_numpy().astype("datetime64[ns]"))
    if pd.api.types.is_numeric_dtype(column.dtype):
        return pl.Series(column.to_numpy(dtype=float, na_value=float("nan")))
    return pl.Series([None if pd.isna(v) else str(v) for v in column], dtype=pl.String)
