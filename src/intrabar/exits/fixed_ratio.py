"""A stop some ATRs away, and a target at a fixed multiple of that risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from intrabar.indicators import Indicator, atr
from intrabar.indicators.catalog import SEEDINGS
from intrabar.indicators.indicator import LONGEST_PERIOD
from intrabar.model.values import Bounds, Rule, take

RULES: dict[str, Rule] = {
    "atr_period": Bounds(1, LONGEST_PERIOD, whole=True),
    "atr_multiple": Bounds(above=True),
    "reward": Bounds(),
    "seed": SEEDINGS,
}


@dataclass(frozen=True, slots=True)
class FixedRatio:
    """Stop at `atr_multiple` ATRs from the signal's close, target at `reward` times that risk.

    Parameters
    ----------
    atr_period : bars, >= 1
    atr_multiple : ratio, > 0
    reward : R multiple, >= 0
        0 for no target.
    seed : {"sma", "first"}
        How the ATR starts.
    """

    atr_period: int = 14
    atr_multiple: float = 2.0
    reward: float = 2.0
    seed: str = "sma"

    trails = False

    def __post_init__(self) -> None:
        take(self, "FixedRatio: ", RULES)

    def indicators(self) -> dict[str, Indicator]:
        """What the rule reads beside the bar."""
        return {"exit_atr": atr(self.atr_period, seed=self.seed)}

    @staticmethod
    def initial_levels(now: Any, p: Any, side: int, price: float) -> tuple[float, float]:
        """The first stop and target of a position that is about to be opened.

        Notes
        -----
        Phase: CLOSE of the signal's bar; the levels work from the fill on.
        """
        risk = p.atr_multiple * now.exit_atr
        target = price + side * p.reward * risk if p.reward > 0.0 else float("nan")
        return price - side * risk, target
