"""Our recurrences against TA-Lib, and in pieces against at one go."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numba
import numpy as np
import pytest
import talib as ta
from hypothesis import given
from hypothesis import strategies as st

from intrabar.indicators import (
    Columns,
    Indicator,
    atr,
    bollinger,
    carried,
    change,
    compute,
    cross,
    ema,
    highest,
    lowest,
    price,
    rsi,
    sma,
    uniform,
)
from intrabar.indicators.averages import fma
from tests.indicators.bars import walk
from tests.oracles import naive_indicators as naive
from tests.own_process import python

BARS = walk(5_000, seed=11)
PERIODS = (2, 3, 14, 200)
OURS = {
    "sma": sma,
    "ema": ema,
    "rsi": rsi,
    "atr": atr,
    "highest": highest,
    "lowest": lowest,
    "change": change,
    "upper": lambda p: bollinger(p, 2.5).upper,
    "middle": lambda p: bollinger(p, 2.5).middle,
    "lower": lambda p: bollinger(p, 2.5).lower,
}


def theirs(name: str, period: int) -> np.ndarray:
    b = BARS
    bands = ta.BBANDS(b.close, period, 2.5, 2.5)
    return {
        "sma": ta.SMA(b.close, period),
        "ema": ta.EMA(b.close, period),
        "rsi": ta.RSI(b.close, period),
        "atr": ta.ATR(b.high, b.low, b.close, period),
        "highest": ta.MAX(b.high, period),
        "lowest": ta.MIN(b.low, period),
        "change": ta.MOM(b.close, period),
        "upper": bands[0],
        "middle": bands[1],
        "lower": bands[2],
    }[name]


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("name", OURS)
def test_equal_to_talib(name: str, period: int) -> None:
    got, want = compute(OURS[name](period), BARS), theirs(name, period)
    if name in ("sma", "middle", "highest", "lowest", "change"):
        np.testing.assert_array_equal(got, want)
    else:
        # One fused multiply-add where TA-Lib has two roundings, or three; its own bits depend on
        # the processor. Bands: both lose digits to the sums of a window, in different ways.
        np.testing.assert_allclose(got, want, rtol=1e-12)


def test_a_band_keeps_its_width_after_a_crash() -> None:
    draw = np.random.default_rng(5)
    quiet = 1.0 + 1e-4 * draw.standard_normal(500)
    close = np.concatenate([1e6 + draw.standard_normal(500), quiet])
    ones = np.ones(1000)
    bars = Columns("A", np.arange(1000), close, close, close, close, ones)
    width = compute(bollinger(20, 1.0).upper, bars) - compute(bollinger(20, 1.0).lower, bars)
    windows = np.lib.stride_tricks.sliding_window_view(quiet, 20)
    np.testing.assert_allclose(width[519:], 2.0 * windows.std(axis=1), rtol=1e-10)


EVERY = [
    *(make(p) for make in OURS.values() for p in (2, 7, 40)),
    ema(7, seed="first"),
    atr(7, seed="first"),
    sma(1),
    highest(1),
    change(1),
    price("open"),
    uniform(3),
    cross(ema(5), ema(12)),
    cross(ema(12), ema(5, seed="first")),
    cross(sma(3), sma(30)),
    cross(sma(30), sma(3)),
    cross(sma(3, source="open"), sma(7)),
    cross(price(), ema(9)),
]
FEW = walk(120, seed=3)


def piece(bars: Columns, first: int, last: int) -> Columns:
    columns = ("close_time", "open", "high", "low", "close", "volume")
    return Columns(bars.symbol, *(getattr(bars, c)[first:last] for c in columns))


@pytest.mark.parametrize("indicator", EVERY, ids=str)
@given(cuts=st.sets(st.integers(0, 120), max_size=12))
def test_pieces_have_the_bits_of_the_whole(indicator: Indicator, cuts: set[int]) -> None:
    going = carried(indicator, FEW.symbol)
    edges = [0, *sorted(cuts), 120]
    got = [going.advance(piece(FEW, *at)) for at in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(got), compute(indicator, FEW))


@pytest.mark.parametrize("seed", ["sma", "first"])
@pytest.mark.parametrize("make", [sma, ema])
@pytest.mark.parametrize(("fast", "slow"), [(1, 2), (3, 30), (26, 12)])
def test_a_fused_cross_is_that_of_the_two_series(
    make: object, seed: str, fast: int, slow: int
) -> None:
    bars = walk(400, seed=3)
    a, b = (sma(p) if make is sma else ema(p, seed=seed) for p in (fast, slow))
    first, second = (compute(x, bars).tolist() for x in (a, b))
    np.testing.assert_array_equal(compute(cross(a, b), bars), naive.cross(first, second))


finite = st.floats(-1e8, 1e8, allow_nan=False, allow_subnormal=False)


@numba.njit
def compiled_fma(a: float, b: float, c: float) -> float:
    return fma(a, b, c)


@given(finite, finite, finite)
def test_fma_rounds_once(a: float, b: float, c: float) -> None:
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    got = compiled_fma(a, b, c)
    assert got == fma(a, b, c)
    # No neighbor of the result is nearer to the exact value.
    error = abs(Fraction(got) - exact)
    for side in (math.inf, -math.inf):
        assert error <= abs(Fraction(math.nextafter(got, side)) - exact)


def test_talib_is_imported_only_where_it_is_named(tmp_path: Path) -> None:
    text = """
import sys
from intrabar.indicators import compute, parse
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import MovingAverageCrossover, TrendFollowing
for entry in (MovingAverageCrossover(), TrendFollowing()):
    Bot(entry).indicators()
parse("cross(rsi(14), 50)")
assert not {"talib", "pandas"} & set(sys.modules)
parse("macd().macd")
assert "talib" in sys.modules
"""
    assert python("-c", text, folder=tmp_path) == ""
