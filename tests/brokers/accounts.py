"""A session, and an account at a broker that does what the test says, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from msgspec.structs import replace as replaced

from intrabar.brokers.tickets import OPEN
from intrabar.engine.session.broker_events import (
    link_body,
    look_up_body,
    outcome_body,
    report_body,
    snapshot_body,
    timer_body,
)
from intrabar.engine.session.effects import Look, LookUp, Send
from intrabar.engine.session.session import Session
from intrabar.model.broker_facts import (
    Accepted,
    Can,
    FillFact,
    OrderFact,
    Outcome,
    Refused,
    Request,
    Snapshot,
)
from intrabar.model.entry import Entry
from intrabar.model.facts import LinkFact
from intrabar.risk.limits import Limits
from tests.brokers.session_faults import HISTORY, world_of
from tests.brokers.session_worlds import SECOND, fills_by, quoted
from tests.engine.chunks.test_chunks import HOUR, START
from tests.engine.session.sessions import events_of

CAN = Can(
    frozenset({"market", "limit", "stop"}),
    frozenset({"day", "gtc"}),
    bracket=False,
    oco=True,
    replace="same",
    dedups=True,
    echoes_id=True,
    fill_ids=True,
    lists_done=0,
    covers=frozenset(),
    nets=False,
    fractional=False,
    paper=True,
)
WHOLE = frozenset({"orders", "fills", "positions", "balance"})


class Account:
    """A session, and an account at a broker that does what the test says, and nothing else."""

    def __init__(self, can: Can = CAN, limits: Limits | None = None, calendar: str = "", **more: Any
                 ) -> None:  # fmt: skip
        plan, self.market, _ = world_of("bracket", nets=False)
        traded = tuple(replace(x, calendar=calendar) for x in plan.instruments)
        plan = replace(plan, instruments=traded)
        fills = fills_by(can, **more)
        self.session = Session(replace(plan, broker=fills, limits=limits or plan.limits))
        self.now = START + HISTORY * HOUR + SECOND
        self.price = 100.0
        self.requests: dict[str, Request] = {}
        self.orders: dict[str, OrderFact] = {}
        self.held, self.balance, self.fills = 0.0, 100_000.0, list[FillFact]()
        self.refuses: dict[str, Refused] = {}  # by type
        self.sent: list[Any] = []
        self.notices: list[Any] = []
        self.journal: list[Entry] = []
        self.answers = True
        for event in events_of(self.market, HISTORY)[:2]:
            self.handle(event.kind, event.body)
        self.handle("link", link_body("broker", LinkFact("up")))

    def handle(self, kind: str, body: dict[str, Any]) -> list[Entry]:
        seen = quoted({"A": self.price}, self.balance)
        event = Entry(self.now, *self.session.place, kind, {**body, **seen})
        turn = self.session.handle(event)
        self.journal += [event, *turn.records]
        self.notices += turn.notices
        for effect in turn.effects:
            if isinstance(effect, Send):
                self.sent.append(effect)
                self.handle("outcome", outcome_body(effect.sending, self.leave(effect)))
            elif isinstance(effect, LookUp) and self.answers:
                found = self.orders.get(effect.name)
                self.handle("report", look_up_body(effect.name, found, self.now))
            elif isinstance(effect, Look) and self.answers:
                self.handle("snapshot", snapshot_body(self.look()))
        return turn.records

    def leave(self, send: Send) -> tuple[Outcome, ...]:
        sending = send.sending
        if not sending.group:
            name = sending.ticket
            if sending.change is None:
                self.orders[name] = replaced(self.orders[name], state="cancelled")
                return (Accepted(),)
            was, change = self.orders[name], sending.change
            qty = was.qty if change.qty != change.qty else change.qty
            prices = {"limit_price": change.limit_price, "stop_price": change.stop_price}
            self.orders[name] = replaced(was, qty=qty, **prices)
            return (Accepted(was.vendor_id, works=True),)
        outcomes: list[Outcome] = []
        for r in sending.group:
            if r.type in self.refuses:
                outcomes.append(self.refuses[r.type])
                continue
            number = f"v{len(self.orders)}"
            self.requests[r.client_id] = r
            self.orders[r.client_id] = OrderFact(
                number, r.client_id, r.symbol, r.side, r.type, r.qty, "working",
                limit_price=r.limit_price, stop_price=r.stop_price, time=self.now,
            )  # fmt: skip
            outcomes.append(Accepted(number, works=True))
        return tuple(outcomes)

    def look(self) -> Snapshot:
        held = {"A": (self.held, 100.0)} if self.held else {}
        orders = tuple(self.orders.values())
        return Snapshot(self.now, WHOLE, orders, tuple(self.fills), held, self.balance)

    def fill(self, name: str, price: float = 100.0) -> None:
        was = self.orders[name]
        self.orders[name] = replaced(was, state="filled", filled=was.qty, average=price)
        self.held += was.side * was.qty
        self.balance -= 0.5 * was.qty
        fact = FillFact(f"f{len(self.fills)}", was.vendor_id, name, "A", was.side, was.qty, price,
                        0.5 * was.qty, was.qty, self.now)  # fmt: skip
        self.fills.append(fact)
        self.handle("report", report_body(fact))

    def tell(self, name: str) -> None:
        self.handle("report", report_body(self.orders[name]))

    def wait(self, seconds: float) -> None:
        """Let time pass, with a timer wherever the session asks for one."""
        end = self.now + round(seconds * SECOND)
        while True:
            due = self.session.next_timer(self.now)
            if due is None or due > end:
                break
            self.now = max(due, self.now + 1)
            self.handle("timer", timer_body())
        self.now = end

    def person(self, kind: str, **body: Any) -> list[Entry]:
        return self.handle("command.person", {"kind": kind, "who": "me", **body})

    def living(self, kind: str = "") -> list[OrderFact]:
        return [o for o in self.orders.values() if o.state in OPEN and kind in ("", o.type)]

    def enter(self, qty: float = 10.0, stop: float | None = 95.0, target: float | None = None
              ) -> str:  # fmt: skip
        """A position by a person's order, filled."""
        name = self.order(qty, stop, target)
        self.fill(name)
        return name

    def order(self, qty: float = 10.0, stop: float | None = 95.0, target: float | None = None
              ) -> str:  # fmt: skip
        """A person's order at the market, which the broker has taken."""
        terms = {"stop_loss": stop, "take_profit": target}
        self.person("order", symbol="A", side="buy", qty=qty, strategy="s", **terms)
        return self.living("market")[-1].client_id

    def records(self, kind: str) -> list[dict[str, Any]]:
        return [e.body for e in self.journal if e.kind == kind]
