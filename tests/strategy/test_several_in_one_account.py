"""Several strategies in one account: each owns its positions, the margin is on the net."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.exits import FixedRatio, TrailingATR
from intrabar.model.enums import PathPolicy
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip, MovingAverageCrossover
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose
from intrabar.strategy.weights import Weights
from tests.strategy.markets import NAN, flat_market, run_of, walk


class BuysAndHolds(Strategy):
    """Buys once."""

    def on_close(self, now: AtClose) -> None:
        if now.is_flat and now.bar == 2:
            now.buy(2)


class ClosesWhatItHas(Strategy):
    """Sells what it has, which is nothing."""

    def __init__(self) -> None:
        self.seen: list[tuple[bool, float]] = []

    def on_close(self, now: AtClose) -> None:
        self.seen.append((now.is_flat, now.position.qty))
        now.close_position()
        now.sell(1, reduce_only=True)


def own_fills(result: Any, name: str) -> list[Any]:
    """The fills of one strategy, without the numbers of its orders."""
    table = result.fills.filter(pl.col("strategy") == name)
    return table.drop("order", "strategy").rows()


def test_a_strategy_neither_sees_nor_closes_the_position_of_another() -> None:
    other = ClosesWhatItHas()
    result = run_of(flat_market(10), BuysAndHolds(), other, names=("buys", "closes"))
    assert result.fills.select("strategy", "side", "qty").rows() == [("buys", "buy", 2.0)]
    assert set(other.seen) == {(True, 0.0)}


def test_opposite_positions_stand_side_by_side_and_need_no_margin() -> None:
    """Each side needs 90 000 of 100 000; together they need nothing."""
    instrument = Instrument("A", initial_margin=900.0)
    side = [1] + [NAN] * 9
    opposite = [NAN, -1] + [NAN] * 8
    result = run_of(
        flat_market(10), Signals(side, 100), Signals(opposite, 100), instruments=[instrument]
    )
    assert result.fills["position"].to_list() == [100.0, -100.0]
    assert set(result.orders["reject"]) == {"none"}


def test_the_same_side_twice_needs_twice_the_margin() -> None:
    instrument = Instrument("A", initial_margin=900.0)
    result = run_of(
        flat_market(10),
        Signals([1] + [NAN] * 9, 100),
        Signals([NAN, 1] + [NAN] * 8, 100),
        instruments=[instrument],
    )
    assert result.orders["reject"].to_list() == ["none", "insufficient_margin"]


def test_strategies_act_in_the_order_of_the_setup() -> None:
    side = [1] + [NAN] * 9
    result = run_of(flat_market(10), Signals(side), Signals(side), names=("z", "a"))
    assert result.fills["strategy"].to_list() == ["z", "a"]


MADE = {
    "fixed": lambda _: Bot(CoinFlip(1, 0.4), FixedRatio(5), 0.0, 3.0),
    "trailing": lambda _: Bot(CoinFlip(2, 0.4), TrailingATR(5), 0.0, 2.0),
    "crossover": lambda _: Bot(MovingAverageCrossover(3, 9), FixedRatio(5, 1.0), 0.0, 1.0),
    "signals": lambda symbols: Signals(
        {s: [1, NAN, NAN, 0, -1, NAN] * 50 for s in symbols}, 2.0, 1.0, 1.5
    ),
    "python": lambda _: BuysAndHolds(),
}


@settings(max_examples=30)
@given(
    st.integers(0, 999),
    st.lists(st.sampled_from(list(MADE)), min_size=2, max_size=3, unique=True),
    st.sampled_from((1, 2)),
)
def test_strategies_that_cannot_interact_fill_together_as_they_fill_alone(
    seed: int, names: list[str], instruments: int
) -> None:
    """Fixed sizes and no margin: nothing of one strategy reaches another.

    Under a path that does not look at the position of the account, which `worst` does.
    """
    market = walk(300, seed, ("A", "B")[:instruments])
    how = {"path_policy": PathPolicy.SHORTEST, "cash": 1e9}
    together = run_of(market, *(MADE[n](market.symbols) for n in names), names=names, **how)
    for name in names:
        alone = run_of(market, MADE[name](market.symbols), names=[name], **how)
        assert repr(own_fills(together, name)) == repr(own_fills(alone, name))


def test_profits_of_the_strategies_add_up_to_the_account() -> None:
    market = walk(300, 4, ("A", "B"))
    names = list(MADE)
    result = run_of(market, *(MADE[n](market.symbols) for n in names), names=names)
    net = result.campaigns["net"].sum()  # open campaigns are marked at the last close
    gained = result.equity["equity"][-1] - 100_000.0
    assert abs(net - gained) < 1e-6


@pytest.mark.parametrize("form", [Signals, Weights])
def test_many_strategies_over_many_instruments_have_room_for_their_orders(form: Any) -> None:
    """Compiled hooks do not look at the size of the inbox: it must hold what all may ask for."""
    market = walk(4, 1, [f"S{k}" for k in range(200)])
    once = np.full((4, 200), NAN)
    once[0] = 1e-4
    said = "LONG" if form is Signals else once
    assert run_of(market, *[form(said)] * 12, cash=1e9).fills.height == 200 * 12
