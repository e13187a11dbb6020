from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intrabar.analysis.extremes import keep_extremes
from intrabar.model.bars import Bars
from intrabar.model.enums import PathPolicy
from intrabar.ui import shape
from intrabar.ui.view_types import BarsView
from tests.ui.synthetic import MINUTE, START, walk


def decoded(view: BarsView) -> np.ndarray:
    """Rows of time, open, high, low, close, as the page reads them."""
    rows, clock, last = [], 0, 0
    for i, step in enumerate(view["time"]):
        clock += step
        first = last + view["open"][i]
        last = first + view["close"][i]
        rows.append((clock, first, first + view["high"][i], first + view["low"][i], last))
    table = np.array(rows, dtype=np.float64)
    table[:, 1:] /= 10.0 ** view["digits"]
    return table


def test_bars_come_back_exactly() -> None:
    bars = walk("MES", 500, 1)
    view = shape.bars_view(bars, 1_000)
    table = decoded(view)
    np.testing.assert_array_equal(table[:, 0], bars.close_time // 10**9)
    for i, name in enumerate(("open", "high", "low", "close"), start=1):
        np.testing.assert_array_equal(table[:, i], getattr(bars, name))
    assert view["volume"] == bars.volume.tolist()
    assert (view["joined"], view["total"], view["digits"]) == (1, 500, 2)


def test_too_many_bars_are_joined_and_it_is_said() -> None:
    bars = walk("MES", 1_001, 1)
    view = shape.bars_view(bars, 250)
    assert (view["joined"], view["total"], len(view["time"])) == (5, 1_001, 201)
    table = decoded(view)
    assert table[0, 0] == bars.close_time[4] // 10**9
    assert table[0, 1] == bars.open[0]
    assert table[0, 2] == bars.high[:5].max()
    assert table[0, 3] == bars.low[:5].min()
    assert table[0, 4] == bars.close[4]
    assert view["volume"][0] == bars.volume[:5].sum()
    assert table[-1, 4] == bars.close[-1]


def test_bars_of_one_second_become_one_candle() -> None:
    time = START + np.array([0, 400_000_000, 1_000_000_000], dtype=np.int64)
    ones = np.ones(3)
    bars = Bars("X", time, ones, ones * [1, 3, 1], ones, ones, ones, 1, time, time)
    view = shape.bars_view(bars, 100)
    assert len(view["time"]) == 2
    assert decoded(view)[0, 2] == 3.0
    assert view["volume"] == [2, 1]


@pytest.mark.parametrize(
    ("prices", "digits"),
    [
        ([4_000.25, 4_001.5], 2),
        ([4_000.0], 0),
        ([1.08345, 1.1], 5),
        ([4_000 / 3, 4_100.123456789], 3),
        ([1.0 / 3], 7),
        ([0.0], 0),
    ],
)
def test_price_digits(prices: list[float], digits: int) -> None:
    assert shape.price_digits(np.array(prices)) == digits


@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=300),
    st.integers(6, 60),
)
def test_thinning_keeps_ends_and_extremes(values: list[float], limit: int) -> None:
    column = np.array(values)
    kept = keep_extremes([column], limit)
    assert kept.shape[0] <= max(limit, 1)
    assert (np.diff(kept) > 0).all()
    assert kept[0] == 0
    assert kept[-1] == len(values) - 1
    if not np.isnan(column).all():
        assert np.nanmin(column[kept]) == np.nanmin(column)
        assert np.nanmax(column[kept]) == np.nanmax(column)


def test_numbers_are_short_and_finite() -> None:
    assert shape.number(0.1 + 0.2) == 0.3
    assert shape.number(5.0) == 5
    assert shape.number(True) == 1
    assert shape.number(None) is None
    assert shape.number(float("nan")) is None
    assert shape.number(float("-inf")) is None


def test_coded_column() -> None:
    column = pl.Series(["b", "a", None, "b"])
    assert shape.coded(column) == {"words": ["b", "a"], "codes": [0, 1, -1, 0]}


def test_time_column_keeps_null_and_any_unit() -> None:
    ns = pl.Series([START + 90 * MINUTE, None]).cast(pl.Datetime("ns", "UTC"))
    wanted = [(START + 90 * MINUTE) // 10**9, None]
    assert shape.time_column(ns) == wanted
    assert shape.time_column(ns.cast(pl.Datetime("us", "UTC"))) == wanted


def test_manifest_becomes_json() -> None:
    given_manifest = {
        "path": Path("a") / "b",
        "policy": PathPolicy.WORST,
        "when": dt.date(2024, 1, 2),
        "n": np.int64(3),
        "nan": float("nan"),
        "set": {"b", "a"},
        1: (1.5, None, True),
    }
    found = shape.plain(given_manifest)
    json.dumps(found, allow_nan=False)
    assert found == {
        "path": "a/b",
        "policy": "worst",
        "when": "2024-01-02",
        "n": 3,
        "nan": None,
        "set": ["a", "b"],
        "1": [1.5, None, True],
    }
