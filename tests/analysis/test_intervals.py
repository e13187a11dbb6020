"""Intervals of the headline metrics: the figures themselves are those of the sheet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.analysis.bootstrap import Interval, Statistic
from intrabar.analysis.drawdown import drawdown_series
from intrabar.analysis.figure import Figure, Undefined
from intrabar.analysis.figures import growth_figures
from intrabar.analysis.intervals import (
    OF_NET,
    OF_R,
    campaign_intervals,
    return_intervals,
    return_statistics,
)
from intrabar.analysis.metrics import METRICS
from tests.analysis.outcome_figures import outcome_figures


def same(of: Statistic, rows: np.ndarray, figures: list[Figure]) -> None:
    expected = [f if isinstance(f, float) else np.nan for f in figures]
    np.testing.assert_allclose(of(rows), expected, rtol=1e-12, atol=1e-14)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), days=st.integers(2, 40), size=st.sampled_from([0.0, 0.01, 0.3]))
def test_metrics_of_many_series_are_those_of_each(seed: int, days: int, size: float) -> None:
    rows = size * np.random.default_rng(seed).standard_normal((5, days)) + 0.001
    rows[0] = 0.0
    of = return_statistics(252.0, 0.02)
    figures = [growth_figures(r, 252.0, 0.02) for r in rows]
    for name in ("total_return", "annual_return", "volatility", "sharpe", "sortino"):
        same(of[name], rows, [x[name] for x in figures])
    deepest = [float(drawdown_series(np.cumprod(1 + r), 1.0).max(initial=0.0)) for r in rows]
    same(of["max_drawdown"], rows, list(deepest))
    calmar: list[Figure] = []
    for x, deep in zip(figures, deepest, strict=True):
        rate = x["annual_return"]
        none = deep == 0.0 or isinstance(rate, Undefined)
        calmar.append(Undefined("") if none else rate / deep)  # type: ignore[operator]
    same(of["calmar"], rows, calmar)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), count=st.integers(2, 30))
def test_outcomes_of_many_are_those_of_each(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((4, count)) * (rng.random((4, count)) < 0.8)
    rows[0] = np.abs(rows[0])
    rows[1] = -rows[0]
    figures = [outcome_figures(r) for r in rows]
    for name, of in {**OF_NET, **OF_R}.items():
        same(of, rows, [x[name] for x in figures])


def test_every_name_is_a_metric_and_has_its_interval() -> None:
    rng = np.random.default_rng(1)
    daily = return_intervals(0.001 + 0.01 * rng.standard_normal(500))
    net = rng.standard_normal(60) + 0.2
    r = np.where(np.arange(60) % 3 == 0, np.nan, net / 2)
    for found in (daily, campaign_intervals(net, r)):
        assert set(found) <= set(METRICS)
        for name, it in found.items():
            assert isinstance(it, Interval), name
            assert it.low < it.high, name
    sharpe = daily["sharpe"]
    assert isinstance(sharpe, Interval)
    # Lo (2002): for independent normal returns the deviation is sqrt((1 + s^2 / 2) / n) a period.
    width = 2 * 1.96 * np.sqrt(252 / 500)
    assert sharpe.high - sharpe.low == pytest.approx(width, rel=0.1)


def test_a_run_without_campaigns_says_why() -> None:
    found = campaign_intervals(np.empty(0), np.empty(0))
    for it in found.values():
        assert isinstance(it, Undefined)
        assert it.reason == "0 values, 8 are needed"
