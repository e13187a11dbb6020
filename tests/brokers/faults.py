"""Faults of the wire between a door and its broker, and what is done about them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from intrabar.brokers.cover import Climb, Sight, climb
from intrabar.brokers.reconcile import Clean, Differs, reconcile
from intrabar.brokers.sending import Sending
from intrabar.brokers.tickets import OPEN, NoAnswer
from intrabar.model.broker_facts import Refused, Unknown
from intrabar.sim import state
from tests.brokers.worlds import STEPS, World, answer, take_answers

SECOND = 1_000_000_000
OF_REQUESTS = ("lose_request", "lose_answer", "reject", "kill")
OF_FACTS = ("drop", "duplicate", "late")
ROUNDS = 15  # of six seconds

Schedule = dict[int, str]
"""By the number of a message on the wire, which fault it meets."""


def instrument(**more: Any) -> dict:
    return {"symbol": "A", "tick_size": 0.01, "commission_per_contract": 0.5, **more}


def script(name: str, closes: list[float], orders: list[dict], **more: Any) -> dict:
    bars = [
        [a, max(a, b) + 0.5, min(a, b) - 0.5, b, 8.0]
        for a, b in zip([closes[0], *closes], closes, strict=False)
    ]
    return {
        "name": name,
        "instruments": [instrument(**more)],
        "account": {"cash": 100_000.0},
        "bars": {"A": bars},
        "orders": [{"phase": "close", **order} for order in orders],
    }


def market(name: str, at: int, side: str, qty: int, **more: Any) -> dict:
    order = {"symbol": "A", "side": side, "qty": qty, "type": "market"}
    return {"id": name, "at": at, **order, **more}


SCRIPTS = {
    "bracket": script(
        "bracket",
        [100, 101, 102, 103, 104, 100, 96, 96],
        [
            market("in", 0, "buy", 10, stop_loss=95.0, take_profit=120.0),
            {"at": 3, "modify": "in.stop", "stop_price": 98.0},
            {"at": 4, "modify": "in.stop", "stop_price": 99.0},
        ],
        max_volume_share=0.5,
    ),
    "flip": script(
        "flip",
        [100, 101, 102, 101, 100, 99, 98, 98],
        [
            market("in", 0, "buy", 5, stop_loss=90.0),
            market("turn", 2, "sell", 12, stop_loss=110.0, take_profit=97.0),
        ],
    ),
    "flatten": script(
        "flatten",
        [100, 101, 102, 103, 104, 104, 104, 104],
        [
            market("in", 0, "buy", 5, stop_loss=90.0, take_profit=120.0),
            market("more", 1, "buy", 3, type="limit", limit_price=95.0),
            {"at": 3, "cancel": "more"},
            market("out", 3, "sell", 5),
        ],
    ),
}


class FaultyWorld(World):
    """A world whose wire has faults; between two bars it looks, looks up, and tries again."""

    def __init__(self, scenario: dict, schedule: Schedule) -> None:
        super().__init__(scenario)
        self.scenario = scenario
        self.schedule, self.message, self.met = schedule, -1, Counter[str]()
        self.late: list[Any] = []
        self.clock = 0
        self.climbs: dict[int, Climb] = {}
        self.rungs: list[str] = []

    @property
    def now(self) -> int:
        return super().now + self.clock

    def fault(self) -> str:
        self.message += 1
        found = self.schedule.get(self.message, "")
        self.met[found] += 1
        return found

    # The wire

    def step(self, bar: int, step: int) -> None:
        self.door.take_wishes()
        self.machine.advance(bar, step)
        self.send((bar, step))
        for fact in self.broker.advance(bar, step):
            what = self.fault()
            if what == "late":
                self.late.append(fact)
            elif what != "drop":
                for _ in range(2 if what == "duplicate" else 1):
                    self.door.told(fact, self.now)

    def send(self, place: tuple[int, int]) -> None:
        found = self.door.plan(self.now)
        for sending in self.door.commit(found, self.now):
            self.leave(sending)

    def leave(self, sending: Sending) -> None:
        what, n = self.fault(), max(1, len(sending.group))
        if what == "kill":  # it was committed and never sent: what nobody answered is unknown
            for name in [r.client_id for r in sending.group] or [sending.ticket]:
                self.door.hear(name, NoAnswer(), self.now)
            return
        if what == "reject":
            outcomes: Any = (Refused("no"),) * n
        elif what == "lose_request":
            outcomes = (Unknown("no answer"),) * n
        else:
            outcomes = answer(self.carry_out(sending))
            if what == "lose_answer":
                outcomes = (Unknown("no answer"),) * n
        take_answers(self.door, sending, outcomes, self.now)

    # What a session does between two bars

    def settle(self) -> None:
        late, self.late = self.late, []
        for fact in late:
            self.door.told(fact, self.now)
        for _ in range(ROUNDS):
            self.clock += 6 * SECOND
            for name in sorted(self.door.doubts):
                found = answer(self.broker.find(self.door.ref(name)))
                self.door.looked_up(name, found, self.now)
            look = answer(self.broker.snapshot(0))
            account = self.broker.machine.book.account[0]
            known = self.door.known(float(account["equity"]), 0.0)
            actions = reconcile(known, look)
            assert not any(isinstance(a, Differs) for a in actions), actions
            self.door.carry_out(actions, self.now)
            self.go_up()
            found = self.door.plan(self.now)
            if not (found.intents or found.climbs or self.door.doubts) and actions == [Clean()]:
                return
            self.send((self.machine.bar, state.STEP_OPEN))

    def go_up(self) -> None:
        """The ladder of what has lost its ticket."""
        climbing = self.door.plan(self.now).climbs
        for row in climbing:
            at = self.climbs.get(row.order) or Climb(self.now, self.now)
            at, rung = climb(at, Sight(looked_up=self.now), False, self.now)
            self.climbs[row.order] = at
            self.rungs.append(rung)
            if rung == "attempt":
                self.leave(self.door.attempt(row, self.now))
        self.climbs = {row.order: self.climbs[row.order] for row in climbing}

    def run(self) -> None:
        while not self.is_over():
            bar = self.machine.bar
            for step in STEPS:
                self.step(bar, step)
            self.step(bar + 1, state.STEP_OPEN)
            self.clock = 0
            self.settle()

    # What must hold

    def check(self) -> None:
        broker, book = self.broker.machine, self.machine.book
        assert book.sleeves["qty"].tolist() == broker.book.sleeves["qty"].tolist()
        assert abs(float(book.account["cash"][0] - broker.book.account["cash"][0])) < 1e-6
        there = {
            name for name, number in self.broker._numbers.items()
            if number >= 0 and number in set(broker.book.orders["id"][broker.working()].tolist())
        }  # fmt: skip
        here = {t.name for t in self.door.tickets.values() if t.state in OPEN}
        assert there == here
        assert len(set(self.sent)) == len(self.sent)
        for ticket in self.door.tickets.values():
            found = answer(self.broker.find(self.door.ref(ticket.name)))
            assert ticket.booked == (0.0 if found is None else found.filled), ticket.name
        qty = float(book.sleeves["qty"][0])
        stop = float(book.sleeves["stop"][0])
        if qty and stop == stop:
            covered = sum(
                t.open_qty
                for t in self.door.tickets.values()
                if t.type == "stop" and t.name in there
            )
            assert covered == abs(qty)
