"""Why no entry is made, and when each reason ends."""

from __future__ import annotations

from intrabar.engine.session.blocks import Blocks
from intrabar.engine.session.closing import expiry, flatten_of
from intrabar.engine.session.exchange import Exchange
from intrabar.engine.session.row import ClosedRow, RowBar
from intrabar.engine.session.seal import Note
from intrabar.model.bars import DAY_NS
from intrabar.model.facts import LinkFact
from tests.engine.session.sealing import M, S, bar, drive, kinds, ny, sealer, utc

T = ny("2024-06-12 10:00")
GRACE = 2 * S


def blocks(*calendars: str, period: int = M, started: int = T, **options: object) -> Blocks:
    symbols = [chr(65 + j) for j in range(len(calendars))]
    exchanges = [Exchange(calendar, period) for calendar in calendars]
    return Blocks(symbols, exchanges, period, GRACE, started, **options)  # type: ignore[arg-type]


def row(time: int, *columns: int) -> ClosedRow:
    bars = tuple(RowBar(j, 1.0, 1.0, 1.0, 1.0, 1.0, time - M) for j in columns)
    return ClosedRow(time, bars, time // DAY_NS)


def reasons(of: Blocks, now: int, column: int = 0) -> list[str]:
    return [block.reason for block in of.why(column, now)]


def late(time: int, off: float | None = 0.0) -> tuple[str, dict[str, object]]:
    return "bar.late", {"symbol": "A", "time": time, "close_off": off}


def test_three_late_bars_within_twenty_rows_block_until_twenty_came_in_time() -> None:
    of = blocks("24/7", "24/7")
    told: list[Note] = []
    for k in range(60):
        of.row(row(T + k * M, 0, 1))
        if k in (0, 10, 19):
            told += of.note(*late(T + k * M))
        assert reasons(of, T + k * M) == (["late_bars"] if 19 <= k < 39 else [])
        assert reasons(of, T + k * M, column=1) == []
    assert [note.body["severity"] for note in told] == ["alarm"]


def test_three_late_bars_over_more_rows_block_nothing() -> None:
    of = blocks("24/7")
    for k in range(60):
        of.row(row(T + k * M, 0))
        assert k not in (0, 10, 20) or of.note(*late(T + k * M)) == []
        assert reasons(of, T + k * M) == []


def test_a_close_that_was_wrong_blocks_one_row() -> None:
    for kind in ("bar.late", "bar.corrected"):
        for off, is_blocked in ((0.01, False), (0.0101, True), (None, True)):
            of = blocks("24/7")
            of.row(row(T, 0))
            of.note(kind, {"symbol": "A", "time": T, "close_off": off})
            seen = []
            for k in (1, 2):
                of.row(row(T + k * M, 0))
                seen.append(reasons(of, T + k * M))
            assert seen == [["corrected"] if is_blocked else [], []]


def test_three_bad_bars_in_a_row_are_stale_until_a_good_one() -> None:
    of = blocks("24/7")
    wrong = {"symbol": "A", "time": T, "reason": "its close is nan"}
    assert of.note("bar.bad", wrong) == []
    assert of.note("bar.bad", wrong) == []
    of.row(row(T, 0))
    assert [len(of.note("bar.bad", wrong)) for _ in range(4)] == [0, 0, 1, 0]
    assert reasons(of, T) == ["data_stale"]
    of.row(row(T + M))  # it is not in it
    assert reasons(of, T + M) == ["data_stale"]
    of.row(row(T + 2 * M, 0))
    assert reasons(of, T + 2 * M) == []


def test_the_same_bar_for_ever_is_stale() -> None:
    """Told by the sealer as nothing new, so that its age grows."""
    last, now = T + M, T + 3 * M + GRACE
    facts = [(last + k * S, bar("A", last)) for k in range(100)]
    rows, notes = drive(sealer("24/7", started=T), facts)
    assert (len(rows), notes) == (1, [])
    of = blocks("24/7")
    of.row(rows[0])
    assert reasons(of, now) == []
    assert reasons(of, now + 1) == ["data_stale"]
    of.row(row(now + M, 0))
    assert reasons(of, now + M) == []


def test_only_hours_in_session_make_a_bar_old() -> None:
    of = blocks("NYSE", started=ny("2024-06-11 16:00"))
    assert reasons(of, ny("2024-06-12 03:00")) == []
    assert reasons(of, ny("2024-06-12 09:32")) == []
    assert reasons(of, ny("2024-06-12 09:33")) == ["data_stale"]
    assert blocks("NYSE", period=S, started=T).why(0, T + 30 * S) == ()  # 30 s at least


def test_daily_bars_are_old_when_two_are_missing() -> None:
    of = blocks("NYSE", period=DAY_NS, started=ny("2024-07-02 16:00"))
    assert reasons(of, ny("2024-07-05 16:00") + GRACE) == []
    assert reasons(of, ny("2024-07-05 16:00") + GRACE + 1) == ["data_stale"]


def test_a_skew_beyond_what_is_allowed_blocks_all() -> None:
    of = blocks("24/7", "24/7")
    of.note("clock", {"skew": 5 * S})
    assert reasons(of, T) == []
    of.note("clock", {"skew": -5 * S - 1})
    assert reasons(of, T, 1) == ["clock_skew"]
    of.note("clock", {"skew": S})
    assert reasons(of, T, 1) == []
    of = blocks("24/7", period=4 * S)
    of.note("clock", {"skew": S + 1})
    assert reasons(of, T) == ["clock_skew"]


def test_a_bar_of_the_future_blocks_its_symbol_until_its_time() -> None:
    of = blocks("24/7", "24/7")
    source = sealer("24/7", "24/7", started=T - M)
    for note in source.take(bar("A", T + 30 * S + M), T + 30 * S):
        of.note(note.kind, note.body)
    assert (reasons(of, T + 31 * S), reasons(of, T + 31 * S, 1)) == (["clock_skew"], [])
    assert reasons(of, T + 30 * S + M) == []


def test_a_source_that_is_not_up_blocks_all() -> None:
    of = blocks("24/7")
    for state, is_blocked in (("down", True), ("degraded", True), ("syncing", True), ("up", False)):
        of.link(LinkFact(state, "a timeout"))  # type: ignore[arg-type]
        assert reasons(of, T) == (["link"] if is_blocked else [])


def test_the_calendar_blocks_before_a_close_and_before_a_contract_ends() -> None:
    exchange = Exchange("CME_Equity", M)
    ends = expiry(exchange, utc("2024-06-21 00:00") // DAY_NS)
    started = ny("2024-06-19 12:00")
    of = blocks("CME_Equity", started=started, flatten=flatten_of("-3m"), expiries={"A": ends})
    assert ends == (ny("2024-06-18 18:00"), ny("2024-06-20 16:45"))
    assert reasons(of, started) == ["expiring"]
    of = blocks("CME_Equity", started=started, flatten=flatten_of("-3m"))
    at = ny("2024-06-20 16:57")
    of.row(row(at, 0))
    assert (reasons(of, at - 1), reasons(of, at)) == ([], ["closing"])
    assert reasons(of, ny("2024-06-20 18:00") - 1) == ["closing"]
    assert reasons(of, ny("2024-06-20 18:00")) == []


def test_what_concerns_nobody_is_passed_over() -> None:
    of = blocks("24/7")
    assert of.note("bar.bad", {"symbol": "NOT-A", "time": T, "reason": "nobody"}) == []
    assert kinds(of.note("fill", {"symbol": "A"})) == []
    assert reasons(of, T) == []
