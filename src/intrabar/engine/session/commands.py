"""What is asked for, where it is taken: noted, held against the limits, and put.

At the steps of a row where the market fills; where a broker does, what persons and the session
itself ask for is taken at once, between two rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from intrabar.engine.judged import Judged
from intrabar.engine.session.desk import Desk
from intrabar.engine.session.hand import Hand
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.recording import Recording, leave_recorded
from intrabar.engine.session.row import ClosedRow
from intrabar.engine.session.wind_down import WindDown, acts
from intrabar.engine.steps import refuse_all
from intrabar.model.entry import Entry
from intrabar.model.enums import Reject
from intrabar.risk.flatten import Cancel, Close, Duty, closing
from intrabar.risk.judge import Judge, Record
from intrabar.risk.records import Refusal
from intrabar.sim.at_once import take_now
from intrabar.sim.inbox import refuse_waiting, waiting
from intrabar.sim.machine import Machine
from intrabar.sim.state import STEP_OPEN

Answers = Callable[[int, int], Sequence[Entry]]


class Commands:
    """The inbox of a session.

    Parameters
    ----------
    machine : Machine
    plan : Plan
    judge : Judge
    hand : Hand
    wind_down : WindDown
    records : list of Entry
        What has happened is added to it.
    """

    def __init__(
        self,
        machine: Machine,
        plan: Plan,
        judge: Judge,
        hand: Hand,
        wind_down: WindDown,
        records: list[Entry],
    ) -> None:
        self._machine, self._plan, self._hand, self._wind_down = machine, plan, hand, wind_down
        self._records = records
        self.recording = Recording(machine, plan.names)
        self.judged = Judged(machine, judge, plan.names)
        self.desk: Desk | None = None
        self.at = 0

    def hear(self, step: int, answers: Answers | None) -> None:
        """Before trading begins: note what is asked for, and refuse it."""
        self._answer(step, answers)
        self._note(step, "strategy")
        refuse_all(self._machine)

    def stop(
        self,
        step: int,
        row: ClosedRow,
        blocks: Mapping[str, str],
        answers: Answers | None,
        asked: int,
    ) -> list[Record]:
        """Before a step takes its commands: note, judge, do what the breaker asks for.

        Parameters
        ----------
        asked : int
            When a person has last asked for something.

        Returns
        -------
        list of Record
            Of the judge.
        """
        machine, judged, desk = self._machine, self.judged, self.desk
        self.changes()
        self._answer(step, answers)
        own = self._note(step, "strategy")
        persons = 0
        if desk is None:
            persons = self._hand.put(machine, step, row)
            self._note(step, "person", own)
        self._judge(step, row.time, blocks, persons)
        if desk is not None:  # the session's own acts are taken at once, behind the row
            desk.door.take_wishes()
            return judged.taken()
        count = len(waiting(machine.book))
        judged.put(self._wind_down.duties(step, row, judged.book))
        if acts(asked, step, row):
            judged.put(judged.duties())
        self._note(step, "session", count)
        return judged.taken()

    def persons(self, blocks: Mapping[str, str]) -> list[Record]:
        """Take what persons have asked for at once (with a broker); the records of the judge."""
        count = self._hand.put_all(self._machine)
        self._note(STEP_OPEN, "person")
        self._judge(STEP_OPEN, self.at, blocks, count)
        self._take()
        return self.judged.taken()

    def session(self, leaving: Sequence[str], bare: Sequence[tuple[str, str]]) -> bool:
        """Do what the session itself must, at once (with a broker); whether there was anything.

        Parameters
        ----------
        leaving : sequence of str
            Symbols that are closed now, by the calendar.
        bare : sequence of (strategy, symbol)
            Positions that must have a stop, and have no level for one.
        """
        desk = self.desk
        assert desk is not None
        duties = [*self.judged.duties(), *self._wind_down.at_once(self.judged.book)]
        if leaving:
            duties += closing(self.judged.book(), set(leaving))
        if bare:
            book = self.judged.book()
            own = [x for x in closing(book) if isinstance(x, Close)]
            duties += [x for x in own if (x.strategy, x.symbol) in bare]
        fresh: list[Duty] = []
        for duty in duties:
            if duty in fresh or (isinstance(duty, Cancel) and desk.is_wished(duty.order)):
                continue
            fresh.append(duty)
        if fresh:
            self.judged.put(fresh)
            self._note(STEP_OPEN, "session")
            self._take()
        return bool(fresh)

    def changes(self) -> None:
        """Note what has happened to orders, fills and cash."""
        self._records += self.recording.changes(self.at)

    def _take(self) -> None:
        assert self.desk is not None
        self.desk.door.take_wishes()
        take_now(self._machine)
        self.changes()

    def _judge(self, step: int, now: int, blocks: Mapping[str, str], persons: int) -> None:
        if self.desk is not None:
            for place, refusal in self.desk.unfit(waiting(self._machine.book)):
                self._refused(step, place, refusal)
                refuse_waiting(self._machine.book, place, Reject.RISK)
        for place, refusal in self.judged.judge_waiting(step, now, blocks, persons):
            self._refused(step, place, refusal)

    def _refused(self, step: int, place: int, refusal: Refusal) -> None:
        account = self._machine.book.account[0]
        body = {"command": place, **refusal.body()}
        self._records.append(Entry(self.at, int(account["bar"]), step, "refused", body))

    def _answer(self, step: int, answers: Answers | None) -> None:
        """Let recorded commands take the place of those of the hooks."""
        if answers is not None:
            given = answers(self._machine.bar, step)
            leave_recorded(self._machine, given, self._plan.names, self._plan.symbols)

    def _note(self, step: int, by: str, first: int = 0) -> int:
        """Record what waits, from a place of the inbox on; how much waits."""
        commands = waiting(self._machine.book)
        for place in range(first, len(commands)):
            command = commands[place]
            self._records.append(self.recording.command(self.at, step, place, command, by))
        return len(commands)
