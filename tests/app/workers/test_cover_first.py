"""A start at a broker covers what is held before any hook is called."""

from __future__ import annotations

import threading
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest

import intrabar as ib
from intrabar.app.workers.lived import Lived
from intrabar.app.workers.paper import Ways, live_through
from intrabar.app.workers.simulated_exchange import SimulatedExchange
from intrabar.engine.session.rerun import as_recorded, rerun
from intrabar.errors import LinkError
from intrabar.journal.journal import Journal
from intrabar.model.entry import Entry
from tests.app.workers.test_broker_sessions import ANSWERED, WARM_UP, Killed, World
from tests.live.bots import BOTS

NO_BRACKETS = ANSWERED._replace(can=msgspec.structs.replace(ANSWERED.can, bracket=False))
"""An account that takes no stop before its entry has filled."""
GATE = threading.Event()
PASSED: list[bool] = []
"""Of each hook, whether the gate was open when it was called, or opened soon."""
ENTERS = WARM_UP + 4


class Gated(ib.Strategy):
    """Buys with a stop, and thinks no faster than a test lets it."""

    raises_at = -1

    def on_start(self) -> None:
        PASSED.append(GATE.wait(0.5 if False in PASSED else 10.0))

    def on_close(self, now: Any) -> None:
        PASSED.append(GATE.wait(0.5 if False in PASSED else 10.0))
        if now.bar in (ENTERS, ENTERS + 6) and now.is_flat:
            now.buy(3, stop_loss=0.5 * now.close)
        if now.bar == self.raises_at:
            raise ValueError("it cannot think")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setitem(BOTS, "gated", lambda draw, rows: {"gated": Gated()})
    GATE.set()
    PASSED.clear()
    return World(tmp_path, "gated", rows=WARM_UP + 16)


def has_stop(entry: Entry) -> bool:
    return any(one["type"] == "stop" for one in entry.body.get("requests", ()))


def killed(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    is_committed: bool,
    at: Callable[[Entry], bool] = has_stop,
) -> None:
    """Kill it at a commit: when its entry has filled, and before its stop leaves."""
    append = Journal.append

    def dying(self: Journal, entries: Any) -> int:
        if not any(at(e) for e in entries):
            return append(self, entries)
        if is_committed:
            append(self, entries)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", dying)
        with pytest.raises(Killed):
            world.live(answered=NO_BRACKETS)


def resting(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The types of all that reaches the broker; the gate opens when a stop is there."""
    submit, there = SimulatedExchange.submit, list[str]()

    async def seen(self: SimulatedExchange, group: Any) -> Any:
        outcomes = await submit(self, group)
        there.extend(one.type for one in group)
        if "stop" in there:
            GATE.set()
        return outcomes

    monkeypatch.setattr(SimulatedExchange, "submit", seen)
    return there


def again(world: World) -> tuple[Lived, list[Entry]]:
    GATE.clear()
    PASSED.clear()
    lived = world.live(answered=NO_BRACKETS)
    return lived, lived._entries()


@pytest.mark.parametrize("is_committed", [False, True])
def test_the_stop_rests_before_the_first_hook_is_called(
    world: World, monkeypatch: pytest.MonkeyPatch, is_committed: bool
) -> None:
    killed(world, monkeypatch, is_committed)
    there = resting(monkeypatch)
    lived, entries = again(world)
    assert there[0] == "stop"
    assert PASSED
    assert all(PASSED)
    assert len(set(world.sent())) == len(world.sent())
    kinds = [e.kind for e in entries]
    covering, resumed = kinds.index("session.covering"), kinds.index("session.resumed")
    part = entries[covering:resumed]
    assert any(has_stop(e) for e in part)
    assert "not_repeatable" not in kinds
    plan = world.setup("main", NO_BRACKETS).as_begun(entries[0].body).plan
    assert rerun(plan, entries).difference is None
    session, difference = as_recorded(plan, entries)
    assert difference is None
    assert session.machine.digest() == lived.digest


def test_what_cannot_be_covered_in_time_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(world, monkeypatch, False)
    connect, count = SimulatedExchange.connect, [0]

    async def away(self: SimulatedExchange) -> Any:
        count[0] += 1
        if not PASSED:
            raise LinkError("nobody there")
        return await connect(self)

    monkeypatch.setattr(SimulatedExchange, "connect", away)
    pages = StringIO()
    PASSED.clear()
    lived = live_through(world.setup("main", NO_BRACKETS), Ways(pages=pages))
    assert "may be bare until the strategies are worked out again" in pages.getvalue()
    assert "nobody there" in pages.getvalue()
    assert "not_repeatable" not in {e.kind for e in lived._entries()}


def test_what_does_not_stand_without_its_hooks_is_not_covered_first_and_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Gated, "raises_at", ENTERS + 2)
    killed(world, monkeypatch, False, lambda e: e.kind == "row" and e.body["row"] == ENTERS + 4)
    pages = StringIO()
    lived = live_through(world.setup("main", NO_BRACKETS), Ways(pages=pages))
    assert "does not stand without its hooks" in pages.getvalue()
    assert "session.covering" not in {e.kind for e in lived._entries()}


def test_while_it_is_catching_up_nothing_is_entered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies before its entry leaves: that goes when the strategies are there, not before."""
    killed(world, monkeypatch, True, lambda e: e.kind == "intent")
    there = resting(monkeypatch)
    PASSED.clear()
    entries = world.live(answered=NO_BRACKETS)._entries()
    kinds = [e.kind for e in entries]
    part = entries[kinds.index("session.covering") : kinds.index("session.resumed")]
    assert not [e for e in part if e.kind == "intent" and e.body["urgency"] == "entry"]
    assert "not_repeatable" not in kinds
    assert "stop" in there
