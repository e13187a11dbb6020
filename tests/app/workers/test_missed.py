"""A session on live bars that goes on runs the rows that it missed, late, before what comes."""

from __future__ import annotations

import time
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from intrabar.app.folders.sessions import entries_of
from intrabar.app.workers import driver as of_driver
from intrabar.app.workers.driver import Driver
from intrabar.app.workers.missed import going_on, missed_since
from intrabar.app.workers.paper import Ways, live_through
from intrabar.engine.session.rerun import rerun
from intrabar.engine.session.seal import Sealer
from intrabar.engine.session.session import Session
from intrabar.journal.emergency import Emergency
from intrabar.links.clock import SECOND_NS
from intrabar.links.simulated_time import run
from intrabar.model.entry import Entry
from intrabar.model.facts import BarClosed
from tests.app.workers.test_driver import HISTORY
from tests.app.workers.test_driver import Lived as Whole
from tests.app.workers.test_ends import Ends
from tests.app.workers.test_live_session import HOUR, bars_until, setup_of
from tests.app.workers.test_looks import Sleeps, Told
from tests.engine.session.sessions import plan_of

GOES_ON = 70  # the row before which it is started again


def test_rows_that_were_missed_are_run_before_what_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_driver, "RENEW", 3_600.0)
    lived = Whole(tmp_path)
    open_ = tuple(replace(x, calendar="24/7") for x in lived.setup.instruments)
    lived.plan = plan = plan_of(replace(lived.setup, instruments=open_), lived.bars)
    session = Session(plan)
    journal = lived.journal()
    journal.append(lived.start(session))
    rows = lived.rows[HISTORY:]
    missed = [
        BarClosed(plan.symbols[b.column], row.time, b.open, b.high, b.low, b.close, b.volume)
        for row in rows[: GOES_ON - HISTORY]
        for b in row.bars
    ]
    clock = Sleeps(lived.rows[GOES_ON].time - 600 * SECOND_NS)
    source: Any = Told(lived, clock, -1, 80)
    sealer = Sealer(
        plan.instruments, plan.period, source.can, session.rows[-1].time, before=session.rows
    )
    source = going_on(source, missed, sealer, clock.start)
    driver = Driver(session, journal, source, sealer, clock, Emergency([tmp_path]))
    assert run(driver.run()).why == "the bars have ended"
    entries = [record.entry for record in journal.read()]
    journal.close()
    found = [e.body for e in entries if e.kind == "row.closed"][: 80 - HISTORY]
    assert [row["time"] for row in found] == [row.time for row in rows[: 80 - HISTORY]]
    assert [len(row["bars"]) for row in found] == [len(r.bars) for r in rows[: 80 - HISTORY]]
    late = [bool(row.get("late")) for row in found]
    assert late == [True] * (GOES_ON - HISTORY) + [False] * (80 - GOES_ON)
    assert not [e for e in entries if e.kind == "bar.late"]
    assert rerun(plan, entries).difference is None


def live(folder: Path, start: int, end: int, pages: Any = None) -> Any:
    async def act() -> None: ...

    setup = setup_of(folder, bars_until(end, 200).between(start, None))
    live_through(setup, Ways(pages=pages), Ends(act))
    return setup


def rows_lived(folder: Path) -> list[Entry]:
    return [e for e in entries_of("main", folder / "main") if e.kind == "row.closed"]


def test_what_the_history_has_behind_the_last_row_is_what_was_missed(tmp_path: Path) -> None:
    now = time.time_ns() // HOUR * HOUR
    pages = StringIO()
    live(tmp_path, now - 90 * HOUR, now - 60 * HOUR)
    last = max([now - 60 * HOUR, *(e.body["time"] for e in rows_lived(tmp_path))])
    setup = live(tmp_path, now - 40 * HOUR, now, pages)
    told = [bar.time for bar in missed_since(setup, last)]
    assert told == [now - k * HOUR for k in range(40, -1, -1) if now - k * HOUR > last]
    assert {e.body["time"] for e in rows_lived(tmp_path)} >= set(told[:-1])
    gone = now - 40 * HOUR > last
    assert ("rows between them are missing" in pages.getvalue()) == gone
