"""The line of a session to its broker: what it tells comes in, what is committed goes out.

DOWN, CONNECTING, SYNCING, UP; what is not UP has no entries, and everything else goes on. It reads
nothing of the session but what it is given, and everything that it hears becomes an event.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any

from intrabar.app.workers.hook_watch import Notify
from intrabar.app.workers.intake import Told
from intrabar.brokers.managed import Committed, Refuse, RiskManagedBroker
from intrabar.engine.session.broker_events import (
    link_body,
    look_up_body,
    outcome_body,
    report_body,
    snapshot_body,
)
from intrabar.engine.session.effects import Effect, Look, LookUp, Send, in_order
from intrabar.engine.session.turn import Notice
from intrabar.errors import IntrabarError, LinkError
from intrabar.links.clock import Clock
from intrabar.links.lines import delay
from intrabar.links.maintenance import AHEAD, Window, is_down
from intrabar.model.broker_facts import (
    AccountFacts,
    CashFact,
    FillFact,
    OrderFact,
    Refused,
    Snapshot,
)
from intrabar.model.facts import LinkFact

APART = 1.0
"""Seconds after which what is less urgent leaves, though what is more so is not answered yet."""
AGAIN = 5.0
"""Seconds before something that nobody answered is asked again."""
PAGED_AFTER = 60.0
"""Seconds without a link, in which the market is open, after which a person is told."""
ROUNDS = 3  # looks in a row that have failed: a person is told


class BrokerLine:
    """One account at one broker.

    Parameters
    ----------
    broker : RiskManagedBroker
    clock : Clock
    take : callable
        Takes in what is told.
    refuse_of : callable
        Of an order that adds, its second look (`RiskManagedBroker.send`).
    is_open : callable
        Given the time: whether any market of the session is open.
    fits : callable
        Given who has answered; raises where that is not the account of the session.
    notify : callable
    looked : callable
        Told of each look, before the session is.
    windows : sequence of Window
        When the vendor has announced to be down.
    is_recorded : bool
        Time is that of the bars: nobody is told how long the line is away.
    """

    def __init__(
        self,
        broker: RiskManagedBroker,
        clock: Clock,
        take: Callable[[Told], None],
        refuse_of: Callable[[Send], Refuse],
        *,
        is_open: Callable[[int], bool] = lambda now: True,
        fits: Callable[[AccountFacts], None] = lambda facts: None,
        notify: Notify = lambda notice: None,
        looked: Callable[[Snapshot], None] = lambda look: None,
        windows: Sequence[Window] = (),
        is_recorded: bool = False,
    ) -> None:
        self.broker, self._clock, self._take = broker, clock, take
        self._refuse_of = refuse_of
        self._is_open, self._fits, self._notify = is_open, fits, notify
        self._looked, self._windows, self._is_recorded = looked, windows, is_recorded
        self.state = "down"
        self._chance = random.Random(0)
        self._tasks: set[asyncio.Task[None]] = set()
        self._doubts: set[str] = set()  # that are being looked up
        self._looking = False
        self._failed = 0  # looks in a row
        self.has_synced = False
        self._away_since: float | None = None

    async def run(self) -> None:
        """Hold the line until it is cancelled.

        Raises
        ------
        GateError, NotFoundError
            Another account answers, or the broker lacks a symbol.
        """
        watch = [asyncio.ensure_future(self._watch())] if not self._is_recorded else []
        attempt = 0
        try:
            while True:
                self._set("connecting")
                try:
                    self._fits(await self.broker.connect())
                    attempt = 0
                    async for fact in self.broker.events():
                        self._hear(fact)
                    why = "the stream of the broker has ended"
                except LinkError as error:
                    why = str(error)
                self._set("down", why)
                await self._clock.sleep(delay(attempt, self._chance))
                attempt += 1
        finally:
            for task in (*watch, *self._tasks):
                task.cancel()
            with suppress(IntrabarError):
                await self.broker.close()

    def carry_out(self, effects: Iterable[Effect], committed: Committed) -> None:
        """Let leave what is committed, the most urgent first; what comes of it is told."""
        found = in_order(list(effects))
        sends = [x for x in found if isinstance(x, Send)]
        if sends:
            self._start(self._leave(sends, committed))
        for one in found:
            if isinstance(one, LookUp) and one.name not in self._doubts:
                self._doubts.add(one.name)
                self._start(self._look_up(one))
            elif isinstance(one, Look):
                self._start(self.look(one.since))

    async def settled(self) -> None:
        """Wait until all that has left is answered."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def look(self, since: int) -> None:
        """Look at the account until something is seen, and tell it; one who looks is enough."""
        if self._looking:
            return
        self._looking = True
        try:
            while (look := await self._seen(since)) is None:
                await self._clock.sleep(AGAIN)
        finally:
            self._looking = False
        self._failed = 0
        self._looked(look)
        self._take(Told("snapshot", snapshot_body(look)))
        if self.state in ("syncing", "degraded") and not self.broker.is_stuck:
            self._set("up")

    def degraded(self, fact: LinkFact) -> None:
        """A state that the handle of the broker has found out."""
        if self.state in ("up", "degraded"):
            self._set(fact.state, fact.reason)

    # What comes

    def _hear(self, fact: OrderFact | FillFact | CashFact | LinkFact) -> None:
        if not isinstance(fact, LinkFact):
            self._take(Told("report", report_body(fact)))
        elif fact.state == "up":
            self._set("syncing", fact.reason)  # the session asks for a look
        else:
            self._set(fact.state, fact.reason)

    def _set(self, state: str, reason: str = "") -> None:
        if state == self.state:
            return
        self.state = state
        if state == "up":
            self._away_since = None
            self.has_synced = True
        elif self._away_since is None:
            self._away_since = self._clock.tick()
        fact = LinkFact(state, reason)  # type: ignore[arg-type]
        self._take(Told("link", link_body("broker", fact)))

    async def _seen(self, since: int) -> Snapshot | None:
        """What a look shows; None where it has failed."""
        try:
            return await self.broker.snapshot(since)
        except LinkError as error:
            self._failed += 1
            if self.state == "up":
                self._set("degraded", str(error))
            if self._failed == ROUNDS:
                text = f"the account could not be looked at {ROUNDS} times: {error}"
                self._notify(Notice("page", "look", text))
            return None

    async def _watch(self) -> None:
        """Tell a person of a line that is away too long."""
        is_told = False
        while True:
            await self._clock.sleep(AGAIN)
            now, tick = self._clock.now(), self._clock.tick()
            since = self._away_since
            is_away = since is not None and tick - since >= PAGED_AFTER and self._is_open(now)
            if is_away and not is_told and not is_down(self._windows, now):
                text = f"the broker is {self.state} for {PAGED_AFTER:g} s and more"
                self._notify(Notice("page", "link", text))
            is_told = is_away

    # What leaves

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        """A task has ended; what it raises is a bug, and a person must know of it."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            text = f"a bug at the broker's line: {type(error).__name__}: {error}"
            self._notify(Notice("page", "line", text))

    async def _leave(self, sends: list[Send], committed: Committed) -> None:
        """Send by urgency; what is of one urgency goes at once, in its order."""
        for _, together in groupby(sends, key=lambda x: x.urgency):
            tasks = {self._start(self._send(one, committed)) for one in together}
            await asyncio.wait(tasks, timeout=APART)

    async def _send(self, one: Send, committed: Committed) -> None:
        refuse = self._entry(one) if one.is_entry else None
        outcomes = await self.broker.send(one.sending, committed, refuse)
        self._take(Told("outcome", outcome_body(one.sending, outcomes)))

    def _entry(self, one: Send) -> Refuse:
        """The second look at what adds: first of all the line itself must be well."""
        own = self._refuse_of(one)

        def refuse(now: int) -> Refused | None:
            if self.state != "up":
                return Refused(f"the broker's line is {self.state}: no entries", not_sent=True)
            if is_down(self._windows, now, AHEAD):
                return Refused("the vendor's maintenance is near: no entries", not_sent=True)
            return own(now)

        return refuse

    async def _look_up(self, one: LookUp) -> None:
        """Ask until there is an answer; while a call has not returned, "none" is none."""
        try:
            while True:
                try:
                    fact = await self.broker.find(one.ref)
                    if fact is not None or not self.broker.is_stuck:
                        break
                except LinkError:
                    pass
                await self._clock.sleep(AGAIN)
        finally:
            self._doubts.discard(one.name)
        self._take(Told("report", look_up_body(one.name, fact, self._clock.now())))
