"""Frames at the edges: bars from a Polars or pandas frame, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from intrabar.data.calendars import calendar_named
from intrabar.data.checks import REJECTING, Checked, check
from intrabar.data.periods import period_text
from intrabar.data.readers import Reading, read_table
from intrabar.data.reading.dialects import in_python
from intrabar.data.reading.frames_in import table_of
from intrabar.data.reading.words import TICKERS, VENDORS, plain
from intrabar.errors import ConfigError, DataError
from intrabar.model.bars import Bars
from intrabar.model.values import Bounds, choice, mapping, named, number, text, truth
from intrabar.model.values import zone as zone_of

if TYPE_CHECKING:
    import pandas as pd

UNNAMED = "ASSET"
"""What bars are called where nobody names them."""


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
    only: Mapping[str, str] | None = None,
    time_format: str | None = None,
    decimal: str | None = None,
    scale: float | None = None,
) -> Bars:
    """Make bars of a Polars or pandas frame.

    Parameters
    ----------
    frame : DataFrame
        Columns as in a file of bars; a pandas index of stamps counts as a column.
    symbol : str
        Of a frame with several tickers the columns or rows of this one are taken.
    columns : mapping, optional
        Fields `time`, `open`, `high`, `low`, `close`, `volume` to columns.
    label : {"start", "end"}, optional
        Edge of the bar that its stamp marks; None: told by the columns, else "start".
    zone : str, optional
        IANA zone of stamps without one; None: the exchange's.
    period : str, optional
        "5m", "1d"; None: the most common step.
    calendar : str
    sort : bool
    only : mapping, optional
        Column to value: the rows of one instrument among several.
    time_format : str, optional
        `strftime` words for stamps that are text in an unusual way.
    decimal : {".", ","}, optional
        What parts the decimals of numbers that are text.
    scale : float, optional
        What prices are multiplied by.

    Raises
    ------
    DataError
        A row cannot be used; unlike a file's, a frame's rows are not set aside.
    """
    named("symbol:", symbol)
    columns = _names("columns", columns)
    only = _names("only", only) or None
    if label is not None:
        choice("label:", label, ("start", "end"))
    if decimal is not None:
        choice("decimal:", decimal, (".", ","))
    if scale is not None:
        scale = number("scale:", scale, Bounds(above=True))
    sort, zone = truth("sort:", sort), zone_of("zone:", zone)
    for name, given in (("period", period), ("time_format", time_format)):
        if given is not None:
            named(f"{name}:", given)
    calendar = calendar_named(text("calendar:", calendar)) or ""
    how = Reading(
        mapping=columns,
        only=only or {},
        symbol="" if symbol == UNNAMED else symbol,
        label=label,
        zone=zone,
        period=period,
        calendar=calendar,
        time_format=time_format,
        decimal=decimal,
        scale=scale,
    )
    return frame_bars(frame, symbol, how, sort=sort)[0].bars


def _names(place: str, given: Any) -> dict[str, str] | None:
    """A mapping of texts; None where there is none."""
    if given is None:
        return None
    found = mapping(f"{place}:", given, "a mapping of names to columns")
    return {text(f"{place}:", x): text(f"{place}.{x}:", y) for x, y in found.items()}


def frame_bars(frame: Any, symbol: str, how: Reading, *, sort: bool = False) -> tuple[Checked, str]:
    """Make bars of a frame, with what was found on the way, and the calendar that they are under.

    Parameters
    ----------
    frame : DataFrame
    symbol : str
    how : Reading
    sort : bool

    Raises
    ------
    DataError, ConfigError
        As `bars_from_frame`, in the words of a Python call.
    """
    try:
        raw = read_table(table_of(frame), how, "frame", "")
        if unread := unread_columns(raw.original.columns, raw.read):
            raw = replace(raw, notes=(*raw.notes, _unread(unread)))
        checked = check(raw, symbol, sort=sort)
    except (DataError, ConfigError) as error:
        raise type(error)(f"{symbol}: {in_python(str(error), symbol)}") from error
    broken = [f for f in checked.findings if f.severity == "error"]
    if broken:
        told = "; ".join(f"{REJECTING[f.rule]} ({', '.join(f.examples)})" for f in broken)
        raise DataError(f"{symbol}: {told}")
    return checked, raw.calendar


def unread_columns(columns: Sequence[str], read: Sequence[str]) -> list[str]:
    """Columns that are none of a bar, nor what vendors write beside it."""
    beside = (*read, "adj close", "index")
    names = {plain(c) for c in beside} | set(VENDORS) | set(TICKERS)
    return [c for c in columns if plain(c) not in names and not c.startswith("column ")]


def _unread(columns: Sequence[str]) -> str:
    named = ", ".join(map(repr, columns[:8])) + (", ..." if len(columns) > 8 else "")
    return (
        f"the columns {named} are not of a bar and were not read; a strategy has them by "
        f"ib.Signals(frame[{columns[0]!r}]), put at the bars by the frame's index or by time="
    )


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
