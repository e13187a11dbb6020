"""What a learned exit trades by, and what it has decided: values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from intrabar.exits.bandit_state import BanditState
from intrabar.exits.learned import TELL
from intrabar.exits.policy import Policy
from intrabar.indicators.features import Features
from intrabar.indicators.indicator import Floats


class Tables(Protocol):
    """Feature tables of a market, or of the next piece of it."""

    @property
    def tables(self) -> tuple[Floats, ...]: ...  # noqa: D102
    @property
    def row_of(self) -> NDArray[np.int32]: ...  # noqa: D102
    @property
    def first(self) -> tuple[int, ...]: ...  # noqa: D102


class Lessons(NamedTuple):
    """What a learned exit trades by in a run.

    Parameters
    ----------
    arms : tuple of ATR multiples
    features : Features or None
        None: a file of arms.
    policies : tuple of Policy
        In the order of `trained_until`.
    ready : tuple of int, ns UTC
        Each decides at later closes.
    states : mapping of symbol to BanditState
        What bandits have learned before.
    filed : mapping of symbol to (k,) FILED, or None
    static : int
        The arm where a file has none.
    source : str
        Hash of that file; "" for none.
    on_drift : {"tell", "static"}
    """

    arms: tuple[float, ...]
    features: Features | None = None
    policies: tuple[Policy, ...] = ()
    ready: tuple[int, ...] = ()
    states: Mapping[str, BanditState] = {}
    filed: Mapping[str, NDArray[Any]] | None = None
    static: int = 0
    source: str = ""
    on_drift: str = TELL

    @property
    def reads_position(self) -> bool:
        """Whether its policies read the own position."""
        return bool(self.policies) and self.policies[0].when == "bar"

    @property
    def context_names(self) -> tuple[str, ...]:
        """Of what a context holds: the constant, then the features."""
        return ("1", *(() if self.features is None else self.features.names))


class Log(NamedTuple):
    """What was decided, and how it ended.

    Parameters
    ----------
    decisions : (k,) DECISION
    values : (k, K + d) float64
        Scores, then the context.
    ends : (e,) ENDED
    """

    decisions: NDArray[Any]
    values: Floats
    ends: NDArray[Any]


class Bandits(NamedTuple):
    """The bandits of a run, by instrument.

    Parameters
    ----------
    alpha, n0 : float
    means, scales : (n, F)
    known_from : (n,) int64, ns UTC
        When these were known; 0 where a policy or a state said them, -1 where they are not known.
    used : int
        How many of the policies could have been read so far.
    sums : (n, K, d + 1, d)
    contexts : (n, d)
        Of the decisions that are open.
    """

    alpha: float
    n0: float
    means: Floats
    scales: Floats
    known_from: NDArray[np.int64]
    used: int
    sums: Floats
    contexts: Floats


class Decided(NamedTuple):
    """What a learned exit has decided in a run, and all that is needed to read it.

    Parameters
    ----------
    log : Log
    memory : (n,) MEMORY
    lessons : Lessons
    bandits : Bandits or None
    """

    log: Log
    memory: NDArray[Any]
    lessons: Lessons
    bandits: Bandits | None
