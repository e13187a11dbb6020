"""A session worked out again from its journal: by its events, every record compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from intrabar.engine.session.plan import Plan
from intrabar.engine.session.session import Session
from intrabar.model.entry import Entry, whole

EVENTS = frozenset(
    {
        "session.started",
        "session.resumed",
        "session.covering",
        "session.stopped",
        "history",
        "row.closed",
        "prediction",
        "prediction.changed",
        "model",
        "bar.late",
        "bar.corrected",
        "bar.bad",
        "link",
        "clock",
        "timer",
        "quote",
        "outcome",
        "report",
        "snapshot",
        "command.person",
        "hook.hung",
        "not_repeatable",
        "emergency",
    }
)
"""Kinds that come from outside; all others are records of what these have caused."""


_TAKING = {"command.person": "as_recorded", "hook.hung": "at_start"}
"""Kinds of events, and the field that says so: what was recorded before them counts."""


OF_THE_BOOK = frozenset(
    {"order", "fill", "intent", "ticket", "booked", "protect", "reconcile", "breaker", "digest"}
)
"""Kinds of records that say how book, broker and breaker stand, without any strategy's thoughts."""


class Difference(NamedTuple):
    """The first record that another run of the same events does not repeat.

    Parameters
    ----------
    number : int
        Of the record, from 1 on.
    recorded, again : Entry or None
        None where one of them has no record there.
    """

    number: int
    recorded: Entry | None
    again: Entry | None

    def body(self) -> dict[str, Any]:
        """Its fields, as a journal has them."""
        return {
            "record": self.number,
            "recorded": _told(self.recorded),
            "again": _told(self.again),
        }

    def __str__(self) -> str:
        place = self.recorded or self.again
        assert place is not None
        return (
            f"record {self.number}, bar {place.bar}, step {place.step}: recorded "
            f"{_told(self.recorded)}, and now {_told(self.again)}"
        )


class Rerun(NamedTuple):
    """A session that stands where its journal ends.

    Parameters
    ----------
    session : Session
    difference : Difference or None
        None where all was repeated. Else the session stands as it was recorded.
    turns : int
    left : list of Entry
        Records of its last event that it does not have: those of a hook that hung, whose process
        could only end.
    """

    session: Session
    difference: Difference | None
    turns: int
    left: list[Entry]


class Recorded:
    """The commands that a journal has, by the place at which they were left."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._commands: dict[tuple[int, int], list[Entry]] = {}
        for entry in entries:
            if entry.kind == "command":
                self._commands.setdefault((entry.bar, entry.step), []).append(entry)

    def __call__(self, bar: int, step: int) -> Sequence[Entry]:
        """Those of a place."""
        return self._commands.get((bar, step), ())


def rerun(
    plan: Plan, entries: Sequence[Entry], shown: Callable[[Session], None] = lambda session: None
) -> Rerun:
    """Run the events of a journal again, with the hooks.

    A record that differs means that the strategy is not a function of its market: it reads a clock,
    the network, a set in the order of its hashes, or the program is another one. The session is
    then the recorded one: the hooks are called, and what was recorded takes the place of what they
    want.

    Parameters
    ----------
    plan : Plan
    entries : sequence of Entry
        All of a journal, from the first on.
    shown : callable
        Is told of the session before its first event, for who watches it from another thread.
    """
    silent = hung_at_start(entries)
    shown(session := Session(plan, silent=silent))
    difference, turns, left = _run(session, entries, accepted_until(entries))
    if difference is None:
        return Rerun(session, None, turns, left)
    shown(again := Session(plan, Recorded(entries), silent))
    for event, recorded, number in turns_of(entries):
        records = again.handle(event).records
        left = records if _is_left(event, recorded, number, entries) else []
    again.answers = None
    return Rerun(again, difference, turns, left)


def as_recorded(
    plan: Plan, entries: Sequence[Entry], shown: Callable[[Session], None] = lambda session: None
) -> tuple[Session, Difference | None]:
    """Run the events of a journal again, with its commands in the place of all hooks.

    Parameters
    ----------
    plan, entries, shown : as for `rerun`

    Returns
    -------
    session : Session
        None of its hooks is ever called.
    difference : Difference or None
        The first record of how book, broker and breaker stand that is not repeated without hooks:
        one has raised, say.
    """
    shown(session := Session(plan, Recorded(entries), frozenset(plan.strategies)))
    for event, recorded, number in turns_of(entries):
        mine = [e for e in session.handle(event).records if e.kind in OF_THE_BOOK]
        theirs = [e for e in recorded if e.kind in OF_THE_BOOK]
        if _is_left(event, recorded, number, entries):
            continue
        if (found := _difference(number, mine, theirs)) is not None:
            return session, found
    return session, None


def accepted_until(entries: Sequence[Entry]) -> int:
    """The number of the last event up to which what was recorded is taken as it is; 0: none.

    With it a person has accepted that, or a hook has not returned when it was called again.
    """
    return max(
        (n for n, e in enumerate(entries, 1) if e.body.get(_TAKING.get(e.kind, ""))), default=0
    )


def hung_at_start(entries: Iterable[Entry]) -> frozenset[str]:
    """The strategies whose hooks are called no more in any re-run: one has hung at a start."""
    hung = (e.body for e in entries if e.kind == "hook.hung")
    return frozenset(str(body["strategy"]) for body in hung if body.get("at_start"))


def turns_of(entries: Iterable[Entry]) -> Iterator[tuple[Entry, list[Entry], int]]:
    """Each event, its records, and the number of the event, from 1 on."""
    event, records, at = None, [], 0
    for number, entry in enumerate(entries, 1):
        if entry.kind not in EVENTS:
            records.append(entry)
            continue
        if event is not None:
            yield event, records, at
        event, records, at = entry, [], number
    if event is not None:
        yield event, records, at


def _is_left(event: Entry, recorded: list[Entry], number: int, entries: Sequence[Entry]) -> bool:
    """Whether a journal ends with a hook that hung: the process could not make its records."""
    is_last = not recorded and number == len(entries)
    return is_last and event.kind == "hook.hung" and not event.body.get("at_start")


def _run(
    session: Session, entries: Sequence[Entry], accepted: int
) -> tuple[Difference | None, int, list[Entry]]:
    """The first difference behind what a person has accepted, the turns, and what is left."""
    session.answers = Recorded(entries) if accepted else None
    count = 0
    for event, recorded, number in turns_of(entries):
        count += 1
        again = session.handle(event).records
        if _is_left(event, recorded, number, entries):
            return None, count, again
        if number < accepted:
            continue
        session.answers = None
        if (found := _difference(number, again, recorded)) is not None:
            return found, count, []
    return None, count, []


def _difference(
    number: int, again: Sequence[Entry], recorded: Sequence[Entry]
) -> Difference | None:
    """The first of the records of an event, which has a number, that is not repeated."""
    for k in range(max(len(recorded), len(again))):
        mine, theirs = (x[k] if k < len(x) else None for x in (again, recorded))
        if mine != theirs and _whole(_in_json(mine)) != _whole(theirs):
            return Difference(number + 1 + k, theirs, mine)
    return None


def _in_json(entry: Entry | None) -> Entry | None:
    """As a journal gives it back."""
    return msgspec.json.decode(msgspec.json.encode(entry), type=Entry | None)


def _whole(entry: Entry | None) -> Entry | None:
    """With the fields that it leaves out: journals of before left none out."""
    if entry is None:
        return None
    return msgspec.structs.replace(entry, body=whole(entry.kind, entry.body))


def _told(entry: Entry | None) -> dict[str, Any] | None:
    return None if entry is None else {"kind": entry.kind, **entry.body}
