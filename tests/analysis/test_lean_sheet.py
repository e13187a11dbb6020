"""The figures from arrays, those from tables and those of the naive formulas, to the bit."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import intrabar as ib
from intrabar.analysis.equity import Key, curves_by
from intrabar.analysis.lean_sheet import Calendar, LeanSheet, brief
from intrabar.analysis.metrics import METRICS, Results, Sheet, sheet, sheets_by
from intrabar.analysis.sums_kernel import deviation_of, sum_of
from intrabar.engine.outcome.result import Result
from tests.analysis import naive_figures
from tests.app.sweeps_of_it import Dip, bars

KEYS: tuple[Key, ...] = ("symbol", "strategy")


def brief_of(result: Result) -> LeanSheet:
    machine = result.run.machine
    return brief(
        Calendar(result.market),
        machine.fills(),
        machine.tape.equity[: result.bars_done],
        len(result.setup.strategies),
        result.setup.account.cash,
        result.periods_per_year,
    )


def assert_equal(result: Result) -> None:
    """The figures from the arrays, from the tables and a second time agree, to the bit."""
    values = brief_of(result).values
    assert list(values) == list(METRICS)
    assert values == result.metrics.values
    for risk_free in (0.0, 0.03):
        assert_naive(replace(result.results, risk_free=risk_free))


def assert_naive(results: Results) -> None:
    equity = results.equity["equity"].to_numpy()
    rows = results.equity["bar"].to_numpy()
    held = np.zeros(len(results.market), bool)
    for key in KEYS:
        for name, one in sheets_by(results, key).items():
            curve = curves_by(results.fills, results.market, results.point_values, key)[name]
            own = results.initial + curve.profit[rows]
            is_own = partial(rows_of, key=key, name=name)
            assert told(one) == naive_figures.figures(results, own, curve.held, is_own)
            held |= curve.held
    every = partial(rows_of, key="symbol", name=None)
    assert told(sheet(results)) == naive_figures.figures(results, equity, held, every)


def rows_of(table: pl.DataFrame, key: str, name: str | None) -> pl.Series:
    return table[key].cast(pl.String).is_in([name]) | (name is None)


def told(one: Sheet) -> naive_figures.Figures:
    return {name: one.reasons[name] if x is None else x for name, x in one.values.items()}


@given(
    seed=st.integers(0, 10**6),
    n=st.sampled_from([30, 47, 200, 700]),
    every=st.sampled_from([1, 3, 7]),
    cash=st.sampled_from([400.0, 3_000.0, 100_000.0]),
    stops=st.booleans(),
    end=st.booleans(),
)
def test_of_random_signals(
    seed: int, n: int, every: int, cash: float, stops: bool, end: bool
) -> None:
    rng = np.random.default_rng(seed)
    data = {"A": bars(n, seed), "B": bars(n, seed + 1, every)}
    sides = rng.choice([-1.0, 0.0, 1.0, np.nan], size=(2, n), p=[0.1, 0.1, 0.1, 0.7])
    distance = 1.5 if stops else None
    one = ib.Signals({"A": sides[0], "B": sides[1]}, qty=20, stop=distance, target=distance)
    two = ib.Signals({"A": sides[1]}, qty=5)
    margins = {"initial_margin_rate": 0.2, "maintenance_margin_rate": 0.1, "fee_per_trade": 0.3}
    assert_equal(
        ib.backtest(
            {"one": one, "two": two},
            data,
            account={"cash": cash, "close_at_end": end},
            instruments={"A": margins, "B": {**margins, "currency": "EUR"}},
            rates={"EURUSD": bars(n, 9)},
            period="1h",
        )
    )


def test_of_ruin() -> None:
    fall = bars(50).with_columns(
        pl.when(pl.col("time").rank() > 30).then(pl.col(name) * 0.2).otherwise(pl.col(name))
        for name in ("open", "high", "low", "close")
    )
    rates = {"initial_margin_rate": 0.1, "maintenance_margin_rate": 0.01}
    result = ib.backtest(
        ib.Signals(np.ones(50), qty=50), fall, cash=1_000.0, instruments={"ASSET": rates}
    )
    assert result.status.word == "ruined"
    assert result.bars_done < 50
    assert_equal(result)


@pytest.mark.parametrize("strategy", [ib.Signals(np.full(60, np.nan)), Dip(depth=0.004, hold=1)])
def test_of_little_or_nothing(strategy: object) -> None:
    assert_equal(ib.backtest(strategy, bars(60)))


def test_of_splits_and_dividends() -> None:
    actions = {"ASSET": [("2024-01-04", 2.0, 0.0), ("2024-01-09", 1.0, 0.7)]}
    result = ib.backtest(ib.Bot(ib.CoinFlip(chance=0.3)), bars(400), actions=actions)
    assert result.ledger.height > 0
    assert_equal(result)


@given(st.integers(0, 5_000), st.integers(0, 10**6))
def test_sums_have_the_bits_of_numpy(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n + 3) * 10.0 ** rng.integers(-9, 9)
    assert sum_of(x, 3, n) == np.sum(x[3:])
    if n > 1:
        own = np.ascontiguousarray(x[3:])
        assert deviation_of(own, n, np.empty(n)) == np.std(own, ddof=1)
