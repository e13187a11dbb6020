from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.data.checks import Checked, check, write_rejected
from intrabar.data.readers import Reading, read_file, read_frame
from intrabar.errors import DataError

from .conftest import ns

HEADER = "Date,Open,High,Low,Close,Volume\n"


def checked(
    tmp_path: Path, rows: list[str], *, header: str = HEADER, sort: bool = False, **how: object
) -> Checked:
    path = tmp_path / "x.csv"
    path.write_text(header + "\n".join(rows) + "\n")
    return check(read_file(path, Reading(**how)), "X", sort=sort)  # type: ignore[arg-type]


GOOD = ["2024-07-01,10,12,9,11,100", "2024-07-02,11,13,10,12,100", "2024-07-03,12,13,11,12,100"]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("soon,10,12,9,11,100", "stamp"),
        (",10,12,9,11,100", "stamp"),
        ("2024-07-05,10,,9,11,100", "blank"),
        ("2024-07-05,10,n/a,9,11,100", "blank"),
        ("2024-07-05,10,nan,9,11,100", "blank"),
        ("2024-07-05,10,inf,9,11,100", "blank"),
        ("2024-07-05,10,12,9,11,", "blank"),
        ("2024-07-05,10,12,0,11,100", "price"),
        ("2024-07-05,10,12,-9,11,100", "price"),
        ("2024-07-05,10,12,9,11,-100", "volume"),
        ("2024-07-05,10,12,9,13,100", "ohlc"),
        ("2024-07-05,8,12,9,11,100", "ohlc"),
        ("2024-07-05,10,9,12,11,100", "ohlc"),
        ("2024-07-02,10,12,9,11,100", "duplicate"),
    ],
)
def test_a_row_that_cannot_be_used_is_set_aside(tmp_path: Path, row: str, rule: str) -> None:
    found = checked(tmp_path, [*GOOD, row, "2024-07-08,12,13,11,12,100"], calendar="NYSE")
    assert len(found.bars) == 4
    assert found.count(rule) == 1
    assert [f.rule for f in found.findings if f.severity == "error"] == [rule]
    assert found.rejected["row"].to_list() == [5]
    assert found.rejected["rule"].to_list() == [rule]

    written = write_rejected(found, tmp_path / "deep" / "x.rejected.csv")
    assert written is not None
    header, line = written.read_text().splitlines()
    assert header == "row,rule,Date,Open,High,Low,Close,Volume"
    assert line == f"5,{rule},{row}"


def test_sound_rows_leave_no_file(tmp_path: Path) -> None:
    found = checked(tmp_path, GOOD, calendar="NYSE")
    assert {f.severity for f in found.findings} == {"ok"}
    assert write_rejected(found, tmp_path / "x.rejected.csv") is None
    assert not (tmp_path / "x.rejected.csv").exists()


def test_a_broken_row_does_not_push_out_a_sound_one_of_the_same_time(tmp_path: Path) -> None:
    found = checked(tmp_path, [GOOD[0], "2024-07-02,,,,,", *GOOD[1:]])
    assert (found.count("blank"), found.count("duplicate")) == (1, 0)
    assert found.bars.close.tolist() == [11, 12, 12]


def test_no_usable_row_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no row can be used: 1 rows set aside: a price is 0"):
        checked(tmp_path, ["2024-07-05,0,0,0,0,1"])


def test_unsorted_rows_are_refused_and_sort_orders_them(tmp_path: Path) -> None:
    rows = [GOOD[2], GOOD[0], GOOD[1]]
    with pytest.raises(DataError, match=r"row 3 .* is earlier than the row before .*--sort"):
        checked(tmp_path, rows)
    found = checked(tmp_path, rows, sort=True)
    assert found.bars.close.tolist() == [11, 12, 12]
    assert found.count("order") == 1


def test_rounding_moves_the_extreme_and_says_so(tmp_path: Path) -> None:
    found = checked(tmp_path, ["2024-07-01,10,10.999999999999,9,11,1", *GOOD[1:]])
    assert found.count("rounding") == 1
    assert found.bars.high[0] == 11.0
    assert found.rejected.height == 0


def test_missing_sessions_and_dates_outside(tmp_path: Path) -> None:
    rows = [f"2024-07-{d:02},1,1,1,1,1" for d in (1, 2, 4, 5, 6)]  # the 3rd; the 4th; a Saturday
    found = checked(tmp_path, rows, calendar="NYSE")
    by_rule = {f.rule: f for f in found.findings}
    assert by_rule["missing sessions"].examples == ("2024-07-03",)
    assert by_rule["dates outside"].examples == ("2024-07-04", "2024-07-06")
    # such a day still has hours
    assert found.bars.close_time[2] == ns("2024-07-04T20:00")


def minutes(start: str, count: int, *, skip: tuple[int, ...] = ()) -> list[str]:
    at = ns(start)
    stamps = [at + i * 60_000_000_000 for i in range(count) if i not in skip]
    return [f"{str(np.datetime64(t, 'ns'))[:19]}Z,1,1,1,1,1" for t in stamps]


TIMED = HEADER.replace("Date", "Time")


def test_missing_bars_and_holes_inside_a_session(tmp_path: Path) -> None:
    rows = minutes("2024-07-05T13:30", 390, skip=(5, 6, 7, 100))
    found = checked(tmp_path, rows, header=TIMED, calendar="NYSE")
    by_rule = {f.rule: f for f in found.findings}
    assert by_rule["missing bars"].count == 4
    assert "in 2 holes" in by_rule["missing bars"].text
    assert by_rule["bars outside"].count == 0


def test_a_half_day_expects_no_afternoon(tmp_path: Path) -> None:
    rows = minutes("2024-07-03T13:30", 210) + minutes("2024-07-05T13:30", 390)
    found = checked(tmp_path, rows, header=TIMED, calendar="NYSE")
    assert (found.count("missing bars"), found.count("missing sessions")) == (0, 0)


def test_the_daily_stop_of_a_future_is_no_hole_over_the_clock_change(tmp_path: Path) -> None:
    # Friday to Tuesday around 2024-11-03: sessions 17:00 to 16:00 Chicago
    rows = minutes("2024-10-31T22:00", 1380)
    rows += minutes("2024-11-03T23:00", 1380)
    rows += minutes("2024-11-04T23:00", 1380)
    found = checked(tmp_path, rows, header=TIMED, calendar="CME_Equity")
    assert {f.severity for f in found.findings} == {"ok"}
    assert np.unique(found.bars.session).size == 3


def test_bars_outside_the_session_are_counted(tmp_path: Path) -> None:
    rows = minutes("2024-07-05T13:20", 400)
    found = checked(tmp_path, rows, header=TIMED, calendar="NYSE")
    assert found.count("bars outside") == 10


def test_bars_off_the_grid(tmp_path: Path) -> None:
    rows = minutes("2024-07-05T13:30", 10)
    rows.insert(3, "2024-07-05T13:32:30Z,1,1,1,1,1")
    found = checked(tmp_path, rows, header=TIMED, calendar="24/7")
    assert found.count("off the grid") == 1
    assert found.count("missing bars") == 0


def test_bars_of_another_period_overlap(tmp_path: Path) -> None:
    rows = [f"2024-07-05T{h}:00Z,1,1,1,1,1" for h in ("13:30", "13:35", "13:40", "13:42", "13:45")]
    found = checked(tmp_path, rows, header=TIMED)
    # the bar of 13:42 lies inside that of 13:40 and reaches into that of 13:45
    assert found.count("overlap") == 2


def test_four_hour_bars_keep_their_grid_over_the_clock_change(tmp_path: Path) -> None:
    sessions = ["2024-10-30T22", "2024-10-31T22", "2024-11-03T23", "2024-11-04T23"]
    at = [np.datetime64(s) + np.timedelta64(4 * i, "h") for s in sessions for i in range(6)]
    rows = [f"{t}:00:00Z,1,1,1,1,1" for t in at]
    found = checked(tmp_path, rows, header=TIMED, calendar="CME_Equity", period="4h")
    assert {f.severity for f in found.findings} <= {"ok"}


@pytest.mark.parametrize(
    ("zone", "hint"), [("America/New_York", ""), ("America/Chicago", "-1 hours"), ("UTC", "+4 h")]
)
def test_a_zone_that_looks_wrong_is_doubted(tmp_path: Path, zone: str, hint: str) -> None:
    rows = [r.replace("Z,", ",") for d in (1, 2, 5) for r in minutes(f"2024-07-0{d}T09:30", 390)]
    found = checked(tmp_path, rows, header=TIMED, calendar="NYSE", zone=zone)
    told = " ".join(f.text for f in found.findings if f.rule == "zone")
    assert bool(told) == bool(hint)
    assert hint in told


@pytest.mark.parametrize(("label", "hint"), [("start", ""), ("end", "--label start")])
def test_a_label_that_looks_wrong_is_doubted(tmp_path: Path, label: str, hint: str) -> None:
    rows = []
    for d in ("01", "02", "05", "08", "09"):
        rows += minutes(f"2024-07-{d}T13:30", 390)
    found = checked(tmp_path, rows, header=TIMED, calendar="NYSE", label=label)
    told = " ".join(f.text for f in found.findings if f.rule == "label")
    assert bool(told) == bool(hint)
    assert hint in told


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 40),
            st.lists(st.sampled_from([-1.0, 0.0, 1.0, 2.0, 3.0, None]), min_size=4, max_size=4),
        ),
        min_size=2,
        max_size=30,
    )
)
def test_every_row_is_either_a_bar_or_set_aside(
    rows: list[tuple[int, list[float | None]]],
) -> None:
    base = np.datetime64("2024-07-01")
    prices = pl.DataFrame([p for _, p in rows], schema=list("ohlc"), orient="row").cast(pl.Float64)
    frame = prices.with_columns(
        date=pl.Series([str(base + np.timedelta64(d, "D")) for d, _ in rows])
    )
    names = {"time": "date", "open": "o", "high": "h", "low": "l", "close": "c"}
    raw = read_frame(frame, Reading(mapping=names, period="1d"))
    try:
        found = check(raw, "X", sort=True)
    except DataError as error:
        told = str(error)
        if "row can be used" in told or "rows can be used" in told:
            return  # most of it is broken
        if "cannot be traded" in told or "have the time of another row" in told:
            return
        raise
    bars = found.bars
    assert len(bars) + found.rejected.height == len(rows)
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert (bars.low > 0).all()
    assert sum(f.count for f in found.findings if f.severity == "error") == found.rejected.height
