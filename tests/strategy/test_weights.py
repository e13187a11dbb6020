"""Weights against a plain loop over the bars, written apart: cash, quantities, opens."""

from __future__ import annotations

from math import floor
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from intrabar.errors import ConfigError
from intrabar.model.bars import Market
from intrabar.model.instrument import Instrument
from intrabar.sim.machine import Machine
from intrabar.strategy.weights import Weights
from tests.strategy.markets import NAN, flat_market, market_from, run_of, setup_of, walk

CASH, FEE = 1_000_000.0, 0.0005
Deal = tuple[int, str, float, float]  # bar, symbol, signed quantity, price


def rebalanced(market: Market, weights: NDArray[np.float64], lot: float) -> tuple[list[Deal], Any]:
    """What weights should do: every share paid in full from one purse."""
    n = len(market.symbols)
    held, purse, waiting, decided = [0.0] * n, CASH, [0.0] * n, [0] * n
    deals: list[Deal] = []
    equities = []
    for i in range(len(market)):
        here = []
        for j in range(n):
            price = market.open[i, j]
            if waiting[j] != 0.0 and not np.isnan(price):
                after = held[j] + waiting[j]
                adds = after * held[j] < 0.0 or abs(after) > abs(held[j])
                # An order that has waited for a bar is at the open before any new one.
                here.append((adds and decided[j] == i - 1, i, market.symbols[j], waiting[j], price))
                purse -= waiting[j] * price + abs(waiting[j]) * price * FEE
                held[j] += waiting[j]
                waiting[j] = 0.0
        deals += [deal[1:] for deal in sorted(here, key=lambda deal: deal[0])]
        worth = [q * market.close[i, j] for j, q in enumerate(held) if q != 0.0]
        equities.append(purse + sum(worth))
        for j in range(n):
            close, weight = market.close[i, j], weights[i, j]
            if not np.isnan(weight) and close > 0.0:
                lots = floor(abs(weight) * equities[-1] / close / lot + 1e-9)
                waiting[j] = (1 if weight > 0 else -1) * lots * lot - held[j]
                decided[j] = i
    return deals, equities


def signed_fills(result: Any) -> list[Deal]:
    rows = result.fills.select("bar", "symbol", "side", "qty", "price").rows()
    return [(b, s, q if side == "buy" else -q, p) for b, s, side, q, p in rows]


def shares(market: Market, lot: float = 1.0, **how: Any) -> list[Instrument]:
    return [Instrument(s, lot=lot, commission_rate=FEE, **how) for s in market.symbols]


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 5),
    missing=st.sampled_from([0.0, 0.3]),
    lot=st.sampled_from([1.0, 10.0, 0.25]),
    told=st.sampled_from([0.05, 0.4, 1.0]),
)
def test_weights_trade_as_the_plain_loop(
    seed: int, n: int, missing: float, lot: float, told: float
) -> None:
    draw = np.random.default_rng(seed)
    market = walk(60, seed, "ABCDE"[:n], missing=missing, wild=0.02)
    weights = np.where(draw.random((60, n)) < told, draw.uniform(-0.8, 0.8, (60, n)) / n, NAN)
    weights[draw.random((60, n)) < 0.1] = 0.0
    expected, equities = rebalanced(market, weights, lot)
    result = run_of(market, Weights(weights), instruments=shares(market, lot), cash=CASH)
    got = signed_fills(result)
    assert [d[:2] for d in got] == [d[:2] for d in expected]
    assert np.allclose([d[2:] for d in got], [d[2:] for d in expected], rtol=1e-12, atol=0.0)
    assert np.allclose(result.equity["equity"], equities, rtol=1e-10)


def test_a_row_of_nan_leaves_all_as_it_is_and_zero_closes() -> None:
    market = flat_market(12, price=100.0)
    weights = np.full((12, 1), NAN)
    weights[2], weights[6] = 0.5, 0.0
    result = run_of(market, Weights(weights), cash=10_099.0)
    assert signed_fills(result) == [(3, "A", 50.0, 100.0), (7, "A", -50.0, 100.0)]


def test_a_weight_counts_the_point_value() -> None:
    market = flat_market(4, price=100.0)
    future = Instrument("A", tick_size=0.25, point_value=50.0)
    weights = [[NAN], [-1.0], [NAN], [NAN]]
    result = run_of(market, Weights(weights), instruments=[future], cash=24_000.0)
    assert signed_fills(result) == [(2, "A", -4.0, 100.0)]


def test_what_is_sold_pays_for_what_is_bought() -> None:
    # The buy of A, first in the order of instruments, needs the margin of B.
    rows = walk(20, 5, ("A", "B"), wild=0.0005)
    weights = np.full((20, 2), NAN)
    weights[3], weights[10] = (0.0, 0.98), (0.98, 0.0)
    result = run_of(rows, Weights(weights), cash=CASH, cash_account=True)
    assert [(d[0], d[1]) for d in signed_fills(result)] == [(4, "B"), (11, "B"), (11, "A")]
    assert set(result.orders["status"]) == {"filled"}


def test_a_flip_is_one_order() -> None:
    weights = np.full((8, 1), NAN)
    weights[1], weights[4] = 1.0, -1.0
    result = run_of(flat_market(8), Weights(weights), cash=1_000.0)
    assert signed_fills(result) == [(2, "A", 10.0, 100.0), (5, "A", -20.0, 100.0)]


def test_weights_of_the_last_bar_come_too_late() -> None:
    weights = np.full((8, 1), NAN)
    weights[7] = 1.0
    assert signed_fills(run_of(flat_market(8), Weights(weights))) == []


def test_arrays_mappings_and_frames_mean_the_same() -> None:
    market = walk(30, 2, ("A", "B"))
    weights = np.full((30, 2), NAN)
    weights[::7] = (0.4, -0.3)
    b_first = {"B": weights[:, 1], "A": weights[:, 0]}
    forms = [weights, weights.tolist(), b_first, pl.DataFrame(b_first)]
    fills = [signed_fills(run_of(market, Weights(form))) for form in forms]
    assert fills[0]
    assert fills == fills[:1] * len(forms)
    only_b = signed_fills(run_of(market, Weights({"B": weights[:, 1]})))
    assert {deal[1] for deal in only_b} == {"B"}


@pytest.mark.parametrize("stop", range(1, 30, 4))
def test_a_run_that_is_paused_and_put_back_ends_as_one_go(stop: int) -> None:
    from intrabar.engine.run import Run

    market = walk(30, 4, ("A", "B", "C"), missing=0.2)
    weights = np.random.default_rng(4).uniform(-0.3, 0.3, (30, 3))
    setup = setup_of(market, Weights(weights))
    whole, parts = Run(setup), Run(setup)
    whole.to_end()
    machine: Machine = parts.machine
    machine.advance(stop)
    kept = machine.checkpoint()
    machine.advance()
    machine.return_to(kept)
    machine.advance()
    assert machine.digest() == whole.machine.digest()


def test_nothing_is_bought_with_no_price_or_no_equity() -> None:
    rows = [[100.0] * 4] * 3 + [[1.0] * 4] * 3
    result = run_of(market_from(rows), Weights([[2.0]] * 6), cash=1_000.0)
    assert result.status.word == "ruined"
    market = walk(20, 1, ("A", "B"), missing=0.6)
    first = int(np.flatnonzero(~np.isnan(market.close[:, 1]))[0])
    assert first > 0
    result = run_of(market, Weights({"B": [0.5] * 20}))
    assert result.fills["bar"].min() > first


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([0.1] * 10, r"the array has shape \(10,\), must be \(10, 1\)"),
        (0.5, r"the array has shape \(\), must be \(10, 1\)"),
        ({"A": [0.1] * 9}, "A has 9 rows, the timeline has 10 bars"),
        ({"B": [0.1] * 10}, "there is 'B', which is not traded"),
        ([["x"]] * 10, "must be numbers"),
        ([[0.1]] * 9 + [[float("inf")]], "A at bar 9 is not finite"),
    ],
)
def test_wrong_weights_are_refused_before_the_run(weight: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        run_of(flat_market(10), Weights(weight))
