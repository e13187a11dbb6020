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
    ...


def probabilistic_sharpe(found: Moments, benchmark: float = 0.0) -> Figure:
    """Probability that the true Sharpe ratio is above a benchmark (2012, equation 11).

    Parameters
    ----------
    found : Moments
    benchmark : float, per period
    """
    ...


def minimum_track_record(
    found: Moments, benchmark: float = 0.0, confidence: float = 0.95
) -> Figure:
    """Observations from which this Sharpe ratio would be above the benchmark (2012, equation 13).

    Parameters
    ----------
    found : Moments
        Its number of observations is not read.
    benchmark : float, per period
    confidence : probability
    """
    ...


def expected_maximum(trials: float) -> float:
    """Expected highest of so many independent standard normal draws (2014, equation 1)."""
    ...


def minimum_backtest_length(trials: float, sharpe: float = 1.0) -> float:
    """Years below which the best of so many trials without skill reaches a Sharpe ratio.

    Parameters
    ----------
    trials : float, > 1
        Independent ones.
    sharpe : float, annual
    """
    ...


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
    ...


def effective_trials(returns: Floats, seed: int = 0) -> Figure:
    """Independent trials that would reach as high by chance as these, which resemble each other.

    Parameters
    ----------
    returns : (t, n) float64, fraction
        A column per trial.
    seed : int
    """
    ...


def average_correlation_trials(returns: Floats) -> Figure:
    """Independent trials by the mean correlation: `rho + (1 - rho) * n` (2014, appendix 3).

    Parameters
    ----------
    returns : (t, n) float64, fraction
    """
    ...


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
    ...
