"""Figures under their names: attributes, a mapping that prints, and the nearest name."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest

import intrabar as ib
from intrabar.analysis.metrics import METRICS
from tests.strategy.markets import DAY_NS, run_of, walk


def test_every_metric_is_an_attribute_and_a_key() -> None:
    result = run_of(walk(200, 3, period=DAY_NS), ib.Bot(ib.CoinFlip(1)))
    for name in METRICS:
        assert getattr(result.metrics, name) == result.metrics.values[name] == result.stats[name]
    assert "sharpe" in dir(result.metrics)
    assert list(result.stats) == list(METRICS)
    assert pd.Series(result.stats).loc["campaigns"] == result.metrics.campaigns
    assert copy.deepcopy(result.metrics).values == result.metrics.values


def test_a_misspelt_figure_is_told_the_nearest() -> None:
    result = run_of(walk(60, 3), ib.Signals(np.ones(60)))
    with pytest.raises(AttributeError, match="unknown metric 'sharp': did you mean 'sharpe'"):
        _ = result.metrics.sharp
    with pytest.raises(ib.NotFoundError, match="unknown metric 'sharp'"):
        _ = result.metrics.sharp
    assert not hasattr(result.metrics, "sharp")
    with pytest.raises(KeyError) as raised:
        _ = result.stats["sharp"]
    assert str(raised.value).startswith("unknown metric 'sharp': did you mean 'sharpe'")
    assert result.stats.get("sharp") is None


def test_figures_print_as_people_read_them() -> None:
    result = run_of(walk(200, 3, period=DAY_NS), ib.Signals(np.ones(200)))
    told = str(result.stats)
    assert len(told.splitlines()) == len(METRICS)
    assert "win_rate                    none (no campaign is closed)" in told
    assert f"net_profit                  {result.stats['net_profit']:,.2f} USD" in told
    assert "<th>sharpe</th>" in result.stats._repr_html_()
    assert "array" not in repr(result.metrics)


def test_the_picture_of_a_run_without_trades_has_one_line_of_equity() -> None:
    still = run_of(walk(60, 3), ib.Signals(np.zeros(60))).plot()
    assert still.svg.count("100,000") == 1
    moved = run_of(walk(200, 3, period=DAY_NS), ib.Bot(ib.CoinFlip(1))).plot()
    assert "drawdown" in moved.svg
    assert "nan" not in moved.svg
