"""What a session at a broker does by itself, and as persons ask: at once, and by the rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
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
from intrabar.engine.session.view import AccountView, SymbolView, View, view_body
from intrabar.errors import ConfigError
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
        terms = {"stop_loss": stop, "take_profit": target}
        self.person("order", symbol="A", side="buy", qty=qty, strategy="s", **terms)
        name = self.living("market")[-1].client_id
        self.fill(name)
        return name

    def records(self, kind: str) -> list[dict[str, Any]]:
        return [e.body for e in self.journal if e.kind == kind]


def test_a_persons_order_leaves_at_once_and_its_exits_when_it_has_filled() -> None:
    account = Account()
    account.enter(10.0, 95.0, 110.0)
    assert [o.type for o in account.living()] == ["stop", "limit"]
    assert [len(s.sending.group) for s in account.sent] == [1, 2]  # the exits are alternatives
    stop, target = account.sent[1].sending.group
    assert (stop.qty, stop.stop_price, target.oco) == (10.0, 95.0, stop.client_id)
    assert account.session.positions[0]["qty"] == 10.0


def test_where_two_cannot_be_alternatives_the_target_is_watched_by_us() -> None:
    account = Account(replaced(CAN, oco=False))
    account.enter(10.0, 95.0, 110.0)
    assert [o.type for o in account.living()] == ["stop"]
    account.price = 111.0
    account.handle("quote", {"symbol": "A"})
    (stop,) = (o for o in account.orders.values() if o.type == "stop")
    assert stop.state == "cancelled"
    account.tell(stop.client_id)
    (market,) = account.living("market")
    account.fill(market.client_id, 111.0)
    assert not account.session.positions
    assert not account.living()


def test_a_kill_takes_the_stop_away_leaves_and_halts_when_a_look_shows_nothing() -> None:
    account = Account()
    account.enter()
    account.person("kill", reason="enough")
    (stop,) = (o for o in account.orders.values() if o.type == "stop")
    assert stop.state == "cancelled"
    assert not account.living("market")  # not before that is sure
    account.tell(stop.client_id)
    (market,) = account.living("market")
    assert market.qty == 10.0
    account.fill(market.client_id)
    account.wait(31)
    level = account.session.judge.breaker.level()
    assert level.word == "halted"
    assert not account.session.positions


def test_an_exit_that_is_refused_puts_the_stop_back_and_begins_again() -> None:
    account = Account()
    account.enter()
    account.refuses["market"] = Refused("not now")
    account.person("close", symbol="A", strategy="s")
    account.tell(next(o.client_id for o in account.orders.values() if o.type == "stop"))
    assert [o.qty for o in account.living("stop")] == [10.0]
    account.refuses.clear()
    account.wait(10.5)
    for stop in [o for o in account.orders.values() if o.type == "stop"]:
        account.tell(stop.client_id)
    (market,) = account.living("market")
    account.fill(market.client_id)
    assert not account.session.positions
    assert not account.living()


def test_a_stop_that_is_refused_is_tried_three_times_then_watched_and_trips_the_breaker() -> None:
    account = Account()
    account.refuses["stop"] = Refused("no stops today")
    account.enter()
    account.wait(30)
    rungs = [b["rung"] for b in account.records("protect") if b["what"] == "rung"]
    assert rungs == ["attempt", "attempt", "attempt", "watch"]
    assert account.session.judge.breaker.level().word == "reducing"
    assert any(n.key == "naked A" for n in account.notices)
    account.price = 94.0
    account.handle("quote", {"symbol": "A"})
    (market,) = account.living("market")
    account.fill(market.client_id, 94.0)
    assert not account.session.positions


def test_a_position_that_nothing_explains_blocks_and_is_adopted_with_a_stop() -> None:
    account = Account()
    account.held = 5.0
    account.wait(320)
    assert any(n.key == "drift A" for n in account.notices)
    records = account.person("order", symbol="A", side="buy", qty=1.0, strategy="s")
    assert next(r.body["rule"] for r in records if r.kind == "refused") == "drift"
    account.person("adopt", symbol="A", stop=90.0)
    assert account.session.positions[0]["qty"] == 5.0
    assert [(o.qty, o.stop_price) for o in account.living("stop")] == [(5.0, 90.0)]


def test_money_that_nobody_names_blocks_entries_until_a_person_does() -> None:
    account = Account()
    account.balance += 5_000.0
    account.wait(301)
    assert any(n.key == "transfer" for n in account.notices)
    records = account.person("order", symbol="A", side="buy", qty=1.0, strategy="s")
    assert next(r.body["rule"] for r in records if r.kind == "refused") == "transfer"
    account.person("transfer", amount=5_000.0)
    account.wait(301)
    account.person("order", symbol="A", side="buy", qty=1.0, strategy="s")
    assert len(account.living("market")) == 1


def test_a_cancel_that_is_not_heard_of_is_asked_again_after_5_15_and_45_seconds() -> None:
    account = Account()
    account.answers = False
    account.person("order", symbol="A", side="buy", qty=1.0, strategy="s", type="limit",
                   limit_price=90.0)  # fmt: skip
    (order,) = account.living("limit")
    account.person("cancel", order=account.session.machine.book.orders["id"][0].item())
    began = account.now
    at = [0.0]
    for _ in range(60):
        before = len(account.sent)
        account.wait(1)
        at += [round((account.now - began) / SECOND)] * (len(account.sent) - before)
    assert at == [0.0, 5, 15, 45]
    assert order.client_id == account.sent[-1].sending.ticket


def test_nothing_leaves_before_a_look_and_after_a_restart_what_protects_goes_first() -> None:
    account = Account()
    account.refuses["stop"] = Refused("later", not_sent=True)
    account.enter()
    assert not account.living()
    account.refuses.clear()
    account.answers = False
    account.handle("session.resumed", {"turns": 0})
    account.handle("link", link_body("broker", LinkFact("up")))
    account.wait(20)
    assert not account.living()  # nobody knows what is there
    records = account.person("order", symbol="A", side="buy", qty=1.0, strategy="s")
    assert next(r.body["rule"] for r in records if r.kind == "refused") == "reconciling"
    account.answers = True
    account.handle("snapshot", snapshot_body(account.look()))
    assert [o.type for o in account.living()] == ["stop"]


def test_of_two_exits_that_both_fill_the_second_is_closed_at_once() -> None:
    account = Account()
    account.enter(10.0, 95.0, 110.0)
    stop, target = (o.client_id for o in account.living())
    account.fill(stop, 95.0)
    account.fill(target, 110.0)
    (market,) = account.living("market")
    assert (market.side, market.qty) == (1, 10.0)
    assert account.session.judge.breaker.level().word == "reducing"
    account.fill(market.client_id)
    assert not account.session.positions
    assert account.held == 0.0


def test_what_a_person_sells_at_the_broker_is_booked_and_the_stop_is_cut() -> None:
    account = Account()
    account.enter(10.0, 95.0)
    account.held -= 4.0
    account.fills.append(FillFact("x1", "foreign", "", "A", -1, 4.0, 101.0, 0.0, 4.0, account.now))
    account.wait(31)
    assert account.session.positions[0]["qty"] == 6.0
    assert [o.qty for o in account.living("stop")] == [6.0]
    assert any(n.key == "manual A" for n in account.notices)


def test_a_market_entry_outside_the_hours_is_held_until_they_begin() -> None:
    account = Account(calendar="NYSE", holds=True, act_within=600 * SECOND)
    exchange = account.session.plan.exchanges[0]
    account.now = exchange.next_close(account.now) + 3600 * SECOND
    account.person("order", symbol="A", side="buy", qty=1.0, strategy="s")
    assert not account.living("market")
    opens = exchange.next_open(account.now)
    account.wait((opens - account.now) / SECOND - 1)
    assert not account.living("market")
    account.wait(2)
    (market,) = account.living("market")
    (send,) = account.sent
    assert market.time >= opens
    assert (send.is_entry, send.made_at) == (True, opens)


def test_an_order_beyond_the_reach_of_the_lists_has_expired_if_no_position_moved() -> None:
    account = Account(replaced(CAN, lists_done=60 * SECOND))
    terms = {"type": "limit", "limit_price": 90.0, "strategy": "s"}
    account.person("order", symbol="A", side="buy", qty=1.0, **terms)
    (order,) = account.living("limit")
    account.wait(120)
    del account.orders[order.client_id]  # the night has taken it
    account.wait(60)
    states = [b["state"] for b in account.records("ticket") if b["ticket"] == order.client_id]
    assert states[-1] == "expired"
    young = Account(replaced(CAN, lists_done=3_600 * SECOND))
    young.person("order", symbol="A", side="buy", qty=1.0, **terms)
    young.orders.clear()
    young.wait(60)
    assert young.records("ticket")[-1]["state"] == "lost"


@pytest.mark.parametrize(
    ("account", "values", "rule"),
    [
        (AccountView(funds=999.0), {}, "funds"),
        (AccountView(funds=1_000.0, settled=500.0), {}, "unsettled"),
        (AccountView(funds=1_000.0, settled=1_000.0), {}, ""),
        (AccountView(), {"side": "sell"}, "no_borrow"),
        (AccountView(), {"type": "limit", "limit_price": 90.0, "stop_loss": 80.0}, "no_bracket"),
        (AccountView(), {"tif": "ioc"}, "cannot"),
        (AccountView(), {"type": "moc"}, "cannot"),
    ],
)
def test_what_the_account_does_not_take_is_refused_with_the_reason(
    account: AccountView, values: dict[str, Any], rule: str
) -> None:
    session = Account().session
    seen = SymbolView(100.0, 100.0, 100.0, 0.0, 0.0, shortable=False)
    order = {"kind": "order", "symbol": "A", "side": "buy", "qty": 10.0, "strategy": "s", **values}
    body = {**order, "view": view_body(View({"A": seen}, account))}
    now = START + HISTORY * HOUR + 2 * SECOND
    records = session.handle(Entry(now, *session.place, "command.person", body)).records
    assert [r.body["rule"] for r in records if r.kind == "refused"] == ([rule] if rule else [])


def test_a_symbol_belongs_to_one_strategy() -> None:
    account = Account(symbols={"s": ("A",)})
    records = account.person("order", symbol="A", side="buy", qty=1.0, strategy="by hand")
    assert next(r.body["rule"] for r in records if r.kind == "refused") == "not_its_symbol"
    with pytest.raises(ConfigError, match="both name A"):
        fills_by(CAN, symbols={"s": ("A",), "t": ("A",)})
