"""A bot: an entry, an exit, a size and gates, put together without a line of code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from intrabar.errors import ConfigError
from intrabar.exits import FixedRatio
from intrabar.exits.learned import Learning
from intrabar.indicators import Indicator, atr
from intrabar.indicators.given import request_of, written
from intrabar.model.values import Bounds, Rule, take
from intrabar.strategy.contract import indicators_of, require_entry, require_exit
from intrabar.strategy.gates import Gates
from intrabar.strategy.parts import Entry, Exit

RISK = 0.01  # fraction of the equity, where no size is given


@dataclass(frozen=True)
class Bot:
    """Decides at the close, trades at the next open, with a stop in the market all along.

    A bot that is flat asks the entry for a side, then the exit for the levels, then the size, and
    submits a bracket. In a position it lets the exit tighten the stop (fill model, section 7).

    Parameters
    ----------
    entry : Entry
    exit : Exit, or one that learns
        That of the entry where it has a `usual_exit`, else FixedRatio.
    risk_fraction : fraction of the equity, 0 to 1
        Lost when the first stop is hit. Of this, `qty` and `equity_fraction` one is given; where
        none is, it is 0.01.
    qty : quantity, > 0
        0, as for the others: not given.
    gates : Gates
    warm_up : bars, >= 0
        No decision before this bar, beyond the warm-up of the indicators.
    interpreted : bool
        Run the rules and the steps as plain Python, for a debugger; the results are the same.
    equity_fraction : fraction of the equity, >= 0
        Held in every campaign, whatever its stop.
    predictions : Predictions, path, or mapping with `file`, optional
        Predictions whose columns the rules read beside their indicators.

    Examples
    --------
    >>> bot = Bot(MovingAverageCrossover(10, 30), TrailingATR(), risk_fraction=0.02)
    >>> ib.backtest(bot, bars)

    An entry of one's own is a frozen dataclass of its parameters:

    >>> @dataclass(frozen=True)
    ... class Dip:
    ...     below: float = 30.0
    ...     wakes_on = ""  # or the name of an indicator that is 0 where nothing can happen
    ...     def indicators(self):
    ...         return {"rsi": ib.rsi(14)}
    ...     @staticmethod
    ...     def decide_side(now, p):
    ...         return 1 if now.rsi < p.below else 0

    Notes
    -----
    The entry rests at a price where it has a static `stop_entry(now, p, side)` or
    `limit_entry(now, p, side)` that names one; NaN is a market order. That order works until the
    next close of the instrument, and stays where the rule then names the same side and price
    again. A static `wants_out(now, p, side)` of the entry or of the exit leaves the position by a
    market order. All of them are asked at CLOSE.
    """

    entry: Entry
    exit: Exit | Learning = None  # type: ignore[assignment]
    risk_fraction: float | None = None
    qty: float = 0.0
    gates: Gates = field(default_factory=Gates)
    warm_up: int = 0
    interpreted: bool = False
    equity_fraction: float = 0.0
    predictions: Any = None

    def __post_init__(self) -> None:
        if self.exit is None:
            object.__setattr__(self, "exit", usual_exit(self.entry)())
        if self.predictions is not None:
            object.__setattr__(self, "predictions", written(request_of(self.predictions)))
        parts = require_entry(self.entry), require_exit(self.exit)
        take(self, "", TAKEN)
        sizes = ("risk_fraction", "qty", "equity_fraction")
        given = [name for name in sizes if getattr(self, name)]
        if len(given) > 1:
            raise ConfigError(f"a bot has one size: {' and '.join(given)} are given")
        if self.risk_fraction is None and given:
            object.__setattr__(self, "risk_fraction", 0.0)
        if not given and self.risk_fraction == 0.0:
            raise ConfigError("a bot needs a risk_fraction or a qty above 0, or an equity_fraction")
        self._together(*parts)

    @property
    def predictions_file(self) -> Any:
        """As a strategy in Python has it."""
        return self.predictions

    @property
    def name(self) -> str:
        """How reports call it, unless the configuration gives it another name."""
        return type(self.entry).__name__

    def indicators(self) -> dict[str, Indicator]:
        """Everything that its rules and gates read."""
        return self._together(indicators_of(self.entry), indicators_of(self.exit))

    def _together(
        self, named: dict[str, Indicator], others: dict[str, Indicator]
    ) -> dict[str, Indicator]:
        """The indicators of the entry, of the exit and of the gates."""
        if self.gates.min_atr > 0.0:
            others["gate_atr"] = atr(self.gates.atr_period)
        for name, indicator in others.items():
            if named.setdefault(name, indicator) != indicator:
                raise ConfigError(
                    f"{self.name}: {name!r} is {named[name]} to the entry and {indicator} to the "
                    "exit or the gates; give the one of the entry another name"
                )
        return named


def usual_exit(entry: Any) -> Any:
    """The class of the exit of a bot for which none is named.

    Parameters
    ----------
    entry : an entry, or its class
    """
    return getattr(entry, "usual_exit", FixedRatio)


TAKEN: dict[str, Rule] = {
    "risk_fraction": Bounds(high=1.0, or_none=True),
    "qty": Bounds(),
    "gates": Gates,
    "warm_up": Bounds(high=10**9, whole=True),
    "interpreted": bool,
    "equity_fraction": Bounds(),
}
