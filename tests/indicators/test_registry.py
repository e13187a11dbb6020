"""Over the whole catalog: batch equals stream bit for bit, and nothing reads the future."""

from __future__ import annotations

import numpy as np
import pytest
import talib as ta

from intrabar.indicators import Indicator, compute, lookback, names, parse, stream
from intrabar.indicators.talib_functions import WITHOUT_PRICES
from tests.indicators.bars import head, rows, walk, with_other_last_bar
from tests.indicators.registry import LEFT_OUT, every_indicator

# Interpreted (NUMBA_DISABLE_JIT=1), the hash of `uniform` wraps around with a warning.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")

BARS = walk(400)
ROWS = rows(BARS)
EVERY = pytest.mark.parametrize("indicator", every_indicator(), ids=str)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal to the bit, NaN equal to NaN."""
    return a.shape == b.shape and bool(np.all((a == b) | (np.isnan(a) & np.isnan(b))))


def test_the_sweep_covers_the_catalog_and_talib() -> None:
    assert {i.name for i in every_indicator()} == names()
    assert set(ta.get_functions()) - names() == set(LEFT_OUT) == set(WITHOUT_PRICES)


@EVERY
def test_batch_equals_stream(indicator: Indicator) -> None:
    live = stream(indicator, BARS.symbol)
    streamed = np.array([live.update(*row) for row in ROWS])
    batch = compute(indicator, BARS)
    assert batch.dtype == np.float64
    assert same_bits(batch, streamed)


@EVERY
def test_changing_the_last_bar_changes_nothing_before_it(indicator: Indicator) -> None:
    before = compute(indicator, BARS)[:-1]
    after = compute(indicator, with_other_last_bar(BARS))[:-1]
    assert same_bits(before, after)


@EVERY
@pytest.mark.parametrize("n", [399, 200, 40])
def test_a_prefix_of_the_bars_gives_a_prefix_of_the_values(indicator: Indicator, n: int) -> None:
    assert same_bits(compute(indicator, BARS)[:n], compute(indicator, head(BARS, n)))


@EVERY
def test_the_first_value_stands_where_lookback_says(indicator: Indicator) -> None:
    need = lookback(indicator)
    values = compute(indicator, BARS)
    assert np.isnan(values[: need - 1]).all()
    # ACOS, ASIN, LN and their like are NaN or infinite on prices outside their domain.
    if indicator.name not in {"ACOS", "ASIN"}:
        assert not np.isnan(values[need - 1])


@EVERY
def test_too_few_bars_give_nan_only(indicator: Indicator) -> None:
    n = lookback(indicator) - 1
    values = compute(indicator, head(BARS, n))
    assert values.shape == (n,)
    assert np.isnan(values).all()


@EVERY
def test_text_reads_back(indicator: Indicator) -> None:
    assert parse(str(indicator)) == indicator
