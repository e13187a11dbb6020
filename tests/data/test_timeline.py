from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.data.timeline import market_from_bars
from intrabar.errors import DataError
from intrabar.model.bars import DAY_NS, Bars

M = 60_000_000_000


def series(symbol: str, minutes: list[int], period: int = M, per_session: int = 10) -> Bars:
    at = np.array(minutes, np.int64) * M
    price = np.array(minutes, np.float64) + 100
    return Bars(
        symbol,
        at,
        price,
        price + 1,
        price - 1,
        price + 0.5,
        price * 10,
        period,
        at - period,
        np.array([m // per_session for m in minutes], np.int64),
    )


def test_a_missing_bar_is_synthetic() -> None:
    market = market_from_bars([series("A", [1, 2, 4]), series("B", [2, 3])])
    assert market.symbols == ("A", "B")
    assert (market.time // M).tolist() == [1, 2, 3, 4]
    nan = np.nan
    np.testing.assert_array_equal(market.open, [[101, nan], [102, 102], [nan, 103], [104, nan]])
    np.testing.assert_array_equal(market.high[:, 1], [nan, 103, 104, nan])
    np.testing.assert_array_equal(market.low[:, 1], [nan, 101, 102, nan])
    # carried forward, and NaN before the first bar
    np.testing.assert_array_equal(market.close[:, 0], [101.5, 102.5, 102.5, 104.5])
    np.testing.assert_array_equal(market.close[:, 1], [nan, 102.5, 103.5, 103.5])
    np.testing.assert_array_equal(market.volume[:, 1], [0, 1020, 1030, 0])
    assert (market.open_time[:, 1] // M).tolist() == [1, 1, 2, 4]
    assert market.period == M


def test_the_last_bar_of_each_session_is_flagged() -> None:
    market = market_from_bars([series("A", [8, 9, 10, 11, 25]), series("B", [9, 12])])
    assert (market.time // M).tolist() == [8, 9, 10, 11, 12, 25]
    assert market.session_end[:, 0].tolist() == [0, 1, 0, 1, 0, 1]
    assert market.session_end[:, 1].tolist() == [0, 1, 0, 0, 1, 0]
    assert market.session_end.dtype == np.uint8


def test_what_begins_later_does_not_move_the_day_of_the_others() -> None:
    market = market_from_bars([series("A", [1, 11, 21, 31]), series("B", [22, 31])])
    assert market.day is not None
    assert (market.time // M).tolist() == [1, 11, 21, 22, 31]
    assert market.day.tolist() == [0, 1, 2, 2, 3]


def test_daily_bars_that_close_at_different_hours_have_rows_of_their_own() -> None:
    stock = series("S", [21 * 60, 45 * 60], DAY_NS, 1440)
    coin = series("C", [24 * 60, 48 * 60], DAY_NS, 1440)
    market = market_from_bars([stock, coin])
    assert (market.time // M // 60).tolist() == [21, 24, 45, 48]


@pytest.mark.parametrize(
    ("bars", "message"),
    [
        ([], "one instrument at least"),
        ([series("A", [1]), series("A", [2])], "A is there twice"),
        ([series("A", [1]), series("B", [2], 5 * M)], "share one period, not A 1m, B 5m"),
    ],
)
def test_what_makes_no_market(bars: list[Bars], message: str) -> None:
    with pytest.raises(DataError, match=message):
        market_from_bars(bars)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sets(st.integers(1, 40), min_size=1), min_size=1, max_size=4))
def test_the_timeline_holds_each_bar_once_and_nothing_else(minutes: list[set[int]]) -> None:
    bars = [series(f"S{i}", sorted(m)) for i, m in enumerate(minutes)]
    market = market_from_bars(bars)
    assert (market.time // M).tolist() == sorted(set().union(*minutes))
    for i, one in enumerate(bars):
        last = np.nan
        by_time = dict(zip(one.close_time.tolist(), range(len(one)), strict=True))
        for row, at in enumerate(market.time.tolist()):
            k = by_time.get(at)
            if k is None:
                assert np.isnan(
                    [market.open[row, i], market.high[row, i], market.low[row, i]]
                ).all()
                assert market.volume[row, i] == 0
                assert not market.session_end[row, i]
            else:
                last = one.close[k]
                assert market.open[row, i] == one.open[k]
                assert market.volume[row, i] == one.volume[k]
            np.testing.assert_equal(market.close[row, i], last)
