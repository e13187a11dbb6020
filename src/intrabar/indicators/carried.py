"""An indicator that goes on where it stopped: over all bars, over a chunk, or over one bar.

`compute`, `stream` and a run in chunks are the same calls of the same kernels with another number
of bars, so they have the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from intrabar.errors import ConfigError
from intrabar.indicators import averages, recurrences
from intrabar.indicators.catalog import OWN, require_output
from intrabar.indicators.given import Given, values_at
from intrabar.indicators.indicator import BarColumns, Floats, Indicator
from intrabar.indicators.uniform import draws, uniform_key


class Carried(Protocol):
    """An indicator of one instrument, with all that the bars so far have left behind."""

    def advance(self, bars: BarColumns) -> Floats:
        """Take in the next bars, real ones only.

        Parameters
        ----------
        bars : BarColumns
            They follow those of the call before.

        Returns
        -------
        (n,) float64
            The values at their closes, NaN while warming up. It may be a column of the bars
            itself.
        """
        ...


def carried(indicator: Indicator, symbol: str = "") -> Carried:
    """Start an indicator with no bar seen.

    Parameters
    ----------
    indicator : Indicator
    symbol : str
        Whose bars they are; only `uniform` depends on it.
    """
    require_output(indicator)
    if indicator.given is not None:
        return _Given(indicator.given, symbol, str(indicator))
    if indicator.name == "cross":
        a, b = (carried(operand, symbol) for operand in indicator.operands)
        return _Cross(a, b)
    if indicator.name == "uniform":
        return _Uniform(uniform_key(int(indicator.param("seed")), symbol))
    if indicator.name == "level":
        return _Level(float(indicator.param("value")))
    if indicator.name == "price":
        return _Price(indicator.source[0])
    if indicator.name in OWN:
        return _recurrence(indicator)
    from intrabar.indicators.talib_functions import CarriedCall, call_of

    return CarriedCall(call_of(indicator))


@dataclass(slots=True)
class Recurrence:
    """A kernel with its columns, its numbers and its state."""

    kernel: Callable[..., None]
    source: tuple[str, ...]
    numbers: tuple[int | float, ...]
    state: Floats

    def advance(self, bars: BarColumns) -> Floats:
        """Take in the next bars."""
        read = [contiguous(bars, name) for name in self.source]
        out = np.empty(read[0].shape[0])
        self.kernel(*read, *self.numbers, self.state, out)
        return out


def contiguous(bars: BarColumns, name: str) -> Floats:
    """A column as kernels take it; copied only where it is not already so."""
    return np.ascontiguousarray(getattr(bars, name), dtype=np.float64)


def _recurrence(indicator: Indicator) -> Recurrence:
    """The kernel of one of ours, and how much state it needs."""
    name, params = indicator.name, dict(indicator.params)
    period: Any = params["period"]
    from_first = params.get("seed") == "first"
    kernel: Callable[..., None]
    numbers: tuple[Any, ...] = (period,)
    if name == "ema":
        kernel, numbers, size = averages.ema, (period, 1 if from_first else period), 2
    elif name == "atr":
        start = (0, 1) if from_first else (1, period)
        kernel, numbers, size = recurrences.atr, (period, *start), 3
    elif name == "rsi":
        kernel, size = recurrences.rsi, 4
    elif name == "change":
        kernel, size = recurrences.change, 1 + period
    elif name in ("highest", "lowest"):
        sign = 1.0 if name == "highest" else -1.0
        kernel, numbers, size = recurrences.extreme, (period, sign), 2 + period
    elif name == "bollinger" and indicator.output != "middle":
        wide: Any = params["deviations"]
        wide = wide if indicator.output == "upper" else -wide
        kernel, numbers, size = recurrences.bollinger, (period, wide), 5 + period
    else:
        kernel, size = averages.sma, 2 + period
    return Recurrence(kernel, indicator.source, numbers, np.zeros(size))


_FUSED: dict[Any, Any] = {
    averages.ema: averages.cross_of_ema,
    averages.sma: averages.cross_of_sma,
}


@dataclass(slots=True)
class _Cross:
    a: Carried
    b: Carried
    state: Floats = field(default_factory=lambda: np.zeros(1))

    def advance(self, bars: BarColumns) -> Floats:
        a, b = self.a, self.b
        if isinstance(a, Recurrence) and isinstance(b, Recurrence):
            if a.kernel in _FUSED and (a.kernel, a.source) == (b.kernel, b.source):
                price = contiguous(bars, a.source[0])
                out = np.empty(price.shape[0])
                states = (a.state, b.state, self.state)
                _FUSED[a.kernel](price, *a.numbers, *b.numbers, *states, out)
                return out
        first, second = a.advance(bars), b.advance(bars)
        out = np.empty(first.shape[0])
        averages.cross(np.ascontiguousarray(first), np.ascontiguousarray(second), self.state, out)
        return out


@dataclass(slots=True)
class _Uniform:
    key: np.uint64

    def advance(self, bars: BarColumns) -> Floats:
        return np.asarray(draws(self.key, np.ascontiguousarray(bars.close_time)))


@dataclass(slots=True)
class _Given:
    given: Given
    symbol: str
    text: str

    def advance(self, bars: BarColumns) -> Floats:
        if self.given.series is None:
            raise ConfigError(
                f"{self.text} is on no bars yet: a run of the strategy that reads it puts it there"
            )
        if self.symbol not in self.given.series:
            return np.full(bars.close.shape[0], np.nan)
        values = values_at(*self.given.series[self.symbol], bars.close_time)
        return (1.0 + values) * bars.close if self.given.is_price else values


@dataclass(slots=True)
class _Level:
    value: float

    def advance(self, bars: BarColumns) -> Floats:
        return np.full(bars.close.shape[0], self.value)


@dataclass(slots=True)
class _Price:
    column: str

    def advance(self, bars: BarColumns) -> Floats:
        return np.asarray(getattr(bars, self.column), dtype=np.float64)
