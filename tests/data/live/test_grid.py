"""When bars close, on every calendar, and what rows of a vendor are bars."""

from __future__ import annotations

import numpy as np
import pytest

from intrabar.data.calendars import LAST_MOMENT, is_open, sessions
from intrabar.data.live.grid import Grid
from intrabar.errors import BadAnswer, DataError
from intrabar.links.vendor import Answer, Row
from intrabar.model.bars import DAY_NS
from tests.data.live.samples import MINUTE, ns, rows

HOUR = 60 * MINUTE
# A fortnight with a change of the clocks in New York, one with a half day, one in Tokyo.
SPANS = {
    "NYSE": ("2026-03-02", "2026-11-20"),
    "CME_Equity": ("2026-03-02", "2026-11-20"),
    "24/5": ("2026-03-02", "2026-10-28"),
    "LSE": ("2026-03-23", "2026-12-18"),
    "JPX": ("2026-03-02", "2026-12-24"),
}


def closes(calendar: str, period: int, first: int, days: int) -> list[int]:
    """All of them, one after the other: slowly."""
    known = sessions(calendar, first // DAY_NS - 3, first // DAY_NS + days + 3)
    found = []
    for i in range(len(known)):
        start = int(known.open[i])
        while start < known.close[i]:
            if not known.break_start[i] <= start < known.break_end[i]:
                found.append(start + period)
            start += period
    return [t for t in sorted(set(found)) if first < t <= first + days * DAY_NS]


@pytest.mark.parametrize("period", [5 * MINUTE, 30 * MINUTE, HOUR], ids=["5m", "30m", "1h"])
@pytest.mark.parametrize("calendar", SPANS)
def test_due_times_are_those_of_the_sessions(calendar: str, period: int) -> None:
    grid = Grid(calendar, period)
    for start in SPANS[calendar]:
        at = ns(start)
        want = closes(calendar, period, at, 12)
        have = []
        while at < want[-1]:
            at = grid.due(at)
            have.append(at)
        assert have == want


@pytest.mark.parametrize("calendar", SPANS)
def test_days_are_due_at_the_close_of_their_session(calendar: str) -> None:
    grid = Grid(calendar, DAY_NS)
    for start in SPANS[calendar]:
        at = ns(start)
        known = sessions(calendar, at // DAY_NS - 3, at // DAY_NS + 15)
        for close in known.close[known.close > at][:8].tolist():
            at = grid.due(at)
            assert at == close


def test_round_the_clock_a_day_ends_on_its_own_date() -> None:
    day = ns("2026-03-02")
    for calendar in ("", "24/7"):
        grid = Grid(calendar, DAY_NS)
        assert grid.due(day) == day + DAY_NS - LAST_MOMENT
        assert grid.due(day + DAY_NS - LAST_MOMENT) == day + 2 * DAY_NS - LAST_MOMENT
        assert Grid(calendar, 5 * MINUTE).due(day) == day + 5 * MINUTE


def test_a_bar_that_is_due_is_placed_where_it_is_due() -> None:
    """The two rules are one: a row that starts when a bar starts closes when it is due."""
    for calendar, starts in SPANS.items():
        grid = Grid(calendar, 30 * MINUTE)
        want = closes(calendar, 30 * MINUTE, ns(starts[0]), 12)
        told = tuple(Row(t - 30 * MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0) for t in want)
        placed = grid.placed(Answer("A", 30 * MINUTE, "", "start", told), "A")
        assert placed.close_time.tolist() == want
        assert placed.left_out == 0
        assert is_open(calendar, placed.open_time).all()


def test_rows_beside_the_grid_are_left_out_and_counted() -> None:
    told = rows("2026-03-02", MINUTE, 3)
    first = told[0].stamp
    beside = [
        Row(first - MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0),  # before the open
        *told,
        Row(told[-1].stamp + 17 * 10**9, 1.0, 1.0, 1.0, 1.0, 1.0),  # a last price
        Row(first + 390 * MINUTE, 1.0, 1.0, 1.0, 1.0, 0.0),  # at the close
    ]
    placed = Grid("NYSE", MINUTE).placed(Answer("A", MINUTE, "", "start", tuple(beside)), "a")
    assert placed.rows == told
    assert placed.left_out == 3


def test_stamps_of_ends_are_the_same_bars() -> None:
    told = rows("2026-03-02", MINUTE, 3)
    ends = tuple(Row(r.stamp + MINUTE, r.open, r.high, r.low, r.close, r.volume) for r in told)
    grid = Grid("NYSE", MINUTE)
    by_start = grid.placed(Answer("A", MINUTE, "", "start", told), "A")
    by_end = grid.placed(Answer("A", MINUTE, "", "end", ends), "A")
    assert by_start.close_time.tolist() == by_end.close_time.tolist()
    assert by_end.left_out == 0


def test_a_day_that_is_no_session_is_no_bar() -> None:
    saturday = ns("2026-03-07")
    told = tuple(Row(saturday + i * DAY_NS, 1.0, 1.0, 1.0, 1.0, 1.0) for i in (-1, 0, 1, 2))
    placed = Grid("NYSE", DAY_NS).placed(Answer("A", DAY_NS, "", "start", told), "A")
    assert [str(np.datetime64(int(d), "D")) for d in placed.session] == ["2026-03-06", "2026-03-09"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer("B", MINUTE, "", "start", ()), "asked for A, got bars of B"),
        (Answer("A", HOUR, "", "start", ()), "asked for bars of 1m, got 1h"),
        (
            Answer("A", MINUTE, "", "start", (*rows("2026-03-02", MINUTE, 2)[::-1],)),
            "comes after that of",
        ),
        (
            Answer("A", MINUTE, "", "start", rows("2026-03-02", MINUTE, 1) * 2),
            "comes after that of",
        ),
    ],
)
def test_an_answer_that_is_another_gives_nothing(answer: Answer, text: str) -> None:
    with pytest.raises(BadAnswer, match=text):
        Grid("NYSE", MINUTE).placed(answer, "A")


def test_an_empty_answer_has_no_bars() -> None:
    placed = Grid("NYSE", MINUTE).placed(Answer("A", MINUTE, "", "start", ()), "A")
    assert placed.closed(ns("2026-03-02"), 0) == 0


def test_longer_bars_than_a_day_are_refused() -> None:
    with pytest.raises(DataError, match="at most a day, not 1w"):
        Grid("NYSE", 7 * DAY_NS)
