"""Sessions killed with -9 at every point end as if nothing had been; effects follow commits."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from intrabar.engine.session.session import Session
from intrabar.engine.session.turn import Notice
from intrabar.journal.journal import Journal
from intrabar.links.simulated_time import run
from intrabar.model.entry import Entry
from intrabar.risk.limits import Limits
from tests.app.workers.test_driver import Lived
from tests.databases import Database
from tests.engine.session.sessions import plan_of
from tests.live.kills import POINTS, killed
from tests.live.worlds import World


def test_killed_at_every_point_a_session_ends_as_the_uninterrupted_one(store: Database) -> None:
    (store.folder / "main").mkdir()
    bot = "several with predictions" if store.kind == "sqlite" else "CoinFlip, TrailingATR"
    at = killed(World(bot, 3), store.folder, store.url, Random(1), POINTS)
    assert set(at) == set(POINTS)


def test_nothing_is_told_before_it_is_committed(tmp_path: Path) -> None:
    lived = Lived(tmp_path)
    limits = Limits(max_daily_loss_pct=0.05, day="00:00 UTC")
    limits = limits.filled_in(2, lived.plan.period)
    lived.plan = plan_of(lived.setup, lived.bars, limits)
    session, journal = Session(lived.plan), lived.journal()
    journal.append(lived.start(session))
    told = Told(journal)
    driver = lived.driver(session, journal, told)
    driver.notify = told.notify
    run(driver.run())
    journal.close()
    assert told.entries > 1
    assert told.notices > 0
    assert told.too_early == []


class Told:
    """Looks, whenever it is told of something, whether that is in the journal.

    What an observer raises is caught, so it is kept.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.entries = self.notices = 0
        self.too_early: list[Any] = []

    def take(self, entries: list[Entry], _: Any) -> None:
        first = self.journal.head.seq - len(entries) + 1
        there = [(r.entry.at, r.entry.kind) for r in self.journal.read(max(first, 1))]
        if there != [(e.at, e.kind) for e in entries]:
            self.too_early.append(entries[-1])
        self.entries += 1

    def notify(self, notice: Notice) -> None:
        texts = [r.entry.body["text"] for r in self.journal.read() if r.kind == "breaker"]
        if notice.text not in texts:
            self.too_early.append(notice)
        self.notices += 1
