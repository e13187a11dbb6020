"""The probability of backtest overfitting: whether the best in one half is good in the other.

Combinatorially symmetric cross-validation. The days are cut into an even number of blocks; each
half of the blocks is once the sample in which the best trial is chosen, and the other half shows
what became of it.

Source: Bailey, Borwein, Lopez de Prado, Zhu: The Probability of Backtest Overfitting, Journal of
Computational Finance 20 (2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.figure import Undefined
from intrabar.analysis.returns import ROUNDING, Floats
from intrabar.errors import UsageError

FLAT = 1e-7  # of the largest return: the root of what sums of squares lose to rounding
EQUAL = 1e-10  # Sharpe ratios that are no further apart are the same
CELLS = 100_000  # of splits by trials at once, so that they stay in the processor's cache


@dataclass(frozen=True, slots=True, eq=False)
class Overfitting:
    """What choosing the best trial is worth outside the sample it was chosen in.

    Parameters
    ----------
    probability : float
        That the chosen trial is no better than the median of all outside: share of splits with a
        logit of 0 or less.
    logits : (c,) float64
        Of the relative rank of the chosen trial outside, one per split; above 0 is better than
        the median.
    chosen : (c,) int64
        Column of the trial that was best inside.
    inside, outside : (c,) float64, Sharpe ratio per period
        Of the chosen trial, in the half that chose it and in the other one.
    slope, intercept, fit : float
        Line of `outside` on `inside`, and its R squared: how performance degrades. NaN where
        `inside` does not vary.
    loss : float
        Share of splits in which the chosen trial lost outside.
    trials, blocks : int
        Columns that were compared, and the blocks of days.
    """

    probability: float
    logits: Floats
    chosen: NDArray[np.int64]
    inside: Floats
    outside: Floats
    slope: float
    intercept: float
    fit: float
    loss: float
    trials: int
    blocks: int


def overfitting(returns: Floats, blocks: int = 16) -> Overfitting | Undefined:
    """Probability of backtest overfitting by the Sharpe ratio.

    A trial that does not vary within a half has a Sharpe ratio of 0 there. Trials that are equal
    outside share their rank.

    Parameters
    ----------
    returns : (t, n) float64, fraction
        A column per trial, a row per day. Trials with a missing return are left out.
    blocks : int, even, 2 to 20
        16 give 12,870 splits. The first rows, which would not fill the blocks evenly, are left
        out.

    Raises
    ------
    UsageError
        The number of blocks is odd or out of range.
    """
    if blocks % 2 or not 2 <= blocks <= 20:
        raise UsageError(f"{blocks} blocks: it takes an even number of 2 to 20")
    whole = np.flatnonzero(~np.isnan(returns).any(axis=0))
    if whole.shape[0] < 2:
        return Undefined(f"{whole.shape[0]} trials with a return for every day, 2 are needed")
    length = returns.shape[0] // blocks
    if length < 2:
        return Undefined(f"{returns.shape[0]} days, {2 * blocks} are needed for {blocks} blocks")
    sums = _sums_of(returns[returns.shape[0] - length * blocks :, whole], blocks)
    halves = np.array(list(combinations(range(blocks), blocks // 2)))
    member = np.zeros((halves.shape[0], blocks))
    np.put_along_axis(member, halves, 1.0, axis=1)
    at_once = max(1, CELLS // whole.shape[0])
    parts = [
        _compared(member[first : first + at_once], sums, length * blocks // 2)
        for first in range(0, member.shape[0], at_once)
    ]
    chosen, inside, outside, rank = (np.concatenate(column) for column in zip(*parts, strict=True))
    share = rank / (whole.shape[0] + 1)
    logits = np.log(share / (1.0 - share))
    slope, intercept, fit = _line(inside, outside)
    return Overfitting(
        probability=float(np.mean(logits <= ROUNDING)),
        logits=logits,
        chosen=whole[chosen],
        inside=inside,
        outside=outside,
        slope=slope,
        intercept=intercept,
        fit=fit,
        loss=float(np.mean(outside < 0.0)),
        trials=whole.shape[0],
        blocks=blocks,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Of each block and trial, around the trial's mean, which keeps the digits of squares."""

    mean: Floats  # (n,)
    largest: Floats  # (n,)
    first: Floats  # (blocks, n)
    second: Floats  # (blocks, n)


def _sums_of(returns: Floats, blocks: int) -> _Sums:
    mean = returns.mean(axis=0)
    apart = (returns - mean).reshape(blocks, -1, returns.shape[1])
    largest = np.abs(returns).max(axis=0)
    squares = np.einsum("bij,bij->bj", apart, apart)
    return _Sums(mean, largest, apart.sum(axis=1), squares)


def _compared(
    member: Floats, sums: _Sums, days: int
) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
    """The best inside of each split, its two Sharpe ratios, and its rank outside from below."""
    within = _sharpes(member, sums, days)
    beyond = _sharpes(1.0 - member, sums, days)
    chosen = np.argmax(within, axis=1)
    split = np.arange(member.shape[0])
    outside = beyond[split, chosen]
    beyond -= outside[:, None]
    below = np.count_nonzero(beyond < -EQUAL, axis=1)
    equal = np.count_nonzero(beyond <= EQUAL, axis=1) - below  # itself included
    return chosen, within[split, chosen], outside, below + (equal + 1) / 2.0


def _sharpes(member: Floats, sums: _Sums, days: int) -> Floats:
    """Sharpe ratios (splits, trials) over the blocks that are members."""
    apart = member @ sums.first / days
    variance = (member @ sums.second / days - apart**2) * (days / (days - 1))
    deviation = np.sqrt(np.maximum(variance, 0.0))
    varies = deviation > FLAT * sums.largest
    ratios = np.zeros(deviation.shape)
    return np.divide(sums.mean + apart, deviation, out=ratios, where=varies)


def _line(x: Floats, y: Floats) -> tuple[float, float, float]:
    """Least squares: slope, intercept, R squared."""
    across, up = x - x.mean(), y - y.mean()
    width, height = float(across @ across), float(up @ up)
    if width <= 0.0 or height <= 0.0:
        return float("nan"), float("nan"), float("nan")
    slope = float(across @ up) / width
    return slope, float(y.mean() - slope * x.mean()), slope**2 * width / height
