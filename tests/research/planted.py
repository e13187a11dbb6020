"""Markets and strategies with a known truth: an edge that was planted, or none at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from intrabar.exits import FixedRatio
from intrabar.model.bars import Market
from intrabar.strategy.bot import Bot
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose
from tests.strategy.markets import DAY_NS, walk

SPIKE = 1e6  # a volume that no bar has but those that were marked


def market(bars: int = 2000, seed: int = 1, **how: Any) -> Market:
    """Daily bars that wander without an edge."""
    return walk(bars, seed, **{"period": DAY_NS, "wild": 0.01, "start": 0, **how})


def with_edge(plain: Market, lift: float, every: int = 20, delay: int = 1) -> Market:
    """The same market with bars of a marked volume, `delay` bars after which prices rise.

    Parameters
    ----------
    plain : Market
    lift : fraction
        By which the bar rises.
    every : bars
        Between marks.
    delay : bars, >= 1
    """
    rows = np.arange(50, len(plain) - 10, every)
    volume = plain.volume.copy()
    volume[rows] = SPIKE
    factor = np.ones(len(plain))
    factor[rows + delay] = 1.0 + lift
    level = np.cumprod(factor)[:, None]
    # The lift comes within the bar: its open is still where it was.
    before = np.concatenate((level[:1], level[:-1]))
    open_ = np.round(plain.open * before, 2)
    close = np.round(plain.close * level, 2)
    high = np.maximum.reduce([np.round(plain.high * level, 2), open_, close])
    low = np.minimum.reduce([np.round(plain.low * before, 2), open_, close])
    return replace(plain, open=open_, high=high, low=low, close=close, volume=volume)


@dataclass(frozen=True)
class OnMarks:
    """Long on the marked volume."""

    wakes_on = ""

    def indicators(self) -> dict[str, Any]:
        return {}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        return 1 if now.volume >= 1e6 else 0


def on_marks(reward: float = 1.0, multiple: float = 1.0) -> Bot:
    """A bot that knows the marks."""
    return Bot(OnMarks(), FixedRatio(5, multiple, reward), risk_fraction=0.01)


@dataclass
class MarksInPython(Strategy):
    """Long for one bar after the marked volume."""

    def on_close(self, now: AtClose) -> None:
        if not now.is_flat:
            now.close_position()
        elif now.volume >= SPIKE:
            now.buy(100)


def marks_as_sides(plain: Market) -> np.ndarray:
    """Long for one bar after the marked volume, as an array of signals."""
    return np.where(plain.volume[:, 0] >= SPIKE, 1.0, 0.0)
