"""What the parts of a bot are: an entry and an exit, dataclasses with static rules."""

from __future__ import annotations

from typing import Any, Protocol

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
