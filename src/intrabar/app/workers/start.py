"""The start of a session: its first events, or what its journal makes of it, and what is new."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from intrabar.app.compose.session import SessionSetup
from intrabar.engine.session.graces import Graces
from intrabar.engine.session.rerun import Rerun, rerun
from intrabar.engine.session.session import Session
from intrabar.journal.emergency import Emergency
from intrabar.model.entry import Entry
from intrabar.model.facts import SourceCan

HISTORY = 1_000  # rows in one event


def begun(
    setup: SessionSetup,
    without: Sequence[str],
    entries: Sequence[Entry],
    now: int,
    emergency: Emergency,
    can: SourceCan,
) -> tuple[Session, list[Entry]]:
    """A session that is started or worked out again, and what is new for its journal.

    Parameters
    ----------
    setup : SessionSetup
    without : sequence of str
        Strategies that are called no more.
    entries : sequence of Entry
        All of its journal; none at the first start.
    now : int, ns UTC
        Of the start (`time_of_start`).
    emergency : Emergency
    can : SourceCan
        Of the source of its bars.

    Raises
    ------
    StateError
        It began with another configuration.
    """
    if not entries:
        session = Session(setup.plan)
        return session, _turns(session, _first_events(setup, now, can))
    setup.require_same(entries[0].body)
    made = rerun(setup.plan, entries)
    again = _turns(made.session, _resumed(made, without, now, emergency))
    return made.session, [*made.left, *again]


def time_of_start(setup: SessionSetup, entries: Sequence[Entry]) -> int:
    """Ns UTC; of recorded bars their own."""
    if setup.recorded is None:
        return time.time_ns()
    return entries[-1].at if entries else setup.history[-1].time


def last_row(setup: SessionSetup, entries: Sequence[Entry]) -> int:
    """When the last row closed that a session has lived through, ns UTC."""
    lived = (e.body["time"] for e in reversed(entries) if e.kind == "row.closed")
    return int(next(lived, setup.history[-1].time))


def _first_events(setup: SessionSetup, now: int, can: SourceCan) -> list[Entry]:
    live = setup.config.live
    grace, _ = Graces(live.close_grace, live.act_within).in_ns(can, setup.plan.period)
    events = [Entry(now, 0, 0, "session.started", setup.started(grace))]
    for first in range(0, len(setup.history), HISTORY):
        rows = [msgspec.to_builtins(row) for row in setup.history[first : first + HISTORY]]
        events.append(Entry(now, 0, 0, "history", {"rows": rows}))
    return events


def _resumed(made: Rerun, without: Sequence[str], now: int, emergency: Emergency) -> list[Entry]:
    """What happens at a start that is not the first."""
    place = made.session.place
    events = [Entry(now, *place, "session.resumed", {"turns": made.turns})]
    if made.difference is not None:
        body = {"text": str(made.difference), **made.difference.body()}
        events.append(Entry(now, *place, "not_repeatable", body))
    events += [
        Entry(now, *place, "emergency", {"why": str(line.get("why", ""))})
        for line in emergency.lines()
    ]
    events += [Entry(now, *place, "hook.hung", {"strategy": name}) for name in without]
    return events


def _turns(session: Session, events: Sequence[Entry]) -> list[Entry]:
    return [e for event in events for e in (event, *session.handle(event).records)]
