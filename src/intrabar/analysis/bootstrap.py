"""The stationary bootstrap: how far a figure could have been elsewhere.

Blocks of a random, geometrically distributed length keep what lies next to each other together,
so dependent values may be resampled.

Sources
-------
- Politis, Romano: The Stationary Bootstrap, Journal of the American Statistical Association 89
  (1994).
- Politis, White: Automatic Block-Length Selection for the Dependent Bootstrap, Econometric
  Reviews 23 (2004), with the correction of Patton, Politis, White in volume 28 (2009).
- Efron: Better Bootstrap Confidence Intervals, Journal of the American Statistical Association 82
  (1987). Gotze, Kunsch: Second-Order Correctness of the Blockwise Bootstrap, Annals of Statistics
  24 (1996), for the jackknife by blocks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.figure import Undefined
from intrabar.analysis.returns import ROUNDING, Floats

Statistic = Callable[[Floats], Floats]
"""A figure of many series at once: (b, n) to (b,); NaN where it has no value."""

NORMAL = NormalDist()
FEWEST = 8  # values from which resampling says anything
CELLS = 1_000_000  # of resamples by values at once
GROUPS = 1000  # of the jackknife, at most
UNDEFINED_AT_MOST = 0.01  # share of resamples without a value that an interval may ignore


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and where it could have been.

    Parameters
    ----------
    value : float
        Of the series itself.
    low, high : float
        Ends of the BCa interval (bias-corrected and accelerated).
    confidence : probability
    block : float
        Mean length of a block; 1 is the bootstrap of independent values.
    resamples : int
    """

    value: float
    low: float
    high: float
    confidence: float
    block: float
    resamples: int


def block_length(series: Floats) -> float:
    """The mean length of a block that fits the dependence of a series, at least 1.

    Parameters
    ----------
    series : (n,) float64
    """
    n = series.shape[0]
    apart = series - series.mean()
    if n < FEWEST or float(np.abs(apart).max()) <= ROUNDING * float(np.abs(series).max()):
        return 1.0
    run = max(5, int(math.log10(n)))
    most = min(math.ceil(math.sqrt(n)) + run, n - 1)
    covariance = np.array([apart[k:] @ apart[: n - k] / n for k in range(most + 1)])
    small = np.abs(covariance / covariance[0]) < 2.0 * math.sqrt(math.log10(n) / n)
    starts = [k for k in range(1, most - run + 1) if small[k : k + run].all()]
    reach = min(2 * starts[0], most) if starts else most
    lag = np.arange(1, reach + 1)
    window = np.minimum(1.0, 2.0 * (1.0 - lag / reach))
    slope = 2.0 * float(np.sum(window * lag * covariance[lag]))
    power = float(covariance[0] + 2.0 * np.sum(window * covariance[lag]))
    if power == 0.0:
        return 1.0
    longest = math.ceil(min(3.0 * math.sqrt(n), n / 3.0))
    return min(max(float(np.cbrt((slope / power) ** 2 * n)), 1.0), float(longest))


def resampled_rows(
    rows: int, count: int, block: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Rows of resamples of the stationary bootstrap.

    Parameters
    ----------
    rows, count : int
    block : float, >= 1
        Mean length.
    rng : Generator

    Returns
    -------
    (count, rows) int64
        After the last row follows the first.
    """
    start = rng.integers(rows, size=(count, rows))
    fresh = rng.random((count, rows)) < 1.0 / block
    fresh[:, 0] = True
    place = np.arange(rows)
    begun = np.maximum.accumulate(np.where(fresh, place, 0), axis=1)
    return (np.take_along_axis(start, begun, axis=1) + place - begun) % rows


def intervals(
    series: Floats,
    statistics: Mapping[str, Statistic],
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    block: float | None = None,
) -> dict[str, Interval | Undefined]:
    """BCa intervals of figures of a series, all from the same resamples.

    Parameters
    ----------
    series : (n,) float64
    statistics : mapping of name to function of (b, n) to (b,)
    confidence : probability
    resamples : int
    seed : int
    block : float or None
        Mean length of a block; None finds it.
    """
    n = series.shape[0]
    if n < FEWEST:
        few = Undefined(f"{n} values, {FEWEST} are needed")
        return dict.fromkeys(statistics, few)
    if np.isnan(series).any():
        return dict.fromkeys(statistics, Undefined("a value is missing"))
    block = block_length(series) if block is None else block
    itself = {name: float(of(series[None, :])[0]) for name, of in statistics.items()}
    drawn = _figures(_drawn(series, resamples, block, seed), statistics)
    left = _figures(_left(series, block), statistics)
    found: dict[str, Interval | Undefined] = {}
    for name, value in itself.items():
        ends = _bca(value, drawn[name], left[name], confidence)
        if isinstance(ends, Undefined):
            found[name] = ends
        else:
            found[name] = Interval(value, *ends, confidence, block, resamples)
    return found


def ratio_interval(
    over: Floats, under: Floats, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval | Undefined:
    """BCa interval of a sum over a sum, as a mean of pairs whose days are resampled whole.

    Parameters
    ----------
    over, under : (n,) float64
        Of each day: the sum of its values, and how many they are (above 0).
    confidence : probability
    resamples : int
    seed : int
    """
    n = over.shape[0]
    if n < FEWEST:
        return Undefined(f"{n} days, {FEWEST} are needed")
    if not (np.isfinite(over).all() and (under > 0.0).all()):
        return Undefined("a value is missing")
    value = float(over.sum() / under.sum())
    block = block_length(over - value * under)

    def ratios(parts: Iterator[NDArray[np.int64]]) -> Floats:
        return np.concatenate([over[p].sum(axis=1) / under[p].sum(axis=1) for p in parts])

    drawn = ratios(_drawn_rows(n, resamples, block, seed))
    ends = _bca(value, drawn, ratios(_left_rows(n, block)), confidence)
    if isinstance(ends, Undefined):
        return ends
    return Interval(value, *ends, confidence, block, resamples)


def _drawn(series: Floats, resamples: int, block: float, seed: int) -> Iterator[Floats]:
    return (series[rows] for rows in _drawn_rows(series.shape[0], resamples, block, seed))


def _drawn_rows(n: int, resamples: int, block: float, seed: int) -> Iterator[NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    at_once = max(1, CELLS // n)
    for first in range(0, resamples, at_once):
        yield resampled_rows(n, min(at_once, resamples - first), block, rng)


def _left(series: Floats, block: float) -> Iterator[Floats]:
    """The series without each of its blocks in turn: the jackknife."""
    return (series[rows] for rows in _left_rows(series.shape[0], block))


def _left_rows(n: int, block: float) -> Iterator[NDArray[np.int64]]:
    length = max(1, min(round(block), n // FEWEST), math.ceil(n / GROUPS))
    first = np.arange(0, n - length + 1, length)
    kept = np.arange(n - length)
    at_once = max(1, CELLS // n)
    for k in range(0, first.shape[0], at_once):
        skipped = first[k : k + at_once, None]
        yield kept + length * (kept >= skipped)


def _figures(parts: Iterator[Floats], statistics: Mapping[str, Statistic]) -> dict[str, Floats]:
    columns: dict[str, list[Floats]] = {name: [] for name in statistics}
    for part in parts:
        for name, of in statistics.items():
            columns[name].append(of(part))
    return {name: np.concatenate(column) for name, column in columns.items()}


def _bca(
    value: float, drawn: Floats, left: Floats, confidence: float
) -> tuple[float, float] | Undefined:
    """Ends of the interval, by the share of resamples below and the skew of the jackknife."""
    known, left = drawn[np.isfinite(drawn)], left[np.isfinite(left)]
    missing = 1.0 - known.shape[0] / drawn.shape[0]
    if not math.isfinite(value):
        return Undefined("it has no value here")
    if missing > UNDEFINED_AT_MOST:
        return Undefined(f"it has no value in {missing:.0%} of the resamples")
    count = known.shape[0]
    below = float(np.mean(known < value) + np.mean(known <= value)) / 2.0
    bias = NORMAL.inv_cdf(min(max(below, 1.0 / (count + 1)), count / (count + 1)))
    lean = left.mean() - left if left.shape[0] else left
    width = float(np.sum(lean**2)) ** 1.5
    skew = float(np.sum(lean**3)) / (6.0 * width) if width > 0.0 else 0.0

    def share(z: float) -> float:
        return NORMAL.cdf(bias + (bias + z) / (1.0 - skew * (bias + z)))

    tail = NORMAL.inv_cdf((1.0 - confidence) / 2.0)
    low, high = np.quantile(known, [share(tail), share(-tail)])
    return float(low), float(high)
