"""Volume caps, parts of orders, FOK and trailing stops: worked out by hand, on both markets."""

from __future__ import annotations

import pytest

from tests.oracles.by_hand import BOTH, BUY, SELL, Market, fills, flat, made, statuses

SHARE = {"max_volume_share": 0.1}


@BOTH
def test_market_order_fills_in_parts_at_the_next_opens(market: Market) -> None:
    # A tenth of 30, 20 and 50: 3 at 100, 2 at 101, and the last one at 102.
    bars = [flat(100), flat(100, 30), flat(101, 20), flat(102, 50)]
    result = market(made(bars, [{**BUY, "qty": 6}], **SHARE))
    assert fills(result) == [
        (1, "open", "o0", 3, 100),
        (2, "open", "o0", 2, 101),
        (3, "open", "o0", 1, 102),
    ]
    # 3 * 1 at 101; 3 * 2 + 2 * 1 at 102.
    assert result["equity"] == [100_000, 100_000, 100_003, 100_008]
    assert statuses(result) == [("o0", "filled")]
    assert statuses(market(made(bars[:3], [{**BUY, "qty": 6}], **SHARE))) == [
        ("o0", "partially_filled")
    ]


@BOTH
@pytest.mark.parametrize(
    ("share", "volume", "lot", "got"), [(0.1, 29, 1, 2), (0.5, 45, 10, 20), (0.5, 19, 10, 0)]
)
def test_cap_is_rounded_down_to_whole_lots(
    market: Market, share: float, volume: float, lot: float, got: float
) -> None:
    bars = [flat(100), flat(100, volume)]
    result = market(made(bars, [{**BUY, "qty": 50}], max_volume_share=share, lot=lot))
    assert [f["qty"] for f in result["fills"]] == ([got] if got else [])
    assert statuses(result) == [("o0", "partially_filled" if got else "working")]


@BOTH
def test_all_fills_of_a_bar_share_its_volume_in_order_of_execution(market: Market) -> None:
    # 5 in all: the market order at the open gets 3, the limit at 99 the 2 that are left.
    orders = [
        {**BUY, "type": "limit", "limit_price": 99, "qty": 4},
        {**BUY, "qty": 3},
    ]
    result = market(made([flat(100), [100, 100, 98, 100, 50], flat(97, 50)], orders, **SHARE))
    assert fills(result) == [
        (1, "open", "o1", 3, 100),
        (1, "intrabar", "o0", 2, 99),
        (2, "open", "o0", 2, 97),
    ]


@BOTH
def test_rest_of_a_triggered_stop_is_a_market_order(market: Market) -> None:
    # 3 of 5 at 95; the rest at the next open, far above the stop, which no longer moves.
    orders = [
        {**BUY, "qty": 5, "stop_loss": 95},
        {"at": 2, "modify": "o0.stop", "stop_price": 90},
    ]
    bars = [flat(100), flat(100, 50), [100, 100, 94, 96, 30], flat(110, 99)]
    result = market(made(bars, orders, **SHARE))
    assert fills(result)[1:] == [
        (2, "intrabar", "o0.stop", 3, 95),
        (3, "open", "o0.stop", 2, 110),
    ]
    assert statuses(result) == [("o0", "filled"), ("o0.stop", "filled")]


@BOTH
def test_stop_that_was_triggered_without_volume_stays_triggered(market: Market) -> None:
    orders = [{**BUY, "qty": 2, "type": "stop", "stop_price": 105}]
    result = market(made([flat(100), [100, 106, 99, 99, 9], flat(99, 99)], orders, **SHARE))
    assert fills(result) == [(2, "open", "o0", 2, 99)]


@BOTH
def test_stop_that_was_triggered_at_the_open_stays_triggered(market: Market) -> None:
    # 1 of 2 at 106; the open of 90 after it is below the stop, and still fills.
    orders = [{**BUY, "qty": 2, "type": "stop", "stop_price": 105}]
    result = market(made([flat(100), flat(106, 10), flat(90, 10)], orders, **SHARE))
    assert fills(result) == [(1, "open", "o0", 1, 106), (2, "open", "o0", 1, 90)]


@BOTH
def test_ioc_gets_what_there_is_and_fok_all_or_nothing(market: Market) -> None:
    bars = [flat(100), flat(100, 30), flat(100, 99)]
    result = market(made(bars, [{**BUY, "qty": 5, "tif": "ioc"}], **SHARE))
    assert (fills(result), statuses(result)) == (
        [(1, "open", "o0", 3, 100)],
        [("o0", "cancelled")],
    )
    result = market(made(bars, [{**BUY, "qty": 5, "tif": "fok"}], **SHARE))
    assert (fills(result), statuses(result)) == ([], [("o0", "cancelled")])
    result = market(made(bars, [{**BUY, "qty": 3, "tif": "fok"}], **SHARE))
    assert statuses(result) == [("o0", "filled")]


@BOTH
def test_fok_is_not_cut_by_position_or_margin(market: Market) -> None:
    # The position is 2. The margin allows 3 of 4 (reduce): cancelled; where it allows none, or
    # cuts nothing because it rejects: rejected.
    orders = [{**BUY, "qty": 2}, {**SELL, "at": 1, "qty": 3, "reduce_only": True, "tif": "fok"}]
    assert statuses(market(made([flat(100)] * 3, orders)))[1] == ("o1", "cancelled")
    fok = [{**BUY, "qty": 4, "tif": "fok"}]
    for check, cash, status in (
        ("reduce", 199, "cancelled"),
        ("reduce", 49, "rejected"),
        ("reject", 199, "rejected"),
    ):
        account = {"cash": cash, "margin_check": check}
        result = market(made([flat(100)] * 2, fok, account=account, initial_margin=50))
        assert (fills(result), statuses(result)) == ([], [("o0", status)])


@BOTH
def test_ioc_and_fok_on_the_close(market: Market) -> None:
    bars = [flat(100), flat(100, 30), flat(100, 99)]
    for tif, got in (("ioc", [(1, "close", "o0", 3, 100)]), ("fok", [])):
        order = {**BUY, "qty": 5, "type": "moc", "tif": tif}
        result = market(made(bars, [order], **SHARE))
        assert (fills(result), statuses(result)) == (got, [("o0", "cancelled")])


@BOTH
def test_rest_of_a_moc_fills_at_the_next_closes(market: Market) -> None:
    bars = [flat(100), [100, 101, 99, 101, 30], [90, 103, 90, 102, 30]]
    result = market(made(bars, [{**BUY, "qty": 5, "type": "moc"}], **SHARE))
    assert fills(result) == [(1, "close", "o0", 3, 101), (2, "close", "o0", 2, 102)]


@BOTH
def test_parts_of_an_entry_add_to_one_stop_and_one_target(market: Market) -> None:
    orders = [{**BUY, "qty": 6, "stop_loss": 90, "take_profit": 120}]
    bars = [flat(100), flat(100, 30), flat(101, 30), [101, 125, 101, 125, 99]]
    result = market(made(bars, orders, **SHARE))
    assert fills(result)[2:] == [(3, "intrabar", "o0.target", 6, 120)]
    assert statuses(result) == [
        ("o0", "filled"),
        ("o0.stop", "cancelled"),
        ("o0.target", "filled"),
    ]


@BOTH
def test_a_part_makes_new_children_where_none_works(market: Market) -> None:
    # The stop of the first 3 is taken back; the next 3 get one of their own.
    orders = [{**BUY, "qty": 6, "stop_loss": 90}, {"at": 1, "cancel": "o0.stop"}]
    bars = [flat(100), flat(100, 30), flat(100, 30), flat(80, 99)]
    result = market(made(bars, orders, **SHARE))
    assert fills(result)[2:] == [(3, "open", "o0.stop", 3, 80)]
    assert statuses(result) == [
        ("o0", "filled"),
        ("o0.stop", "cancelled"),
        ("o0.stop", "filled"),
    ]


@BOTH
def test_a_flip_in_parts_protects_what_is_beyond_flat(market: Market) -> None:
    # Long 2. 3 of 5 are sold: 2 close, 1 opens with a stop; then 2 more, and the stop is for 3.
    orders = [{**BUY, "qty": 2}, {**SELL, "at": 1, "qty": 5, "stop_loss": 120}]
    bars = [flat(100), flat(100, 99), flat(100, 30), flat(100, 30), flat(125, 99)]
    result = market(made(bars, orders, **SHARE))
    assert [(f["order"], f["qty"], f["price"]) for f in result["fills"][1:]] == [
        ("o1", 3, 100),
        ("o1", 2, 100),
        ("o1.stop", 3, 125),
    ]


@BOTH
def test_target_in_parts_takes_from_the_stop(market: Market) -> None:
    # 2 of 5 at 110; the other 3 are stopped at the next open.
    orders = [{**BUY, "qty": 5, "stop_loss": 90, "take_profit": 110}]
    bars = [flat(100), flat(100, 50), [100, 111, 100, 105, 20], flat(89, 99)]
    result = market(made(bars, orders, **SHARE))
    assert fills(result)[1:] == [
        (2, "intrabar", "o0.target", 2, 110),
        (3, "open", "o0.stop", 3, 89),
    ]
    assert statuses(result)[1:] == [("o0.stop", "filled"), ("o0.target", "cancelled")]


@BOTH
def test_liquidation_in_parts_goes_ahead_of_all_other_orders(market: Market) -> None:
    # 4 at 100 with 250; maintenance 4 * 30 = 120 > 250 - 4 * 40 = 90 at 60. The volume gives 1
    # at the close of that bar, 2 at the next open, and the last one before the new order.
    bars = [flat(100), flat(100, 40), flat(60, 10), flat(61, 20), flat(62, 50)]
    orders = [{**BUY, "qty": 4}, {**BUY, "at": 2, "id": "again"}]
    scenario = made(bars, orders, account={"cash": 250}, maintenance_margin=30, **SHARE)
    result = market(scenario)
    assert fills(result)[1:] == [
        (2, "close", "liquidation", 1, 60),
        (3, "open", "liquidation", 2, 61),
        (4, "open", "liquidation", 1, 62),
        (4, "open", "again", 1, 62),
    ]
    # 250 - 160; one lot up by 1 for each of three that were left: 93; one more point: 94.
    assert result["equity"][2:] == [90, 93, 94]


@BOTH
def test_end_of_data_is_not_capped(market: Market) -> None:
    bars = [flat(100), flat(100, 50), flat(101, 0)]
    account = {"close_at_end": True}
    result = market(made(bars, [{**BUY, "qty": 5}], account=account, **SHARE))
    assert fills(result)[1:] == [(2, "close", "end_of_data", 5, 101)]


@BOTH
def test_trailing_stop_follows_the_high_and_never_steps_back(market: Market) -> None:
    # From the mark at 100: 95. High 108 makes 103; a high of 107 leaves it; out at 103.
    orders = [BUY, {**SELL, "type": "trailing_stop", "trail": 5, "reduce_only": True}]
    bars = [
        flat(100),
        [100, 108, 100, 106, 1],
        [106, 107, 104, 105, 1],
        [105, 105, 101, 102, 1],
    ]
    result = market(made(bars, orders))
    assert fills(result)[1:] == [(3, "intrabar", "o1", 1, 103)]


@BOTH
def test_new_level_of_a_trailing_stop_works_from_the_next_open(market: Market) -> None:
    # High 120 before low 100: the level of this bar is still 95. The next open is below 115.
    orders = [BUY, {**SELL, "type": "trailing_stop", "trail": 5}]
    bars = [flat(100), [100, 120, 100, 118, 1], flat(114)]
    result = market(made(bars, orders, path_policy="high_first"))
    assert fills(result)[1:] == [(2, "open", "o1", 1, 114)]


@BOTH
def test_levels_of_a_trailing_stop(market: Market) -> None:
    # A buy: from 100 + 4.5 up to 105; the low of 97 makes 101.5, up to 102. A change puts it to
    # 110; the next low of 99 makes 103.5, up to 104. The first level may be given.
    order = {**BUY, "type": "trailing_stop", "trail": 4.5}
    bars = [flat(100), [100, 101, 97, 100, 1], [100, 102, 100, 102, 1]]
    assert fills(market(made(bars, [order])))[-1] == (2, "intrabar", "o0", 1, 102)
    change = {"at": 1, "modify": "o0", "stop_price": 110}
    bars = [*bars[:2], [100, 103, 99, 100, 1], [100, 105, 100, 100, 1]]
    assert fills(market(made(bars, [order, change]))) == [(3, "intrabar", "o0", 1, 104)]
    given = {**order, "stop_price": 101}
    assert fills(market(made(bars, [given])))[0] == (1, "intrabar", "o0", 1, 101)


@BOTH
def test_trailing_stop_without_a_trail_or_a_level_is_refused(market: Market) -> None:
    order = {**SELL, "type": "trailing_stop"}
    orders = [order, {**order, "trail": 0}, {**order, "trail": 100}, {**order, "trail": 99}]
    result = market(made([flat(100)] * 2, orders))
    assert [o["reason"] for o in result["orders"]] == ["invalid_price"] * 3 + [""]
