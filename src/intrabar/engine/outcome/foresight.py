"""Arrays that were worked out before a run and foretell returns as only the future could.

What can be known at a close says a little of the next returns, if anything at all. An array that
follows them closely was made from them: a shift the wrong way, a centred window, a model that was
trained on the bars it is asked about. Such an array is recognised without being made again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.outcome.held_arrays import held_arrays
from intrabar.model.bars import Floats, Market
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.signals import Signals
from intrabar.strategy.weights import Weights

AHEAD = (1, 2, 5, 10, 20)
"""Bars over which returns are added up: a centred window is a little ahead of each of them."""

PAST = 10
"""Returns before a bar that may foretell what comes after it: that much is no foresight."""

SLOW = (20, 50)
"""Bars over which earlier returns are added up, for waves longer than `PAST`."""

BELIEVED = 0.25
"""Correlation with returns to come that nobody has honestly; 0.15 is world class (Grinold, Kahn,
Active Portfolio Management, 1999)."""

SURE = 5.0
"""Standard errors that the correlation must be above 0: one array in some three million by luck."""

FEWEST = 40
"""Bars below which nothing can be told."""


class Foresight(NamedTuple):
    """How well an array foretells the returns of an instrument.

    Parameters
    ----------
    name, symbol : str
    bars : int
        Over which the returns are added up.
    correlation : float
        Of the array at a close with what comes after it, less what earlier returns foretell.
    errors : float
        The correlation in its standard errors.
    """

    name: str
    symbol: str
    bars: int
    correlation: float
    errors: float

    @property
    def knows(self) -> bool:
        """Whether only the future could have told it."""
        return abs(self.correlation) >= BELIEVED and abs(self.errors) >= SURE

    def __str__(self) -> str:
        ahead = "the next bar" if self.bars == 1 else f"the next {self.bars} bars"
        return (
            f"{self.name} foretells {ahead} of {self.symbol} with a correlation of "
            f"{abs(self.correlation):.2f} ({abs(self.errors):.0f} standard errors); above "
            f"{BELIEVED:g} only the future itself could have told it"
        )


def foresight(strategy: AnyStrategy, market: Market) -> list[Foresight]:
    """The arrays of a strategy that know the future, the worst column and span of each.

    Parameters
    ----------
    strategy : strategy
    market : Market
        The bars that it was run on.
    """
    return [one for one in measured(strategy, market) if one.knows]


def measured(strategy: AnyStrategy, market: Market) -> list[Foresight]:
    """How well each array of a strategy foretells returns, the best column and span of each."""
    arrays = _arrays(strategy, market)
    if not arrays:
        return []
    innovations = [_innovations(market, j) for j in range(len(market.symbols))]
    found = []
    for name, columns in arrays.items():
        is_position = isinstance(strategy, Signals | Weights)
        each = [
            one
            for k in range(columns.shape[1])
            for j in ((k,) if columns.shape[1] == len(market.symbols) else range(len(innovations)))
            for ahead in AHEAD
            if (one := _told(name, market.symbols[j], columns[:, k], innovations[j], ahead))
        ]
        # Positions that go against what comes lose money: only those that go with it know it.
        each = [one for one in each if not is_position or one.correlation > 0.0]
        if each:
            found.append(max(each, key=lambda x: (x.knows, abs(x.correlation))))
    return found


def _arrays(strategy: AnyStrategy, market: Market) -> Mapping[str, Floats]:
    """What is to be held against returns, (t, columns) each."""
    if isinstance(strategy, Weights):
        return {"weight": _held(strategy.grid(market))}
    if isinstance(strategy, Signals):
        side = np.broadcast_to(strategy.grid(market, "side"), market.close.shape)
        qty = np.broadcast_to(strategy.grid(market, "qty"), market.close.shape)
        # In events, 0 says nothing new; a position is what the last word before it asked for.
        said = np.where(side == 0.0, np.nan, side) if strategy.zero == "hold" else side
        held = _held(said)
        return {"side": held, "qty": np.nan_to_num(held) * _held(qty)}
    own = (market.time, market.open_time, market.session_end)
    found: dict[str, Floats] = {}
    for name, array in held_arrays(strategy, len(market)).items():
        if array.dtype.kind in "biuf" and not any(array is one for one in own):
            found[name] = np.asarray(array, np.float64).reshape(len(market), -1)
    return found


def _held(said: NDArray[Any]) -> Floats:
    """The last word at every row; NaN before the first."""
    rows = np.where(np.isnan(said), -1, np.arange(len(said))[:, None])
    latest = np.maximum.accumulate(rows, axis=0)
    kept = np.take_along_axis(said, np.maximum(latest, 0), axis=0)
    return np.asarray(np.where(latest >= 0, kept, np.nan), np.float64)


def _innovations(market: Market, column: int) -> tuple[NDArray[np.int64], Floats]:
    """Rows with a bar, and at each the log return that its earlier ones do not foretell."""
    rows = np.flatnonzero(~np.isnan(market.open[:, column]))
    close = market.close[rows, column]
    if len(rows) < FEWEST or not (close > 0.0).all():
        return rows, np.full(len(rows), np.nan)
    change = np.diff(np.log(close), prepend=np.nan)
    spans = [span for span in SLOW if len(rows) >= 10 * span]
    slow = [np.log(_later(close, 1) / _later(close, 1 + span)) for span in spans]
    before = [np.ones(len(rows)), *(_later(change, k) for k in range(1, PAST + 1)), *slow]
    known = np.isfinite(before).all(axis=0) & np.isfinite(change)
    past = np.column_stack(before)
    weights = np.linalg.lstsq(past[known], change[known], rcond=None)[0]
    left = np.full(len(rows), np.nan)
    left[known] = change[known] - past[known] @ weights
    return rows, left


def _later(values: Floats, rows: int) -> Floats:
    return np.concatenate((np.full(rows, np.nan), values[: len(values) - rows]))


def _told(
    name: str,
    symbol: str,
    array: Floats,
    innovations: tuple[NDArray[np.int64], Floats],
    ahead: int,
) -> Foresight | None:
    """The rank correlation of an array with the returns after it; None where there is none."""
    rows, left = innovations
    if len(left) < FEWEST + ahead:
        return None
    sums = np.convolve(left, np.ones(ahead), "valid")  # of the bars i .. i + ahead - 1
    values, sums = array[rows][: len(sums) - 1], sums[1:]
    both = np.isfinite(values) & np.isfinite(sums)
    if both.sum() < FEWEST:
        return None
    x, y = _ranks(values[both]), _ranks(sums[both])
    spread = float(np.sqrt(x @ x) * np.sqrt(y @ y))
    if not spread > 0.0:
        return None
    correlation = float(x @ y) / spread
    # Sums that overlap are not independent: there are as many as fit side by side. A value that
    # is said seldom stands for no more than the bars that it was said on.
    return Foresight(name, symbol, ahead, correlation, correlation * math.sqrt(both.sum() / ahead))


def _ranks(values: Floats) -> Floats:
    """Ranks from the mean; equal values share theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - (count + 1) / 2.0
    ranks = middle[place]
    return np.asarray(ranks - ranks.mean(), np.float64)
