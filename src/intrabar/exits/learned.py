"""Exits that choose among arms, multiples of the ATR: by a policy, by a bandit, or by both.

Such an exit works out no price of its own. Its `rule` is `TrailingATR` or `FixedRatio`, whose
multiple is that of the arm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from intrabar.errors import ConfigError
from intrabar.exits.bandit_state import require_context
from intrabar.exits.fixed_ratio import FixedRatio
from intrabar.exits.policy import Policy
from intrabar.exits.trailing_atr import TrailingATR
from intrabar.indicators import Indicator, uniform
from intrabar.indicators.features import Features, features_of
from intrabar.indicators.indicator import LONGEST_PERIOD
from intrabar.model.values import Bounds, Rule, choice, path, shown, take

TRAILING, FIXED = "trailing", "fixed"
SHADOW, ACT = "shadow", "act"
TELL, STATIC = "tell", "static"
LONGEST = 1_000_000  # bars
MOST_ARMS = 64
FIRST_ROWS = 500  # known bars that the context is normalised by, where no policy says how
OTHER_DRAWS = 0x5851F42D4C957F2D  # so that an entry's draws of the same seed are others

COMMON: dict[str, Rule] = {
    "atr_period": Bounds(1, LONGEST_PERIOD, whole=True),
    "reward": Bounds(),
    "max_bars": Bounds(1, LONGEST, whole=True),
    "in_sample": bool,
}
OF_POLICIES: dict[str, Rule] = {"refit_lag": Bounds(high=LONGEST, whole=True)}
OF_BANDITS: dict[str, Rule] = {
    "alpha": Bounds(),
    "n0": Bounds(above=True),
    "explore": Bounds(high=1.0),
    "seed": Bounds(high=2**63 - 1, whole=True),
}


class ArmExit:
    """What exits that choose among arms have in common: whose rule places the levels."""

    exit: str
    atr_period: int
    reward: float
    explore: float = 0.0  # one without a bandit draws nothing
    seed: int = 0

    learns = True

    @cached_property
    def rule(self) -> TrailingATR | FixedRatio:
        """Whose rules place the levels; the multiple is set by each decision."""
        if self.trails:
            return TrailingATR(self.atr_period)
        return FixedRatio(self.atr_period, reward=self.reward)

    @property
    def trails(self) -> bool:
        """Whether the stop follows the close."""
        return self.exit == TRAILING

    def indicators(self) -> dict[str, Indicator]:
        """What the rules read beside the bar, and the draws of what is explored."""
        read = self.rule.indicators()
        if self.explore > 0.0:
            read["exit_draw"] = uniform((self.seed ^ OTHER_DRAWS) & (2**63 - 1))
        return read


@dataclass(frozen=True)
class Learned(ArmExit):
    """Stop at the multiple of the ATR that a policy names, or a file of arms.

    Parameters
    ----------
    policy : Policy, sequence of Policy, or path
        One that decides at the signal's close, or at each close while held as well (`Policy.when`).
        Of several, those of a walk-forward, the newest that could have been trained by then
        decides.
    arms : path
        A file of arms in the place of a policy: `time, symbol, side, arm, trained_until`.
    static : ATR multiple, >= 0
        Taken where the file has no arm; it must be given with one, and is one of its arms.
    exit : {"trailing", "fixed"}
        `TrailingATR`, or `FixedRatio` with `reward`.
    atr_period : bars, >= 1
    reward : R multiple, >= 0
        Of a fixed exit; 0 for no target.
    max_bars : bars, >= 1
        Held bars after which the position leaves at the next open.
    refit_lag : bars, >= 0
        What training takes: of several policies one decides that long after `trained_until`.
    in_sample : bool
        Trade bars too that a model has learned from; the result says so.
    session : {"shadow", "act"}
        In a session: the static arm trades, and what is decided here is simulated beside it; or
        it trades itself, as in a backtest.
    on_drift : {"tell", "static"}
        Where the features of the last 500 decisions have drifted from those of the training: that
        is told; or the policy's static arm trades too, as long as they have.

    Raises
    ------
    ConfigError
    """

    policy: Any = None
    arms: Any = None
    static: float = 0.0
    exit: str = TRAILING
    atr_period: int = 14
    reward: float = 2.0
    max_bars: int = 250
    refit_lag: int = 8
    in_sample: bool = False
    session: str = SHADOW
    on_drift: str = TELL

    def __post_init__(self) -> None:
        _take(self, {**COMMON, **OF_POLICIES, "static": Bounds()})
        if (self.policy is None) == (self.arms is None):
            raise ConfigError(
                "Learned: give a policy, such as policies/trend, or a file of arms, such as "
                "arms.parquet; one of both"
            )
        if self.policy is not None and self.static:
            raise ConfigError("Learned: static is for a file of arms; a policy has its own")
        if self.arms is not None:
            if self.on_drift == STATIC:
                raise ConfigError(
                    "Learned: on_drift: static is for a policy; of a file of arms no training is "
                    "known to hold its decisions against"
                )
            object.__setattr__(self, "arms", whole_path("Learned: arms", self.arms))
            if not self.static:
                raise ConfigError(
                    "Learned: static is missing: the arm that is traded where the file has none"
                )
        _take_policy(self)


@dataclass(frozen=True)
class LinUCB(ArmExit):
    """Stop at the multiple of the ATR that a bandit names, which learns from each campaign.

    It is `Hybrid` without a policy: in 500 campaigns no such bandit reaches the best single arm.

    Parameters
    ----------
    arms : sequence of ATR multiples, rising
    features : str, sequence of str, or Features
        The context: a set such as "exit/1", or features of one's own; at most 31.
    alpha : float, >= 0
        How much more an arm is worth of which little is known.
    n0 : float, > 0
        How many campaigns the start counts for.
    explore : 0 to 1
        Share of the decisions that are drawn, each arm alike.
    seed : int
        Of these draws.
    state : path, optional
        What the bandit of each symbol has learned before: a folder of SYMBOL.json, or for one
        symbol its file. Read once, when a run begins.
    static : ATR multiple, one of its arms
        What trades in a session whose bandit is in shadow; it must be given there.
    exit, atr_period, reward, max_bars, in_sample, session
        As `Learned`.

    Raises
    ------
    ConfigError
    """

    arms: Any = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
    features: Any = "exit/1"
    alpha: float = 0.05
    n0: float = 1.0
    explore: float = 0.0
    seed: int = 0
    state: Any = None
    static: float = 0.0
    exit: str = TRAILING
    atr_period: int = 14
    reward: float = 2.0
    max_bars: int = 250
    in_sample: bool = False
    session: str = SHADOW

    def __post_init__(self) -> None:
        _take(self, {**COMMON, **OF_BANDITS, "static": Bounds()})
        object.__setattr__(self, "arms", arms_of(self.arms))
        if self.static and self.static not in self.arms:
            raise ConfigError(
                f"LinUCB: static is {self.static:g}, must be one of its arms, {list(self.arms)}"
            )
        require_context(len(self.context.features) + 1)
        _take_state(self)

    @cached_property
    def context(self) -> Features:
        """Its features, of the decision's bar."""
        given = self.features
        return given if isinstance(given, Features) else features_of(given, 1)


@dataclass(frozen=True)
class Hybrid(ArmExit):
    """A bandit over a policy: it learns from each campaign what the policy leaves over.

    Parameters
    ----------
    policy
        As `Learned`; one that decides at the signal's close, or at each close, of which the first
        decision alone is taken.
    alpha, explore, seed, state
        As `LinUCB`.
    n0 : float, > 0
        How many campaigns the policy counts for.
    exit, atr_period, reward, max_bars, refit_lag, in_sample, session, on_drift
        As `Learned`.

    Raises
    ------
    ConfigError
    """

    policy: Any = None
    alpha: float = 0.05
    n0: float = 200.0
    explore: float = 0.0
    seed: int = 0
    state: Any = None
    exit: str = TRAILING
    atr_period: int = 14
    reward: float = 2.0
    max_bars: int = 250
    refit_lag: int = 8
    in_sample: bool = False
    session: str = SHADOW
    on_drift: str = TELL

    def __post_init__(self) -> None:
        _take(self, {**COMMON, **OF_POLICIES, **OF_BANDITS})
        if self.policy is None:
            raise ConfigError("Hybrid: policy is missing; without one it is LinUCB(arms=...)")
        _take_policy(self)
        _take_state(self)


Learning = Learned | LinUCB | Hybrid


def is_filed(exit_: Any) -> TypeGuard[Learned]:
    """Whether an exit takes its arms from a file."""
    return isinstance(exit_, Learned) and exit_.arms is not None


def arms_of(given: Any) -> tuple[float, ...]:
    """Arms as they are given.

    Raises
    ------
    ConfigError
        They are no numbers above 0 that rise.
    """
    try:
        arms = np.array(given, np.float64)
    except (TypeError, ValueError, OverflowError):
        arms = np.zeros(0)
    good = arms.ndim == 1 and 1 <= len(arms) <= MOST_ARMS and not isinstance(given, Mapping)
    if not good or not np.isfinite(arms).all() or not (np.diff(arms, prepend=0.0) > 0.0).all():
        raise ConfigError(
            f"arms: are {shown(given)}, must be 1 to {MOST_ARMS} ATR multiples above 0 that rise, "
            "such as [0.5, 1, 2, 3]"
        )
    return tuple(arms.tolist())


def whole_path(place: str, given: Any) -> str:
    """A path that is the same from wherever it is asked for."""
    return str(path(place, given).expanduser().absolute())


def _take(exit_: Any, rules: dict[str, Rule]) -> None:
    name = type(exit_).__name__
    take(exit_, f"{name}: ", rules)
    choice(f"{name}: exit", exit_.exit, (TRAILING, FIXED))
    choice(f"{name}: session", exit_.session, (SHADOW, ACT))
    if hasattr(exit_, "on_drift"):
        choice(f"{name}: on_drift", exit_.on_drift, (TELL, STATIC))


def _take_policy(exit_: Any) -> None:
    given, name = exit_.policy, type(exit_).__name__
    if isinstance(given, str | Path):
        object.__setattr__(exit_, "policy", whole_path(f"{name}: policy", given))
    elif isinstance(given, Policy):
        object.__setattr__(exit_, "policy", (given,))
    elif isinstance(given, Sequence) and given and all(isinstance(x, Policy) for x in given):
        object.__setattr__(exit_, "policy", tuple(given))
    elif given is not None:
        raise ConfigError(
            f"{name}: policy is {shown(given)}, must be a folder such as policies/trend, or what "
            "ib.policy gives"
        )


def _take_state(exit_: Any) -> None:
    if exit_.state is not None:
        name = type(exit_).__name__
        object.__setattr__(exit_, "state", whole_path(f"{name}: state", exit_.state))
