"""The entries that come with Intrabar: what makes a flat bot take a side.

An entry is a frozen dataclass of numbers with `indicators()` and a static `decide_side(now, p)`:
+1 long, -1 short, 0 neither. `now` has the bar (`open`, `high`, `low`, `close`, `volume`) and the
indicators by name; `p` has the parameters. `wakes_on` names an indicator that is 0 where the rule
could not answer anything but 0, so that the loop need not ask; "" asks on every bar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from intrabar.errors import ConfigError
from intrabar.indicators import Indicator, atr, change, cross, ema, price, sma, uniform
from intrabar.indicators.catalog import SEEDINGS
from intrabar.indicators.indicator import LONGEST_PERIOD
from intrabar.model.values import Bounds, Rule, take

PERIOD = Bounds(1, LONGEST_PERIOD, whole=True)
SEED = Bounds(high=2**63 - 1, whole=True)


@dataclass(frozen=True, slots=True)
class CoinFlip:
    """Toss a coin on every bar: the baseline that any idea must beat.

    Parameters
    ----------
    seed : int
        The draws depend on it, the symbol and the time alone.
    chance : probability, 0 to 1
        Of entering on a bar; long and short are equally likely.
    """

    seed: int = 0
    chance: float = 0.1

    wakes_on = ""

    def __post_init__(self) -> None:
        take(self, "CoinFlip: ", {"seed": SEED, "chance": Bounds(high=1.0)})

    def indicators(self) -> dict[str, Indicator]:
        """What the rule reads beside the bar."""
        return {"draw": uniform(self.seed)}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """Long on the lowest draws, short on the next, else nothing. Phase: CLOSE."""
        if now.draw < 0.5 * p.chance:
            return 1
        return -1 if now.draw < p.chance else 0


@dataclass(frozen=True, slots=True)
class MovingAverageCrossover:
    """Enter when a fast average crosses a slow one, in the direction of the cross.

    Parameters
    ----------
    fast, slow : bars, fast < slow
    average : {"ema", "sma"}
    seed : {"sma", "first"}
        How an EMA starts.
    """

    fast: int = 20
    slow: int = 50
    average: str = "ema"
    seed: str = "sma"

    wakes_on = "cross"

    def __post_init__(self) -> None:
        seeds: Rule = SEEDINGS
        rules = {"fast": PERIOD, "slow": PERIOD, "average": ("ema", "sma"), "seed": seeds}
        take(self, "MovingAverageCrossover: ", rules)
        if not self.fast < self.slow:
            raise ConfigError(
                f"MovingAverageCrossover: fast is {self.fast}, must be below slow, {self.slow}"
            )

    def indicators(self) -> dict[str, Indicator]:
        """What the rule reads beside the bar."""
        if self.average == "sma":
            return {"cross": cross(sma(self.fast), sma(self.slow))}
        return {"cross": cross(ema(self.fast, seed=self.seed), ema(self.slow, seed=self.seed))}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """The direction of the cross on this bar. Phase: CLOSE."""
        return int(now.cross)


@dataclass(frozen=True, slots=True)
class TrendFollowing:
    """Enter with the trend: on the way back over a fast EMA, or on an outsized bar.

    The trend is the side of the slow EMA on which the fast one lies.

    Parameters
    ----------
    fast, slow : bars, fast < slow
    breakout : ATRs, >= 0
        0: enter when the close crosses back over the fast EMA in the trend's direction. Above 0:
        enter when a close moves by more than this many ATRs in that direction.
    atr_period : bars, >= 1
    """

    fast: int = 20
    slow: int = 100
    breakout: float = 0.0
    atr_period: int = 14

    wakes_on = ""

    def __post_init__(self) -> None:
        rules = {"fast": PERIOD, "slow": PERIOD, "breakout": Bounds(), "atr_period": PERIOD}
        take(self, "TrendFollowing: ", rules)
        if not self.fast < self.slow:
            raise ConfigError(
                f"TrendFollowing: fast is {self.fast}, must be below slow, {self.slow}"
            )

    def indicators(self) -> dict[str, Indicator]:
        """What the rule reads beside the bar."""
        return {
            "fast": ema(self.fast),
            "slow": ema(self.slow),
            "back": cross(price(), ema(self.fast)),
            "move": change(),
            "atr": atr(self.atr_period),
        }

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """The trend's side on a crossback or a breakout bar. Phase: CLOSE."""
        trend = 1 if now.fast > now.slow else -1
        if p.breakout > 0.0:
            return trend if trend * now.move > p.breakout * now.atr else 0
        return trend if now.back == trend else 0
