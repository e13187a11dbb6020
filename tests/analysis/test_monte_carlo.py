"""The same run in another order."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.analysis.bootstrap import resampled_rows
from intrabar.analysis.monte_carlo import drawdown_of, resampled_bars, shuffled_drawdowns
from intrabar.errors import UsageError

COLUMNS = ("open", "high", "low", "close", "volume")


def deepest(net: list[float], initial: float) -> float:
    equity = peak = initial
    worst = 0.0
    for profit in net:
        equity += profit
        peak = max(peak, equity)
        worst = max(worst, 1 - equity / peak)
    return worst


def test_drawdowns_of_all_orders() -> None:
    net = [50.0, -30.0, -40.0, 20.0, 10.0]
    every = sorted(deepest(list(order), 100.0) for order in permutations(net))
    found = shuffled_drawdowns(np.array(net), 100.0, 20_000, seed=1)
    assert set(np.round(found, 12)) == set(np.round(every, 12))
    for value in set(every):
        share = np.mean(np.isclose(every, value))
        assert np.mean(np.isclose(found, value)) == pytest.approx(share, abs=0.02)


def test_drawdown_of_rows() -> None:
    rows = np.random.default_rng(2).standard_normal((5, 30)) * 10
    expected = [deepest(row.tolist(), 100.0) for row in rows]
    np.testing.assert_allclose(drawdown_of(rows, 100.0), expected)
    assert drawdown_of(np.array([[-150.0]]), 100.0).tolist() == [1.5]


def test_one_seed_one_result_and_nothing_to_shuffle() -> None:
    net = np.random.default_rng(3).standard_normal(200)
    assert (shuffled_drawdowns(net, 50.0, 99) == shuffled_drawdowns(net, 50.0, 99)).all()
    assert (shuffled_drawdowns(net, 50.0, 99) != shuffled_drawdowns(net, 50.0, 99, seed=1)).any()
    assert shuffled_drawdowns(np.empty(0), 50.0, 5).tolist() == [0.0] * 5


def bars(rows: int, symbols: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal((rows, symbols)), axis=0))
    open_ = close * np.exp(0.005 * rng.standard_normal((rows, symbols)))
    high = np.maximum(open_, close) * np.exp(0.004 * rng.random((rows, symbols)))
    low = np.minimum(open_, close) * np.exp(-0.004 * rng.random((rows, symbols)))
    volume = rng.integers(1, 100, (rows, symbols)).astype(float)
    return dict(zip(COLUMNS, (open_, high, low, close, volume), strict=True))


def test_in_the_old_order_bars_are_the_old_ones() -> None:
    real = bars(50, 2)
    again = resampled_bars(real, np.arange(1, 50))
    for name in COLUMNS:
        np.testing.assert_allclose(again[name], real[name], rtol=1e-12)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), block=st.floats(1.0, 20.0))
def test_each_bar_keeps_its_shape(seed: int, block: float) -> None:
    real = bars(40, 3, seed)
    rows = resampled_rows(39, 1, block, np.random.default_rng(seed))[0] + 1
    made = resampled_bars(real, rows)
    for name in ("open", "high", "low", "close"):
        shape = real[name][1:] / real["close"][:-1]
        np.testing.assert_allclose(made[name][1:] / made["close"][:-1], shape[rows - 1])
    np.testing.assert_array_equal(made["volume"][1:], real["volume"][rows])
    assert (made["high"] >= np.maximum(made["open"], made["close"])).all()
    assert (made["low"] <= np.minimum(made["open"], made["close"])).all()


def test_a_bar_that_is_not_there_is_not_there_again() -> None:
    real = bars(10, 1)
    for name in ("open", "high", "low"):
        real[name][4] = np.nan
    made = resampled_bars(real, np.array([4, 1, 4, 2, 3, 5, 6, 7, 9]))
    assert np.flatnonzero(np.isnan(made["high"][:, 0])).tolist() == [1, 3]
    assert not np.isnan(made["close"]).any()


@pytest.mark.parametrize("bad", [0.0, -3.0, np.nan])
def test_a_close_that_is_no_price_is_named(bad: float) -> None:
    real = bars(10, 2)
    real["close"][3, 1] = bad
    with pytest.raises(UsageError, match="row 3, column 1"):
        resampled_bars(real, np.arange(1, 10))
