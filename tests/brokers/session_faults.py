"""Faults of the wire between a session and its broker, by its own events and timers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from intrabar.brokers.simulated import SimulatedBroker
from intrabar.brokers.tickets import OPEN
from intrabar.data.timeline import market_from_bars
from intrabar.engine.run import Setup
from intrabar.engine.session.broker_events import (
    link_body,
    outcome_body,
    report_body,
    timer_body,
)
from intrabar.engine.session.effects import Effect, Send
from intrabar.engine.session.plan import Plan
from intrabar.model.bars import Bars, Market
from intrabar.model.broker_facts import Refused, Unknown
from intrabar.model.facts import LinkFact
from intrabar.model.instrument import Instrument
from intrabar.sim import state
from intrabar.sim.account import Account
from intrabar.strategy.strategy import Strategy
from tests.brokers.faults import OF_FACTS, OF_REQUESTS, SCRIPTS, Schedule
from tests.brokers.session_worlds import SECOND, SessionWorld, fills_by, quoted
from tests.brokers.worlds import STEPS, answer
from tests.engine.chunks.test_chunks import HOUR, START
from tests.engine.session.sessions import plan_of

HISTORY = 2
QUIET = 6  # rows at the end in which nothing new is asked for
PATIENCE = 150 * SECOND  # of virtual time between two rows
MAY = {False: OF_FACTS, True: OF_REQUESTS}


class Scripted(Strategy):
    """Does what a script says at the closes of its rows."""

    def __init__(self, orders: list[dict[str, Any]]) -> None:
        self.orders, self.named = orders, dict[str, int]()

    def on_close(self, now: Any) -> None:
        for order in self.orders:
            if order["at"] == now.bar - HISTORY:
                self.do(order, now)

    def do(self, order: dict[str, Any], now: Any) -> None:
        if "modify" in order:
            now.modify_stop_loss(order["stop_price"])
        elif "cancel" in order:
            now.cancel(self.named[order["cancel"]])
        else:
            terms = {k: order[k] for k in ("stop_loss", "take_profit") if k in order}
            if "limit_price" in order:
                terms["limit"] = order["limit_price"]
            self.named[order["id"]] = now.order(order["side"], order["qty"], **terms)


def world_of(name: str, nets: bool) -> tuple[Plan, Market, SimulatedBroker]:
    script = SCRIPTS[name]
    bars = script["bars"]["A"]
    flat = [bars[0][0]] * 4 + [8.0]
    rows = np.array([*([flat] * HISTORY), *bars, *([[bars[-1][3]] * 4 + [8.0]] * QUIET)])
    time = START + HOUR * np.arange(1, len(rows) + 1, dtype=np.int64)
    made = Bars("A", time, *rows.T, HOUR, time - HOUR, np.zeros(len(rows), np.int64))
    market = market_from_bars([made])
    given = dict(script["instruments"][0])
    instruments = (Instrument(given.pop("symbol"), **given),)
    strategies = {"s": Scripted(script["orders"])}
    setup = Setup(market, instruments, strategies, Account(cash=100_000.0))
    broker = SimulatedBroker(market, instruments, setup.account, nets)
    plan = plan_of(setup)
    object.__setattr__(plan, "broker", fills_by(broker.can))
    return plan, market, broker


class FaultySession(SessionWorld):
    """A session whose wire has faults; between two rows its timers run."""

    def __init__(self, name: str, schedule: Schedule, nets: bool = True) -> None:
        super().__init__(*world_of(name, nets)[:2], HISTORY, world_of(name, nets)[2])
        self.schedule, self.message, self.met = schedule, -1, Counter[str]()
        self.kinds: list[bool] = []  # of each message, whether it is a request
        self.late: list[Any] = []

    def seen(self) -> dict[str, Any]:
        bar = min(self.row, len(self.market) - 1)
        return quoted({"A": float(self.market.close[max(bar - 1, 0), 0])})

    def fault(self, is_request: bool) -> str:
        self.message += 1
        self.kinds.append(is_request)
        found = self.schedule.get(self.message, "")
        self.met[found] += 1
        return found

    def carry_out(self, effect: Effect) -> Iterable[tuple[str, dict[str, Any]]]:
        if not isinstance(effect, Send):
            return super().carry_out(effect)
        sending = effect.sending
        what, n = self.fault(True), max(1, len(sending.group))
        if what == "kill":  # the process ended behind the commit; another one goes on
            link = link_body("broker", LinkFact("up"))
            return [("session.resumed", {"turns": 0}), ("link", link)]
        if what == "reject":
            outcomes: Any = (Refused("no"),) * n
        elif what == "lose_request":
            outcomes = (Unknown("no answer"),) * n
        else:
            outcomes = self.leave(sending)
            if what == "lose_answer":
                outcomes = (Unknown("no answer"),) * n
        return [("outcome", outcome_body(sending, outcomes))]

    def tell(self, facts: Iterable[Any]) -> None:
        for fact in facts:
            what = self.fault(False)
            if what == "late":
                self.late.append(fact)
            elif what != "drop":
                self.handle(*[("report", report_body(fact))] * (2 if what == "duplicate" else 1))

    def settle(self) -> None:
        """Let the timers run until nothing is waited for."""
        late, self.late = self.late, []
        self.handle(*(("report", report_body(fact)) for fact in late))
        while self.clock < PATIENCE and not self.is_quiet():
            due = self.session.next_timer(self.now)
            assert due is not None
            self.clock += max(due - self.now, SECOND // 10)
            self.handle(("timer", timer_body()))

    def is_quiet(self) -> bool:
        desk = self.session._broker.desk  # type: ignore[union-attr]
        looks = desk.looks
        asked = any(t.asked != "none" or t.state == "unknown" for t in desk.door.blotter.open)
        waits = looks._wanted or looks._asked or desk.door.doubts
        return not (asked or waits or desk.ladder.climbs)

    def run(self) -> None:
        self.start()
        while not self.is_over:
            bar = self.row
            self.clock = -HOUR + SECOND
            for step in STEPS:
                self.tell(self.broker.advance(bar, step))
            self.clock = 0
            closed = self.events[int(self.market.time[bar])]
            self.handle((closed.kind, closed.body))
            self.settle()
            self.row = bar + 1
            self.clock = -HOUR + 200 * SECOND
            self.tell(self.broker.advance(bar + 1, state.STEP_OPEN))

    # What must hold

    def check(self) -> None:
        broker, session = self.broker.machine, self.session
        door = session._broker.desk.door  # type: ignore[union-attr]
        book = session.machine.book
        there_qty = broker.book.sleeves["qty"].tolist()
        assert book.sleeves["qty"][: len(there_qty)].tolist() == there_qty, "positions"
        cash = float(book.account["cash"][0] - broker.book.account["cash"][0])
        assert abs(cash) < 1e-6, f"cash {cash}"
        working = set(broker.book.orders["id"][broker.working()].tolist())
        there = {n for n, number in self.broker._numbers.items() if number in working}
        here = {t.name for t in door.tickets.values() if t.state in OPEN}
        assert there == here, (there, here)
        assert len(set(self.sent)) == len(self.sent), "a name was sent twice"
        for ticket in door.tickets.values():
            found = answer(self.broker.find(door.ref(ticket.name)))
            assert ticket.booked == (0.0 if found is None else found.filled), ticket.name
        qty, stop = float(book.sleeves["qty"][0]), float(book.sleeves["stop"][0])
        if qty and stop == stop:
            stops = [t for t in door.tickets.values() if t.type == "stop" and t.name in there]
            assert sum(t.open_qty for t in stops) == abs(qty), "cover"


def through(name: str, schedule: Schedule, nets: bool = True) -> FaultySession:
    world = FaultySession(name, schedule, nets)
    try:
        world.run()
        world.check()
    except Exception as error:
        text = f"{name} nets={nets} {schedule}: {type(error).__name__} {error}"
        raise AssertionError(text) from error
    return world


def faults_of(kinds: list[bool]) -> list[tuple[int, str]]:
    return [(k, fault) for k, is_request in enumerate(kinds) for fault in MAY[is_request]]
