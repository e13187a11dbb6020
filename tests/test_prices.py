"""When two prices are one: by arithmetic on fractions, which round nothing."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intrabar.engine.run import ticks_of_nothing
from intrabar.errors import ConfigError
from intrabar.model.instrument import Instrument
from intrabar.model.prices import near, near_each, reaches, same
from intrabar.sim.costs import round_away, round_down, round_up

TICKS = (0.01, 0.05, 0.25, 1.0, 0.1, 1e-6, 1e-8, 1 / 32)


@given(st.integers(1, 10**9), st.sampled_from(TICKS))
def test_a_price_on_the_grid_stays_however_many_ticks_it_has(ticks: int, tick: float) -> None:
    written = float(ticks * Fraction(str(tick)))  # the double nearest to what a file says
    for rounded in (round_up(written, tick), round_down(written, tick)):
        assert round(rounded / tick) == ticks
        assert rounded == ticks * tick


@given(st.integers(1, 10**6), st.floats(2e-4, 1 - 2e-4), st.sampled_from(TICKS))
def test_a_price_between_two_ticks_goes_to_its_side(ticks: int, part: float, tick: float) -> None:
    price = (ticks + part) * tick
    assert round(round_up(price, tick) / tick) == ticks + 1
    assert round(round_down(price, tick) / tick) == ticks


@pytest.mark.parametrize("price", [1.0, 100.1, 64.0, 1e-5, 7e8])
def test_without_a_grid_four_units_in_the_last_place_are_nothing(price: float) -> None:
    for side in (1, -1):
        assert round_away(price, 0.0, side) == price
        for units, equal in ((4, True), (5, False), (-4, True), (-5, False)):
            other = price + units * math.ulp(price)
            reached = side * units >= 0 or equal
            assert bool(same(other, price, 0.0)) == equal
            assert bool(reaches(side, other, price, 0.0)) == reached


@given(st.floats(1e-290, 1e300))
def test_the_unit_in_the_last_place_is_that_of_the_price_at_any_size(price: float) -> None:
    assert near(price, 0.5 * price, 0.0) == 4 * math.ulp(price)


@given(st.floats(1e-6, 1e9), st.floats(-1e-3, 1e-3), st.sampled_from((*TICKS, 0.0)))
def test_arrays_and_numbers_are_judged_alike(price: float, off: float, tick: float) -> None:
    other = price + off * tick
    assert near_each(np.array([price]), np.array([other]), tick)[0] == near(price, other, tick)


def test_ticks_without_a_grid_are_told() -> None:
    gridless = Instrument("A", tick_size=0.0, slippage_ticks=1.0)
    told = [r.text for r in ticks_of_nothing((gridless, Instrument("B", slippage_ticks=1.0)))]
    assert told == [
        "A: slippage_ticks is 1, and without a grid (tick_size 0) that is nothing; "
        "write slippage_pct, a fraction of the price"
    ]


def test_a_tick_value_needs_a_tick() -> None:
    with pytest.raises(ConfigError, match="write point_value"):
        Instrument.from_mapping("A", {"tick_size": 0, "tick_value": 5})
