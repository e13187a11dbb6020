"""Time in session between two instants: nights, weekends, half days and breaks do not count."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from intrabar.data.session_time import time_in_session

HOUR, DAY = 3_600_000_000_000, 86_400_000_000_000


def ns(text: str, zone: str = "America/New_York") -> int:
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return int(local.timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("calendar", "since", "until", "hours"),
    [
        ("NYSE", "2024-03-08 15:00", "2024-03-08 15:30", 0.5),
        ("NYSE", "2024-03-08 15:00", "2024-03-11 10:00", 1.5),  # a weekend, the clocks go forward
        ("NYSE", "2024-03-08 16:00", "2024-03-11 09:30", 0.0),
        ("NYSE", "2024-11-29 12:00", "2024-12-02 10:30", 2.0),  # a half day
        ("24/7", "2024-03-08 12:00", "2024-03-10 12:00", 47.0),  # an hour is lost that Sunday
    ],
)
def test_the_hours_of_a_calendar_count(calendar: str, since: str, until: str, hours: float) -> None:
    assert time_in_session(calendar, ns(since), ns(until), 60_000_000_000) == hours * HOUR


def test_breaks_do_not_count() -> None:
    since, until = ns("2024-03-08 11:00", "Asia/Tokyo"), ns("2024-03-08 13:00", "Asia/Tokyo")
    assert time_in_session("JPX", since, until, 60_000_000_000) == HOUR


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        ("2024-03-08 16:00", "2024-03-11 16:00", 1),
        ("2024-03-08 16:00", "2024-03-11 15:59", 0),
        ("2024-03-28 16:00", "2024-04-01 16:00", 1),  # Good Friday
    ],
)
def test_daily_bars_age_a_day_with_each_close(since: str, until: str, days: int) -> None:
    assert time_in_session("NYSE", ns(since), ns(until), DAY) == days * DAY
