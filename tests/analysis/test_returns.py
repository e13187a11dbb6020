"""Return figures against empyrical, against Bacon's worked portfolio, and where undefined."""

from __future__ import annotations

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intrabar.analysis.drawdown import deepest, drawdown_series, drawdowns, longest
from intrabar.analysis.figure import Figure, Undefined
from intrabar.analysis.months import MONTHS, month_table, monthly_returns
from intrabar.analysis.outcomes import (
    cost_share,
    expectancy_r,
    longest_run,
    mean_of,
    payoff,
    profit_factor,
    sqn,
    win_rate,
)
from intrabar.analysis.returns import (
    annual_return,
    days_of,
    downside_deviation,
    last_of_day,
    returns_of,
    sharpe,
    sortino,
    total_return,
    volatility,
)
from intrabar.model.bars import DAY_NS

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
    with np.errstate(all="ignore"):
        assert value(total_return(r)) == pytest.approx(empyrical.cum_returns_final(r), abs=1e-12)
        agrees(annual_return(r, year), float(empyrical.annual_return(r, annualization=year)))
        assert value(volatility(r, year)) == pytest.approx(
            float(empyrical.annual_volatility(r, annualization=year))
        )
        agrees(
            sharpe(r, year, rate), float(empyrical.sharpe_ratio(r, per_period, annualization=year))
        )
        agrees(
            sortino(r, year, rate),
            float(empyrical.sortino_ratio(r, per_period, annualization=year)),
        )
        assert value(downside_deviation(r, per_period)) * np.sqrt(year) == pytest.approx(
            float(empyrical.downside_risk(r, per_period, annualization=year))
        )
        depth = drawdown_series(np.cumprod(1.0 + r), 1.0).max()
        assert max(depth, 0.0) == pytest.approx(-float(empyrical.max_drawdown(r)), abs=1e-12)


def test_bacons_portfolio() -> None:
    # The figures are the lines of PerformanceAnalytics' examples over the same returns.
    growth, risk = value(annual_return(BACON, 12)), value(volatility(BACON, 12))
    assert value(downside_deviation(BACON, 0.005)) == pytest.approx(0.02553674, abs=5e-9)
    # Kappa of order 2 is the Sortino ratio per month.
    assert value(sortino(BACON, 12, 0.06)) / np.sqrt(12) == pytest.approx(0.1566371, abs=5e-8)
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
    assert value(annual_return(r, 252)) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("figure", "reason"),
    [
        (sharpe(np.full(9, 0.01), 252), "the returns do not vary"),
        (sharpe(np.zeros(9), 252), "the returns do not vary"),
        (sharpe(np.array([0.01]), 252), "1 returns, 2 are needed"),
        (volatility(np.zeros(0), 252), "0 returns, 2 are needed"),
        (total_return(np.zeros(0)), "0 returns, 1 are needed"),
        (sortino(np.array([0.01, 0.02]), 252), "no return fell short of the target"),
        (annual_return(np.array([0.1, -1.5]), 252), "equity ended at zero or below"),
        (annual_return(np.array([1e9]), 365), "too short a time"),
        (sharpe(np.array([0.1, np.nan]), 252), "equity was at zero or below on the way"),
        (profit_factor(np.array([1.0])), "no losses"),
        (profit_factor(np.zeros(0)), "no campaign is closed"),
        (payoff(np.array([-1.0])), "no wins"),
        (payoff(np.array([2.0])), "no losses"),
        (payoff(np.zeros(0)), "no campaign is closed"),
        (win_rate(np.zeros(0)), "no campaign is closed"),
        (mean_of(np.zeros(0)), "no campaign is closed"),
        (expectancy_r(np.array([np.nan])), "no campaign had a stop"),
        (sqn(np.array([1.0, np.nan])), "1 campaigns with a stop, 2 are needed"),
        (sqn(np.array([0.3, 0.3, 0.3])), "the R multiples do not vary"),
        (cost_share(-5.0, 3.0), "no profit before costs"),
    ],
)
def test_what_has_no_value_says_why(figure: Figure, reason: str) -> None:
    assert isinstance(figure, Undefined)
    assert reason in figure.reason


def test_outcomes_by_hand() -> None:
    net = np.array([100.0, -50.0, 200.0, 0.0, -25.0, -25.0])
    assert win_rate(net) == pytest.approx(2 / 6)
    assert profit_factor(net) == pytest.approx(3.0)  # 300 / 100
    assert payoff(net) == pytest.approx(4.5)  # 150 / (100 / 3)
    assert mean_of(net) == pytest.approx(200 / 6)
    assert cost_share(400.0, 100.0) == 0.25
    # Mean 0.5, sample deviation sqrt(((1.5)^2 + (1.5)^2) / 3 ...) of 2, -1, 2, -1: sqrt(3).
    r = np.array([2.0, -1.0, np.nan, 2.0, -1.0])
    assert expectancy_r(r) == pytest.approx(0.5)
    assert sqn(r) == pytest.approx(2 * 0.5 / np.sqrt(3.0))
    assert longest_run(np.array([True, True, False, True])) == 2
    assert longest_run(np.array([True, False, True, True, True])) == 3
    assert longest_run(np.zeros(0, dtype=bool)) == 0


def test_drawdowns_by_hand() -> None:
    equity = np.array([90.0, 110.0, 99.0, 88.0, 110.0, 120.0, 60.0])
    time = DAY_NS * np.arange(1, 8, dtype=np.int64)
    first, second, last = drawdowns(time, equity, 100.0)
    assert (first.peak, first.trough, first.recovery, first.bars) == (-1, 0, 1, 2)
    assert first.depth == pytest.approx(0.1)
    assert (second.peak, second.trough, second.recovery, second.bars) == (1, 3, 4, 3)
    assert second.depth == pytest.approx(0.2)
    assert second.days == 3.0
    assert (last.peak, last.trough, last.recovery, last.bars) == (5, 6, None, 1)
    assert last.depth == pytest.approx(0.5)
    assert deepest(time, equity, 100.0) == last
    assert longest(time, equity, 100.0) == second
    flat = np.full(7, 100.0)
    assert drawdowns(time, flat, 100.0) == []
    assert deepest(time, flat, 100.0) is longest(time, flat, 100.0) is None


def test_a_bar_that_closes_at_midnight_ends_the_day_before() -> None:
    time = np.array([DAY_NS - 1, DAY_NS, DAY_NS + 1], dtype=np.int64)
    assert days_of(time).tolist() == [0, 0, 1]
    days, last = last_of_day(days_of(time), np.array([1.0, 2.0, 3.0]))
    assert (days.tolist(), last.tolist()) == ([0, 1], [2.0, 3.0])


def test_returns_start_from_the_initial_equity_and_stop_at_ruin() -> None:
    got = returns_of(np.array([110.0, 0.0, 5.0]), 100.0)
    np.testing.assert_allclose(got, [0.1, -1.0, np.nan])
    assert returns_of(np.zeros(0), 100.0).shape == (0,)


def test_months_by_hand() -> None:
    dates = ["1999-12-31", "2000-01-10", "2000-01-31", "2000-03-01"]
    day = np.array(dates, dtype="datetime64[D]").astype(np.int64)
    month, r = monthly_returns(day, np.array([110.0, 100.0, 121.0, 60.5]), 100.0)
    np.testing.assert_allclose(r, [0.1, 0.1, -0.5])
    table = month_table(month, r)
    assert table.columns == ["year", *MONTHS, "total"]
    assert table["year"].to_list() == [1999, 2000]
    assert table["dec"].to_list()[0] == pytest.approx(0.1)
    assert table.row(1, named=True)["feb"] is None
    assert table["total"].to_list() == pytest.approx([0.1, -0.45])
    assert month_table(month[:0], r[:0]).columns == ["year", *MONTHS, "total"]
