"""A constructor per indicator, for strategies and tests; each is one call of `catalog.make`."""

from __future__ import annotations

from collections.abc import Sequence

from intrabar.errors import ConfigError, NotFoundError
from intrabar.indicators.catalog import make, require_output
from intrabar.indicators.indicator import Indicator, Param
from intrabar.model.values import shown, text


def sma(period: int, *, source: str = "close") -> Indicator:
    """Simple moving average over `period` bars."""
    return make("sma", (period,), source=source)


def ema(period: int, *, seed: str = "sma", source: str = "close") -> Indicator:
    """Exponential moving average with weight `2 / (period + 1)`.

    Parameters
    ----------
    period : int, bars
    seed : {"sma", "first"}
        "sma": the first value is the mean of the first `period` prices, on the bar that
        completes them (TA-Lib). "first": it starts from the first price, on the first bar.
    source : str
        Column.
    """
    return make("ema", (period, seed), source=source)


def rsi(period: int = 14, *, source: str = "close") -> Indicator:
    """Relative strength index with Wilder's smoothing, 0 to 100."""
    return make("rsi", (period,), source=source)


def atr(period: int = 14, *, seed: str = "sma") -> Indicator:
    """Wilder's average true range, in price.

    Parameters
    ----------
    period : int, bars
    seed : {"sma", "first"}
        "sma": the first value is the mean of the first `period` true ranges, the first bar
        having none (TA-Lib). "first": it starts from the first bar's high - low.
    """
    return make("atr", (period, seed))


def bollinger(period: int = 20, deviations: float = 2.0, *, source: str = "close") -> Indicator:
    """Bollinger bands around a simple average; choose `.upper`, `.middle` or `.lower`.

    The deviation is the population's (divided by `period`), as Bollinger has it.
    """
    return make("bollinger", (period, deviations), source=source)


def highest(period: int, *, source: str = "high") -> Indicator:
    """Highest high of the last `period` bars, this one included."""
    return make("highest", (period,), source=source)


def lowest(period: int, *, source: str = "low") -> Indicator:
    """Lowest low of the last `period` bars, this one included."""
    return make("lowest", (period,), source=source)


def change(period: int = 1, *, source: str = "close") -> Indicator:
    """The price less that of `period` bars before."""
    return make("change", (period,), source=source)


def price(source: str = "close") -> Indicator:
    """A column of the bars as it is."""
    return make("price", source=source)


def level(value: float) -> Indicator:
    """The same number on every bar, for `cross(rsi(14), level(30))`."""
    return make("level", (value,))


def uniform(seed: int) -> Indicator:
    """A draw in [0, 1) per bar, fixed by seed, symbol and close time.

    Counter-based: the value of a bar is the same in any slice of the bars.
    """
    return make("uniform", (seed,))


def talib(
    name: str, *, output: str = "", source: str | Sequence[str] | None = None, **params: Param
) -> Indicator:
    """Any TA-Lib function over prices: `talib("MACD", output="macd", fastperiod=12)`."""
    from intrabar.indicators.talib_functions import FUNCTIONS

    known = text("talib: name", name).upper()
    if known not in FUNCTIONS:
        raise NotFoundError("TA-Lib function name", name, FUNCTIONS)
    text(f"{known}: output", output)
    return make(known, (), params, source=source, output=output)


def cross(a: Indicator, b: Indicator) -> Indicator:
    """+1 on the bar where `a` crosses above `b`, -1 where it crosses below, 0 elsewhere.

    The previous side is the last on which the two differed, so touching is not crossing. The
    first bar on which both have values takes a side and is 0; NaN before.
    """
    for name, operand in (("a", a), ("b", b)):
        if not isinstance(operand, Indicator):
            raise ConfigError(
                f"cross: {name} is {shown(operand)}, must be an indicator such as ema(12)"
            )
        require_output(operand)
    return Indicator("cross", (), (), (), "", (a, b), f"cross({a}, {b})")
