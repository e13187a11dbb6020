"""Calibration against a search over a grid and least squares."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from intrabar.learn.calibrate import fit_of, reliability_of, shares_of, slope_of, temperature_of


def log_odds(n: int = 3_000) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(3)
    numbers = draw.normal(0, 1.5, (n, 4))
    shares = shares_of(numbers, 2.0)
    label = (draw.random((n, 1)) > np.cumsum(shares, axis=1)).sum(axis=1)
    return numbers, label.astype(np.int64)


def test_the_temperature_is_the_best_of_a_grid() -> None:
    numbers, label = log_odds()
    found = temperature_of(numbers, label)
    grid = np.linspace(0.5, 5.0, 4_501)
    losses = [fit_of(numbers, label, t).log_loss for t in grid[::45]]
    near = grid[::45][int(np.argmin(losses))]
    fine = grid[np.abs(grid - near) < 0.05]
    best = fine[int(np.argmin([fit_of(numbers, label, t).log_loss for t in fine]))]
    assert abs(found - best) <= 0.001
    assert found == pytest.approx(2.0, rel=0.1)  # as they were drawn


def test_a_temperature_changes_no_arm() -> None:
    numbers, label = log_odds(200)
    shares = shares_of(numbers, temperature_of(numbers, label))
    assert (shares.argmax(axis=1) == numbers.argmax(axis=1)).all()


def test_the_figures_of_a_fit_by_hand() -> None:
    numbers = np.log(np.array([[0.8, 0.2], [0.6, 0.4]]))
    told = fit_of(numbers, np.array([0, 1]))
    assert told.log_loss == pytest.approx(-(np.log(0.8) + np.log(0.4)) / 2)
    assert told.brier == pytest.approx((2 * 0.2**2 + 2 * 0.6**2) / 2)
    assert told.calibration_error == pytest.approx((0.2 + 0.6) / 2)


def test_the_slope_is_that_of_least_squares_where_scores_are_known() -> None:
    draw = np.random.default_rng(5)
    numbers = draw.normal(size=(500, 3))
    scores = 0.7 * numbers + draw.normal(0, 2, (500, 3)) + draw.normal(0, 5, (500, 1))
    scores[::7, 1] = np.nan
    known = np.isfinite(scores)
    x = (numbers - numbers.mean(axis=1, keepdims=True))[known]
    y = (scores - np.nanmean(scores, axis=1, keepdims=True))[known]
    expected = np.linalg.lstsq(x[:, None], y, rcond=None)[0][0]
    assert slope_of(numbers, scores) == pytest.approx(float(expected), rel=1e-12)
    assert slope_of(np.zeros((5, 3)), scores[:5]) == 0.0


def test_bins_of_equal_size() -> None:
    found = reliability_of(np.arange(20.0), 2 * np.arange(20.0), 4)
    assert_allclose(found.predicted, [2, 7, 12, 17])
    assert_allclose(found.realised, [4, 14, 24, 34])
