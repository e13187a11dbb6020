"""From an indicator to numbers over all bars at once; `stream` gives the same bits bar by bar.

A value at bar i is known at the close of bar i and reads no bar after it. NaN means that the
indicator is still warming up. Synthetic bars are skipped by the caller, never passed.
"""

from __future__ import annotations

import numpy as np

from intrabar.errors import ConfigError
from intrabar.indicators import recurrences as own
from intrabar.indicators.catalog import require_output
from intrabar.indicators.indicator import BarColumns, Floats, Indicator
from intrabar.indicators.talib_functions import FUNCTIONS, Call

_ALIASES = {
    "sma": ("SMA", ("timeperiod",)),
    "ema": ("EMA", ("timeperiod",)),
    "rsi": ("RSI", ("timeperiod",)),
    "atr": ("ATR", ("timeperiod",)),
    "highest": ("MAX", ("timeperiod",)),
    "lowest": ("MIN", ("timeperiod",)),
    "bollinger": ("BBANDS", ("timeperiod", "nbdevup", "nbdevdn")),
}


def compute(indicator: Indicator, bars: BarColumns) -> Floats:
    """The whole series of an indicator.

    Parameters
    ----------
    indicator : Indicator
    bars : BarColumns
        `model.bars.Bars`, or `Columns` for a part of a market.

    Returns
    -------
    (n,) float64
        NaN while warming up.

    Raises
    ------
    ConfigError
        The indicator has a time frame: those bars are made by the engine.
    """
    require_output(indicator)
    indicator.require_here()
    call = talib_call(indicator)
    if call is not None:
        return call.batch(bars)
    if indicator.name == "cross":
        a, b = (compute(operand, bars) for operand in indicator.operands)
        return np.asarray(own.cross_batch(a, b))
    if indicator.name == "uniform":
        key = own.uniform_key(int(indicator.param("seed")), bars.symbol)
        return np.asarray(own.uniform_batch(key, bars.close_time))
    if indicator.name == "level":
        return np.full(bars.close.shape[0], float(indicator.param("value")))
    if indicator.name == "atr":
        return np.asarray(own.atr_batch(bars.high, bars.low, bars.close, wilder_alpha(indicator)))
    column = np.asarray(getattr(bars, indicator.source[0]), dtype=np.float64)
    if indicator.name == "ema":
        return np.asarray(own.ema_batch(column, ema_alpha(indicator)))
    return column.copy()


def lookback(indicator: Indicator) -> int:
    """Bars needed for the first value: 20 for `sma(20)`, 201 for `rsi(200)`."""
    call = talib_call(indicator)
    if call is not None:
        return call.lag + 1
    return max((lookback(operand) for operand in indicator.operands), default=1)


def require_length(indicator: Indicator, n: int, symbol: str) -> None:
    """Refuse bars that end before the indicator's first value.

    Raises
    ------
    ConfigError
        "rsi(200) needs 201 bars, A has 100".
    """
    needed = lookback(indicator)
    if n < needed:
        raise ConfigError(f"{indicator} needs {needed} bars, {symbol} has {n}")


def talib_call(indicator: Indicator) -> Call | None:
    """The TA-Lib call that an indicator stands for; None where the formula is ours."""
    place = indicator.outputs.index(indicator.output) if indicator.output else 0
    if indicator.name in FUNCTIONS:
        return Call(indicator.name, indicator.source, indicator.params, place)
    if indicator.name not in _ALIASES:
        return None
    params = dict(indicator.params)
    if params.get("seed") == "first":
        return None
    if indicator.name in ("highest", "lowest") and params["period"] == 1:
        return None
    function, names = _ALIASES[indicator.name]
    numbers = [v for v in params.values() if not isinstance(v, str)]
    numbers += numbers[-1:] * (len(names) - len(numbers))
    return Call(function, indicator.source, tuple(zip(names, numbers, strict=True)), place)


def ema_alpha(indicator: Indicator) -> float:
    """Weight of the newest price: `2 / (period + 1)`."""
    return 2.0 / (int(indicator.param("period")) + 1)


def wilder_alpha(indicator: Indicator) -> float:
    """Weight of the newest value: `1 / period`."""
    return 1.0 / int(indicator.param("period"))
