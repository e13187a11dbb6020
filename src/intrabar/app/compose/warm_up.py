"""How many rows indicators need before a session trades."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from intrabar.app.compose.sources import nanoseconds
from intrabar.app.config.model import Config
from intrabar.data.periods import parse_period
from intrabar.errors import ConfigError
from intrabar.indicators import Indicator, lookback
from intrabar.indicators.features import features_of
from intrabar.model.bars import Market
from intrabar.strategy.blame import indicators_of
from intrabar.strategy.registry import AnyStrategy

LENGTHS = 10
"""Of the longest indicator: after so many of them one that remembers for ever has forgotten."""


def warm_rows(config: Config, strategies: Mapping[str, AnyStrategy], market: Market) -> int:
    """How many rows come before the first that is traded.

    Raises
    ------
    ConfigError
        What is asked for is less than an indicator needs, or more than there is.
    """
    said = config.trade_from if config.live.warm_up is None else config.live.warm_up
    if said is None:
        rows = LENGTHS * max(longest(strategies, market.period), 1)
        how = f"its indicators ask for {rows} bars to warm up"
    elif isinstance(said, int):
        rows, how = said, f"live.warm_up asks for {said} bars"
    else:
        rows = int(np.searchsorted(market.time, nanoseconds(said) or 0))
        how = f"{'trade_from' if config.live.warm_up is None else 'live.warm_up'} is {said}"
    least = longest(strategies, market.period)
    if isinstance(said, int) and said < least:
        raise ConfigError(f"live.warm_up: is {said} bars, an indicator needs {least}")
    if not 1 <= rows < len(market):
        raise ConfigError(
            f"{how}, and there are {len(market)} rows of {', '.join(market.symbols)}; write "
            "live: {warm_up: fewer bars}, or give more bars"
        )
    return rows


def rows_of_models(config: Config) -> int:
    """Rows that the features of the section `predict` need to have forgotten where they began."""
    section = config.predict
    if section is None or section.forecaster.startswith("onnx:"):
        return 0
    features = features_of(section.features, section.window)
    return LENGTHS * (features.rows - features.window + 1) + features.window


def longest(strategies: Mapping[str, AnyStrategy], period: int) -> int:
    """Rows that the longest indicator needs for its first value."""
    named = (x for name, s in strategies.items() for x in indicators_of(name, s).values())
    return max((_rows(x, period) for x in named), default=0)


def _rows(indicator: Indicator, period: int) -> int:
    if indicator.operands:
        return max(_rows(operand, period) for operand in indicator.operands)
    if not indicator.timeframe:
        return lookback(indicator)
    return lookback(indicator.here) * -(-parse_period(indicator.timeframe) // period)
