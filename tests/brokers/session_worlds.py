"""A session, and a simulated broker behind what leaves it: the driver's part, without a clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from intrabar.brokers.sending import Sending
from intrabar.brokers.simulated import SimulatedBroker
from intrabar.engine.session.broker_events import (
    link_body,
    look_up_body,
    outcome_body,
    report_body,
    snapshot_body,
)
from intrabar.engine.session.broker_fills import BrokerFills
from intrabar.engine.session.effects import Effect, Look, LookUp, Send
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.session import Session
from intrabar.engine.session.turn import Notice
from intrabar.engine.session.view import AccountView, SymbolView, View, view_body
from intrabar.model.bars import Market
from intrabar.model.entry import Entry
from intrabar.model.facts import LinkFact
from intrabar.sim import state
from tests.brokers.worlds import CODE, STEPS, answer
from tests.engine.session.sessions import events_of

SECOND = 1_000_000_000
AGES = 10**18


def fills_by(can: Any, **more: Any) -> BrokerFills:
    return BrokerFills(CODE, can, **{"act_within": AGES, "holds": False, **more})


AT_ONCE = 500
"""Turns that one event may lead to: more is a circle."""


class SessionWorld:
    """One session on a market that is known beforehand, traded at a simulated broker."""

    def __init__(self, plan: Plan, market: Market, history: int, broker: Any = None) -> None:
        self.session, self.market, self.history = Session(plan), market, history
        self.broker = broker or SimulatedBroker(market, plan.instruments, plan.account)
        self.journal: list[Entry] = []
        self.notices: list[Notice] = []
        self.sent: list[str] = []
        self.effects: list[Effect] = []
        self.events = {e.body["time"]: e for e in events_of(market, history) if "bars" in e.body}
        self.clock = 0
        self.row = history

    @property
    def now(self) -> int:
        return int(self.market.time[min(self.row, len(self.market) - 1)]) + self.clock

    # What the driver does

    def start(self) -> None:
        for event in events_of(self.market, self.history)[:2]:
            self._take(Entry(event.at, 0, 0, event.kind, event.body))
        self.row = self.history
        self.broker.advance(self.history, state.STEP_OPEN)
        self.handle(("link", link_body("broker", LinkFact("up"))))

    def handle(self, *events: tuple[str, dict[str, Any]]) -> None:
        """Handle events, carry out what leaves, and handle what comes of that.

        What is only asked is answered behind them: a look is not faster than the stream.
        """
        waiting, asked = deque(events), deque[Effect]()
        turns = 0
        while waiting or asked:
            turns += 1
            assert turns < AT_ONCE, "it turns in a circle"
            if not waiting:
                waiting.extend(self.carry_out(asked.popleft()))
                continue
            kind, body = waiting.popleft()
            event = Entry(self.now, *self.session.place, kind, {**body, **self.seen()})
            for effect in self._take(event):
                if isinstance(effect, Send):
                    waiting.extendleft(reversed(list(self.carry_out(effect))))
                else:
                    asked.append(effect)

    def _take(self, event: Entry) -> list[Effect]:
        turn = self.session.handle(event)
        self.journal += [event, *turn.records]
        self.notices += turn.notices
        self.effects += turn.effects
        return turn.effects

    def seen(self) -> dict[str, Any]:
        return {}

    def carry_out(self, effect: Effect) -> Iterable[tuple[str, dict[str, Any]]]:
        if isinstance(effect, Send):
            sending = effect.sending
            yield "outcome", outcome_body(sending, self.leave(sending))
        elif isinstance(effect, LookUp):
            found = answer(self.broker.find(effect.ref))
            yield "report", look_up_body(effect.name, found, self.now)
        elif isinstance(effect, Look):
            yield "snapshot", snapshot_body(answer(self.broker.snapshot(effect.since)))

    def leave(self, sending: Sending) -> tuple[Any, ...]:
        if sending.group:
            self.sent += [request.client_id for request in sending.group]
            return answer(self.broker.submit(sending.group))
        assert sending.ref is not None
        if sending.change is not None:
            self.sent += [sending.change.client_id] if sending.change.client_id else []
            return (answer(self.broker.replace(sending.ref, sending.change)),)
        return (answer(self.broker.cancel(sending.ref)),)

    # The market

    def tell(self, facts: Iterable[Any]) -> None:
        self.handle(*(("report", report_body(fact)) for fact in facts))

    def run_row(self) -> None:
        bar = self.row
        for step in STEPS:
            self.tell(self.broker.advance(bar, step))
        closed = self.events[int(self.market.time[bar])]
        self.handle((closed.kind, closed.body))
        self.row = bar + 1
        self.tell(self.broker.advance(bar + 1, state.STEP_OPEN))

    @property
    def is_over(self) -> bool:
        machine = self.broker.machine
        called = bool(machine.book.account["margin_calls"][0])
        return called or bool(machine.status) or self.row >= len(self.market)


def quoted(prices: dict[str, float], balance: float = float("nan")) -> dict[str, Any]:
    """The view of an event: quotes that are new."""
    symbols = {s: SymbolView(p, p, p, 0.0, 0.0) for s, p in prices.items()}
    return {"view": view_body(View(symbols, AccountView(balance, age=0.0)))}
