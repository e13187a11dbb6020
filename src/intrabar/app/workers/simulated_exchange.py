"""The simulated broker of a session: its market moves with the rows, and it forgets nothing.

How far its market is, and what has reached it, stands in a file of its own, as a real broker has
books of its own: a session that is killed finds there, at its next start, what it has sent and what
it has not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from intrabar.brokers.simulated import SimulatedBroker
from intrabar.engine.session.bodies import body_from, in_body
from intrabar.model.broker_facts import (
    AccountFacts,
    Can,
    CashFact,
    Change,
    FillFact,
    OrderFact,
    Outcome,
    Ref,
    Request,
    Snapshot,
)
from intrabar.model.enums import RunStatus
from intrabar.model.facts import LinkFact
from intrabar.sim.state import STEP_END

FILE = "simulated-broker.jsonl"


class SimulatedExchange:
    """A `SimulatedBroker` behind its own protocol, which remembers what was asked of it.

    Parameters
    ----------
    broker : SimulatedBroker
    path : Path
        Of its file.
    """

    def __init__(self, broker: SimulatedBroker, path: Path) -> None:
        self._broker, self._path = broker, path
        self._times = broker.machine.market.time
        self._closed = asyncio.Event()
        self._until = 0
        for line in _lines(path):
            self._again(line)

    @property
    def can(self) -> Can:  # noqa: D102
        return self._broker.can

    async def connect(self) -> AccountFacts:  # noqa: D102
        return await self._broker.connect()

    async def submit(self, group: tuple[Request, ...]) -> tuple[Outcome, ...]:  # noqa: D102
        self._note(group=[in_body(request) for request in group])
        return await self._broker.submit(group)

    async def replace(self, ref: Ref, change: Change) -> Outcome:  # noqa: D102
        self._note(ref=in_body(ref), change=in_body(change))
        return await self._broker.replace(ref, change)

    async def cancel(self, ref: Ref) -> Outcome:  # noqa: D102
        self._note(ref=in_body(ref))
        return await self._broker.cancel(ref)

    async def find(self, ref: Ref) -> OrderFact | None:  # noqa: D102
        return await self._broker.find(ref)

    async def snapshot(self, since: int) -> Snapshot:  # noqa: D102
        return await self._broker.snapshot(since)

    async def events(self) -> AsyncIterator[OrderFact | FillFact | CashFact | LinkFact]:
        """That it is there; what happens comes with the rows (`until`)."""
        yield LinkFact("up")
        await self._closed.wait()

    async def close(self) -> None:  # noqa: D102
        self._closed.set()

    def until(self, time: int) -> list[OrderFact | FillFact | CashFact]:
        """Move its market on until the row that closes at an instant (ns UTC) is about to end.

        Orders that come then are there at the next open, as they are where the market fills.
        """
        if time <= self._until:
            return []
        self._until = time
        self._note()
        return self._moved(time)

    def _moved(self, time: int) -> list[OrderFact | FillFact | CashFact]:
        row = int(np.searchsorted(self._times, time))
        if row == len(self._times) or self._times[row] != time or self._is_over:
            return []  # a row without any real bar, which no file has
        facts = self._broker.advance(row, STEP_END)
        return [fact for fact in facts if not isinstance(fact, LinkFact)]

    @property
    def _is_over(self) -> bool:
        return self._broker.machine.status is RunStatus.RUINED

    def _note(self, **what: Any) -> None:
        line = msgspec.json.encode({"time": self._until, **what})
        with self._path.open("ab") as file:
            file.write(line + b"\n")

    def _again(self, line: dict[str, Any]) -> None:
        """Let what was asked before reach it again, where it did."""
        broker = self._broker
        if int(line["time"]) > self._until:
            self._until = int(line["time"])
            self._moved(self._until)
        if "group" in line:
            group = tuple(body_from(x, Request) for x in line["group"])
            _done(broker.submit(group))
        elif "change" in line:
            _done(broker.replace(body_from(line["ref"], Ref), body_from(line["change"], Change)))
        elif "ref" in line:
            _done(broker.cancel(body_from(line["ref"], Ref)))


def _lines(path: Path) -> list[dict[str, Any]]:
    """What a file says; a line that was being written when its process ended never arrived."""
    try:
        whole = path.read_bytes()
    except FileNotFoundError:
        return []
    return [msgspec.json.decode(line) for line in whole.split(b"\n")[:-1]]


def _done(call: Coroutine[Any, Any, Any]) -> Any:
    """What a call gives that never waits."""
    try:
        call.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the simulated broker waits")
