"""Sessions, half days, breaks, Sunday opens and both clock changes: tables by hand."""

from __future__ import annotations

import pytest

from intrabar.engine.session.exchange import Exchange
from intrabar.engine.session.row import ClosedRow
from intrabar.model.bars import DAY_NS
from tests.engine.session.sealing import H, M, S, bar, drive, ny, sealer, times, utc


def day(text: str) -> int:
    return utc(f"{text} 00:00") // DAY_NS


def quiet(calendar: str, period: int, start: int, end: int) -> list[ClosedRow]:
    """The rows of a stretch in which nobody has a bar: closing rows alone."""
    before = [ClosedRow(start, (), start // DAY_NS)]
    return drive(sealer(calendar, period=period, started=start, before=before), [], end)[0]


@pytest.mark.parametrize(
    ("calendar", "period", "start", "closes"),
    [
        # Independence Day: a half day before it, and none on it.
        (
            "NYSE",
            M,
            ny("2024-07-02 12:00"),
            [ny("2024-07-02 16:00"), ny("2024-07-03 13:00"), ny("2024-07-05 16:00")],
        ),
        # The clock goes forward on 2024-03-10, back on 2024-11-03.
        ("NYSE", M, utc("2024-03-08 15:00"), [utc("2024-03-08 21:00"), utc("2024-03-11 20:00")]),
        ("NYSE", M, utc("2024-11-01 15:00"), [utc("2024-11-01 20:00"), utc("2024-11-04 21:00")]),
        (
            "NYSE",
            DAY_NS,
            utc("2024-11-01 15:00"),
            [utc("2024-11-01 20:00"), utc("2024-11-04 21:00")],
        ),
        # Globex: 17:00 Chicago to 16:00, from Sunday on.
        ("CME_Equity", M, ny("2024-06-13 18:30"), [ny("2024-06-14 17:00"), ny("2024-06-17 17:00")]),
        (
            "CME_Equity",
            M,
            utc("2024-03-08 15:00"),
            [utc("2024-03-08 22:00"), utc("2024-03-11 21:00")],
        ),
        (
            "CME_Equity",
            M,
            utc("2024-11-01 15:00"),
            [utc("2024-11-01 21:00"), utc("2024-11-04 22:00")],
        ),
        # Forex: 17:00 New York, Monday to Friday.
        ("24/5", M, ny("2024-06-13 18:00"), [ny("2024-06-14 17:00"), ny("2024-06-17 17:00")]),
        ("24/5", H, utc("2024-03-08 15:00"), [utc("2024-03-08 22:00"), utc("2024-03-11 21:00")]),
        ("24/5", H, utc("2024-11-01 15:00"), [utc("2024-11-01 21:00"), utc("2024-11-04 22:00")]),
        ("24/7", M, utc("2024-03-09 12:00"), [utc("2024-03-10 00:00"), utc("2024-03-11 00:00")]),
        (
            "24/7",
            DAY_NS,
            utc("2024-03-09 12:00"),
            [utc("2024-03-09 23:59:59.999"), utc("2024-03-10 23:59:59.999")],
        ),
    ],
)
def test_each_scheduled_close_has_a_row(
    calendar: str, period: int, start: int, closes: list[int]
) -> None:
    rows = quiet(calendar, period, start, closes[-1] + H)
    assert times(rows) == closes
    assert all(row.closing and row.ends == (0,) and not row.bars for row in rows)


@pytest.mark.parametrize(
    ("calendar", "start", "dates"),
    [
        ("NYSE", ny("2024-07-02 12:00"), ["2024-07-02", "2024-07-03", "2024-07-05"]),
        ("CME_Equity", ny("2024-06-13 18:30"), ["2024-06-14", "2024-06-17"]),
        ("24/5", ny("2024-06-13 18:00"), ["2024-06-14", "2024-06-17"]),
    ],
)
def test_trade_dates_of_rows_at_the_close(calendar: str, start: int, dates: list[str]) -> None:
    rows = quiet(calendar, M, start, start + 4 * DAY_NS)[: len(dates)]
    bars = [bar("A", row.time) for row in rows]
    made, _ = drive(sealer(calendar, started=start), [(one.time, one) for one in bars])
    assert [row.day for row in made] == [day(one) for one in dates]
    assert not any(row.closing for row in made)


def test_a_closing_row_has_the_date_of_the_row_before_it() -> None:
    close = ny("2024-06-14 17:00")
    of = sealer("CME_Equity", started=close - 2 * M)
    rows, _ = drive(of, [(close - M, bar("A", close - M))], close + DAY_NS)
    assert [(row.time, row.closing, row.day) for row in rows] == [
        (close - M, False, day("2024-06-14")),
        (close, True, day("2024-06-14")),
    ]


def test_before_the_first_row_no_day_ends() -> None:
    of = sealer("NYSE", started=ny("2024-06-12 12:00"))
    assert of.next_timer(ny("2024-06-12 12:00")) is None
    first = ny("2024-06-14 10:00")
    (row,), _ = drive(of, [(first, bar("A", first))])
    assert not row.bars[0].ends_session


def test_a_bar_at_the_close_ends_the_session_itself() -> None:
    close = ny("2024-07-03 13:00")
    of = sealer("NYSE", started=close - 2 * M)
    rows, _ = drive(of, [(close + k * M, bar("A", close + k * M)) for k in (-1, 0)], close + H)
    assert [(row.time, row.closing, row.bars[0].ends_session) for row in rows] == [
        (close - M, False, False),
        (close, False, True),
    ]


def test_a_session_ends_in_the_bar_that_the_close_falls_into() -> None:
    """Hours that are counted from the open: the last begins at 15:30, and no row cuts it."""
    first = ny("2024-06-12 10:30")
    closes = [first + k * H for k in range(7)]
    of = sealer("NYSE", period=H, started=first - H)
    rows, _ = drive(of, [(at, bar("A", at)) for at in closes], ny("2024-06-12 20:00"))
    assert times(rows) == closes
    assert [row.bars[0].ends_session for row in rows] == [False] * 6 + [True]


def test_the_same_without_that_bar() -> None:
    first = ny("2024-06-12 10:30")
    closes = [first + k * H for k in range(5)]  # the last two are missing
    of = sealer("NYSE", period=H, started=first - H)
    rows, _ = drive(of, [(at, bar("A", at)) for at in closes], ny("2024-06-12 20:00"))
    assert (rows[-1].time, rows[-1].closing) == (ny("2024-06-12 16:30"), True)


def test_a_last_bar_that_is_cut_at_the_close_is_shorter() -> None:
    first, close = ny("2024-06-12 10:30"), ny("2024-06-12 16:00")
    closes = [*(first + k * H for k in range(6)), close]
    of = sealer("NYSE", period=H, started=first - H)
    rows, _ = drive(of, [(at, bar("A", at)) for at in closes], ny("2024-06-12 20:00"))
    assert times(rows) == closes
    last = rows[-1].bars[0]
    assert (last.open_time, last.ends_session) == (ny("2024-06-12 15:30"), True)


def test_the_session_of_one_ends_in_the_row_of_another() -> None:
    close = ny("2024-06-12 16:00")
    of = sealer("NYSE", "24/7", started=close - M)
    rows, _ = drive(of, [(close, bar("B", close))], close + M)
    assert [(row.time, row.closing, row.ends) for row in rows] == [(close, False, (0,))]
    assert not rows[0].bars[0].ends_session


def test_a_break_is_no_end_and_no_bar_is_due_in_it() -> None:
    """Grains: 19:00 to 07:45 and 08:30 to 13:20 Chicago."""
    exchange = Exchange("CME_Grains", M)
    pause, again = ny("2024-06-12 08:45"), ny("2024-06-12 09:30")
    assert exchange.is_shut_from(pause)
    assert [exchange.is_open(at) for at in (pause - 1, pause, again)] == [True, False, True]
    assert not exchange.is_open_within(pause, again)
    assert exchange.is_open_within(pause - 1, again)
    assert (exchange.next_open(pause), exchange.open_since(again + H)) == (again, again)
    of = sealer("CME_Grains", "24/7", started=pause)
    assert times(drive(of, [(pause + M, bar("B", pause + M))])[0]) == [pause + M]
    close = ny("2024-06-12 14:20")
    assert exchange.next_close(pause) == close


def test_the_evening_belongs_to_the_next_day() -> None:
    sunday = ny("2024-06-16 18:01")
    rows, _ = drive(sealer("CME_Equity", started=sunday - M), [(sunday, bar("A", sunday))])
    assert rows[0].day == day("2024-06-17")


@pytest.mark.parametrize(
    ("calendar", "close", "opened"),
    [
        ("NYSE", ny("2024-07-03 13:00"), ny("2024-07-03 09:30")),
        ("NYSE", utc("2024-03-11 20:00"), utc("2024-03-11 13:30")),
        ("NYSE", utc("2024-11-04 21:00"), utc("2024-11-04 14:30")),
        ("CME_Equity", ny("2024-06-17 17:00"), ny("2024-06-16 18:00")),
        ("24/5", utc("2024-03-11 21:00"), utc("2024-03-10 21:00")),
        ("24/7", utc("2024-03-10 23:59:59.999"), utc("2024-03-10 00:00")),
        ("", utc("2024-03-10 23:59:59.999"), utc("2024-03-10 00:00")),
    ],
)
def test_daily_bars(calendar: str, close: int, opened: int) -> None:
    of = sealer(calendar, period=DAY_NS, started=opened)
    rows, notes = drive(of, [(close + 5 * M, bar("A", close))], close + H)
    assert notes == []
    (row,) = rows
    (one,) = row.bars
    assert (row.time, one.open_time, one.ends_session) == (close, opened, True)
    assert row.day == (close - 1) // DAY_NS  # here all close on their own date


def test_four_hours_from_the_open_over_a_clock_change() -> None:
    """Forex of four hours from 17:00 New York: by the clock of UTC they move by an hour."""
    for date in ("2024-03-10", "2024-11-03"):
        opening = ny(f"{date} 17:00")
        closes = [opening + k * 4 * H for k in range(1, 7)]
        of = sealer("24/5", period=4 * H, started=opening)
        rows, notes = drive(of, [(at, bar("A", at)) for at in closes], closes[-1] + H)
        assert (times(rows), notes) == (closes, [])
        assert [row.bars[0].ends_session for row in rows] == [False] * 5 + [True]


def test_a_quiet_session_is_not_sealed_before_its_time() -> None:
    close = ny("2024-06-12 16:00")
    of = sealer("NYSE", started=close - H, before=[ClosedRow(close - H, (), 0)])
    assert of.next_timer(close - H) == close + 2 * S
    assert of.due(close + 2 * S - 1) == ([], [])
    assert times(of.due(close + 2 * S)[0]) == [close]
