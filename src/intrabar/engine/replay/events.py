"""What one step of a run did, as events: fills and why, ends of orders and why, what blocked.

The sentences are those of the narrated scenarios (`step_outcome`): the book is compared before and
after the step. Nothing about a fill is worked out here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from intrabar.engine.run import Run
from intrabar.engine.story import words as words
from intrabar.engine.story.changes import View
from intrabar.engine.story.money import action_sentences, ledger_sentences
from intrabar.engine.story.outcome import Outcome
from intrabar.engine.story.walk import Walk, walk_of
from intrabar.model.enums import (
    ActionKind,
    FillReason,
    Gate,
    LedgerKind,
    OrderStatus,
    Phase,
    Reject,
    Role,
    RunStatus,
    Side,
    TimeInForce,
)
from intrabar.model.event import (
    BacktestFinished,
    BarAdvanced,
    BarClosed,
    BarUpdated,
    CashMoved,
    EntryBlocked,
    Event,
    InstrumentActed,
    OrderChanged,
    OrderFilled,
    Step,
)
from intrabar.model.prices import same
from intrabar.sim import state
from intrabar.strategy.running_bot import RunningBot

PHASES = {
    Step.OPEN: Phase.OPEN,
    Step.NEW: Phase.OPEN,
    Step.INTRABAR: Phase.INTRABAR,
    Step.CLOSE: Phase.CLOSE,
    Step.ON_CLOSE: Phase.CLOSE,
    Step.END: Phase.CLOSE,
}
TAKES_INBOX = (Step.NEW, Step.CLOSE, Step.ON_CLOSE, Step.END)


class StepEvents:
    """Looks at a run before one step and after it.

    Parameters
    ----------
    run : Run
        At rest before the step.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.machine = machine = run.machine
        account = machine.book.account[0]
        self.bar, self.step = int(account["bar"]), Step(int(account["step"]))
        self.before = View.of(machine)
        self.inbox = machine.book.inbox[: account["inbox"]].copy()
        self.blocked = {
            name: running.counts.copy()
            for name, running in run.running.items()
            if isinstance(running, RunningBot)
        }
        self.names = list(run.setup.strategies)
        self.walks = self._walks() if self.step is Step.INTRABAR else {}

    def events(self) -> Iterator[Event]:
        """What the step has done; ask when it has been worked."""
        if self.step in PHASES:
            phase = PHASES[self.step]
            yield from self._actions()
            if phase is Phase.OPEN:
                yield from self._money(phase)
            yield from self._orders(phase)
            if phase is Phase.CLOSE:
                yield from self._money(phase)
        if self.step is Step.ON_CLOSE:
            yield from self._gates()
        yield BarUpdated(self.bar, self.step)
        machine = self.machine
        ruined = machine.status is RunStatus.RUINED
        if self.step is Step.CLOSE:
            tape = machine.tape
            yield BarClosed(
                self.bar,
                int(tape.time[self.bar]),
                float(tape.equity[self.bar]),
                float(machine.book.account[0]["cash"]),
            )
        elif self.step is Step.END and machine.bar < len(machine.market):
            yield BarAdvanced(machine.bar)
        if ruined or machine.bar >= len(machine.market):
            yield BacktestFinished(self.bar, machine.status)

    def _walks(self) -> dict[int, Walk]:
        """The paths that the instruments with working orders are going to take."""
        found = {
            j: walk_of(self.machine, self.bar, j)
            for j in {int(o["instrument"]) for o in self.before.working.values()}
        }
        return {j: walk for j, walk in found.items() if walk is not None}

    def _actions(self) -> Iterator[Event]:
        """What has changed at this open without an order."""
        actions = self.machine.tape.actions[self.before.actions :]
        told = action_sentences(self.machine, self.before)
        for action, (symbol, text) in zip(actions, told, strict=False):
            yield InstrumentActed(self.bar, symbol, ActionKind(int(action["kind"])), text)

    def _money(self, phase: Phase) -> Iterator[Event]:
        """What has moved cash without a fill."""
        for n, text in ledger_sentences(self.machine, self.before):
            line = self.machine.book.ledger[n]
            j = int(line["instrument"])
            yield CashMoved(
                self.bar,
                phase,
                self._strategy(line) if line["strategy"] >= 0 else "",
                self.machine.market.symbols[j] if j >= 0 else "",
                LedgerKind(int(line["kind"])),
                float(line["amount"]),
                text,
            )

    def _orders(self, phase: Phase) -> Iterator[Event]:
        book, before = self.machine.book, self.before
        account = book.account[0]
        is_quiet = account["fills"] == before.fills and account["log"] == before.log
        if is_quiet and not before.working and not self.inbox.size:
            return
        orders = {int(o["id"]): o for o in self.machine.done_since(before.log)}
        working = View.of(self.machine).working
        orders |= {n: o for n, o in working.items() if n not in orders}
        names = {n: name_of(o) for n, o in orders.items()}
        outcome = Outcome(self.machine, before, phase, self.bar, names, self.walks, set())
        yield from self._taken(phase, working, names)
        for number, text, fill in outcome.sentences():
            if fill < 0:
                yield self._changed(phase, orders[number], self._why(orders[number], text))
            else:
                yield self._filled(fill, outcome.fills.met[fill], text)

    def _taken(
        self, phase: Phase, working: dict[int, Any], names: dict[int, str]
    ) -> Iterator[Event]:
        """Orders that the step took from the inbox and that work, and changes of orders."""
        if self.step not in TAKES_INBOX or not self.inbox.size:
            return
        submitted, modified = (self._ids(kind) for kind in (state.SUBMIT, state.MODIFY))
        for number, order in working.items():
            tick = float(self.machine.book.instruments[order["instrument"]]["tick_size"])
            text = f"{words.order_text(order, tick)} for {words.quantity(order['qty'])}"
            old = self.before.working.get(number)
            if number in submitted:
                yield self._changed(phase, order, f"{names[number]}: {text} works")
            elif old is not None:
                was = f"{words.order_text(old, tick)} for {words.quantity(old['qty'])}"
                is_moved = words.order_text(old, tick) != words.order_text(order, tick)
                if is_moved or (number in modified and was != text):
                    yield self._changed(phase, order, f"{names[number]}: {was} becomes {text}")

    def _ids(self, *kinds: int) -> set[int]:
        """Orders that commands of some kinds in the inbox are about."""
        return {int(c["id"]) for c in self.inbox if c["kind"] in kinds}

    def _why(self, order: Any, text: str) -> str:
        """A sentence of a scenario in the words of a run that has times and hooks."""
        name = name_of(order)
        if order["status"] == OrderStatus.EXPIRED and order["tif"] == TimeInForce.GTD:
            until = str(np.datetime64(int(order["until"]), "ns"))[:19]
            return f"{name}: expired: it was good until {until}Z"
        if text == f"{name}: cancelled" and order["id"] in self._ids(state.CANCEL, state.MODIFY):
            return f"{name}: cancelled as asked"
        return text

    def _changed(self, phase: Phase, order: Any, text: str) -> OrderChanged:
        return OrderChanged(
            self.bar,
            phase,
            self._strategy(order),
            self.machine.market.symbols[order["instrument"]],
            int(order["id"]),
            OrderStatus(int(order["status"])),
            Reject(int(order["reject"])),
            text,
        )

    def _filled(self, index: int, met: float, text: str) -> OrderFilled:
        f = self.machine.book.fills[index]
        j, side, price = int(f["instrument"]), Side(int(f["side"])), float(f["price"])
        worse = (price - met) * side
        tick = float(self.machine.book.instruments[j]["tick_size"])
        return OrderFilled(
            self.bar,
            Phase(int(f["phase"])),
            self._strategy(f),
            self.machine.market.symbols[j],
            int(f["order"]),
            side,
            float(f["qty"]),
            price,
            met,
            worse if worse > 0.0 and not same(price, met, tick) else 0.0,
            FillReason(int(f["reason"])),
            text,
        )

    def _gates(self) -> Iterator[Event]:
        for name, counts in self.blocked.items():
            running = self.run.running[name]
            assert isinstance(running, RunningBot)
            for j, gate in zip(*np.nonzero(running.counts - counts), strict=True):
                symbol = self.machine.market.symbols[j]
                yield EntryBlocked(self.bar, name, symbol, Gate(int(gate)))

    def _strategy(self, record: Any) -> str:
        return str(self.names[record["strategy"]])


def name_of(order: Any) -> str:
    """What an order is called in sentences: its number, and for a child also its parent's."""
    role = Role(int(order["role"]))
    if role in (Role.STOP, Role.TARGET) and order["parent"] >= 0:
        return f"{role.word} {order['id']} of order {order['parent']}"
    return f"order {order['id']}" if role is Role.PLAIN else f"{role.word} {order['id']}"


def worked(run: Run, work: Callable[[], None]) -> list[Event]:
    """Work one step of a run and give what it did."""
    audit = StepEvents(run)
    work()
    return list(audit.events())
