from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from intrabar.data.frames import bars_from_frame, from_polars, to_pandas, to_polars
from intrabar.data.manifest import content_hash
from intrabar.errors import DataError
from intrabar.model.bars import Bars

from .conftest import ns


def pandas_frame() -> pd.DataFrame:
    index = pd.date_range(
        "2024-07-05 09:30", periods=4, freq="5min", tz="America/New_York", name="Datetime"
    )
    return pd.DataFrame(
        {
            "Open": [1, 2, 3, 4],
            "High": [5.0] * 4,
            "Low": [1.0] * 4,
            "Close": [2, 2, 2, 2],
            "Volume": [1, 2, 3, 4],
        },
        index=index,
    )


def bars() -> Bars:
    return bars_from_frame(pandas_frame(), "X", calendar="NYSE")


def test_a_pandas_index_with_a_zone_is_the_start_of_the_bar() -> None:
    found = bars()
    assert found.open_time[0] == ns("2024-07-05T13:30")
    assert found.close_time[0] == ns("2024-07-05T13:35")
    assert found.volume.tolist() == [1, 2, 3, 4]


def test_columns_by_pairs_of_field_and_symbol() -> None:
    frame = pandas_frame()
    frame.columns = pd.MultiIndex.from_product([frame.columns, ["X"]])
    assert content_hash(bars_from_frame(frame, "X", calendar="NYSE")) == content_hash(bars())


def test_pandas_days() -> None:
    index = pd.DatetimeIndex(["2024-07-03", "2024-07-05"])
    frame = pd.DataFrame({"Open": [1, 1], "High": [1, 1], "Low": [1, 1], "Close": [1, 1]}, index)
    found = bars_from_frame(frame, "X", calendar="NYSE")
    assert found.close_time.tolist() == [ns("2024-07-03T17:00"), ns("2024-07-05T20:00")]


def test_bars_go_to_frames_and_back() -> None:
    one = bars()
    for frame in (to_polars(one), to_pandas(one)):
        assert content_hash(bars_from_frame(frame, "X", calendar="NYSE")) == content_hash(one)
    assert content_hash(from_polars(to_polars(one), "X", one.period)) == content_hash(one)
    assert to_polars(one).schema["close_time"] == pl.Datetime("ns", "UTC")
    assert str(to_pandas(one).index.tz) == "UTC"
    assert to_pandas(one).attrs == {"symbol": "X", "period": "5m"}


def test_a_frame_s_bad_rows_are_an_error() -> None:
    frame = pandas_frame()
    frame.loc[frame.index[1], "High"] = np.nan
    with pytest.raises(DataError, match=r"X: a price or the volume is blank .*\(row 1\)"):
        bars_from_frame(frame, "X", calendar="NYSE")


def test_a_frame_without_a_zone() -> None:
    frame = pandas_frame()
    frame.index = pd.DatetimeIndex(frame.index).tz_localize(None)
    with pytest.raises(DataError, match=r"carry no offset.*zone='UTC'"):
        bars_from_frame(frame, "X")
    found = bars_from_frame(frame, "X", zone="America/New_York")
    assert found.open_time[0] == ns("2024-07-05T13:30")


@pytest.mark.parametrize(
    "cell", [np.ones(3), [1, 2], pd.DataFrame({"a": [1]}), Decimal("sNaN"), {}, object()]
)
@pytest.mark.parametrize("column", ["High", "Volume"])
def test_a_cell_that_is_no_price_is_named_with_its_row(column: str, cell: Any) -> None:
    frame = pandas_frame().astype({column: object})
    frame.at[frame.index[1], column] = cell
    with pytest.raises(DataError, match=r"row|line|bar"):
        bars_from_frame(frame, "X", calendar="NYSE")


def test_what_is_no_frame() -> None:
    with pytest.raises(DataError, match="a frame is needed, not list"):
        bars_from_frame([1, 2], "X")  # type: ignore[arg-type]


def test_an_index_of_even_numbers_since_1970_is_one_of_stamps() -> None:
    """pandas makes a RangeIndex of them."""
    frame = pd.DataFrame(
        {"open": 1.0, "high": 1.5, "low": 0.5, "close": 1.25, "volume": 7.0},
        index=pd.RangeIndex(1_710_250_200, 1_710_250_200 + 8 * 60, 60, name="time"),
    )
    bars = bars_from_frame(frame, "BTCUSD", calendar="24/7")
    assert bars.open_time[0] == ns("2024-03-12T13:30")


def test_an_index_of_names_is_asked_about() -> None:
    frame = pd.DataFrame(
        {"date": ["2024-03-04"] * 2, "open": 1.0, "high": 1.5, "low": 0.5, "close": 1.25},
        index=pd.Index(["AAA", "BBB"], name="symbol"),
    )
    with pytest.raises(DataError, match=r"'symbol' holds several instruments: AAA, BBB"):
        bars_from_frame(frame, "CCC")
