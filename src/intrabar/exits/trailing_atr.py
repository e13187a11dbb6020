"""A stop that follows the close at a distance of some ATRs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from intrabar.indicators import Indicator, atr
from intrabar.indicators.indicator import LONGEST_PERIOD
from intrabar.model.values import Bounds, Rule, take

RULES: dict[str, Rule] = {
    "atr_period": Bounds(1, LONGEST_PERIOD, whole=True),
    "atr_multiple": Bounds(above=True),
}


@dataclass(frozen=True, slots=True)
class TrailingATR:
    """Stop at `atr_multiple` ATRs behind the close, never away from the profit; no target.

    Wilder, New Concepts in Technical Trading Systems (1978), "Volatility System".

    Parameters
    ----------
    atr_period : bars, >= 1
    atr_multiple : ratio, > 0
    """

    atr_period: int = 14
    atr_multiple: float = 3.0

    trails = True

    def __post_init__(self) -> None:
        take(self, "TrailingATR: ", RULES)

    def indicators(self) -> dict[str, Indicator]:
        """What the rule reads beside the bar."""
        return {"exit_atr": atr(self.atr_period)}

    @staticmethod
    def initial_levels(now: Any, p: Any, side: int, price: float) -> tuple[float, float]:
        """The first stop of a position that is about to be opened; there is no target.

        Notes
        -----
        Phase: CLOSE of the signal's bar; the stop works from the fill on.
        """
        return price - side * p.atr_multiple * now.exit_atr, float("nan")

    @staticmethod
    def update_stop(now: Any, p: Any, side: int, entry: float, stop: float) -> float:
        """Where the stop of an open position should be.

        Notes
        -----
        Phase: CLOSE; in force from the next OPEN on. The bot only ever tightens a stop.
        """
        return now.close - side * p.atr_multiple * now.exit_atr
