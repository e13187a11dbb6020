"""A session: one event in; what it changed, what it decided and what must leave, out.

`Session.handle` is a function of the events so far. It reads no clock, socket, file or random
number; what it must know of the moment stands in the event. Where the market fills, the rows run
through the same loop as a backtest's, and nothing leaves but notices to persons.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from intrabar.data.pieces import Piece
from intrabar.engine.chunks.laid import LaidRun
from intrabar.engine.judged import Judged
from intrabar.engine.session.hand import Hand
from intrabar.engine.session.lived_rows import market_in, wakes_of
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.recording import Recording, command_of
from intrabar.engine.session.row import ClosedRow, market_of
from intrabar.engine.steps import refuse_all, walk_row
from intrabar.engine.waking import allowed
from intrabar.errors import IntrabarError, NotFoundError, StateError, StrategyError, UsageError
from intrabar.model.bars import Action, Market
from intrabar.model.entry import Entry, in_json
from intrabar.model.enums import RunStatus
from intrabar.model.facts import LinkFact
from intrabar.risk.breaker import ACCOUNT
from intrabar.risk.flatten import Duty, cancel_entries, closing
from intrabar.risk.judge import Judge
from intrabar.sim.inbox import replace_waiting, waiting
from intrabar.sim.machine import Machine
from intrabar.sim.state import COMMAND, STEP_END, STEP_NEW, STEP_OPEN

DIGEST_EVERY = 100  # rows
PIECE = 1_000  # rows of a history that are laid at once
FAR_TOO_LONG = 3  # times the age from which on a bar is stale
ORDERS = ("order", "modify", "cancel", "close", "move_stop", "move_target")
OTHERS = ("flatten", "kill", "halt", "resume", "stop_when_flat")


class Notice(NamedTuple):
    """Something that a person is told.

    Parameters
    ----------
    severity : "page", "alarm" or "info"
    key : str
        One of a key is told in five minutes.
    text : str
    """

    severity: str
    key: str
    text: str


class Turn(NamedTuple):
    """What an event has caused: records, to be committed first; then what leaves."""

    records: list[Entry]
    notices: list[Notice]


class Session:
    """Strategies on the rows of a market, one after the other.

    Parameters
    ----------
    plan : Plan
    answers : callable, optional
        Called with (bar, step) where hooks have been called: the commands that were recorded there,
        which take the place of theirs. None: theirs count.
    calls_hooks : bool
        False: no hook is called at all, and the answers are all there is.
    """

    def __init__(
        self,
        plan: Plan,
        answers: Callable[[int, int], Sequence[Entry]] | None = None,
        calls_hooks: bool = True,
    ) -> None:
        self.plan = plan
        self.rows: list[ClosedRow] = []  # the history first; the last ones after `keep_last`
        self.count = 0  # of all rows so far
        self._kept: int | None = None
        self.started: dict[str, Any] = {}
        self.judge = Judge(
            plan.limits, plan.names, plan.account.cash, plan.day_begins, plan.on_error
        )
        self.answers, self._calls_hooks = answers, calls_hooks
        self._laid: LaidRun | None = None
        self._hand = Hand(plan)
        self._records: list[Entry] = []
        self._notices: list[Notice] = []
        self._at = 0
        self._ending = ""  # why nothing is entered any more
        self._asked = 0  # when a person has last asked for something
        self._cancels_entries = False
        self._leaving: set[str] = set()  # symbols to be closed
        self._closes = np.full(len(plan.instruments), np.nan)
        self._actions: tuple[Action, ...] = ()

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
        self._at = event.at
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
                self._run(msgspec.convert(event.body, ClosedRow))
            case "command.person":
                self._obey(event.body)
            case "session.stopped" | "session.resumed":
                self._stop_or_resume(event.kind)
            case "bar.late" | "bar.corrected" | "bar.bad" | "clock":
                for note in self._blocks.note(event.kind, event.body):
                    self._notices.append(Notice(**note.body))
            case "link":
                self._blocks.link(LinkFact(event.body["state"], event.body["reason"]))
            case "not_repeatable":
                self.judge.move("not_repeatable", text=str(event.body["text"]))
                self._note_judge()
            case "emergency":
                self.judge.move("journal", text=str(event.body["why"]))
                self._note_judge()
            case "hook.hung":
                self._take_off(event.body["strategy"])
            case _:  # bars that came late, links, clocks: facts that change no book
                pass
        turn = Turn(self._records, self._notices)
        self._records, self._notices = [], []
        return turn

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
        return (
            self.plan.account.cash
            if self._laid is None
            else float(self.machine.book.account["cash"][0])
        )

    @property
    def positions(self) -> list[dict[str, Any]]:
        """The sleeves that are not flat: strategy, symbol, qty, average, stop, target."""
        if self._laid is None:
            return []
        sleeves, n = self.machine.book.sleeves, len(self.plan.symbols)
        return [
            {
                "strategy": self.plan.names[k // n],
                "symbol": self.plan.symbols[k % n],
                "qty": float(sleeves["qty"][k]),
                "average": float(sleeves["avg"][k]),
                "stop": in_json(float(sleeves["stop"][k])),
                "target": in_json(float(sleeves["target"][k])),
            }
            for k in np.flatnonzero(sleeves["qty"]).tolist()
        ]

    def silent(self, now: int) -> list[str]:
        """Symbols that are held, and of which no bar has come for far too long."""
        held = {one["symbol"] for one in self.positions}
        symbols = enumerate(self.plan.symbols)
        return [s for j, s in symbols if s in held and self._blocks.is_stale(j, now, FAR_TOO_LONG)]

    @property
    def is_ending(self) -> bool:
        """Whether nothing is entered any more, and it ends when it is flat."""
        return bool(self._ending)

    @property
    def is_over(self) -> bool:
        """Whether the account is ruined."""
        return self._laid is not None and self.machine.status is RunStatus.RUINED

    def market(self) -> Market:
        """The market made of all rows so far: its backtest has the session's digest."""
        return market_in(self._all_rows(), self.plan)

    def wakes(self) -> NDArray[np.uint8]:
        """Of each row so far, the bits of `WAKE_*` that count (`Setup.wakes`)."""
        return wakes_of(self._all_rows())

    def keep_last(self, rows: int) -> None:
        """Let go of older rows from here on: a month of them takes more than all else."""
        self._kept = rows

    def _all_rows(self) -> list[ClosedRow]:
        if len(self.rows) < self.count:
            raise StateError("the session keeps its last rows alone; its journal has all of them")
        return self.rows

    @property
    def trade_from(self) -> int:
        """The close time of the first row that is traded (`Setup.trade_from`)."""
        return int(self.started["trade_from"])

    # The rows

    def _take_history(self, rows: list[Any]) -> None:
        """Take rows before the start; they run when all are there."""
        self.rows += msgspec.convert(rows, list[ClosedRow])
        if len(self.rows) < self._history:
            return
        self.count = len(self.rows)
        for first in range(0, len(self.rows), PIECE):
            part = self.rows[first : first + PIECE]
            self._lay(part, first)
            self._warm_up(first + len(part))
        self._records += self._recording.changes(self._at)
        self._forget()

    def _warm_up(self, end: int) -> None:
        hears = any(getattr(s, "hears_warm_up", False) for s in self.plan.strategies.values())
        while hears and self.machine.bar < end:
            walk_row(self.machine, self._hear, self._failed)
        self.machine.advance(end)

    def _hear(self, step: int) -> None:
        """Before trading begins: note what is asked for, and refuse it."""
        if self.answers is not None:
            self._put_answers(self.answers(self.machine.bar, step))
        self._note_commands(step, "strategy")
        refuse_all(self.machine)

    def _lay(self, rows: list[ClosedRow], first: int) -> None:
        market = market_of(rows, self.plan.symbols, self.plan.period, self._closes.tolist(), first)
        self._closes = market.close[-1].copy()
        self._actions += market.actions  # a tape has all so far: the account counts them
        market = replace(market, actions=self._actions)
        if self._laid is None:
            self._laid = LaidRun(self.plan, True, 1, self._calls_hooks)
        bits = allowed(self.plan.strategies, market.time, self.trade_from, wakes_of(rows))
        is_first = not hasattr(self._laid, "machine")
        self._laid.lay(Piece(market, False, ()), bits)
        if not is_first:
            return
        machine = self._laid.machine
        machine.unused = 1
        self._recording = Recording(machine, self.plan.names)
        self._judged = Judged(machine, self.judge, self.plan.names)

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
        blocks = self._reasons(row)
        walk_row(self.machine, lambda step: self._stop(step, row, blocks), self._failed)
        self._records += self._recording.changes(self._at)
        self._end_row(row, first)

    def _reasons(self, row: ClosedRow) -> dict[str, str]:
        """Why nothing may be entered in a row, by "account" or symbol."""
        reasons: dict[str, str] = {}
        for j, symbol in enumerate(self.plan.symbols):
            if found := self._blocks.why(j, row.time):
                reasons[symbol] = found[0].reason
            if self._blocks.leaves(j, row.time):
                self._leaving.add(symbol)
        if self._ending or row.late:
            reasons[ACCOUNT] = self._ending or "late"
        return reasons

    def _end_row(self, row: ClosedRow, bar: int) -> None:
        machine = self.machine
        body = {
            "row": bar,
            "time": row.time,
            "equity": in_json(float(machine.tape.equity[bar])),
            "cash": in_json(float(machine.book.account["cash"][0])),
        }
        self._record("row", body)
        ends = any(bar.ends_session for bar in row.bars) or bool(row.ends)
        if ends or bar % DIGEST_EVERY == 0:
            self._record("digest", {"row": bar, "digest": machine.digest()})
        if self.is_over:
            self._notices.append(Notice("page", "ruined", "the account is ruined: nothing is left"))
        elif ends:
            self._forget()

    def _forget(self) -> None:
        """Let go of records that are journalled, then of rows that nobody reads any more."""
        self._recording.hand_over()
        assert self._laid is not None
        self._laid.window.forget()

    def _stop(self, step: int, row: ClosedRow, blocks: dict[str, str]) -> None:
        """Before a step takes its commands: note, judge, do what the breaker asks for."""
        machine, recording = self.machine, self._recording
        self._records += recording.changes(self._at)
        if self.answers is not None:
            self._put_answers(self.answers(machine.bar, step))
        own = int(machine.book.account["inbox"][0])
        persons = self._hand.put(machine, step, row)
        for place, command in enumerate(waiting(machine.book)):
            by = "strategy" if place < own else "person"
            self._records.append(recording.command(self._at, step, place, command, by))
        refused = self._judged.judge_waiting(step, row.time, blocks, persons)
        for place, refusal in refused:
            self._record("refused", {"command": place, **refusal.body()})
        before = int(machine.book.account["inbox"][0])
        if step == STEP_END or (step == STEP_NEW and self._asked <= _opened(row)):
            self._judged.put(self._own_duties(leaves=step == STEP_END))
            self._judged.put(self._judged.duties())
        self._note_commands(step, "session", before)
        for kind, body in self._judged.taken():
            self._record(kind, body)
            if kind == "breaker" and body["set"]:
                self._notices.append(Notice("page", f"breaker {body['cause']}", body["text"]))

    def _note_commands(self, step: int, by: str, first: int = 0) -> None:
        """Record what waits from a place of the inbox on."""
        for place, command in enumerate(waiting(self.machine.book)[first:], first):
            self._records.append(self._recording.command(self._at, step, place, command, by))

    def _put_answers(self, entries: Sequence[Entry]) -> None:
        """Recorded commands in the place of what the hooks have left."""
        commands = [
            command_of(entry.body, self.plan.names, self.plan.symbols)
            for entry in entries
            if entry.body["by"] == "strategy"
        ]
        self.machine.make_room(len(commands))
        replace_waiting(self.machine.book, np.concatenate(commands or [np.zeros(0, COMMAND)]))

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
        kind, self._asked = body["kind"], self._at
        try:
            if kind in ORDERS:
                self._hand.ask(body, self.machine, self._at)
            elif kind == "resume":
                self.judge.resume(str(body["reason"]), body.get("override", ()))
            elif kind in ("kill", "halt"):
                self.judge.move(kind, text=str(body.get("reason", "")))
            elif kind == "flatten":
                self._flatten(body)
            elif kind == "stop_when_flat":
                self._ending = "stopping"
            else:
                raise UsageError(f"unknown command {kind!r}: {', '.join((*ORDERS, *OTHERS))}")
        except IntrabarError as error:
            text = {"command": body.get("id", kind), "rule": "person", "scope": ACCOUNT}
            self._record("refused", {**text, "value": None, "limit": None, "text": str(error)})
        self._note_judge()

    def _note_judge(self) -> None:
        """Record what the judge has done apart from a row."""
        for kind, body in self.judge.taken():
            self._record(kind, body)
            if kind == "breaker" and body["set"]:
                self._notices.append(Notice("page", f"breaker {body['cause']}", body["text"]))

    def _flatten(self, body: dict[str, Any]) -> None:
        symbol = body.get("symbol")
        if symbol is None:
            self.judge.move("flatten", text=str(body.get("reason", "")))
        elif symbol not in self.plan.symbols:
            raise NotFoundError("symbol", symbol, self.plan.symbols)
        else:
            self._leaving.add(symbol)

    def _stop_or_resume(self, kind: str) -> None:
        """A stop lets no order that adds work on; it takes effect with the next row."""
        self._ending, self._asked = "", self._at
        self._cancels_entries = kind == "session.stopped"

    def _take_off(self, name: str) -> None:
        """A hook that hung, or that a person leaves out: it counts as one that has raised."""
        if name not in self.plan.strategies:
            raise NotFoundError("strategy", name, self.plan.strategies)
        row = self.plan.names.index(name)
        self.machine.take_off(row)
        self._failed(row, StrategyError(f"{name}: it is called no more"))
        self._note_judge()

    def _own_duties(self, leaves: bool) -> list[Duty]:
        """What the session does by itself here, beside what the breaker asks for."""
        duties: list[Duty] = []
        if self._cancels_entries:
            duties += cancel_entries(self._judged.book())
            self._cancels_entries = False
        if leaves and self._leaving:
            duties += closing(self._judged.book(), self._leaving)
            self._leaving = set()
        return duties

    def _record(self, kind: str, body: dict[str, Any]) -> None:
        self._records.append(Entry(self._at, *self.place, kind, body))


def _opened(row: ClosedRow) -> int:
    """When the first bar of a row opened: what was asked for later gets none of its prices."""
    return min((bar.open_time for bar in row.bars), default=row.time)
