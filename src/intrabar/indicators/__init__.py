"""Maths: causal recurrences over bars, and the catalog that names them."""

from intrabar.indicators.carried import Carried, carried
from intrabar.indicators.catalog import make, names, select
from intrabar.indicators.compute import compute, lookback, require_length
from intrabar.indicators.constructors import (
    atr,
    bollinger,
    change,
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
    "BarColumns",
    "Carried",
    "Columns",
    "Indicator",
    "Stream",
    "atr",
    "bollinger",
    "carried",
    "change",
    "compute",
    "cross",
    "ema",
    "from_config",
    "highest",
    "level",
    "lookback",
    "lowest",
    "make",
    "names",
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
