"""Bots that rest at a price and leave by a signal, against a reading of the fill model in Python.

The second implementation shares no code with ours: a list of orders, a path of three legs, and
what section 7 says of sizes, levels and of what is taken back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run
from intrabar.errors import ConfigError
from intrabar.exits import FixedPercent
from intrabar.model.enums import PathPolicy
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.gates import Gates
from intrabar.strategy.registry import load
from tests.strategy.markets import flat_market, market_from, ns, setup_of

TICK, POINT_VALUE, CASH = 1.0, 5.0, 1e6


@dataclass(frozen=True)
class ByMarket:
    """Does what columns of the setup say."""

    wakes_on = ""

    def indicators(self) -> dict[str, Any]:
        """None: the columns are given."""
        return {}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """The side of the column."""
        return int(now.side)

    @staticmethod
    def wants_out(now: Any, p: Any, side: int) -> bool:
        """Out of a long at 1, out of a short at -1."""
        return now.out == side


@dataclass(frozen=True)
class ByStop(ByMarket):
    """Rests at a stop; 0 for a market order."""

    @staticmethod
    def stop_entry(now: Any, p: Any, side: int) -> float:
        """The price of the column."""
        return now.at if now.at > 0.0 else float("nan")


@dataclass(frozen=True)
class ByLimit(ByMarket):
    """Rests at a limit; 0 for a market order."""

    @staticmethod
    def limit_entry(now: Any, p: Any, side: int) -> float:
        """The price of the column."""
        return now.at if now.at > 0.0 else float("nan")


ENTRIES = {"market": ByMarket, "stop": ByStop, "limit": ByLimit}


# --- the oracle --------------------------------------------------------------------------------


@dataclass
class Order:
    """One order."""

    kind: str
    side: int
    qty: float
    price: float
    role: str
    levels: tuple[float, float] = (math.nan, math.nan)


@dataclass
class Plain:
    """A bot in one instrument with ticks of 1, low first in every bar."""

    kind: str
    stop: float
    target: float
    size: tuple[str, float]
    slip: float
    held: float = 0.0
    avg: float = 0.0
    cash: float = CASH
    orders: list[Order] = field(default_factory=list)
    fills: list[tuple[Any, ...]] = field(default_factory=list)

    def run(self, bars: Any, side: Any, at: Any, out: Any) -> list[tuple[Any, ...]]:
        """(bar, phase, side, qty, price, reason) of every fill."""
        for i, (open_, high, low, close) in enumerate(bars):
            self.bar = i
            for order in list(self.orders):
                if order in self.orders and self.meets(order, open_):
                    self.fill(order, open_, "open")
            here = open_
            for there in (low, high, close):
                here = self.leg(here, there)
            self.decide(close, int(side[i]), float(at[i]), int(out[i]))
        return self.fills

    def meets(self, order: Order, price: float) -> bool:
        """Whether an order fills at a price at which the market stands."""
        if order.kind == "market":
            return True
        toward = order.side if order.kind == "stop" else -order.side
        return toward * (price - order.price) >= 0

    def leg(self, here: float, there: float) -> float:
        """One straight leg; triggers in the order in which the price comes by."""
        rank = {"stop": 0, "target": 1, "plain": 2}
        way = 1 if there > here else -1
        while True:
            hit = [
                (abs(o.price - here), rank[o.role], k, o)
                for k, o in enumerate(self.orders)
                if o.kind != "market"
                and (o.side if o.kind == "stop" else -o.side) == way
                and way * (o.price - here) >= 0
                and way * (there - o.price) >= 0
            ]
            if not hit:
                return there
            order = min(hit, key=lambda x: x[:3])[3]
            here = order.price
            self.fill(order, here, "intrabar")

    def fill(self, order: Order, met: float, phase: str) -> None:
        """An order is done at a price; brackets come to life, positions end."""
        self.orders.remove(order)
        if order.role != "plain" or order.levels[0] != order.levels[0]:
            if self.held == 0:
                return
        price = met if order.kind == "limit" else met + order.side * self.slip
        reason = {"plain": "entry", "stop": "stop", "target": "target"}[order.role]
        if self.held:
            reason = "exit" if order.role == "plain" else reason
            self.cash += (price - self.avg) * self.held * POINT_VALUE
            self.held = 0
            self.orders = [o for o in self.orders if o.role == "plain"]
        else:
            self.held, self.avg = order.side * order.qty, price
        self.fills.append((self.bar, phase, order.side, order.qty, price, reason))
        if reason != "entry":
            return
        stop, target = order.levels
        away = order.side
        children = [Order("stop", -away, order.qty, self.down(stop, away), "stop")]
        if target == target:
            children.append(Order("limit", -away, order.qty, self.up(target, away), "target"))
        self.orders += children
        for child in children:
            if child in self.orders and self.meets(child, met):
                self.fill(child, met, phase)

    def down(self, price: float, side: int) -> float:
        """To the tick, away from the profit of a side."""
        return side * math.floor(side * price + 1e-9)

    def up(self, price: float, side: int) -> float:
        """To the tick, toward the profit of a side."""
        return side * math.ceil(side * price - 1e-9)

    def decide(self, close: float, side: int, at: float, out: int) -> None:
        """CLOSE, step 12."""
        if self.held:
            sign = 1 if self.held > 0 else -1
            if out == sign:
                self.orders.append(Order("market", -sign, abs(self.held), 0.0, "plain"))
            return
        rests = self.kind != "market" and at > 0
        kind = self.kind if rests else "market"
        price = 0.0
        if rests:
            price = self.up(at, side) if kind == "stop" else self.down(at, side)
        if self.orders:
            (old,) = self.orders
            if (old.side, old.kind, old.price) == (side, kind, price):
                return
            self.orders.clear()
        if side == 0:
            return
        own = price if rests else close
        stop, target = own * (1 - side * self.stop), own * (1 + side * self.target)
        if not self.target:
            target = math.nan
        qty = self.quantity(own, stop, side, kind)
        if qty > 0:
            self.orders.append(Order(kind, side, qty, price, "plain", (stop, target)))

    def quantity(self, price: float, stop: float, side: int, kind: str) -> float:
        """Whole lots of 1."""
        how, value = self.size
        if how == "qty":
            return value
        if how == "equity_fraction":
            return math.floor(value * self.cash / (price * POINT_VALUE) + 1e-9)
        slips = self.slip * (1 if kind == "limit" else 2)
        distance = abs(price - self.down(stop, side)) + slips
        return math.floor(self.cash * value / (distance * POINT_VALUE) + 1e-9)


# --- comparing -----------------------------------------------------------------------------------


def bars_of(seed: int, rows: int) -> Any:
    """Whole prices around 1000."""
    draw = np.random.default_rng(seed)
    close = 1000 + np.cumsum(draw.integers(-8, 9, rows))
    open_ = np.concatenate([[1000], close[:-1]]) + draw.integers(-3, 4, rows)
    high = np.maximum(open_, close) + draw.integers(0, 7, rows)
    low = np.minimum(open_, close) - draw.integers(0, 7, rows)
    return np.stack([open_, high, low, close], axis=1).astype(float)


def told(result: Result) -> list[tuple[Any, ...]]:
    """The fills of a result as the oracle tells them."""
    side = {"buy": 1, "sell": -1}
    return [
        (bar, phase, side[s], qty, price, reason)
        for bar, phase, s, qty, price, reason in result.fills.select(
            "bar", "phase", "side", "qty", "price", "reason"
        ).rows()
    ]


def run_with(bot: Bot, rows: Any, columns: dict[str, Any], slip: float = 0.0, **how: Any) -> Result:
    """A bot over bars, with columns for its rules."""
    instrument = Instrument("A", TICK, POINT_VALUE, slippage_ticks=slip)
    market = market_from(rows) if isinstance(rows, np.ndarray | list) else rows
    setup = setup_of(
        market, bot, instruments=[instrument], cash=CASH, path_policy=PathPolicy.LOW_FIRST, **how
    )
    grids = {name: np.ascontiguousarray(x, dtype=float)[:, None] for name, x in columns.items()}
    return finish(Run(replace(setup, columns={"s": grids})))


def drawn(seed: int, bars: Any) -> dict[str, Any]:
    """Sides that last some bars, prices near the close that last as well, and times to leave."""
    draw = np.random.default_rng(seed)
    rows = len(bars)
    last = np.repeat(np.arange(rows), draw.integers(1, 4, rows))[:rows]
    at = bars[last, 3] + draw.integers(-9, 10, rows)[last] + draw.choice([0.0, 0.4], rows)
    return {
        "side": draw.choice([0, 1, -1], rows)[last],
        "at": np.where(draw.random(rows)[last] < 0.8, at, 0.0),
        "out": draw.choice([0, 0, 0, 1, -1], rows),
    }


@pytest.mark.parametrize("interpreted", [False, True], ids=["compiled", "interpreted"])
@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(list(ENTRIES)),
    st.integers(0, 9999),
    st.sampled_from([("qty", 3.0), ("equity_fraction", 0.3), ("risk_fraction", 0.01)]),
    st.sampled_from([0.002, 0.01, 0.03]),
    st.sampled_from([0.0, 0.004, 0.05]),
    st.sampled_from([0.0, 1.0]),
)
@example("stop", 1, ("equity_fraction", 0.3), 0.01, 0.004, 1.0)
def test_fills_are_those_of_the_page(
    interpreted: bool, kind: str, seed: int, size: Any, stop: float, target: float, slip: float
) -> None:
    bars = bars_of(seed, 120)
    columns = drawn(seed + 1, bars)
    bot = Bot(ENTRIES[kind](), FixedPercent(stop, target), interpreted=interpreted, **dict([size]))
    result = run_with(bot, bars, columns, slip)
    expected = Plain(kind, stop, target, size, slip).run(
        bars, columns["side"], columns["at"], columns["out"]
    )
    assert told(result) == expected


def test_the_rules_are_all_reached() -> None:
    """Without this the property above could pass on runs that do nothing."""
    reasons: dict[str, set[str]] = {}
    kept = 0
    for kind, entry in ENTRIES.items():
        for seed in range(20):
            bars = bars_of(seed, 120)
            result = run_with(Bot(entry(), FixedPercent(0.01, 0.01), qty=1.0), bars,
                              drawn(seed + 1, bars))  # fmt: skip
            reasons.setdefault(kind, set()).update(result.fills["reason"].to_list())
            plain = result.orders.filter(pl.col("role") == "plain")
            kept += int((plain["done_bar"] - plain["submitted_bar"]).max() or 0) > 1
            assert set(result.campaigns["reason"].drop_nulls()) <= {"signal", "stop", "target"}
    assert all(found == {"entry", "exit", "stop", "target"} for found in reasons.values())
    assert kept > 10


# --- by hand -------------------------------------------------------------------------------------

LONG = {"side": [1.0] * 6, "at": [1010.0] * 6, "out": [0.0] * 6}
CALM = [[1000.0, 1004.0, 996.0, 1000.0]] * 6


def orders(result: Result) -> list[tuple[Any, ...]]:
    return result.orders.select("type", "status", "submitted_bar", "done_bar").rows()


def test_an_entry_that_is_named_again_stays_and_another_price_replaces_it() -> None:
    columns = LONG | {"at": [1010.0, 1009.6, 1010.4, 1012.0, 1012.0, 1012.0]}
    result = run_with(Bot(ByStop(), FixedPercent(), qty=1.0), CALM, columns)
    # 1009.6 is 1010 to the tick, 1010.4 is 1011
    assert orders(result) == [
        ("stop", "cancelled", 0, 2),
        ("stop", "cancelled", 2, 3),
        ("stop", "working", 3, None),
    ]


def test_an_entry_that_is_no_longer_named_is_taken_back() -> None:
    columns = LONG | {"side": [1.0, 0.0, 0.0, -1.0, 1.0, 0.0]}
    result = run_with(Bot(ByStop(), FixedPercent(), qty=1.0), CALM, columns)
    assert orders(result)[0][1:] == ("cancelled", 0, 1)
    assert result.fills.filter(pl.col("side") == "buy")["bar"].to_list() == []


def test_a_gate_takes_back_what_rests() -> None:
    """16:50 to 17:04 in New York: blocked from the close of 16:54 on, ten minutes long."""
    market = flat_market(15, 1000.0, start=ns(2024, 3, 11, 20, 50))
    columns = {"side": [1.0] * 15, "at": [1010.0] * 15, "out": [0.0] * 15}
    bot = Bot(ByStop(), FixedPercent(), qty=1.0, gates=Gates(flatten="16:55", break_minutes=5.0))
    result = run_with(bot, market, columns)
    assert orders(result) == [("stop", "cancelled", 0, 3), ("stop", "working", 9, None)]
    assert result.gates.rows() == [("s", "A", "flatten", 6)]


def test_no_entry_goes_out_on_the_close_on_which_a_rule_leaves() -> None:
    columns = {"side": [1.0] * 6, "at": [0.0] * 6, "out": [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]}
    result = run_with(Bot(ByMarket(), FixedPercent(), qty=1.0), CALM, columns)
    assert told(result) == [
        (1, "open", 1, 1.0, 1000.0, "entry"),
        (3, "open", -1, 1.0, 1000.0, "exit"),
        (4, "open", 1, 1.0, 1000.0, "entry"),
    ]
    assert result.campaigns["reason"].to_list() == ["signal", None]


@dataclass(frozen=True)
class LeavesToo(FixedPercent):
    """An exit that wants out by itself."""

    @staticmethod
    def wants_out(now: Any, p: Any, side: int) -> bool:
        """When the column says so."""
        return now.out == side


@dataclass(frozen=True)
class NoOut(ByMarket):
    """An entry that never wants out."""

    wants_out = None


def test_an_exit_may_want_out_by_itself() -> None:
    columns = {"side": [1.0] * 6, "at": [0.0] * 6, "out": [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]}
    for entry, leaves in ((NoOut(), LeavesToo()), (NoOut(), FixedPercent())):
        result = run_with(Bot(entry, leaves, qty=1.0), CALM, columns)
        out = result.fills.filter(pl.col("reason") == "exit")["bar"].to_list()
        assert out == ([3] if isinstance(leaves, LeavesToo) else [])


def test_equity_fraction_is_held_at_the_close_and_capped_by_margin() -> None:
    # 0.5 * 1 000 000 / (1 000 * 5) = 100
    bot = Bot(ByMarket(), FixedPercent(), equity_fraction=0.5)
    assert run_with(bot, CALM, LONG).fills["qty"].to_list() == [100.0]
    margin = Instrument("A", TICK, POINT_VALUE, initial_margin=20_000.0)
    setup = setup_of(market_from(CALM), bot, instruments=[margin], cash=CASH)
    grids = {name: np.array(x, dtype=float)[:, None] for name, x in LONG.items()}
    assert finish(Run(replace(setup, columns={"s": grids}))).fills["qty"].to_list() == [50.0]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"equity_fraction": -0.5}, "equity_fraction is -0.5"),
        ({"equity_fraction": math.nan}, "equity_fraction is nan"),
        ({"equity_fraction": math.inf}, "equity_fraction is inf"),
    ],
)
def test_a_wrong_fraction_is_refused(how: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Bot(ByMarket(), **how)


@pytest.mark.parametrize(("stop", "target"), [(0.0, 0.1), (1.0, 0.1), (0.1, -0.1), (math.nan, 1)])
def test_a_wrong_percentage_is_refused(stop: float, target: float) -> None:
    with pytest.raises(ConfigError, match="FixedPercent"):
        FixedPercent(stop, target)


def test_an_entry_has_one_price() -> None:
    class Both(ByStop, ByLimit):
        """Two prices."""

    with pytest.raises(ConfigError, match="Both has a stop_entry and a limit_entry"):
        Bot(Both())


def test_the_registry_knows_them() -> None:
    bot = load("CoinFlip", {"equity_fraction": 0.2, "exit": {"name": "FixedPercent", "stop": 0.03}})
    assert isinstance(bot, Bot)
    assert (bot.equity_fraction, bot.risk_fraction, bot.exit) == (0.2, 0.0, FixedPercent(0.03))
    with pytest.raises(ConfigError, match="equity_fraction is 'half', must be a number"):
        load("CoinFlip", {"equity_fraction": "half"})
    with pytest.raises(ConfigError, match="risk_fraction is 'half', must be a number"):
        load("CoinFlip", {"risk_fraction": "half"})


SIZES = {"qty": 1.0, "risk_fraction": 0.01, "equity_fraction": 0.2}


@pytest.mark.parametrize("names", [("qty", "risk_fraction"), ("qty", "equity_fraction")])
def test_two_sizes_are_refused_by_name_at_every_door(names: tuple[str, str]) -> None:
    how: dict[str, Any] = {name: SIZES[name] for name in names}
    for made in (lambda: Bot(ByMarket(), **how), lambda: load("CoinFlip", how)):
        with pytest.raises(ConfigError, match="one size") as caught:
            made()
        assert all(name in str(caught.value) for name in names)


@pytest.mark.parametrize("qty", [-1, math.nan, math.inf, "1", None, True])
def test_a_quantity_that_is_none_is_refused_at_every_door(qty: Any) -> None:
    for made in (lambda: Bot(ByMarket(), qty=qty), lambda: load("CoinFlip", {"qty": qty})):
        with pytest.raises(ConfigError, match="qty is"):
            made()


def test_a_quantity_that_is_given_is_the_quantity() -> None:
    bot = Bot(ByMarket(), FixedPercent(0.5, 0.5))
    sizes = [run_with(x, CALM, LONG).fills["qty"][0] for x in (bot, replace(bot, qty=3))]
    assert sizes == [4.0, 3.0]
