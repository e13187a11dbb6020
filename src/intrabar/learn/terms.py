"""What a dataset is to be of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from intrabar.engine.lanes.lanes import LONGEST, MAX_BARS
from intrabar.errors import ConfigError
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.indicators.features import Features, features_of
from intrabar.model.values import Bounds, choice, whole
from intrabar.strategy.bot import Bot

ARMS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
MOST_ARMS = 64
BASIC = features_of("exit/1")
Kind = type[TrailingATR] | type[FixedRatio]
EXITS: dict[str, Kind] = {"trailing": TrailingATR, "fixed": FixedRatio}


@dataclass(frozen=True)
class Terms:
    """What a dataset is to be of.

    Parameters
    ----------
    features : Features
    arms : tuple of ATR multiples
        Two or more, rising, above 0; no two alike in 6 digits, which name their columns.
    exit : {"trailing", "fixed"}
        How the position goes on after the entry.
    max_bars : bars, >= 1

    Raises
    ------
    ConfigError
    """

    features: Features = BASIC
    arms: tuple[float, ...] = ARMS
    exit: str = "trailing"
    max_bars: int = MAX_BARS

    def __post_init__(self) -> None:
        arms = np.array(self.arms, np.float64)
        rises = bool((np.diff(arms, prepend=0.0) > 0.0).all()) and bool(np.isfinite(arms).all())
        if not rises or not 2 <= len(arms) <= MOST_ARMS:
            raise ConfigError(
                f"arms are {list(self.arms)}, must be 2 to {MOST_ARMS} ATR multiples above 0 that "
                "rise, such as [0.5, 1, 2, 3]"
            )
        if len({f"{arm:g}" for arm in arms}) < len(arms):
            raise ConfigError(
                f"arms are {arms.tolist()}: two have one name in the columns; write them with at "
                "most 6 digits, none twice"
            )
        object.__setattr__(self, "arms", tuple(arms.tolist()))
        choice("exit", self.exit, tuple(EXITS))
        object.__setattr__(
            self, "max_bars", whole("max_bars", self.max_bars, Bounds(1, LONGEST, whole=True))
        )

    def exit_of(self, bot: Bot) -> TrailingATR | FixedRatio:
        """The exit that goes on: the bot's own where it is of that kind, else one by default."""
        kind, own = EXITS[self.exit], cast(Any, bot.exit)
        chosen: TrailingATR | FixedRatio = own if type(own) is kind else kind()
        return chosen
