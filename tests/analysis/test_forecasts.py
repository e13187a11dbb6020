"""Figures and verdicts of forecasts: published numbers, numbers by hand, and planted forecasts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from intrabar.analysis.bootstrap import Interval
from intrabar.analysis.diebold_mariano import DieboldMariano, diebold_mariano, holm
from intrabar.analysis.figure import Undefined
from intrabar.analysis.forecasts import (
    Forecasts,
    Honesty,
    Verdict,
    honesty,
    rank_correlation,
    ranks,
    verdicts,
)
from intrabar.analysis.student import above


def of(predicted: np.ndarray, realised: np.ndarray, drift: float = 0.0, **more: object) -> Honesty:
    """Forecasts of one bar ahead: what is realised at i is the last return at i + 1."""
    n = len(realised)
    last = np.append(0.0, realised[:-1])
    given = Forecasts(1, predicted, realised, last, np.full(n, drift), np.ones(n), **more)  # type: ignore[arg-type]
    return honesty(given, resamples=500)


def noise(n: int = 4000, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(n)


def test_diebold_mariano_is_the_published_example() -> None:
    # README of edoannunziata/dieboldmariano: F against G over T, one-sided, (DM, p).
    truth = np.array([10.0, 20, 30, 40, 50])
    f, g = np.array([11.0, 21, 29, 42, 53]), np.array([13.0, 26, 24, 40, 59])
    found = diebold_mariano(truth - g, truth - f)
    assert isinstance(found, DieboldMariano)
    assert found.statistic == pytest.approx(2.2229922805746782, rel=1e-14)
    assert found.better == pytest.approx(0.04515565862099125, rel=1e-12)


def test_diebold_mariano_counts_overlapping_horizons() -> None:
    # By hand: gains 1, 3, 2, 6 with mean 3; autocovariances 14/4 and (0 + 0 - 3)/4.
    gains = np.array([1.0, 3.0, 2.0, 6.0])
    found = diebold_mariano(np.sqrt(gains), np.zeros(4), 2)
    assert isinstance(found, DieboldMariano)
    variance = 3.5 + 2 * (-0.75)
    by_hand = 3.0 / np.sqrt(variance / 4) * np.sqrt((4 + 1 - 4 + 2 / 4) / 4)
    assert found.statistic == pytest.approx(by_hand, rel=1e-12)
    assert found.better == pytest.approx(stats.t.sf(by_hand, 3), rel=1e-12)


def test_a_negative_variance_takes_weights() -> None:
    gains = np.array([2.0, 0.0] * 10)
    found = diebold_mariano(np.sqrt(gains), np.zeros(20), 2)
    assert isinstance(found, DieboldMariano)
    # By hand: autocovariances 1 and -19/20, the second at half its weight.
    variance = 1.0 + 2 * 0.5 * (-0.95)
    small = (20 + 1 - 4 + 2 / 20) / 20
    assert found.statistic == pytest.approx(np.sqrt(small) / np.sqrt(variance / 20), rel=1e-12)


def test_nothing_to_compare_is_undefined() -> None:
    same = noise(50)
    assert isinstance(diebold_mariano(same, same), Undefined)
    assert isinstance(diebold_mariano(same[:3], same[:3] * 2, 3), Undefined)


@pytest.mark.parametrize("degrees", [1, 2, 4, 30, 999, 250_000])
@pytest.mark.parametrize("t", [-40.0, -2.5, -0.3, 0.0, 0.7, 1.96, 5.0, 60.0])
def test_student_is_that_of_scipy(t: float, degrees: int) -> None:
    assert above(t, degrees) == pytest.approx(stats.t.sf(t, degrees), rel=1e-9, abs=1e-300)


def test_holm_by_hand() -> None:
    # Sorted: 0.01, 0.02, 0.03, 0.04, by 4, 3, 2, 1: 0.04, 0.06, 0.06, 0.06.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([0.03]) == [0.03]


def test_ranks_and_their_correlation_are_those_of_scipy() -> None:
    a, b = np.round(noise(300), 1), np.round(noise(300, 1) + noise(300), 1)
    assert ranks(a).tolist() == stats.rankdata(a).tolist()
    assert rank_correlation(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, rel=1e-12)


def test_a_copy_of_the_last_price_repeats_it() -> None:
    moves = noise()
    assert verdicts([of(np.zeros_like(moves), moves)]) == [Verdict.REPEATS]
    # A model of levels that lags by a bar predicts the way back.
    lagging = -np.append(0.0, moves[:-1])
    assert verdicts([of(lagging, moves)]) == [Verdict.REPEATS]


def test_the_drift_is_only_the_drift() -> None:
    moves = noise() + 0.2
    assert verdicts([of(np.full_like(moves, 0.2), moves, drift=0.2)]) == [Verdict.DRIFT]


def test_a_correlation_of_a_tenth_is_better() -> None:
    signal, moves = noise(seed=1), noise()
    moves = 0.1 * signal + np.sqrt(0.99) * moves
    found = of(0.1 * signal, moves)
    assert verdicts([found]) == [Verdict.BETTER]
    assert isinstance(found.skill, Interval)
    assert found.skill.value == pytest.approx(0.01, abs=0.006)
    assert found.skill.low < found.skill.value < found.skill.high


def test_a_leaked_return_is_too_good() -> None:
    moves = noise()
    assert verdicts([of(0.5 * moves + noise(seed=3), moves)]) == [Verdict.TOO_GOOD]


def test_noise_is_worse_and_little_noise_is_no_better() -> None:
    moves = noise()
    assert verdicts([of(noise(seed=5), moves)]) == [Verdict.WORSE]
    assert verdicts([of(0.02 * noise(seed=7), moves)]) == [Verdict.NO_BETTER]


def test_several_horizons_pay_for_each_other() -> None:
    signal = noise(1500, 1)
    moves = 0.08 * signal + noise(1500)
    one = of(0.04 * signal, moves)
    assert isinstance(one.test, DieboldMariano)
    nothing = [of(0.02 * noise(1500, k), moves) for k in range(20, 60)]
    assert 0.05 / 41 < one.test.better <= 0.05
    assert verdicts([one]) == [Verdict.BETTER]
    assert verdicts([one, *nothing])[0] is Verdict.NO_BETTER


def test_direction_leaves_out_what_did_not_move() -> None:
    moves = np.array([1.0, -1.0, 0.0, 2.0, 0.0, -3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    said = np.array([1.0, 1.0, 1.0, 2.0, -1.0, -3.0, 1.0, 1.0, -1.0, 1.0, 1.0, 0.0])
    found = of(said, moves)
    assert isinstance(found.direction, Interval)
    assert found.direction.value == 7 / 10
    assert found.usual_direction == 8 / 10


def test_direction_and_the_usual_one_are_of_the_same_rows() -> None:
    moves, said = np.ones(20), np.append(np.ones(10), -np.ones(10))
    usual = np.append(np.full(10, np.nan), np.ones(10))
    zero = np.zeros(20)
    found = honesty(Forecasts(1, said, moves, zero, zero, usual), resamples=100)
    assert isinstance(found.direction, Interval)
    assert (found.direction.value, found.usual_direction) == (0.0, 1.0)
    nobody = honesty(Forecasts(1, said, moves, zero, zero, np.full(20, np.nan)), resamples=100)
    assert isinstance(nobody.direction, Interval)
    assert nobody.direction.value == 0.5
    assert isinstance(nobody.usual_direction, Undefined)


def test_quantiles_are_compared_where_the_usual_ones_are_known() -> None:
    moves = np.append(np.full(10, 5.0), np.ones(10))
    zero = np.zeros(20)
    usual = np.append(np.full(10, np.nan), np.full(10, 3.0))
    (found,) = of(zero, moves, quantiles={0.5: zero}, usual_quantiles={0.5: usual}).quantiles
    # By hand, of the last ten: half of 1 - 0, and half of 3 - 1.
    assert (found.loss, found.usual_loss, found.rows) == (0.5, 1.0, 20)
    (alone,) = of(zero, moves, quantiles={0.5: zero}).quantiles
    assert alone.loss == 0.5 * 3.0
    assert alone.usual_loss == Undefined("no bars before the first prediction")


def test_quantiles_cover_and_cost() -> None:
    moves = noise(20_000)
    at = {p: np.full(len(moves), stats.norm.ppf(p)) for p in (0.05, 0.5, 0.95)}
    wide = {p: 2.0 * x for p, x in at.items()}
    # Two that cross are put in order.
    crossed = {0.05: at[0.95], 0.5: at[0.5], 0.95: at[0.05]}
    found = of(np.zeros_like(moves), moves, quantiles=crossed, usual_quantiles=wide).quantiles
    assert [q.below for q in found] == pytest.approx([0.05, 0.5, 0.95], abs=0.01)
    assert all(isinstance(q.usual_loss, float) and q.loss <= q.usual_loss for q in found)
    by_hand = np.where(moves > at[0.05], 0.05 * (moves - at[0.05]), 0.95 * (at[0.05] - moves))
    assert found[0].loss == pytest.approx(by_hand.mean(), rel=1e-12)


def test_rows_without_a_prediction_or_an_outcome_are_left_out() -> None:
    moves, said = noise(500), 0.1 * noise(500, 2)
    whole = of(said, moves)
    said, moves = np.append(said, [np.nan, 3.0]), np.append(moves, [5.0, np.nan])
    assert of(said, moves) == whole


def test_too_few_rows_have_no_verdict() -> None:
    assert verdicts([of(np.ones(5), np.ones(5))]) == [Verdict.UNKNOWN]
    assert verdicts([of(np.full(5, np.nan), np.ones(5))]) == [Verdict.UNKNOWN]  # and no warning
