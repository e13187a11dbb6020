"""Drift: whether the features of the last decisions still look as those of the training did.

The figure is the population stability index of a feature, `sum (p - q) ln(p / q)` over the cells
between its deciles: p is the share of the last 500 decisions, q that of the training. A feature
that moves slowly strays far within 500 decisions without having changed, so the limit above which
there is an alarm is found on the training itself.

Sources
-------
- Siddiqi: Credit Risk Scorecards (2006), for the index and its customary limit of 0.25.
- Yurdakul, Naranjo: Statistical Properties of the Population Stability Index, Journal of Risk
  Model Validation 14 (2020), for why a fixed limit errs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import UsageError
from intrabar.exits.psi import STRETCH, cells_of, index_of, share_of
from intrabar.model.bars import Floats

FEWEST = 2_000  # of the training, from which a limit can be found
CUSTOMARY = 0.25  # a limit is never below it
RARE = 0.995  # share of the training's stretches that stay below the limit
NO_LIMIT = float(np.finfo(np.float64).max)
"""A limit that no index reaches: of a training of fewer than 2,000 decisions. There is no alarm."""
LEVELS = np.arange(1, 10) / 10.0


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the features of the last 500 decisions are from those of the training.

    Parameters
    ----------
    psi : mapping of feature to float
        Population stability index of each.
    limit : float or None
        Of the largest; None where the training had too few decisions to find one.
    """

    psi: dict[str, float]
    limit: float | None

    @property
    def feature(self) -> str:
        """The feature that has moved furthest; of equal ones the first."""
        return max(self.psi, key=self.psi.__getitem__)

    @property
    def alarm(self) -> bool:
        """Whether the largest index is above the limit; never without one."""
        return self.limit is not None and self.psi[self.feature] > self.limit

    @property
    def told(self) -> str:
        """One sentence."""
        most = f"{self.feature} has moved furthest: index {self.psi[self.feature]:.2f}"
        if self.limit is None:
            return f"{most}; its training had under {FEWEST:,} decisions, so there is no alarm"
        verb = "above" if self.alarm else "not above"
        return f"{most}, {verb} the limit of {self.limit:.2f}"


def deciles_of(values: Floats) -> Floats:
    """Deciles of each feature over the training rows.

    Parameters
    ----------
    values : (n, F) float64
        Signed, not normalised.

    Returns
    -------
    (9, F) float64
        Each a value that is there: between the two of a side lies none.
    """
    known = _known(values, values.shape[1])
    found: Floats = np.quantile(known, LEVELS, axis=0, method="inverted_cdf")
    return found


def psi_of(values: Floats, deciles: Floats) -> Floats:
    """Population stability index of each feature, against its deciles.

    Parameters
    ----------
    values : (n, F) float64
        As the deciles were made of: signed, not normalised.
    deciles : (9, F) float64

    Returns
    -------
    (F,) float64
        At least 0.

    Raises
    ------
    UsageError
        No row, a value that is not finite, or another number of features.
    """
    values = np.array(_known(values, deciles.shape[1]), order="C")
    each = [index_of(values, f, 1.0, 0.0, *cells_of(edges)) for f, edges in enumerate(deciles.T)]
    return np.array(each)


def psi_limit(values: Floats, deciles: Floats) -> float:
    """The index above which the features have drifted, found on the training.

    The larger of 0.25 and the 99.5th percentile of the largest index of a feature over all
    stretches of 500 decisions of the training, each held against its deciles and against the rest
    of it: a stretch looks more like a whole that it is part of than one that comes later does.

    Parameters
    ----------
    values : (n, F) float64
        Of the training's decisions in the order of their times, all symbols together; signed, not
        normalised.
    deciles : (9, F) float64

    Returns
    -------
    float
        `NO_LIMIT` for fewer than 2,000 decisions.
    """
    values = _known(values, deciles.shape[1])
    n = len(values)
    if n < FEWEST:
        return NO_LIMIT
    largest = np.zeros(n - STRETCH + 1)
    for own, edges in zip(values.T, deciles.T, strict=True):
        ends, share = cells_of(edges)
        cell, index, stored = np.searchsorted(ends, own), *np.zeros((2, len(largest)))
        for k in range(len(share)):
            before = np.concatenate(([0], np.cumsum(cell == k)))
            inside = (before[STRETCH:] - before[:-STRETCH]).astype(np.float64)
            rest = share_of(before[-1] - inside, n - STRETCH, len(share))
            here = share_of(inside, STRETCH, len(share))
            index += _index(here, rest)
            stored += _index(here, share[k])
        np.maximum(largest, np.maximum(index, stored), out=largest)
    return max(CUSTOMARY, float(np.quantile(largest, RARE)))


def drift_of(values: Floats, names: Sequence[str], deciles: Floats, limit: float) -> Drift | None:
    """Drift of the last 500 decisions; None where there are not as many.

    Parameters
    ----------
    values : (n, F) float64
        Of all decisions, in their order; signed, not normalised.
    names : (F,) of str
    deciles : (9, F) float64
    limit : float
        As `psi_limit` found it.
    """
    if len(values) < STRETCH:
        return None
    found = psi_of(values[-STRETCH:], deciles)
    told = dict(zip(names, found.tolist(), strict=True))
    return Drift(told, None if limit >= NO_LIMIT else limit)


def _index(now: Floats, then: Floats) -> Floats:
    return np.asarray((now - then) * np.log(now / then))


def _known(values: Floats, features: int) -> NDArray[np.float64]:
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or len(values) == 0 or values.shape[1] != features:
        raise UsageError(
            f"features of decisions are {values.shape}, expected rows of {features} numbers"
        )
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise UsageError(f"feature {column} of decision {row} is {values[row, column]}, no number")
    return values
