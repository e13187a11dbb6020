"""Only a number that an order has names an order, and only one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from intrabar.errors import StrategyError
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose
from tests.strategy.markets import NAN, flat_market, market_from, run_of
from tests.strategy.test_python_strategies import played

INF = float("inf")
NONE = [None, 0.9, 0.0, True, False, "0", np.float64(0), [0], -1, 1, 99, np.int64(-1), object()]


class Rests(Strategy):
    """Has an order in the market, and at bar 1 does something else."""

    def __init__(self, does: Any, **order: Any) -> None:
        self.does, self.order = does, order or {"limit": 90.0}
        self.number = -1

    def on_close(self, now: AtClose) -> None:
        if now.bar == 0:
            self.number = now.buy(10, **self.order)
        if now.bar == 1:
            self.does(now)


class Does(Strategy):
    """Does something at bar 1."""

    def __init__(self, does: Any) -> None:
        self.does = does

    def on_close(self, now: AtClose) -> None:
        if now.bar == 1:
            self.does(now)


ROWS = [[100.0, 101.0, 99.0, 100.0]] * 3 + [[100.0, 101.0, 89.0, 90.0]]


@pytest.mark.parametrize("number", NONE)
def test_a_number_that_is_none_raises_and_touches_nothing(number: Any) -> None:
    for does in (
        lambda now: now.cancel(number),
        lambda now: now.modify(number, limit=101.0),
        lambda now: now.modify(number, qty=1),
    ):
        with pytest.raises(StrategyError, match=r"at CLOSE of bar 1 .*: A: order is"):
            run_of(market_from(ROWS), Rests(does))


@pytest.mark.parametrize("number", [x for x in NONE if x is not None])
def test_an_alternative_has_a_number_too(number: Any) -> None:
    with pytest.raises(StrategyError, match="A: oco is"):
        run_of(market_from(ROWS), Rests(lambda now: now.sell(1, stop=80.0, oco=number)))


def test_the_words_say_what_none_means() -> None:
    with pytest.raises(StrategyError, match="None says that no order was placed"):
        run_of(market_from(ROWS), Rests(lambda now: now.cancel(now.close_position())))


def test_numpy_whole_numbers_are_numbers() -> None:
    result = run_of(market_from(ROWS), Rests(lambda now: now.cancel(np.int64(0))))
    assert result.orders["status"].to_list() == ["cancelled"]


@pytest.mark.parametrize(
    "does",
    [
        lambda now: now.cancel(0),
        lambda now: now.modify(0, limit=101.0),
        lambda now: now.sell(1, stop=80.0, oco=0),
    ],
)
def test_an_order_of_another_strategy_is_out_of_reach(does: Any) -> None:
    with pytest.raises(StrategyError, match=r"Does failed .* 0 is another strategy's"):
        run_of(
            market_from(ROWS),
            Rests(lambda now: None),
            Does(does),
            names=("first", "other"),
        )


def test_one_that_waits_in_the_same_phase_is_out_of_reach_too() -> None:
    first = Rests(lambda now: now.buy(1, limit=91.0))
    with pytest.raises(StrategyError, match="order 1 is another strategy's"):
        run_of(market_from(ROWS), first, Does(lambda now: now.cancel(1)), names=("first", "other"))


def test_an_order_that_is_done_is_harmless() -> None:
    script = {
        (0, "close"): lambda now: now.buy(1),
        (2, "close"): lambda now: now.cancel(0),
        (3, "close"): lambda now: now.modify(0, qty=5),
    }
    result, _ = played(script)
    assert result.orders.select("status", "qty").rows() == [("filled", 1.0)]


def test_an_order_may_be_taken_back_and_changed_in_the_phase_that_asks_for_it() -> None:
    def both(now: Any) -> None:
        now.cancel(now.buy(1, limit=90.0))
        now.modify(now.buy(1, limit=91.0), limit=92.0)

    result = run_of(market_from(ROWS), Does(both))
    assert result.orders.sort("order").select("status", "limit_price").rows() == [
        ("cancelled", 90.0),
        ("filled", 92.0),
    ]


# --- changes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reject"),
    [
        ({"limit": NAN}, "invalid_price"),
        ({"limit": INF}, "invalid_price"),
        ({"limit": -5.0}, "invalid_price"),
        ({"limit": 0.001}, "invalid_price"),
        ({"qty": 0.5}, "invalid_quantity"),
        ({"limit": 84.0}, "no_protection"),  # its stop would stand at 85
    ],
)
def test_an_impossible_change_changes_nothing_and_is_told(
    change: dict[str, float], reject: str
) -> None:
    order = {"limit": 90.0, "stop_loss": 85.0}
    result = run_of(market_from(ROWS), Rests(lambda now: now.modify(0, **change), **order))
    assert result.orders.filter(pl.col("reject") != "none")["reject"].to_list() == [reject]
    assert result.fills.select("qty", "price").rows() == [(10.0, 90.0)]
    assert any("were refused" in x for x in result.warnings)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stop": 95.0}, "is a limit order and has no stop"),
        ({"qty": -1}, "qty is -1, must be a number above 0"),
        ({"qty": NAN}, "qty is nan"),
        ({"qty": "2"}, "qty is '2', must be a number"),
        ({"limit": "90"}, "limit is '90', must be a number"),
        ({"limit": True}, "limit is True, must be a number"),
        ({}, "give limit, stop or qty"),
    ],
)
def test_a_change_that_makes_no_sense_raises(change: dict[str, Any], words: str) -> None:
    with pytest.raises(StrategyError, match=words):
        run_of(market_from(ROWS), Rests(lambda now: now.modify(0, **change)))


def test_a_child_is_held_against_what_is_known() -> None:
    script = {
        (0, "close"): lambda now: now.buy(1, stop_loss=90.0, take_profit=200.0),
        (2, "close"): lambda now: now.modify(1, stop=now.close + 1.0),
        (3, "close"): lambda now: now.modify(2, limit=now.close - 1.0),
        (4, "close"): lambda now: now.modify(1, stop=now.close - 1.0),
    }
    result, _ = played(script)
    told = result.orders.filter(pl.col("reject") == "no_protection")
    assert told["role"].to_list() == ["stop", "target"]
    assert result.orders.filter(pl.col("order") == 1)["stop_price"].to_list() == [103.5]


# --- alternatives ----------------------------------------------------------------------------


def test_the_alternative_of_an_order_that_is_done_is_refused() -> None:
    script = {
        (0, "close"): lambda now: now.buy(1),
        (2, "close"): lambda now: now.sell(1, stop=90.0, oco=0),
    }
    result, _ = played(script)
    assert result.orders["reject"].to_list() == ["none", "no_partner"]
    assert any("the alternative (oco)" in x for x in result.warnings)


def test_an_order_has_one_alternative() -> None:
    def three(now: Any) -> None:
        first = now.buy(1, stop=110.0)
        now.sell(1, stop=90.0, oco=first)
        now.sell(1, stop=91.0, oco=first)

    result = run_of(flat_market(4), Does(three))
    assert result.orders.sort("order")["reject"].to_list() == ["none", "none", "no_partner"]


def test_the_alternative_of_a_refused_order_is_refused() -> None:
    def pair(now: Any) -> None:
        first = now.buy(1, stop=110.0, stop_loss=NAN)
        now.sell(1, stop=90.0, oco=first)

    result = run_of(flat_market(4), Does(pair))
    assert result.orders["reject"].to_list() == ["no_protection", "no_partner"]
