"""A session that lives: bars in, a journal behind it, and the backtest of what came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intrabar.app.workers.driver import Driver
from intrabar.app.workers.intake import End
from intrabar.data.live.recorded import Fault, Recorded
from intrabar.engine.session.lived_rows import market_in, rows_in, wakes_of
from intrabar.engine.session.rerun import rerun
from intrabar.engine.session.row import body_of, rows_of
from intrabar.engine.session.seal import Sealer
from intrabar.engine.session.session import Session
from intrabar.engine.session.turn import Notice
from intrabar.errors import IntegrityError, StoreError
from intrabar.journal.emergency import Emergency
from intrabar.journal.journal import Journal, open_journal
from intrabar.links.clock import LoopClock
from intrabar.links.simulated_time import run
from intrabar.model.entry import Entry
from intrabar.model.facts import BarClosed, Fact, LinkFact
from tests.engine.session.sessions import backtest_of, plan_of
from tests.engine.session.test_session import hourly

HISTORY = 40


class Lived:
    """A recorded session of the hourly bars, in a folder."""

    def __init__(self, folder: Path, faults: tuple[Fault, ...] = (), seed: int = 1) -> None:
        self.setup, self.bars = hourly(seed, 120)
        self.plan = plan_of(self.setup, self.bars)
        self.folder, self.faults = folder, faults
        self.rows = rows_of(self.setup.market)
        self.told: list[Notice] = []
        self.entries: list[Entry] = []

    def take(self, entries: Any, session: Session) -> None:
        self.entries += entries

    def journal(self) -> Journal:
        return open_journal(
            f"sqlite:///{self.folder / 'journal.db'}", "main", self.folder, self.now
        )

    @property
    def now(self) -> int:
        return self.rows[HISTORY - 1].time

    def start(self, session: Session) -> list[Entry]:
        """The events of a first start."""
        body = {"history": HISTORY, "trade_from": self.now + 1, "grace": 0, "is_recorded": True}
        events = [
            Entry(self.now, 0, 0, "session.started", body),
            Entry(
                self.now, 0, 0, "history", {"rows": [body_of(row) for row in self.rows[:HISTORY]]}
            ),
        ]
        return [e for event in events for e in (event, *session.handle(event).records)]

    def live(self, session: Session, journal: Journal) -> str:
        return run(self.driver(session, journal, self).run()).why

    def driver(self, session: Session, journal: Journal, observer: Any) -> Driver:
        clock = LoopClock(session.rows[-1].time)
        source = Recorded(self.bars, clock, faults=self.faults)
        sealer = Sealer(
            self.plan.instruments,
            self.plan.period,
            source.can,
            session.rows[-1].time,
            before=session.rows,
            recorded={b.symbol: b for b in self.bars},
        )
        emergency, told = Emergency([self.folder]), self.told.append
        return Driver(
            session, journal, source, sealer, clock, emergency, [observer], told, is_recorded=True
        )


@pytest.fixture
def lived(tmp_path: Path) -> Lived:
    return Lived(tmp_path)


def test_recorded_bars_through_the_whole_path_are_the_backtest(lived: Lived) -> None:
    session = Session(lived.plan)
    journal = lived.journal()
    journal.append(lived.start(session))
    assert lived.live(session, journal) == "the bars have ended"
    entries = [record.entry for record in journal.read()]
    journal.close()
    assert session.machine.digest() == list(backtest_of(session, lived.setup))[-1]
    assert [row.time for row in session.rows] == [row.time for row in lived.rows]
    made = rerun(lived.plan, entries)
    assert made.difference is None
    assert made.session.machine.digest() == session.machine.digest()
    assert [e for e in entries if e.kind == "fill"] == [
        e for e in lived.entries if e.kind == "fill"
    ]
    assert len([e for e in entries if e.kind == "fill"]) > 10


def test_a_session_that_is_started_again_goes_on_to_the_same_end(lived: Lived) -> None:
    session = Session(lived.plan)
    journal = lived.journal()
    journal.append(lived.start(session))
    lived.bars = [b.between(0, lived.rows[80].time) for b in lived.bars]
    lived.live(session, journal)
    entries = [record.entry for record in journal.read()]
    journal.close()
    whole = Lived(lived.folder)
    again = rerun(whole.plan, entries).session
    journal = whole.journal()
    assert whole.live(again, journal) == "the bars have ended"
    journal.close()
    assert again.machine.digest() == list(backtest_of(again, whole.setup))[-1]
    assert len(again.rows) == len(whole.rows)


def test_faults_of_the_source_are_told_and_the_rows_stay(tmp_path: Path) -> None:
    faults = (
        Fault(60, "A", "late", 120.0),
        Fault(64, "A", "corrected", 120.0),
        Fault(68, "A", "bad"),
        Fault(72, "A", "missing"),
        Fault(76, "A", "doubled"),
    )
    lived = Lived(tmp_path, faults)
    session = Session(lived.plan)
    journal = lived.journal()
    journal.append(lived.start(session))
    lived.live(session, journal)
    entries = [record.entry for record in journal.read()]
    journal.close()
    kinds = {e.kind for e in entries}
    assert {"bar.late", "bar.corrected", "bar.bad"} <= kinds
    assert rerun(lived.plan, entries).difference is None


def test_after_an_outage_entries_are_made_again(tmp_path: Path) -> None:
    lived = Lived(tmp_path, (Fault(60, "A", "down", seconds=7_200.0),))
    session = Session(lived.plan)
    journal = lived.journal()
    journal.append(lived.start(session))
    lived.live(session, journal)
    entries = [record.entry for record in journal.read()]
    journal.close()
    assert [e.body["state"] for e in entries if e.kind == "link"] == ["up", "down", "up"]
    last = max(n for n, e in enumerate(entries) if e.kind == "link")
    assert [e for e in entries[last:] if e.kind == "fill"]
    assert not [e for e in entries[last:] if e.kind == "refused" and e.body["rule"] == "link"]
    assert rerun(lived.plan, entries).difference is None


def test_what_a_person_asks_for_is_answered_and_done(lived: Lived) -> None:
    session = Session(lived.plan)
    journal = lived.journal()
    journal.append(lived.start(session))
    order = {"id": "1", "kind": "order", "symbol": "A", "side": "buy", "qty": 3}
    event = Entry(lived.now, 0, 0, "command.person", order)
    journal.append([event, *session.handle(event).records])
    lived.live(session, journal)
    fills = [r.entry.body for r in journal.read() if r.kind == "fill"]
    journal.close()
    assert fills[0]["strategy"] == "by hand"
    assert fills[0]["qty"] == 3.0


def test_a_kill_while_it_lives_closes_everything_and_latches(lived: Lived) -> None:
    session = Session(lived.plan)
    journal = lived.journal()
    journal.append(lived.start(session))
    answers: list[Entry] = []

    class Person:
        """Asks once, when row 60 is told of."""

        def take(self, entries: Any, _: Session) -> None:
            if not answers and any(e.kind == "row" and e.body["row"] >= 60 for e in entries):
                answers.append(entries[-1])
                asyncio.get_running_loop().create_task(self.ask())

        async def ask(self) -> None:
            answers.extend(await driver.ask({"id": "k", "kind": "kill", "reason": "enough"}))

    driver = lived.driver(session, journal, Person())
    assert run(driver.run()).why == "the bars have ended"
    entries = [record.entry for record in journal.read()]
    journal.close()
    moved = [e.body for e in entries if e.kind == "breaker"]
    assert [(b["cause"], b["level"], b["set"]) for b in moved] == [
        ("kill", "flattening", True),
        ("kill", "halted", True),
    ]
    assert not session.machine.book.sleeves["qty"].any()
    at = next(n for n, e in enumerate(entries) if e.kind == "command.person")
    after = [e.body for e in entries[at:] if e.kind == "command" and e.body["by"] == "session"]
    assert {b["kind"] for b in after} <= {"cancel", "submit"}
    assert [notice.key for notice in lived.told if notice.severity == "page"][:1] == [
        "breaker kill"
    ]
    assert rerun(lived.plan, entries).difference is None


def test_observers_hear_in_the_order_of_the_journal_through_an_outage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intrabar.app.workers.driver.RENEW", 1e9)
    lived = Lived(tmp_path)
    session = Session(lived.plan)
    journal = lived.journal()
    journal.append(lived.start(session))
    path, aside = tmp_path / "journal.db", tmp_path / "aside.db"
    append, reconcile = Journal.append, Journal.reconcile_last
    count = 0

    def appended(self: Journal, entries: Any) -> int:
        nonlocal count
        count += 1
        if count == 3:
            path.rename(aside)
        return append(self, entries)

    def looked(self: Journal) -> Any:
        aside.rename(path)
        return reconcile(self)

    monkeypatch.setattr(Journal, "append", appended)
    monkeypatch.setattr(Journal, "reconcile_last", looked)
    driver = lived.driver(session, journal, lived)
    driver.is_recorded = False
    assert run(driver.run()).why == "the bars have ended"
    written = [(r.entry.kind, r.entry.bar, r.entry.step) for r in journal.read()]
    journal.close()
    heard = [(entry.kind, entry.bar, entry.step) for entry in lived.entries]
    assert heard == written[-len(heard) :]
    assert [kind for kind, _, _ in heard].count("emergency") == 1
    assert not driver.emergency.lines()


def test_who_has_lost_the_lease_while_the_journal_is_away_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived = Lived(tmp_path)
    session = Session(lived.plan)
    journal = lived.journal()
    journal.append(lived.start(session))
    driver = lived.driver(session, journal, lived)
    path = tmp_path / "journal.db"

    def looked(self: Journal) -> Any:
        driver._intake.end(End("taken", error=IntegrityError("another process has it")))
        raise StoreError("it is away")

    monkeypatch.setattr(Journal, "reconcile_last", looked)
    path.rename(tmp_path / "aside.db")
    with pytest.raises(IntegrityError, match="another process has it"):
        run(driver.run())


class FilledUp(Recorded):
    """Tells that it is up again when some bars that were missed have come."""

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:
        missed, up = 16, None
        async for fact in super().events(symbols, period):
            if isinstance(fact, LinkFact) and fact.state == "up" and missed:
                up = fact
                continue
            yield fact
            if up is not None and isinstance(fact, BarClosed):
                missed -= 1
                if not missed:
                    yield up
                    up = None


def test_a_person_is_heard_between_rows_that_come_at_once(tmp_path: Path) -> None:
    lived = Lived(tmp_path)
    session = Session(lived.plan)
    journal = lived.journal()
    journal.append(lived.start(session))
    driver = lived.driver(session, journal, lived)
    down = Fault(60, "A", "down", seconds=12 * 3_600.0)
    driver.source = FilledUp(lived.bars, driver.clock, faults=(down,))
    asked: list[asyncio.Task[list[Entry]]] = []

    def turned(kind: str, seconds: float) -> None:
        if kind == "row.closed" and session.rows[-1].time == lived.rows[66].time:
            halt = driver.ask({"id": "h", "kind": "halt", "reason": "wait"})
            asked.append(asyncio.get_running_loop().create_task(halt))

    driver.turned = turned
    run(driver.run())
    journal.close()
    (task,) = asked
    (moved,) = (e for e in task.result() if e.kind == "breaker")
    assert lived.entries[-1].bar > 100
    assert moved.bar <= 68  # the rows that come at once go on to 72


def test_the_market_of_a_session_that_keeps_its_last_rows_is_that_of_its_journal(
    lived: Lived,
) -> None:
    session = Session(lived.plan)
    journal = lived.journal()
    journal.append(lived.start(session))
    session.keep_last(10)
    lived.live(session, journal)
    entries = [record.entry for record in journal.read()]
    journal.close()
    assert len(session.rows) < session.count
    assert session.count == len(lived.rows)
    rows = rows_in(entries)
    assert [row.time for row in rows] == [row.time for row in lived.rows]
    whole = rerun(lived.plan, entries).session
    assert whole.machine.digest() == session.machine.digest()
    np.testing.assert_array_equal(
        market_in(rows, lived.plan).close, market_in(whole.rows, lived.plan).close
    )
    np.testing.assert_array_equal(wakes_of(rows), wakes_of(whole.rows))
