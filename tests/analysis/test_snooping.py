"""White's and Hansen's tests: against arch on the same resamples, and on noise and an edge."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from intrabar.analysis import snooping as module
from intrabar.analysis.bootstrap import block_length
from intrabar.analysis.figure import Undefined
from intrabar.analysis.snooping import Snooping, long_run_deviation, p_values, snooping

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from arch.bootstrap import SPA, StationaryBootstrap


def noise(days: int, trials: int, seed: int = 0) -> np.ndarray:
    return 0.01 * np.random.default_rng(seed).standard_normal((days, trials))


def found_in(returns: np.ndarray, **how: object) -> Snooping:
    found = snooping(returns, **how)  # type: ignore[arg-type]
    assert isinstance(found, Snooping)
    return found


def weights_of_arch(days: int, block: int, count: int, seed: int) -> np.ndarray:
    """How often arch's bootstrap takes each row, resample by resample."""
    sample = StationaryBootstrap(block, np.arange(days), seed=seed)
    drawn = [args[0] for args, _ in sample.bootstrap(count)]
    return np.array([np.bincount(rows, minlength=days) for rows in drawn], dtype=float)


@pytest.mark.parametrize("edge", [0.0, 0.001, 0.002])
@pytest.mark.parametrize("block", [1, 6])
def test_p_values_are_those_of_arch_on_its_resamples(edge: float, block: int) -> None:
    returns = noise(200, 30, 3) * np.geomspace(0.2, 5.0, 30) + np.linspace(-0.004, 0.0, 30)
    returns[:, 5] += 0.003 + edge
    theirs = SPA(np.zeros(200), -returns, block_size=block, reps=400, seed=11)
    theirs.compute()
    deviation = long_run_deviation(returns, block)
    ours = p_values(returns, deviation, weights_of_arch(200, block, 400, 11))
    expected = (400 * theirs.pvalues.to_numpy() + 1) / 401
    assert ours == pytest.approx(tuple(expected))
    assert edge or ours[0] < ours[1] < ours[2]


@pytest.mark.parametrize("edge", [0.0, 0.002])
def test_studentized_p_values_are_those_of_loops(edge: float) -> None:
    returns = noise(60, 7, 9) * np.geomspace(0.2, 5.0, 7) + np.linspace(-0.004, 0.0, 7)
    returns[:, 2] += edge
    weights = weights_of_arch(60, 3, 200, 1)
    deviation = long_run_deviation(returns, 3)
    beyond = [0, 0, 0]
    reached = max(returns[:, j].mean() / deviation[j] for j in range(7))
    bound = -math.sqrt(2 * math.log(math.log(60)) / 60)
    for weight in weights:
        highest = [-math.inf] * 3
        for j in range(7):
            values = np.repeat(returns[:, j], weight.astype(int))
            own = deviation[j] * values.std() / returns[:, j].std()
            mean = returns[:, j].mean()
            near = mean if mean / deviation[j] >= bound else 0.0
            for k, center in enumerate((max(mean, 0.0), near, mean)):
                highest[k] = max(highest[k], (values.mean() - center) / own)
        beyond = [n + (h > reached) for n, h in zip(beyond, highest, strict=True)]
    found = p_values(returns, deviation, weights, studentized=True)
    assert found == pytest.approx([(n + 1) / 201 for n in beyond])


def test_noise_that_is_skewed_to_losses_is_not_taken_to_be_real() -> None:
    taken = []
    for seed in range(100):
        returns = 1.0 - np.random.default_rng(seed).exponential(size=(250, 40))
        taken.append(found_in(returns, resamples=200, seed=seed).consistent < 0.05)
    assert np.mean(taken) <= 0.12  # it is 0.25 with the fixed deviation


def test_the_reality_check_is_the_upper_one_of_arch() -> None:
    returns = noise(150, 20, 4)
    returns[:, 3] += 0.001
    theirs = SPA(np.zeros(150), -returns, block_size=4, reps=4000, seed=1, studentize=False)
    theirs.compute()
    ours = found_in(returns, resamples=4000, block=4.0)
    assert ours.reality_check == pytest.approx(theirs.pvalues["upper"], abs=0.03)


def test_deviation_is_that_of_the_double_sum() -> None:
    values, block, n = noise(40, 3), 5.0, 40
    stay = 1 - 1 / block
    for j, deviation in enumerate(long_run_deviation(values, block)):
        apart = values[:, j] - values[:, j].mean()
        known = apart @ apart / n
        for k in range(1, n):
            weight = (1 - k / n) * stay**k + k / n * stay ** (n - k)
            known += 2 * weight * sum(apart[i] * apart[i + k] for i in range(n - k)) / n
        assert deviation == pytest.approx(math.sqrt(known))
    assert long_run_deviation(values, 1.0) == pytest.approx(values.std(axis=0))


def test_one_trial_is_the_one_sided_test_of_its_mean() -> None:
    returns = noise(400, 1, 8) + 0.0008
    z = returns.mean() / returns.std() * math.sqrt(400)
    found = found_in(returns, resamples=5000, block=1.0)
    assert found.consistent == pytest.approx(0.5 * math.erfc(z / math.sqrt(2)), abs=0.015)


def test_an_edge_is_found_and_the_bounds_are_in_order() -> None:
    returns = noise(500, 100)
    assert found_in(returns).consistent > 0.1
    returns[:, 40] += 0.0025
    found = found_in(returns)
    assert found.lower <= found.consistent <= found.upper < 0.01
    assert found.reality_check < 0.01
    assert found.trials == 100


def test_blocks_have_the_mean_of_what_suits_the_trials() -> None:
    returns = np.cumsum(noise(300, 6), axis=0) * np.array([1, 0, 0, 0, 0, 1]) + noise(300, 6, 1)
    suits = [block_length(returns[:, k]) for k in range(6)]
    assert max(suits) > 2 * min(suits)
    assert found_in(returns).block == pytest.approx(np.mean(suits))


def test_a_benchmark_is_what_has_to_be_beaten() -> None:
    market = noise(400, 1, 5)[:, 0] + 0.003
    returns = market[:, None] + noise(400, 10, 6) * 0.1
    assert found_in(returns).consistent < 0.01
    assert found_in(returns, benchmark=market).consistent > 0.1


def test_wild_trials_do_not_hide_a_calm_one() -> None:
    returns = noise(500, 20, 2)
    returns[:, 0] += 0.002
    returns[:, 1] *= 50
    found = found_in(returns)
    assert found.consistent < 0.01
    assert found.reality_check > 0.1


def test_the_same_seed_gives_the_same_figures_in_parts_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    returns = noise(200, 25)
    whole = found_in(returns, seed=2)
    monkeypatch.setattr(module, "COLUMNS", 4)
    assert found_in(returns, seed=2) == whole
    assert found_in(returns, seed=3) != whole


def test_what_has_no_value_says_why_and_the_rest_is_left_out() -> None:
    few = snooping(noise(10, 3))
    assert isinstance(few, Undefined)
    assert "16 are needed" in few.reason
    assert isinstance(snooping(np.zeros((50, 3))), Undefined)
    same = snooping(np.repeat(noise(50, 1), 3, axis=1), benchmark=noise(50, 1)[:, 0])
    assert isinstance(same, Undefined)
    returns = noise(60, 5)
    returns[:, 1] = 0.0
    returns[30:, 2] = np.nan
    assert found_in(returns).trials == 3
