"""A stop and a target at fixed fractions of the price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from intrabar.indicators import Indicator
from intrabar.model.values import Bounds, Rule, take

RULES: dict[str, Rule] = {"stop": Bounds(high=1.0, above=True, below=True), "target": Bounds()}


@dataclass(frozen=True, slots=True)
class FixedPercent:
    """Stop and target at fractions of the signal's close, or of the price of a resting entry.

    Parameters
    ----------
    stop : fraction of the price, 0 to 1
        0.02 for 2 per cent away.
    target : fraction of the price, >= 0
        0 for no target.
    """

    stop: float = 0.02
    target: float = 0.04

    trails = False

    def __post_init__(self) -> None:
        take(self, "FixedPercent: ", RULES)

    def indicators(self) -> dict[str, Indicator]:
        """None: the price is enough."""
        return {}

    @staticmethod
    def initial_levels(now: Any, p: Any, side: int, price: float) -> tuple[float, float]:
        """The first stop and target of a position that is about to be opened.

        Notes
        -----
        Phase: CLOSE of the signal's bar; the levels work from the fill on.
        """
        target = price * (1.0 + side * p.target) if p.target > 0.0 else float("nan")
        return price * (1.0 - side * p.stop), target
