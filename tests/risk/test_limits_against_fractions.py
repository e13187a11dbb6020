"""Every limit at its figure, one unit in the last place below and above, against the oracle."""

from __future__ import annotations

import math
from fractions import Fraction
from random import Random

import pytest

from intrabar.risk.check import check
from intrabar.risk.judge import _loss
from tests.oracles import naive_risk
from tests.risk.worlds import NOW, asked, book_of, limits, order_from, rule_of, view_of, world_from

PERCENT_OF_DAY = "max_loss_to_stops_pct"


def around(figure: Fraction) -> list[float]:
    near = float(figure)
    return [math.nextafter(near, -math.inf), near, math.nextafter(near, math.inf)]


@pytest.mark.parametrize("rule", naive_risk.FIGURES)
def test_a_limit_refuses_what_is_above_it_and_nothing_else(rule):
    reached = {True: 0, False: 0}
    for seed in range(400):
        rng = Random(f"{rule}/{seed}")
        world = world_from(rng)
        order = order_from(rng, world["lot"], world["marks"])
        if naive_risk.leaves(world, order, world["orders"]):
            continue
        figure = naive_risk.FIGURES[rule](world, order)
        if rule == "max_positions":
            tried = [float(figure - 1), float(figure), float(figure + 1)]
        else:
            tried = around(figure) if figure < 10**250 else [50.0]
        for limit in tried:
            if limit <= 0 or (rule == PERCENT_OF_DAY and limit > 100):
                continue
            found = check(
                asked(order), book_of(world), view_of(world), limits(**{rule: limit}), NOW
            )
            above = figure > naive_risk.decimal(limit)
            assert rule_of(found) == (rule if above else None), (seed, limit)
            reached[above] += 1
            if found is not None and found.value is not None:
                assert found.limit == limit
                assert found.value == pytest.approx(float(figure), rel=1e-9)
    assert min(reached.values()) > 50


@pytest.mark.parametrize("rule", naive_risk.FIGURES)
def test_a_bigger_order_never_passes_where_a_smaller_one_is_refused(rule):
    refused = 0
    for seed in range(150):
        rng = Random(f"bigger/{rule}/{seed}")
        world = world_from(rng)
        order = order_from(rng, world["lot"], world["marks"])
        limit = abs(float(naive_risk.FIGURES[rule](world, order))) or 1.0
        if rule == PERCENT_OF_DAY:
            limit = min(limit, 50.0)
        if rule == "max_positions":
            limit = max(1, int(limit) - 1)
        bound = limits(**{rule: limit})
        was_refused = False
        lot = world["lot"][order["symbol"]]
        for lots in (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144):
            bigger = {**order, "qty": lots * lot}
            found = check(asked(bigger), book_of(world), view_of(world), bound, NOW)
            assert not (was_refused and found is None), (seed, lots)
            was_refused = found is not None
        refused += was_refused
    assert refused > 20


LOSSES = {
    "max_daily_loss_pct": naive_risk.daily_loss_pct,
    "max_daily_loss": naive_risk.daily_loss,
    "max_drawdown_pct": naive_risk.drawdown_pct,
}


@pytest.mark.parametrize("rule", LOSSES)
def test_a_loss_is_a_breach_from_its_limit_on(rule):
    rng = Random(rule)
    for _ in range(500):
        start = round(rng.uniform(1_000, 200_000), rng.choice((0, 2)))
        last = round(start * rng.uniform(0.5, 0.999), rng.choice((0, 2)))
        figure = LOSSES[rule](start, last)
        for limit in around(figure):
            found = _loss(rule, start, start, last, limit)
            assert (found is not None) == (figure >= naive_risk.decimal(limit))


@pytest.mark.parametrize("rule", LOSSES)
@pytest.mark.parametrize("last", [math.nan, math.inf, -math.inf])
def test_an_equity_that_is_not_finite_has_lost_all(rule, last):
    assert _loss(rule, 1000.0, 1000.0, last, 50.0) == math.inf


def test_decimals_are_what_they_are_written_as():
    """10 % of 1,000 is 1,000 contracts at 0.1: not above it, as the doubles' product would be."""
    world = {
        "positions": {}, "stops": {}, "orders": [], "marks": {"AA": 0.1}, "worth": {"AA": 1},
        "lot": {"AA": 1}, "x": 1000.0, "x0": 1000.0,
    }  # fmt: skip
    order = {"strategy": "one", "symbol": "AA", "side": 1, "qty": 1000.0}
    bound = limits(max_position_size_pct=10)
    assert check(asked(order), book_of(world), view_of(world), bound, NOW) is None
    above = {**order, "qty": 1001.0}
    found = check(asked(above), book_of(world), view_of(world), bound, NOW)
    assert found.text == "max_position_size_pct AA: 10.01 % after the order, limit 10 %"
