"""What a market fills, reported from outside to another, leaves there what it leaves here."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from intrabar.engine.scenario.scenario import scenario_machine
from intrabar.model.enums import FillReason, LedgerKind, OrderStatus, Reject, Role, RunStatus
from intrabar.sim import state
from intrabar.sim.machine import Machine
from tests.generators import random_scenario

SEEDED = 300
OPEN_STEPS = range(state.STEP_ON_OPEN, state.STEP_END + 1)


def a_report(kind: int, **values: Any) -> np.ndarray:
    row = np.zeros(1, state.REPORT)
    row["id"] = -1
    for name in ("qty", "limit_price", "stop_price", "stop_loss", "take_profit", "cost"):
        row[name] = np.nan
    row["kind"] = kind
    for name, value in values.items():
        row[name] = value
    return row


class Mirror:
    """A market, and an account outside of which it is the market."""

    def __init__(self, scenario: dict) -> None:
        self.market, self.script = scenario_machine(scenario)
        self.outside, self.other = scenario_machine(scenario)
        self.outside.trade_outside()
        self.fills = self.lines = self.done = 0
        self.reported = {FillReason.OUTSIDE: 0}

    def step(self, bar: int, step: int) -> None:
        for machine in (self.outside, self.market):
            machine.advance(bar, step)
        rows = self.news()
        if rows:
            self.outside.report(np.concatenate(rows))

    def news(self) -> list[np.ndarray]:
        market, rows = self.market, []
        for line in market.ledger()[self.lines :]:
            rows += [self.fill(f) for f in market.fills()[self.fills : line["fills"]]]
            self.fills = max(self.fills, int(line["fills"]))
            of_it = {"strategy": line["strategy"], "instrument": line["instrument"]}
            rows.append(
                a_report(state.CASH, amount=line["amount"], line=LedgerKind.TRANSFER, **of_it)
            )
        rows += [self.fill(f) for f in market.fills()[self.fills :]]
        for order in market.done_since(self.done):
            ends = {"status": order["status"], "reject": order["reject"], "wished": 1}
            rows.append(a_report(state.DONE, id=order["id"], **ends))
        self.lines, self.fills = len(market.ledger()), len(market.fills())
        self.done = int(market.book.account["log"][0])
        return [row for row in rows if row is not None]

    def fill(self, fill: Any) -> np.ndarray | None:
        if fill["reason"] == FillReason.SPLIT:
            return None  # a split is no fill: it acts in both
        names = ("strategy", "instrument", "side", "qty", "price", "cost")
        return a_report(
            state.FILLED_OUTSIDE, id=fill["order"], **{name: fill[name] for name in names}
        )


def position(machine: Machine) -> list[Any]:
    account = machine.book.account[0]
    sleeves = machine.book.sleeves[["qty", "avg", "basis", "stop", "target", "entries"]]
    counts = [int(account[n]) for n in ("working", "timed", "trailing", "open_sleeves")]
    return [sleeves.tolist().__repr__(), float(account["cash"]), counts]


def working(machine: Machine) -> list[tuple[Any, ...]]:
    orders = machine.book.orders[machine.working()]
    return [tuple(o[n] for n in ("id", "parent", "side", "role", "qty", "filled")) for o in orders]


def prepared(rng: random.Random) -> dict:
    """A scenario without what an account outside leaves to its broker's own books."""
    scenario = random_scenario(rng)
    scenario["actions"] = [
        a for a in scenario.get("actions", []) if "roll_from" not in a and "dividend" not in a
    ]
    account = scenario.setdefault("account", {})
    account["settlement"], account["close_delisted"] = "none", False
    return scenario


def test_fills_that_are_reported_are_booked_as_fills_of_the_market_are() -> None:
    compared = fills = children = ends = 0
    for seed in range(SEEDED):
        mirror = Mirror(prepared(random.Random(seed)))
        market, outside = mirror.market, mirror.outside
        while market.bar < len(market.market):
            bar = market.bar
            for step in OPEN_STEPS:
                mirror.step(bar, step)
                if market.status is RunStatus.RUINED or market.book.account["margin_calls"][0]:
                    break
                assert position(outside) == position(market), (seed, bar, step)
                assert working(outside) == working(market), (seed, bar, step)
                compared += 1
                if step > state.STEP_CLOSE:
                    assert outside.tape.equity[bar] == market.tape.equity[bar], (seed, bar)
            else:
                mirror.step(bar + 1, state.STEP_OPEN)
                continue
            break
        fills += mirror.fills
        orders = market.done()
        children += int((orders["role"] <= Role.TARGET).sum())
        ends += int((orders["status"] == OrderStatus.REJECTED).sum())
    assert compared > 10_000
    assert fills > 500
    assert children > 100
    assert ends > 50


ENTRY = {
    "id": "in", "at": 0, "phase": "close", "symbol": "A", "side": "buy", "type": "limit",
    "qty": 10, "limit_price": 90.0, "stop_loss": 80.0, "take_profit": 120.0,
}  # fmt: skip


def outside_of(*orders: dict) -> Machine:
    scenario = {
        "name": "door",
        "instruments": [{"symbol": "A", "tick_size": 0.01, "commission_per_contract": 1.0}],
        "account": {"cash": 10_000.0},
        "bars": {"A": [[100.0, 100.0, 100.0, 100.0, 1.0]] * 4},
        "orders": [ENTRY, *orders],
    }
    machine, script = scenario_machine(scenario)
    machine.script = script  # type: ignore[attr-defined]
    machine.trade_outside()
    machine.advance(1)
    return machine


def filled(qty: float, price: float = 100.0, number: int = 0, side: int = 1, **more: Any) -> Any:
    return a_report(state.FILLED_OUTSIDE, id=number, side=side, qty=qty, price=price, **more)


def by_number(machine: Machine) -> dict[int, tuple[str, float, float]]:
    return {
        int(o["id"]): (OrderStatus(int(o["status"])).word, float(o["qty"]), float(o["filled"]))
        for o in machine.orders()
    }


def test_nothing_fills_by_itself() -> None:
    machine = outside_of({**ENTRY, "id": "now", "type": "market", "limit_price": None})
    machine.advance()
    assert len(machine.fills()) == 0
    assert [status for status, *_ in by_number(machine).values()] == ["working", "working"]


def test_a_fill_in_parts_grows_its_children() -> None:
    machine = outside_of()
    machine.report(filled(4.0))
    assert by_number(machine)[0] == ("partially_filled", 10.0, 4.0)
    machine.report(np.concatenate([filled(6.0, 101.0)]))
    assert by_number(machine) == {
        0: ("filled", 10.0, 10.0), 1: ("working", 10.0, 0.0), 2: ("working", 10.0, 0.0)
    }  # fmt: skip
    assert machine.book.sleeves["avg"][0] == pytest.approx(100.6)
    assert machine.book.account["cash"][0] == 10_000.0 - 10.0  # as the instrument's costs have it


def test_a_cost_is_the_broker_s() -> None:
    machine = outside_of()
    machine.report(filled(10.0, cost=3.25))
    assert machine.book.account["cash"][0] == 10_000.0 - 3.25


def test_what_is_beyond_an_order_is_loose_and_its_stop_grows() -> None:
    machine = outside_of()
    machine.report(filled(12.0, stop_loss=80.0, take_profit=120.0))
    assert machine.book.sleeves["qty"][0] == 12.0
    assert [FillReason(int(r)) for r in machine.fills()["reason"]] == [
        FillReason.ENTRY, FillReason.OUTSIDE
    ]  # fmt: skip
    assert by_number(machine)[1] == ("working", 12.0, 0.0)


def test_a_fill_after_the_cancel_moves_the_position_and_brings_its_stop() -> None:
    machine = outside_of()
    machine.report(a_report(state.DONE, id=0, status=OrderStatus.CANCELLED, wished=1))
    machine.report(filled(5.0, stop_loss=80.0))
    assert machine.book.sleeves["qty"][0] == 5.0
    assert by_number(machine) == {0: ("cancelled", 10.0, 0.0), 1: ("working", 5.0, 0.0)}
    assert machine.book.orders["parent"][1] == 0


def test_when_both_legs_fill_the_second_is_loose_and_the_position_flips() -> None:
    machine = outside_of()
    machine.report(filled(10.0))
    machine.report(filled(10.0, 80.0, number=1, side=-1))
    machine.report(filled(10.0, 120.0, number=2, side=-1))
    assert machine.book.sleeves["qty"][0] == -10.0
    assert machine.fills()["reason"][-1] == FillReason.OUTSIDE
    assert machine.book.account["working"][0] == 0


def test_a_stop_that_is_needed_outlives_its_ticket_unless_it_was_cancelled_by_us() -> None:
    machine = outside_of()
    machine.report(filled(10.0))
    lost = {"status": OrderStatus.REJECTED, "reject": Reject.LOST}
    machine.report(a_report(state.DONE, id=1, **lost))
    assert by_number(machine)[1][0] == "working"
    machine.report(a_report(state.DONE, id=1, **lost, wished=1))
    assert by_number(machine)[1][0] == "rejected"


def test_a_bust_takes_the_quantity_back_and_a_price_put_right_is_a_cost() -> None:
    machine = outside_of()
    machine.report(filled(10.0, cost=0.0))
    machine.report(a_report(state.FIX, id=0, side=-1, qty=4.0, price=100.0, amount=-6 * 0.5))
    assert machine.book.sleeves["qty"][0] == 6.0
    assert machine.book.sleeves["avg"][0] == 100.0
    assert machine.book.account["cash"][0] == 10_000.0 - 3.0
    assert machine.ledger()["kind"].tolist() == [LedgerKind.COST]
    machine.report(a_report(state.FIX, id=0, side=-1, qty=6.0, price=100.0))
    assert machine.book.sleeves["qty"][0] == 0.0
    assert machine.book.account["working"][0] == 0  # nothing protects what is gone


def test_a_bust_of_an_order_that_works_is_left_to_fill() -> None:
    machine = outside_of()
    machine.report(filled(4.0))
    machine.report(a_report(state.FIX, id=0, side=-1, qty=4.0, price=100.0))
    assert by_number(machine)[0] == ("working", 10.0, 0.0)


def test_a_change_is_shown_where_it_stands_and_cash_has_its_line() -> None:
    machine = outside_of()
    machine.report(filled(10.0))
    machine.report(a_report(state.SET, id=1, stop_price=81.005, qty=9.0))
    assert machine.book.sleeves["stop"][0] == 81.005  # as the broker has it, on no grid of ours
    assert by_number(machine)[1] == ("working", 9.0, 0.0)
    moved = {"amount": 500.0, "strategy": -1, "instrument": -1}
    machine.report(a_report(state.CASH, line=LedgerKind.TRANSFER, **moved))
    assert machine.ledger()["kind"].tolist() == [LedgerKind.TRANSFER]


def test_a_ruin_on_paper_does_not_stop_an_account_outside() -> None:
    machine = outside_of()
    machine.report(filled(10.0, price=5_000.0))
    machine.advance()
    assert machine.tape.equity[-1] < 0.0
    assert machine.status is RunStatus.FINISHED
    assert machine.bar == 4


def test_reports_find_room_however_many_they_are() -> None:
    machine = outside_of()
    machine.book = machine.book._replace(fills=machine.book.fills[:8])
    machine._tell_growth()
    machine.report(np.concatenate([filled(1.0, number=-1)] * 100))
    assert len(machine.fills()) == 100
    assert machine.book.sleeves["qty"][0] == 100.0
