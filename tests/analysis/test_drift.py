import math

import numpy as np
import pytest

from intrabar.analysis.drift import (
    NO_LIMIT,
    deciles_of,
    drift_of,
    psi_limit,
    psi_of,
)
from intrabar.errors import UsageError


def wandering(rows, columns, rng, persistence=0.99):
    """Series of mean 0 and deviation 1 that forget slowly."""
    shock = rng.standard_normal((rows, columns)) * math.sqrt(1.0 - persistence**2)
    values = np.empty((rows, columns))
    values[0] = rng.standard_normal(columns)
    for i in range(1, rows):
        values[i] = persistence * values[i - 1] + shock[i]
    return values


@pytest.mark.parametrize("columns", [1, 5])
def test_unchanged_slow_series_alarm_in_at_most_5_of_100_stretches(columns):
    # a hundred trainings with a stretch after each, that shares nothing with its end
    every = wandering(8000, columns * 100, np.random.default_rng(5)).reshape(8000, 100, columns)
    alarms = shifted = 0
    for k in range(100):
        train, later = every[:5000, k], every[-500:, k].copy()
        deciles = deciles_of(train)
        limit = psi_limit(train, deciles)
        names = [f"f{j}" for j in range(columns)]
        alarms += drift_of(later, names, deciles, limit).alarm
        later[:, 0] += 4.0
        moved = drift_of(later, names, deciles, limit)
        shifted += moved.alarm and moved.feature == "f0"
    assert alarms <= 5
    assert shifted >= 90


def test_a_quick_series_has_the_customary_limit_and_a_small_shift_alarms():
    rng = np.random.default_rng(1)
    train = rng.standard_normal((5000, 3))
    deciles = deciles_of(train)
    assert psi_limit(train, deciles) == 0.25
    later = rng.standard_normal((900, 3))
    assert not drift_of(later, "abc", deciles, 0.25).alarm
    later[-500:, 1] += 0.8
    found = drift_of(later, "abc", deciles, 0.25)
    assert found.alarm
    assert found.feature == "b"
    assert "b has moved furthest" in found.told
    assert "above the limit of 0.25" in found.told


def test_under_2000_decisions_it_is_told_and_there_is_no_alarm():
    rng = np.random.default_rng(2)
    train = rng.standard_normal((1999, 2))
    deciles = deciles_of(train)
    limit = psi_limit(train, deciles)
    assert limit == NO_LIMIT
    found = drift_of(train[:500] + 9.0, "ab", deciles, limit)
    assert not found.alarm
    assert found.limit is None
    assert found.psi["a"] > 1.0
    assert "under 2,000 decisions" in found.told
    assert psi_limit(rng.standard_normal((2000, 2)), deciles) < 1.0


def test_the_index_by_hand():
    deciles = np.arange(1.0, 10.0)[:, None]
    values = np.repeat(np.arange(10) + 0.5, [95, 5, 50, 50, 50, 50, 50, 50, 50, 50])[:, None]
    share = (np.array([95, 5] + [50] * 8) + 0.5) / 505.0
    assert psi_of(values, deciles)[0] == pytest.approx(np.sum((share - 0.1) * np.log(share * 10)))


@pytest.mark.parametrize("longs", [0.5, 0.55, 0.62])
def test_a_feature_of_two_values_has_two_cells(longs):
    rng = np.random.default_rng(3)
    side = np.where(rng.random((5000, 1)) < longs, 1.0, -1.0)
    deciles = deciles_of(side)
    again = np.where(rng.random((500, 1)) < longs, 1.0, -1.0)
    assert psi_of(again, deciles)[0] < 0.1
    assert psi_of(np.ones((500, 1)), deciles)[0] > 0.25


def test_a_constant_feature_does_not_drift_from_itself_and_does_when_it_moves():
    train = np.full((3000, 1), 2.0)
    deciles = deciles_of(train)
    assert psi_limit(train, deciles) == 0.25
    assert psi_of(train[:500], deciles)[0] == 0.0
    for moved in (1.9, 2.1):
        assert psi_of(np.full((500, 1), moved), deciles)[0] > 1.0


def test_a_feature_that_is_mostly_one_value_does_not_alarm_at_home():
    rng = np.random.default_rng(4)
    values = np.where(rng.random((6000, 1)) < 0.9, 0.0, rng.standard_normal((6000, 1)))
    deciles = deciles_of(values[:5000])
    limit = psi_limit(values[:5000], deciles)
    assert not drift_of(values[5000:], "a", deciles, limit).alarm


def test_fewer_than_500_decisions_say_nothing():
    assert drift_of(np.zeros((499, 1)), ["a"], np.zeros((9, 1)), 0.25) is None


def test_what_is_no_number_is_refused_with_its_place():
    values = np.zeros((600, 2))
    values[7, 1] = np.nan
    with pytest.raises(UsageError, match="feature 1 of decision 7 is nan"):
        psi_of(values, np.zeros((9, 2)))
    with pytest.raises(UsageError, match="expected rows of 3 numbers"):
        psi_limit(np.zeros((600, 2)), np.zeros((9, 3)))


def test_a_side_that_stays_as_it_was_has_not_moved() -> None:
    side = np.tile([1.0, -1.0], 2000)[:, None]
    assert psi_of(side[:500], deciles_of(side))[0] < 0.05
