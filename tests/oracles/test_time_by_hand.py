"""Nights, sessions, settlement and currencies: worked out by hand, on both markets."""

from __future__ import annotations

import pytest

from tests.oracles.by_hand import (
    BOTH,
    BUY,
    SELL,
    Market,
    costs,
    fills,
    flat,
    ledger,
    made,
    statuses,
)

HELD = [flat(100), flat(100), flat(110), flat(120)]


@BOTH
def test_borrow_is_by_the_close_before_and_the_nights(market: Market) -> None:
    # Short 2 from bar 1, at 100 and at 110. One night, then three:
    # 2 * 100 * 0.365 * 1 / 365 = 0.2 and 2 * 110 * 0.365 * 3 / 365 = 0.66.
    result = market(made(HELD, [{**SELL, "qty": 2}], borrow_rate=0.365, days=[1, 2, 3, 6]))
    assert ledger(result) == [(2, "borrow", "A", -0.2), (3, "borrow", "A", -0.66)]
    assert result["equity"] == [100_000, 100_000, 99_979.8, pytest.approx(99_959.14)]


@BOTH
def test_night_is_between_trade_dates_and_not_between_bars(market: Market) -> None:
    # Three timestamps of day 1, one of day 2: one night, of what was held at the last close.
    orders = [{**SELL, "qty": 2}, {**BUY, "at": 1}]
    result = market(made(HELD, orders, borrow_rate=0.365, days=[1, 1, 1, 2]))
    assert ledger(result) == [(3, "borrow", "A", -0.11)]


@BOTH
def test_what_is_sold_on_the_morrow_pays_the_night(market: Market) -> None:
    orders = [{**SELL, "qty": 2}, {**BUY, "at": 1, "qty": 2}]
    result = market(made(HELD, orders, borrow_rate=0.365))
    assert ledger(result) == [(2, "borrow", "A", -0.2)]


@BOTH
def test_swap_is_an_amount_for_each_contract_and_night(market: Market) -> None:
    rates = {"swap_long": -0.5, "swap_short": 0.2}
    result = market(made(HELD[:3], [{**BUY, "qty": 3}], days=[1, 2, 5], **rates))
    assert ledger(result) == [(2, "swap", "A", -4.5)]
    result = market(made(HELD[:3], [{**SELL, "qty": 3}], days=[1, 2, 5], **rates))
    assert ledger(result) == [(2, "swap", "A", 1.8)]


@BOTH
def test_interest_on_free_cash_and_on_what_is_borrowed(market: Market) -> None:
    # 1000 for a night at 36.5 %: 1. Then 4 at 100 leave 1001 - 400 = 601: 0.601. With 12 it is
    # 1001 - 1200 = -199, which costs 73 %: -0.398.
    account = {"cash": 1000, "interest_rate": 0.365, "debit_rate": 0.73}
    for qty, amount in ((4, 0.601), (12, -0.398)):
        result = market(made(HELD[:3], [{**BUY, "qty": qty}], account=account))
        assert ledger(result) == [(1, "interest", "", 1), (2, "interest", "", amount)]


@BOTH
def test_futures_and_shorts_leave_the_cash_free(market: Market) -> None:
    account = {"cash": 1000, "interest_rate": 0.365}
    for side, margin in ((BUY, 10), (SELL, 0)):
        orders = [{**side, "qty": 4}]
        result = market(made(HELD[:3], orders, account=account, initial_margin=margin))
        assert ledger(result)[-1] == (2, "interest", "", 1.001)


@BOTH
def test_lines_of_a_night_are_in_order(market: Market) -> None:
    bars = {"A": HELD[:3], "B": HELD[:3]}
    orders = [SELL, {**BUY, "symbol": "B"}]
    rates = {"borrow_rate": 0.365, "swap_short": -1, "swap_long": -2}
    result = market(made(bars, orders, account={"debit_rate": 1, "interest_rate": 0.1}, **rates))
    assert [(x["kind"], x["symbol"]) for x in result["ledger"] if x["at"] == 2] == [
        ("borrow", "A"),
        ("swap", "A"),
        ("swap", "B"),
        ("interest", ""),
    ]


@BOTH
def test_ruin_by_interest(market: Market) -> None:
    # Bought 10 at 100 with 1: 999 are borrowed; at 73 % that is 1.998 a night.
    account = {"cash": 1, "debit_rate": 0.73}
    result = market(made([flat(100)] * 4, [{**BUY, "qty": 10}], account=account))
    assert result["status"] == "ruined"
    assert result["equity"] == [1, 1, pytest.approx(-0.998)]


@BOTH
def test_day_order_lives_through_the_bars_of_its_session(market: Market) -> None:
    order = {**BUY, "type": "limit", "limit_price": 90, "tif": "day"}
    bars = [flat(100), flat(100), flat(100), flat(90)]
    assert statuses(market(made(bars, [order], days=[1, 1, 1, 2]))) == [("o0", "expired")]
    assert statuses(market(made(bars, [order], days=[1, 2, 2, 2]))) == [("o0", "filled")]
    # Where the day has no later bar of A, its bar before is the last of the session.
    both = {"A": [flat(100), flat(100), None, flat(90)], "B": [flat(10)] * 4}
    assert statuses(market(made(both, [order], days=[1, 2, 2, 3]))) == [("o0", "expired")]


@BOTH
def test_settlement_moves_the_open_profit_of_futures_to_cash(market: Market) -> None:
    # 2 at 100; sessions end at 105 and at 103. Sold at 104: 2 * 1 is left of the profit of 8.
    bars = [flat(100), flat(100), flat(105), flat(103), flat(104)]
    orders = [{**BUY, "qty": 2}, {**SELL, "at": 3, "qty": 2}]
    account = {"cash": 1000, "settlement": "daily"}
    scenario = made(bars, orders, account=account, initial_margin=10, days=[1, 2, 2, 3, 3])
    result = market(scenario)
    assert ledger(result) == [(2, "settlement", "A", 10)]
    assert result["equity"] == [1000, 1000, 1010, 1006, 1008]
    # Interest sees the difference: of 1000 and of 1010.
    result = market({**scenario, "account": {**account, "interest_rate": 0.365}})
    assert ledger(result)[1:] == [
        (2, "settlement", "A", 10),
        (3, "interest", "", pytest.approx(1.011)),
    ]


@BOTH
def test_what_is_added_after_a_settlement_counts_from_its_price(market: Market) -> None:
    # 1 at 100, settled at 105; 1 more at 107. At 108 they are 2 * 108 - 105 - 107 = 4 up. One
    # sold at 109 brings 1, and the other is 1 up at that close.
    bars = [flat(100), [100, 105, 100, 105, 1], [107, 108, 107, 108, 1], flat(109)]
    orders = [BUY, {**BUY, "at": 1}, {**SELL, "at": 2}]
    account = {"cash": 1000, "settlement": "daily"}
    result = market(made(bars, orders, account=account, initial_margin=10))
    assert ledger(result) == [
        (1, "settlement", "A", 5),
        (2, "settlement", "A", 4),
        (3, "settlement", "A", 1),
    ]
    assert result["equity"] == [1000, 1005, 1009, 1011]


@BOTH
def test_shares_are_not_settled(market: Market) -> None:
    account = {"settlement": "daily"}
    result = market(made(HELD, [BUY], account=account, initial_margin_rate=0.5))
    assert ledger(result) == []


def in_euros(bars: list, orders: list[dict], **options: object) -> dict:
    """A euro is worth 2 at the first close, then 3, 4 and 5."""
    rates = {"EUR": [2, 3, 4, 5][: len(bars)]}
    return made(bars, orders, currency="EUR", fx=rates, **options)


@BOTH
def test_profit_comes_at_the_rate_of_the_last_close(market: Market) -> None:
    # Bought at 100 (bar 1); open profit 10 * 4 at bar 2. Sold at the open of bar 3, at the rate
    # of bar 2: 20 * 4 = 80.
    result = market(in_euros(HELD, [BUY, {**SELL, "at": 2}]))
    assert result["equity"] == [100_000, 100_000, 100_040, 100_080]


@BOTH
def test_costs_come_at_the_present_rate(market: Market) -> None:
    # At the open of bar 1 the rate is that of bar 0; at the close of bar 1 its own; before the
    # first close the first.
    orders = [{**BUY, "phase": "open"}, BUY, {**BUY, "type": "moc"}]
    result = market(in_euros(HELD, orders, fee_per_trade=1))
    assert costs(result) == [2, 2, 3]


@BOTH
def test_margin_is_at_the_present_rate(market: Market) -> None:
    # 50 a contract at the rate 2: three need 300.
    orders = [{**BUY, "qty": 3}]
    for cash, status in ((300, "filled"), (299, "rejected")):
        account = {"cash": cash}
        result = market(in_euros([flat(100)] * 2, orders, account=account, initial_margin=50))
        assert statuses(result) == [("o0", status)]


@BOTH
def test_falling_currency_makes_a_margin_call(market: Market) -> None:
    # Maintenance 50 * 2 = 100 is covered by 120; at the rate 3 it is 150. Closed at the close,
    # the lost point costs 3.
    account = {"cash": 120}
    scenario = in_euros(
        [flat(100), flat(100)], [{**BUY, "qty": 1}], account=account, maintenance_margin=50
    )
    result = market(
        {**scenario, "instruments": [{**scenario["instruments"][0], "slippage_ticks": 1}]}
    )
    assert fills(result) == [(1, "open", "o0", 1, 101), (1, "close", "liquidation", 1, 99)]
    assert result["equity"] == [120, 120 - 2 * 3]


@BOTH
def test_accruals_are_converted_at_the_close(market: Market) -> None:
    # Borrow of the night to bar 2: 100 * 0.365 / 365 = 0.1, at 4.
    result = market(in_euros(HELD[:3], [SELL], borrow_rate=0.365))
    assert ledger(result) == [(2, "borrow", "A", -0.4)]
