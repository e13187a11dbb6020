"""What leaves for TradeStation, and what its answers are taken for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from intrabar.brokers.fakes.server import Answer, Call
from intrabar.brokers.fakes.tradestation import FakeTradeStation
from intrabar.brokers.tradestation.adapter import TradeStation
from intrabar.brokers.tradestation.orders import (
    action,
    changed,
    group_body,
    order_body,
    outcomes,
)
from intrabar.brokers.tradestation.reading import order_fact
from intrabar.errors import GateError, NotFoundError
from intrabar.links.broker import Wanted
from intrabar.links.clock import WallClock
from intrabar.links.tradestation.client import Reply
from intrabar.model.broker_facts import (
    Accepted,
    Change,
    Outcome,
    Ref,
    Refused,
    Request,
    Unknown,
)
from tests.brokers.tradestation.served import client_of, served

ENTRY = Request("a-1-0", "AAPL", 1, "limit", 10.0, limit_price=99.0)
STOP = Request("a-1-0s", "AAPL", -1, "stop", 10.0, stop_price=90.0, parent="a-1-0", position=10.0)
TARGET = Request(
    "a-1-0t", "AAPL", -1, "limit", 10.0, limit_price=120.0, parent="a-1-0", position=10.0
)
SENT = {
    "entry": {"OrderID": "1", "Message": "Sent order: Buy 10 AAPL @ 99.00 Limit"},
    "stop": {"OrderID": "2", "Message": "Sent order: Sell 10 AAPL @ 90.00 Stop Market"},
    "target": {"OrderID": "3", "Message": "Sent order: Sell 10 AAPL @ 120.00 Limit"},
}


@pytest.mark.parametrize(
    ("side", "position", "reduces", "is_future", "name"),
    [
        (1, 0.0, False, False, "BUY"),
        (1, 5.0, False, False, "BUY"),
        (1, -5.0, False, False, "BUYTOCOVER"),
        (-1, 0.0, False, False, "SELLSHORT"),
        (-1, -5.0, False, False, "SELLSHORT"),
        (-1, 5.0, False, False, "SELL"),
        (-1, 0.0, True, False, "SELL"),
        (1, 0.0, True, False, "BUYTOCOVER"),
        (-1, 0.0, False, True, "SELL"),
        (1, -5.0, False, True, "BUY"),
    ],
)
def test_an_order_is_called_by_the_position_that_it_meets(
    side: int, position: float, reduces: bool, is_future: bool, name: str
) -> None:
    request = Request("x", "A", side, "market", 1.0, position=position, reduce_only=reduces)
    assert action(request, is_future) == name


def test_a_bracket_and_a_pair_are_groups_that_shrink_together() -> None:
    body = group_body((ENTRY, STOP, TARGET), "SIM1", False)
    (group,) = body["OSOs"]
    assert group["Type"] == "BRK"
    assert [x["OrderConfirmID"] for x in group["Orders"]] == ["a-1-0s", "a-1-0t"]
    assert [x["TradeAction"] for x in group["Orders"]] == ["SELL", "SELL"]
    assert group_body((ENTRY, STOP), "SIM1", False)["OSOs"][0]["Type"] == "NORMAL"
    pair = group_body((STOP, TARGET), "SIM1", False)
    assert pair["Type"] == "BRK"
    assert [x["TimeInForce"]["Duration"] for x in pair["Orders"]] == ["GTC", "GTC"]
    market = Request("x", "A", 1, "market", 2.0)
    assert order_body(market, "SIM1", False)["TimeInForce"] == {"Duration": "DAY"}


def test_a_price_leaves_as_it_is_written_and_is_found_again(tmp_path: Path) -> None:
    noisy = 9007 * 0.01
    assert noisy != 90.07

    async def test(fake: FakeTradeStation) -> None:
        wanted = Wanted(fake.account.id, "paper", ("AAPL",))
        broker = TradeStation(client_of(fake, tmp_path), wanted, WallClock())
        await broker.connect()
        request = replace(STOP, stop_price=noisy, parent="")
        assert isinstance((await broker.submit((request,)))[0], Accepted)
        sent = next(c.json for c in fake.server.calls if c.method == "POST" and "order" in c.path)
        assert sent["StopPrice"] == "90.07"
        found = await broker.find(Ref(request))
        assert found is not None
        assert (found.client_id, found.stop_price) == ("a-1-0s", 90.07)
        await broker.replace(
            Ref(request, (found.vendor_id,)), Change(float("nan"), float("nan"), 8801 * 0.01)
        )
        assert fake.server.calls[-1].json["StopPrice"] == "88.01"
        await broker.close()

    served(FakeTradeStation, test)


def test_a_symbol_is_written_as_the_vendor_writes_it(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation) -> None:
        symbols = fake.market._symbol
        fake.market._symbol = lambda name: {**symbols(name), "Symbol": "AAPL"}  # type: ignore[method-assign]
        fake.account.symbols["aapl"] = 100.0
        wanted = Wanted(fake.account.id, "paper", ("aapl",))
        broker = TradeStation(client_of(fake, tmp_path), wanted, WallClock())
        with pytest.raises(NotFoundError, match="AAPL"):
            await broker.connect()
        await broker.close()

    served(FakeTradeStation, test)


def answered(*parts: str, errors: tuple[dict[str, str], ...] = ()) -> tuple[Outcome, ...]:
    told: dict[str, Any] = {"Orders": [SENT[part] for part in parts], "Errors": list(errors)}
    return outcomes((ENTRY, STOP, TARGET), Reply(200, told))


def test_ids_are_taken_only_where_they_are_sure() -> None:
    assert answered("entry", "stop", "target") == (Accepted("1"), Accepted("2"), Accepted("3"))
    # In another order, or not told apart: the orders are there, their ids come with a look.
    assert answered("target", "stop", "entry") == (Accepted(),) * 3
    assert answered("entry", "target", "stop") == (Accepted(),) * 3
    assert answered("entry", "entry", "stop") == (Accepted(),) * 3
    assert all(isinstance(x, Unknown) for x in answered("entry"))
    assert all(isinstance(x, Unknown) for x in answered())
    no = {"Error": "FAILED", "Message": "No."}
    assert all(isinstance(x, Unknown) for x in answered("entry", errors=(no,)))
    assert answered(errors=(no,)) == (Refused("No."),) * 3


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"Orders": [{"Error": "FAILED", "Message": "EC602: You are short 0.00 shares!"}]}, "held"),
        ({"Errors": [{"Error": "FAILED", "Message": "EC804 boxed position"}]}, "held"),
        ({"Errors": [{"Error": "FAILED", "Message": "Not enough buying power"}]}, "funds"),
        ({"Errors": [{"Error": "FAILED", "Message": "Duplicate OrderConfirmID"}]}, "id_clash"),
        ({"Errors": [{"Error": "FAILED"}]}, ""),
    ],
)
def test_a_no_that_says_200_is_a_no(told: dict[str, Any], code: str) -> None:
    (outcome,) = outcomes((ENTRY,), Reply(200, told))
    assert isinstance(outcome, Refused)
    assert outcome.text
    assert outcome.code == code


@pytest.mark.parametrize(
    "text",
    [
        "Not an open order.",
        "Invalid order ID.",
        "Cancel/Replace not allowed after cancel has been attempted",
    ],
)
def test_a_soft_no_to_a_change_means_look_it_up(text: str) -> None:
    told = {"Error": "BadRequest", "Message": text}
    outcome = changed(Reply(400, told), "1")
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_open"


def order(status: str, done: str = "0", price: str = "0", **more: Any) -> dict[str, Any]:
    leg = {"Symbol": "AAPL", "BuyOrSell": "BUY", "QuantityOrdered": "10", "ExecQuantity": done}
    told = {"OrderID": "7", "Status": status, "OrderType": "limit", "FilledPrice": price}
    return {**told, "Legs": [leg], **more}


@pytest.mark.parametrize(
    ("told", "state", "filled"),
    [
        (order("FLL", "10", "9.5"), "filled", 10.0),
        (order("FLL", "10", "0"), "unknown", 0.0),
        (order("fll", "10", "9.5"), "filled", 10.0),
        (order("ACK", "4", "9.5"), "working", 4.0),
        (order("FLP", "4", "9.5"), "cancelled", 4.0),
        (order("EXP", "1000", "0"), "expired", 0.0),
        (order("BRO"), "rejected", 0.0),
        (order("BRO", "4", "9.5"), "unknown", 4.0),
        (order("RJR"), "unknown", 0.0),
        (order("UCH"), "unknown", 0.0),
        (order("OSO"), "acked", 0.0),
        (order("RSN"), "acked", 0.0),
        (order("XYZ", StatusDescription="New one", RejectReason="Why"), "unknown", 0.0),
    ],
)
def test_a_status_is_never_believed_against_a_fill(
    told: dict[str, Any], state: str, filled: float
) -> None:
    fact = order_fact(told)
    assert (fact.state, fact.filled, fact.side) == (state, filled, 1)
    assert bool(fact.text) == (state in ("unknown", "rejected"))
    if told["Status"] == "XYZ":
        assert fact.text == "XYZ: New one: Why"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (503, {"Error": "ServiceUnavailable", "Message": "Later."}, Unknown),
        (408, {"Error": "Timeout", "Message": "Later."}, Unknown),
        (200, b"<html>", Unknown),
        (200, b"[]", Unknown),
        (400, {"Error": "BadRequest", "Message": "Symbol not found."}, Refused),
        (403, {"Error": "Forbidden", "Message": "Not yours."}, Refused),
    ],
)
def test_what_nobody_can_be_sure_of_is_unknown(
    status: int, body: Any, kind: type, tmp_path: Path
) -> None:
    async def test(fake: FakeTradeStation) -> None:
        handle = fake.server._handle

        async def instead(call: Call) -> Any:
            is_order = call.path.endswith("/orderexecution/orders")
            return Answer(body, status) if is_order else await handle(call)

        fake.server._handle = instead
        wanted = Wanted(fake.account.id, "paper", ())
        broker = TradeStation(client_of(fake, tmp_path), wanted, WallClock())
        (outcome,) = await broker.submit((ENTRY,))
        assert isinstance(outcome, kind)
        assert outcome.text  # type: ignore[attr-defined]
        await broker.close()

    served(FakeTradeStation, test)


def test_accounts_of_both_kinds_are_refused(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation) -> None:
        fake.others = ["11111111"]
        wanted = Wanted(fake.account.id, "paper", ())
        broker = TradeStation(client_of(fake, tmp_path), wanted, WallClock())
        with pytest.raises(GateError, match="all accounts says mixed"):
            await broker.connect()
        await broker.close()

    served(FakeTradeStation, test)
