"""The sheet: one small run worked by hand, scopes that add up, and a complete document."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from intrabar.analysis.campaigns import campaigns
from intrabar.analysis.equity import equity_by
from intrabar.analysis.metrics import METRICS, Results, sheet, sheets_by
from intrabar.analysis.months import MONTHS
from intrabar.model.bars import DAY_NS
from tests.analysis.account import Deal, fills_of, market_of

POINTS = {"A": 10.0, "B": 10.0}
DEALS = [
    Deal(0, 1.0, 100.0, cost=5.0, stop=95.0, strategy="x"),
    Deal(1, 2.0, 50.0, cost=5.0, symbol="B", strategy="y"),
    Deal(2, -1.0, 110.0, cost=5.0, reason="target", strategy="x"),
    Deal(3, -1.0, 110.0, cost=5.0, stop=115.0, strategy="x"),
    Deal(5, 1.0, 115.0, cost=5.0, reason="stop", strategy="x"),
    Deal(6, -2.0, 52.0, cost=5.0, reason="exit", symbol="B", strategy="y"),
]
CLOSES = {
    "A": [100.0, 105.0, 110.0, 110.0, 112.0, 115.0, 115.0, 115.0],
    "B": [50.0, 50.0, 49.0, 50.0, 51.0, 51.0, 52.0, 52.0],
}


def results_of(deals: list[Deal], initial: float = 1000.0) -> Results:
    """A run on daily bars: the account's curve is the sum of its instruments' curves."""
    market = market_of(CLOSES)
    time = DAY_NS * (20_000 + np.arange(8, dtype=np.int64)) - DAY_NS // 4
    market = replace(market, time=time)
    fills = fills_of(deals, 10.0)
    profit = sum(equity_by(fills, market, POINTS, "symbol").values(), np.zeros(8))
    equity = pl.DataFrame({"bar": np.arange(8), "time": time, "equity": initial + profit})
    table = campaigns(fills, market, POINTS)
    return Results(market, fills, table, equity, initial, POINTS)


def test_the_sheet_of_a_small_run() -> None:
    # A long: +100 less 10. A short: -50 less 10. B long: 2 * 2 * 10 = +40 less 10.
    v = sheet(results_of(DEALS)).values
    assert list(v) == list(METRICS)
    # Equity: 995, 1040, 1065, 1080, 1080, 1045, 1060, 1060.
    assert v["net_profit"] == 60.0
    assert v["total_return"] == pytest.approx(0.06)
    assert v["annual_return"] == pytest.approx(1.06 ** (252 / 8) - 1)
    assert v["max_drawdown"] == pytest.approx(35 / 1080)
    # Peak on row 3, touched again on row 4, under water from 5 to the end on row 7.
    assert (v["max_drawdown_bars"], v["max_drawdown_days"]) == (3.0, 3.0)
    assert (v["longest_drawdown_bars"], v["longest_drawdown_days"]) == (3.0, 3.0)
    assert v["calmar"] == pytest.approx((1.06 ** (252 / 8) - 1) / (35 / 1080))
    assert v["exposure"] == pytest.approx(6 / 8)  # flat at the closes of rows 6 and 7
    # 10 * (100 + 2*50 + 110 + 110 + 115 + 2*52) = 6390 on a mean equity of 1053.125.
    assert v["turnover"] == pytest.approx(6390 / 1053.125 / (8 / 252))
    assert v["costs"] == 30.0
    assert v["cost_share"] == pytest.approx(30 / 90)
    assert v["campaigns"] == 3.0
    assert v["win_rate"] == pytest.approx(2 / 3)
    assert v["expectancy"] == pytest.approx(20.0)
    assert v["expectancy_r"] == pytest.approx((90 / 50 - 60 / 50) / 2)
    assert v["profit_factor"] == pytest.approx(120 / 60)
    assert v["payoff"] == pytest.approx(60 / 60)
    assert (v["longest_wins"], v["longest_losses"]) == (1.0, 1.0)
    assert v["average_mae"] == pytest.approx((0 + 5 + 1) / 3)
    assert v["average_mfe"] == pytest.approx((10 + 0 + 2) / 3)


def test_what_is_undefined_is_none_with_its_reason() -> None:
    got = sheet(results_of(DEALS))
    assert got.values["max_drawdown_recovery_days"] is None
    assert got.reasons == {"max_drawdown_recovery_days": "not recovered by the end"}
    idle = sheet(results_of([]))
    assert idle.values["max_drawdown"] == 0.0
    assert idle.values["net_profit"] == 0.0
    assert idle.reasons["sharpe"] == "the returns do not vary"
    assert idle.reasons["calmar"] == "no drawdown"
    assert idle.reasons["profit_factor"] == "no campaign is closed"
    for one in (got, idle):
        assert {n for n, v in one.values.items() if v is None} == set(one.reasons)
        assert all(v is None or np.isfinite(v) for v in one.values.values())


def test_a_ruined_run_has_a_sheet() -> None:
    got = sheet(results_of(DEALS, initial=20.0))
    ruined = results_of([Deal(0, 9.0, 110.0), Deal(2, -9.0, 90.0)], initial=1000.0)
    ruined = replace(ruined, equity=ruined.equity.head(3))
    assert got.values["net_profit"] == 60.0
    assert sheet(ruined).reasons["annual_return"] == "equity ended at zero or below"
    assert sheet(ruined).reasons["calmar"] == "equity ended at zero or below"


def test_a_run_without_bars_has_a_sheet() -> None:
    empty = results_of([])
    got = sheet(replace(empty, equity=empty.equity.head(0)))
    assert got.values["net_profit"] == 0.0
    assert got.reasons["exposure"] == got.reasons["turnover"] == "no bars"
    assert got.reasons["sharpe"] == "0 returns, 2 are needed"
    assert got.months.height == 0


@pytest.mark.parametrize("key", ["strategy", "symbol"])
def test_scopes_add_up(key: str) -> None:
    results = results_of(DEALS)
    whole, parts = sheet(results).values, sheets_by(results, key)  # type: ignore[arg-type]
    assert set(parts) == ({"x", "y"} if key == "strategy" else {"A", "B"})
    for name in ("net_profit", "costs", "campaigns"):
        assert sum(p.values[name] or 0.0 for p in parts.values()) == whole[name]
    assert parts["y" if key == "strategy" else "B"].values["exposure"] == pytest.approx(5 / 8)


def test_the_session_takes_the_place_of_the_utc_date() -> None:
    results = results_of(DEALS)
    # Two rows a session: four returns instead of eight.
    halved = sheet(replace(results, session=20_000 + np.arange(8) // 2)).values
    equity = np.array([1040.0, 1080.0, 1045.0, 1060.0])
    r = equity / np.array([1000.0, 1040.0, 1080.0, 1045.0]) - 1.0
    assert halved["sharpe"] == pytest.approx(r.mean() / r.std(ddof=1) * np.sqrt(252))
    assert halved["annual_return"] == pytest.approx(1.06 ** (252 / 4) - 1)


def test_the_months_of_a_sheet() -> None:
    months = sheet(results_of(DEALS)).months
    # Row 0 closes on 2024-10-03.
    assert months["year"].to_list() == [2024]
    assert months["oct"].to_list() == pytest.approx([0.06])
    assert months.select(MONTHS).null_count().sum_horizontal().item() == 11


def test_every_metric_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    documented = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text, flags=re.M)
    assert {name: unit.strip() for name, unit in documented} == {
        name: one.unit for name, one in METRICS.items()
    }
