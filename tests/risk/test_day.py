"""Days of the limits, against hand tables; what a gap, a transfer and a broker's balance do."""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from intrabar.risk.breaker import ACCOUNT
from intrabar.risk.day import Broker, Day, date_of, day_begins, day_of, equity_that_counts


def ns(text: str, zone: str = "America/New_York") -> int:
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return int(local.timestamp()) * 1_000_000_000


FUTURES, SHARES = "17:00 America/New_York", "00:00 America/New_York"


@pytest.mark.parametrize(
    ("close", "begins", "day"),
    [
        ("2024-03-08 16:00", SHARES, "2024-03-08"),
        ("2024-03-08 00:00", SHARES, "2024-03-07"),  # the bar that ends at midnight is of the night
        ("2024-03-08 00:01", SHARES, "2024-03-08"),
        ("2024-03-08 17:00", FUTURES, "2024-03-08"),
        ("2024-03-08 17:01", FUTURES, "2024-03-09"),
        ("2024-03-10 18:01", FUTURES, "2024-03-11"),  # Sunday evening, the clocks went forward
        ("2024-11-03 18:05", FUTURES, "2024-11-04"),  # and back
        ("2024-11-03 01:30", SHARES, "2024-11-03"),
    ],
)
def test_a_row_belongs_to_the_day_in_which_its_bar_lies(close, begins, day):
    assert date_of(day_of(ns(close), begins)) == day


def test_a_day_begins_as_the_first_exchange_says():
    assert day_begins("Europe/London", False) == "00:00 Europe/London"
    assert day_begins("America/Chicago", True) == FUTURES
    assert date_of(day_of(ns("2024-06-03 23:30", "UTC"), "00:00 UTC")) == "2024-06-03"


def test_a_day_begins_with_the_last_equity_before_it_so_that_a_gap_counts():
    day = Day.first(1000.0, ("bot",)).on(5).measured({ACCOUNT: 1010.0, "bot": 1010.0})
    assert day.start[ACCOUNT] == 1000.0
    gapped = day.on(6).measured({ACCOUNT: 900.0, "bot": 905.0})
    assert (gapped.start[ACCOUNT], gapped.peak[ACCOUNT]) == (1010.0, 1010.0)
    assert gapped.on(6) is gapped
    assert gapped.body() == {
        "day": "0001-01-06",
        "x0": {ACCOUNT: 1010.0, "bot": 1010.0},
        "peak": {ACCOUNT: 1010.0, "bot": 1010.0},
        "g": 0.0,
    }


def test_an_equity_that_is_not_finite_is_no_peak():
    day = Day.first(1000.0, ()).measured({ACCOUNT: math.nan})
    assert day.peak[ACCOUNT] == 1000.0
    assert math.isnan(day.last[ACCOUNT])
    assert Day.first(1000.0, ()).measured({ACCOUNT: math.inf}).peak[ACCOUNT] == 1000.0


def test_a_transfer_is_no_profit():
    day = Day.first(1000.0, ("bot",)).transferred(-200.0)
    assert {day.last[ACCOUNT], day.start[ACCOUNT], day.peak["bot"]} == {800.0}


def test_the_broker_counts_where_it_has_less_and_may_be_believed():
    assert equity_that_counts(1000.0) == 1000.0
    assert equity_that_counts(1000.0, Broker(1500.0, 600.0)) == 900.0
    assert equity_that_counts(1000.0, Broker(1700.0, 600.0)) == 1000.0
    assert equity_that_counts(1000.0, Broker(1500.0, 600.0, counts=False)) == 1000.0
    assert equity_that_counts(1000.0, Broker(math.nan, 600.0)) == 1000.0
    assert math.isnan(equity_that_counts(math.nan, Broker(1500.0, 600.0)))


def test_a_rule_that_begins_anew_begins_from_the_present():
    day = Day.first(1000.0, ("bot",)).measured({ACCOUNT: 900.0, "bot": 950.0})
    anew = day.anew(ACCOUNT, start=True, peak=False)
    assert (anew.start[ACCOUNT], anew.peak[ACCOUNT], anew.start["bot"]) == (900.0, 1000.0, 1000.0)
    assert day.anew("bot", start=False, peak=True).peak["bot"] == 950.0
