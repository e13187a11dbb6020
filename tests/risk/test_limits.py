"""What section `risk` may say, and what it says where it says nothing."""

from __future__ import annotations

import math

import pytest

from intrabar.errors import ConfigError
from intrabar.risk.limits import KEYS, NUMBERS, Limits, left_out

DAY_NS = 86_400_000_000_000


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, True, "5", [5]])
def test_what_is_no_limit_is_refused_with_its_place(key, value):
    with pytest.raises(ConfigError, match=rf"risk\.{key} is "):
        Limits.of({key: value})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"max_dayly_loss_pct": 5}, "unknown key 'max_dayly_loss_pct': did you mean 'max_daily_"),
        ({"zzz": 5}, "unknown key 'zzz': known: max_daily_loss_pct"),
        ({"orders_per_minute_of_symbol": 5}, "unknown key .* did you mean 'orders_per_minute'"),
        ({"allowed_symbols": "AAPL"}, r"risk\.allowed_symbols is 'AAPL', must be a list"),
        ({"allowed_symbols": []}, r"risk\.allowed_symbols is \[\], must be a list"),
        ({"allowed_symbols": ["A", 3]}, r"risk\.allowed_symbols\[1\] is 3"),
        ({"allow_short": 0}, r"risk\.allow_short is 0, must be true or false"),
        ({"day": "5 pm"}, r"risk\.day is '5 pm', must be a time and a zone"),
        ({"day": "17:00 Mars/Base"}, r"risk\.day is '17:00 Mars/Base'"),
        (
            {"on_daily_loss": "sell"},
            r"risk\.on_daily_loss is 'sell', must be 'flatten' or 'reduce'",
        ),
        ({"resume": "never"}, r"risk\.resume is 'never'"),
        ({"max_drawdown_pct": 101}, r"max_drawdown_pct is 101, must be above 0 and up to 100"),
        ([5], r"risk: is \[5\], must be limits by name"),
    ],
)
def test_a_mistake_is_told_with_what_to_write(given, told):
    with pytest.raises(ConfigError, match=told):
        Limits.of(given)


def test_what_is_given_comes_back_as_it_was_said():
    said = {"max_daily_loss_pct": 5, "allowed_symbols": ["A"], "day": "17:00 America/New_York"}
    assert Limits.of(said).given() == said
    assert Limits.of(Limits.of(said)) == Limits.of(said)
    assert Limits.of(None).given() == {}
    assert set(said) < set(KEYS)


def test_what_is_left_out_is_filled_in_by_what_is_traded():
    full = Limits.of({}).filled_in(symbols=4, period=DAY_NS, grace=900.0)
    assert (full.orders_per_minute, full.orders_per_minute_of_symbol) == (38, 10)
    assert (full.price_collar_pct, full.max_spread_pct) == (5.0, 2.0)
    assert (full.orders_per_day, full.duplicate_seconds) == (500, 1.0)
    assert full.stale_after == 2 * 86_400 + 900
    assert Limits.of({}).filled_in(1, 1_000_000_000).stale_after == 30.0
    own = Limits.of({"orders_per_minute": 3}).filled_in(4, DAY_NS)
    assert (own.orders_per_minute, own.orders_per_minute_of_symbol) == (3, 3)


def test_what_needs_quotes_is_named_where_it_was_asked_for():
    assert left_out(Limits.of({"max_spread_pct": 1})) == ("max_spread_pct",)
    assert left_out(Limits.of({})) == ()
