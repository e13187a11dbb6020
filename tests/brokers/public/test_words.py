"""Answers that the vendor's own developers have written, read; and what cannot leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from intrabar.brokers.public.ids import order_id
from intrabar.brokers.public.words import LONGEST, fact_of, fills_of, flaw, meant, order_of
from intrabar.links.public import Order
from intrabar.model.bars import DAY_NS
from intrabar.model.broker_facts import Refused, Request
from tests.brokers.public.places import ACCOUNT
from tests.brokers.public.specification import STATUSES, against
from tests.data.live.samples import ns

RECORDED = json.loads((Path(__file__).parent / "recorded" / "orders.json").read_text())
NOW = ns("2026-09-21T14:30:00")
ENTRY = Request("0a1b2c-1-0", "AAPL", 1, "limit", 10.0, 190.0, tif="day")
STOP = Request(
    "0a1b2c-1-0s", "AAPL", -1, "stop", 10.0, stop_price=180.0, reduce_only=True,
    parent="0a1b2c-1-0", position=10.0,
)  # fmt: skip
TARGET = replace(STOP, client_id="0a1b2c-1-0t", type="limit", stop_price=ENTRY.stop_price)
TARGET = replace(TARGET, limit_price=210.5)


def order(name: str, **more: Any) -> Order:
    return Order.model_validate(RECORDED[name] | more)


def test_a_filled_order_with_its_fills() -> None:
    found = order("filled")
    fact = fact_of(found, ACCOUNT)
    assert (fact.state, fact.filled, fact.average) == ("filled", 10.0, 189.4)
    assert (fact.symbol, fact.side, fact.type, fact.qty) == ("AAPL", 1, "limit", 10.0)
    assert (fact.limit_price, fact.client_id, fact.parent) == (190.0, "", "")
    assert fact.time == ns("2026-09-21T14:30:07")
    fills = fills_of(found, ACCOUNT)
    assert [(f.id, f.qty, f.price, f.total) for f in fills] == [
        ("trade-1", 4.0, 189.25, 4.0),
        ("trade-2", 6.0, 189.5, 10.0),
    ]
    assert fills[0].time == ns("2026-09-21T14:30:05")


def test_what_is_replaced_is_unknown_until_its_successor_is_seen() -> None:
    old = order("replaced", orderId=order_id("0a1b2c-1-0", ACCOUNT))
    assert fact_of(old, ACCOUNT).state == "unknown"
    new = order("replaced", orderId=order_id("0a1b2c-1-2", ACCOUNT), status="NEW")
    other = order("replaced", orderId=order_id("0a1b2c-2-1", ACCOUNT), status="NEW")
    fact = fact_of(old, ACCOUNT, [old, other, new])
    assert (fact.state, fact.replaced_by) == ("cancelled", new.order_id)


def test_a_leg_of_a_bracket_has_its_entrys_name() -> None:
    leg = order("leg", bracketId=order_id("0a1b2c-1-0", ACCOUNT))
    fact = fact_of(leg, ACCOUNT)
    assert (fact.client_id, fact.parent, fact.state) == ("", "0a1b2c-1-0", "working")


def test_each_word_of_the_specification_has_a_state() -> None:
    states = {word: fact_of(order("leg", status=word), ACCOUNT).state for word in STATUSES}
    assert states.pop("REPLACED") == "unknown"
    assert "unknown" not in states.values()


def test_a_word_that_nobody_knows_is_kept() -> None:
    fact = fact_of(order("leg", status="QUANTUM"), ACCOUNT)
    assert (fact.state, fact.text) == ("unknown", "Public says QUANTUM")


def test_orders_of_other_things_than_shares_have_their_kind() -> None:
    found = order("leg", instrument={"symbol": "BTC", "type": "CRYPTO"}, quantity=None)
    fact = fact_of(found, ACCOUNT)
    assert fact.symbol == "BTC:CRYPTO"
    assert fact.qty != fact.qty


def test_a_bracket_in_the_vendors_words() -> None:
    from public_api_sdk.models import OrderRequest

    told = order_of((ENTRY, STOP, TARGET), ACCOUNT)
    sent = OrderRequest.model_validate(told).model_dump(by_alias=True, exclude_none=True)
    assert against("OrderRequest", sent) == []
    assert sent["orderClass"] == "BRACKET"
    assert sent["takeProfit"] == {"limitPrice": "210.50"}
    assert sent["stopLoss"] == {"stopPrice": "180.00"}
    assert order_of((ENTRY, STOP), ACCOUNT)["orderClass"] == "OTO"


def test_what_protects_ends_within_the_days_that_are_shown() -> None:
    sent = meant(replace(STOP, parent=""), NOW)
    assert (sent.tif, sent.until) == ("gtd", NOW + 29 * DAY_NS)
    assert meant(replace(ENTRY, tif="gtc"), NOW).tif == "gtc"  # is refused: Public has none
    assert meant(replace(ENTRY, type="market", tif="gtc"), NOW).tif == "day"


@pytest.mark.parametrize(
    ("group", "why"),
    [
        ((replace(ENTRY, tif="gtd", until=NOW + (LONGEST + 1) * DAY_NS),), "within 90 days"),
        ((replace(ENTRY, tif="gtd", until=NOW),), "within 90 days"),
        ((replace(STOP, oco="0a1b2c-1-1t"),), "watch it"),
        ((ENTRY, replace(STOP, parent="0a1b2c-9-0")), "no bracket"),
        ((ENTRY, STOP, STOP), "has a limit, a stop, or both"),
        ((replace(ENTRY, type="stop"), STOP), "takes no bracket"),
        ((replace(ENTRY, qty=1.5), replace(STOP, qty=1.5)), "whole shares"),
        ((ENTRY, replace(STOP, qty=4.0)), "whole shares"),
    ],
)
def test_what_cannot_leave_is_said(group: tuple[Request, ...], why: str) -> None:
    found = flaw(group, NOW)
    assert isinstance(found, Refused)
    assert found.not_sent
    assert why in found.text
