"""Data snooping: the best of these trials against the best of nothing.

White's reality check and Hansen's test of superior predictive ability (SPA), both with the
stationary bootstrap. All trials are resampled with the same rows, so it does not matter how much
they resemble each other.

Hansen divides the mean of each resample by the deviation of the trial; here it is divided by the
resample's own. Where small gains go with large losses, a high mean comes with a low deviation,
and the fixed one takes noise to be real four times as often as it should (`docs/validation.md`).

Sources: White, A Reality Check for Data Snooping, Econometrica 68 (2000); Hansen, A Test for
Superior Predictive Ability, Journal of Business and Economic Statistics 23 (2005); Romano, Wolf,
Stepwise Multiple Testing as Formalized Data Snooping, Econometrica 73 (2005), for the studentized
bootstrap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from intrabar.analysis.bootstrap import block_length, resampled_rows
from intrabar.analysis.figure import Undefined
from intrabar.analysis.returns import ROUNDING, Floats

FEWEST = 16
COLUMNS = 1000  # trials at once
ASKED = 50  # trials whose memory is measured


@dataclass(frozen=True, slots=True)
class Snooping:
    """Probabilities of a best trial as good as this where none beats the benchmark.

    Parameters
    ----------
    reality_check : probability
        White's, by mean returns.
    lower, consistent, upper : probability
        Hansen's, by mean returns over their deviations. `consistent` is the one to read, the
        others are its bounds.
    block : float, rows
        Mean length of a block.
    trials : int
        Columns that were compared.
    """

    reality_check: float
    lower: float
    consistent: float
    upper: float
    block: float
    trials: int


def snooping(
    returns: Floats,
    benchmark: Floats | None = None,
    resamples: int = 1000,
    seed: int = 0,
    block: float | None = None,
) -> Snooping | Undefined:
    """White's and Hansen's tests of the best trial.

    Parameters
    ----------
    returns : (t, n) float64, fraction
        A column per trial. Trials with a missing return are left out, and those that never differ
        from the benchmark.
    benchmark : (t,) float64, fraction, or None
        What a trial has to beat; None is 0.
    resamples : int
    seed : int
    block : float or None, rows
        Mean length of a block; None takes the mean of what suits 50 of the trials.
    """
    if returns.shape[0] < FEWEST:
        return Undefined(f"{returns.shape[0]} returns, {FEWEST} are needed")
    excess = returns if benchmark is None else returns - benchmark[:, None]
    largest = np.abs(excess).max(axis=0)
    excess = excess[:, excess.std(axis=0) > ROUNDING * largest]  # NaN is not above
    if not excess.shape[1]:
        return Undefined("no trial has a return for every day that differs from the benchmark")
    if block is None:
        asked = np.unique(np.linspace(0, excess.shape[1] - 1, ASKED).astype(np.int64))
        block = float(np.mean([block_length(excess[:, k]) for k in asked]))
    rng = np.random.default_rng(seed)
    rows = resampled_rows(returns.shape[0], resamples, block, rng)
    weights = np.array([np.bincount(r, minlength=returns.shape[0]) for r in rows], np.float64)
    deviation = long_run_deviation(excess, block)
    white = p_values(excess, deviation, weights)[2]
    hansen = p_values(excess, deviation, weights, studentized=True)
    return Snooping(white, *hansen, block, excess.shape[1])


def p_values(
    excess: Floats, deviation: Floats, weights: Floats, studentized: bool = False
) -> tuple[float, float, float]:
    """Lower, consistent and upper p-value of the highest mean, or mean over deviation.

    The lower one takes trials below the benchmark as being as far below it as they seem, the upper
    one all trials as being no better and no worse than the benchmark, the consistent one those
    whose mean is not too far below.

    Parameters
    ----------
    excess : (t, n) float64
    deviation : (n,) float64
        `long_run_deviation` of each column.
    weights : (b, t) float64
        How often each row is in each resample.
    studentized : bool
        Means are divided: those of the trials by their deviations, those of the resamples by the
        same, times how much more or less the values vary in the resample.
    """
    t = excess.shape[0]
    mean = excess.mean(axis=0)
    bound = -deviation * math.sqrt(2.0 * math.log(math.log(t)) / t)
    centers = (np.maximum(mean, 0.0), np.where(mean >= bound, mean, 0.0), mean)
    highest = np.full((3, weights.shape[0]), -np.inf)
    for first in range(0, excess.shape[1], COLUMNS):  # not all at once: memory
        part = slice(first, first + COLUMNS)
        drawn = weights @ excess[:, part] / t
        scale = _deviations(excess[:, part], deviation[part], weights) if studentized else 1.0
        for best, center in zip(highest, centers, strict=True):
            np.maximum(best, ((drawn - center[part]) / scale).max(axis=1), out=best)
    reached = np.max(mean / deviation if studentized else mean)
    beyond = np.count_nonzero(highest > reached, axis=1)
    lower, consistent, upper = ((beyond + 1) / (weights.shape[0] + 1)).tolist()
    return lower, consistent, upper


def _deviations(excess: Floats, deviation: Floats, weights: Floats) -> Floats:
    """Of the mean of each trial in each resample, (b, n); at least a thousandth of the trial's."""
    apart = excess - excess.mean(axis=0)
    t = excess.shape[0]
    variance = weights @ apart**2 / t - (weights @ apart / t) ** 2
    share = variance / np.mean(apart**2, axis=0)
    return np.asarray(deviation * np.sqrt(np.maximum(share, 1e-6)))


def long_run_deviation(values: Floats, block: float) -> Floats:
    """Deviation of the mean times the root of the rows, under the stationary bootstrap.

    Parameters
    ----------
    values : (t, n) float64
    block : float, rows

    Returns
    -------
    (n,) float64
        Politis and Romano (1994), lemma 1.
    """
    t = values.shape[0]
    lag = np.arange(t)
    stay = 1.0 - 1.0 / block
    weight = (1.0 - lag / t) * stay**lag + lag / t * stay ** (t - lag)
    weight[1:] *= 2.0
    variance = np.empty(values.shape[1])
    for first in range(0, values.shape[1], COLUMNS):
        part = slice(first, first + COLUMNS)
        apart = values[:, part] - values[:, part].mean(axis=0)
        power = np.abs(np.fft.rfft(apart, 2 * t, axis=0)) ** 2
        covariance = np.fft.irfft(power, 2 * t, axis=0)[:t] / t
        variance[part] = weight @ covariance
    return np.sqrt(variance)
