"""What is held is covered before any strategy thinks: the first part of a start at a broker.

The session is worked out as it was recorded, without a hook. It connects, looks, and lets leave
what protects, exits and cancels. All of it is journalled; then the hooks are called.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from intrabar.app.workers.driver import RENEW
from intrabar.app.workers.intake import Intake, Told
from intrabar.app.workers.start import covering
from intrabar.app.workers.trading import Trading
from intrabar.brokers.managed import Committed
from intrabar.engine.session.broker_events import timer_body
from intrabar.engine.session.rerun import Difference
from intrabar.engine.session.session import Session
from intrabar.engine.session.turn import Notice
from intrabar.errors import IntrabarError
from intrabar.journal.emergency import Emergency
from intrabar.journal.journal import Journal
from intrabar.links.clock import SECOND_NS
from intrabar.model.entry import Entry

WITHIN = 60.0
"""Seconds for it: then the strategies are worked out all the same, and a person is told."""


@dataclass(eq=False)
class CoverFirst:
    """Covers what a session holds.

    Parameters
    ----------
    session : Session
        As it was recorded (`as_recorded`).
    difference : Difference or None
        Where it does not stand as it was recorded: then nothing leaves, and a person is told.
    journal : Journal
    trading : Trading
        Of this alone: its line ends with it.
    emergency : Emergency
        Taken in first.
    is_recorded : bool
        Its time is that of the bars.
    is_restored : bool
        A person says that the journal was put back.
    """

    session: Session
    difference: Difference | None
    journal: Journal
    trading: Trading
    emergency: Emergency
    is_recorded: bool
    is_restored: bool
    entries: list[Entry] = field(default_factory=list, init=False)
    _intake: Intake = field(default_factory=Intake, init=False)
    _why: str = field(default="the broker has not answered", init=False)
    _is_over: bool = field(default=False, init=False)  # the line

    async def run(self) -> list[Entry]:
        """Cover what is held; what is new in the journal.

        Raises
        ------
        StoreError, IntegrityError
            The journal cannot be had: what had been committed has left.
        """
        if not _is_held(self.session):
            return []
        if self.difference is not None:
            self._tell(f"it does not stand without its hooks: {self.difference}")
            return []
        self.trading.begin(self._intake.tell, self.session)
        place, now = self.session.place, self.trading.clock.now()
        for event in covering(place, now, self.emergency, self.is_restored):
            self._turn(event)
        self.emergency.clear()
        hold = asyncio.create_task(self._hold())
        try:
            async with asyncio.timeout(WITHIN):
                await self._until_covered()
        except TimeoutError:
            self._why = f"after {WITHIN:g} s it is not covered: {self._why}"
        finally:
            hold.cancel()
            await asyncio.gather(hold, return_exceptions=True)
        if not self.session.is_covered:
            self._tell(self.session.refuses or self._why)
        return self.entries

    async def _hold(self) -> None:
        """Hold the line; who may not hold it hears so again when the session lives."""
        try:
            await self.trading.line.run()
        except IntrabarError as error:
            self._why, self._is_over = str(error), True

    async def _until_covered(self) -> None:
        session, clock = self.session, self.trading.clock
        renewed = clock.tick()
        while not (session.refuses or self._is_over):
            if session.is_covered:
                await self.trading.line.settled()
                if not len(self._intake):
                    return
            now = clock.now()
            due = session.next_timer(now)
            left = RENEW if due is None else min((due - now) / SECOND_NS, RENEW)
            what = await self._intake.next(left)
            if not self.is_recorded and clock.tick() - renewed >= RENEW:
                renewed = clock.tick()
                self.journal.renew(clock.now())
            told = what if isinstance(what, Told) else Told("timer", timer_body())
            now = clock.now()
            if told.kind == "link":
                self._why = told.body["reason"] or self._why
            view = self.trading.view(told.kind, now)
            self._turn(Entry(now, *session.place, told.kind, {**told.body, "view": view}))

    def _turn(self, event: Entry) -> None:
        """Handle an event and commit it; then let leave what it has led to."""
        turn = self.session.handle(event)
        if event.kind == "timer" and not (turn.records or turn.effects):
            return
        clock = self.trading.clock
        committed = Committed(clock.now(), clock.tick())
        new = [event, *turn.records]
        self.journal.append(new)
        self.entries += new
        self.trading.carry_out(turn.effects, committed)
        for notice in turn.notices:
            self.trading.notify(notice)

    def _tell(self, why: str) -> None:
        """Tell a person that hooks are called though not all is covered."""
        text = f"what is held may be bare until the strategies are worked out again: {why}"
        self.trading.notify(Notice("page", "cover", text))


def _is_held(session: Session) -> bool:
    """Whether a session holds anything, or has anything at its broker."""
    door = session.door
    return door is not None and bool(session.positions or door.blotter.open)
