"""Return figures against empyrical, against Bacon's worked portfolio, and where undefined."""

from __future__ import annotations

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intrabar.analysis.drawdown import drawdown_series
from intrabar.analysis.figure import Figure, Undefined
from intrabar.analysis.figures import growth_figures, series_of_returns
from intrabar.analysis.months import MONTHS, month_of, month_table
from intrabar.analysis.returns import days_of, last_of_day
from intrabar.model.bars import DAY_NS
from tests.analysis import naive_figures
from tests.analysis.outcome_figures import outcome_figures

# Monthly returns in % of the portfolio of Bacon, Practical Portfolio Performance Measurement and
# Attribution (2008), as braverock/PerformanceAnalytics has them in data/portfolio_bacon.csv.
FIRST_YEAR = [0.3, 2.6, 1.1, -1.0, 1.5, 2.5, 1.6, 6.7, -1.4, 4.0, -0.5, 8.1]
SECOND_YEAR = [4.0, -3.7, -6.1, 1.7, -4.9, -2.2, 7.0, 5.8, -6.5, 2.4, -0.5, -0.9]
BACON = np.array([*FIRST_YEAR, *SECOND_YEAR]) / 100.0

daily = st.lists(
    st.floats(-0.2, 0.25, allow_nan=False).map(lambda r: round(r, 5)), min_size=2, max_size=80
).map(np.array)
years = st.sampled_from([12.0, 252.0, 365.0])


def value(figure: Figure) -> float:
    assert not isinstance(figure, Undefined), figure
    return figure


def agrees(figure: Figure, oracle: float) -> None:
    """Equal, or undefined where the oracle has no finite value."""
    if isinstance(figure, Undefined):
        assert not np.isfinite(oracle) or figure.reason.startswith("too short")
    else:
        assert figure == pytest.approx(oracle, rel=1e-9, abs=1e-12)


@given(daily, years, st.sampled_from([0.0, 0.03]))
def test_empyrical_has_the_same_figures(r: np.ndarray, year: float, rate: float) -> None:
    per_period = rate / year
    got = growth_figures(r, year, rate)
    with np.errstate(all="ignore"):
        total = float(empyrical.cum_returns_final(r))
        assert value(got["total_return"]) == pytest.approx(total, abs=1e-12)
        agrees(got["annual_return"], float(empyrical.annual_return(r, annualization=year)))
        assert value(got["volatility"]) == pytest.approx(
            float(empyrical.annual_volatility(r, annualization=year))
        )
        agrees(got["sharpe"], float(empyrical.sharpe_ratio(r, per_period, annualization=year)))
        agrees(got["sortino"], float(empyrical.sortino_ratio(r, per_period, annualization=year)))
        depth = drawdown_series(np.cumprod(1.0 + r), 1.0).max()
        assert max(depth, 0.0) == pytest.approx(-float(empyrical.max_drawdown(r)), abs=1e-12)


def test_bacons_portfolio() -> None:
    # The figures are the lines of PerformanceAnalytics' examples over the same returns.
    got = growth_figures(BACON, 12, 0.06)
    growth, risk = value(got["annual_return"]), value(got["volatility"])
    # Kappa of order 2 is the Sortino ratio per month, over the downside deviation.
    kappa = value(got["sortino"]) / np.sqrt(12)
    assert kappa == pytest.approx(0.1566371, abs=5e-8)
    assert (BACON.mean() - 0.005) / kappa == pytest.approx(0.02553674, abs=5e-9)
    # Adjusted Sharpe ratio of annual return over annual deviation, with skewness and kurtosis.
    z = (BACON - BACON.mean()) / BACON.std()
    ratio = growth / risk
    adjusted = ratio * (1 + (z**3).mean() / 6 * ratio - ((z**4).mean() - 3) / 24 * ratio**2)
    assert adjusted == pytest.approx(0.7591435, abs=5e-8)
    # Martin ratio: annual return over the root mean square of the drawdowns.
    under = drawdown_series(np.cumprod(1.0 + BACON), 1.0)
    assert growth / np.sqrt((under**2).mean()) == pytest.approx(1.6945, abs=5e-5)


def test_annual_return_by_hand() -> None:
    # Doubled in half a year of 126 days: squared in a year, 300 %.
    r = np.full(126, 2.0 ** (1 / 126) - 1.0)
    assert value(growth_figures(r, 252)["annual_return"]) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("name", "returns", "reason"),
    [
        ("sharpe", [0.01] * 9, "the returns do not vary"),
        ("sharpe", [0.0] * 9, "the returns do not vary"),
        ("sharpe", [0.01], "1 returns, 2 are needed"),
        ("volatility", [], "0 returns, 2 are needed"),
        ("total_return", [], "0 returns, 1 are needed"),
        ("sortino", [0.01, 0.02], "no return fell short of the target"),
        ("annual_return", [0.1, -1.5], "equity ended at zero or below"),
        ("annual_return", [1e9], "too short a time"),
        ("sharpe", [0.1, np.nan], "equity was at zero or below on the way"),
    ],
)
def test_returns_without_a_figure_say_why(name: str, returns: list[float], reason: str) -> None:
    figure = growth_figures(np.array(returns), 252)[name]
    assert isinstance(figure, Undefined)
    assert reason in figure.reason


@pytest.mark.parametrize(
    ("name", "net", "reason"),
    [
        ("profit_factor", [1.0], "no losses"),
        ("profit_factor", [], "no campaign is closed"),
        ("payoff", [-1.0], "no wins"),
        ("payoff", [2.0], "no losses"),
        ("payoff", [], "no campaign is closed"),
        ("win_rate", [], "no campaign is closed"),
        ("expectancy", [], "no campaign is closed"),
        ("expectancy_r", [np.nan], "no campaign had a stop"),
        ("sqn", [1.0, np.nan], "1 campaigns with a stop, 2 are needed"),
        ("sqn", [0.3, 0.3, 0.3], "the R multiples do not vary"),
    ],
)
def test_outcomes_without_a_figure_say_why(name: str, net: list[float], reason: str) -> None:
    assert outcome_figures(np.array(net))[name] == Undefined(reason)


def test_outcomes_by_hand() -> None:
    net = np.array([100.0, -50.0, 200.0, 0.0, -25.0, -25.0])
    # Mean 0.5, sample deviation sqrt(((1.5)^2 + (1.5)^2) / 3 ...) of 2, -1, 2, -1: sqrt(3).
    r = np.array([2.0, -1.0, np.nan, 2.0, -1.0, np.nan])
    got = outcome_figures(net, r, gross=400.0, costs=100.0)
    assert got["win_rate"] == pytest.approx(2 / 6)
    assert got["profit_factor"] == pytest.approx(3.0)  # 300 / 100
    assert got["payoff"] == pytest.approx(4.5)  # 150 / (100 / 3)
    assert got["expectancy"] == pytest.approx(200 / 6)
    assert got["cost_share"] == 0.25
    assert outcome_figures(net, gross=-5.0)["cost_share"] == Undefined("no profit before costs")
    assert got["expectancy_r"] == pytest.approx(0.5)
    assert got["sqn"] == pytest.approx(2 * 0.5 / np.sqrt(3.0))
    for wins, longest in (([1, 1, 0, 1], 2), ([1, 0, 1, 1, 1], 3), ([], 0)):
        assert outcome_figures(np.array(wins, float))["longest_wins"] == longest


def test_drawdowns_by_hand() -> None:
    equity = np.array([90.0, 110.0, 99.0, 88.0, 110.0, 120.0, 60.0])
    time = DAY_NS * np.arange(1, 8, dtype=np.int64)
    first, second, last = naive_figures.spells(time, equity, 100.0)
    assert (first.peak, first.trough, first.recovery, first.bars) == (-1, 0, 1, 2)
    assert first.depth == pytest.approx(0.1)
    assert (second.peak, second.trough, second.recovery, second.bars) == (1, 3, 4, 3)
    assert second.depth == pytest.approx(0.2)
    assert second.days == 3.0
    assert (last.peak, last.trough, last.recovery, last.bars) == (5, 6, None, 1)
    assert last.depth == pytest.approx(0.5)
    assert naive_figures.spells(time, np.full(7, 100.0), 100.0) == []


def test_a_bar_that_closes_at_midnight_ends_the_day_before() -> None:
    time = np.array([DAY_NS - 1, DAY_NS, DAY_NS + 1], dtype=np.int64)
    assert days_of(time).tolist() == [0, 0, 1]
    days, last = last_of_day(days_of(time), np.array([1.0, 2.0, 3.0]))
    assert (days.tolist(), last.tolist()) == ([0, 1], [2.0, 3.0])


def test_returns_start_from_the_initial_equity_and_stop_at_ruin() -> None:
    got = series_of_returns(np.array([110.0, 0.0, 5.0]), 100.0)
    np.testing.assert_allclose(got, [0.1, -1.0, np.nan])
    assert series_of_returns(np.zeros(0), 100.0).shape == (0,)


def test_months_by_hand() -> None:
    dates = ["1999-12-31", "2000-01-10", "2000-01-31", "2000-03-01"]
    day = np.array(dates, dtype="datetime64[D]").astype(np.int64)
    month = np.unique(month_of(day))
    r = np.array([0.1, 0.1, -0.5])
    table = month_table(month, r)
    assert table.columns == ["year", *MONTHS, "total"]
    assert table["year"].to_list() == [1999, 2000]
    assert table["dec"].to_list()[0] == pytest.approx(0.1)
    assert table.row(1, named=True)["feb"] is None
    assert table["total"].to_list() == pytest.approx([0.1, -0.45])
    assert month_table(month[:0], r[:0]).columns == ["year", *MONTHS, "total"]
