"""The static rival of a learned exit: the same rule with one arm for all campaigns."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from intrabar.exits.fixed_ratio import FixedRatio
from intrabar.exits.trailing_atr import TrailingATR


def static_exit(rule: TrailingATR | FixedRatio, arm: float, max_bars: int) -> Any:
    """The rule with one arm, which leaves after as many held bars as the learned exit does."""
    kind = type(rule)
    held = type(kind.__name__, (kind,), {"__slots__": (), "max_bars": max_bars})
    return held(**{**asdict(rule), "atr_multiple": arm})
