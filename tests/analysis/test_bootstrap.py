"""The stationary bootstrap: against arch and scipy, and what its resamples must be."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from intrabar.analysis import bootstrap as module
from intrabar.analysis.bootstrap import (
    Interval,
    block_length,
    intervals,
    ratio_interval,
    resampled_rows,
)
from intrabar.analysis.figure import Undefined

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from arch.bootstrap import StationaryBootstrap, optimal_block_length


def autoregressive(n: int, share: float, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(n)
    series = np.zeros(n)
    for k in range(1, n):
        series[k] = share * series[k - 1] + noise[k]
    return series


def mean(rows: np.ndarray) -> np.ndarray:
    return rows.mean(axis=1)


def ratio(rows: np.ndarray) -> np.ndarray:
    return rows.mean(axis=1) / rows.std(axis=1, ddof=1)


def interval(series: np.ndarray, of: object = mean, **how: object) -> Interval:
    found = intervals(series, {"it": of}, **how)["it"]  # type: ignore[arg-type, dict-item]
    assert isinstance(found, Interval)
    return found


@pytest.mark.parametrize("share", [-0.4, 0.0, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("n", [100, 1000])
def test_block_length_is_that_of_arch(share: float, n: int) -> None:
    for seed in range(5):
        series = autoregressive(n, share, seed)
        theirs = float(optimal_block_length(series)["stationary"].iloc[0])
        assert block_length(series) == pytest.approx(max(theirs, 1.0), rel=1e-9)


def test_block_length_of_little_or_nothing_is_one() -> None:
    assert block_length(np.array([1.0, 2.0])) == 1.0
    assert block_length(np.full(100, 0.3)) == 1.0
    assert block_length(np.arange(20.0)) >= 1.0


@settings(max_examples=30)
@given(rows=st.integers(1, 60), count=st.integers(1, 20), block=st.floats(1.0, 30.0))
def test_resamples_are_blocks_of_rows(rows: int, count: int, block: float) -> None:
    found = resampled_rows(rows, count, block, np.random.default_rng(0))
    assert found.shape == (count, rows)
    assert found.min() >= 0
    assert found.max() < rows


def test_blocks_have_the_mean_length_and_every_row_its_share() -> None:
    rows = resampled_rows(500, 400, 8.0, np.random.default_rng(1))
    goes_on = (rows[:, 1:] - rows[:, :-1]) % 500 == 1
    # A fresh block goes on by chance once in 500.
    assert 1 - goes_on.mean() == pytest.approx(1 / 8 * (1 - 1 / 500), rel=0.02)
    share = np.bincount(rows.ravel(), minlength=500) / rows.size
    assert share == pytest.approx(1 / 500, rel=0.5)
    whole = resampled_rows(9, 50, 1e12, np.random.default_rng(1))
    assert ((whole[:, 1:] - whole[:, :-1]) % 9 == 1).all()


def test_the_variance_of_a_resampled_mean_is_the_known_one() -> None:
    # Politis and Romano (1994), lemma 1, by its double sum.
    series, block = autoregressive(60, 0.5), 4.0
    n, stay = 60, 1 - 1 / block
    apart = series - series.mean()
    known = apart @ apart / n
    for k in range(1, n):
        weight = (1 - k / n) * stay**k + k / n * stay ** (n - k)
        known += 2 * weight * sum(apart[i] * apart[i + k] for i in range(n - k)) / n
    drawn = series[resampled_rows(n, 40_000, block, np.random.default_rng(2))].mean(axis=1)
    assert n * drawn.var() == pytest.approx(known, rel=0.03)


@pytest.mark.parametrize("of", [mean, ratio])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_bca_of_independent_values_is_that_of_scipy(of: object, confidence: float) -> None:
    series = np.random.default_rng(5).lognormal(0.0, 1.0, 80)
    ours = interval(series, of, confidence=confidence, resamples=20_000, block=1.0)
    theirs = stats.bootstrap(
        (series,),
        lambda x, axis: x.mean(axis=axis) / (x.std(axis=axis, ddof=1) if of is ratio else 1.0),
        confidence_level=confidence,
        n_resamples=20_000,
        method="BCa",
        rng=np.random.default_rng(6),
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.03 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.03 * width)


def test_bca_of_the_same_resamples_is_that_of_scipy() -> None:
    """Their resamples through our formula: no chance between the two."""
    series = np.random.default_rng(7).lognormal(0.0, 1.0, 40)
    theirs = stats.bootstrap(
        (series,), np.mean, n_resamples=999, method="BCa", rng=np.random.default_rng(8)
    )
    left = np.array([np.delete(series, k).mean() for k in range(40)])
    ours = module._bca(float(series.mean()), theirs.bootstrap_distribution, left, 0.95)
    assert ours == pytest.approx(tuple(theirs.confidence_interval))


def test_bca_of_dependent_values_is_near_that_of_arch() -> None:
    series = autoregressive(400, 0.5, 3) + 0.2 * np.random.default_rng(1).exponential(size=400)
    block = 10
    sample = StationaryBootstrap(block, series, seed=4)
    low, high = sample.conf_int(np.mean, reps=8000, method="bca").ravel()
    ours = interval(series, resamples=8000, block=float(block))
    assert ours.low == pytest.approx(low, abs=0.06 * (high - low))
    assert ours.high == pytest.approx(high, abs=0.06 * (high - low))


@pytest.mark.parametrize("block", [1.0, 3.4, 9.0])
def test_the_jackknife_leaves_every_block_out_once(block: float) -> None:
    series = np.arange(100.0)
    length = round(block)
    left = np.concatenate(list(module._left(series, block)))
    assert left.shape == (100 // length, 100 - length)
    for k, rest in enumerate(left):
        gone = set(range(100)) - set(rest.astype(int).tolist())
        assert gone == set(range(k * length, (k + 1) * length))
        assert (np.diff(rest) > 0).all()


def test_dependence_makes_the_interval_wider() -> None:
    series = autoregressive(500, 0.6, 2)
    found = interval(series)
    assert found.block > 3
    alone = interval(series, block=1.0)
    assert found.high - found.low > 1.5 * (alone.high - alone.low)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(9)
    held = []
    for _ in range(300):
        found = interval(rng.exponential(size=60), confidence=0.9, resamples=500, block=1.0)
        held.append(found.low <= 1.0 <= found.high)
    assert np.mean(held) == pytest.approx(0.9, abs=0.05)


def test_the_same_seed_gives_the_same_bits_whatever_else_is_asked() -> None:
    series = autoregressive(100, 0.2)
    one = interval(series, seed=3)
    assert one == interval(series, seed=3)
    assert one != interval(series, seed=4)
    both = intervals(series, {"mean": mean, "ratio": ratio}, seed=3)
    assert both["mean"] == one


def test_what_has_no_value_says_why() -> None:
    def never(rows: np.ndarray) -> np.ndarray:
        return np.full(rows.shape[0], np.nan)

    def seldom(rows: np.ndarray) -> np.ndarray:
        return np.where(rows.max(axis=1) >= 19.0, 1.0, np.nan)

    series = np.arange(20.0)
    for values, of, reason in [
        (series[:7], mean, "8 are needed"),
        (np.append(series, np.nan), mean, "missing"),
        (series, never, "no value here"),
        (series, seldom, "% of the resamples"),
    ]:
        found = intervals(values, {"it": of})["it"]
        assert isinstance(found, Undefined)
        assert reason in found.reason


def test_values_that_do_not_vary_have_an_interval_of_no_width() -> None:
    found = interval(np.full(30, 0.5))
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)


def test_a_ratio_of_days_of_one_is_the_mean() -> None:
    series = autoregressive(300, 0.6, 3)
    found = ratio_interval(series, np.ones(300), seed=5)
    assert isinstance(found, Interval)
    expected = interval(series, seed=5)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.block == expected.block > 1.0


def test_a_ratio_covers_its_mean_where_days_have_unlike_counts() -> None:
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(200):
        under = rng.integers(1, 6, 150).astype(np.float64)
        over = under * (0.3 + rng.standard_normal(150))
        found = ratio_interval(over, under, resamples=500)
        assert isinstance(found, Interval)
        inside += found.low <= 0.3 <= found.high
    assert 0.90 <= inside / 200 <= 0.99


def test_a_ratio_needs_days() -> None:
    assert isinstance(ratio_interval(np.ones(7), np.ones(7)), Undefined)
    assert isinstance(ratio_interval(np.ones(9), np.zeros(9)), Undefined)
