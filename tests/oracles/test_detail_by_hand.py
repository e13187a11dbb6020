"""Lower bars inside a bar, and the calibrated coin: worked out by hand, on both markets."""

from __future__ import annotations

import pytest

from tests.oracles.by_hand import BOTH, BUY, SELL, Market, fills, flat, made
from tests.oracles.naive_market import Market as Oracle

BRACKET = {**BUY, "stop_loss": 95, "take_profit": 105}
BAR = [100, 106, 94, 101, 1]  # holds the stop and the target
UP_FIRST = [[100, 106, 99, 104], [104, 104, 94, 101]]
DOWN_FIRST = [[100, 101, 94, 96], [96, 106, 96, 101]]


def detailed(lower: list | None, order: dict, bar: list | None = None, **options: object) -> dict:
    detail = {"A": [None, lower]}
    bars = [flat(100), bar or BAR]
    return made(bars, [order], path_policy="detail", detail=detail, **options)


@BOTH
@pytest.mark.parametrize(
    ("lower", "price"), [(UP_FIRST, 105), (DOWN_FIRST, 95), (None, 95), ([], 95)]
)
def test_detail_says_which_came_first(market: Market, lower: list | None, price: float) -> None:
    """Without detail the path is the shortest: 101 is above 100, so the low comes first."""
    assert fills(market(detailed(lower, BRACKET)))[1][4] == price


@BOTH
@pytest.mark.parametrize(
    "wrong",
    [
        [[100.5, 106, 99, 104], UP_FIRST[1]],
        [[100, 107, 99, 104], UP_FIRST[1]],
        [UP_FIRST[0], [104, 104, 93, 101]],
        [UP_FIRST[0], [104, 104, 94, 102]],
    ],
)
def test_lower_bars_of_another_bar_say_nothing(market: Market, wrong: list) -> None:
    assert fills(market(detailed(wrong, BRACKET)))[1][4] == 95


@BOTH
def test_lower_bar_is_walked_on_its_shortest_path(market: Market) -> None:
    # Falls from 100 to 99: over 107 first, though 94 is nearer. As one bar, which ends at 101,
    # over 94 first.
    lower = [[100, 107, 94, 99], [99, 101, 99, 101]]
    assert fills(market(detailed(lower, BRACKET, [100, 107, 94, 101, 1])))[1][4] == 105


@BOTH
def test_jump_between_lower_bars_gives_its_open(market: Market) -> None:
    # 100 falls to 99, jumps to 96, and goes on: the stop at 97 gets 96, slipped; a limit 96.
    lower = [[100, 100, 99, 99], [96, 101, 94, 101]]
    bar = [100, 101, 94, 101, 1]
    stop = {**SELL, "type": "stop", "stop_price": 97}
    assert fills(market(detailed(lower, stop, bar, slippage_ticks=1))) == [
        (1, "intrabar", "o0", 1, 95)
    ]
    limit = {**BUY, "type": "limit", "limit_price": 98}
    assert fills(market(detailed(lower, limit, bar))) == [(1, "intrabar", "o0", 1, 96)]


@BOTH
def test_lower_bar_that_goes_on_where_the_last_one_stood_is_no_jump(market: Market) -> None:
    # The limit at 98 wants 97; 98 ends one lower bar and begins the next.
    lower = [[100, 100, 98, 98], [98, 101, 98, 101]]
    limit = {**BUY, "type": "limit", "limit_price": 98}
    scenario = detailed(lower, limit, [100, 101, 98, 101, 1], limit_through_ticks=1)
    assert fills(market(scenario)) == []


@BOTH
def test_child_that_is_born_in_a_jump_sees_the_rest(market: Market) -> None:
    # Bought in the jump to 96; its stop at 95 is met below.
    lower = [[100, 100, 99, 99], [96, 101, 94, 101]]
    limit = {**BUY, "type": "limit", "limit_price": 98, "stop_loss": 95}
    result = market(detailed(lower, limit, [100, 101, 94, 101, 1]))
    assert [f["price"] for f in result["fills"]] == [96, 95]


@BOTH
def test_market_rest_waits_between_lower_bars(market: Market) -> None:
    # The stop gets 1 of 2; the rest does not take the jump but the next open.
    lower = [[100, 100, 97, 97], [99, 100, 99, 100]]
    scenario = detailed(
        lower,
        {**SELL, "qty": 2, "type": "stop", "stop_price": 98},
        [100, 100, 97, 100, 10],
        max_volume_share=0.1,
    )
    scenario["bars"]["A"].append(flat(103, 10))
    scenario["detail"]["A"].append(None)
    assert fills(market(scenario)) == [(1, "intrabar", "o0", 1, 98), (2, "open", "o0", 1, 103)]


@pytest.mark.parametrize(
    ("lower", "sure"),
    [(UP_FIRST, "settled"), ([[100, 106, 94, 101]], "ambiguous"), (None, "ambiguous")],
)
def test_detail_settles_what_a_bar_leaves_open(lower: list | None, sure: str) -> None:
    market = Oracle(detailed(lower, BRACKET))
    market.run()
    assert market.certainty == ["", sure]


@BOTH
@pytest.mark.parametrize(("trust", "price"), [(1, 95), (0, 105)])
def test_calibrated_believes_the_shortest_path_or_not(
    market: Market, trust: float, price: float
) -> None:
    options = {"path_policy": "calibrated", "path_trust": trust, "seed": 7}
    assert fills(market(made([flat(100), BAR], [BRACKET], **options)))[1][4] == price


@BOTH
def test_calibrated_believes_as_often_as_it_is_told(market: Market) -> None:
    # 400 bars, each entered and left inside: 300 stops are expected, 8.7 is one deviation.
    bars = [flat(100), *[BAR] * 400]
    orders = [{**BRACKET, "at": n, "id": f"o{n}"} for n in range(400)]
    options = {"path_policy": "calibrated", "path_trust": 0.75, "seed": 11}
    result = market(made(bars, orders, **options))
    stops = sum(f["reason"] == "stop" for f in result["fills"])
    assert len(result["fills"]) == 800
    assert 265 < stops < 335
