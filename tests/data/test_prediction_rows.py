"""A file of predictions bar by bar: as on all bars at once, while rows and bars are added."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from intrabar.data.calendars import hours_of, sessions
from intrabar.data.live.grid import Grid
from intrabar.data.prediction_bars import BarsOf
from intrabar.data.prediction_rows import FileRows, NewBar
from intrabar.errors import FileError
from intrabar.indicators.given import Request
from tests.data.test_predictions import DAY, HOUR, START, at, bars_of, frame, put, stamps

NYSE = "NYSE"


def days_of_nyse(n: int = 120) -> BarsOf:
    known = sessions(NYSE, START // DAY, START // DAY + 2 * n)
    date = known.date[:n]
    opening, close = hours_of(NYSE, date)
    bars = replace(bars_of(n), open_time=opening, close_time=close, session=date)
    return replace(bars, zone="America/New_York", is_daily=True)


def some(bars: BarsOf, n: int) -> BarsOf:
    arrays = {x: getattr(bars, x)[:n] for x in ("close_time", "open_time", "close", "session")}
    return replace(bars, **arrays, splits=tuple(k for k in bars.splits if k < n))


def bar(bars: BarsOf, k: int) -> NewBar:
    return NewBar(
        int(bars.close_time[k]), int(bars.open_time[k]), float(bars.close[k]),
        int(bars.session[k]), k in bars.splits,
    )  # fmt: skip


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("place", ["made", "start", "target", "dates made", "dates target"])
def test_bar_by_bar_a_row_stands_where_it_stands_on_all_bars(
    tmp_path: Path, place: str, horizon: int
) -> None:
    bars = days_of_nyse() if place.startswith("dates") else replace(bars_of(), splits=(350,))
    calendar = NYSE if place.startswith("dates") else "24/7"
    if place.startswith("dates"):
        made = frame(bars, "made", horizon)
        first = horizon if place.endswith("target") else 0
        own = bars.session[first : first + len(made)] * DAY
        made = made.with_columns(Time=pl.Series([t[:10] for t in stamps(own)]))
    else:
        made = frame(bars, place, horizon)
    path, n = tmp_path / "p.csv", len(bars.close)
    known = n - 40
    period = DAY if bars.is_daily else HOUR
    at(path, made[: known + 1])  # the last one is of a bar to come
    rows = FileRows(
        Request(str(path)), horizon, ("predicted_return",), {"A": some(bars, known)},
        {"A": Grid(calendar, period)},
    )  # fmt: skip
    found = {}
    for k in range(known, n):
        rows.take("A", bar(bars, k))
        at(path, made[: k + 2])  # the row of this bar, and already that of the next one
        assert rows.look(int(bars.close_time[k]) - 1) == ""
        told = rows.at("A", int(bars.close_time[k]))
        if told is not None:
            found[int(bars.close_time[k])] = told.values["predicted_return"]
    whole = put(path, bars)
    times, values = whole.close_time["A"], whole.file.predicted_return[whole.rows["A"]]
    later = times >= bars.close_time[known]
    assert found == dict(zip(times[later].tolist(), values[later].tolist(), strict=True))
    assert len(found) == 40 - horizon
    # All bars known from the start, as in a session on recorded ones: the same.
    recorded = FileRows(Request(str(path)), horizon, ("predicted_return",), {"A": bars})
    assert all(recorded.at("A", t).values["predicted_return"] == x for t, x in found.items())  # type: ignore[union-attr]


def test_what_changes_of_the_past_is_told_once(tmp_path: Path) -> None:
    bars = bars_of()
    made = frame(bars)
    path = at(tmp_path / "p.csv", made)
    rows = FileRows(Request(str(path)), 1, ("predicted_return",), {"A": bars})
    until = int(bars.close_time[200])
    assert rows.look(until) == ""
    said = made["predicted_return"].to_numpy().copy()
    said[[100, 150, 300]] = 0.5  # the last one is of a bar to come
    at(path, made.with_columns(predicted_return=said).drop("predicted_price"))
    told = rows.look(until)
    assert "p.csv has changed in its past: 2 of its rows, the first of A at 2024-01-05" in told
    assert rows.look(until) == ""
    found = rows.at("A", int(bars.close_time[300]))
    assert found is not None
    assert found.values["predicted_return"] == 0.5
    heard = {"A": (bars.close_time[:1], {"predicted_return": np.array([9.0])})}
    assert "the first of A at 2024-01-01" in rows.changed(heard, int(bars.close_time[0]))
    assert rows.changed({"A": rows.until("A", until)}, until) == ""


def test_rows_of_bars_to_come_alone_need_what_no_price_tells(tmp_path: Path) -> None:
    bars = bars_of()
    path = at(tmp_path / "p.csv", frame(bars)[300:])
    grids = {"A": Grid("24/7", HOUR)}
    with pytest.raises(FileError, match=r"none of its rows is of the bars up to now.*time_is"):
        FileRows(Request(str(path)), 1, ("predicted_return",), {"A": some(bars, 200)}, grids)
    said = Request(str(path), time_is="made")
    rows = FileRows(said, 1, ("predicted_return",), {"A": some(bars, 300)}, grids)
    rows.take("A", bar(bars, 300))
    rows.look(int(bars.close_time[299]))
    assert rows.at("A", int(bars.close_time[300])) is not None
    new_york = {"A": replace(some(bars, 200), zone="America/New_York")}
    bare = frame(bars)[300:].with_columns(pl.col("Time").str.strip_suffix("Z"))
    path = at(tmp_path / "q.csv", bare)
    with pytest.raises(FileError, match="write zone"):
        FileRows(Request(str(path), time_is="made"), 1, ("predicted_return",), new_york, grids)


def test_a_row_that_was_trained_on_is_refused_when_it_comes(tmp_path: Path) -> None:
    bars = bars_of()
    made = frame(bars).with_columns(trained_until=pl.lit("2023-12-31"))
    path = at(tmp_path / "p.csv", made[:300])
    rows = FileRows(Request(str(path)), 1, ("predicted_return",), {"A": bars})
    found = rows.at("A", int(bars.close_time[0]))
    assert found is not None
    assert found.trained_until == START - 1  # a date is all of its day
    until = pl.when(pl.int_range(pl.len()) == 310).then(pl.lit("2024-02-01"))
    at(path, made.with_columns(trained_until=until.otherwise("trained_until")))
    with pytest.raises(FileError, match="trained_until not before their own close"):
        rows.look(0)
