"""Sharpe ratios after many trials: the worked examples of the papers, and what has no value."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from intrabar.analysis.figure import Undefined
from intrabar.analysis.sharpe import (
    Moments,
    average_correlation_trials,
    deflate,
    deflated_sharpe,
    effective_trials,
    expected_maximum,
    minimum_backtest_length,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
    sharpes,
)


def normal(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def test_moments_are_those_of_scipy() -> None:
    returns = np.random.default_rng(3).gamma(2.0, 0.01, 500) - 0.018
    found = moments(returns)
    assert isinstance(found, Moments)
    assert found.observations == 500
    assert found.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1))
    assert found.skew == pytest.approx(stats.skew(returns))
    assert found.kurtosis == pytest.approx(stats.kurtosis(returns, fisher=False))


def test_probabilistic_sharpe_of_the_paper() -> None:
    # Bailey and Lopez de Prado (2012): 24 months, an annual Sharpe ratio of 1.59.
    assert probabilistic_sharpe(Moments(24, 0.458)) == pytest.approx(0.982, abs=5e-4)
    fund = Moments(24, 0.458, -2.448, 10.164)
    assert probabilistic_sharpe(fund) == pytest.approx(0.913, abs=5e-4)
    longer = Moments(36, 0.458, -2.448, 10.164)
    assert probabilistic_sharpe(longer) == pytest.approx(0.953, abs=1e-3)


@pytest.mark.parametrize(
    ("periods", "skew", "kurtosis", "years"),
    [(252, 0.0, 3.0, 2.73), (52, 0.0, 3.0, 2.83), (12, 0.0, 3.0, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_minimum_track_record_of_the_paper(
    periods: int, skew: float, kurtosis: float, years: float
) -> None:
    # Bailey and Lopez de Prado (2012): an annual 2 above an annual 1, at 95 %.
    found = Moments(2, 2 / math.sqrt(periods), skew, kurtosis)
    needed = minimum_track_record(found, 1 / math.sqrt(periods))
    assert isinstance(needed, float)
    assert needed / periods == pytest.approx(years, abs=5e-3)


@given(
    sharpe=st.floats(0.01, 0.5),
    skew=st.floats(-2.0, 1.0),
    confidence=st.floats(0.6, 0.99),
)
def test_a_track_record_of_the_minimum_reaches_the_confidence(
    sharpe: float, skew: float, confidence: float
) -> None:
    found = Moments(2, sharpe, skew, 9.0)
    needed = minimum_track_record(found, 0.0, confidence)
    assert isinstance(needed, float)
    there = (needed - 1) / (1 - skew * sharpe + 2 * sharpe**2)
    assert stats.norm.cdf(sharpe * math.sqrt(there)) == pytest.approx(confidence)


@pytest.mark.parametrize(
    ("trials", "skew", "kurtosis", "probability"),
    [(100, -3.0, 10.0, 0.9004), (46, -3.0, 10.0, 0.9505), (88, 0.0, 3.0, 0.9505)],
)
def test_deflated_sharpe_of_the_paper(
    trials: int, skew: float, kurtosis: float, probability: float
) -> None:
    # Bailey and Lopez de Prado (2014), "a numerical example": five years of 250 days, an annual
    # Sharpe ratio of 2.5 as the best of trials whose annual ones have a variance of 1/2.
    found = Moments(1250, 2.5 / math.sqrt(250), skew, kurtosis)
    assert deflated_sharpe(found, trials, 0.5 / 250) == pytest.approx(probability, abs=5e-5)
    threshold = math.sqrt(0.5 / 250) * expected_maximum(100)
    assert threshold == pytest.approx(0.1132, abs=5e-5)


def test_minimum_backtest_length_of_the_paper() -> None:
    # Bailey and others (2014): "if only five years of data are available, no more than 45
    # independent model configurations should be tried".
    assert minimum_backtest_length(45) == pytest.approx(5.0, abs=0.05)
    assert minimum_backtest_length(45, 2.0) == pytest.approx(1.25, abs=0.0125)
    assert minimum_backtest_length(1) == 0.0
    for trials in (2, 10, 1000):
        assert minimum_backtest_length(trials) < 2 * math.log(trials)


@pytest.mark.parametrize("trials", [5, 50, 1000, 100_000])
def test_expected_maximum_is_near_the_integral(trials: int) -> None:
    z = np.linspace(-10, 10, 200_001)
    density = trials * stats.norm.pdf(z) * stats.norm.cdf(z) ** (trials - 1)
    exact = float(np.trapezoid(z * density, z))
    assert expected_maximum(trials) == pytest.approx(exact, rel=0.03)


def test_expected_maximum_of_one_trial_is_zero_and_it_rises() -> None:
    values = [expected_maximum(n) for n in np.linspace(1, 20, 191)]
    assert values[0] == 0.0
    assert all(b >= a for a, b in pairwise(values))


def test_effective_trials_count_the_independent_ones() -> None:
    alone = normal((500, 60))
    assert effective_trials(alone) == pytest.approx(60, rel=0.15)
    groups = np.repeat(normal((500, 20), 1), 15, axis=1)  # 20 trials, each 15 times
    assert effective_trials(groups) == pytest.approx(20, rel=0.15)
    # 20 apart, and one that was tried 280 times: the mean correlation does not see that.
    many = np.hstack([normal((500, 20), 2), np.repeat(normal((500, 1), 3), 280, axis=1)])
    assert effective_trials(many) == pytest.approx(21, rel=0.15)
    assert average_correlation_trials(many) == pytest.approx(39.6, rel=0.1)
    assert effective_trials(np.repeat(normal((500, 1), 4), 50, axis=1)) == pytest.approx(1, abs=0.4)


def test_effective_trials_give_the_expected_maximum_of_correlated_ones() -> None:
    # Equal correlation c: the maximum is sqrt(1 - c) of that of independent ones.
    c, n = 0.6, 200
    draws = normal((4000, n + 1), 5)
    returns = math.sqrt(c) * draws[:, :1] + math.sqrt(1 - c) * draws[:, 1:]
    found = effective_trials(returns)
    assert isinstance(found, float)
    assert expected_maximum(found) == pytest.approx(
        math.sqrt(1 - c) * expected_maximum(n), rel=0.06
    )


def test_average_correlation_is_that_of_numpy() -> None:
    returns = normal((300, 12)) + normal((300, 1), 1)
    table = np.corrcoef(returns.T)
    mean = table[~np.eye(12, dtype=bool)].mean()
    assert average_correlation_trials(returns) == pytest.approx(mean + (1 - mean) * 12)
    assert average_correlation_trials(returns[:, :1]) == 1.0
    opposed = np.hstack([returns[:, :1], -returns[:, :1]])
    assert average_correlation_trials(opposed) == 2.0


def test_deflate_takes_the_best_and_counts_what_was_tried() -> None:
    returns = 0.01 * normal((500, 40))
    returns[:, 7] += 0.002
    found = deflate(returns)
    assert not isinstance(found, Undefined)
    assert found.tried == 40
    assert found.moments == moments(returns[:, 7])
    again = deflated_sharpe(found.moments, found.effective, found.variance)
    assert found.probability == again
    assert found.threshold < found.moments.sharpe
    more = deflate(returns, tried=4000)
    assert not isinstance(more, Undefined)
    assert more.effective == pytest.approx(100 * found.effective)
    assert more.probability < found.probability
    other = deflate(returns, best=3)
    assert not isinstance(other, Undefined)
    assert other.probability < found.probability


def test_deflate_of_one_trial_is_the_probabilistic_sharpe() -> None:
    returns = 0.001 + 0.01 * normal((300, 1))
    alone = moments(returns[:, 0])
    assert isinstance(alone, Moments)
    found = deflate(returns)
    assert not isinstance(found, Undefined)
    assert (found.threshold, found.probability) == (0.0, probabilistic_sharpe(alone))


def test_a_trial_that_was_ruined_is_counted_and_left_out() -> None:
    returns = 0.01 * normal((300, 10))
    returns[200:, 4] = np.nan
    found = deflate(returns)
    whole = deflate(np.delete(returns, 4, axis=1))
    assert not isinstance(found, Undefined)
    assert not isinstance(whole, Undefined)
    assert found.tried == 10
    assert found.effective == pytest.approx(whole.effective * 10 / 9)
    lost = deflate(returns, best=4)
    assert isinstance(lost, Undefined)
    assert "missing" in lost.reason


def test_variance_is_at_least_that_of_chance() -> None:
    returns = np.repeat(0.01 * normal((401, 1)), 10, axis=1) + 1e-9 * normal((401, 10), 1)
    found = deflate(returns)
    assert not isinstance(found, Undefined)
    assert found.variance == 1 / 400


@pytest.mark.parametrize("share", [0.0, 0.9, 1.0])
def test_without_skill_the_best_is_seldom_taken_to_be_real(share: float) -> None:
    taken = []
    for seed in range(150):
        common = normal((120, 1), seed)
        returns = math.sqrt(share) * common + math.sqrt(1 - share) * normal((120, 30), 1000 + seed)
        found = deflate(returns, seed=seed)
        assert not isinstance(found, Undefined)
        taken.append(found.probability > 0.95)
    assert np.mean(taken) <= 0.05 + 0.036  # two errors above nominal


def test_what_has_no_value_says_why() -> None:
    for returns, reason in [
        (np.zeros(3), "4 are needed"),
        (np.full(50, 0.001), "do not vary"),
        (np.zeros(50), "do not vary"),
        (np.array([0.1, np.nan, 0.2, 0.1]), "missing"),
    ]:
        found = moments(returns)
        assert isinstance(found, Undefined)
        assert reason in found.reason
    two = moments(np.array([0.1, 0.1, 0.1, -0.1] * 5))
    assert isinstance(two, Moments)
    assert isinstance(probabilistic_sharpe(Moments(9, 1.0, 2.0, 5.0)), Undefined)
    for of in (effective_trials, average_correlation_trials, deflate):
        assert isinstance(of(np.zeros((50, 3))), Undefined)
        assert isinstance(of(np.zeros((2, 3))), Undefined)
    assert isinstance(deflate(np.full((9, 2), np.nan)), Undefined)
    below = minimum_track_record(Moments(100, -0.1))
    assert isinstance(below, Undefined)
    assert sharpes(np.zeros((9, 2))).tolist() == [0.0, 0.0]
