"""What runs a session: facts in, turns out, the journal between.

It has the clock, the source, the journal and the way to persons; the session has none of them. A
turn is committed before anything of it is told; while the journal is away nothing is decided.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn

import msgspec

from intrabar.app.workers.asking import Ask, answered
from intrabar.app.workers.beside import beside
from intrabar.app.workers.commits import Commits
from intrabar.app.workers.handling import Handling
from intrabar.app.workers.hook_watch import LIMIT, Log, Notify, told_at_last
from intrabar.app.workers.intake import Asked, End, Intake, Told
from intrabar.app.workers.observers import Observer, tell_observers
from intrabar.app.workers.trading import Trading
from intrabar.engine.session.broker_events import quote_body, timer_body
from intrabar.engine.session.calling import Calling
from intrabar.engine.session.clocks import Pace
from intrabar.engine.session.effects import Effect
from intrabar.engine.session.row import ClosedRow, body_of
from intrabar.engine.session.seal import Note, Sealer
from intrabar.engine.session.session import Session
from intrabar.engine.session.turn import Notice, Turn
from intrabar.errors import IntegrityError, IntrabarError, StateError, StoreError, StrategyError
from intrabar.journal.emergency import Emergency, emergency_bodies
from intrabar.journal.journal import Journal
from intrabar.links.clock import SECOND_NS, Clock
from intrabar.links.source import BarSource
from intrabar.model.entry import Entry
from intrabar.model.facts import Fact, Heartbeat, LinkFact, Quote

RENEW = 5.0  # seconds between two renewals of the lease
LEAVES_WITHIN = 15.0  # seconds for the answers to what a stop sends
LOOKS = 30.0  # seconds between two looks at clocks and ages, at most
TIMER = Heartbeat()  # nobody has told anything: it is time to look
SHARED = 50  # turns of recorded bars in one transaction, where the market fills
SOONEST = SECOND_NS  # between two timers that have changed nothing
SOON = 60 * SECOND_NS  # behind a recorded row; later nothing happens before the next one
NOTHING_LEFT = ("timer", "quote")  # are no event where they have changed nothing


@dataclass(eq=False)
class Driver:
    """A session that lives until its bars end, a person ends it, or it may not go on.

    Parameters
    ----------
    session : Session
        Started, or rerun from the journal.
    journal : Journal
    source : BarSource
    sealer : Sealer
    clock : Clock
    emergency : Emergency
    observers : sequence of Observer
    notify : callable
        Tells a person; must not wait.
    is_recorded : bool
        The bars are of the past: some turns share a transaction, and the end of the bars ends it.
    turned : callable
        Is told of each turn its event's kind, and how many seconds it took, real ones.
    hook_limit : float
        Seconds that a hook may take (`live.hook_limit`).
    log : callable
        Told an event of the log that is in no journal.
    ask_of : callable, optional
        Asks for the predictions of a row; None: its strategies read none.
    trading : Trading, optional
        The broker that fills; None: the market does.
    """

    session: Session
    journal: Journal
    source: BarSource
    sealer: Sealer
    clock: Clock
    emergency: Emergency
    observers: Sequence[Observer] = ()
    notify: Notify = lambda notice: None
    is_recorded: bool = False
    turned: Callable[[str, float], None] = lambda kind, seconds: None
    hook_limit: float = LIMIT
    log: Log = lambda event, **fields: None
    ask_of: Ask | None = None
    trading: Trading | None = None
    ended: End | None = field(default=None, init=False)
    _intake: Intake = field(default_factory=Intake, init=False)
    _open: list[Entry] = field(default_factory=list, init=False)
    _notices: list[Notice] = field(default_factory=list, init=False)
    _effects: list[Effect] = field(default_factory=list, init=False)
    _no_timer_until: int = field(default=0, init=False)
    _turns: int = field(default=0, init=False)
    _has_hung: bool = field(default=False, init=False)
    _pace: Pace = field(default_factory=Pace, init=False)
    _looked: int = field(default=0, init=False)  # when the ages were last looked at
    _has_moved: bool = field(default=False, init=False)  # the clock, and no fact has come since
    _link: str = field(default="", init=False)  # how the source stands, as it was journalled

    def __post_init__(self) -> None:
        self._commits = Commits(
            self.journal,
            self.clock,
            self.emergency,
            self.notify,
            self.is_recorded,
            lambda: self._intake.wanted,
        )
        if self.trading is not None:
            self.trading.begin(self._intake.tell, self.session)
            self._commits.guard = self.trading.guard

    @property
    def is_away(self) -> bool:
        """Whether the journal is."""
        return self._commits.is_away

    async def run(self) -> End:
        """Live; why it ended.

        Raises
        ------
        IntegrityError
            Another process has the session, or its chain is not ours.
        StoreError
            A person stopped it while the journal was away.
        StrategyError
            A hook did not return; its thread is left behind.
        """
        self._handling = Handling(self.session, self.hook_limit, self.notify, self.log)
        plan = self.session.plan
        facts = self.source.events(plan.symbols, plan.period)
        renewed = beside("the lease is not renewed", self._renew(), self.notify)
        tasks = [asyncio.create_task(renewed)]
        try:
            if self.trading is not None:
                tasks.append(asyncio.create_task(self._hold(self.trading)))
                while self.trading.is_first and self.ended is None:
                    await self._one(await self._next())
            tasks.append(asyncio.create_task(self._intake.listen(facts)))
            while self.ended is None:
                await self._one(await self._next())
            await self._commit()
            if self.trading is not None:
                await self._leave(self.trading, self.ended)
        finally:
            self._intake.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.source.close()
            self._handling.close()
            self._commits.close()
        return self.ended

    async def ask(self, body: dict[str, Any]) -> list[Entry]:
        """Let the session do what a person asks for, before its next row; the records of it.

        Raises
        ------
        StateError
            It ended before.
        """
        return await self._intake.ask(body)

    def leave(self, body: dict[str, Any]) -> list[str]:
        """The symbols that are left at once, without the journal, as a person asks."""
        return self.trading.leave(body) if self.is_away and self.trading is not None else []

    def stop(self, why: str) -> None:
        """A person stops it: it ends before its next row, and no entry works on."""
        self._intake.end(End(why, cancels_entries=True))

    @property
    def clock_at_end(self) -> int:
        """When it ended, ns UTC; of recorded bars the time of the last row."""
        rows = self.session.rows
        return rows[-1].time if self.is_recorded and rows else self.clock.now()

    def status(self) -> dict[str, Any]:
        """How it stands, for who asks."""
        session = self.session
        return {
            "place": list(session.place),
            "row": session.rows[-1].time if session.rows else None,
            "equity": session.equity,
            "cash": session.cash,
            "positions": session.positions,
            "breaker": session.judge.breaker.level().word,
            "why": session.judge.breaker.why(),
            "journal": "away" if self.is_away else "there",
            "waiting": len(self._intake),
        }

    # What comes

    async def _next(self) -> Fact | Asked | Told | End:
        """What comes next; `TIMER` where there is something to look at without it."""
        now = self.clock.now()
        due = [x for x in (self.sealer.next_timer(now), self._timer(now - 1)) if x is not None]
        left = max(min(due) - now, 0) / SECOND_NS if due else None
        if not self.is_recorded:
            left = LOOKS if left is None else min(left, LOOKS)
        return await self._intake.next(left) or TIMER

    def _timer(self, now: int) -> int | None:
        """When the session wants to be asked again."""
        due = self.session.next_timer(now)
        if due is None or (self.is_recorded and now - self.sealer.last >= SOON):
            return None
        return max(due, self._no_timer_until)

    async def _one(self, what: Fact | Asked | Told | End) -> None:
        now = self.clock.now()
        if not self.is_recorded:
            await self._look(now, what)
        if isinstance(what, Asked):
            await self._obey(what, now)
            return
        if isinstance(what, Told):
            await self._hear(what, now)
            return
        if isinstance(what, End):
            await self._end(what, now)
            return
        if isinstance(what, LinkFact):
            await self._linked(what, now)
        await self._due(what, now)
        for note in self.sealer.take(what, now):
            await self._note(note, now)
        await self._seal(now)

    async def _hear(self, told: Told, now: int) -> None:
        """Take in what the broker tells; its first look may show that this may not go on."""
        await self._turn(told.kind, told.body, now)
        if told.kind == "snapshot" and (why := self.session.refuses):
            text = f"{why}: this account is not ours alone; --restored says that it may be"
            self.ended = self.ended or End(text, error=StateError(text))

    async def _due(self, what: Fact, now: int) -> None:
        """What the session has asked to be told of by now: an instant, a quote."""
        due = self._timer(now - 1)  # one that is over is told as the next instant
        if due is not None and due <= now:
            turn = await self._turn("timer", timer_body(), now)
            self._no_timer_until = 0 if _has_changed(turn) else now + SOONEST
        if self.trading is not None and isinstance(what, Quote) and self.trading.quoted(what, now):
            await self._turn("quote", quote_body(what), now)

    async def _obey(self, asked: Asked, now: int) -> None:
        turn = await self._turn("command.person", asked.body, now)
        await self._commit()
        if not asked.answer.done():  # who asked may have left
            asked.answer.set_result(turn.records)

    async def _end(self, end: End, now: int) -> None:
        if isinstance(end.error, IntegrityError):  # the session is another process's
            raise end.error
        if end.error is not None:
            self._notices.append(Notice("page", "source", f"{end.why}; the session ends"))
            await self._own_link(LinkFact("down", str(end.error)), now)
        if not end.cancels_entries:
            await self._seal(now)
        self.ended = self.ended or self._intake.wanted or end

    async def _look(self, now: int, what: Fact | Asked | Told | End) -> None:
        """Whether the clock was set or the machine slept, and whether what is held has bars."""
        moved = self._pace.moved(now, round(self.clock.tick() * SECOND_NS))
        if moved:
            text = f"the clock and the time that passed are {moved / SECOND_NS:+.1f} s apart"
            self._notices.append(Notice("page", "clock", text))
            await self._own_link(LinkFact("down", text), now)
            await self._turn("clock", {"skew": self.sealer.skew.ns, "moved": moved}, now)
            await self._own_link(LinkFact("syncing", text), now)
            self._has_moved = True
        elif self._has_moved and not isinstance(what, Asked | Told | End):
            if what is not TIMER:
                self._has_moved = False
                if not isinstance(what, LinkFact):
                    await self._own_link(LinkFact("up"), now)
        if now - self._looked < LOOKS * SECOND_NS and not moved:
            return
        self._looked = now
        for symbol in self.session.silent(now):
            text = f"{symbol} is held, and no bar of it has come for far too long"
            self._notices.append(Notice("page", f"data_stale.{symbol}", text))
        if self._notices:
            await self._commit()

    async def _own_link(self, fact: LinkFact, now: int) -> None:
        """A state of the source that it has not told itself."""
        await self._linked(fact, now)
        self.sealer.take(fact, now)

    async def _linked(self, fact: LinkFact, now: int) -> None:
        if fact.state != self._link:
            self._link = fact.state
            await self._turn("link", {"who": "source", **msgspec.to_builtins(fact)}, now)

    async def _seal(self, now: int) -> None:
        """Run the rows that are due; what a person asks for meanwhile comes between two of them."""
        rows, notes = self.sealer.due(now)
        for row in rows:
            if not await self._goes_on(row) or not await self._row(row):
                return  # the rows come again at the next start
        for note in notes:
            await self._note(note, now)

    async def _goes_on(self, row: ClosedRow) -> bool:
        """Hear persons and the broker ahead of a row; whether the session does not end there."""
        while isinstance(urgent := self._intake.urgent(), Asked | Told):
            now = row.time if self.is_recorded else self.clock.now()
            if isinstance(urgent, Asked):
                await self._obey(urgent, now)
            else:
                await self._hear(urgent, now)
        return urgent is None and self.ended is None

    async def _row(self, row: ClosedRow) -> bool:
        """Run a row, what is predicted at it first; whether the session did not end before."""
        now = partial(int, row.time) if self.is_recorded else self.clock.now
        if self.ask_of is not None:
            is_heard = self.session.hearing.has(row.time)
            told = await answered(self.ask_of, row, is_heard, partial(self._goes_on, row))
            if told is None:
                return False
            for kind, body in told:
                await self._turn(kind, body, now(), ends=False)
        if self.trading is not None:
            for body in self.trading.before(row):
                await self._turn("report", body, now())
        await self._turn("row.closed", body_of(row), now())
        if self.trading is not None:
            await self.trading.after()
        if self.session.is_over:
            self.ended = End("the account is ruined")
        elif self.session.is_ending and not self.session.positions:
            self.ended = End("it is flat, as a person has asked")
        return True

    async def _note(self, note: Note, now: int) -> None:
        if note.kind == "alarm":
            self._notices.append(Notice(note.body["severity"], note.body["key"], note.body["text"]))
        else:
            await self._turn(note.kind, note.body, now)

    # Turns

    async def _turn(self, kind: str, body: dict[str, Any], now: int, ends: bool = True) -> Turn:
        """Handle an event; it is committed at once, or with those that follow it."""
        if self.trading is not None:
            body = {**body, "view": self.trading.view(kind, now)}
        event = Entry(now, *self.session.place, kind, body)
        before = time.perf_counter()
        turn = await self._handling.turn(event)
        if isinstance(turn, Calling):
            await self._give_up(turn, event)
        self.turned(kind, time.perf_counter() - before)
        self._notices += turn.notices
        if kind in NOTHING_LEFT and not _has_changed(turn):
            return turn
        self._open += [event, *turn.records]
        self._effects += turn.effects
        self._turns += 1
        if ends and (not self.is_recorded or self.trading or self._turns >= SHARED):
            await self._commit()
        return turn

    async def _give_up(self, hook: Calling, event: Entry) -> NoReturn:
        """Write down which strategy hangs, and end: what the event was for comes again."""
        self._has_hung = True
        body = {"strategy": hook.strategy, "bar": hook.bar, "step": hook.step}
        self._open.append(Entry(event.at, event.bar, event.step, "hook.hung", body))
        text = told_at_last(hook, self.hook_limit)
        self._notices.append(Notice("page", f"hook {hook.strategy}", text))
        await self._commit()
        raise StrategyError(text)

    async def _commit(self) -> None:
        """Put what is open into the journal, then carry it out; waits as long as it is away."""
        entries, self._open, self._turns = self._open, [], 0
        effects, self._effects = self._effects, []
        if entries:
            was_away = await self._commits.write(entries)
            committed = self._commits.last
            self._show(entries)
            if was_away and not self._has_hung:  # else the next start takes the file in
                for body in emergency_bodies(self.emergency.lines(), was_away):
                    await self._turn("emergency", body, self.clock.now(), ends=False)
                await self._commit()
                self.emergency.clear()
            if self.trading is not None:
                self.trading.carry_out(effects, committed)
        notices, self._notices = self._notices, []
        for notice in notices:
            self.notify(notice)

    def _show(self, entries: list[Entry]) -> None:
        self._notices += tell_observers(self.observers, entries, self.session)

    async def _renew(self) -> None:
        """Keep the lease; who has lost it may not go on."""
        while not self.is_recorded:
            await self.clock.sleep(RENEW)
            try:
                await self._commits.renew()
            except IntegrityError as error:
                self._intake.end(End(str(error), error=error))
            except StoreError:
                pass  # it is asked again, and the next commit tells of it

    async def _hold(self, trading: Trading) -> None:
        """Hold the broker's line; where it may not be held, the session ends."""
        try:
            await trading.line.run()
        except IntrabarError as error:
            self._notices.append(Notice("page", "link", str(error)))
            self._intake.end(End(f"the broker: {error}", error=error))

    async def _leave(self, trading: Trading, end: End) -> None:
        """End while the broker still hears: what a stop cancels is sent, and answered."""
        body = {"reason": end.why, "cancels_entries": end.cancels_entries}
        await self._turn("session.stopped", body, self.clock_at_end)
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVES_WITHIN):
                await trading.line.settled()
        for told in self._intake.untold():
            await self._turn(told.kind, told.body, self.clock_at_end)
        await self._commit()


def _has_changed(turn: Turn) -> bool:
    return bool(turn.records or turn.effects)
