"""Maths: causal recurrences over bars, and the catalog that names them."""

from intrabar.indicators.catalog import NAMES, make, select
from intrabar.indicators.compute import compute, lookback, require_length
from intrabar.indicators.constructors import (
    atr,
    bollinger,
    cross,
    ema,
    highest,
    level,
    lowest,
    price,
    rsi,
    sma,
    talib,
    uniform,
)
from intrabar.indicators.indicator import BarColumns, Columns, Indicator
from intrabar.indicators.parse import from_config, parse
from intrabar.indicators.stream import Stream, stream

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
