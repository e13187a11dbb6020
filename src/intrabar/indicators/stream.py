"""Indicators one bar at a time: the steps of `recurrences` and TA-Lib's handles, with state.

A stream that has taken in the bars 0 to i holds what `compute` has at i, bit for bit. It is not
pickled: after a restart feed it the bars again.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from intrabar.indicators import recurrences as own
from intrabar.indicators.catalog import require_output
from intrabar.indicators.compute import ema_alpha, talib_call, wilder_alpha
from intrabar.indicators.indicator import COLUMNS, BarRow, Indicator
from intrabar.indicators.talib_functions import CallSteps


class Steps(Protocol):
    """State of one indicator."""

    def step(self, bar: BarRow) -> float:
        """Take in one closed bar; its value, NaN while warming up."""
        ...


class Stream:
    """An indicator that takes in closed bars one by one."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def update(
        self,
        open: float,  # noqa: A002
        high: float,
        low: float,
        close: float,
        volume: float,
        time: int,
    ) -> float:
        """Take in one closed, real bar (prices, contracts, ns since 1970 UTC).

        Returns
        -------
        float
            The value at its close; NaN while warming up.
        """
        return self._steps.step((open, high, low, close, volume, time))


def stream(indicator: Indicator, symbol: str = "") -> Stream:
    """Start an indicator with no bar seen.

    Parameters
    ----------
    indicator : Indicator
    symbol : str
        Whose bars they are; only `uniform` depends on it.
    """
    return Stream(_steps(indicator, symbol))


def _steps(indicator: Indicator, symbol: str) -> Steps:
    require_output(indicator)
    indicator.require_here()
    call = talib_call(indicator)
    if call is not None:
        return CallSteps(call)
    if indicator.name == "cross":
        a, b = (_steps(operand, symbol) for operand in indicator.operands)
        return _Cross(a, b)
    if indicator.name == "uniform":
        return _Uniform(own.uniform_key(int(indicator.param("seed")), symbol))
    if indicator.name == "level":
        return _Level(float(indicator.param("value")))
    if indicator.name == "atr":
        return _Atr(wilder_alpha(indicator))
    place = COLUMNS.index(indicator.source[0])
    return _Ema(place, ema_alpha(indicator)) if indicator.name == "ema" else _Price(place)


class _Price:
    def __init__(self, place: int) -> None:
        self._place = place

    def step(self, bar: BarRow) -> float:
        return float(bar[self._place])


class _Level:
    def __init__(self, value: float) -> None:
        self._value = value

    def step(self, bar: BarRow) -> float:
        return self._value


class _Ema:
    def __init__(self, place: int, alpha: float) -> None:
        self._place = place
        self._alpha = alpha
        self._value = math.nan

    def step(self, bar: BarRow) -> float:
        self._value = float(own.ema_step(self._value, float(bar[self._place]), self._alpha))
        return self._value


class _Atr:
    def __init__(self, alpha: float) -> None:
        self._alpha = alpha
        self._value = math.nan
        self._last_close = math.nan

    def step(self, bar: BarRow) -> float:
        _, high, low, close, _, _ = bar
        self._value = float(
            own.atr_step(self._value, self._last_close, float(high), float(low), self._alpha)
        )
        self._last_close = float(close)
        return self._value


class _Cross:
    def __init__(self, a: Steps, b: Steps) -> None:
        self._a = a
        self._b = b
        self._sign = 0

    def step(self, bar: BarRow) -> float:
        self._sign, value = own.cross_step(self._sign, self._a.step(bar), self._b.step(bar))
        return float(value)


class _Uniform:
    def __init__(self, key: np.uint64) -> None:
        self._key = key

    def step(self, bar: BarRow) -> float:
        return float(own.uniform_step(self._key, np.int64(bar[5])))
