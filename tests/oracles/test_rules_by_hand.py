"""Rules that random scenarios reach seldom, or never to the point: worked out by hand, on both.

Every figure is computed in a comment or plain from the bars.
"""

from __future__ import annotations

import math

import pytest

from tests.oracles.by_hand import BOTH, BUY, SELL, Market, fills, flat, made, statuses


@BOTH
def test_margin_that_equals_equity_to_the_cent_is_enough(market: Market) -> None:
    bars = [flat(100), flat(100)]
    enough = made(bars, [{**BUY, "qty": 4}], account={"cash": 200}, initial_margin=50)
    assert statuses(market(enough)) == [("o0", "filled")]
    short = made(bars, [{**BUY, "qty": 4}], account={"cash": 199.5}, initial_margin=50)
    assert market(short)["orders"] == [
        {"id": "o0", "status": "rejected", "reason": "insufficient_margin"}
    ]


@BOTH
def test_margin_check_reduce_fills_the_most_that_passes(market: Market) -> None:
    account = {"cash": 199, "margin_check": "reduce"}
    result = market(made([flat(100)] * 2, [{**BUY, "qty": 9}], account=account, initial_margin=50))
    assert fills(result) == [(1, "open", "o0", 3, 100)]
    assert statuses(result) == [("o0", "filled")]


@BOTH
def test_flip_without_margin_for_one_lot_beyond_only_closes(market: Market) -> None:
    # Long 1 at 100, then 60: equity 60 - 40 = 20 < 50; the margin check lets it close alone.
    orders = [BUY, {**SELL, "qty": 3, "at": 1}]
    bars = [flat(100), flat(100), flat(60)]
    reduce = made(bars, orders, account={"cash": 60, "margin_check": "reduce"}, initial_margin=50)
    assert fills(market(reduce))[1] == (2, "open", "o1", 1, 60)
    refuse = made(bars, orders, account={"cash": 60}, initial_margin=50)
    assert statuses(market(refuse))[1] == ("o1", "rejected")


@BOTH
@pytest.mark.parametrize(("low", "reached"), [(95 + 4e-5, True), (95 + 3e-4, False)])
def test_leg_reaches_a_price_within_1e_4_ticks(market: Market, low: float, reached: bool) -> None:
    bars = [flat(100), [100, 101, low, 100, 1]]
    result = market(made(bars, [{**BUY, "type": "limit", "limit_price": 95}]))
    assert [f["price"] for f in result["fills"]] == ([95] if reached else [])


@BOTH
@pytest.mark.parametrize(
    ("side", "kind", "asked", "rounded"),
    [
        ("buy", "limit", 95.9, 95),
        ("buy", "limit", 96 - 4e-5, 96),
        ("buy", "limit", 96 - 3e-4, 95),
        ("sell", "limit", 104.1, 105),
        ("sell", "limit", 104 + 4e-5, 104),
        ("buy", "stop", 104.1, 105),
        ("sell", "stop", 95.9, 95),
        ("sell", "stop", 96 - 4e-5, 96),
    ],
)
def test_order_price_is_rounded_against_haste(
    market: Market, side: str, kind: str, asked: float, rounded: float
) -> None:
    bars = [flat(100), [100, 110, 90, 100, 1]]
    result = market(made(bars, [{"side": side, "type": kind, f"{kind}_price": asked}]))
    assert fills(result) == [(1, "intrabar", "o0", 1, rounded)]


@BOTH
def test_liquidation_without_a_bar_waits_for_the_real_open_ahead_of_all(market: Market) -> None:
    # Bought at 51 and 101. B falls to 40 on a bar that A does not have: equity 102 - 1 - 61 = 40
    # is less than 2 * 30. B goes at its close, A at its next open, before the order that came at
    # the close; everything slips by 1 tick.
    bars = {
        "A": [flat(50), flat(50), None, flat(55)],
        "B": [flat(100), flat(100), flat(40), flat(40)],
    }
    orders = [
        BUY,
        {**BUY, "symbol": "B"},
        {**BUY, "at": 1, "type": "limit", "limit_price": 45},
        {**BUY, "at": 2, "id": "again"},
    ]
    scenario = made(bars, orders, account={"cash": 102}, maintenance_margin=30, slippage_ticks=1)
    result = market(scenario)
    # B sold at 39: 102 - 62 = 40, with A 39; A sold at 54: 43; bought again at 56, closed at 55.
    assert fills(result)[2:] == [
        (2, "close", "liquidation", 1, 39),
        (3, "open", "liquidation", 1, 54),
        (3, "open", "again", 1, 56),
    ]
    assert statuses(result) == [
        ("o0", "filled"),
        ("o1", "filled"),
        ("o2", "cancelled"),
        ("liquidation", "filled"),
        ("liquidation", "filled"),
        ("again", "filled"),
    ]
    assert result["equity"][2:] == [39, 42]


@BOTH
def test_margin_call_reduce_closes_the_largest_requirement_only(market: Market) -> None:
    # Maintenance is half the notional: A 2 * 50 = 50, B 1 * 40 = 20. Equity 61 is short of 70
    # once B has lost 20; without A it covers the 20 of B.
    bars = {"A": [flat(50)] * 3, "B": [flat(60), flat(60), flat(40)]}
    orders = [{**BUY, "qty": 2}, {**BUY, "symbol": "B"}]
    account = {"cash": 81, "margin_call": "reduce"}
    result = market(made(bars, orders, account=account, maintenance_margin_rate=0.5))
    assert fills(result)[2:] == [(2, "close", "liquidation", 2, 50)]
    assert result["equity"] == [81, 81, 61]


@BOTH
def test_ruin_ends_the_run_with_that_bar(market: Market) -> None:
    bars = [flat(100), flat(100), flat(40), flat(200)]
    result = market(made(bars, [BUY, {**SELL, "at": 2}], account={"cash": 60}))
    assert (result["status"], result["equity"]) == ("ruined", [60, 60, 0])
    assert statuses(result) == [("o0", "filled")]  # what on_close of the last bar never sent


@BOTH
def test_flip_cancels_the_old_children_and_keeps_the_new(market: Market) -> None:
    orders = [
        {**BUY, "qty": 2, "stop_loss": 90, "take_profit": 120},
        {**SELL, "at": 1, "qty": 5, "stop_loss": 110},
    ]
    result = market(made([flat(100), flat(100), flat(100), [100, 112, 100, 111, 1]], orders))
    # The new stop is for the 3 beyond flat.
    assert fills(result)[2:] == [(3, "intrabar", "o1.stop", 3, 110)]
    assert statuses(result) == [
        ("o0", "filled"),
        ("o0.stop", "cancelled"),
        ("o0.target", "cancelled"),
        ("o1", "filled"),
        ("o1.stop", "filled"),
    ]


@BOTH
def test_stop_already_through_when_born_fills_where_the_market_stands(market: Market) -> None:
    # A buy limit at 95 with a stop loss at 97: out at 95, slipped 1 tick to 94.
    order = {**BUY, "type": "limit", "limit_price": 95, "stop_loss": 97}
    result = market(made([flat(100), [100, 100, 90, 92, 1]], [order], slippage_ticks=1))
    assert [f["price"] for f in result["fills"]] == [95, 94]


@BOTH
def test_limit_that_must_be_passed_leaves_the_market_beyond_it(market: Market) -> None:
    # Fills at 95 when the leg is at 93; there the stop at 94 is through already.
    order = {**BUY, "type": "limit", "limit_price": 95, "stop_loss": 94}
    bars = [flat(100), [100, 100, 90, 92, 1]]
    assert [f["price"] for f in market(made(bars, [order], limit_through_ticks=2))["fills"]] == [
        95,
        93,
    ]
    touched = [flat(100), [100, 100, 94, 96, 1]]
    assert market(made(touched, [order], limit_through_ticks=2))["fills"] == []


@BOTH
def test_child_goes_before_an_earlier_order_at_its_price(market: Market) -> None:
    # The plain sell stop was accepted first, but at 95 the protective stop is served first. The
    # plain one then opens a short.
    orders = [
        {**SELL, "type": "stop", "stop_price": 95, "at": 0},
        {**BUY, "stop_loss": 95},
    ]
    result = market(made([flat(100), flat(100), [100, 100, 94, 96, 1]], orders))
    assert [f[2] for f in fills(result)] == ["o1", "o1.stop", "o0"]
    assert [f["reason"] for f in result["fills"]] == ["entry", "stop", "entry"]


@BOTH
def test_one_of_a_pair_takes_its_fill_from_the_other(market: Market) -> None:
    orders = [
        {**BUY, "type": "stop", "stop_price": 105, "qty": 2, "oco": "o1"},
        {**SELL, "type": "stop", "stop_price": 95, "qty": 5},
    ]
    bars = [flat(100), [100, 106, 94, 100, 1]]
    result = market(made(bars, orders, path_policy="high_first"))
    assert [(f["order"], f["qty"]) for f in result["fills"]] == [("o0", 2), ("o1", 3)]
    result = market(made(bars, orders, path_policy="low_first"))
    assert [(f["order"], f["qty"]) for f in result["fills"]] == [("o1", 5)]
    assert statuses(result) == [("o0", "cancelled"), ("o1", "filled")]


@BOTH
def test_reduce_only_fills_at_most_the_position_and_is_done(market: Market) -> None:
    orders = [{**BUY, "qty": 2}, {**SELL, "at": 1, "qty": 5, "reduce_only": True}]
    result = market(made([flat(100)] * 3, [*orders, {**SELL, "at": 1, "reduce_only": True}]))
    assert fills(result)[1:] == [(2, "open", "o1", 2, 100)]
    assert statuses(result) == [("o0", "filled"), ("o1", "filled"), ("o2", "cancelled")]


@BOTH
def test_day_order_ends_with_its_first_real_bar_and_gtd_with_its_index(market: Market) -> None:
    far = {**BUY, "type": "limit", "limit_price": 50}
    bars = {"A": [flat(100), None, flat(100)], "B": [flat(10)] * 3}
    day = made(bars, [{**far, "tif": "day"}, {"at": 2, "phase": "open", "cancel": "o0"}])
    assert statuses(market(day)) == [("o0", "cancelled")]  # still there at 2
    late = made(bars, [{**far, "tif": "day"}, {"at": 2, "phase": "close", "cancel": "o0"}])
    assert statuses(market(late)) == [("o0", "expired")]
    gtd = made(bars, [{**far, "tif": "gtd", "until": 1}, {"at": 1, "cancel": "o0"}])
    assert statuses(market(gtd)) == [("o0", "expired")]


@BOTH
def test_ioc_waits_for_the_first_real_open_and_no_longer(market: Market) -> None:
    bars = {"A": [flat(100), None, [90, 90, 80, 80, 1]], "B": [flat(10)] * 3}
    order = {**BUY, "type": "limit", "tif": "ioc"}
    result = market(made(bars, [{**order, "limit_price": 95}, {**order, "limit_price": 85}]))
    assert fills(result) == [(2, "open", "o0", 1, 90)]
    assert statuses(result) == [("o0", "filled"), ("o1", "cancelled")]


@BOTH
def test_children_of_a_moc_start_at_the_next_open(market: Market) -> None:
    order = {**BUY, "at": 0, "phase": "open", "type": "moc", "stop_loss": 100, "take_profit": 130}
    result = market(made([[90, 95, 85, 95, 1], flat(92)], [order]))
    assert fills(result) == [(0, "close", "o0", 1, 95), (1, "open", "o0.stop", 1, 92)]


@BOTH
def test_what_cannot_be_accepted_is_rejected_with_its_reason(market: Market) -> None:
    bars = {"A": [None, flat(100)], "B": [flat(10)] * 2}
    late = {**BUY, "at": 1}
    orders = [
        BUY,
        {**late, "qty": 0},
        {**late, "qty": 1.5},
        {**late, "type": "limit"},
        {**late, "type": "stop_limit", "limit_price": 90, "stop_price": 0},
        {**late, "type": "limit", "limit_price": 0.9},  # rounded down to 0
    ]
    reasons = [o["reason"] for o in market(made(bars, orders))["orders"]]
    assert reasons == ["no_market", *["invalid_quantity"] * 2, *["invalid_price"] * 3]


@BOTH
@pytest.mark.parametrize(("qty", "cost"), [(1, 5), (10, 10 + 2), (40, 20)])
def test_least_and_most_bound_the_whole_cost(market: Market, qty: int, cost: float) -> None:
    costs = {"commission_per_contract": 1, "fee_per_trade": 2}
    bounds = {"commission_min": 5, "commission_max": 20}
    result = market(made([flat(100)] * 2, [{**BUY, "qty": qty}], **costs, **bounds))
    assert result["fills"][0]["cost"] == cost


@BOTH
def test_close_at_end_closes_at_the_carried_close_slipped(market: Market) -> None:
    bars = {"A": [flat(100), flat(100), None], "B": [flat(10)] * 3}
    orders = [{**BUY, "stop_loss": 50}]
    account = {"cash": 1000, "close_at_end": True}
    result = market(made(bars, orders, account=account, slippage_ticks=1))
    assert fills(result)[1:] == [(2, "close", "end_of_data", 1, 99)]
    assert result["fills"][1]["reason"] == "exit"
    assert statuses(result)[1:] == [("o0.stop", "cancelled"), ("end_of_data", "filled")]
    assert result["equity"] == [1000, 999, 998]


@BOTH
def test_a_position_whose_bars_have_ended_closes_at_its_last_close(market: Market) -> None:
    bars = {"A": [flat(100), flat(90, volume=2), None, None], "B": [flat(10)] * 4}
    orders = [{**BUY, "stop_loss": 50}]
    account = {"cash": 1000, "close_delisted": True}
    volume = {"slippage_ticks": 1, "max_volume_share": 0.5}
    result = market(made(bars, orders, account=account, **volume))
    assert fills(result)[1:] == [(2, "open", "end_of_data", 1, 89)]
    assert statuses(result)[1:] == [("o0.stop", "cancelled"), ("end_of_data", "filled")]
    assert result["equity"] == [1000, 999, 998, 998]
    kept = market(made(bars, orders, account={"cash": 1000}, **volume))
    assert (len(kept["fills"]), kept["equity"][-1]) == (1, 999)


@BOTH
def test_of_equal_requirements_the_first_instrument_is_closed(market: Market) -> None:
    # Two times 30 wanted; equity 62 - 10 = 52. Without A it covers the 30 of B.
    bars = {"A": [flat(50)] * 3, "B": [flat(60), flat(60), flat(50)]}
    orders = [BUY, {**BUY, "symbol": "B"}]
    account = {"cash": 62, "margin_call": "reduce"}
    result = market(made(bars, orders, account=account, maintenance_margin=30))
    assert [(f["symbol"], f["reason"]) for f in result["fills"][2:]] == [("A", "liquidation")]


@BOTH
@pytest.mark.parametrize(("units", "fills_it"), [(4, True), (5, False)])
def test_without_a_grid_a_limit_is_met_within_four_units_in_the_last_place(
    market: Market, units: int, fills_it: bool
) -> None:
    low = 95.1 + units * math.ulp(95.1)
    bars = [flat(100.3), [100.3, 101.7, low, 100.3, 1]]
    result = market(made(bars, [{**BUY, "type": "limit", "limit_price": 95.1}], tick_size=0))
    assert fills(result) == ([(1, "intrabar", "o0", 1, 95.1)] if fills_it else [])


@BOTH
def test_at_one_price_means_equal_to_the_nearest_price(market: Market) -> None:
    # Above the low by 3 units in the last place, at it, and below it by 4: the first two are one
    # price, and so are the last two, but not the first and the last. The target is the last.
    low = 25.75
    unit = math.ulp(low)
    orders = [
        {**SELL, "qty": 5, "take_profit": low - 4 * unit},
        {**BUY, "type": "limit", "limit_price": low},
        {**BUY, "type": "limit", "limit_price": low + 3 * unit},
    ]
    bars = [flat(27), [27, 27, low, 26, 1]]
    result = market(made(bars, orders, tick_size=0, path_policy="high_first"))
    assert [name for _, _, name, _, _ in fills(result)] == ["o0", "o1", "o2", "o0.target"]


@BOTH
def test_a_change_that_leaves_a_part_of_a_lot_cancels(market: Market) -> None:
    # One of the stop's 12 is filled, 1.5 after the split, 2.5 with another one: of 3 half is left.
    bars = [flat(97), [99, 99, 99, 99, 800], [95, 95, 95, 95, 500], [89, 89, 89, 89, 100], flat(85)]
    entry = {**SELL, "phase": "close", "qty": 8, "type": "limit", "limit_price": 103}
    orders = [
        {**entry, "stop_loss": 103},
        {"at": 3, "phase": "close", "modify": "o0.stop", "qty": 3},
    ]
    scenario = made(bars, orders, max_volume_share=0.01)
    scenario["actions"] = [{"at": at, "symbol": "A", "split": 1.5} for at in (1, 3)]
    result = market(scenario)
    assert result["orders"][-1] == {"id": "o0.stop", "status": "cancelled", "reason": ""}


@BOTH
def test_without_a_grid_nothing_is_rounded_and_ticks_are_no_distance(market: Market) -> None:
    # 100.123 less 0.1 % of it, and not a tick of slippage.
    bars = [flat(100.123)] * 2
    result = market(made(bars, [SELL], tick_size=0, slippage_ticks=3, slippage_pct=0.001))
    assert fills(result) == [(1, "open", "o0", 1, 100.123 - 0.001 * 100.123)]


@BOTH
@pytest.mark.parametrize(("policy", "exit_price"), [("worst", 100), ("best", None)])
def test_an_order_for_the_close_has_no_say_in_the_path(
    market: Market, policy: str, exit_price: float | None
) -> None:
    # Flat; only the buy stop can open on the path, so `worst` goes up first and then to its stop.
    # The shortest path goes down first, as `best` does, and never comes back to the stop.
    orders = [
        {**BUY, "type": "stop", "stop_price": 101, "stop_loss": 100},
        {**SELL, "type": "moc"},
    ]
    bars = [flat(100), [100, 103, 99, 102, 1]]
    prices = [p for _, _, name, _, p in fills(market(made(bars, orders, path_policy=policy)))]
    assert prices == ([101, 100, 102] if exit_price else [101, 102])


@BOTH
def test_worst_equity_a_rounding_below_the_requirement_is_no_call(market: Market) -> None:
    # 0.1 + 0.2 of a point lost by 3 contracts: 0.9 less 0.9, which doubles do not give as 0.
    bars = [flat(1.3), flat(1.3), [1.3, 1.3, 1.0, 1.2, 1]]
    result = market(made(bars, [{**BUY, "qty": 3}], account={"cash": 0.9}, tick_size=0.1))
    assert [f["reason"] for f in result["fills"]] == ["entry"]
    assert result["status"] == "finished"


@BOTH
def test_an_equity_of_zero_but_for_rounding_is_ruin(market: Market) -> None:
    bars = [flat(1.3), flat(1.3), flat(1.0), flat(2.0)]
    result = market(made(bars, [{**BUY, "qty": 3}], account={"cash": 0.9}, tick_size=0.1))
    assert (result["status"], len(result["equity"])) == ("ruined", 3)
