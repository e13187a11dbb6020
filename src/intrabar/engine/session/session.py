"""A session: one event in; what it changed, what it decided and what must leave, out.

`Session.handle` is a function of the events so far. It reads no clock, socket, file or random
number; what it must know of the moment stands in the event. Where the market fills, the rows run
through the same loop as a backtest's, and nothing leaves but notices to persons.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from intrabar.brokers.door import Door
from intrabar.engine.chunks.laid import LaidRun
from intrabar.engine.connecting import Running
from intrabar.engine.outcome.bandits import Bandits, bandits_of
from intrabar.engine.outcome.decisions import decided_in
from intrabar.engine.session.at_broker import PERSONS, TOLD, AtBroker
from intrabar.engine.session.commands import Commands
from intrabar.engine.session.drifting import Drifts, notices_of
from intrabar.engine.session.effects import Effect
from intrabar.engine.session.hand import ORDERS, Hand
from intrabar.engine.session.hearing import HEARD, Hearing
from intrabar.engine.session.held import held
from intrabar.engine.session.laying import Laying
from intrabar.engine.session.obeying import obey
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.row import ClosedRow, row_of
from intrabar.engine.session.turn import Notice, Turn
from intrabar.engine.session.unjournalled import take_in
from intrabar.engine.session.wind_down import WindDown
from intrabar.engine.steps import walk_row
from intrabar.errors import IntrabarError, NotFoundError, StateError, StrategyError
from intrabar.model.entry import Entry, in_json
from intrabar.model.enums import RunStatus
from intrabar.model.facts import LinkFact
from intrabar.risk.breaker import ACCOUNT
from intrabar.risk.judge import Judge, Record
from intrabar.sim.machine import Machine
from intrabar.sim.state import STEP_OPEN

DIGEST_EVERY = 100  # rows
PIECE = 1_000  # rows of a history that are laid at once
STOPS = {"not_repeatable": ("not_repeatable", "text"), "emergency": ("journal", "why")}
"""By event, the cause of the breaker and the field that says why."""
FAR_TOO_LONG = 3  # times the age from which on a bar is stale


class Session:
    """Strategies on the rows of a market, one after the other.

    Parameters
    ----------
    plan : Plan
    answers : callable, optional
        Called with (bar, step) where hooks have been called: the commands that were recorded there,
        which take the place of theirs. None: theirs count.
    silent : container of str
        Strategies whose hooks are not called at all: of theirs the answers are all there is.
    """

    def __init__(
        self,
        plan: Plan,
        answers: Callable[[int, int], Sequence[Entry]] | None = None,
        silent: Container[str] = (),
    ) -> None:
        self.plan = plan
        self.rows: list[ClosedRow] = []  # the history first; the last ones after `keep_last`
        self.count = 0  # of all rows so far
        self._kept: int | None = None
        self.started: dict[str, Any] = {}
        self.judge = Judge(
            plan.limits, plan.names, plan.account.cash, plan.day_begins, plan.on_error
        )
        self.answers, self._silent = answers, silent
        self._laid: LaidRun | None = None
        self._hand = Hand(plan)
        self._records: list[Entry] = []
        self._notices: list[Notice] = []
        self._at = 0
        self._wind_down, self._drifts = WindDown(), Drifts()
        self._broker = None
        if plan.broker is not None:
            self._broker = AtBroker(plan, plan.broker, self.judge, self._wind_down)
        self._asked = 0  # when a person has last asked for something
        self.hearing = Hearing(plan.columns)

    def handle(self, event: Entry) -> Turn:
        """Take an event in.

        Returns
        -------
        Turn
            Its records stand behind the event in the journal.

        Raises
        ------
        StateError
            An event that cannot come now.
        """
        self._at, broker = event.at, self._broker
        if broker is not None:
            broker.begin(event)
        if self._laid is not None:
            self._commands.at = event.at
        match event.kind:
            case "session.started":
                self.started = event.body
                self._history = int(event.body["history"])
                self._blocks = self.plan.blocks(
                    event.at, int(event.body["grace"]), bool(event.body["is_recorded"])
                )
            case "history":
                self._take_history(event.body["rows"])
            case "row.closed":
                self._run(row_of(event.body))
            case kind if kind in HEARD:
                self._notices += self.hearing.take(event, self.trade_from)
            case "command.person":
                self._obey(event.body)
            case "session.stopped":
                cancels = bool(event.body.get("cancels_entries"))
                self._wind_down.stop(event.at, cancels, not self.positions)
            case "session.resumed":
                self._asked = event.at
                if broker is not None:
                    broker.desk.resumed(bool(event.body.get("restored")))
            case "session.covering" if broker is not None:
                broker.desk.resumed(bool(event.body.get("restored")), is_catching_up=True)
            case "bar.late" | "bar.corrected" | "bar.bad" | "clock":
                for note in self._blocks.note(event.kind, event.body):
                    self._notices.append(Notice(**note.body))
            case "link" if event.body.get("who", "source") == "source":
                self._blocks.link(LinkFact(event.body["state"], event.body["reason"]))
            case kind if broker is not None and (kind in TOLD or kind == "link"):
                broker.take(event)
            case "not_repeatable" | "emergency" as kind:
                cause, why = STOPS[kind]
                if broker is not None and "deed" in event.body:
                    take_in(event.body["deed"], broker.desk.door, event.at)
                self.judge.move(cause, text=str(event.body[why]))
                self._note_moves(self.judge.taken())
            case "hook.hung" if not event.body.get("at_start"):
                self._take_off(event.body["strategy"])
        effects = self._settle(broker) if broker is not None and self._laid is not None else []
        turn = Turn(self._records.copy(), self._notices, effects)
        self._records.clear()
        self._notices = []
        return turn

    @property
    def bandits(self) -> Bandits:
        """What each bandit knows now, by strategy and symbol."""
        own = bandits_of(decided_in(self._running), self.plan.symbols)
        return own if self._laid is None else {**own, **self._shadows.bandits}

    @property
    def _running(self) -> Mapping[str, Running]:
        return {} if self._laid is None else self._laid.running

    @property
    def machine(self) -> Machine:
        """The market of the session.

        Raises
        ------
        StateError
            No row has come yet.
        """
        if self._laid is None:
            raise StateError("the session has had no row yet")
        return self._laid.machine

    @property
    def door(self) -> Door | None:
        """What of its orders is at the broker; None where the market fills."""
        return None if self._broker is None else self._broker.desk.door

    @property
    def refuses(self) -> str:
        """Why it may not start on this account, as the first look has shown; "": it may."""
        return "" if self._broker is None else self._broker.desk.looks.refuses

    @property
    def is_covered(self) -> bool:
        """Whether a look has shown the account, and all that is held has its cover there."""
        return self._broker is None or self._broker.desk.is_covered

    @property
    def starting(self) -> tuple[str] | None:
        """The strategy whose `on_start` has not returned yet: another object for each."""
        return None if self._laid is None else self._laid.starting

    @property
    def place(self) -> tuple[int, int]:
        """(bar, step) where the machine stands."""
        if self._laid is None:
            return 0, STEP_OPEN
        account = self._laid.machine.book.account[0]
        return int(account["bar"]), int(account["step"])

    @property
    def equity(self) -> float | None:
        """At the last close, account currency; None before the first row."""
        bar = self.place[0] - 1
        return None if bar < 0 else float(self.machine.tape.equity[bar])

    @property
    def cash(self) -> float:
        """Account currency."""
        if self._laid is None:
            return self.plan.account.cash
        return float(self.machine.book.account["cash"][0])

    @property
    def positions(self) -> list[dict[str, Any]]:
        """The sleeves that are not flat: strategy, symbol, qty, average, stop, target."""
        if self._laid is None:
            return []
        return held(self.machine, self.plan.names)

    def next_timer(self, now: int) -> int | None:
        """When it wants a `timer` event at the latest (ns UTC); None: it waits for nothing."""
        return None if self._broker is None else self._broker.next_timer(now)

    def silent(self, now: int) -> list[str]:
        """Symbols that are held, and of which no bar has come for far too long."""
        held = {one["symbol"] for one in self.positions}
        symbols = enumerate(self.plan.symbols)
        return [s for j, s in symbols if s in held and self._blocks.is_stale(j, now, FAR_TOO_LONG)]

    @property
    def is_ending(self) -> bool:
        """Whether nothing is entered any more, and it ends when it is flat."""
        return bool(self._wind_down.ending)

    @property
    def is_over(self) -> bool:
        """Whether the account is ruined."""
        return self._laid is not None and self.machine.status is RunStatus.RUINED

    def keep_last(self, rows: int) -> None:
        """Let go of older rows from here on: a month of them takes more than all else."""
        self._kept = rows

    @property
    def trade_from(self) -> int:
        """The close time of the first row that is traded (`Setup.trade_from`)."""
        return int(self.started["trade_from"])

    # The rows

    def _take_history(self, rows: list[Any]) -> None:
        """Take rows before the start; they run when all are there."""
        self.rows += [row_of(row) for row in rows]
        if len(self.rows) < self._history:
            return
        self.count = len(self.rows)
        for first in range(0, len(self.rows), PIECE):
            part = self.rows[first : first + PIECE]
            self._lay(part, first)
            self._warm_up(first + len(part))
        self._commands.changes()
        self._forget()

    def _warm_up(self, end: int) -> None:
        hears = any(getattr(s, "hears_warm_up", False) for s in self.plan.strategies.values())
        while hears and self.machine.bar < end:
            walk_row(self.machine, self._hear, self._failed)
        self.machine.advance(end)
        self._shadows.wait(end)

    def _hear(self, step: int) -> None:
        self._commands.hear(step, self.answers)

    def _lay(self, rows: list[ClosedRow], first: int) -> None:
        is_first = self._laid is None
        if is_first:
            self._laying = Laying(self.plan, self.started, self.hearing.by_request, self._silent)
            self._laid, self._shadows = self._laying.run, self._laying.shadows
        self._laying.lay(rows, first)
        self.hearing.forget(rows[-1].time)
        if not is_first:
            return
        self.machine.unused = 1
        self._commands = Commands(
            self.machine, self.plan, self.judge, self._hand, self._wind_down, self._records
        )
        self._commands.at = self._at
        if self._broker is not None:
            self._broker.open(self.machine, self._commands, self._blocks, self._at)

    def _run(self, row: ClosedRow) -> None:
        """Run a sealed row through all of its steps."""
        if self.is_over:
            return
        self.rows.append(row)
        first, self.count = self.count, self.count + 1
        if self._kept is not None and len(self.rows) > self._kept + PIECE // 10:
            del self.rows[: -self._kept]
        self._lay([row], first)
        if row.time < self.trade_from:
            self._warm_up(first + 1)
            return
        self._blocks.row(row)
        blocks = self._blocked(row.time, row.late)
        if self._broker is None:
            self._wind_down.leave(self._blocks.leaving(row.time))
        walk_row(self.machine, lambda step: self._stop(step, row, blocks), self._failed)
        self._commands.changes()
        told, notices = self._shadows.run(first, row.time, self._records)
        told += self._drifts.take(self._running)
        self._notices += [*notices, *notices_of(told)]
        for kind, body in told:
            self._record(kind, body)
        self._end_row(row, first)

    def _blocked(self, now: int, is_late: bool = False) -> dict[str, str]:
        """Why nothing may be entered, by "account" or symbol."""
        reasons: dict[str, str] = {**self._blocks.reasons(now)}
        if is_late or self.is_ending:
            reasons[ACCOUNT] = self._wind_down.ending or "late"
        if self._broker is not None:
            reasons |= self._broker.blocks()
        return reasons

    def _end_row(self, row: ClosedRow, bar: int) -> None:
        machine = self.machine
        body = {
            "row": bar,
            "time": row.time,
            "equity": in_json(float(machine.tape.equity[bar])),
            "cash": in_json(float(machine.book.account["cash"][0])),
        }
        self._record("row", body | self.hearing.said())
        ends = any(bar.ends_session for bar in row.bars) or bool(row.ends)
        if ends or bar % DIGEST_EVERY == 0:
            self._record("digest", {"row": bar, "digest": machine.digest()})
        if self.is_over:
            self._notices.append(Notice("page", "ruined", "the account is ruined: nothing is left"))
        elif ends:
            self._forget()

    def _forget(self) -> None:
        """Let go of records that are journalled, then of rows that nobody reads any more."""
        self._commands.recording.hand_over()
        assert self._laid is not None
        self._laid.window.forget()
        self._shadows.forget()

    def _stop(self, step: int, row: ClosedRow, blocks: dict[str, str]) -> None:
        """Before a step takes its commands."""
        self._note_moves(self._commands.stop(step, row, blocks, self.answers, self._asked))

    def _failed(self, strategy: int, error: Exception) -> None:
        """A hook has raised: its strategy is left out from here on, what it holds is kept."""
        name = self.plan.names[strategy]
        assert self._laid is not None
        self._laid.leave_out(name)
        self._record("hook", {"strategy": name, "text": str(error), "raised": True})
        self.judge.failed(name, str(error))
        self._notices.append(Notice("page", f"hook {name}", str(error)))

    # What persons and the driver say

    def _obey(self, body: dict[str, Any]) -> None:
        """Do what a person asks for, or refuse it with the reason."""
        kind, self._asked, broker = body["kind"], self._at, self._broker
        try:
            if kind in ORDERS:
                self._hand.ask(body, self.machine, self._at)
            elif broker is not None and kind in PERSONS:
                broker.obey(body)
            else:
                known = {} if broker is None else broker.known()
                obey(body, self.judge, self._wind_down, self.plan.symbols, known)
        except IntrabarError as error:
            text = {"command": body.get("id", kind), "rule": "person", "scope": ACCOUNT}
            self._record("refused", {**text, "value": None, "limit": None, "text": str(error)})
        self._note_moves(self.judge.taken())
        if broker is not None:
            self._note_moves(self._commands.persons(self._blocked(self._at)))

    def _settle(self, broker: AtBroker) -> list[Effect]:
        """What leaves at the end of a turn; before trading begins, nothing."""
        effects = broker.settle(not self.is_ending)
        records, notices = broker.taken()
        for kind, body in records:
            self._record(kind, body)
        self._notices += notices
        self._note_moves(self.judge.taken())
        return effects

    def _note_moves(self, records: Sequence[Record]) -> None:
        """Record what the judge has done, and page who must know of it."""
        for kind, body in records:
            self._record(kind, body)
            if kind == "breaker" and body["set"]:
                self._notices.append(Notice("page", f"breaker {body['cause']}", body["text"]))

    def _take_off(self, name: str) -> None:
        """A hook that hung, or that a person leaves out: it counts as one that has raised."""
        if name not in self.plan.strategies:
            raise NotFoundError("strategy", name, self.plan.strategies)
        row = self.plan.names.index(name)
        self.machine.take_off(row)
        self._failed(row, StrategyError(f"{name}: it is called no more"))
        self._note_moves(self.judge.taken())

    def _record(self, kind: str, body: dict[str, Any]) -> None:
        self._records.append(Entry(self._at, *self.place, kind, body))
