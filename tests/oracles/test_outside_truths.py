"""Figures that nobody on this project made, as scenarios, on the second market and the engine.

Only numbers are taken over: an order, the bars that it met, and the price at which it filled.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from intrabar.engine.scenario.scenario import run_scenario
from tests.oracles.naive_market import run

BOTH = pytest.mark.parametrize("market", [run, run_scenario], ids=["oracle", "engine"])
EITHER_WAY = pytest.mark.parametrize("policy", ["low_first", "high_first"])

Prices = tuple[float, float, float, float]  # open, high, low, close


def scenario(bars: list[Prices], orders: list[dict], policy: str, cash: float = 1000) -> dict:
    """One instrument; the orders are given at the close of a bar before the first one."""
    first = bars[0][0]
    return {
        "instruments": [{"symbol": "A", "tick_size": 0.5}],
        "account": {"cash": cash},
        "path_policy": policy,
        "bars": {"A": [[first] * 4 + [1], *([*prices, 1] for prices in bars)]},
        "orders": [{"at": 0, "phase": "close", "symbol": "A", "qty": 1, **o} for o in orders],
    }


# TradeStation help, "Calculating Strategy Orders on Historical Data": a bar that opens at 99,
# with its high at 102 and its low at 92, and a strategy that buys at 100 stop, with a target at
# 101 and a stop at 97. The high is nearer to the open, so the target comes first: +1. (The help
# gives no close; the rule does not use it, so any will do.)
@BOTH
@pytest.mark.parametrize("close", [93, 99, 101.5])
def test_tradestation_worked_bar_earns_one(market: Callable[[dict], dict], close: float) -> None:
    bracket = {"stop_loss": 97, "take_profit": 101}
    order = {"id": "in", "side": "buy", "type": "stop", "stop_price": 100, **bracket}
    result = market(scenario([(99, 102, 92, close)], [order], "nearest"))
    assert [(f["price"], f["reason"]) for f in result["fills"]] == [(100, "entry"), (101, "target")]
    assert result["equity"] == [1000, 1001]


# The same bar with the other order of the extremes: the low first, then 100 and 101 on the way
# to the high. Buying at 100 happens only after the low, so 97 is not met until after 101.
@BOTH
def test_tradestation_worked_bar_earns_one_low_first(market: Callable[[dict], dict]) -> None:
    bracket = {"stop_loss": 97, "take_profit": 101}
    order = {"id": "in", "side": "buy", "type": "stop", "stop_price": 100, **bracket}
    result = market(scenario([(99, 102, 92, 93)], [order], "low_first"))
    assert result["equity"] == [1000, 1001]


# TradingView, Pine Script user manual, "Strategies", broker emulator: a bar whose high is nearer
# to its open is assumed to go open, high, low, close; one whose low is nearer, open, low, high,
# close. A long from the open with a stop and a target inside both extremes tells which.
@BOTH
@pytest.mark.parametrize(
    ("bar", "reason"), [((100, 104, 94, 98), "target"), ((100, 106, 96, 102), "stop")]
)
def test_tradingview_nearest_extreme_first(
    market: Callable[[dict], dict], bar: Prices, reason: str
) -> None:
    order = {"id": "in", "side": "buy", "type": "market", "stop_loss": 97, "take_profit": 103}
    result = market(scenario([bar], [order], "nearest"))
    assert [f["reason"] for f in result["fills"]] == ["entry", reason]


# gbeced/pyalgotrade (Apache-2.0), testcases/fill_strategy_test.py: the price at which an order
# with its price at 10 is set off by one bar, None where it is not. Which extreme comes first
# does not matter for one order.
STOP_BUY = [
    ((5, 5, 5, 5), None),
    ((5, 6, 4, 5), None),
    ((5, 10, 4, 9), 10),
    ((5, 11, 4, 9), 10),
    ((10, 10, 10, 10), 10),
    ((11, 12, 4, 9), 11),
    ((12, 13, 11, 12), 12),
]
STOP_SELL = [
    ((15, 15, 15, 15), None),
    ((15, 16, 11, 15), None),
    ((15, 16, 10, 11), 10),
    ((15, 16, 9, 11), 10),
    ((10, 10, 10, 10), 10),
    ((9, 12, 4, 9), 9),
    ((8, 9, 6, 9), 8),
]
TRIGGERS = [
    *(("stop", "buy", *case) for case in STOP_BUY),
    *(("stop", "sell", *case) for case in STOP_SELL),
    # The same bars with the same prices: a limit buy is reached from above like a stop sell.
    *(("limit", "buy", *case) for case in STOP_SELL),
    *(("limit", "sell", *case) for case in STOP_BUY),
]


@BOTH
@EITHER_WAY
@pytest.mark.parametrize(("kind", "side", "bar", "price"), TRIGGERS)
def test_pyalgotrade_trigger_prices(
    market: Callable[[dict], dict],
    policy: str,
    kind: str,
    side: str,
    bar: Prices,
    price: float | None,
) -> None:
    order = {"id": "in", "side": side, "type": kind, f"{kind}_price": 10}
    result = market(scenario([bar], [order], policy))
    assert [f["price"] for f in result["fills"]] == ([] if price is None else [price])


# gbeced/pyalgotrade, testcases/broker_backtesting_test.py, classes for limit and stop orders:
# an order, the bars that it meets, the bar and the price of its fill.
ONE_PRICE = [
    ("market", "buy", None, [(10, 15, 8, 12)], (1, 10)),
    ("market", "sell", None, [(10, 15, 8, 12)], (1, 10)),
    ("limit", "buy", 14, [(12, 15, 8, 12)], (1, 12)),
    ("limit", "sell", 15, [(16, 17, 8, 10)], (1, 16)),
    ("limit", "buy", 20, [(10, 15, 8, 10)], (1, 10)),
    ("limit", "sell", 30, [(35, 40, 32, 35)], (1, 35)),
    ("limit", "buy", 5, [(10, 15, 8, 12), (11, 15, 8, 12)], None),
    ("limit", "buy", 4, [(10, 15, 8, 12), (2, 15, 1, 12)], (2, 2)),
    ("stop", "sell", 9, [(10, 15, 10, 12), (10, 15, 8, 12)], (2, 9)),
    ("stop", "sell", 9, [(10, 15, 10, 12), (5, 8, 4, 7)], (2, 5)),
    ("stop", "buy", 11, [(8, 10, 7, 9), (10, 15, 8, 12)], (2, 11)),
    ("stop", "buy", 11, [(8, 10, 7, 9), (15, 20, 13, 14)], (2, 15)),
]


@BOTH
@EITHER_WAY
@pytest.mark.parametrize(("kind", "side", "price", "bars", "fill"), ONE_PRICE)
def test_pyalgotrade_orders_over_several_bars(
    market: Callable[[dict], dict],
    policy: str,
    kind: str,
    side: str,
    price: float | None,
    bars: list[Prices],
    fill: tuple[int, float] | None,
) -> None:
    priced = {} if price is None else {f"{kind}_price": price}
    result = market(scenario(bars, [{"id": "in", "side": side, "type": kind, **priced}], policy))
    assert [(f["at"], f["price"]) for f in result["fills"]] == ([] if fill is None else [fill])


# The same file: the account after an entry at 10 and its stop, with and without a gap. Its cash
# pays for shares; the equity is the same.
@BOTH
@pytest.mark.parametrize(
    ("side", "stop", "bars", "equity"),
    [
        ("buy", 9, [(10, 15, 10, 12), (10, 15, 8, 12)], 14),
        ("buy", 9, [(10, 15, 10, 12), (5, 8, 4, 7)], 10),
        ("sell", 11, [(8, 10, 7, 9), (10, 15, 8, 12)], 14),
        ("sell", 11, [(8, 10, 7, 9), (15, 20, 13, 14)], 10),
    ],
)
def test_pyalgotrade_accounts_after_a_stop(
    market: Callable[[dict], dict], side: str, stop: float, bars: list[Prices], equity: float
) -> None:
    entry = {"id": "in", "side": side, "type": "market"}
    other = "sell" if side == "buy" else "buy"
    out = {"id": "out", "side": other, "type": "stop", "stop_price": stop, "at": 1}
    result = market(scenario([(10, 15, 8, 12), *bars], [entry, out], "worst", cash=15))
    assert result["fills"][0]["price"] == 10
    assert result["equity"][-1] == equity


# The same file, class for stop-limit orders: stop, limit, bars, bar and price of the fill. The
# second half has its prices inverted (the limit on the far side of the stop).
STOP_LIMITS = [
    ("buy", 10, 12, [(8, 9, 7, 8), (13, 15, 13, 14), (11, 15, 10, 14)], (3, 11)),
    ("sell", 8, 6, [(9, 10, 9, 10), (4, 5, 3, 4), (7, 8, 6, 7)], (3, 7)),
    ("buy", 10, 12, [(8, 9, 7, 8), (13, 18, 13, 17), (7, 9, 6, 8)], (3, 7)),
    ("sell", 8, 6, [(9, 10, 9, 10), (4, 5, 3, 4), (10, 12, 8, 10)], (3, 10)),
    ("buy", 10, 12, [(8, 9, 7, 8), (13, 15, 13, 14), (13, 15, 10, 14)], (3, 12)),
    ("sell", 8, 6, [(9, 10, 9, 10), (4, 5, 3, 4), (5, 7, 5, 6)], (3, 6)),
    ("buy", 10, 12, [(9, 15, 8, 14)], (1, 10)),
    ("sell", 8, 6, [(9, 10, 5, 8)], (1, 8)),
    ("buy", 12, 10, [(8, 9, 7, 8), (11, 12, 10.5, 11), (9, 15, 8, 14)], (3, 9)),
    ("sell", 6, 8, [(9, 10, 9, 10), (7, 7, 6, 7), (9, 10, 8, 9)], (3, 9)),
    ("buy", 12, 10, [(8, 9, 7, 8), (11, 12, 10.5, 11), (7, 9, 6, 8)], (3, 7)),
    ("sell", 6, 8, [(9, 10, 9, 10), (7, 7, 6, 7), (10, 10, 9, 9)], (3, 10)),
    ("buy", 12, 10, [(8, 9, 7, 8), (11, 12, 10.5, 11), (11, 13, 8, 9)], (3, 10)),
    ("sell", 6, 8, [(9, 10, 9, 10), (7, 7, 6, 7), (7, 10, 6, 9)], (3, 8)),
    ("sell", 6, 8, [(6, 10, 5, 7)], (1, 8)),
]


def stop_limit(side: str, stop: float, limit: float) -> dict:
    prices = {"stop_price": stop, "limit_price": limit}
    return {"id": "in", "side": side, "type": "stop_limit", **prices}


@BOTH
@EITHER_WAY
@pytest.mark.parametrize(("side", "stop", "limit", "bars", "fill"), STOP_LIMITS)
def test_pyalgotrade_stop_limits(
    market: Callable[[dict], dict],
    policy: str,
    side: str,
    stop: float,
    limit: float,
    bars: list[Prices],
    fill: tuple[int, float],
) -> None:
    result = market(scenario(bars, [stop_limit(side, stop, limit)], policy))
    assert [(f["at"], f["price"]) for f in result["fills"]] == [fill]


# The one case that differs by design. pyalgotrade fills a buy at stop 12, limit 10 inside the
# bar (9, 15, 8, 14) at 10: the bar contains both prices. Here a bar is a path (fill model, 2.3):
# the stop is met on the way to the high, so the limit can fill only if the low comes after it.
@BOTH
@pytest.mark.parametrize(("policy", "prices"), [("high_first", [10]), ("low_first", [])])
def test_inverted_stop_limit_inside_one_bar_needs_the_low_last(
    market: Callable[[dict], dict], policy: str, prices: list[float]
) -> None:
    result = market(scenario([(9, 15, 8, 14)], [stop_limit("buy", 12, 10)], policy))
    assert [f["price"] for f in result["fills"]] == prices
