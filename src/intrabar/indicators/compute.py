"""From an indicator to numbers over all bars at once; `stream` gives the same bits bar by bar.

A value at bar i is known at the close of bar i and reads no bar after it. NaN means that the
indicator is still warming up. Synthetic bars are skipped by the caller, never passed.
"""

from __future__ import annotations

import numpy as np

from intrabar.errors import ConfigError
from intrabar.indicators import averages
from intrabar.indicators.carried import carried
from intrabar.indicators.catalog import OWN, require_output
from intrabar.indicators.indicator import BarColumns, Floats, Indicator


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
        NaN while warming up. It may be a column of the bars itself.

    Raises
    ------
    ConfigError
        The indicator has a time frame: those bars are made by the engine.
    """
    require_output(indicator)
    indicator.require_here()
    if not needs_talib(indicator):
        return carried(indicator, bars.symbol).advance(bars)
    if indicator.name == "cross":
        a, b = (np.ascontiguousarray(compute(operand, bars)) for operand in indicator.operands)
        out = np.empty(a.shape[0])
        averages.cross(a, b, np.zeros(1), out)
        return out
    from intrabar.indicators.talib_functions import call_of

    return call_of(indicator).batch(bars)


def needs_talib(indicator: Indicator) -> bool:
    """Whether a TA-Lib function is in it; those are faster over all bars than carried along."""
    if indicator.operands:
        return any(needs_talib(operand) for operand in indicator.operands)
    return indicator.name not in OWN and indicator.given is None


def lookback(indicator: Indicator) -> int:
    """Bars needed for the first value: 20 for `sma(20)`, 201 for `rsi(200)`."""
    if indicator.operands:
        return max(lookback(operand) for operand in indicator.operands)
    if needs_talib(indicator):
        from intrabar.indicators.talib_functions import call_of

        return call_of(indicator).lag + 1
    params = dict(indicator.params)
    if params.get("seed") == "first" or "period" not in params:
        return 1
    more = 1 if indicator.name in ("atr", "rsi", "change") else 0
    return int(params["period"]) + more


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
