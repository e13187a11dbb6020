"""Slippage by volatility and impact, makers, tiers: worked out by hand, on both markets."""

from __future__ import annotations

import pytest

from tests.oracles.by_hand import BOTH, BUY, SELL, Market, costs, flat, made, statuses

# The first range is 104 - 98 = 6. The second is max(105 - 101, 105 - 102, 102 - 101) = 4.
TWO_BARS = [[100, 104, 98, 102, 10], [103, 105, 101, 104, 10]]


def prices(result: dict) -> list[float]:
    return [f["price"] for f in result["fills"]]


@BOTH
def test_slippage_by_volatility_is_of_the_bars_before(market: Market) -> None:
    # Half of (6 + 4) / 2 = 2.5; the wild bar of the fill itself does not count.
    bars = [*TWO_BARS, [110, 150, 90, 110, 10]]
    orders = [{**BUY, "at": 1}, {**SELL, "at": 1}]
    options = {"slippage_volatility": 0.5, "tick_size": 0.5}
    assert prices(market(made(bars, orders, **options))) == [112.5, 107.5]
    at_once = [{**BUY, "at": 0, "phase": "open"}]
    assert prices(market(made(bars, at_once, **options))) == [100]  # no bar before


@BOTH
def test_true_range_reaches_to_the_close_before(market: Market) -> None:
    # 102 to a bar from 90 to 95: 12. The mean of 6 and 12 is 9.
    bars = [TWO_BARS[0], [92, 95, 90, 94, 1], flat(94)]
    assert prices(market(made(bars, [{**BUY, "at": 1}], slippage_volatility=1))) == [94 + 9]


@BOTH
def test_range_is_of_twenty_real_bars(market: Market) -> None:
    # 21 bars: the first, of 50, is too old; a missing one does not count. Twenty of 2.
    quiet = [[100, 101, 99, 100, 1]] * 20
    rows = {
        "A": [[100, 150, 100, 100, 1], *quiet[:5], None, *quiet[5:], flat(100)],
        "B": [flat(10)] * 23,
    }
    result = market(made(rows, [{**BUY, "at": 21}], slippage_volatility=1))
    assert prices(result) == [102]


@BOTH
def test_impact_is_the_square_root_of_the_share_in_the_volume(market: Market) -> None:
    # R = 5, 4 of 100: 0.4 * 5 * sqrt(0.04) = 0.4; of 0: 0.4 * 5 = 2.
    options = {"slippage_impact": 0.4, "tick_size": 0.1}
    for volume, price in ((100, 110.4), (0, 112)):
        bars = [*TWO_BARS, flat(110, volume)]
        result = market(made(bars, [{**BUY, "at": 1, "qty": 4}], **options))
        assert prices(result) == [pytest.approx(price)]


@BOTH
def test_impact_is_of_what_volume_leaves_and_margin_has_not_cut(market: Market) -> None:
    # Of 9 the volume leaves 4: 110 + 0.4 as above, rounded up to 111. The margin leaves 2.
    account = {"cash": 100, "margin_check": "reduce"}
    options = {"slippage_impact": 0.4, "max_volume_share": 0.04, "initial_margin": 40}
    bars = [*TWO_BARS, flat(110, 100)]
    result = market(made(bars, [{**BUY, "at": 1, "qty": 9}], account=account, **options))
    assert [(f["qty"], f["price"]) for f in result["fills"]] == [(2, 111)]
    assert statuses(result) == [("o0", "filled")]


@BOTH
def test_terms_of_slippage_add_up(market: Market) -> None:
    # One tick, a hundredth of 110, 0.1 * 5, 0.4: 1 + 1.1 + 0.5 + 0.4 = 3.
    options = {"slippage_ticks": 1, "slippage_pct": 0.01, "slippage_volatility": 0.1}
    bars = [*TWO_BARS, flat(110, 100)]
    orders = [{**SELL, "at": 1, "qty": 4}]
    assert prices(market(made(bars, orders, slippage_impact=0.4, **options))) == [107]


RATES = {"commission_rate": 0.01, "maker_rate": 0.002}


@BOTH
def test_limit_that_waited_is_a_maker(market: Market) -> None:
    # A limit at its price on a leg; at a later open beyond it (improved to 90); a market order.
    limit = {**BUY, "type": "limit", "limit_price": 95}
    bars = [flat(100), [100, 100, 94, 100, 1], flat(90)]
    assert costs(market(made(bars, [limit], **RATES))) == [pytest.approx(0.19)]
    bars = [flat(100), flat(100), flat(90)]
    assert costs(market(made(bars, [limit], **RATES))) == [pytest.approx(0.18)]
    assert costs(market(made(bars, [BUY], **RATES))) == [1]


@BOTH
def test_limit_that_is_marketable_where_it_starts_is_a_taker(market: Market) -> None:
    limit = {**BUY, "type": "limit", "limit_price": 105}
    bars = [flat(100), flat(100), flat(100)]
    at_open = {**limit, "at": 1, "phase": "open"}
    assert costs(market(made(bars, [at_open], **RATES))) == [1]
    moved = [
        {**limit, "limit_price": 90, "at": 1, "phase": "open"},
        {"at": 2, "phase": "open", "modify": "o0", "limit_price": 101},
    ]
    assert costs(market(made(bars, moved, **RATES))) == [1]


@BOTH
def test_stop_limit_takes_at_its_trigger_and_gives_when_it_waited(market: Market) -> None:
    order = {**BUY, "type": "stop_limit", "stop_price": 105}
    bars = [flat(100), [100, 110, 100, 104, 1]]
    takes = made(bars, [{**order, "limit_price": 106}], path_policy="low_first", **RATES)
    assert costs(market(takes)) == [pytest.approx(1.05)]
    gives = made(bars, [{**order, "limit_price": 104}], path_policy="low_first", **RATES)
    assert costs(market(gives)) == [pytest.approx(0.208)]


@BOTH
def test_children_give_when_they_waited_and_take_at_their_birth(market: Market) -> None:
    # Bought at 100. A target at 110, met on the way; one at 100, through when it is born; a stop.
    bars = [flat(100), [100, 111, 89, 100, 1]]
    for bracket, cost in (
        ({"take_profit": 110}, 0.22),
        ({"take_profit": 100}, 1),
        ({"stop_loss": 90}, 0.9),
    ):
        result = market(made(bars, [{**BUY, **bracket}], **RATES))
        assert costs(result) == [1, pytest.approx(cost)]


@BOTH
def test_rebate_is_bounded_by_a_minimum_only_where_there_is_one(market: Market) -> None:
    # -0.01 * 100 + 0.25 for the fill; at least 0.5 where that is asked.
    limit = {**BUY, "type": "limit", "limit_price": 100}
    bars = [flat(101), [101, 101, 99, 101, 1]]
    rates = {"commission_rate": 0.01, "maker_rate": -0.01, "fee_per_trade": 0.25}
    result = market(made(bars, [limit], **rates))
    assert costs(result) == [-0.75]
    assert result["equity"] == [100_000, 100_001.75]
    assert costs(market(made(bars, [limit], commission_min=0.5, **rates))) == [0.5]
    # A maker rate of 0 is a rate.
    assert costs(market(made(bars, [limit], commission_rate=0.01, maker_rate=0))) == [0]


@BOTH
def test_costs_are_of_contracts_and_not_of_lots(market: Market) -> None:
    # 30 in lots of 10: 30 * 0.5 + 0.01 * 30 * 100.
    order = [{**BUY, "qty": 30}]
    rates = {"commission_per_contract": 0.5, "commission_rate": 0.01, "lot": 10}
    assert costs(market(made([flat(100)] * 2, order, **rates))) == [45]


TIERS = {"tiers": [[5, 1, 0.001], [8, 0.5, 0]], "commission_per_contract": 2}


@BOTH
def test_tier_is_of_what_was_traded_before_in_the_month(market: Market) -> None:
    # Before: 0, 4, 8, 9. The second still pays 2 a lot, all four lots of it.
    orders = [{**BUY, "at": at, "qty": qty} for at, qty in ((0, 4), (1, 4), (2, 1), (3, 1))]
    assert costs(market(made([flat(100)] * 5, orders, **TIERS))) == [8, 8, 0.5, 0.5]


@BOTH
def test_tier_begins_anew_with_the_month(market: Market) -> None:
    # A timestamp is a day from 1970 on: index 30 is the last of January.
    orders = [{**BUY, "at": at, "qty": 8} for at in (28, 29, 30)]
    assert costs(market(made([flat(100)] * 32, orders, **TIERS))) == [16, 4, 16]


@BOTH
def test_tier_gives_both_rates_and_the_maker_rate_goes_first(market: Market) -> None:
    # After 5 lots: 1 a lot and 0.001 * 100; a maker pays 0.0005 * 99 beside the 1.
    orders = [
        {**BUY, "qty": 5},
        {**BUY, "at": 1},
        {**BUY, "at": 1, "type": "limit", "limit_price": 99},
    ]
    bars = [flat(100), flat(100), [100, 100, 98, 100, 1]]
    result = market(made(bars, orders, maker_rate=0.0005, **TIERS))
    assert costs(result) == [10, pytest.approx(1.1), pytest.approx(1.0495)]
