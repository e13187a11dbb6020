"""The end of a "gtd" order is an instant of UTC, whatever the time zone of the machine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest

import intrabar as ib
from intrabar.errors import StrategyError
from intrabar.model.instant import utc_ns
from intrabar.strategy.strategy import Strategy
from tests.strategy.markets import DAY_NS, ns, run_of, walk

FIRST = ns(2024, 1, 1)


class Until(Strategy):
    """One order at the first close."""

    def __init__(self, until: Any, tif: str = "gtd") -> None:
        self.until, self.tif = until, tif

    def on_close(self, now: Any) -> None:
        if now.bar == 0:
            now.buy(1, limit=1.0, tif=self.tif, until=self.until)


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Tokyo"])
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("this system has no tzset")
    monkeypatch.setitem(os.environ, "TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def ended(until: Any) -> int:
    """The daily bar at whose close the order expired; bar k closes at January 2 + k, 0:00."""
    bars = walk(20, start=FIRST, period=DAY_NS)
    return int(run_of(bars, Until(until)).orders["done_bar"][0])


@pytest.mark.usefixtures("_zone")
def test_a_time_without_a_zone_is_in_utc() -> None:
    assert ended(datetime(2024, 1, 6)) == 4
    assert ended(datetime(2024, 1, 6, tzinfo=UTC)) == 4
    assert ended(datetime(2024, 1, 6, 0, 0, 0, 1)) == 5
    assert ended(datetime(2024, 1, 5, 19, tzinfo=timezone(timedelta(hours=-5)))) == 4


@pytest.mark.usefixtures("_zone")
def test_a_date_is_good_for_that_date() -> None:
    # The bar of January 5 closes at the midnight after it, bar 4.
    assert ended(date(2024, 1, 5)) == 4
    hours = walk(60, start=FIRST, period=DAY_NS // 24)
    orders = run_of(hours, Until(date(2024, 1, 1))).orders
    assert orders["done_bar"][0] == 23


def test_an_instant_is_exact_to_its_microsecond() -> None:
    # GNU date +%s gives the seconds. A double has but 256 ns here: it would say ...001,024.
    assert utc_ns(datetime(2024, 1, 6, 0, 0, 0, 1)) == 1_704_499_200_000_001_000


def test_a_date_ends_with_its_midnight_in_the_zone_of_the_exchange() -> None:
    close = 100.0 + np.arange(80) % 5
    index = pd.date_range("2024-01-02", periods=80, freq="h", tz="UTC")
    columns = {"open": close, "high": close + 1, "low": close - 1, "close": close}
    bars = pd.DataFrame({**columns, "volume": 1.0}, index=index)
    for calendar, end in (("NYSE", datetime(2024, 1, 4, 5)), ("none", datetime(2024, 1, 4))):
        what = {"calendar": calendar, "tick_size": 0.01, "point_value": 1.0}
        run = ib.backtest(Until(date(2024, 1, 3)), bars, instruments={"ASSET": what})
        assert run.orders["done_time"][0] == end.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("until", "tif", "message"),
    [
        (datetime(2024, 1, 5), "gtc", "until is for orders with tif='gtd', this one has 'gtc'"),
        (None, "gtd", "a gtd order needs until"),
        ("2024-01-05", "gtd", "must be a datetime or a date"),
        (datetime(9999, 1, 1), "gtd", "must be from 1700 to 2261"),
        (date(9999, 1, 1), "gtd", "must be from 1700 to 2261"),
    ],
)
def test_an_end_that_says_nothing_is_refused(until: Any, tif: str, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        run_of(walk(5), Until(until, tif))
