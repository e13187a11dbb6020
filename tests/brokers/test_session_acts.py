"""What a session at a broker does by itself, and as persons ask: at once, and by the rules."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace as replaced

from intrabar.engine.session.broker_events import (
    link_body,
    snapshot_body,
)
from intrabar.engine.session.view import AccountView, SymbolView, View, view_body
from intrabar.errors import ConfigError
from intrabar.model.broker_facts import (
    FillFact,
    Refused,
)
from intrabar.model.entry import Entry
from intrabar.model.facts import LinkFact
from tests.brokers.accounts import CAN, Account
from tests.brokers.session_faults import HISTORY
from tests.brokers.session_worlds import SECOND, fills_by
from tests.engine.chunks.test_chunks import HOUR, START


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
