"""Without a journal: a line of the file, then the wire; and what the session makes of it after."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from intrabar.app.workers.guarding import Guarding, deeds_in
from intrabar.brokers.guard import Deed
from intrabar.brokers.managed import RiskManagedBroker
from intrabar.engine.session.turn import Notice
from intrabar.journal.emergency import Emergency, emergency_bodies
from intrabar.links.clock import SECOND_NS, LoopClock
from intrabar.links.simulated_time import run
from intrabar.model.broker_facts import Accepted, OrderFact, Ref, Request, Snapshot

START = 1_700_000_000 * SECOND_NS
CODE = "0a1b2c"
WHOLE = frozenset({"orders", "positions"})


class Account:
    """A long position of 10, an entry that rests, and no stop; what is sent works at once."""

    def __init__(self, emergency: Emergency) -> None:
        entry = OrderFact("1", f"{CODE}-5-0", "A", 1, "limit", 5.0, "working", limit_price=90.0)
        self.orders = {entry.client_id: entry}
        self.held, self.emergency = 10.0, emergency
        self.sent: list[str] = []
        self.lines: list[int] = []  # how many deeds were on disk when something came

    async def snapshot(self, since: int) -> Snapshot:
        held = {"A": (self.held, 100.0)} if self.held else {}
        return Snapshot(START, WHOLE, tuple(self.orders.values()), positions=held)

    async def cancel(self, ref: Ref) -> Any:
        self._came(f"cancel {ref.client_id}")
        del self.orders[ref.client_id]
        return Accepted("1")

    async def submit(self, group: tuple[Request, ...]) -> Any:
        (one,) = group
        self._came(one.client_id)
        if one.type == "market":
            self.held += one.side * one.qty
        else:
            self.orders[one.client_id] = OrderFact(
                "2", one.client_id, "A", one.side, one.type, one.qty, "working",
                stop_price=one.stop_price,
            )  # fmt: skip
        return (Accepted("2"),)

    def _came(self, name: str) -> None:
        self.sent.append(name)
        self.lines.append(len(deeds_in(self.emergency.lines())))


def guarded(
    folder: Path, exits: set[str], seconds: float = 20.0, earlier: tuple[Deed, ...] = ()
) -> tuple[Account, Emergency, list[Notice]]:
    emergency, told = Emergency([folder]), list[Notice]()
    emergency.prepare()
    emergency.halt(START, "the disk is full")
    account = Account(emergency)

    async def main() -> None:
        clock = LoopClock(START)
        broker = RiskManagedBroker(account, clock, lambda: 0)  # type: ignore[arg-type]
        guarding = Guarding(broker, emergency, clock, CODE, told.append)
        guarding.levels, guarding.earlier = {"A": 95.0}, list(earlier)
        task = asyncio.ensure_future(guarding.run())
        await asyncio.sleep(0)
        guarding.exits |= exits
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(main())
    return account, emergency, told


def test_an_entry_is_cancelled_and_what_is_bare_gets_one_stop(tmp_path: Path) -> None:
    account, emergency, told = guarded(tmp_path, set())
    assert account.sent == [f"cancel {CODE}-5-0", f"{CODE}-e1"]
    assert account.lines == [1, 2]  # each was on disk before it left
    assert account.orders[f"{CODE}-e1"].stop_price == 95.0
    assert [x.severity for x in told] == ["page", "page"]
    bodies = emergency_bodies(emergency.lines())
    assert bodies[0] == {"why": "the disk is full"}
    assert [body["deed"]["kind"] for body in bodies[1:]] == ["cancel", "stop"]


def test_an_exit_that_a_person_orders_leaves(tmp_path: Path) -> None:
    account, _, _ = guarded(tmp_path, {"A"})
    assert account.sent[1:] == [f"{CODE}-e1", f"cancel {CODE}-e1", f"{CODE}-e2"]
    assert account.held == 0.0


def test_a_number_is_never_used_again(tmp_path: Path) -> None:
    before = Deed("stop", START - 10**12, f"{CODE}-e1", "A", -1, 10.0, 95.0)
    account, _, _ = guarded(tmp_path, set(), earlier=(before,))
    assert account.sent[-1] == f"{CODE}-e2"


def test_where_no_line_can_be_written_it_is_sent_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Emergency, "note", lambda self, line: [])
    account, _, told = guarded(tmp_path, set(), 1.0)
    assert account.sent == [f"cancel {CODE}-5-0", f"{CODE}-e1"]
    assert all("has no line of it" in x.text for x in told)
