"""A session on live bars runs what closed before it listened, late, before what comes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from intrabar.app.folders.sessions import entries_of
from intrabar.app.workers import driver as of_driver
from intrabar.app.workers.driver import Driver
from intrabar.app.workers.missed import going_on
from intrabar.app.workers.paper import Ways, live_through
from intrabar.data.live.catching_up import closed_since
from intrabar.engine.session.rerun import rerun
from intrabar.engine.session.seal import Sealer
from intrabar.engine.session.session import Session
from intrabar.errors import LinkError, NotFoundError
from intrabar.journal.emergency import Emergency
from intrabar.links.clock import SECOND_NS, LoopClock
from intrabar.links.simulated_time import run
from intrabar.model.bars import Bars
from intrabar.model.entry import Entry
from intrabar.model.facts import Fact, LinkFact, SourceCan
from tests.app.workers.test_driver import HISTORY
from tests.app.workers.test_driver import Lived as Whole
from tests.app.workers.test_ends import Ends
from tests.app.workers.test_live_session import HOUR, bars_until, setup_of
from tests.engine.session.sessions import plan_of

GOES_ON = 70  # the row before which it is started again


class Late:
    """A source without heartbeats whose history takes long, or is not to be had at first."""

    can = SourceCan("none", 0.0, corrects=False, quotes=False)

    def __init__(self, lived: Whole, clock: LoopClock, hours: float, failures: int) -> None:
        self.bars, self.clock = {b.symbol: b for b in lived.bars}, clock
        self.hours, self.failures = hours, failures

    async def history(self, symbol: str, period: int, start: int, end: int) -> Bars:
        bars = self.bars[symbol].between(start, end)
        hours, self.hours = self.hours, 0.0
        await self.clock.sleep(hours * 3_600.0)
        if self.failures:
            self.failures -= 1
            raise LinkError("no answer")
        return bars

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:
        since = self.clock.now() - period
        closed = await closed_since(self, dict.fromkeys(symbols, since), period, 2**62)  # type: ignore[arg-type]
        yield LinkFact("up")
        for bar in closed:
            await self.clock.sleep(max(bar.time - self.clock.now(), 0) / SECOND_NS)
            yield bar

    async def quote(self, symbol: str) -> Any: ...

    async def close(self) -> None: ...


def lived_through(
    folder: Path, monkeypatch: pytest.MonkeyPatch, hours: float = 0.0, failures: int = 0
) -> tuple[Whole, list[Entry]]:
    """A session whose first question comes shortly before a row, long after its history."""
    monkeypatch.setattr(of_driver, "RENEW", 3_600.0)
    lived = Whole(folder)
    open_ = tuple(replace(x, calendar="24/7") for x in lived.setup.instruments)
    lived.plan = plan = plan_of(replace(lived.setup, instruments=open_), lived.bars)
    session = Session(plan)
    journal = lived.journal()
    journal.append(lived.start(session))
    clock = LoopClock(lived.rows[GOES_ON].time - 600 * SECOND_NS)
    told: Any = Late(lived, clock, hours, failures)
    last = session.rows[-1].time
    sealer = Sealer(plan.instruments, plan.period, told.can, last, before=session.rows)
    source: Any = going_on(told, last, clock, sealer, clock.start)
    driver = Driver(session, journal, source, sealer, clock, Emergency([folder]))
    assert run(driver.run()).why == "the bars have ended"
    entries = [record.entry for record in journal.read()]
    journal.close()
    assert not [e for e in entries if e.kind == "bar.late"]
    assert rerun(plan, entries).difference is None
    return lived, entries


def assert_whole(lived: Whole, entries: list[Entry], on_time: int) -> None:
    """Every row is there, with all of its bars; those before one were late."""
    rows = lived.rows[HISTORY:]
    lived_rows = [e.body for e in entries if e.kind == "row.closed"][: len(rows)]
    assert [row["time"] for row in lived_rows] == [row.time for row in rows]
    assert [len(row["bars"]) for row in lived_rows] == [len(row.bars) for row in rows]
    late = [bool(row.get("late")) for row in lived_rows]
    assert late == [True] * (on_time - HISTORY) + [False] * (HISTORY + len(rows) - on_time)


def test_rows_that_were_missed_are_run_before_what_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_whole(*lived_through(tmp_path, monkeypatch), GOES_ON)


def test_what_closes_while_the_source_is_asked_is_run_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived, entries = lived_through(tmp_path, monkeypatch, hours=30.0)
    on_time = next(i for i, row in enumerate(lived.rows) if row.time > entries_up(entries))
    assert on_time > GOES_ON + 1
    assert_whole(lived, entries, on_time)


def entries_up(entries: list[Entry]) -> int:
    return next(e.at for e in entries if e.kind == "link" and e.body["state"] == "up")


def test_a_source_that_does_not_answer_at_first_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived, entries = lived_through(tmp_path, monkeypatch, failures=3)
    states = [e.body["state"] for e in entries if e.kind == "link"]
    assert states[:3] == ["syncing", "down", "up"]
    assert_whole(lived, entries, GOES_ON)


class Began(Ends):
    """A source whose history reaches up to now."""

    def __init__(self, bars: Bars) -> None:
        self.bars = bars

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:
        if False:
            yield LinkFact("up")

    async def history(self, symbol: str, period: int, start: int, end: int) -> Bars:
        return self.bars.between(start, end)


def rows_lived(folder: Path) -> list[int]:
    entries = entries_of("main", folder / "main")
    return [e.body["time"] for e in entries if e.kind == "row.closed"]


def test_a_start_that_takes_longer_than_a_bar_loses_none(tmp_path: Path) -> None:
    now = time.time_ns() // HOUR * HOUR
    bars = bars_until(now, 60)
    history = bars.between(None, now - 3 * HOUR)
    live_through(setup_of(tmp_path, history), Ways(), Began(bars))
    assert rows_lived(tmp_path) == [now - k * HOUR for k in (2, 1, 0)]


def test_what_the_history_no_longer_reaches_is_told(tmp_path: Path) -> None:
    now = time.time_ns() // HOUR * HOUR
    bars, pages = bars_until(now, 200), StringIO()
    live_through(setup_of(tmp_path, bars.between(None, now - 60 * HOUR)), Ways(), Began(bars))
    assert rows_lived(tmp_path)[-1] == now
    again = setup_of(tmp_path, bars_until(now + 100 * HOUR, 60))
    live_through(again, Ways(pages=pages), Began(bars))
    assert "rows between them are missing" in pages.getvalue()


def test_a_symbol_that_the_source_no_longer_has_ends_it(tmp_path: Path) -> None:
    now = time.time_ns() // HOUR * HOUR

    class Gone(Began):
        async def history(self, symbol: str, period: int, start: int, end: int) -> Bars:
            raise NotFoundError("symbol", symbol, [])

    with pytest.raises(NotFoundError):
        live_through(
            setup_of(tmp_path, bars_until(now - 9 * HOUR, 60)), Ways(), Gone(bars_until(now, 9))
        )
