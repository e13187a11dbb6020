"""Figures that others computed. A few stand here; the full files are read where they are found.

The inlined bars and values are rows of Stock.Indicators (DaveSkender/Stock.Indicators at
d5c6660, Apache-2.0): `tests/indicators/_testdata/quotes/default.csv` and `results/*.standard.json`.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from intrabar.indicators import Columns, Indicator, atr, bollinger, compute, ema, parse, rsi, sma

FOLDER = Path(os.environ.get("INTRABAR_TEST_DATA", "/nonexistent"))

# high, low, close of 2017-01-03 to 2017-01-31
BARS = [
    (213.35, 211.52, 212.8),
    (214.22, 213.15, 214.06),
    (214.06, 213.02, 213.89),
    (215.17, 213.42, 214.66),
    (214.53, 213.91, 213.95),
    (214.89, 213.52, 213.95),
    (214.55, 213.13, 214.55),
    (214.22, 212.53, 214.02),
    (214.84, 214.17, 214.51),
    (214.25, 213.33, 213.75),
    (214.27, 213.42, 214.22),
    (214.46, 212.96, 213.43),
    (214.75, 213.49, 214.21),
    (214.28, 212.83, 213.66),
    (215.48, 213.77, 215.03),
    (216.89, 215.89, 216.89),
    (217.02, 216.36, 216.66),
    (216.91, 216.12, 216.32),
    (215.59, 213.9, 214.98),
    (215.03, 213.82, 214.96),
]


def columns(high: np.ndarray, low: np.ndarray, close: np.ndarray, volume: np.ndarray) -> Columns:
    time = np.arange(close.shape[0], dtype=np.int64)
    return Columns("X", time, close, high, low, close, volume)


# The source prints 15 to 17 digits; sums are taken in another order: relative 1e-13.
@pytest.mark.parametrize(
    ("indicator", "on_2017_01_31"),
    [
        (sma(20), 214.52499999999995),
        (ema(20), 214.52499999999995),
        (rsi(14), 56.20776786843646),
        (atr(14), 1.354732911828826),
        (bollinger(20, 2.0).upper, 216.58874901574774),
        (bollinger(20, 2.0).lower, 212.46125098425216),
    ],
    ids=str,
)
def test_values_of_stock_indicators(indicator: Indicator, on_2017_01_31: float) -> None:
    high, low, close = (np.array(c) for c in zip(*BARS, strict=True))
    got = compute(indicator, columns(high, low, close, np.ones(len(BARS))))
    assert got[-1] == pytest.approx(on_2017_01_31, rel=1e-13)


def test_ema_from_the_first_price_of_trade_rewind() -> None:
    # sakoehn/TradeRewind at c7d2c31 (MIT), data/NVDA.parquet, close and ema_12 from 2011-02-23.
    close = [0.5067803859710693, 0.519157350063324, 0.5299304127693176, 0.5193865895271301]
    want = [0.5067803859710693, 0.5086845342929547, 0.5119531309816259, 0.5130967399886265]
    c = np.array(close)
    got = compute(ema(12, seed="first"), columns(c, c, c, np.ones(4)))
    np.testing.assert_allclose(got, want, rtol=1e-15)


def table(name: str) -> pl.DataFrame:
    path = FOLDER / name
    if not path.exists():
        pytest.skip("the outside figures are not here; INTRABAR_TEST_DATA names their folder")
    return pl.read_csv(path, infer_schema_length=None)


def of_file(name: str) -> Columns:
    bars = table(name)
    high, low, close, volume = (
        bars[c].cast(pl.Float64).to_numpy() for c in ("High", "Low", "Close", "Volume")
    )
    return columns(high, low, close, volume)


def agree(got: np.ndarray, want: pl.Series, rtol: float) -> None:
    expected = want.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    both = ~np.isnan(expected)
    assert both.sum() > 400
    np.testing.assert_allclose(got[both], expected[both], rtol=rtol, atol=1e-9)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("sma(20)", "sma.sma"),
        ("ema(20)", "ema.ema"),
        ("rsi(14)", "rsi.rsi"),
        ("atr(14)", "atr.atr"),
        ("bollinger(20, 2).upper", "bb.upperBand"),
        ("bollinger(20, 2).middle", "bb.sma"),
        ("bollinger(20, 2).lower", "bb.lowerBand"),
        ("STOCH(14, 3, 0, 3, 0).slowd", "stoch.signal"),
    ],
)
def test_full_series_of_stock_indicators(text: str, column: str) -> None:
    values = table("reference/si_indicators.csv.gz")[column]
    agree(compute(parse(text), of_file("reference/si_default_1d.csv.gz")), values, 1e-11)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("sma(20)", "sma_20"),
        ("sma(50)", "sma_50"),
        ("sma(200)", "sma_200"),
        ("sma(20, source=volume)", "volume_sma_20"),
        ("ema(12, seed=first)", "ema_12"),
        ("bollinger(20, 2).middle", "bb_middle"),
    ],
)
def test_full_series_of_trade_rewind(text: str, column: str) -> None:
    # Its RSI and ATR are plain means over 14 bars and its bands use the sample deviation, other
    # definitions than Wilder's and Bollinger's, so they are no oracle for ours.
    values = table("reference/tr_nvda_indicators.csv.gz")[column]
    agree(compute(parse(text), of_file("daily/tr_nvda_1d.csv.gz")), values, 1e-11)
