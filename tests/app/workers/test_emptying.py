"""An account is emptied without its session."""

from __future__ import annotations

from typing import Any

import pytest

from intrabar.app.workers.emptying import Left, emptied
from intrabar.errors import GateError, Timeout
from intrabar.links.clock import SECOND_NS, LoopClock
from intrabar.links.simulated_time import run
from intrabar.model.broker_facts import Accepted, AccountFacts, OrderFact, Ref, Request, Snapshot

START = 1_700_000_000 * SECOND_NS


class Account:
    """Two positions, one with a stop, an entry that rests; exits fill when they are told to."""

    def __init__(self, fills: bool = True, kind: str = "paper", deaf: int = 0) -> None:
        self.held = {"A": 10.0, "B": -4.0}
        stop = OrderFact("1", "x", "A", -1, "stop", 10.0, "working", stop_price=90.0)
        entry = OrderFact("2", "", "B", -1, "limit", 1.0, "working", limit_price=120.0)
        self.orders = {"1": stop, "2": entry}
        self.fills, self.kind, self.deaf = fills, kind, deaf
        self.sent: list[tuple[str, float]] = []

    async def connect(self) -> AccountFacts:
        return AccountFacts("7", {"host": self.kind}, "USD")

    async def snapshot(self, since: int) -> Snapshot:
        held = {s: (qty, 100.0) for s, qty in self.held.items()}
        whole = frozenset({"orders", "positions"})
        return Snapshot(START, whole, tuple(self.orders.values()), positions=held)

    async def cancel(self, ref: Ref) -> Any:
        if self.deaf:
            self.deaf -= 1
            raise Timeout("no answer")
        del self.orders[ref.vendor_ids[0]]
        return Accepted()

    async def submit(self, group: tuple[Request, ...]) -> Any:
        (one,) = group
        self.sent.append((one.symbol, one.side * one.qty))
        if self.fills:
            del self.held[one.symbol]
        else:
            name = one.client_id
            self.orders[name] = OrderFact(
                name, name, one.symbol, one.side, one.type, one.qty, "acked"
            )
        return (Accepted("9"),)

    async def close(self) -> None:
        return None


def empty(account: Account) -> tuple[Left, list[str]]:
    told: list[str] = []
    work = emptied(account, LoopClock(START), "7", "paper", "0a1b2c", told.append)  # type: ignore[arg-type]
    return run(work), told


def test_orders_go_first_and_then_what_is_held() -> None:
    account = Account()
    left, told = empty(account)
    assert left.is_empty
    assert account.sent == [("A", -10.0), ("B", 4.0)]
    assert [x.split()[0] for x in told] == ["cancel", "cancel", "leave", "leave"]


def test_an_exit_on_its_way_is_not_sent_twice_and_what_is_left_is_said() -> None:
    account = Account(fills=False)
    left, _ = empty(account)
    assert account.sent == [("A", -10.0), ("B", 4.0)]
    assert left == Left({"A": 10.0, "B": -4.0}, 2)


def test_nothing_is_left_while_a_cancel_was_not_heard() -> None:
    account = Account(deaf=3)
    left, told = empty(account)
    assert left.is_empty
    assert any("no answer" in x for x in told)
    assert account.sent == [("A", -10.0), ("B", 4.0)]


def test_an_account_of_another_kind_is_left_alone() -> None:
    account = Account(kind="live")
    with pytest.raises(GateError, match="refused as paper"):
        empty(account)
    assert not account.sent
    assert len(account.orders) == 2
