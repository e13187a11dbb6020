"""The probability of backtest overfitting: equal to the loops, and right where it is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from intrabar.analysis import overfitting as module
from intrabar.analysis.figure import Undefined
from intrabar.analysis.overfitting import Overfitting, overfitting
from intrabar.errors import UsageError
from tests.oracles import naive_overfitting


def noise(days: int, trials: int, seed: int = 0) -> np.ndarray:
    return 0.01 * np.random.default_rng(seed).standard_normal((days, trials))


def found_in(returns: np.ndarray, blocks: int = 16) -> Overfitting:
    found = overfitting(returns, blocks)
    assert isinstance(found, Overfitting)
    return found


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32),
    days=st.integers(16, 50),
    trials=st.integers(2, 9),
    blocks=st.sampled_from([2, 4, 6]),
    kind=st.sampled_from(["noise", "twins", "flat", "drift"]),
)
def test_equals_the_loops(seed: int, days: int, trials: int, blocks: int, kind: str) -> None:
    returns = noise(days, trials, seed)
    if kind == "twins":
        returns[:, 1::2] = returns[:, :1]
    if kind == "flat":
        returns[:, 0] = 0.0
    if kind == "drift":
        returns += 0.05
    naive = naive_overfitting.splits(returns.T.tolist(), blocks)
    found = found_in(returns, blocks)
    logits, inside, outside = np.array(naive).T
    np.testing.assert_allclose(found.inside, inside, atol=1e-9)
    np.testing.assert_allclose(found.outside, outside, atol=1e-9)
    np.testing.assert_allclose(found.logits, logits, atol=1e-9)
    assert found.probability == pytest.approx(np.mean(logits <= 1e-9))
    assert found.loss == pytest.approx(np.mean(outside < 0))


def test_the_line_is_that_of_scipy() -> None:
    found = found_in(noise(200, 20), 10)
    line = stats.linregress(found.inside, found.outside)
    assert (found.slope, found.intercept) == pytest.approx((line.slope, line.intercept))
    assert found.fit == pytest.approx(line.rvalue**2)
    assert found.logits.shape == (252,)


def test_a_real_edge_is_not_overfitting() -> None:
    returns = noise(480, 30)
    returns[:, 11] += 0.004
    found = found_in(returns)
    assert found.probability < 0.01
    assert found.loss < 0.01
    assert (found.chosen == 11).mean() > 0.95
    assert found.logits.shape == (12_870,)


def test_a_trial_fitted_to_each_half_is_overfitting() -> None:
    # Each trial wins in one block and loses in all others: the best inside is the worst outside.
    blocks = 8
    returns = noise(80, blocks) * 0.01
    for b in range(blocks):
        returns[:, b] -= 0.001
        returns[b * 10 : (b + 1) * 10, b] += 0.02
    assert found_in(returns, blocks).probability == 1.0


def test_noise_is_near_one_half() -> None:
    mean = np.mean([found_in(noise(160, 20, seed), 8).probability for seed in range(200)])
    assert mean == pytest.approx(0.5, abs=0.05)


def test_it_does_not_matter_how_many_splits_are_computed_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = found_in(noise(60, 7), 6)
    monkeypatch.setattr(module, "CELLS", 1)
    parts = found_in(noise(60, 7), 6)
    np.testing.assert_array_equal(whole.chosen, parts.chosen)
    np.testing.assert_allclose(whole.logits, parts.logits)


def test_rows_that_fill_no_block_are_the_first() -> None:
    returns = noise(64, 5)
    longer = np.vstack([noise(3, 5, 1), returns])
    np.testing.assert_array_equal(found_in(longer, 4).logits, found_in(returns, 4).logits)


def test_trials_with_a_missing_return_are_left_out() -> None:
    returns = noise(64, 5)
    returns[50:, 2] = np.nan
    found = found_in(returns, 4)
    assert found.trials == 4
    assert 2 not in found.chosen
    assert set(found.chosen.tolist()) <= {0, 1, 3, 4}


def test_what_has_no_value_says_why() -> None:
    for returns, reason in [
        (noise(100, 1), "2 are needed"),
        (np.full((100, 3), np.nan), "0 trials"),
        (noise(31, 4), "32 are needed"),
    ]:
        found = overfitting(returns)
        assert isinstance(found, Undefined)
        assert reason in found.reason
    for blocks in (0, 7, 22):
        with pytest.raises(UsageError, match="even number"):
            overfitting(noise(100, 4), blocks)


def test_trials_that_never_trade_are_all_alike() -> None:
    found = found_in(np.zeros((40, 6)), 4)
    assert found.logits.tolist() == [0.0] * 6
    assert np.isnan(found.slope)
