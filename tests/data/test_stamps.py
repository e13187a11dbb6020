from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.data.stamps import parse_stamps, to_utc
from intrabar.errors import ConfigError, DataError

from .conftest import ns

NEW_YORK = "America/New_York"


def utc(texts: list[str], zone: str = NEW_YORK, ambiguous: str = "raise") -> list[int]:
    stamps = parse_stamps(pl.Series(texts))
    return to_utc(stamps, zone, np.arange(len(texts)) + 2, ambiguous).tolist()


def test_an_hour_that_happens_twice_is_told_by_the_order() -> None:
    # 00:30, 01:00, 01:30 in summer time; 01:00, 01:30 again in winter time; 02:00
    walls = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"]
    got = utc([f"2024-11-03 {w}" for w in walls])
    assert got == [ns("2024-11-03T04:30") + i * 1_800_000_000_000 for i in range(6)]


def test_hourly_bars_over_both_clock_changes() -> None:
    autumn = utc(["2024-11-03 00:00", "2024-11-03 01:00", "2024-11-03 01:00", "2024-11-03 02:00"])
    assert np.diff(autumn).tolist() == [3_600_000_000_000] * 3
    spring = utc(["2024-03-10 01:00", "2024-03-10 03:00"])
    assert np.diff(spring).tolist() == [3_600_000_000_000]


def test_an_hour_that_cannot_be_told_names_the_row() -> None:
    texts = ["2024-11-03 00:30", "2024-11-03 01:30", "2024-11-03 02:30"]
    with pytest.raises(DataError, match=r"row 3: 2024-11-03 01:30:00 happens twice .*--ambiguous"):
        utc(texts)
    assert utc(texts, ambiguous="earliest")[1] == ns("2024-11-03T05:30")
    assert utc(texts, ambiguous="latest")[1] == ns("2024-11-03T06:30")
    with pytest.raises(ConfigError, match="ambiguous is 'second'"):
        utc(texts, ambiguous="second")


def test_a_time_that_clocks_skip_names_the_row() -> None:
    with pytest.raises(DataError, match=r"row 3: 2024-03-10 02:30:00 does not exist .*--zone"):
        utc(["2024-03-10 01:30", "2024-03-10 02:30"])


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([NEW_YORK, "America/Chicago", "Europe/London", "Australia/Sydney", "UTC"]),
    st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from([5, 15, 30, 60]),
)
def test_a_gapless_series_survives_the_trip_through_local_text(
    zone: str, start: datetime, minutes: int
) -> None:
    # Six days of bars from any instant on: in text without offsets and back.
    first = start.replace(minute=0, second=0, microsecond=0, tzinfo=ZoneInfo("UTC"))
    instants = [first + timedelta(minutes=minutes * i) for i in range(6 * 1440 // minutes)]
    texts = [i.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S") for i in instants]
    want = [int(i.timestamp()) * 1_000_000_000 for i in instants]
    # A series that begins or ends inside the doubled hour cannot be told: an error, no guess.
    edges = {
        i.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d") for i in instants[:1] + instants[-1:]
    }
    told = ""
    try:
        got = utc(texts, zone)
    except DataError as error:
        told, got = str(error), want
    assert got == want
    assert not told or ("happens twice" in told and any(day in told for day in edges))


@pytest.mark.parametrize(
    ("text", "wall"),
    [
        ("2024-07-05 09:30", "2024-07-05T09:30"),
        ("2024-07-05T09:30:15.250", "2024-07-05T09:30:15.250"),
        ("07/15/2024 09:30", "2024-07-15T09:30"),
        ("7/15/2024", "2024-07-15"),
        ("20240705", "2024-07-05"),
        ("20240705 093000", "2024-07-05T09:30"),
        ("2024/07/05 09:30:00", "2024-07-05T09:30"),
        ("07/15/2024 9:30 PM", "2024-07-15T21:30"),
    ],
)
def test_ways_to_write_a_stamp(text: str, wall: str) -> None:
    stamps = parse_stamps(pl.Series([text]))
    assert stamps.readable.all()
    assert stamps.wall.tolist() == [ns(wall)]


@pytest.mark.parametrize("text", ["soon", "", "2024-13-01", "2024-07-05 25:00"])
def test_what_is_no_stamp(text: str) -> None:
    assert not parse_stamps(pl.Series([text, "2024-07-05"])).readable[0]


def test_a_series_that_starts_inside_the_doubled_hour_is_not_guessed() -> None:
    with pytest.raises(DataError, match="happens twice"):
        utc(["2024-11-03 01:30", "2024-11-03 02:00"])
