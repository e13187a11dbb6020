"""Splits, dividends, new margins and rolls: worked out by hand, on both markets."""

from __future__ import annotations

import pytest

from tests.oracles.by_hand import BOTH, BUY, SELL, Market, fills, flat, ledger, made, statuses


def at(n: int, **action: float) -> dict:
    return {"at": n, "symbol": "A", **action}


@BOTH
def test_split_keeps_the_worth_of_a_position_and_its_protection(market: Market) -> None:
    # 3 at 100 become 6 at 50, the stop at 90 one of 6 at 45. 6 * (45 - 50) = -30.
    orders = [{**BUY, "qty": 3, "stop_loss": 90}]
    bars = [flat(100), flat(100), flat(52), [50, 50, 44, 46, 1]]
    result = market(made(bars, orders, actions=[at(2, split=2)]))
    assert fills(result) == [(1, "open", "o0", 3, 100), (3, "intrabar", "o0.stop", 6, 45)]
    assert result["equity"] == [100_000, 100_000, 100_012, 99_970]


@BOTH
def test_prices_of_orders_are_rounded_after_a_split(market: Market) -> None:
    # Divided by 3: a sell stop 95 -> 31.67 -> 31, a buy stop 110 -> 36.67 -> 37, a buy limit 92
    # -> 30.67 -> 30. Each is met exactly, each is now for 3.
    orders = [
        {**SELL, "type": "stop", "stop_price": 95},
        {**BUY, "type": "stop", "stop_price": 110},
        {**BUY, "type": "limit", "limit_price": 92},
    ]
    bars = [flat(100), [34, 37, 30, 34, 1]]
    result = market(made(bars, orders, actions=[at(1, split=3)], path_policy="low_first"))
    assert fills(result) == [
        (1, "intrabar", "o0", 3, 31),
        (1, "intrabar", "o2", 3, 30),
        (1, "intrabar", "o1", 3, 37),
    ]


@BOTH
def test_reverse_split_pays_the_fraction_out(market: Market) -> None:
    # 5 at 100 become 2.5 at 200. Half a share goes at the open of 210: 0.5 * 10 = 5, no cost.
    # The stop, for 5, is for 2 at 180.
    orders = [{**BUY, "qty": 5, "stop_loss": 90}]
    bars = [flat(100), flat(100), flat(210), flat(170)]
    options = {"slippage_ticks": 1, "fee_per_trade": 1}
    result = market(made(bars, orders, actions=[at(2, split=0.5)], **options))
    # Bought at 101, so 202 after the split: 0.5 * 8 = 4. The stop gets 169: 2 * -33 = -66.
    assert fills(result)[1:] == [(2, "open", "split", 0.5, 210), (3, "open", "o0.stop", 2, 169)]
    assert [(f["cost"], f["reason"]) for f in result["fills"]][1] == (0, "split")
    # -1 fee - 5 at the close; then +4 and 2 * 8 on what is held; then -66 and a fee beside the 4.
    assert result["equity"] == [100_000, 99_994, 99_999 + 4 + 16, 99_999 + 4 - 66 - 1]


@BOTH
def test_split_that_leaves_no_share_cancels_the_protection(market: Market) -> None:
    # A short of 1 becomes half a share, bought back at 190; its stop has nothing left.
    orders = [{**SELL, "stop_loss": 120}]
    bars = [flat(100), flat(100), flat(190), flat(300)]
    result = market(made(bars, orders, actions=[at(2, split=0.5)]))
    assert fills(result)[1:] == [(2, "open", "split", 0.5, 190)]
    assert statuses(result) == [("o0", "filled"), ("o0.stop", "cancelled")]
    assert result["equity"][2:] == [100_005, 100_005]


@BOTH
def test_split_rounds_what_is_asked_for_down_and_cancels_what_is_left_without(
    market: Market,
) -> None:
    # A fifth: 9 -> 1, 4 -> 0. A limit of 2 at 0.2 has no price.
    limit = {**BUY, "type": "limit"}
    orders = [
        {**limit, "qty": 9, "limit_price": 50},
        {**limit, "qty": 4, "limit_price": 50},
    ]
    result = market(made([flat(100), flat(250)], orders, actions=[at(1, split=0.2)]))
    assert fills(result) == [(1, "open", "o0", 1, 250)]
    assert statuses(result) == [("o0", "filled"), ("o1", "cancelled")]
    low = [{**limit, "limit_price": 2}]
    result = market(made([flat(100), flat(10)], low, actions=[at(1, split=10)]))
    assert statuses(result) == [("o0", "cancelled")]


@BOTH
def test_levels_of_children_to_be_and_trails_are_split(market: Market) -> None:
    # Bought at 50 after the split; the stop of 90 is one of 45. The trail of 10 is one of 5.
    orders = [
        {**BUY, "stop_loss": 90},
        {**BUY, "type": "trailing_stop", "trail": 10, "stop_price": 120},
    ]
    bars = [flat(100), [50, 50, 46, 46, 1], [46, 50, 44, 45, 1], flat(51)]
    result = market(made(bars, orders, actions=[at(1, split=2)], path_policy="low_first"))
    # The trailing stop: 60, then 46 + 5 = 51, then 44 + 5 = 49: met at the open of 51.
    assert fills(result) == [
        (1, "open", "o0", 2, 50),
        (2, "intrabar", "o0.stop", 2, 45),
        (3, "open", "o1", 2, 51),
    ]


@BOTH
def test_partly_filled_order_is_split_with_what_it_has(market: Market) -> None:
    # 3 of 5 are in. By 2: 10 asked, 6 had, 4 to come, with the stop of 6 growing to 10.
    orders = [{**BUY, "qty": 5, "stop_loss": 90}]
    bars = [flat(100), flat(100, 30), flat(50, 99), flat(40, 990)]
    result = market(made(bars, orders, actions=[at(2, split=2)], max_volume_share=0.1))
    assert fills(result)[1:] == [(2, "open", "o0", 4, 50), (3, "open", "o0.stop", 10, 40)]


@BOTH
def test_part_of_a_lot_is_nothing_left_to_fill(market: Market) -> None:
    # By a half. 1 of 9: 4 asked, 0.5 had, 3.5 to come: 3. And 3 of 4: 2 asked, 1.5 had: nothing.
    options = {"actions": [at(2, split=0.5)], "max_volume_share": 0.1}
    bars = [flat(100), flat(100, 10), flat(200, 90)]
    result = market(made(bars, [{**BUY, "qty": 9}], **options))
    assert fills(result)[1:] == [(2, "open", "split", 0.5, 200), (2, "open", "o0", 3, 200)]
    bars = [flat(100), flat(100, 30), flat(200, 90)]
    result = market(made(bars, [{**BUY, "qty": 4}], **options))
    assert fills(result)[1:] == [(2, "open", "split", 0.5, 200)]
    assert statuses(result) == [("o0", "cancelled")]


@BOTH
def test_dividend_before_the_open_after_a_split_given_before_it(market: Market) -> None:
    bars = [flat(100), flat(100), flat(50)]
    actions = [at(2, split=2), at(2, dividend=0.5)]
    result = market(made(bars, [{**BUY, "qty": 3}], actions=actions))
    assert ledger(result) == [(2, "dividend", "A", 3)]
    assert result["equity"][2] == 100_003
    result = market(made(bars, [{**BUY, "qty": 3}], actions=actions[::-1]))
    assert ledger(result) == [(2, "dividend", "A", 1.5)]


@BOTH
def test_short_pays_the_dividend_and_who_buys_at_the_open_gets_none(market: Market) -> None:
    bars = [flat(100), flat(100), flat(100)]
    result = market(made(bars, [{**SELL, "qty": 3}], actions=[at(2, dividend=1)]))
    assert ledger(result) == [(2, "dividend", "A", -3)]
    result = market(made(bars, [{**BUY, "at": 1}], actions=[at(2, dividend=1)]))
    assert ledger(result) == []


@BOTH
def test_new_margins_take_effect_before_the_open_of_their_bar(market: Market) -> None:
    # 10 a contract is enough until bar 1, where 200 are asked.
    for n, status in ((0, "filled"), (1, "rejected")):
        orders = [{**BUY, "at": n}]
        result = market(
            made(
                [flat(100)] * 3,
                orders,
                account={"cash": 100},
                initial_margin=10,
                actions=[at(2, initial_margin=200)],
            )
        )
        assert statuses(result) == [("o0", status)]
    # Maintenance of 200 asks at the close of its bar for more than the 100.
    result = market(
        made([flat(100)] * 3, [BUY], account={"cash": 100}, actions=[at(2, maintenance_margin=200)])
    )
    assert fills(result)[1:] == [(2, "close", "liquidation", 1, 100)]


@BOTH
def test_roll_closes_the_old_contract_and_opens_the_new_one(market: Market) -> None:
    # Bought 2 at 101. Old at 110 less 1, new at 120 plus 1; 2 * 8 are made, 2 * 4 on top at 125.
    # Every fill costs 1. The stop of 95 is one of 105.
    orders = [{**BUY, "qty": 2, "stop_loss": 95}]
    bars = [flat(100), flat(100), [120, 125, 120, 125, 1], flat(104)]
    options = {"slippage_ticks": 1, "fee_per_trade": 1}
    result = market(made(bars, orders, actions=[at(2, roll_from=110)], **options))
    assert fills(result)[1:] == [
        (2, "open", "roll", 2, 109),
        (2, "open", "roll", 2, 121),
        (3, "open", "o0.stop", 2, 103),
    ]
    assert [(f["side"], f["reason"]) for f in result["fills"][1:3]] == [
        ("sell", "roll"),
        ("buy", "roll"),
    ]
    # -1 - 2; then 16 - 3 + 8; then 16 - 4 - 36.
    assert result["equity"] == [100_000, 99_997, 100_021, 99_976]


@BOTH
def test_roll_shifts_orders_and_the_levels_of_children_to_be(market: Market) -> None:
    # Up by 3.5: a buy limit 90 -> 93.5 -> 93; its stop to be 85.5 -> 89. Down by 95: no price.
    orders = [{**BUY, "type": "limit", "limit_price": 90, "stop_loss": 85.5}]
    bars = [flat(100), flat(104), [95, 95, 93, 93, 1], [93, 93, 88, 90, 1]]
    result = market(made(bars, orders, actions=[at(1, roll_from=100.5)]))
    assert fills(result) == [(2, "intrabar", "o0", 1, 93), (3, "intrabar", "o0.stop", 1, 89)]
    result = market(made([flat(100), flat(10)], orders, actions=[at(1, roll_from=105)]))
    assert statuses(result) == [("o0", "cancelled")]


@BOTH
def test_roll_asks_for_no_margin_and_no_volume(market: Market) -> None:
    # The loss of the roll leaves less than the margin of 50; nobody asks.
    bars = [flat(100), flat(100, 30), flat(100, 0)]
    options = {"max_volume_share": 0.1, "initial_margin": 50, "slippage_ticks": 1}
    account = {"cash": 152}
    result = market(
        made(bars, [{**BUY, "qty": 3}], account=account, actions=[at(2, roll_from=100)], **options)
    )
    assert [(f["reason"], f["qty"]) for f in result["fills"]] == [
        ("entry", 3),
        ("roll", 3),
        ("roll", 3),
    ]
    # 3 at 101 sold at 99, and again at 101: -6, and -3 at 100.
    assert result["equity"] == [152, 149, pytest.approx(143)]


@BOTH
def test_cash_account_sells_no_more_than_it_has(market: Market) -> None:
    account = {"cash": 1000, "type": "cash"}
    orders = [{**BUY, "qty": 11}, {**BUY, "qty": 10}, {**SELL, "at": 1, "qty": 11}]
    result = market(made([flat(100)] * 3, orders, account=account))
    assert [(o["status"], o["reason"]) for o in result["orders"]] == [
        ("rejected", "insufficient_margin"),
        ("filled", ""),
        ("rejected", "short_refused"),
    ]
