"""What a live session looks at between its bars: two clocks, and the age of what it holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intrabar.app.workers import driver as of_driver
from intrabar.app.workers.driver import Driver
from intrabar.engine.session.rerun import rerun
from intrabar.engine.session.seal import Sealer
from intrabar.engine.session.session import Session
from intrabar.journal.emergency import Emergency
from intrabar.links.clock import SECOND_NS, LoopClock
from intrabar.links.simulated_time import run
from intrabar.model.entry import Entry
from intrabar.model.facts import BarClosed, Fact, LinkFact, SourceCan
from tests.app.workers.test_driver import Lived
from tests.engine.session.sessions import plan_of

HOUR = 3_600


@pytest.fixture(autouse=True)
def seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renew the lease once an hour: each time is a write to the disk, and the days are many."""
    monkeypatch.setattr(of_driver, "RENEW", float(HOUR))


class Sleeps(LoopClock):
    """A clock whose wall goes on while the machine sleeps."""

    slept = 0

    def now(self) -> int:
        return super().now() + self.slept * SECOND_NS


class Told:
    """The bars of the rows from one to another, and then nothing for hours."""

    can = SourceCan("none", 0.0, corrects=False, quotes=False)

    def __init__(self, lived: Lived, clock: Sleeps, sleeps_before: int, until: int) -> None:
        self.lived, self.clock = lived, clock
        self.sleeps_before, self.until = sleeps_before, until

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:
        yield LinkFact("up")
        for i in range(40, self.until):
            time = self.lived.rows[i].time
            if i == self.sleeps_before:
                self.clock.slept = 600
            await self.clock.sleep(max(time - self.clock.now(), 0) / SECOND_NS)
            for bar in self.lived.rows[i].bars:
                o, h, low, c, v = bar.open, bar.high, bar.low, bar.close, bar.volume
                yield BarClosed(symbols[bar.column], time, o, h, low, c, v)
        await self.clock.sleep(12 * HOUR)

    async def quote(self, symbol: str) -> Any: ...

    async def history(self, symbol: str, period: int, start: int, end: int) -> Any: ...

    async def close(self) -> None: ...


def live(folder: Path, sleeps_before: int, until: int) -> tuple[Lived, list[Entry]]:
    lived = Lived(folder)
    open_ = tuple(replace(x, calendar="24/7") for x in lived.setup.instruments)
    lived.plan = plan_of(replace(lived.setup, instruments=open_), lived.bars)
    session = Session(lived.plan)
    journal = lived.journal()
    start = lived.start(session)
    journal.append(start)
    clock = Sleeps(session.rows[-1].time)
    source = Told(lived, clock, sleeps_before, until)
    at, plan = session.rows[-1].time, lived.plan
    sealer = Sealer(plan.instruments, plan.period, source.can, at, before=session.rows)
    driver = Driver(
        session, journal, source, sealer, clock, Emergency([folder]), notify=lived.told.append
    )
    assert run(driver.run()).why == "the bars have ended"
    entries = [record.entry for record in journal.read()]
    journal.close()
    return lived, entries


def test_a_machine_that_slept_has_no_link_before_it_hears_of_the_source_again(
    tmp_path: Path,
) -> None:
    lived, entries = live(tmp_path, sleeps_before=60, until=70)
    links = [e.body["state"] for e in entries if e.kind == "link"]
    assert links == ["up", "down", "syncing", "up"]
    (clock,) = [e.body for e in entries if e.kind == "clock"]
    assert clock["moved"] == 600 * SECOND_NS
    assert ("page", "clock") in {(n.severity, n.key) for n in lived.told}
    rows = [e.body["time"] for e in entries if e.kind == "row.closed"]
    assert rows[:30] == [row.time for row in lived.rows[40:70]]
    assert rerun(lived.plan, entries).difference is None


def test_what_is_held_and_has_no_bars_is_told(tmp_path: Path) -> None:
    lived, entries = live(tmp_path, sleeps_before=-1, until=70)
    assert not [e for e in entries if e.kind == "clock"]
    held = {one["symbol"] for one in rerun(lived.plan, entries).session.positions}
    told = {n.key for n in lived.told if n.key.startswith("data_stale")}
    assert held
    assert told == {f"data_stale.{symbol}" for symbol in held}
