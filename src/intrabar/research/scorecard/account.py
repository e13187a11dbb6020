"""The account: both bots run whole, and what is left of their difference after all looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from intrabar.analysis.bootstrap import Interval, intervals
from intrabar.analysis.figure import Figure, Undefined
from intrabar.analysis.intervals import mean_of
from intrabar.analysis.sharpe import (
    Moments,
    deflated_sharpe,
    expected_maximum,
    moments,
)
from intrabar.research.scorecard.evidence import Returns

YEAR = 252.0  # days, for what is told as a year's


@dataclass(frozen=True, slots=True)
class AccountDifference:
    """Daily returns of the learned bot less those of the static one.

    Parameters
    ----------
    days : int
    mean : Interval or Undefined
        Of the difference, fraction a day.
    moments : Moments or Undefined
    learned, static : float
        Total return of each over these days, fraction.
    """

    days: int
    mean: Interval | Undefined
    moments: Moments | Undefined
    learned: float
    static: float

    @property
    def sharpe(self) -> float | None:
        """Sharpe ratio a day of the difference; what a look keeps."""
        return None if isinstance(self.moments, Undefined) else self.moments.sharpe


@dataclass(frozen=True, slots=True)
class DeflatedDifference:
    """The Sharpe ratio of the difference after its looks.

    Parameters
    ----------
    looks : int
        This one and those before it.
    variance : float, a day
        Of a look's Sharpe ratio.
    threshold : float, a day
        What the best of so many looks at nothing is expected to show.
    probability : float or Undefined
        That the true ratio is above 0.
    """

    looks: int
    variance: float
    threshold: float
    probability: Figure


def difference_of(returns: Returns, seed: int) -> AccountDifference:
    """The difference of two bots that ran whole."""
    apart = returns.learned - returns.static
    ends = [float(np.prod(1.0 + x) - 1.0) for x in (returns.learned, returns.static)]
    mean = intervals(apart, {"mean": mean_of}, seed=seed)["mean"]
    return AccountDifference(len(apart), mean, moments(apart), *ends)


def deflated(found: AccountDifference, sharpes: Sequence[float]) -> DeflatedDifference:
    """The difference after its looks.

    Parameters
    ----------
    found : AccountDifference
    sharpes : sequence of float
        Sharpe ratios a day of the differences of all looks, this one's included; NaN of a look
        that had none, which counts all the same.
    """
    known = [x for x in sharpes if math.isfinite(x)]
    looks = max(1, len(sharpes))
    own = 1.0 / found.days if found.days else 0.0
    variance = max(own, float(np.var(known, ddof=1)) if len(known) > 1 else 0.0)
    threshold = math.sqrt(variance) * expected_maximum(looks)
    if isinstance(found.moments, Undefined):
        return DeflatedDifference(looks, variance, threshold, found.moments)
    probability = deflated_sharpe(found.moments, looks, variance)
    return DeflatedDifference(looks, variance, threshold, probability)


def account_json(found: AccountDifference, after: DeflatedDifference) -> dict[str, Any]:
    """Plain values."""
    told: dict[str, Any] = {
        "days": found.days,
        "learned_return": found.learned,
        "static_return": found.static,
        "sharpe": None if found.sharpe is None else found.sharpe * math.sqrt(YEAR),
        "looks": after.looks,
        "looks_variance": after.variance,
        "threshold": after.threshold * math.sqrt(YEAR),
    }
    for name, x in (("mean", found.mean), ("deflated", after.probability)):
        if isinstance(x, Undefined):
            told |= {name: None, f"{name}_reason": x.reason}
        elif isinstance(x, Interval):
            told |= {name: x.value, f"{name}_low": x.low, f"{name}_high": x.high}
        else:
            told[name] = x
    return told
