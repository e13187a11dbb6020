"""The entry that trades predictions: in beyond a threshold, out below another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from intrabar.errors import ConfigError
from intrabar.exits import FixedPercent
from intrabar.indicators import Indicator
from intrabar.indicators.constructors import level
from intrabar.indicators.given import request_of, written
from intrabar.indicators.indicator import predicted
from intrabar.model.values import Bounds, Rule, take

RULES: dict[str, Rule] = {
    "enter": Bounds(),
    "leave": Bounds(low=-1.0, high=10.0),
    "min_confidence": Bounds(high=1.0),
    "short": bool,
    "horizon": Bounds(1, 10**6, whole=True, or_none=True),
}


@dataclass(frozen=True, slots=True)
class PredictionThreshold:
    """Long where a predicted return is high enough, out where it no longer is.

    Parameters
    ----------
    predictions : Predictions, path, or mapping with `file`, `time_is`, `zone`
        Parquet or CSV.
    enter : return, >= 0
        Enter where the predicted return of the side is above it.
    leave : return, < enter
        Leave where the predicted return of the side is below it.
    min_confidence : probability, 0 to 1
        Enter only where the file's confidence is as high; where it has none, the probability of
        that side between its quantiles. 0 asks for none.
    short : bool
        Sell short where the predicted return is below minus `enter`.
    horizon : bars, >= 1, optional
        The shortest of the file where it is not given.

    Notes
    -----
    Phase: CLOSE of the bar on which the prediction was made; traded at the next open. Without a
    prediction it neither enters nor leaves. Its usual exit is FixedPercent(0.02, 0.04).
    """

    predictions: Any = None
    enter: float = 0.002
    leave: float = 0.0
    min_confidence: float = 0.0
    short: bool = False
    horizon: int | None = None

    wakes_on = ""
    usual_exit = FixedPercent

    def __post_init__(self) -> None:
        take(self, "PredictionThreshold: ", RULES)
        request_of(self.predictions, self.horizon)
        object.__setattr__(self, "predictions", written(request_of(self.predictions)))
        if not self.leave < self.enter:
            raise ConfigError(
                f"PredictionThreshold: leave is {self.leave:g}, must be below enter, {self.enter:g}"
            )

    def indicators(self) -> dict[str, Indicator]:
        """What the rule reads beside the bar."""
        request = request_of(self.predictions, self.horizon)
        asks = self.min_confidence > 0.0
        return {
            "predicted_return": predicted("predicted_return", request),
            "chance_up": predicted("chance_up", request) if asks else level(1.0),
            "chance_down": predicted("chance_down", request) if asks else level(1.0),
        }

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """The side whose predicted return is above `enter`. Phase: CLOSE."""
        if now.predicted_return > p.enter and now.chance_up >= p.min_confidence:
            return 1
        if p.short > 0.0 and -now.predicted_return > p.enter:
            return -1 if now.chance_down >= p.min_confidence else 0
        return 0

    @staticmethod
    def wants_out(now: Any, p: Any, side: int) -> bool:
        """Whether the predicted return of the side is below `leave`. Phase: CLOSE."""
        return bool(side * now.predicted_return < p.leave)
