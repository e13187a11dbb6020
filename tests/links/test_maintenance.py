"""When a vendor has announced that it is down, by hand-made clocks."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from intrabar.errors import ConfigError
from intrabar.links.maintenance import AHEAD, is_down, window_of

NEW_YORK = ZoneInfo("America/New_York")


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("time", "down"),
    [
        ("2024-03-08 23:44:59", False),
        ("2024-03-08 23:45:00", True),
        ("2024-03-09 00:00:00", True),
        ("2024-03-09 00:44:59", True),
        ("2024-03-09 00:45:00", False),
        ("2024-03-10 23:50:00", True),  # the clock was changed that day
        ("2024-03-11 00:30:00", True),
        ("2024-03-09 12:00:00", False),
    ],
)
def test_a_window_over_midnight(time: str, down: bool) -> None:
    window = window_of("23:45-00:45 America/New_York")
    assert is_down([window], at(time)) is down


def test_two_minutes_ahead_nothing_is_entered_any_more() -> None:
    window = window_of("06:00-06:10 America/New_York")
    assert not is_down([window], at("2024-05-01 05:57:59"), AHEAD)
    assert is_down([window], at("2024-05-01 05:58:00"), AHEAD)
    assert not is_down([window], at("2024-05-01 05:58:00"))


WRONG = (
    "",
    "6:00-7:00 UTC",
    "25:00-26:00 UTC",
    "06:00-07:00",
    "06:00-06:00 UTC",
    "06:00-07:00 Moon",
)


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="two times of day and a zone"):
        window_of(text)
