"""A session beside its twins: nothing differs, or the part that was changed and no other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from intrabar.engine.parity.parity import parity
from intrabar.engine.run import Setup
from intrabar.engine.session.session import Session
from intrabar.errors import UsageError
from intrabar.model.bars import Market
from intrabar.model.entry import Entry
from tests.engine.parity.faults import orders_filled, total, with_fault
from tests.engine.replay.replays import everyone
from tests.engine.session.sessions import events_of, plan_of, run_through
from tests.engine.session.test_session import hourly

FAULTS = ("a tick worse", "dearer", "half filled", "refused", "by hand")


def lived(setup: Setup, history: int = 0, extra: list[Entry] | None = None) -> list[Entry]:
    """The journal of a session on the rows of a setup; `extra` come behind the row of their bar."""
    events = events_of(setup.market, history)
    for event in extra or ():
        at = next(k for k, e in enumerate(events) if e.kind == "row.closed" and e.at >= event.at)
        events.insert(at + 1, event)
    return run_through(Session(plan_of(setup)), events)


@pytest.mark.parametrize("seed", range(4))
def test_an_honest_session_has_zeros(seed: int) -> None:
    setup = everyone(seed)
    found = parity(plan_of(setup), lived(setup))
    assert found.traded.fills
    assert found.is_identical, (found.headline, found.parts, found.notes)
    assert found.headline == "identical"
    assert set(found.parts.values()) == {0.0}
    assert found.rest == 0.0
    assert found.notes == []


def test_every_bot_has_zeros_behind_a_history() -> None:
    setup, bars = hourly(3)
    journal = run_through(Session(plan_of(setup, bars)), events_of(setup.market, 30))
    found = parity(plan_of(setup, bars), journal)
    assert found.is_identical, (found.headline, found.parts, found.notes)
    assert sum(bool(line.fills) for line in found.lines) > 5


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_the_money_of_its_part_alone(fault: str) -> None:
    setup = everyone(2)
    journal = lived(setup)
    for k in orders_filled(journal, setup.market)[::5]:
        made = with_fault(journal, k, fault, setup.market)
        found = parity(plan_of(setup), made.journal)
        assert found.holds, found.rest
        assert found.difference is not None
        wrong = {name: v for name, v in found.parts.items() if abs(v) > 1e-9}
        assert wrong == {made.part: pytest.approx(made.money, abs=1e-9)}
