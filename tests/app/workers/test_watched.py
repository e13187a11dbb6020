"""A session's port and its heartbeat, from its first row to its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from intrabar.app.cli.health import health as ask
from intrabar.app.workers.health import Readiness
from intrabar.app.workers.logs import NAME as LOG
from intrabar.app.workers.logs import Log
from intrabar.app.workers.metrics import Metrics
from intrabar.app.workers.signs import Signs
from intrabar.app.workers.watched import SignsOfLife, watched
from intrabar.links.clock import LoopClock
from intrabar.links.notify import Notifier
from intrabar.links.simulated_time import run as in_virtual_time
from intrabar.model.entry import Entry
from intrabar.model.secret import Secret
from tests.app.workers.lived import lived
from tests.app.workers.test_metrics import Hand, no_problem
from tests.links.test_notify import TOKEN, Receiver, wait_until_empty


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def test_the_port_answers_and_the_heart_beats_while_it_is_ready(
    tmp_path: Path, receiver: Receiver
) -> None:
    session = lived()
    plan, start = session.session.plan, session.session.rows[-1].time
    said: list[tuple[str, dict[str, Any]]] = []
    answers: list[int] = []

    def log(event: str, **fields: Any) -> None:
        said.append((event, fields))

    async def main() -> None:
        clock = LoopClock(start)
        signs, written = Signs(tmp_path, no_problem), Log(tmp_path, {"session": "main"})
        signs.take(session.entries)
        metrics = Metrics(plan, signs.standing, "main", tmp_path, clock, lambda: 0.0)
        url = Secret(f"http://127.0.0.1:{receiver.port}/{TOKEN}")
        notifier = Notifier("main", [], clock, log, url)
        loop = asyncio.get_running_loop()
        life = SignsOfLife(plan, signs, written, notifier, (signs,), metrics, 0)
        async with watched(life, clock, lambda: False):
            line = (tmp_path / LOG).read_text()
            port = json.loads(line)["port"]
            for _ in range(130):  # minutes; rows are fresh for 120 of them
                await clock.sleep(30)
                await loop.run_in_executor(None, wait_until_empty, notifier)
                await clock.sleep(30)
            answers.append(await loop.run_in_executor(None, lambda: ask(port=port)))
            answers.append(await loop.run_in_executor(None, lambda: ask(ready=True, port=port)))
        notifier.close()
        written.close()
        answers.append(ask(port=port))

    in_virtual_time(main())
    assert said == []
    assert len(receiver.beats) == 121
    assert answers == [0, 1, 5]


def test_the_heart_beats_at_night_whatever_the_links_are(tmp_path: Path) -> None:
    session = lived()
    signs = Signs(tmp_path, no_problem)
    at = session.entries[-1].at
    down = Entry(at, 0, 0, "link", {"who": "source", "state": "down", "reason": "no answer"})
    signs.take([*session.entries, down])
    shares = tuple(replace(x, calendar="NYSE") for x in session.session.plan.instruments)
    clock = Hand()
    plan = replace(session.session.plan, instruments=shares)
    ready = Readiness(plan, signs.standing, clock, lambda: False)
    clock.at = datetime(2024, 1, 8, 15, tzinfo=UTC).timestamp()  # a Monday
    assert not ready.is_well()
    clock.at = datetime(2024, 1, 7, 15, tzinfo=UTC).timestamp()
    assert ready.is_well()
    assert ready() == ["link source: down: no answer"]
