"""The result of a session out of its journal: what was decided there, filled once more.

No hook of a strategy in Python is called: what strategies, persons and the session itself have
commanded stands in the journal, with what the limits refused of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from intrabar.engine.outcome.result import Result
from intrabar.engine.run import Run, Setup
from intrabar.engine.session.bandits import states_in
from intrabar.engine.session.lived_rows import heard_in, market_in, rows_in, wakes_of
from intrabar.engine.session.pairs import simulated_in, told_in
from intrabar.engine.session.plan import BY_HAND, Plan
from intrabar.engine.session.recording import command_of
from intrabar.engine.session.remarks import remarks_in
from intrabar.engine.steps import refuse_all, walk_row
from intrabar.errors import RunError
from intrabar.model.bars import Floats
from intrabar.model.entry import Entry
from intrabar.model.enums import Reject, RunStatus
from intrabar.sim.callbacks import Hooks
from intrabar.sim.inbox import leave_again, refuse_waiting, replace_waiting, take_out
from intrabar.sim.machine import Machine
from intrabar.sim.state import COMMAND, SUBMIT
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.signals import ARRAYS, Signals
from intrabar.strategy.strategy import RunningStrategy
from intrabar.strategy.weights import Weights


def result_of(plan: Plan, entries: Sequence[Entry]) -> Result:
    """All that a session has done, with the tables and figures of a run.

    Parameters
    ----------
    plan : Plan
    entries : sequence of Entry
        All of its journal.

    Raises
    ------
    RunError
        No row was traded yet; or what comes out is not what the journal says.
    """
    equity = {int(e.body["row"]): float(e.body["equity"]) for e in entries if e.kind == "row"}
    if not equity:
        raise RunError("no row was traded yet, so there is nothing to report")
    rows = rows_in(entries)[: max(equity) + 1]
    strategies = {name: _fitted(one, plan, len(rows)) for name, one in plan.strategies.items()}
    decided = _Decided(plan, entries)
    if decided.by_hand:
        strategies[BY_HAND] = Signals(np.nan, name=BY_HAND)
    setup = Setup(
        market_in(rows, plan),
        plan.instruments,
        strategies,
        plan.account,
        plan.is_open,
        remarks=(*told_in(entries, plan), *remarks_in(entries, plan.strategies)),
        trade_from=int(entries[0].body["trade_from"]),
        wakes=wakes_of(rows),
        states=states_in(entries),
        predicted=heard_in(entries, plan),
    )
    run = Run(setup)
    for k, running in enumerate(run.running.values()):
        if isinstance(running, RunningStrategy):
            run.machine.connect(k, Hooks())
    first = int(np.searchsorted(setup.market.time, int(entries[0].body["trade_from"])))
    decided.walk(run.machine, first)
    _require_the_same(run.machine, equity)
    run.machine.disconnect()
    return Result(run, is_lived=True, simulated=simulated_in(entries, plan))


@dataclass
class _Place:
    """What waited where a step took commands: of strategies and persons, then of the session."""

    own: list[Entry] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    session: list[Entry] = field(default_factory=list)


class _Decided:
    """The commands of a journal, by the place at which they were taken."""

    def __init__(self, plan: Plan, entries: Iterable[Entry]) -> None:
        self._plan = plan
        self._places: dict[tuple[int, int], _Place] = {}
        self._left_out: dict[int, list[str]] = {}  # by row: strategies that are called no more
        self.by_hand = False
        last = _Place()
        for entry in entries:
            body = entry.body
            if entry.kind == "command":
                last = self._places.setdefault((entry.bar, entry.step), _Place())
                (last.session if body["by"] == "session" else last.own).append(entry)
                self.by_hand |= body["strategy"] == BY_HAND
            elif entry.kind == "refused" and body["rule"] != "person":
                last.refused.append(int(body["command"]))
            elif entry.kind == "hook":
                self._left_out.setdefault(entry.bar, []).append(str(body["strategy"]))

    def walk(self, machine: Machine, first: int) -> None:
        """Run all rows; before `first` what was asked for is refused."""

        def put(step: int) -> None:
            self._put(machine, step, machine.bar < first)

        while machine.bar < len(machine.market) and machine.status is not RunStatus.RUINED:
            for name in self._left_out.get(machine.bar, ()):
                machine.take_off(self._plan.names.index(name))
            walk_row(machine, put, _off)

    def _put(self, machine: Machine, step: int, is_warm_up: bool) -> None:
        place = self._places.get((machine.bar, step), _NOTHING)
        own, session = self._commands(place.own), self._commands(place.session)
        machine.make_room(len(own) + len(session))
        replace_waiting(machine.book, own)
        gone = np.zeros(len(own), bool)
        for k in place.refused:
            if own["kind"][k] == SUBMIT:
                refuse_waiting(machine.book, k, Reject.RISK)
            else:
                gone[k] = True
        take_out(machine.book, gone)
        if is_warm_up:
            refuse_all(machine)
        leave_again(machine.book, session)

    def _commands(self, entries: Sequence[Entry]) -> np.ndarray[tuple[int], np.dtype[np.void]]:
        names, symbols = self._plan.names, self._plan.symbols
        found = [command_of(entry.body, names, symbols) for entry in entries]
        return np.concatenate([*found, np.zeros(0, COMMAND)])


_NOTHING = _Place()


def _off(strategy: int, error: Exception) -> None:
    """A compiled strategy that raises is taken off: its commands stand in the journal."""


def _require_the_same(machine: Machine, equity: Mapping[int, float]) -> None:
    for row, worth in equity.items():
        again = float(machine.tape.equity[row])
        if again != worth and not (np.isnan(again) and np.isnan(worth)):
            raise RunError(
                f"what the journal has decided comes out otherwise in row {row}: the equity is "
                f"{again!r}, the journal has {worth!r}; intrabar parity says what differs"
            )


def _fitted(strategy: AnyStrategy, plan: Plan, rows: int) -> AnyStrategy:
    """Signals and weights with as many rows as were lived."""
    if isinstance(strategy, Weights):
        return Weights(_cut(strategy.grid(plan.timeline), rows), name=strategy.name)
    if not isinstance(strategy, Signals):
        return strategy
    arrays: dict[str, Any] = {}
    for what in ARRAYS:
        if getattr(strategy, what) is not None:
            grid = _cut(strategy.grid(plan.timeline, what), rows)
            arrays[what] = dict(zip(plan.symbols, grid.T, strict=True))
    return Signals(**arrays, name=strategy.name, zero=strategy.zero, gates=strategy.gates)


def _cut(grid: Floats, rows: int) -> Floats:
    """The first rows; the last one stands for those that are not there."""
    if len(grid) == 1:
        return np.repeat(grid, rows, axis=0)
    return np.pad(grid[:rows], ((0, max(rows - len(grid), 0)), (0, 0)), mode="edge")
