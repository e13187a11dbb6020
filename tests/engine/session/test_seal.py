"""Each line of the table of bars that come: live.md, 1.1."""

from __future__ import annotations

import math

import numpy as np
import pytest

from intrabar.engine.session.graces import Graces, act_within, close_grace
from intrabar.engine.session.seal import AHEAD
from intrabar.errors import ConfigError
from intrabar.model.bars import DAY_NS, Bars
from intrabar.model.facts import BarClosed, Heartbeat, LinkFact, Quote, SourceCan
from tests.engine.session.sealing import H, M, S, bar, drive, kinds, ny, sealer, times, utc

T = ny("2024-06-12 10:00")


def one_bar(symbol: str, time: int) -> Bars:
    at, price = np.array([time]), np.array([100.0])
    return Bars(symbol, at, price, price, price, price, price, M, at - M, at // DAY_NS)


def test_a_row_is_sealed_when_everybody_in_session_has_a_bar() -> None:
    of = sealer("NYSE", "24/7", started=T - M)
    assert of.take(bar("A", T), T + S) == []
    assert of.due(T + S) == ([], [])
    of.take(bar("B", T, 50.0), T + S)
    (row,), _ = of.due(T + S)
    assert row.time == T
    assert [(one.column, one.close, one.open_time) for one in row.bars] == [
        (0, 100.0, T - M),
        (1, 50.0, T - M),
    ]
    assert [row.late, row.closing, row.opened, row.ends] == [False, False, False, ()]


def test_who_has_no_bar_is_waited_for_as_long_as_the_grace() -> None:
    of = sealer("24/7", "24/7", started=T - M)
    of.take(bar("A", T), T)
    assert of.next_timer(T) == T + 2 * S
    assert of.due(T + 2 * S - 1) == ([], [])
    (row,), _ = of.due(T + 2 * S)
    assert [one.column for one in row.bars] == [0]


def test_nobody_waits_for_an_exchange_that_is_shut() -> None:
    night = ny("2024-06-12 03:00")
    of = sealer("NYSE", "24/7", started=night - M)
    of.take(bar("B", night), night)
    assert times(of.due(night)[0]) == [night]


def test_where_nobody_has_a_bar_there_is_no_row() -> None:
    of = sealer("24/7", started=T - M)
    rows, _ = drive(of, [(T, bar("A", T)), (T + 3 * M, bar("A", T + 3 * M))], T + 4 * M)
    assert times(rows) == [T, T + 3 * M]


def test_the_same_again_is_counted() -> None:
    of = sealer("24/7", "24/7", started=T - M)
    arrivals = [bar("A", T), bar("A", T), bar("B", T), bar("A", T), bar("A", T - M)]
    rows, notes = drive(of, [(T, fact) for fact in arrivals])
    assert (len(rows), notes) == (1, [])
    assert of.counts["A"] == {"equal": 2, "older": 1}


def test_before_the_seal_the_newer_version_counts() -> None:
    of = sealer("24/7", "24/7", started=T - M)
    drive(of, [(T, bar("A", T, 100.0)), (T, bar("A", T, 101.0))])
    (row,), notes = drive(of, [(T, bar("B", T))])
    assert row.bars[0].close == 101.0
    assert (of.counts["A"]["replaced"], notes) == (1, [])


def test_late_after_the_seal_is_told_once_and_the_row_stays() -> None:
    of = sealer("24/7", "24/7", started=T - M)
    late = bar("B", T, 50.0)
    arrivals = [(T, bar("A", T)), (T + 30 * S, late), (T + 31 * S, late)]
    rows, (note,) = drive(of, arrivals, T + 40 * S)
    assert [one.column for one in rows[0].bars] == [0]
    assert note.kind == "bar.late"
    assert note.body["bar"] == [50.0, 51.0, 49.0, 50.0, 10.0]
    assert (note.body["stood"], note.body["reason"]) == (None, "no bar in its row")
    assert (of.counts["B"]["bar.late"], of.counts["B"]["equal"]) == (1, 1)


def test_late_where_nobody_had_a_row() -> None:
    of = sealer("24/7", started=T - M)
    arrivals = [(T, bar("A", T)), (T + 2 * M, bar("A", T + 2 * M, 110.0))]
    rows, (note,) = drive(of, [*arrivals, (T + 2 * M, bar("A", T + M, 103.0))])
    assert times(rows) == [T, T + 2 * M]
    assert (note.kind, note.body["reason"]) == ("bar.late", "no row")
    assert note.body["close_off"] == pytest.approx(0.03)  # against the close carried there


@pytest.mark.parametrize("is_said", [True, False])
def test_corrected_after_the_seal(is_said: bool) -> None:
    of = sealer("24/7", started=T - M)
    other = bar("A", T, 102.0, corrected=is_said)
    rows, (note,) = drive(of, [(T, bar("A", T)), (T + S, other), (T + S, other)])
    assert rows[0].bars[0].close == 100.0
    assert note.kind == "bar.corrected"
    assert note.body["stood"] == [100.0, 101.0, 99.0, 100.0, 10.0]
    assert note.body["close_off"] == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"close": 101.01}, {"close": 101.0}),
        ({"open": 98.99}, {"open": 99.0}),
        ({"open": 99.0, "close": 101.0}, {}),
        ({"volume": math.nan}, {"volume": 0.0}),
    ],
)
def test_a_hair_outside_is_clamped(given: dict[str, float], taken: dict[str, float]) -> None:
    of = sealer("24/7", started=T - M)
    (row,), notes = drive(of, [(T, bar("A", T, **given))])
    name = next(iter({**given, **taken}))
    assert getattr(row.bars[0], name) == {**given, **taken}[name]
    assert notes == []
    counted = "without volume" if "volume" in given else "clamped"
    assert of.counts["A"][counted] == len(taken)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"close": math.nan}, "its close is nan"),
        ({"high": math.inf}, "its high is inf"),
        ({"volume": math.inf}, "its volume is inf"),
        ({"high": 98.0}, "its high 98 is below its low 99"),
        ({"close": 101.02}, "its close 101.02 lies outside its low 99 and high 101"),
        ({"volume": -1.0}, "its volume is -1"),
        ({"low": 0.0}, "its low is 0, not above 0"),
        ({"low": -5.0}, "its low is -5, not above 0"),
        ({"period": H}, "its period is 3600000000000 ns, not 60000000000"),
    ],
)
def test_what_cannot_be_is_kept_aside(changes: dict[str, float], reason: str) -> None:
    of = sealer("24/7", "24/7", started=T - M)
    wrong = bar("A", T, **changes)
    rows, notes = drive(of, [(T, wrong), (T, wrong), (T, bar("B", T))], T + 10 * S)
    assert [(one.time, [b.column for b in one.bars]) for one in rows] == [(T, [1])]
    assert kinds(notes) == ["bar.bad"]  # once, however often it is told
    assert notes[0].body["reason"] == reason
    assert of.counts["A"]["bad"] == 2


def test_a_bad_version_does_not_push_out_a_good_one() -> None:
    of = sealer("24/7", "24/7", started=T - M)
    arrivals = [bar("A", T, 100.0), bar("A", T, volume=-1.0), bar("B", T)]
    (row,), _ = drive(of, [(T, fact) for fact in arrivals])
    assert [one.close for one in row.bars] == [100.0, 100.0]


@pytest.mark.parametrize(
    ("calendar", "period", "time"),
    [
        ("NYSE", M, T + 30 * S),
        ("NYSE", DAY_NS, ny("2024-06-12 19:00")),
        ("24/7", DAY_NS, utc("2024-06-12 12:00")),
    ],
)
def test_another_period_is_told_by_the_grid(calendar: str, period: int, time: int) -> None:
    of = sealer(calendar, period=period, started=time - M)
    rows, notes = drive(of, [(time, bar("A", time))], time + S)
    assert (rows, kinds(notes)) == ([], ["bar.bad"])


def test_another_symbol_is_kept_aside() -> None:
    of = sealer("24/7", started=T - M)
    rows, (note,) = drive(of, [(T, bar("NOT-A", T)), (T, bar("NOT-A", T))])
    assert (rows, note.kind) == ([], "bar.bad")
    assert note.body["reason"] == "nobody asked for this symbol"


def test_the_row_after_next_waits_for_the_next() -> None:
    of = sealer("24/7", "24/7", started=T - M)
    at = T + M - S  # within the two seconds that a clock may be off
    facts = [bar("A", T), bar("A", T + M), bar("B", T + M)]
    of.take(LinkFact("down"), T)
    of.take(LinkFact("up"), at)  # so T is still waited for
    assert drive(of, [(at, fact) for fact in facts])[0] == []
    assert times(drive(of, [], T + 2 * M)[0]) == [T, T + M]


def test_a_bar_of_the_future_waits_for_its_time() -> None:
    of = sealer("24/7", started=T - M)
    early = bar("A", T)
    notes = of.take(early, T - 30 * S)
    assert (kinds(notes), notes[0].body["ahead"]) == (["clock"], 30 * S)
    assert of.take(early, T - 29 * S) == []
    assert of.due(T - 29 * S) == ([], [])
    assert of.next_timer(T - 29 * S) == T
    assert times(of.due(T)[0]) == [T]


@pytest.mark.parametrize(("ahead", "rows"), [(AHEAD, 1), (AHEAD + 1, 0)])
def test_two_seconds_ahead_are_no_future(ahead: int, rows: int) -> None:
    of = sealer("24/7", started=T - M)
    of.take(bar("A", T), T - ahead)
    assert len(of.due(T - ahead)[0]) == rows


def test_the_future_is_counted_by_the_servers_clock() -> None:
    of = sealer("24/7", started=T - M)
    notes = of.take(Heartbeat(T), T - 10 * S)  # ours is 10 s behind
    assert (kinds(notes), notes[0].body) == (["clock"], {"skew": 10 * S})
    assert of.take(bar("A", T), T - 10 * S) == []
    assert times(of.due(T - 10 * S)[0]) == [T]


def test_so_many_bars_of_the_future_and_no_more() -> None:
    of = sealer("24/7", started=T - M)
    told = [note for k in range(70) for note in of.take(bar("A", T + (k + 9) * M), T)]
    assert kinds(told) == ["clock"] * 64 + ["bar.bad"] * 6


def test_nothing_is_sealed_while_the_source_is_down() -> None:
    """What was missed comes when it is back, and is waited for from then on."""
    of = sealer("24/7", "24/7", started=T - M)
    up = T + 5 * M + 10 * S
    missed = [bar(s, T + k * M) for s in "AB" for k in range(1, 6)]
    arrivals = [
        (T, bar("A", T)),
        (T, LinkFact("down", "reset")),
        (up, LinkFact("up")),
        *((up, fact) for fact in missed if not (fact.symbol == "B" and fact.time == T + 2 * M)),
    ]
    rows, notes = drive(of, arrivals, up + M)
    assert times(rows) == [T + k * M for k in range(6)]
    assert [len(row.bars) for row in rows] == [1, 2, 1, 2, 2, 2]
    assert [row.late for row in rows] == [True] * 5 + [False]  # act_within is 2 + 15 s
    assert notes == []


def test_while_it_is_down_not_even_a_day_ends() -> None:
    close = ny("2024-06-12 16:00")
    of = sealer("NYSE", "NYSE", started=close - 2 * M)
    rows, _ = drive(of, [(close - M, bar("A", close - M)), (close - M, LinkFact("syncing"))])
    assert (rows, of.next_timer(close)) == ([], None)
    assert of.due(close + H) == ([], [])
    of.take(LinkFact("up"), close + H)
    assert times(drive(of, [], close + 2 * H)[0]) == [close - M, close]


def test_rows_that_were_over_at_the_start_were_not_open_then() -> None:
    """Missed while nobody ran: they are late, and `on_open` is called as ever."""
    of = sealer("24/7", started=T - M)
    before, _ = drive(of, [(T, bar("A", T))])
    again = sealer("24/7", started=T + 150 * S, before=before)
    facts = [(T + 150 * S, bar("A", T + k * M)) for k in (1, 2)]
    rows, _ = drive(again, [*facts, (T + 3 * M, bar("A", T + 3 * M))])
    assert [(row.opened, row.late) for row in rows] == [(False, True), (False, True), (True, False)]


@pytest.mark.parametrize(("after", "is_late"), [(17 * S, False), (17 * S + 1, True)])
def test_late_rows(after: int, is_late: bool) -> None:
    of = sealer("24/7", started=T - M)
    (row,), _ = drive(of, [(T + after, bar("A", T))])
    assert row.late is is_late


def test_a_row_that_was_open_at_the_start() -> None:
    of = sealer("24/7", started=T - 30 * S)
    rows, _ = drive(of, [(T, bar("A", T)), (T + M, bar("A", T + M))])
    assert [row.opened for row in rows] == [True, False]


def test_bars_outside_the_session_are_dropped_and_said() -> None:
    early = ny("2024-06-12 08:00")
    of = sealer("NYSE", started=early - M)
    rows, notes = drive(of, [(early + k * M, bar("A", early + k * M)) for k in range(3)])
    assert (rows, of.counts["A"]["outside"]) == ([], 3)
    assert kinds(notes) == ["alarm"]
    assert "live.hours: extended" in notes[0].body["text"]
    of = sealer("NYSE", started=early - M, hours="extended")
    assert times(drive(of, [(early, bar("A", early))])[0]) == [early]


def test_in_extended_hours_everybody_is_waited_for() -> None:
    early = ny("2024-06-12 08:00")
    of = sealer("NYSE", "NYSE", "NYSE", started=early - M, hours="extended")
    rows, notes = drive(of, [(early, bar("A", early)), (early + S, bar("B", early))], early + M)
    assert [(row.time, len(row.bars)) for row in rows] == [(early, 2)]
    assert notes == []


def test_of_a_record_nobody_waits_for_bars_that_are_dropped() -> None:
    early = ny("2024-06-12 08:00")
    record = {name: one_bar(name, early) for name in "AB"}
    of = sealer("NYSE", "24/7", started=early - M, recorded=record)
    assert times(drive(of, [(early, bar("B", early))])[0]) == [early]


def test_rows_go_on_behind_those_before() -> None:
    """A restart: what the journal has is not sealed again, and corrections of it are told."""
    of = sealer("24/7", started=T - M)
    rows, _ = drive(of, [(T + k * M, bar("A", T + k * M)) for k in range(3)])
    again = sealer("24/7", started=T + 3 * M, before=rows[1:])
    arrivals = [bar("A", T), bar("A", T + M), bar("A", T + 2 * M, 105.0), bar("A", T + 3 * M)]
    more, notes = drive(again, [(T + 3 * M, fact) for fact in arrivals])
    assert times(more) == [T + 3 * M]
    assert kinds(notes) == ["bar.corrected"]
    assert again.counts["A"] == {"older": 1, "equal": 1, "bar.corrected": 1}


def test_what_is_no_bar_seals_nothing() -> None:
    of = sealer("24/7", started=T - M)
    facts = [Quote("A", T, 100.0), Heartbeat(), LinkFact("degraded")]
    assert drive(of, [(T, fact) for fact in facts]) == ([], [])
    assert of.next_timer(T) is None
    of.take(bar("A", T), T)
    of.due(T)
    assert of.next_timer(T) == utc("2024-06-13 00:00") + 2 * S  # of the closing row


@pytest.mark.parametrize(
    ("can", "period", "seconds"),
    [
        (SourceCan("none", 0.0, True, True), M, 2),
        (SourceCan("none", 3.0, True, True, streams=False), M, 12),
        (SourceCan("none", 11.0, True, True, streams=False), M, 20),
        (SourceCan("none", 11.0, True, True, streams=False), 20 * S, 10),
        (SourceCan("none", 0.0, True, True), DAY_NS, 900),
        (SourceCan("none", 7200.0, True, True), DAY_NS, 7202),
        (SourceCan("none", 11.0, True, True, streams=False, lag_daily=3600.0), DAY_NS, 3609),
        (SourceCan("none", 11.0, True, True, streams=False, lag_daily=3600.0), M, 20),
    ],
)
def test_how_long_a_row_waits(can: SourceCan, period: int, seconds: int) -> None:
    assert close_grace(can, period) == seconds * S


def test_how_long_entries_of_a_row_are_made() -> None:
    assert act_within(2 * S, M) == 17 * S
    assert act_within(2 * S, 20 * S) == 12 * S
    assert act_within(900 * S, DAY_NS) == 900 * S + 6 * H


@pytest.mark.parametrize(
    "options",
    [
        {"close_grace": 0.0},
        {"close_grace": math.nan},
        {"close_grace": 31.0},
        {"act_within": -1.0},
        {"act_within": math.inf},
    ],
)
def test_a_grace_that_is_none_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=f"live.{next(iter(options))}"):
        sealer("24/7", graces=Graces(**options))


def test_live_bars_within_a_day_need_a_calendar() -> None:
    with pytest.raises(ConfigError, match="name the calendar"):
        sealer("")
    assert sealer("", period=DAY_NS).next_timer(T) is None


def test_hours_are_one_of_two() -> None:
    with pytest.raises(ConfigError, match="regular or extended"):
        sealer("NYSE", hours="all")


def test_numbers_that_are_not_finite_can_be_journalled() -> None:
    of = sealer("24/7", started=T - M)
    (note,) = of.take(BarClosed("A", T, math.nan, math.inf, -math.inf, 1.0, 1.0), T)
    assert note.body["bar"] == ["nan", "inf", "-inf", 1.0, 1.0]
