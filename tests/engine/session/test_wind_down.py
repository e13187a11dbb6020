"""What a stop leaves behind: a person's takes back entries, the end of the bars does not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from intrabar.engine.session.session import Session
from intrabar.engine.session.wind_down import WindDown
from intrabar.model.entry import Entry
from tests.engine.session.sessions import events_of, plan_of, run_through
from tests.engine.session.test_session import hourly

HISTORY = 40


def stopped(
    cancels_entries: bool, wishes: Sequence[dict] = (), is_killed: bool = False
) -> tuple[Session, list[Entry]]:
    """A session that is stopped behind ten rows and goes on; its journal from the restart on."""
    setup, bars = hourly(1, 120)
    session = Session(plan_of(setup, bars))
    events = events_of(setup.market, HISTORY)
    split = 2 + 10
    run_through(session, events[: split - 1])
    at = events[split - 1].at
    order = {"id": "1", "kind": "order", "symbol": "A", "side": "buy", "qty": 1, "type": "limit"}
    order |= {"limit_price": 0.01}
    run_through(session, [Entry(at - 1, 0, 0, "command.person", order), events[split - 1]])
    run_through(session, [Entry(at, 0, 0, "command.person", wish) for wish in wishes])
    pause = [Entry(at, *session.place, "session.resumed", {})]
    if not is_killed:
        body = {"reason": "it is told to", "cancels_entries": cancels_entries}
        pause.insert(0, Entry(at, *session.place, "session.stopped", body))
    return session, run_through(session, [*pause, *events[split:]])


@pytest.mark.parametrize("cancels_entries", [True, False])
def test_what_works_is_cancelled_where_a_person_has_stopped_it(cancels_entries: bool) -> None:
    session, journal = stopped(cancels_entries)
    taken_back = [
        e.body
        for e in journal
        if e.kind == "command" and e.body["by"] == "session" and e.body["kind"] == "cancel"
    ]
    working = session.machine.book.orders[session.machine.working()]
    assert bool(taken_back) == cancels_entries
    assert (0.01 in working["limit_price"].tolist()) != cancels_entries


@pytest.mark.parametrize("is_killed", [True, False])
def test_to_end_when_flat_outlasts_a_crash_and_a_stop(is_killed: bool) -> None:
    wish = {"id": "2", "kind": "stop_when_flat"}
    session, journal = stopped(False, [wish], is_killed)
    refused = {e.body["rule"] for e in journal if e.kind == "refused"}
    assert session.is_ending
    assert "stopping" in refused


@pytest.mark.parametrize("breaks", [True, False])
def test_a_person_lets_it_enter_again(breaks: bool) -> None:
    wishes = [{"id": "2", "kind": "stop_when_flat"}]
    wishes += [{"id": "3", "kind": "halt", "reason": "x"}] * breaks
    session, journal = stopped(False, [*wishes, {"id": "4", "kind": "resume", "reason": "y"}])
    assert not session.is_ending
    assert session.judge.breaker.level().word == "trading"
    assert not [e for e in journal if e.kind == "refused" and e.body["rule"] == "stopping"]


@pytest.mark.parametrize("is_flat", [True, False])
def test_one_that_has_stopped_flat_enters_again(is_flat: bool) -> None:
    winding_down = WindDown()
    winding_down.stop_when_flat()
    winding_down.stop(1, False, is_flat)
    assert bool(winding_down.ending) != is_flat
