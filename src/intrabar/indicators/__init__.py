"""Maths: causal recurrences over bars, and the catalog that names them."""

from intrabar.indicators.catalog import (
    NAMES,
    atr,
    bollinger,
    cross,
    ema,
    highest,
    level,
    lowest,
    make,
    price,
    rsi,
    select,
    sma,
    talib,
    uniform,
)
from intrabar.indicators.compute import Stream, compute, lookback, require_length, stream
from intrabar.indicators.indicator import BarColumns, Columns, Indicator
from intrabar.indicators.parse import from_config, parse

__all__ = [
    "NAMES",
    "BarColumns",
    "Columns",
    "Indicator",
    "Stream",
    "atr",
    "bollinger",
    "compute",
    "cross",
    "ema",
    "from_config",
    "highest",
    "level",
    "lookback",
    "lowest",
    "make",
    "parse",
    "price",
    "require_length",
    "rsi",
    "select",
    "sma",
    "stream",
    "talib",
    "uniform",
]
