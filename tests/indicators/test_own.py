"""Our own indicators against lists, and what their definitions promise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.indicators import (
    Columns,
    atr,
    compute,
    cross,
    ema,
    highest,
    level,
    lowest,
    price,
    sma,
    uniform,
)
from intrabar.indicators.averages import cross as cross_kernel
from intrabar.indicators.uniform import splitmix64, uniform_key
from tests.indicators.bars import head, walk
from tests.oracles import naive_indicators as naive

# Interpreted (NUMBA_DISABLE_JIT=1), the hash of `uniform` wraps around with a warning.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")

prices = st.floats(1.0, 1e5, allow_nan=False).map(lambda p: round(p, 2))
series = st.lists(prices, min_size=1, max_size=60)
bar = st.tuples(prices, prices, prices).map(lambda p: (max(p), min(p), sorted(p)[1]))


def columns(high: list[float], low: list[float], close: list[float]) -> Columns:
    h, low_, c = (np.array(x, dtype=np.float64) for x in (high, low, close))
    n = len(close)
    return Columns("A", np.arange(n, dtype=np.int64), c, h, low_, c, np.ones(n))


def flat(close: list[float]) -> Columns:
    return columns(close, close, close)


# The recurrences subtract where the lists mix, so the last bits differ: 1e-12 of the largest price.
@given(series, st.integers(1, 20))
def test_ema_from_the_first_price(close: list[float], period: int) -> None:
    got = compute(ema(period, seed="first"), flat(close))
    np.testing.assert_allclose(got, naive.ema_first(close, period), atol=1e-12 * max(close))


@given(series, st.integers(1, 20))
def test_ema_from_the_mean(close: list[float], period: int) -> None:
    got = compute(ema(period), flat(close))
    np.testing.assert_allclose(got, naive.ema_sma(close, period), atol=1e-12 * max(close))


def test_ema_from_the_first_price_is_that_of_pandas() -> None:
    bars = walk(500)
    want = pd.Series(bars.close).ewm(span=20, adjust=False).mean().to_numpy()
    np.testing.assert_allclose(compute(ema(20, seed="first"), bars), want, rtol=1e-13)


@given(st.lists(bar, min_size=1, max_size=60), st.integers(1, 20))
def test_atr_from_the_first_range(bars: list[tuple[float, float, float]], period: int) -> None:
    high, low, close = (list(x) for x in zip(*bars, strict=True))
    got = compute(atr(period, seed="first"), columns(high, low, close))
    np.testing.assert_allclose(got, naive.atr_first(bars, period), rtol=1e-9, atol=1e-9)


@given(st.lists(bar, min_size=1, max_size=60), st.integers(1, 20))
def test_highest_and_lowest(bars: list[tuple[float, float, float]], period: int) -> None:
    high, low, close = (list(x) for x in zip(*bars, strict=True))
    given_bars = columns(high, low, close)
    up, down = compute(highest(period), given_bars), compute(lowest(period), given_bars)
    np.testing.assert_array_equal(up, naive.extreme(high, period, largest=True))
    np.testing.assert_array_equal(down, naive.extreme(low, period, largest=False))


few = st.sampled_from([1.0, 2.0, 3.0, float("nan")])


@given(st.lists(st.tuples(few, few), max_size=40))
def test_cross_by_looking_back_over_the_whole_past(pairs: list[tuple[float, float]]) -> None:
    a, b = [p[0] for p in pairs], [p[1] for p in pairs]
    got = np.empty(len(pairs))
    cross_kernel(np.array(a, dtype=np.float64), np.array(b, dtype=np.float64), np.zeros(1), got)
    np.testing.assert_array_equal(got, naive.cross(a, b))


def test_a_touch_is_no_cross_and_going_through_after_it_is() -> None:
    close = [1.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0]
    got = compute(cross(price(), level(2.0)), flat(close))
    assert got.tolist() == [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0]


def test_a_cross_is_not_known_while_either_warms_up() -> None:
    got = compute(cross(sma(2), sma(3)), flat([1.0, 2.0, 3.0, 1.0, 5.0]))
    # sma2 - sma3: ., ., +0.5, 0, 0
    np.testing.assert_array_equal(got, [np.nan, np.nan, 0.0, 0.0, 0.0])


@pytest.mark.parametrize("grid", [0.25, 0.1, 1.0 / 3.0, 0.7, 1e-308, 1e290])
def test_a_cross_of_two_sma_is_that_of_their_series(grid: float) -> None:
    """Averages that touch, that rounding sets apart, or that lie below the normal numbers."""
    steps = np.random.default_rng(7).integers(1, 5, 20_000)
    bars = flat((grid * steps).tolist())
    for fast, slow in ((1, 4), (3, 6), (6, 9)):
        want = np.empty(len(steps))
        cross_kernel(compute(sma(fast), bars), compute(sma(slow), bars), np.zeros(1), want)
        got = compute(cross(sma(fast), sma(slow)), bars)
        np.testing.assert_array_equal(got, want)
        assert np.count_nonzero(want > 0.0) > 1000


def test_splitmix64_gives_the_published_sequence_of_seed_0() -> None:
    # The first two outputs for state 0, as every reference implementation prints them.
    golden = 0x9E3779B97F4A7C15
    assert int(splitmix64(np.uint64(0))) == 0xE220A8397B1DCDAF
    assert int(splitmix64(np.uint64(golden))) == 0x6E789E6AA1B965F4


@settings(max_examples=50)
@given(
    st.integers(0, 2**63 - 1),
    st.text(max_size=8),
    st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=5),
)
def test_uniform_is_the_hash_of_seed_symbol_and_time(
    seed: int, symbol: str, times: list[int]
) -> None:
    n = len(times)
    ones = np.ones(n)
    bars = Columns(symbol, np.array(times, dtype=np.int64), ones, ones, ones, ones, ones)
    want = [naive.uniform(seed, symbol, t) for t in times]
    assert compute(uniform(seed), bars).tolist() == want


def test_uniform_is_uniform_and_differs_by_seed_and_symbol() -> None:
    bars = walk(20_000)
    draws = compute(uniform(1), bars)
    assert 0.0 <= draws.min() < 0.001
    assert 0.999 < draws.max() < 1.0
    counts = np.histogram(draws, bins=20, range=(0, 1))[0]
    # Chi-square with 19 degrees of freedom: 0.999 quantile 43.8.
    assert ((counts - 1000.0) ** 2 / 1000.0).sum() < 43.8
    other = compute(uniform(2), bars)
    assert abs(np.corrcoef(draws, other)[0, 1]) < 0.03
    assert uniform_key(1, "A") != uniform_key(1, "B")
    assert (compute(uniform(1), head(bars, 50)) == draws[:50]).all()


@pytest.mark.parametrize("period", [1, 7])
def test_strided_columns_give_the_same_values(period: int) -> None:
    bars = walk(60)
    table = np.column_stack([bars.close, bars.close])
    strided = Columns(
        "A", bars.close_time, bars.open, bars.high, bars.low, table[:, 0], bars.volume
    )
    for indicator in (ema(period), ema(period, seed="first"), sma(period)):
        np.testing.assert_array_equal(compute(indicator, strided), compute(indicator, bars))
