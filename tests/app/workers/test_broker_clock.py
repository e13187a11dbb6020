"""A session by the clock: its broker's market moves by itself, and time passes between bars."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from intrabar.app.workers.driver import Driver
from intrabar.app.workers.simulated_exchange import SimulatedExchange
from intrabar.app.workers.start import begun
from intrabar.app.workers.trading import Trading
from intrabar.brokers.simulated import SimulatedBroker
from intrabar.data.live.recorded import Recorded
from intrabar.engine.session.rerun import rerun
from intrabar.engine.session.session import Session
from intrabar.engine.session.turn import Notice
from intrabar.errors import LinkError, StoreError
from intrabar.journal.emergency import Emergency
from intrabar.journal.journal import Journal, open_journal
from intrabar.links.clock import SECOND_NS, Clock, LoopClock
from intrabar.links.simulated_time import run
from intrabar.model.broker_facts import AccountFacts, Outcome, Ref, Request, Snapshot
from intrabar.model.entry import Entry
from intrabar.model.facts import LinkFact
from intrabar.sim.state import STEP_INTRABAR
from tests.app.workers.test_broker_sessions import WARM_UP, World

ROWS = WARM_UP + 18


class Exchange(SimulatedExchange):
    """Its market moves when the time of a row has come; what happens is told by its stream."""

    def __init__(self, broker: SimulatedBroker, path: Path, clock: Clock, faults: Any) -> None:
        super().__init__(broker, path)
        self.clock, self.faults = clock, faults

    async def connect(self) -> AccountFacts:
        self.faults("connect")
        return await super().connect()

    async def submit(self, group: tuple[Request, ...]) -> tuple[Outcome, ...]:
        self.faults("submit")
        outcomes = await super().submit(group)
        self.faults("answer")
        return outcomes

    async def cancel(self, ref: Ref) -> Outcome:
        self.faults("cancel")
        return await super().cancel(ref)

    async def snapshot(self, since: int) -> Snapshot:
        self.faults("look")
        return await super().snapshot(since)

    async def events(self) -> AsyncIterator[Any]:
        yield LinkFact("up")
        for row, time in enumerate(self._times.tolist()):
            await self._wait(time - 3_599 * SECOND_NS)  # a second behind the open
            facts = self._broker.advance(row, STEP_INTRABAR) if time > self._until else []
            for fact in facts:
                self.faults("fact")
                yield fact
            await self._wait(time - SECOND_NS // 1_000)  # right before the row closes
            for fact in self.until(time):
                self.faults("fact")
                yield fact
        await self._closed.wait()

    async def _wait(self, until: int) -> None:
        if (left := (until - self.clock.now()) / SECOND_NS) > 0:
            await asyncio.sleep(left)


class Lived:
    """One session, in virtual time that passes as the clock on a wall does."""

    def __init__(self, folder: Path, **faults: set[int]) -> None:
        self.world = World(folder, rows=ROWS)
        self.wanted, self.count = faults, dict.fromkeys(faults, 0)
        self.told: list[Notice] = []

    def fault(self, point: str) -> None:
        """Whether something goes wrong at the so-manieth time of a point."""
        if point in self.wanted:
            self.count[point] += 1
            if self.count[point] in self.wanted[point]:
                raise LinkError(f"{point} {self.count[point]}")

    def live(self) -> Session:
        setup = self.world.setup("main")
        folder = self.world.folder / "main"
        folder.mkdir(parents=True)
        emergency = Emergency([folder])
        emergency.prepare()
        clock = LoopClock(setup.history[-1].time)
        assert setup.recorded is not None
        assert setup.market is not None
        source = Recorded(list(setup.recorded.values()), clock)
        session, news = begun(setup, (), [], setup.history[-1].time, emergency, source.can)
        url = f"sqlite:///{folder / 'journal.db'}"
        journal = open_journal(url, "main", folder, setup.history[-1].time)
        broker = SimulatedBroker(setup.market, setup.plan.instruments, setup.plan.account)
        exchange = Exchange(broker, folder / "it.jsonl", clock, self.fault)
        trading = Trading(exchange, clock, lambda: 2**62, emergency, self.told.append)
        driver = Driver(
            session,
            journal,
            source,
            setup.sealer(source.can, session.rows),
            clock,
            emergency,
            notify=self.told.append,
            trading=trading,
        )
        with journal:
            journal.append(news)
            assert run(driver.run()).why == "the bars have ended"
            self.entries = [record.entry for record in journal.read()]
        self.plan = setup.plan
        return session


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return World(tmp_path_factory.mktemp("paper"), rows=ROWS).live("main", None).session


@pytest.fixture(autouse=True)
def seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks, and renewals of the lease, each ten minutes: each is a commit, and these are hours."""
    monkeypatch.setattr("intrabar.app.workers.driver.RENEW", 600.0)
    monkeypatch.setattr("intrabar.engine.session.looks.WITH_ORDERS", 600 * SECOND_NS)
    monkeypatch.setattr("intrabar.engine.session.looks.WITHOUT", 600 * SECOND_NS)


def same(session: Session, paper: Session) -> None:
    assert (session.cash, session.positions) == (paper.cash, paper.positions)
    assert session.equity == pytest.approx(paper.equity, abs=1e-9)


def kinds(entries: list[Entry]) -> set[str]:
    return {e.kind for e in entries}


def test_by_the_clock_it_is_paper_too(tmp_path: Path, paper: Session) -> None:
    lived = Lived(tmp_path)
    same(lived.live(), paper)
    assert rerun(lived.plan, lived.entries).difference is None
    looks = [e.at for e in lived.entries if e.kind == "snapshot"]
    hours = (lived.entries[-1].at - lived.entries[0].at) / (3_600 * SECOND_NS)
    assert hours * 6 < len(looks) < hours * 9  # each ten minutes, and where something is in doubt


@pytest.mark.parametrize(
    "faults",
    [
        {"connect": {1, 2}},
        {"answer": {1}},
        {"fact": {1}},
        *(
            pytest.param(x, marks=pytest.mark.slow)
            for x in (
                {"look": {1, 2, 3, 4, 5, 9}},
                {"answer": {2}},
                {"fact": {3}},
                {"fact": {2, 4}},
            )
        ),
    ],
    ids=str,
)
def test_what_a_fault_hides_a_look_finds(
    tmp_path: Path, paper: Session, faults: dict[str, set[int]]
) -> None:
    lived = Lived(tmp_path, **faults)
    same(lived.live(), paper)
    assert rerun(lived.plan, lived.entries).difference is None
    lines = (tmp_path / "main" / "it.jsonl").read_text().splitlines()
    groups = [line["group"] for line in map(json.loads, lines) if "group" in line]
    names = [one["client_id"] for group in groups for one in group]
    assert len(set(names)) == len(names) > 0


def test_a_journal_that_goes_away_is_guarded_and_taken_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full when a stop is there already: nothing is bare, nothing is sent, it halts."""
    append, again, count = Journal.append, Journal.reconcile_last, [0, 0]

    def away(self: Journal, entries: Any) -> int:
        count[0] += 1
        if count[0] == 90:
            raise StoreError("the disk is full")
        return append(self, entries)

    def back(self: Journal) -> Any:
        count[1] += 1
        if count[1] < 10:
            raise StoreError("the disk is full")
        return again(self)

    monkeypatch.setattr(Journal, "append", away)
    monkeypatch.setattr(Journal, "reconcile_last", back)
    lived = Lived(tmp_path)
    session = lived.live()
    assert session.judge.breaker.level().word == "halted"
    assert "emergency" in kinds(lived.entries)
    assert any(x.key == "journal" for x in lived.told)
