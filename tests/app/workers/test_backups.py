"""Copies of a journal a quarter of an hour after each close, beside a session that goes on."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from intrabar.app.workers.backups import Backups, after_closes, backup_age
from intrabar.engine.session.exchange import Exchange
from intrabar.engine.session.session import Session
from intrabar.engine.session.turn import Notice
from intrabar.journal.backup import BACKUPS, read_manifest, verify_backup
from intrabar.links.clock import LoopClock, WallClock
from intrabar.links.simulated_time import run
from tests.app.workers.test_driver import Lived

HOUR = 3_600_000_000_000
NYSE = Exchange("NYSE", HOUR)


def at(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


def made(start: str, days: float, exchanges: list[Exchange], make: Callable[[int], None]) -> None:
    """Let so much virtual time pass."""

    async def main() -> None:
        task = after_closes(exchanges, LoopClock(at(start)), make)
        with suppress(TimeoutError):
            await asyncio.wait_for(task, days * 86_400.0)

    run(main())


def test_a_quarter_of_an_hour_after_each_close_also_of_half_days() -> None:
    times: list[int] = []
    made("2024-11-26T15:00", 4.0, [NYSE, NYSE], times.append)
    closes = ["2024-11-26T21:15", "2024-11-27T21:15", "2024-11-29T18:15"]  # the 28th is a holiday
    assert times == [at(one) for one in closes]
    times.clear()
    made("2024-11-26T21:05", 1.0, [NYSE, Exchange("24/7", HOUR)], times.append)
    both = ["2024-11-26T21:15", "2024-11-27T00:15"]
    assert times == [at(one) for one in both]
    times.clear()
    made("2024-11-26T21:16", 0.9, [NYSE], times.append)
    assert times == []


def test_a_copy_is_made_of_the_journal_of_a_session(tmp_path: Path) -> None:
    lived = Lived(tmp_path)
    session = Session(lived.plan)
    journal = lived.journal()
    journal.append(lived.start(session))
    told: list[Notice] = []
    assert math.isnan(backup_age(tmp_path, at("2024-11-27")))
    made("2024-11-26T15:00", 2.0, [NYSE], Backups(journal.store, tmp_path, told.append).make)
    journal.close()
    manifests = sorted((tmp_path / BACKUPS).rglob("*.json"))
    times = [read_manifest(one).made for one in manifests]
    assert times == [at("2024-11-26T21:15"), at("2024-11-27T21:15")]
    assert verify_backup(manifests[-1], deep=True).sessions.keys() == {"main"}
    assert backup_age(tmp_path, at("2024-11-27T22:15")) == 3_600.0
    assert told == []


def test_one_that_fails_is_told_and_the_next_is_made(tmp_path: Path) -> None:
    lived = Lived(tmp_path)
    journal = lived.journal()
    journal.append(lived.start(Session(lived.plan)))
    (tmp_path / BACKUPS).write_text("in the way")
    told: list[Notice] = []
    backups = Backups(journal.store, tmp_path, told.append)
    backups.make(at("2024-11-26T21:15"))
    assert [(notice.severity, notice.key) for notice in told] == [("alarm", "backup")]
    assert "cannot be written" in told[0].text
    (tmp_path / BACKUPS).unlink()
    backups.make(at("2024-11-27T21:15"))
    journal.close()
    assert len(told) == 1
    assert backup_age(tmp_path, at("2024-11-27T21:15")) == 0.0


class Hurries(WallClock):
    """A minute of it takes no time, in a loop of real time."""

    def __init__(self, start: int) -> None:
        self.at = start

    def now(self) -> int:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += round(seconds * 1e9)
        await asyncio.sleep(0)


def test_one_that_hangs_holds_neither_the_loop_nor_the_stop_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, never = threading.Event(), threading.Event()

    def hangs(now: int) -> None:
        begun.set()
        never.wait()

    async def main() -> int:
        """Turns of the loop while it hangs."""
        task = asyncio.create_task(after_closes([NYSE], Hurries(at("2024-11-26T21:10")), hangs))
        turns = 0
        while turns < 100:
            await asyncio.sleep(0)
            turns += begun.is_set()
        task.cancel()
        return turns

    assert asyncio.run(asyncio.wait_for(main(), 10.0)) == 100
    monkeypatch.setattr("intrabar.app.workers.backups._WITHIN", 0.01)
    journal = Lived(tmp_path).journal()
    told: list[Notice] = []
    backups = Backups(journal.store, tmp_path, told.append)
    with backups._one:
        backups.make(0)
    journal.close()
    assert "has not ended" in told[0].text
