from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from intrabar.data import calendars, schedules
from intrabar.data.schedules import schedule, zone_of
from intrabar.errors import DataError, NotFoundError

from .conftest import day, ns


def hours(calendar: str, on: str) -> tuple[int, int]:
    found = calendars.sessions(calendar, day(on), day(on))
    assert found.date.tolist() == [day(on)]
    return int(found.open[0]), int(found.close[0])


@pytest.mark.parametrize(
    ("calendar", "on", "opening", "close"),
    [
        ("NYSE", "2024-03-08", "2024-03-08T14:30", "2024-03-08T21:00"),  # before the clock change
        ("NYSE", "2024-03-11", "2024-03-11T13:30", "2024-03-11T20:00"),
        ("XNYS", "2024-11-01", "2024-11-01T13:30", "2024-11-01T20:00"),
        ("nasdaq", "2024-11-04", "2024-11-04T14:30", "2024-11-04T21:00"),
        ("NYSE", "2024-07-03", "2024-07-03T13:30", "2024-07-03T17:00"),  # half day
        ("NYSE", "2024-11-29", "2024-11-29T14:30", "2024-11-29T18:00"),
        ("NYSE", "1999-12-31", "1999-12-31T14:30", "1999-12-31T18:00"),  # our override
        ("CME_Equity", "2024-03-11", "2024-03-10T22:00", "2024-03-11T21:00"),
        ("CME_Equity", "2024-11-04", "2024-11-03T23:00", "2024-11-04T22:00"),
        ("CME Globex Equity", "2024-07-04", "2024-07-03T22:00", "2024-07-04T17:00"),
        ("24/5", "2024-03-11", "2024-03-10T21:00", "2024-03-11T21:00"),
        ("24/5", "2024-11-04", "2024-11-03T22:00", "2024-11-04T22:00"),
        ("24/7", "2024-11-03", "2024-11-03T00:00", "2024-11-04T00:00"),
    ],
)
def test_hours_of_a_session(calendar: str, on: str, opening: str, close: str) -> None:
    assert hours(calendar, on) == (ns(opening), ns(close))


@pytest.mark.parametrize(
    ("calendar", "on"),
    [
        ("NYSE", "2001-09-11"),
        ("NYSE", "2024-12-25"),
        ("NYSE", "2025-01-09"),  # day of mourning
        ("NYSE", "2024-03-09"),
        ("CME_Equity", "2024-03-29"),  # our override
        ("CME_Equity", "2024-12-25"),
        ("24/5", "2024-03-10"),
    ],
)
def test_no_session(calendar: str, on: str) -> None:
    assert len(calendars.sessions(calendar, day(on), day(on))) == 0
    assert not calendars.is_session(calendar, np.array([day(on)]))[0]


def test_half_days_and_holidays_of_a_year() -> None:
    half = calendars.half_days("NYSE", date(2024, 1, 1), date(2024, 12, 31))
    assert half.tolist() == [day("2024-07-03"), day("2024-11-29"), day("2024-12-24")]
    shut = calendars.holidays("NYSE", date(2024, 1, 1), date(2024, 12, 31))
    assert [str(d) for d in shut.astype("datetime64[D]")] == [
        "2024-01-01",
        "2024-01-15",
        "2024-02-19",
        "2024-03-29",
        "2024-05-27",
        "2024-06-19",
        "2024-07-04",
        "2024-09-02",
        "2024-11-28",
        "2024-12-25",
    ]


def test_open_is_half_open_and_knows_breaks() -> None:
    at = np.array([ns("2024-07-05T13:29:59"), ns("2024-07-05T13:30"), ns("2024-07-05T20:00")])
    assert calendars.is_open("NYSE", at).tolist() == [False, True, False]
    lunch = np.array([ns("2024-07-05T03:59"), ns("2024-07-05T04:00"), ns("2024-07-05T05:00")])
    assert calendars.is_open("HKEX", lunch).tolist() == [True, False, True]
    # the daily stop of a future, and the weekend
    stop = np.array([ns("2024-07-08T20:59"), ns("2024-07-08T21:30"), ns("2024-07-06T12:00")])
    assert calendars.is_open("CME_Equity", stop).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("calendar", "at", "trade_date"),
    [
        ("CME_Equity", "2024-07-07T22:00", "2024-07-08"),  # Sunday evening is Monday
        ("CME_Equity", "2024-07-07T19:00", "2024-07-08"),  # quotes before the opening
        ("CME_Equity", "2024-07-08T20:59", "2024-07-08"),
        ("CME_Equity", "2024-07-08T22:00", "2024-07-09"),
        ("NYSE", "2024-07-05T08:00", "2024-07-05"),  # before the opening
        ("NYSE", "2024-07-05T23:30", "2024-07-05"),  # after hours, 19:30 in New York
        ("24/5", "2024-07-05T21:30", "2024-07-08"),  # Friday evening
        ("24/7", "2024-07-06T23:59", "2024-07-06"),
        ("", "2024-07-06T23:59", "2024-07-06"),
    ],
)
def test_trade_date(calendar: str, at: str, trade_date: str) -> None:
    assert calendars.trade_dates(calendar, np.array([ns(at)])).tolist() == [day(trade_date)]


def test_hours_of_a_date_that_is_no_session_are_the_regular_ones() -> None:
    days = np.array([day("2024-12-24"), day("2024-12-25"), day("2024-12-26")])
    opening, close = calendars.hours_of("NYSE", days)
    assert opening.tolist() == [ns(f"2024-12-{d}T14:30") for d in (24, 25, 26)]
    assert close.tolist() == [
        ns("2024-12-24T18:00"),
        ns("2024-12-25T21:00"),
        ns("2024-12-26T21:00"),
    ]
    only = calendars.hours_of("24/5", np.array([day("2024-12-29")]))
    assert only[1].tolist() == [ns("2024-12-29T22:00")]


def test_unknown_calendar_names_the_nearest() -> None:
    with pytest.raises(NotFoundError, match=r"unknown calendar 'NYSEE'.*NYSE"):
        calendars.sessions("NYSEE", 0, 10)


def test_a_wrong_year_is_named() -> None:
    with pytest.raises(DataError, match="1885 to 2199"):
        calendars.sessions("NYSE", date(1700, 1, 1), date(2024, 1, 1))


def test_importing_the_module_does_not_import_the_library() -> None:
    code = (
        "import sys, intrabar.data.calendars as c; c.sessions('24/7', 0, 9);"
        "assert 'pandas_market_calendars' not in sys.modules and 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def reference(path: Path) -> pl.DataFrame:
    table = pl.read_csv(path, infer_schema=False)
    table = table.rename({table.columns[0]: "date"})
    return table.select(
        pl.col("date").str.slice(0, 10).str.to_date().to_physical().cast(pl.Int64),
        pl.col("open", "close").str.to_datetime(time_unit="ns", time_zone="UTC").to_physical(),
    )


def test_nyse_sessions_equal_the_reference(real_file: Callable[[str], Path]) -> None:
    want = reference(real_file("reference/calendar_xnys.csv.gz"))
    got = calendars.sessions("NYSE", int(want["date"][0]), int(want["date"][-1]))
    assert got.date.tolist() == want["date"].to_list()
    # Late openings (a minute's silence, snow, computers) and early closes for a cause that
    # only one of the two calendars tells.
    late = (got.open != want["open"].to_numpy()).sum()
    early = (got.close != want["close"].to_numpy()).sum()
    assert (late, early) == (11, 4)


def test_globex_sessions_equal_the_reference(real_file: Callable[[str], Path]) -> None:
    want = reference(real_file("reference/calendar_cmes.csv.gz"))
    got = calendars.sessions("CME_Equity", int(want["date"][0]), int(want["date"][-1]))
    # The reference knows no mornings before Good Friday and shuts on four days of mourning and
    # on 2007-01-02, when Globex traded.
    extra = np.setdiff1d(got.date, want["date"].to_numpy())
    assert [str(d) for d in extra.astype("datetime64[D]")] == [
        "1994-04-27",
        "2004-06-11",
        "2007-01-02",
        "2010-04-02",
        "2012-04-06",
        "2015-04-03",
        "2018-12-05",
        "2021-04-02",
        "2023-04-07",
        "2025-01-09",
        "2026-04-03",
    ]
    both = np.isin(got.date, want["date"].to_numpy())
    assert np.setdiff1d(want["date"].to_numpy(), got.date).size == 0
    assert (got.open[both] == want["open"].to_numpy()).all()
    # The reference ends at 17:00 Chicago: it does not show the hour's stop of every day.
    sooner = (want["close"].to_numpy() - got.close[both]) // 60_000_000_000
    assert (sooner == 60).mean() > 0.96
    assert sooner.min() >= -240


def test_what_the_library_says_is_kept_and_asked_again_where_it_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTRABAR_CACHE", str(tmp_path))
    asked = schedule("NYSE", 2019, 2020)
    files = sorted(tmp_path.glob("calendars/*/NYSE-*.npz"))
    assert files
    monkeypatch.setattr(schedules, "_library", lambda: pytest.fail("the cache has it"))
    kept = schedule("NYSE", 2019, 2020)
    assert kept.close.tolist() == asked.close.tolist()
    assert zone_of("NYSE") == "America/New_York"
    monkeypatch.undo()
    monkeypatch.setenv("INTRABAR_CACHE", str(tmp_path))
    for file in files:
        file.write_bytes(file.read_bytes()[:100])
    assert schedule("NYSE", 2019, 2020).open.tolist() == asked.open.tolist()
