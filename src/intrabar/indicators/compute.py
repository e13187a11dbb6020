"""From an indicator to numbers: over all bars at once, or one bar at a time with the same bits.

A value at bar i is known at the close of bar i and reads no bar after it. NaN means that the
indicator is still warming up. Synthetic bars are skipped by the caller, never passed.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from intrabar.errors import ConfigError
from intrabar.indicators import recurrences as own
from intrabar.indicators.catalog import require_output
from intrabar.indicators.indicator import BarColumns, Floats, Indicator
from intrabar.indicators.talib_functions import COLUMN_PLACE, FUNCTIONS, Call, CallStream

_ALIASES = {
    "sma": ("SMA", ("timeperiod",)),
    "ema": ("EMA", ("timeperiod",)),
    "rsi": ("RSI", ("timeperiod",)),
    "atr": ("ATR", ("timeperiod",)),
    "highest": ("MAX", ("timeperiod",)),
    "lowest": ("MIN", ("timeperiod",)),
    "bollinger": ("BBANDS", ("timeperiod", "nbdevup", "nbdevdn")),
}


class Stream(Protocol):
    """An indicator that takes in closed bars one by one."""

    def update(
        self, open: float, high: float, low: float, close: float, volume: float, time: int
    ) -> float:
        """Take in one bar (prices, contracts, ns UTC); its value, NaN while warming up."""
        ...


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
    """
    require_output(indicator)
    call = _talib_call(indicator)
    if call is not None:
        return call.batch(bars)
    if indicator.name == "cross":
        a, b = (compute(operand, bars) for operand in indicator.operands)
        return np.asarray(own.cross_batch(a, b))
    if indicator.name == "uniform":
        key = own.uniform_key(_whole(indicator, "seed"), bars.symbol)
        return np.asarray(own.uniform_batch(key, bars.close_time))
    if indicator.name == "level":
        return np.full(bars.close.shape[0], _real(indicator, "value"))
    if indicator.name == "atr":
        return np.asarray(own.atr_batch(bars.high, bars.low, bars.close, _period(indicator)))
    column = np.asarray(getattr(bars, indicator.source[0]), dtype=np.float64)
    if indicator.name == "ema":
        return np.asarray(own.ema_batch(column, _alpha(indicator)))
    return column.copy()


def stream(indicator: Indicator, symbol: str = "") -> Stream:
    """The same indicator one bar at a time, bit for bit what `compute` gives.

    Parameters
    ----------
    indicator : Indicator
    symbol : str
        Whose bars they are; only `uniform` depends on it.
    """
    require_output(indicator)
    call = _talib_call(indicator)
    if call is not None:
        return CallStream(call)
    if indicator.name == "cross":
        a, b = (stream(operand, symbol) for operand in indicator.operands)
        return _CrossStream(a, b)
    if indicator.name == "uniform":
        return _UniformStream(own.uniform_key(_whole(indicator, "seed"), symbol))
    if indicator.name == "level":
        return _LevelStream(_real(indicator, "value"))
    if indicator.name == "atr":
        return _AtrStream(_period(indicator))
    place = COLUMN_PLACE[indicator.source[0]]
    if indicator.name == "ema":
        return _EmaStream(place, _alpha(indicator))
    return _PriceStream(place)


def lookback(indicator: Indicator) -> int:
    """Bars needed for the first value: 20 for `sma(20)`, 201 for `rsi(200)`."""
    call = _talib_call(indicator)
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


def _talib_call(indicator: Indicator) -> Call | None:
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


def _whole(indicator: Indicator, name: str) -> int:
    return int(indicator.param(name))


def _real(indicator: Indicator, name: str) -> float:
    return float(indicator.param(name))


def _period(indicator: Indicator) -> int:
    return _whole(indicator, "period")


def _alpha(indicator: Indicator) -> float:
    return 2.0 / (_period(indicator) + 1)


class _PriceStream:
    def __init__(self, place: int) -> None:
        self._place = place

    def update(
        self, open: float, high: float, low: float, close: float, volume: float, time: int
    ) -> float:
        return float((open, high, low, close, volume)[self._place])


class _LevelStream:
    def __init__(self, value: float) -> None:
        self._value = value

    def update(
        self, open: float, high: float, low: float, close: float, volume: float, time: int
    ) -> float:
        return self._value


class _EmaStream:
    def __init__(self, place: int, alpha: float) -> None:
        self._place = place
        self._alpha = alpha
        self._value = float("nan")

    def update(
        self, open: float, high: float, low: float, close: float, volume: float, time: int
    ) -> float:
        price = float((open, high, low, close, volume)[self._place])
        self._value = float(own.ema_step(self._value, price, self._alpha))
        return self._value


class _AtrStream:
    def __init__(self, period: int) -> None:
        self._period = period
        self._value = float("nan")
        self._last_close = float("nan")
        self._warm = False

    def update(
        self, open: float, high: float, low: float, close: float, volume: float, time: int
    ) -> float:
        self._value = float(
            own.atr_step(
                self._value, self._last_close, float(high), float(low), self._period, self._warm
            )
        )
        self._last_close = float(close)
        self._warm = True
        return self._value


class _CrossStream:
    def __init__(self, a: Stream, b: Stream) -> None:
        self._a = a
        self._b = b
        self._sign = 0

    def update(
        self, open: float, high: float, low: float, close: float, volume: float, time: int
    ) -> float:
        a = self._a.update(open, high, low, close, volume, time)
        b = self._b.update(open, high, low, close, volume, time)
        self._sign, value = own.cross_step(self._sign, a, b)
        return float(value)


class _UniformStream:
    def __init__(self, key: np.uint64) -> None:
        self._key = key

    def update(
        self, open: float, high: float, low: float, close: float, volume: float, time: int
    ) -> float:
        return float(own.uniform_step(self._key, np.int64(time)))
