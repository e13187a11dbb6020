"""The events of a session given to the market model once more: its twins.

A twin has the rows and what persons asked for. Its hooks are called again; or they are not, and
what they decided in the session is given in their place (forced). Numbers of orders differ between
a session and its twins, so orders are found by their keys.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any

from intrabar.engine.parity.traded import Key, Traded
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.rerun import EVENTS, Recorded, accepted_until, hung_at_start
from intrabar.engine.session.row import ClosedRow, body_of
from intrabar.engine.session.session import Session
from intrabar.model.entry import Entry
from intrabar.model.enums import Role

NAMED = ("cancel", "modify")


class Twin:
    """A session of the same events, filled by the market.

    Parameters
    ----------
    plan : Plan
    lived : Traded
        Of the session's own records.
    decided : sequence of Entry or None
        The session's commands, in the place of what hooks want; None: hooks are called.
    silent : container of str
        Strategies whose hooks are not called all the same.

    Attributes
    ----------
    session : Session
    traded : Traded
    lost : list of str
        What was asked for and has no order here that it could be about.
    """

    def __init__(
        self,
        plan: Plan,
        lived: Traded,
        decided: Sequence[Entry] | None = None,
        silent: Container[str] = (),
    ) -> None:
        self.traded = Traded()
        self.lost: list[str] = []
        self._lived = lived
        self._recorded = Recorded(decided or ())
        self._ids: dict[Key, int] = {}
        forced = decided is not None
        self.session = (
            Session(plan, self._mapped, plan.strategies) if forced else Session(plan, silent=silent)
        )

    def run(self, events: Iterable[Entry]) -> Twin:
        """Give it the events, one after the other."""
        for event in events:
            records = self.session.handle(self._told(event)).records
            if records:
                self.traded.add(records)
        return self

    def _told(self, event: Entry) -> Entry:
        """An event with the number that the order of a person's command has here."""
        body = event.body
        if event.kind != "command.person" or body.get("kind") not in NAMED:
            return event
        order = self._here(int(body["order"]))
        return Entry(event.at, event.bar, event.step, event.kind, {**body, "order": order})

    def _mapped(self, bar: int, step: int) -> Sequence[Entry]:
        """The session's commands of a place, with the numbers that their orders have here."""
        told = []
        following = int(self.session.machine.book.account["next_order"][0])
        for entry in self._recorded(bar, step):
            body = entry.body
            if body["by"] != "strategy":
                continue
            if body["kind"] in ("submit", "refuse"):
                self._ids[self._lived.key_of(int(body["order"]))] = following
                body = {**body, "order": following}
                following += 1
            elif body["kind"] in NAMED:
                body = {**body, "order": self._here(int(body["order"]))}
                if body["order"] < 0:
                    continue
            if body["oco"] >= 0:
                body = {**body, "oco": self._here(int(body["oco"]))}
            told.append(Entry(entry.at, entry.bar, entry.step, entry.kind, body))
        return told

    def _here(self, order: int) -> int:
        """The number here of an order of the session; -1, and told, where there is none."""
        if not self._lived.knows(order):
            self.lost.append(f"order {order} of the session has no record")
            return -1
        key = self._lived.key_of(order)
        found = self._ids.get(key, -1)
        if found < 0:
            self._ids.update(self.traded.ids())
            found = self._ids.get(key, -1)
        if found < 0 and key[0] == "child":
            found = self._young(key)
        if found < 0:
            self.lost.append(f"order {order} of the session has none like it in the twin")
        return found

    def _young(self, key: Key) -> int:
        """A child that this very row has made: it has no record yet."""
        parent = self._ids.get(key[1:-2], -1)
        machine = self.session.machine
        orders = machine.book.orders[machine.working()]
        mine = orders[orders["parent"] == parent]
        for order in mine if parent >= 0 else ():
            if Role(int(order["role"])).word == key[-2]:
                return int(order["id"])
        return -1


def events_of(entries: Iterable[Entry]) -> Iterator[Entry]:
    """What came from outside."""
    return (entry for entry in entries if entry.kind in EVENTS)


def free(plan: Plan, lived: Traded, entries: Sequence[Entry]) -> Twin:
    """The twin whose hooks are called: all that follows from a different fill follows.

    Up to where a person has accepted what hooks did not repeat, it does what was recorded.
    """
    until = accepted_until(entries)
    twin = Twin(plan, lived, silent=hung_at_start(entries))
    if not until:
        return twin.run(events_of(entries))
    twin.session.answers = Recorded(entries)
    twin.run(events_of(entries[:until]))
    twin.session.answers = None
    return twin.run(events_of(entries[until:]))


def forced(plan: Plan, lived: Traded, entries: Sequence[Entry]) -> Twin:
    """The twin that decides what the session has decided, whatever it has filled."""
    return Twin(plan, lived, lived.decisions).run(events_of(entries))


def on_rows(plan: Plan, lived: Traded, entries: Sequence[Entry], rows: Sequence[ClosedRow]) -> Twin:
    """The twin whose hooks are called on other rows: as they are stored now, or corrected."""
    twin = Twin(plan, lived, silent=hung_at_start(entries))
    return twin.run(_with_rows(events_of(entries), rows))


def _with_rows(events: Iterable[Entry], rows: Sequence[ClosedRow]) -> Iterator[Entry]:
    """Events with other rows in the place of theirs, each where its time is."""
    left = iter(rows)
    row = next(left, None)
    history: list[Entry] = []  # behind what was predicted for it
    for event in events:
        body: dict[str, Any] = event.body
        if event.kind not in ("prediction", "model", "history"):
            yield from history
            history = []
        if event.kind == "session.started":
            first = int(body["trade_from"])
            past = [r for r in rows if r.time < first]
            yield _as(event, {**body, "history": len(past)})
            if past:
                told = {"rows": [body_of(one) for one in past]}
                history = [_as(event, told, "history")]
            while row is not None and row.time < first:
                row = next(left, None)
        elif event.kind == "row.closed":
            time = int(body["time"])
            while row is not None and row.time <= time:
                yield _as(event, body_of(row), "row.closed")
                row = next(left, None)
        elif event.kind != "history":
            yield event


def _as(event: Entry, body: dict[str, Any], kind: str = "") -> Entry:
    return Entry(event.at, event.bar, event.step, kind or event.kind, body)
