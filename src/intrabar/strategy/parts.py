"""What the parts of a bot are: an entry and an exit, dataclasses with static rules."""

from __future__ import annotations

from typing import Any, Protocol

from intrabar.exits.learned import Hybrid, Learned, LinUCB
from intrabar.indicators import Indicator


class Entry(Protocol):
    """What makes a flat bot take a side; see `strategy.entries` for examples."""

    wakes_on: str

    def indicators(self) -> dict[str, Indicator]:
        """What `decide_side` reads beside the bar."""

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """+1, -1 or 0. Phase: CLOSE."""


class Exit(Protocol):
    """Where the stop and the target of a position stand; see `exits` for examples."""

    trails: bool

    def indicators(self) -> dict[str, Indicator]:
        """What the rules read beside the bar."""

    @staticmethod
    def initial_levels(now: Any, p: Any, side: int, price: float) -> tuple[float, float]:
        """First stop and target, NaN for no target. Phase: CLOSE of the signal's bar."""


def acting(exit_: Any) -> Any:
    """Whose rules place the levels: an exit itself, or of one that learns the rule it has."""
    return exit_.rule if learns(exit_) else exit_


def learns(exit_: Any) -> bool:
    """Whether an exit chooses among arms, as `Learned`, `LinUCB` and `Hybrid` do."""
    return isinstance(exit_, Learned | LinUCB | Hybrid)
