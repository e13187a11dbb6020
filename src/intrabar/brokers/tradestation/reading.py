"""What TradeStation tells of orders and of an account, as facts.

Fills have no ids: an order shows how much of it has filled in all and at which average price. A
quantity without a positive price is none: an order that had expired was seen with one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from intrabar.errors import BadAnswer
from intrabar.links.clock import SECOND_NS
from intrabar.links.reading import begin, number
from intrabar.links.tradestation.market_data import moment
from intrabar.links.tradestation.service import NAME
from intrabar.model.broker_facts import FillFact, Grid, OrderFact
from intrabar.model.secret import redact

NAN = float("nan")
COVERS = frozenset({"ACK", "DON", "OPN", "STP", "FPR", "RJC"})
"""Received, queued, sent, stop hit, filled in part, cancel refused: it rests there and triggers."""

_ALIVE = ("CHG", "CND", "DIS", "ECN", "LAT", "OSO", "PLA", "REC", "RPD", "RSN", "STT", "SUS", "UCN")
STATES = {
    **dict.fromkeys(COVERS, "working"),
    **dict.fromkeys(_ALIVE, "acked"),
    **dict.fromkeys(("CAN", "OUT", "SCN", "TSC", "FLP"), "cancelled"),
    "EXP": "expired",
    "REJ": "rejected",
    "FLL": "filled",
}
"""Of a change refused (RJR), replaced (UCH), broken (BRO), dead (DOA) and the rest a look-up tells
what has become of the order: `unknown`."""

TYPES = {"market": "market", "limit": "limit", "stopmarket": "stop", "stoplimit": "stop_limit"}


def order_fact(told: Any) -> OrderFact:
    """An order as it stands; its `client_id` is not told.

    Raises
    ------
    BadAnswer
    """
    if not isinstance(told, dict) or not told.get("OrderID") or not told.get("Legs"):
        raise BadAnswer(f"{NAME}: an order without an id or legs: {begin(told)}")
    vendor_id, legs = str(told["OrderID"]), told["Legs"]
    place, leg = f"{NAME}: order {vendor_id}", legs[0]
    qty, done, price = (
        number(leg.get(key), f"{place}: {key}")
        for key in ("QuantityOrdered", "ExecQuantity", "ExecutionPrice")
    )
    average = number(told.get("FilledPrice"), f"{place}: FilledPrice")
    average = average if average > 0.0 else price
    filled = done if done > 0.0 and average > 0.0 else 0.0
    word = str(told.get("Status")).upper()
    state = STATES.get(word, "unknown")
    if word == "FLL" and filled < qty:
        state = "unknown"  # its fills are not told yet
    if word == "BRO" and not done > 0.0:
        state = "rejected"
    why = [told.get("Status"), told.get("StatusDescription"), told.get("RejectReason")]
    is_odd = state in ("unknown", "rejected")
    return OrderFact(
        vendor_id,
        "",
        " ".join(str(x.get("Symbol")).upper() for x in legs),
        1 if str(leg.get("BuyOrSell")).lower().startswith("buy") else -1,
        TYPES.get(str(told.get("OrderType")).lower(), str(told.get("OrderType")).lower()),
        qty,
        state,
        filled,
        average if filled else NAN,
        _price(told, "LimitPrice", place),
        _price(told, "StopPrice", place),
        opened(told, place),
        text=redact(": ".join(str(x) for x in why if x))[:300] if is_odd else "",
    )


def opened(told: dict[str, Any], place: str) -> int:
    """When an order was opened at the latest, ns UTC: seconds are told without their parts."""
    text = str(told.get("OpenedDateTime") or "")
    at = moment(text, place) if text else 0
    return at if not text or "." in text else at + SECOND_NS - 1


def fill_facts(orders: Iterable[OrderFact]) -> tuple[FillFact, ...]:
    """What has filled of each order, in all, as one fill: others are not told."""
    return tuple(
        FillFact(
            f"{x.vendor_id}:{x.filled:g}",
            x.vendor_id,
            x.client_id,
            x.symbol,
            x.side,
            x.filled,
            x.average,
            total=x.filled,
            time=x.time,
        )
        for x in orders
        if x.filled > 0.0
    )


def held(told: Any) -> tuple[str, tuple[float, float]]:
    """A position: its symbol, and its signed quantity and average price.

    Raises
    ------
    BadAnswer
    """
    if not isinstance(told, dict) or not told.get("Symbol"):
        raise BadAnswer(f"{NAME}: a position without a symbol: {begin(told)}")
    place = f"{NAME}: position {told['Symbol']}"
    qty = number(told.get("Quantity"), f"{place}: Quantity")
    average = number(told.get("AveragePrice"), f"{place}: AveragePrice")
    if not math.isfinite(qty):
        raise BadAnswer(f"{place} has no quantity")
    if str(told.get("LongShort")).lower() == "short":
        qty = -abs(qty)
    return str(told["Symbol"]).upper(), (qty, average)


def grid_of(told: dict[str, Any], place: str) -> Grid:
    """What prices and quantities are multiples of; NaN where that hangs on the price."""
    prices, quantities = told.get("PriceFormat") or {}, told.get("QuantityFormat") or {}
    return Grid(
        number(prices.get("Increment"), f"{place}: tick"),
        number(quantities.get("Increment"), f"{place}: lot"),
        number(prices.get("PointValue"), f"{place}: point value"),
    )


def _price(told: dict[str, Any], key: str, place: str) -> float:
    value = number(told.get(key), f"{place}: {key}")
    return value if value > 0.0 else NAN  # "0" where it has none
