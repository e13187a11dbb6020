from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from intrabar.data.checks import check
from intrabar.data.frames import bars_from_frame
from intrabar.data.periods import WEEK_NS, parse_period
from intrabar.data.readers import Reading, read_file
from intrabar.data.resample import grouped, left_out, phases, resample, usual
from intrabar.errors import DataError
from intrabar.model.bars import DAY_NS, Bars

from .conftest import day, ns

M = 60_000_000_000


def minutes(spans: list[tuple[str, int]], calendar: str, step: int = 5) -> Bars:
    """Bars of `step` minutes: from each start so many, the price rising by 1 a bar."""
    at = [ns(start) + i * step * M for start, count in spans for i in range(count)]
    price = np.arange(len(at), dtype=float) + 100
    frame = pl.DataFrame(
        {
            "time": pl.Series(at).cast(pl.Datetime("ns", "UTC")),
            "open": price,
            "high": price + 2,
            "low": price - 2,
            "close": price + 1,
            "volume": np.ones(len(at)),
        }
    )
    return bars_from_frame(frame, "X", calendar=calendar, period=f"{step}m")


def test_hours_of_a_share_count_from_the_opening_and_end_with_the_session() -> None:
    bars = minutes([("2024-07-05T13:30", 78)], "NYSE")
    hours = resample(bars, parse_period("1h"), "NYSE")
    assert [str(np.datetime64(int(t), "ns"))[11:16] for t in hours.close_time] == [
        "14:30",
        "15:30",
        "16:30",
        "17:30",
        "18:30",
        "19:30",
        "20:00",  # half an hour: known at the close
    ]
    assert hours.open.tolist() == [100 + 12 * i for i in range(7)]
    assert hours.close.tolist() == [112, 124, 136, 148, 160, 172, 178]
    assert hours.high[0] == 100 + 11 + 2
    assert hours.low[1] == 112 - 2
    assert hours.volume.tolist() == [12] * 6 + [6]


def test_buckets_keep_their_local_hours_over_the_clock_change() -> None:
    # Friday before and Monday after 2024-11-03: the opening moves by an hour in UTC
    bars = minutes([("2024-10-31T22:00", 276), ("2024-11-03T23:00", 276)], "CME_Equity")
    four = resample(bars, parse_period("4h"), "CME_Equity")
    ends = [str(np.datetime64(int(t), "ns"))[5:16] for t in four.close_time]
    assert ends == [
        "11-01T02:00",
        "11-01T06:00",
        "11-01T10:00",
        "11-01T14:00",
        "11-01T18:00",
        "11-01T21:00",  # 16:00 in Chicago
        "11-04T03:00",
        "11-04T07:00",
        "11-04T11:00",
        "11-04T15:00",
        "11-04T19:00",
        "11-04T22:00",
    ]
    assert four.session.tolist() == [day("2024-11-01")] * 6 + [day("2024-11-04")] * 6


def test_daily_bars_hold_nothing_from_outside_the_session() -> None:
    bars = minutes([("2024-07-03T12:30", 72), ("2024-07-05T13:30", 78)], "NYSE")
    daily = resample(bars, DAY_NS, "NYSE")
    # 12 bars before the opening, 42 in the half day, 18 after it
    assert daily.open.tolist() == [112, 172]
    assert daily.close.tolist() == [154, 250]
    assert daily.close_time.tolist() == [ns("2024-07-03T17:00"), ns("2024-07-05T20:00")]
    assert daily.open_time.tolist() == [ns("2024-07-03T13:30"), ns("2024-07-05T13:30")]
    assert daily.volume.tolist() == [42, 78]


def test_weeks_end_with_their_last_session() -> None:
    dates = ["2024-06-27", "2024-06-28", "2024-07-01", "2024-07-03", "2024-07-05", "2024-07-08"]
    price = np.arange(6.0) + 10
    frame = pl.DataFrame(
        {"date": dates, "open": price, "high": price, "low": price, "close": price}
    )
    daily = bars_from_frame(frame, "X", calendar="NYSE")
    weeks = resample(daily, WEEK_NS, "NYSE")
    assert weeks.close.tolist() == [11, 14, 15]
    assert weeks.session.tolist() == [day("2024-06-28"), day("2024-07-05"), day("2024-07-08")]
    assert weeks.open_time[1] == ns("2024-07-01T13:30")
    assert weeks.close_time[1] == ns("2024-07-05T20:00")


def test_a_week_is_known_when_its_calendar_ends_it() -> None:
    # No bar on Friday 2024-03-08: the week is known at its close, 16:00 in New York, all the same.
    dates = ["2024-03-04", "2024-03-05", "2024-03-06", "2024-03-07", "2024-03-11"]
    price = np.arange(5.0) + 10
    frame = pl.DataFrame(
        {"date": dates, "open": price, "high": price, "low": price, "close": price}
    )
    weeks = resample(bars_from_frame(frame, "X", calendar="NYSE"), WEEK_NS, "NYSE")
    assert weeks.close.tolist() == [13, 14]
    assert weeks.close_time.tolist() == [ns("2024-03-08T21:00"), ns("2024-03-15T20:00")]


def test_no_bar_is_lost_and_the_extremes_stay() -> None:
    # before, in and after the session, and none of it twice
    bars = minutes([("2024-07-05T08:00", 190)], "NYSE")
    hours = resample(bars, parse_period("30m"), "NYSE")
    assert hours.volume.sum() == bars.volume.sum()
    assert (hours.high.max(), hours.low.min()) == (bars.high.max(), bars.low.min())
    assert (hours.close_time - hours.open_time <= parse_period("30m")).all()
    # no longer bar is known before the last bar inside it, nor starts after the first
    last = np.searchsorted(hours.close_time, bars.close_time, "left")
    assert (hours.open_time[last] <= bars.open_time).all()


@pytest.mark.parametrize(
    ("period", "message"),
    [("5m", "take a multiple"), ("1m", "take a multiple"), ("7m", "take a multiple"), ("2d", "1w")],
)
def test_periods_that_do_not_fit(period: str, message: str) -> None:
    bars = minutes([("2024-07-05T13:30", 78)], "NYSE")
    with pytest.raises(DataError, match=message):
        resample(bars, parse_period(period), "NYSE")


def test_no_bar_inside_a_session() -> None:
    bars = minutes([("2024-07-05T08:00", 12)], "NYSE")
    with pytest.raises(DataError, match="no bar lies inside a session of NYSE"):
        resample(bars, DAY_NS, "NYSE")


def test_bars_of_the_full_hour_count_from_the_hour_of_the_opening() -> None:
    # 09:00 to 16:00 in New York; the first one is known at 10:00 and holds the opening
    bars = minutes([("2024-07-05T13:00", 7)], "NYSE", 60)
    two = resample(bars, parse_period("2h"), "NYSE")
    assert two.open_time[0] == ns("2024-07-05T13:00")
    assert two.volume.tolist() == [2, 2, 2, 1]
    daily = resample(bars, DAY_NS, "NYSE")
    assert (daily.volume.tolist(), daily.close_time[0]) == ([7], ns("2024-07-05T20:00"))
    assert left_out(bars, DAY_NS, "NYSE") == 0


def test_a_day_is_not_known_before_its_last_bar() -> None:
    # 09:30, 10:30, ... 15:30, whose end is dated 16:30; one after hours
    bars = minutes([("2024-07-05T13:30", 7), ("2024-07-05T21:00", 1)], "NYSE", 60)
    daily = resample(bars, DAY_NS, "NYSE")
    assert (daily.volume.tolist(), daily.close_time[0]) == ([7], ns("2024-07-05T20:30"))
    assert left_out(bars, DAY_NS, "NYSE") == 1


def at_slots(slots: set[int], base: int, calendar: str) -> Bars:
    """Bars of five minutes at some slots from an instant on; the price of each is its number."""
    open_time = np.array([base + s * 5 * M for s in sorted(slots)], np.int64)
    price = np.arange(open_time.size, dtype=float) + 1
    frame = pl.DataFrame({"time": open_time // 1_000_000_000}).with_columns(
        **{n: pl.Series(price) for n in ("open", "high", "low", "close", "volume")}
    )
    return bars_from_frame(frame, "X", calendar=calendar, period="5m")


@settings(max_examples=60, deadline=None)
@example({186, 192}, "7h", "NYSE", 0)  # the last bar of a Friday, the first of its Saturday
@given(
    st.sets(st.integers(0, 3 * 1440 // 5), min_size=2),
    st.sampled_from(["10m", "30m", "1h", "4h", "7h", "1d"]),
    st.sampled_from(["NYSE", "CME_Equity", "24/7", ""]),
    st.sampled_from([0, 1, 2]),
)
def test_no_longer_bar_is_known_before_a_bar_inside_it(
    slots: set[int], period: str, calendar: str, shift: int
) -> None:
    # Friday to Monday over the clock change of 2024-11-03, also off the grid
    bars = at_slots(slots, ns("2024-11-01T12:00") + shift * M, calendar)
    try:
        found = resample(bars, parse_period(period), calendar)
    except DataError as error:
        told = str(error)
        if "no bar lies inside a session" in told:
            return
        raise
    lost = left_out(bars, parse_period(period), calendar)
    # each close is the price of one bar, which names it: volume is its number
    last = bars.close_time[np.searchsorted(bars.close, found.close)]
    assert (last <= found.close_time).all()
    first = bars.open_time[np.searchsorted(bars.open, found.open)]
    if period != "1d":
        assert (found.open_time <= first).all()
    if not lost:
        assert found.volume.sum() == bars.volume.sum()


@settings(max_examples=60, deadline=None)
@example({143, 144, 150}, "30m", "24/7", 1)  # the first reaches over midnight
@example({107, 108, 120}, "30m", "24/5", 2)  # over 17:00 in New York
@given(
    st.sets(st.integers(0, 2 * 1440 // 5), min_size=2),
    st.sampled_from(["10m", "30m", "1h", "4h", "7h", "1d"]),
    st.sampled_from(["NYSE", "CME_Equity", "24/7", "24/5", ""]),
    st.sampled_from([0, 1, 2]),
)
def test_what_is_complete_at_a_bar_is_so_whatever_comes_later(
    slots: set[int], period: str, calendar: str, shift: int
) -> None:
    bars = at_slots(slots, ns("2024-10-31T12:00") + shift * M, calendar)
    phase = usual(phases(bars))

    def complete(some: Bars) -> list[tuple[int, float, float, float]]:
        made = grouped(some, parse_period(period), calendar, phase)
        if made is None:
            return []
        known = made.close_time <= bars.close_time[k]
        columns = (made.close_time, made.open, made.close, made.volume)
        return list(zip(*(column[known].tolist() for column in columns), strict=True))

    for k in range(len(bars)):
        assert complete(bars.between(None, int(bars.close_time[k]))) == complete(bars)


def test_real_hours_make_the_real_days(real_file: Callable[[str], Path]) -> None:
    # Hourly and daily bars of one vendor: from 2009 on the hours add up to the day.
    how = Reading(label="start", calendar="NYSE")
    hours = check(read_file(real_file("intraday/lean_spy_1h.csv.gz"), how), "SPY").bars
    daily = read_file(real_file("daily/lean_spy_1d.csv.gz"), Reading(calendar="NYSE"))
    want = check(daily, "SPY").bars
    got = resample(hours, DAY_NS, "NYSE")
    recent, same = got.session >= day("2009-01-01"), want.session >= day("2009-01-01")
    assert got.session[recent].tolist() == want.session[same].tolist()
    assert got.close_time[recent].tolist() == want.close_time[same].tolist()
    assert (got.open[recent] == want.open[same]).mean() > 0.99
    assert (got.close[recent] == want.close[same]).mean() > 0.99
