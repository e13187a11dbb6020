"""What a feature is worth to a policy: the score that is lost when it is dealt anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.exits.policy import Policy
from intrabar.learn.passes import passes
from intrabar.learn.window_arrays import Windows
from intrabar.model.bars import DAY_NS, Floats
from intrabar.model.values import SEEDS, whole

DEALS = 5


class Importance(NamedTuple):
    """What one feature is worth.

    Attributes
    ----------
    feature : str
    lost : float
        Mean score of the chosen arms less that with the feature dealt anew, mean of the deals.
    spread : float
        Largest less smallest of the deals.
    """

    feature: str
    lost: float
    spread: float


def importance_of(
    policy: Policy, w: Windows, seed: int = 0, deals: int = DEALS
) -> list[Importance]:
    """What each feature is worth on the validation rows, the most first.

    A feature is dealt anew in blocks of days (UTC), within its symbol and side: what is like it
    from bar to bar stays so, and what it says of the moment is lost.

    Parameters
    ----------
    policy : Policy
    w : Windows
        Of the dataset that it was trained on, normalised as it is.
    seed : int
        Of the deals.
    deals : int

    Raises
    ------
    ConfigError
        The seed is none.
    """
    seed, rows = whole("seed:", seed, SEEDS), w.validation
    windows, won = w.cut(rows).astype(np.float64), w.won[rows]
    base = _score(policy, windows, won)
    made = []
    for f, name in enumerate(policy.features.names):
        lost = []
        for order in _deals(w, rows, np.random.default_rng((seed, f)), deals):
            other = windows.copy()
            other[:, :, f] = windows[order, :, f]
            lost.append(base - _score(policy, other, won))
        made.append(Importance(name, float(np.mean(lost)), max(lost) - min(lost)))
    return sorted(made, key=lambda x: -x.lost)


def _score(policy: Policy, windows: Floats, won: Floats) -> float:
    chosen = passes(policy.net, windows).argmax(axis=1)
    return float(won[np.arange(len(won)), chosen].mean())


def _deals(
    w: Windows, rows: NDArray[np.int64], draw: np.random.Generator, deals: int
) -> Iterator[NDArray[np.int64]]:
    """Orders of rows: the days of each symbol and side, dealt anew."""
    day, symbol, side = w.of.time[rows] // DAY_NS, w.of.symbol[rows], w.of.side[rows]
    for _ in range(deals):
        order = np.arange(len(rows))
        for j in np.unique(symbol):
            for s in (1, -1):
                own = np.flatnonzero((symbol == j) & (side == s))
                days = np.split(own, np.flatnonzero(np.diff(day[own])) + 1) if len(own) else []
                dealt = [days[k] for k in draw.permutation(len(days))]
                if dealt:
                    order[own] = np.concatenate(dealt)
        yield order
