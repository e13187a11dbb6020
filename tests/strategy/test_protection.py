"""A stop or a target that is none refuses the entry, in every way to write a strategy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.errors import ConfigError, StrategyError
from intrabar.strategy.bot import Bot
from intrabar.strategy.protection import MOST, is_level, is_level_once_placed
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import FillNotice, OrderNotice, Strategy
from intrabar.strategy.views import AtClose, AtOpen
from tests.strategy.markets import NAN, flat_market, market_from, run_of, walk

INF = float("inf")
ROWS = [[100.0, 102.0, 98.0, 100.0], [104.0, 106.0, 103.0, 105.0]] + [[105.0] * 4] * 4
Asks = Callable[[Any], Any]


class Once(Strategy):
    """Asks once, at the close of a bar, and hears of it."""

    def __init__(self, asks: Asks, bar: int = 0) -> None:
        self.asks, self.bar = asks, bar
        self.heard: list[tuple[int, str, str]] = []

    def on_close(self, now: AtClose) -> None:
        if now.bar == self.bar:
            self.asks(now)

    def on_order(self, order: OrderNotice, now: AtOpen) -> None:
        self.heard.append((now.bar, order.status.word, order.reject.word))


class OnceAtOpen(Strategy):
    """Asks once, at the open of bar 1."""

    def __init__(self, asks: Asks) -> None:
        self.asks = asks

    def on_open(self, now: AtOpen) -> None:
        if now.bar == 1:
            self.asks(now)


def rejects(result: Any) -> list[str]:
    return [x for x in result.orders["reject"].to_list() if x != "none"]


# --- classes ---------------------------------------------------------------------------------

WRONG_FOR_A_LONG = [
    {"stop_loss": x} for x in (NAN, INF, -INF, 0.0, -5.0, 100.0, 105.0, 99.9999999)
] + [{"take_profit": x} for x in (NAN, INF, 0.0, -5.0, 100.0, 95.0)]


@pytest.mark.parametrize("levels", WRONG_FOR_A_LONG)
def test_an_entry_whose_protection_is_none_is_refused_and_told(levels: dict[str, float]) -> None:
    strategy = Once(lambda now: now.buy(10, **levels))
    result = run_of(market_from(ROWS), strategy)
    assert result.fills.height == 0
    assert result.orders.select("status", "reject").rows() == [("rejected", "no_protection")]
    assert strategy.heard == [(1, "rejected", "no_protection")]
    assert any("1 of 1 orders were refused: the stop or target" in x for x in result.warnings)


def test_a_short_is_judged_the_other_way_round() -> None:
    fine = run_of(market_from(ROWS), Once(lambda now: now.sell(1, stop_loss=110, take_profit=90)))
    assert rejects(fine) == []
    for levels in ({"stop_loss": 95.0}, {"take_profit": 105.0}):
        wrong = run_of(market_from(ROWS), Once(lambda now, x=levels: now.sell(1, **x)))
        assert rejects(wrong) == ["no_protection"]


def test_at_the_open_the_open_is_what_is_known() -> None:
    """The close before was 100, the open is 104."""
    between = OnceAtOpen(lambda now: now.buy(1, stop_loss=102.0))
    assert rejects(run_of(market_from(ROWS), between)) == []
    above = OnceAtOpen(lambda now: now.buy(1, stop_loss=104.0))
    assert rejects(run_of(market_from(ROWS), above)) == ["no_protection"]


@pytest.mark.parametrize(
    ("terms", "reject"),
    [
        ({"limit": 90.0, "stop_loss": 95.0}, ["no_protection"]),
        ({"limit": 90.0, "stop_loss": 85.0, "take_profit": 95.0}, []),
        ({"limit": 90.006, "stop_loss": 90.004}, ["no_protection"]),  # both lie at 90.00
        ({"stop": 110.0, "stop_loss": 105.0}, []),
        ({"stop": 110.0, "take_profit": 105.0}, ["no_protection"]),
        ({"stop": 110.0, "limit": 111.0, "stop_loss": 110.5}, ["no_protection"]),
        ({"trail": 5.0, "stop_loss": 103.0}, []),
        ({"trail": 5.0, "stop_loss": 106.0}, ["no_protection"]),
        ({"at_close": True, "stop_loss": 101.0}, ["no_protection"]),
    ],
)
def test_an_entry_that_rests_is_held_against_its_own_price(
    terms: dict[str, Any], reject: list[str]
) -> None:
    result = run_of(market_from(ROWS), Once(lambda now: now.buy(1, **terms)))
    assert rejects(result) == reject


class AddsWhenFilled(Strategy):
    """Enters by a stop inside the bar, and adds with a stop above the open of that bar."""

    def on_close(self, now: AtClose) -> None:
        if now.bar == 0:
            now.buy(1, stop=105.0)

    def on_fill(self, fill: FillNotice, now: AtOpen) -> None:
        if now.bar == 1:
            now.buy(1, stop_loss=fill.price - 0.5)


def test_in_a_notice_the_last_fill_is_what_is_known() -> None:
    assert rejects(run_of(market_from(ROWS), AddsWhenFilled())) == []


def test_without_a_grid_the_level_must_still_lie_beyond() -> None:
    assert is_level(99.99999, 100.0, -1, 0.0)
    assert not is_level(100.0, 100.0, -1, 0.0)
    assert is_level(100.00001, 100.0, 1, 0.0)
    assert is_level(5.0, NAN, 1, 0.01)


@pytest.mark.parametrize("value", ["95", True, None, [95.0], np.array([95.0]), 1j, object()])
def test_what_is_no_number_raises_where_it_is_asked(value: Any) -> None:
    for name in ("stop_loss", "limit", "trail", "take_profit", "stop"):
        if value is None:
            continue
        with pytest.raises(StrategyError, match=f"at CLOSE of bar 0 .*A: {name} is"):
            run_of(flat_market(3), Once(lambda now, n=name: now.buy(1, **{n: value})))
    with pytest.raises(StrategyError, match=r"at CLOSE of bar 0 .*A: qty is"):
        run_of(flat_market(3), Once(lambda now: now.buy(value)))


@pytest.mark.parametrize("value", [np.float32(95), np.int64(95), np.float64(95)])
def test_numbers_of_numpy_are_numbers(value: Any) -> None:
    result = run_of(flat_market(3), Once(lambda now: now.buy(np.int64(2), stop_loss=value)))
    assert rejects(result) == []
    assert result.fills["stop"].to_list() == [95.0]


@pytest.mark.parametrize("qty", [0, -1, NAN, INF])
def test_a_quantity_is_a_number_above_0(qty: float) -> None:
    with pytest.raises(StrategyError, match=r"qty is .*, must be a number above 0"):
        run_of(flat_market(3), Once(lambda now: now.buy(qty)))


@pytest.mark.parametrize(
    "terms",
    [{"trail": INF}, {"trail": NAN}, {"trail": 0.0}, {"limit": INF}, {"stop": INF}, {"limit": 0.0}],
)
def test_an_order_whose_own_price_is_none_is_refused(terms: dict[str, float]) -> None:
    result = run_of(market_from(ROWS), Once(lambda now: now.sell(1, **terms)))
    assert result.orders["reject"].to_list() == ["invalid_price"]


def test_a_misspelt_option_is_refused_with_the_nearest() -> None:
    with pytest.raises(StrategyError, match="unknown option of an order 'stoploss': did you mean"):
        run_of(flat_market(3), Once(lambda now: now.buy(1, stoploss=95.0)))


@pytest.mark.parametrize("side", [2, 0, -7, True, "long", 1.0, None])
def test_a_side_is_one_of_two(side: Any) -> None:
    with pytest.raises(StrategyError, match=r"side is .*Side.BUY"):
        run_of(flat_market(3), Once(lambda now: now.order(side, 10)))


def test_what_only_reduces_has_no_bracket() -> None:
    with pytest.raises(StrategyError, match="reduce_only"):
        run_of(flat_market(3), Once(lambda now: now.buy(1, stop_loss=95.0, reduce_only=True)))


# --- the protection of a position ------------------------------------------------------------


class Moves(Strategy):
    """Buys with or without brackets at bar 0 and 1, and moves the protection at bar 2."""

    def __init__(self, entries: list[dict[str, Any]], moves: Asks) -> None:
        self.entries, self.moves = entries, moves

    def on_close(self, now: AtClose) -> None:
        if now.bar < len(self.entries):
            now.buy(10, **self.entries[now.bar])
        elif now.bar == 2:
            self.moves(now)


FALL = [[100.0] * 4] * 4 + [[100.0, 100.0, 98.0, 98.0]] + [[98.0] * 4] * 2
RISE = [[100.0] * 4] * 4 + [[100.0, 103.0, 100.0, 103.0]] + [[103.0] * 4] * 2


@pytest.mark.parametrize(
    "entries",
    [
        [{}, {}],
        [{"stop_loss": 95.0}, {}],
        [{"stop_loss": 95.0}, {"stop_loss": 90.0, "take_profit": 120.0}],
        [{"take_profit": 120.0}, {}],
    ],
)
def test_the_stop_that_is_moved_is_that_of_the_whole_position(entries: list[Any]) -> None:
    result = run_of(market_from(FALL), Moves(entries, lambda now: now.modify_stop_loss(99.5)))
    out = result.fills.filter(pl.col("reason") == "stop")
    assert out["qty"].sum() == 20.0
    assert set(out["price"]) == {99.5}
    assert set(result.orders.filter(pl.col("status") == "working")["role"]) == set()
    assert result.campaigns["reason"].to_list() == ["stop"]


def test_the_target_that_is_moved_is_that_of_the_whole_position() -> None:
    entries = [{"stop_loss": 90.0, "take_profit": 120.0}, {"stop_loss": 90.0}]
    result = run_of(market_from(RISE), Moves(entries, lambda now: now.modify_take_profit(102.0)))
    out = result.fills.filter(pl.col("reason") == "target")
    assert (out["qty"].sum(), set(out["price"])) == (20.0, {102.0})


def test_two_moves_in_one_phase_make_one_stop() -> None:
    def twice(now: Any) -> None:
        now.modify_stop_loss(99.0)
        now.modify_stop_loss(99.5)

    result = run_of(market_from(FALL), Moves([{}, {}], twice))
    stops = result.orders.filter(pl.col("role") == "stop")
    assert stops.select("qty", "stop_price", "status").rows() == [(20.0, 99.5, "filled")]


@pytest.mark.parametrize("level", [NAN, INF, 0.0, -1.0, 100.0, 101.0])
def test_a_stop_that_cannot_be_moved_there_stays_and_is_told(level: float) -> None:
    entries = [{"stop_loss": 99.0}, {"stop_loss": 99.0}]
    result = run_of(market_from(FALL), Moves(entries, lambda now: now.modify_stop_loss(level)))
    assert rejects(result) == ["no_protection"]
    assert set(result.fills.filter(pl.col("reason") == "stop")["price"]) == {99.0}
    assert any("were refused: the stop or target" in x for x in result.warnings)


def test_what_is_no_number_moves_no_stop() -> None:
    with pytest.raises(StrategyError, match="price is None, must be a number"):
        run_of(market_from(FALL), Moves([{}, {}], lambda now: now.modify_stop_loss(None)))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({}, ["no_protection"]),
        ({"limit": 90.0}, ["no_protection"]),
        ({"take_profit": 110.0}, ["no_protection"]),
        ({"stop_loss": 95.0}, []),
        ({"limit": 90.0, "stop_loss": 85.0}, []),
    ],
)
def test_a_stop_that_comes_before_its_position_is_told(
    entry: dict[str, float], expected: list[str]
) -> None:
    def asks(now: Any) -> None:
        now.buy(1, **entry)
        now.modify_stop_loss(96.0)

    assert rejects(run_of(market_from(ROWS), Once(asks))) == expected


def test_while_flat_there_is_no_stop_to_move() -> None:
    result = run_of(flat_market(4), Once(lambda now: now.modify_stop_loss(95.0)))
    assert result.orders.height == 0


# --- signals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "levels"),
    [
        (1, {"stop": 500.0}),
        (-1, {"target": 500.0}),
        *((x, {name: np.full(6, NAN)}) for x in (1, -1) for name in ("stop", "target")),
    ],
)
def test_signals_whose_protection_is_none_are_refused(side: int, levels: dict[str, Any]) -> None:
    result = run_of(market_from(ROWS), Signals([side] * 6, **levels))
    assert result.fills.height == 0
    assert rejects(result) == ["no_protection"] * 6
    assert any("6 of 6 orders were refused" in x for x in result.warnings)


def test_a_target_of_a_short_below_0_is_none() -> None:
    result = run_of(market_from(ROWS), Signals([-1] * 6, stop=5.0, target=100.0))
    assert rejects(result)[:1] == ["no_protection"]


def test_signals_enter_where_their_stop_is_known_again() -> None:
    stop = np.array([NAN, NAN, 2.0, 2.0, 2.0, 2.0])
    result = run_of(market_from(ROWS), Signals([1] * 6, stop=stop))
    assert rejects(result) == ["no_protection"] * 2
    assert result.fills.select("bar", "qty").rows() == [(3, 1.0)]


@pytest.mark.parametrize("how", [{"qty": None}, {"qty": NAN}, {"stop": NAN}, {"target": NAN}])
def test_a_size_or_a_distance_that_is_no_number_is_refused(how: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"signals: {next(iter(how))} "):
        run_of(market_from(ROWS), Signals([1] * 6, **how))


# --- bots ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Always:
    """Wants one side at every close."""

    side: int = 1
    wakes_on = ""

    def indicators(self) -> dict[str, Any]:
        """None."""
        return {}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """The same every time."""
        return int(p.side)


@dataclass(frozen=True)
class ByLimit(Always):
    """Rests at a price."""

    at: float = 90.0

    @staticmethod
    def limit_entry(now: Any, p: Any, side: int) -> float:
        """The same every time."""
        return p.at


@dataclass(frozen=True)
class Levels:
    """Stop and target at fixed prices."""

    stop: float
    target: float = NAN
    later: float = NAN
    trails = True

    def indicators(self) -> dict[str, Any]:
        """None."""
        return {}

    @staticmethod
    def initial_levels(now: Any, p: Any, side: int, price: float) -> tuple[float, float]:
        """As given."""
        return p.stop, p.target

    @staticmethod
    def update_stop(now: Any, p: Any, side: int, entry: float, stop: float) -> float:
        """As given."""
        return p.later


SIZES = [{"qty": 2.0}, {"risk_fraction": 0.01}, {"equity_fraction": 0.5}]
WRONG_LEVELS = [
    (NAN, NAN), (INF, NAN), (0.0, NAN), (-5.0, NAN), (105.0, NAN), (100.0, NAN),
    (95.0, 99.0), (95.0, 0.0), (95.0, INF), (95.0, -1.0),
]  # fmt: skip


@pytest.mark.parametrize("interpreted", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_a_bot_whose_levels_are_none_is_refused_and_told(
    size: dict[str, float], interpreted: bool
) -> None:
    for stop, target in WRONG_LEVELS:
        bot = Bot(Always(), Levels(stop, target), interpreted=interpreted, **size)
        result = run_of(flat_market(5), bot)
        assert rejects(result) == ["no_protection"] * 5, (stop, target)
        assert result.fills.height == 0
        assert any("5 of 5 orders were refused: the stop or target" in x for x in result.warnings)


@pytest.mark.parametrize("interpreted", [False, True])
def test_a_bot_that_rests_is_held_against_its_own_price(interpreted: bool) -> None:
    for at, stop, expected in (
        (90.0, 95.0, "no_protection"),
        (90.0, 85.0, "none"),
        (INF, 85.0, "invalid_price"),
        (-1.0, 85.0, "invalid_price"),
    ):
        entry, exit_ = ByLimit(1, at), Levels(stop)
        result = run_of(flat_market(3), Bot(entry, exit_, qty=1.0, interpreted=interpreted))
        assert set(result.orders["reject"]) == {expected}


@pytest.mark.parametrize("interpreted", [False, True])
@pytest.mark.parametrize(("later", "told"), [(INF, True), (NAN, False)])
def test_a_stop_that_an_exit_moves_nowhere_stays(
    later: float, told: bool, interpreted: bool
) -> None:
    bot = Bot(Always(), Levels(95.0, later=later), qty=1.0, interpreted=interpreted)
    result = run_of(flat_market(5), bot)
    refused = result.orders.filter(pl.col("reject") == "no_protection")
    assert refused.select("role", "type", "side", "qty").rows() == (
        [("stop", "stop", "sell", 1.0)] * 4 if told else []
    )
    assert result.fills.height == 1


def test_an_exit_whose_stop_the_close_has_passed_leaves_at_the_next_open() -> None:
    result = run_of(flat_market(5), Bot(Always(), Levels(95.0, later=101.0), qty=1.0))
    assert result.fills.select("bar", "reason").rows()[:2] == [(1, "entry"), (2, "stop")]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([1, -1]),
    st.floats(0.0, 200.0) | st.sampled_from([NAN, INF, -INF, -1.0]),
    st.floats(0.0, 200.0) | st.sampled_from([NAN, INF, -INF, -1.0]),
)
def test_classes_and_bots_refuse_the_same(side: int, stop: float, target: float) -> None:
    """A bot's target of NaN is none; in a class that is not to give it."""
    market = walk(4, seed=3)
    levels = {"stop_loss": stop} | ({} if np.isnan(target) else {"take_profit": target})
    own = run_of(market, Once(lambda now: now.order(side, 1, **levels)))
    bot = run_of(market, Bot(Always(side), Levels(stop, target), qty=1.0, interpreted=True))
    assert own.orders["reject"][0] == bot.orders["reject"][0]


TICKS = st.sampled_from((0.0, 0.01, 0.1, 0.25, 1.0, 1e-6, 1 / 3))
TICKS_AWAY = st.sampled_from((0.0, 1e-4, 0.5, 0.9999, 1.0, 1.0001, 2.0, 1e3)) | st.floats(0.0, 3.0)


@settings(max_examples=500, deadline=None)
@given(
    st.floats(-2.0, 2e3) | st.floats(0.5 * MOST, 2.0 * MOST) | st.sampled_from((NAN, INF, 1e300)),
    TICKS_AWAY,
    st.sampled_from((1, -1)),
    st.sampled_from((1, -1)),
    TICKS,
)
def test_a_level_far_beyond_is_judged_as_one_that_is_placed(
    ticks: float, away: float, side: int, way: int, tick: float
) -> None:
    price = ticks * (tick or 1.0)
    level = price + side * away * (tick or 1.0)
    for held in (price, NAN):
        assert is_level(level, held, way, tick) == is_level_once_placed(level, held, way, tick)
