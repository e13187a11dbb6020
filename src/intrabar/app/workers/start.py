"""The start of a session: its first events, or what its journal makes of it, and what is new."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from intrabar.app.compose.session_setup import SessionSetup
from intrabar.app.workers.driver import RENEW
from intrabar.app.workers.hook_watch import HookWatch, Slow
from intrabar.app.workers.one_thread import OneThread
from intrabar.engine.session.calling import Calling, calling
from intrabar.engine.session.graces import Graces
from intrabar.engine.session.hearing import models_in
from intrabar.engine.session.lived_rows import heard_in, rows_in
from intrabar.engine.session.predicting import Told
from intrabar.engine.session.rerun import Rerun, rerun
from intrabar.engine.session.row import body_of
from intrabar.engine.session.session import Session
from intrabar.errors import StoreError
from intrabar.journal.emergency import Emergency, emergency_bodies
from intrabar.model.entry import Entry
from intrabar.model.facts import SourceCan

HISTORY = 1_000  # rows in one event

Begun = tuple[Session, list[Entry]]
Made = TypeVar("Made")
Shown = Callable[[Session], None]


def begun_in_time(
    begin: Callable[[Shown], Made], limit: float, slow: Slow, renew: Callable[[], None]
) -> Made | Calling:
    """Begin a session in a thread of its own; the hook that did not return in time, if any.

    Parameters
    ----------
    begin : callable
        `begun`, or `as_recorded`, but for its last parameter.
    limit : float
        Seconds that a hook may take.
    slow : callable
        Told of hooks that take long.
    renew : callable
        Called every few seconds meanwhile.
    """
    at_work: list[Session] = []
    news: SimpleQueue[tuple[Calling, float] | None] = SimpleQueue()
    thread = OneThread("hooks")
    future = thread.submit(begin, at_work.append)
    future.add_done_callback(lambda _: news.put(None))
    watch = HookWatch(
        lambda: calling(at_work[-1]) if at_work else None,
        limit,
        lambda hook, seconds: news.put((hook, seconds)),
    )
    try:
        due = time.monotonic() + RENEW
        while not future.done():
            with suppress(Empty):
                seen = news.get(timeout=max(due - time.monotonic(), 0.0))
                if seen is not None and seen[1] >= limit:
                    return seen[0]
                if seen is not None:
                    slow(*seen)
            if time.monotonic() >= due:  # also where slow hooks leave no pause
                with suppress(StoreError):  # as while it lives: the next commit tells of it
                    renew()
                due = time.monotonic() + RENEW
    finally:
        watch.close()
        thread.shutdown()
    made: Made = future.result()
    return made


def begun(
    setup: SessionSetup,
    without: Sequence[str],
    entries: Sequence[Entry],
    now: int,
    emergency: Emergency,
    can: SourceCan,
    said: Sequence[Told] = (),
    shown: Shown = lambda session: None,
) -> Begun:
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
    said : sequence of Told
        What is predicted for its history, at the first start; later what is said otherwise now.
    shown : callable
        Told of the session before any hook is called.

    Raises
    ------
    StateError
        It began with another configuration.
    """
    if not entries:
        shown(session := Session(setup.plan))
        return session, _turns(session, _first_events(setup, now, can, said))
    setup.require_same(entries[0].body)
    made = rerun(setup.plan, entries, shown)
    out = dict.fromkeys([*_to_be_left_out(entries), *without])
    events = _resumed(made, out, now, emergency, _said(setup))
    events += [Entry(now, *made.session.place, kind, body) for kind, body in said]
    again = _turns(made.session, events)
    return made.session, [*made.left, *again]


def covering(
    place: tuple[int, int], now: int, emergency: Emergency, is_restored: bool
) -> list[Entry]:
    """The first events of a start that covers what is held before any hook is called."""
    body = {"restored": True} if is_restored else {}
    events = [Entry(now, *place, "session.covering", body)]
    bodies = emergency_bodies(emergency.lines())
    return events + [Entry(now, *place, "emergency", body) for body in bodies]


def left_behind(
    setup: SessionSetup,
    entries: Sequence[Entry],
    now: int,
    can: SourceCan,
    said: Sequence[Told],
    hook: Calling,
) -> list[Entry]:
    """What is new for a journal whose start has not ended, because a hook did not return.

    Parameters
    ----------
    setup, entries, now, can, said : as for `begun`
    hook : Calling
        At the next start no hook of its strategy is called.
    """
    first = [] if entries else _first_events(setup, now, can, said)
    last = [*entries[-1:], *first][-1]
    body = {"strategy": hook.strategy, "bar": hook.bar, "step": hook.step, "at_start": True}
    return [*first, Entry(now, last.bar, last.step, "hook.hung", body)]


def time_of_start(setup: SessionSetup, entries: Sequence[Entry]) -> int:
    """Ns UTC; of recorded bars their own."""
    if setup.recorded is None:
        return time.time_ns()
    return entries[-1].at if entries else setup.history[-1].time


def last_row(setup: SessionSetup, entries: Sequence[Entry]) -> int:
    """When the last row closed that a session has lived through, ns UTC."""
    lived = (e.body["time"] for e in reversed(entries) if e.kind == "row.closed")
    return int(next(lived, setup.history[-1].time))


def said_before(setup: SessionSetup, entries: Sequence[Entry]) -> list[Told]:
    """What a session hears of rows that are over: `said` of `begun`.

    Parameters
    ----------
    setup : SessionSetup
        Its predictor goes on where the journal ends.
    entries : sequence of Entry
        Its journal so far.
    """
    predictor = setup.predictor
    if predictor is None:
        return []
    if not entries:
        return predictor.history(setup.history)
    predictor.resume(rows_in(entries), models_in(entries))
    return predictor.changes(heard_in(entries, setup.plan), last_row(setup, entries))


def _first_events(
    setup: SessionSetup, now: int, can: SourceCan, said: Sequence[Told]
) -> list[Entry]:
    live = setup.config.live
    grace, _ = Graces(live.close_grace, live.act_within).in_ns(can, setup.plan.period)
    events = [Entry(now, 0, 0, "session.started", setup.started(grace))]
    events += [Entry(now, 0, 0, kind, body) for kind, body in said]
    for first in range(0, len(setup.history), HISTORY):
        rows = [body_of(row) for row in setup.history[first : first + HISTORY]]
        events.append(Entry(now, 0, 0, "history", {"rows": rows}))
    return events


def _to_be_left_out(entries: Sequence[Entry]) -> list[str]:
    """The strategies of which a hook has hung at a start, and that still have their orders."""
    hung: dict[str, bool] = {}
    for entry in entries:
        if entry.kind == "hook.hung":
            hung[str(entry.body["strategy"])] = bool(entry.body.get("at_start"))
    return [name for name, is_waiting in hung.items() if is_waiting]


def _resumed(
    made: Rerun,
    without: Iterable[str],
    now: int,
    emergency: Emergency,
    said: Mapping[str, Any],
) -> list[Entry]:
    """What happens at a start that is not the first."""
    place = made.session.place
    events = [Entry(now, *place, "session.resumed", {"turns": made.turns, **said})]
    if made.difference is not None:
        body = {"text": str(made.difference), **made.difference.body()}
        events.append(Entry(now, *place, "not_repeatable", body))
    bodies = emergency_bodies(emergency.lines())
    events += [Entry(now, *place, "emergency", body) for body in bodies]
    events += [Entry(now, *place, "hook.hung", {"strategy": name}) for name in without]
    return events


def _said(setup: SessionSetup) -> dict[str, Any]:
    """What a person has said at this start: the third gate, that the journal was put back."""
    gate = {"gate": dict(setup.gate)} if setup.gate else {}
    return {**gate, **({"restored": True} if setup.is_restored else {})}


def _turns(session: Session, events: Sequence[Entry]) -> list[Entry]:
    return [e for event in events for e in (event, *session.handle(event).records)]
