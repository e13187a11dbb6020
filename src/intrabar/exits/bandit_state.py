"""The state of a bandit as a value: all that it knows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from intrabar.errors import ConfigError, RunError
from intrabar.exits.bandit import MOST_CONTEXT, factor
from intrabar.indicators.indicator import Floats


@dataclass(frozen=True)
class Slot:
    """A decision whose campaign is not over.

    Parameters
    ----------
    arm : int
    propensity, prior, budget : float
        At the decision: the probability of the arm, its `q`, and what its score is divided by.
    context : tuple of d float
    gross, costs : float
        Of the fills so far, in the account's currency.
    is_open : bool
        Whether the entry has filled.
    """

    arm: int
    propensity: float
    prior: float
    budget: float
    context: tuple[float, ...]
    gross: float = 0.0
    costs: float = 0.0
    is_open: bool = False


@dataclass(frozen=True, eq=False)
class BanditState:
    """All that a bandit of one strategy and symbol knows.

    Parameters
    ----------
    strategy, symbol : str
    arms : tuple of K float
        ATR multiples.
    features : str
        Hash of the features.
    prior : str
        Hash of the prior's policies; "" for none.
    mean, scale : tuple of (d - 1) float
        Of the features; fixed at its start.
    alpha, n0 : float
    n : int
        Campaigns that it has learned from.
    learned_until : int, ns UTC
        The latest of the last campaign's close, the prior's instant and the statistics'.
    last_campaign : int
        -1 before the first.
    bandit : (K, d + 1, d) float64
        Per arm `A`, and `b` in the last row.
    slot : Slot or None

    Raises
    ------
    ConfigError
        More features than a bandit can have.
    RunError
        A shape or a number that no bandit has.
    """

    strategy: str
    symbol: str
    arms: tuple[float, ...]
    features: str
    prior: str
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    alpha: float
    n0: float
    n: int
    learned_until: int
    last_campaign: int
    bandit: Floats
    slot: Slot | None = None

    def __post_init__(self) -> None:
        texts = (self.strategy, self.symbol, self.features, self.prior)
        counts = (self.n, self.last_campaign, self.learned_until)
        if not all(isinstance(x, str) for x in texts) or not all(type(x) is int for x in counts):
            raise RunError("a name, a hash or a count of it is of another type")
        own = np.array(self.bandit, np.float64, order="C")
        own.setflags(write=False)
        object.__setattr__(self, "bandit", own)
        d = len(self.mean) + 1
        require_context(d)
        if own.shape != (len(self.arms), d + 1, d) or len(self.scale) != d - 1:
            raise RunError(
                f"A and b have the shape {own.shape}; expected {(len(self.arms), d + 1, d)} for "
                f"{len(self.arms)} arms and {d - 1} features"
            )
        numbers = np.array([*self.mean, *self.scale, *self.arms, self.alpha, self.n0])
        if not (np.isfinite(own).all() and np.isfinite(numbers).all()):
            raise RunError("a number of it is NaN or infinite")
        if self.n0 <= 0.0 or min((*self.scale, *self.arms)) <= 0.0:
            raise RunError("n0, a scale or an arm is not above 0")
        if self.slot is not None:
            _check_slot(self.slot, len(self.arms), d)
        self.factors()

    def factors(self) -> Floats:
        """What the kernels read beside `bandit`, (K, d + 1, d) float64.

        Raises
        ------
        RunError
            An `A` is not positive definite: no sum of contexts is that.
        """
        out = np.zeros(self.bandit.shape)
        for a in range(len(self.arms)):
            # A copy: kernels are compiled anew for arrays that cannot be written to.
            if not factor(self.bandit[a].copy(), out[a]):
                raise RunError(f"A of arm {a} is not positive definite")
        return out


def _check_slot(slot: Slot, arms: int, d: int) -> None:
    if type(slot.arm) is not int or not 0 <= slot.arm < arms or len(slot.context) != d:
        raise RunError(f"its open decision is none of {arms} arms and {d} numbers")
    if type(slot.is_open) is not bool:
        raise RunError(f"slot: is_open is {slot.is_open!r}, must be true or false")
    numbers = {x: getattr(slot, x) for x in ("propensity", "prior", "budget", "gross", "costs")}
    numbers |= {f"context[{i}]": x for i, x in enumerate(slot.context)}
    for name, x in numbers.items():
        if isinstance(x, bool) or not isinstance(x, (int, float)) or not math.isfinite(x):
            raise RunError(f"slot: {name} is {x!r}, must be a finite number")
    if slot.budget <= 0.0 or not 0.0 < slot.propensity <= 1.0:
        raise RunError(
            f"slot: budget is {slot.budget:g}, must be above 0, and propensity "
            f"{slot.propensity:g}, must be above 0 and at most 1"
        )


def require_context(d: int) -> None:
    """Refuse more numbers of context than a bandit learns from.

    Raises
    ------
    ConfigError
        `d`, 1 and the features, is above 32.
    """
    if d > MOST_CONTEXT:
        raise ConfigError(
            f"{d - 1} features make a context of {d} numbers, and a bandit takes at most "
            f"{MOST_CONTEXT}: name fewer features"
        )


def require_same(
    state: BanditState,
    name: str,
    *,
    strategy: str,
    symbol: str,
    arms: tuple[float, ...],
    features: str,
    prior: str,
    n0: float,
) -> None:
    """Refuse a state of another bandit than the exit is.

    Parameters
    ----------
    state : BanditState
    name : str
        What the user calls it, the file.
    strategy, symbol, arms, features, prior, n0
        Of the exit.

    Raises
    ------
    ConfigError
        With what each of them has.
    """
    exit_has: dict[str, Any] = {"strategy": strategy, "symbol": symbol, "arms": arms}
    exit_has |= {"features": features, "prior": prior, "n0": n0}
    for field, value in exit_has.items():
        found = getattr(state, field)
        if found != value:
            raise ConfigError(
                f"{name}: its {field} {_shown(found)}, and the exit's {_shown(value)}: give the "
                "exit the state's, or start without a state"
            )


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"are {list(value)}"
    return "is none" if value == "" else f"is {value}"
