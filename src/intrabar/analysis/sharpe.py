"""Is a Sharpe ratio real: how likely it is above a benchmark, after so many trials.

Sharpe ratios here are per period of the returns, never annual: an annual one is divided by the
root of the periods per year. Returns are in excess of the risk-free rate, and are taken as
independent of each other; `bootstrap` holds what does without that.

Sources
-------
- Bailey, Lopez de Prado: The Sharpe Ratio Efficient Frontier, Journal of Risk 15 (2012).
- Bailey, Lopez de Prado: The Deflated Sharpe Ratio, Journal of Portfolio Management 40 (2014).
- Bailey, Borwein, Lopez de Prado, Zhu: Pseudo-Mathematics and Financial Charlatanism, Notices of
  the American Mathematical Society 61 (2014).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from intrabar.analysis.figure import Figure, Undefined
from intrabar.analysis.returns import ROUNDING, Floats

NORMAL = NormalDist()
EULER = float(np.euler_gamma)
FEWEST = 4  # returns from which there is a kurtosis
DRAWS, COLUMNS = 1000, 2000


@dataclass(frozen=True, slots=True)
class Moments:
    """What the probability of a Sharpe ratio depends on.

    Parameters
    ----------
    observations : int, >= 2
        Returns in the track record.
    sharpe : float, per period
    skew : float
        Third standardized moment; 0 for a normal distribution.
    kurtosis : float
        Fourth standardized moment; 3 for a normal distribution.
    """

    observations: int
    sharpe: float
    skew: float = 0.0
    kurtosis: float = 3.0

    @property
    def spread(self) -> float:
        """Variance of the estimated Sharpe ratio, times the observations less one."""
        tilt = self.skew * self.sharpe
        return 1.0 - tilt + (self.kurtosis - 1.0) / 4.0 * self.sharpe**2


@dataclass(frozen=True, slots=True)
class Deflated:
    """The best of many trials, and what is left of it.

    Parameters
    ----------
    moments : Moments
        Of the returns of the trial in question.
    tried : int
        Trials in all.
    effective : float
        Independent trials that would reach as high by chance.
    variance : float, per period
        Of a trial's Sharpe ratio.
    threshold : float, per period
        Sharpe ratio that the best of so many trials without skill is expected to show.
    probability : float
        That the true Sharpe ratio is above 0, after the trials: the deflated Sharpe ratio.
    """

    moments: Moments
    tried: int
    effective: float
    variance: float
    threshold: float
    probability: float


def moments(returns: Floats) -> Moments | Undefined:
    """Sharpe ratio, skew and kurtosis of a series.

    Parameters
    ----------
    returns : (n,) float64, fraction
        In excess of the risk-free rate.
    """
    if returns.shape[0] < FEWEST:
        return Undefined(f"{returns.shape[0]} returns, {FEWEST} are needed")
    if np.isnan(returns).any():
        return Undefined("a return is missing: equity was at zero or below on the way")
    apart = returns - returns.mean()
    deviation = float(np.sqrt(np.mean(apart**2)))
    if deviation <= ROUNDING * float(np.abs(returns).max()):
        return Undefined("the returns do not vary")
    sharpe = float(returns.mean() / np.std(returns, ddof=1))
    standard = apart / deviation
    return Moments(
        returns.shape[0], sharpe, float(np.mean(standard**3)), float(np.mean(standard**4))
    )


def probabilistic_sharpe(found: Moments, benchmark: float = 0.0) -> Figure:
    """Probability that the true Sharpe ratio is above a benchmark (2012).

    Parameters
    ----------
    found : Moments
    benchmark : float, per period
    """
    if found.spread <= 0.0:
        return Undefined("the returns take two values only")
    lead = (found.sharpe - benchmark) * math.sqrt((found.observations - 1) / found.spread)
    return NORMAL.cdf(lead)


def minimum_track_record(
    found: Moments, benchmark: float = 0.0, confidence: float = 0.95
) -> Figure:
    """Observations from which this Sharpe ratio would be above the benchmark (2012).

    Parameters
    ----------
    found : Moments
        Its number of observations is not read.
    benchmark : float, per period
    confidence : probability
    """
    if found.sharpe <= benchmark:
        return Undefined("the Sharpe ratio is not above the benchmark")
    needed = NORMAL.inv_cdf(confidence) / (found.sharpe - benchmark)
    return 1.0 + found.spread * needed**2


def expected_maximum(trials: float) -> float:
    """Expected highest of so many independent standard normal draws (2014)."""
    if trials <= 1.0:
        return 0.0
    at = NORMAL.inv_cdf(1.0 - 1.0 / trials)
    beyond = NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return max(0.0, (1.0 - EULER) * at + EULER * beyond)


def minimum_backtest_length(trials: float, sharpe: float = 1.0) -> float:
    """Years below which the best of so many trials without skill reaches a Sharpe ratio.

    Parameters
    ----------
    trials : float, > 1
        Independent ones.
    sharpe : float, annual
    """
    return (expected_maximum(trials) / sharpe) ** 2


def deflated_sharpe(found: Moments, trials: float, variance: float) -> Figure:
    """Probability that the true Sharpe ratio of the best of many trials is above 0 (2014).

    Parameters
    ----------
    found : Moments
        Of the best.
    trials : float
        Independent ones.
    variance : float, per period
        Of the trials' Sharpe ratios.
    """
    return probabilistic_sharpe(found, math.sqrt(variance) * expected_maximum(trials))


def effective_trials(returns: Floats, seed: int = 0) -> Figure:
    """Independent trials that would reach as high by chance as these, which resemble each other.

    Sharpe ratios of trials without skill are normal and correlated as their returns are; their
    expected maximum is found by drawing, and is that of so many independent ones. `docs/
    validation.md` says why this is the default and not the mean correlation.

    Parameters
    ----------
    returns : (t, n) float64, fraction
        A column per trial.
    seed : int
    """
    standard = _standardized(returns)
    if isinstance(standard, Undefined):
        return standard
    rng = np.random.default_rng(seed)
    draws = rng.standard_normal((DRAWS, returns.shape[0]))
    highest = np.zeros((2, DRAWS))
    highest[:] = -np.inf
    for first in range(0, standard.shape[1], COLUMNS):  # not all at once: memory
        chance = draws @ standard[:, first : first + COLUMNS]
        np.maximum(highest, [chance.max(axis=1), -chance.min(axis=1)], out=highest)
    return _trials_for(float(highest.mean()), returns.shape[1])


def average_correlation_trials(returns: Floats) -> Figure:
    """Independent trials by the mean correlation: `rho + (1 - rho) * n` (2014).

    Parameters
    ----------
    returns : (t, n) float64, fraction
    """
    standard = _standardized(returns)
    if isinstance(standard, Undefined):
        return standard
    n = standard.shape[1]
    if n == 1:
        return 1.0
    together = float(np.sum(standard.sum(axis=1) ** 2))  # the sum of all correlations
    mean = (together - n) / (n * (n - 1))
    return float(min(max(mean + (1.0 - mean) * n, 1.0), n))


def deflate(
    returns: Floats, best: int | None = None, tried: int | None = None, seed: int = 0
) -> Deflated | Undefined:
    """The deflated Sharpe ratio of a trial, from the returns of all of them.

    Parameters
    ----------
    returns : (t, n) float64, fraction
        A column per trial. One with a missing return is left out, but counted as tried.
    best : int or None
        Column of the trial in question; None is the one with the highest Sharpe ratio.
    tried : int or None
        Trials that were ever run on these data, where there are more than columns.
    seed : int
    """
    whole = np.flatnonzero(~np.isnan(returns).any(axis=0))
    known = returns[:, whole]
    if not whole.shape[0]:
        return Undefined("no trial has a return for every day")
    alike = effective_trials(known, seed)
    if isinstance(alike, Undefined):
        return alike
    ratios = sharpes(known)
    if best is None:
        best = int(whole[np.argmax(ratios)])
    found = moments(returns[:, best])
    if isinstance(found, Undefined):
        return found
    tried = max(tried or 0, returns.shape[1])
    effective = min(alike * tried / whole.shape[0], float(tried))
    chance = 1.0 / (found.observations - 1)
    variance = max(chance, float(np.var(ratios, ddof=1)) if ratios.shape[0] > 1 else 0.0)
    probability = deflated_sharpe(found, effective, variance)
    if isinstance(probability, Undefined):
        return probability
    threshold = math.sqrt(variance) * expected_maximum(effective)
    return Deflated(found, tried, effective, variance, threshold, probability)


def sharpes(returns: Floats) -> Floats:
    """Sharpe ratio per period of each column; 0 where a column does not vary.

    Parameters
    ----------
    returns : (t, n) float64, fraction
    """
    deviation = returns.std(axis=0, ddof=1)
    varies = deviation > ROUNDING * np.abs(returns).max(axis=0)
    ratios = np.zeros(returns.shape[1])
    return np.asarray(np.divide(returns.mean(axis=0), deviation, out=ratios, where=varies))


def _standardized(returns: Floats) -> Floats | Undefined:
    """Columns of mean 0 and length 1, without those that do not vary."""
    if returns.shape[0] < FEWEST:
        return Undefined(f"{returns.shape[0]} returns, {FEWEST} are needed")
    apart = returns - returns.mean(axis=0)
    length = np.sqrt(np.einsum("ij,ij->j", apart, apart))
    largest = np.abs(returns).max(axis=0)
    varies = length > ROUNDING * largest * math.sqrt(returns.shape[0])
    if not varies.any():
        return Undefined("the returns of no trial vary")
    return np.asarray(apart[:, varies] / length[varies])


def _trials_for(maximum: float, most: int) -> float:
    """The number of independent trials whose expected maximum this is, by bisection."""
    low, high = 1.0, float(most)
    if maximum >= expected_maximum(high):
        return high
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if expected_maximum(middle) < maximum else (low, middle)
    return low
