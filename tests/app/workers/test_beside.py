"""What works beside a session: a bug in it is told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from intrabar.app.workers.beside import beside
from intrabar.engine.session.turn import Notice
from tests.app.workers.test_ends import live


def test_a_bug_is_told_and_an_end_is_not() -> None:
    told: list[Notice] = []

    async def broken() -> None:
        raise KeyError("x")

    async def ends() -> None: ...

    asyncio.run(beside("nobody looks", broken(), told.append))
    asyncio.run(beside("nobody looks", ends(), told.append))
    assert [(notice.severity, notice.text) for notice in told] == [
        ("page", "nobody looks until it is started again: a bug, KeyError: 'x'")
    ]


@pytest.mark.parametrize(
    ("place", "what"),
    [
        ("persons.watch_kill", "nobody looks for the file KILL"),
        ("persons.after_closes", "the journal is not backed up after closes"),
        ("driver.Driver._renew", "the lease is not renewed"),
    ],
)
def test_a_session_tells_what_no_longer_works_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, what: str
) -> None:
    async def broken(*given: object, **named: object) -> None:
        raise ZeroDivisionError("a bug")

    log = tmp_path / "main" / "log.jsonl"
    monkeypatch.setattr(f"intrabar.app.workers.{place}", broken)

    async def act() -> None:
        while what not in log.read_text():
            await asyncio.sleep(0.01)

    assert live(tmp_path, act).why == "the bars have ended"
