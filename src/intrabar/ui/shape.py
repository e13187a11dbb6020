"""Make long columns short and JSON-ready without changing what they show.

Thinning keeps the lowest and the highest value of every stretch, so a thinned curve has the
same extremes as the full one. Nothing here computes a statistic.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from math import ceil, floor, isfinite, log10
from pathlib import PurePath

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.errors import RunError
from intrabar.model.bars import Bars
from intrabar.ui.coded import Coded, Number
from intrabar.ui.view_types import BarsView

NS = 1_000_000_000

Floats = NDArray[np.float64]


def seconds(time_ns: NDArray[np.int64]) -> list[int]:
    """Whole seconds since 1970 of ns timestamps, rounded down."""
    return [int(t) for t in time_ns // NS]


def time_column(column: pl.Series) -> list[int | None]:
    """Whole seconds of a datetime column; null stays null."""
    ns: list[int | None] = column.cast(pl.Datetime("ns", "UTC")).to_physical().to_list()
    return [None if t is None else t // NS for t in ns]


def number(value: object, digits: int = 10) -> Number:
    """A finite number to `digits` significant digits; None for null, NaN and infinities."""
    if isinstance(value, bool | int):
        return int(value)
    if not isinstance(value, float) or not isfinite(value):
        return None
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def numbers(values: pl.Series | Floats) -> list[Number]:
    """`number` of each entry."""
    plain = values.to_list() if isinstance(values, pl.Series) else values.tolist()
    return [number(v) for v in plain]


def finite(values: Floats) -> list[float]:
    """`numbers` of which none is missing: places on an axis.

    Raises
    ------
    RunError
        One is.
    """
    found = [n for n in numbers(values) if n is not None]
    if len(found) < len(values):
        raise RunError("a place on the axis of a picture is no finite number")
    return found


def flags(column: pl.Series) -> list[int]:
    """1 where true, 0 where false or null."""
    return [int(bool(v)) for v in column.to_list()]


def coded(column: pl.Series) -> Coded:
    """A text column as its distinct words, in order of appearance, and a code per row."""
    known: dict[str, int] = {}
    codes = [
        -1 if word is None else known.setdefault(word, len(known))
        for word in column.cast(pl.String).to_list()
    ]
    return {"words": list(known), "codes": codes}


def bars_view(bars: Bars, limit: int) -> BarsView:
    """Candles of a symbol, joined where there are more than `limit`.

    Notes
    -----
    Bars within the same second are always joined: the chart's clock has whole seconds. A joined
    candle has the first open, the highest high, the lowest low, the last close, the summed
    volume and the last time.
    """
    clock = bars.close_time // NS
    starts = np.flatnonzero(np.r_[True, np.diff(clock) > 0])
    joined = max(1, ceil(starts.shape[0] / limit))
    starts = starts[::joined]
    lasts = np.r_[starts[1:], len(bars)] - 1
    prices = (
        bars.open[starts],
        np.maximum.reduceat(bars.high, starts),
        np.minimum.reduceat(bars.low, starts),
        bars.close[lasts],
    )
    digits = price_digits(np.concatenate(prices))
    scale = 10.0**digits
    opened, high, low, close = (np.round(p * scale).astype(np.int64) for p in prices)
    return {
        "symbol": bars.symbol,
        "digits": digits,
        "period_s": bars.period / NS,
        "total": len(bars),
        "joined": joined,
        "time": np.diff(clock[lasts], prepend=0).tolist(),
        "open": (opened - np.r_[0, close[:-1]]).tolist(),
        "high": (high - opened).tolist(),
        "low": (low - opened).tolist(),
        "close": (close - opened).tolist(),
        "volume": numbers(np.add.reduceat(bars.volume, starts)),
    }


def price_digits(prices: Floats) -> int:
    """Decimals that show these prices: all of them if up to six do, else about seven digits."""
    for digits in range(7):
        scaled = prices * 10.0**digits
        if np.abs(scaled - np.round(scaled)).max() < 1e-4:
            return digits
    largest = float(np.abs(prices).max())
    return min(8, max(2, 6 - floor(log10(largest)))) if largest > 0 else 2


def label(name: str) -> str:
    """A metric's name as a heading: `max_drawdown` is "Max drawdown", `expectancy_r` has an R."""
    words = [
        word.upper() if word in ("mae", "mfe", "sqn", "r") else word
        for word in name.replace("_", " ").split(" ")
    ]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def plain(value: object) -> object:
    """A manifest entry as JSON types; what JSON does not have becomes text or null."""
    if value is None or isinstance(value, str | bool | int):
        return value.name.lower() if isinstance(value, Enum) else value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, set | frozenset):
        return sorted(str(entry) for entry in value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value.as_posix() if isinstance(value, PurePath) else str(value)
