"""Signals: what to be at every bar, as words or numbers, traded at the next open."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from intrabar.engine.columns import compute_columns
from intrabar.errors import ConfigError
from intrabar.indicators import cross, sma
from intrabar.strategy.signals import Signals
from tests.strategy.markets import NAN, flat_market, market_from, run_of, walk

ROWS = [[100.0 + k, 101.0 + k, 99.0 + k, 100.5 + k] for k in range(10)]


def deals(side: Any, rows: Any = ROWS, **how: Any) -> list[tuple[int, str, float, float]]:
    """(bar, side, qty, price) of every fill."""
    result = run_of(market_from(rows), Signals(side, **how))
    return result.fills.select("bar", "side", "qty", "price").rows()


def padded(*words: Any) -> list[Any]:
    return [*words, *["HOLD" if isinstance(words[0], str) else NAN] * (10 - len(words))]


def test_a_word_of_bar_t_is_traded_at_the_open_of_the_next() -> None:
    assert deals(padded("HOLD", "LONG")) == [(2, "buy", 1.0, 102.0)]


def test_flat_closes_and_the_opposite_flips() -> None:
    assert deals(padded("LONG", "HOLD", "SHORT", "HOLD", "FLAT", "FLAT")) == [
        (1, "buy", 1.0, 101.0),
        (3, "sell", 2.0, 103.0),
        (5, "buy", 1.0, 105.0),
    ]


def test_a_series_of_events_holds_at_zero() -> None:
    events = [0, 1, 0, 0, -1, 0, 0, 0, 1, 0]
    said = [x or NAN for x in events]
    assert deals(events, zero="hold") == deals(said) != deals(events)


def test_what_zero_says_must_be_known() -> None:
    with pytest.raises(ConfigError, match=r"zero is 'nothing', must be 'flat' or 'hold'"):
        Signals([0], zero="nothing")


def test_a_side_that_the_position_has_already_changes_nothing() -> None:
    assert len(deals(["LONG"] * 10)) == 1


@pytest.mark.parametrize(
    "side",
    [
        padded("BUY", "HOLD", "SELL", "FLAT"),
        padded("buy", "hold", "short", "flat"),
        padded(1, NAN, -1, 0),
        np.array(padded(1.0, NAN, -1.0, 0.0)),
        pl.Series(["LONG", None, "SHORT", "FLAT", *[None] * 6]),
        pl.Series([1, None, -1, 0, *[None] * 6]),
        pl.Series(["LONG", None, "SHORT", "FLAT", *[None] * 6], dtype=pl.Categorical),
        {"A": padded("LONG", "HOLD", "SHORT", "FLAT")},
    ],
    ids=["words", "lower", "numbers", "numpy", "polars words", "polars", "categories", "symbols"],
)
def test_words_and_numbers_mean_the_same(side: Any) -> None:
    assert deals(side) == [(1, "buy", 1.0, 101.0), (3, "sell", 2.0, 103.0), (4, "buy", 1.0, 104.0)]


def test_one_word_stands_for_every_bar() -> None:
    assert deals("LONG") == deals(["LONG"] * 10) == [(1, "buy", 1.0, 101.0)]
    assert deals({"A": "SHORT"}) == [(1, "sell", 1.0, 101.0)]


def test_a_signal_of_the_last_bar_comes_too_late() -> None:
    assert deals([*["HOLD"] * 9, "LONG"]) == []


def test_sizes_may_differ_from_signal_to_signal() -> None:
    assert deals(padded("LONG", "FLAT", "SHORT"), qty=[5, 9, 7, *[1] * 7]) == [
        (1, "buy", 5.0, 101.0),
        (2, "sell", 5.0, 102.0),
        (3, "sell", 7.0, 103.0),
    ]


def test_stop_and_target_are_distances_from_the_close_of_the_signal() -> None:
    # Close of bar 0 is 100.5: stop 98.5, target 103.5, reached by the high of bar 3, 104.
    result = run_of(market_from(ROWS), Signals(padded("LONG"), stop=2.0, target=3.0))
    assert result.fills.select("bar", "price", "reason").rows() == [
        (1, 101.0, "entry"),
        (3, 103.5, "target"),
    ]
    assert result.fills.select("stop", "target").row(0) == (98.5, 103.5)


def test_a_stop_of_a_short_lies_above() -> None:
    result = run_of(market_from(ROWS), Signals(padded("SHORT"), stop=[2.0] * 10))
    assert result.fills.select("bar", "price", "reason").rows() == [
        (1, 101.0, "entry"),
        (2, 102.5, "stop"),
    ]


def test_each_symbol_has_its_own_signals() -> None:
    market = walk(30, 3, ("A", "B", "C"))
    side = {"C": ["LONG"] * 30, "A": [NAN] * 10 + [-1] + [NAN] * 19}
    result = run_of(market, Signals(side, qty={"C": 4}))
    assert result.fills.select("bar", "symbol", "side", "qty").rows() == [
        (1, "C", "buy", 4.0),
        (11, "A", "sell", 1.0),
    ]


def test_signals_wait_for_the_next_bar_of_an_instrument() -> None:
    market = walk(30, 3, ("A", "B"), missing=0.3)
    side = np.full(30, NAN)
    side[9] = 1
    result = run_of(market, Signals({"B": side}))
    first = int(np.flatnonzero(~np.isnan(market.open[10:, 1]))[0]) + 10
    assert result.fills["bar"].to_list() == [first]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"side": ["LONG"] * 9}, "side of A has 9 rows, the timeline has 10 bars"),
        ({"side": padded("LNG")}, "side has 'LNG'; known: LONG, BUY, SHORT"),
        ({"side": "LNG"}, "side has 'LNG'"),
        ({"side": None}, "side is None"),
        ({"side": {"B": [1] * 10}}, "side has 'B', which is not traded"),
        ({"side": padded(2)}, "side has 2, must be 1, -1, 0 or NaN"),
        ({"side": 1, "qty": [1] * 3}, "qty of A has 3 rows"),
        ({"side": 1, "qty": -1}, "qty has -1, must be above 0"),
        ({"side": 1, "qty": 0}, "qty has 0, must be above 0"),
        ({"side": 1, "qty": "LONG"}, "qty has 'LONG'; known: numbers only"),
        ({"side": 1, "stop": -0.5}, "stop has -0.5, must be above 0"),
        ({"side": 1, "target": 0.0}, "target has 0, must be above 0"),
    ],
)
def test_wrong_signals_are_refused_before_the_run(how: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        run_of(flat_market(10), Signals(**how))


def test_what_its_owner_may_change_is_copied_and_an_indicator_is_not() -> None:
    crossed = {"crossed": cross(sma(2), sma(5))}
    events = compute_columns({"": crossed}, walk(50))[""]["crossed"][:, 0]
    assert np.shares_memory(Signals(events).side, events)
    with pytest.raises(ValueError, match="read-only"):
        events[0] = 1.0
    mine = events.copy()
    taken = Signals(mine)
    mine[:] = 1.0
    assert np.array_equal(taken.side, events, equal_nan=True)
