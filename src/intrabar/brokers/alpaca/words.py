"""Alpaca's words and ours: orders as they are asked for, orders as they are told, refusals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from intrabar.brokers.fitting import decimal_text
from intrabar.brokers.names import Part, name_of
from intrabar.errors import BadAnswer
from intrabar.links.alpaca.rest import Refusal, instant
from intrabar.links.reading import begin, number
from intrabar.model.broker_facts import NAN, Code, FillFact, OrderFact, Refused, Request
from intrabar.model.secret import redact

TYPES = {"market": "market", "limit": "limit", "stop": "stop", "stop_limit": "stop_limit"}
TIFS = {"day": "day", "gtc": "gtc", "ioc": "ioc", "fok": "fok"}
COVERS = frozenset({"held", "new", "accepted", "partially_filled", "pending_replace"})
"""Of a stop that rests and triggers by itself; `held` is one whose target stands on the book, or
whose entry has not filled: that one covers nothing."""

ALIVE = {
    "new": "working",
    "partially_filled": "working",
    "stopped": "working",
    "pending_cancel": "working",
    "pending_replace": "working",
    "pending_new": "acked",
    "accepted": "acked",
    "accepted_for_bidding": "acked",
    "held": "acked",
    "suspended": "acked",
    "calculated": "acked",
    "pending_review": "acked",
    "done_for_day": "acked",
}
OVER = {
    "filled": "filled",
    "canceled": "cancelled",
    "expired": "expired",
    "rejected": "rejected",
    "replaced": "cancelled",
}
SIDES = {"buy": 1, "sell": -1, "sell_short": -1}
STOPS = ("stop", "stop_limit", "trailing_stop")

# Words of a refusal that say why, the first that fits.
_WHY: tuple[tuple[str, Code], ...] = (
    ("wash trade", "wash_trade"),
    ("insufficient qty", "held"),
    ("insufficient buying power", "funds"),
    ("unsettled", "unsettled"),
    ("day trad", "pdt"),
    ("not shortable", "no_borrow"),
    ("cannot be sold short", "no_borrow"),
    ("asset not found", "unknown_symbol"),
    ("could not find asset", "unknown_symbol"),
    ("is not active", "unknown_symbol"),
    ("not tradable", "unknown_symbol"),
    ("market is closed", "closed"),
    ("sub-penny", "invalid_price"),
    ("price", "invalid_price"),
    ("qty", "invalid_quantity"),
    ("quantity", "invalid_quantity"),
)
_CODES: dict[int, Code] = {40_310_100: "pdt"}


def body_of(group: tuple[Request, ...]) -> dict[str, Any]:
    """What asks for an order, or for a group in one: bracket, oto or oco."""
    entry, *others = group
    if others and not any(x.parent for x in others):
        target = next(x for x in group if x.type == "limit")
        stop = next(x for x in group if x is not target)
        return {
            **_one(target),
            "order_class": "oco",
            "take_profit": {"limit_price": decimal_text(target.limit_price)},
            "stop_loss": _stop(stop),
        }
    body = _one(entry)
    if others:
        body["order_class"] = "bracket" if len(others) == 2 else "oto"
    for child in others:
        if child.type == "limit":
            body["take_profit"] = {"limit_price": decimal_text(child.limit_price)}
        else:
            body["stop_loss"] = _stop(child)
    return body


def _one(request: Request) -> dict[str, Any]:
    body = {
        "symbol": request.symbol,
        "qty": decimal_text(request.qty),
        "side": "buy" if request.side > 0 else "sell",
        "type": TYPES[request.type],
        "time_in_force": TIFS[request.tif],
        "client_order_id": request.client_id,
    }
    return body | prices_of(request.limit_price, request.stop_price)


def _stop(request: Request) -> dict[str, str]:
    return prices_of(request.limit_price, request.stop_price)


def prices_of(limit: float, stop: float) -> dict[str, str]:
    """The prices that there are."""
    named = {"limit_price": limit, "stop_price": stop}
    return {name: decimal_text(value) for name, value in named.items() if math.isfinite(value)}


def flat(orders: Any, place: str) -> list[tuple[Mapping[str, Any], Mapping[str, Any] | None]]:
    """The orders of a list that is nested, each with the one whose leg it is.

    Raises
    ------
    BadAnswer
    """
    if not isinstance(orders, list):
        raise BadAnswer(f"{place}: no list of orders but {begin(orders)}")
    found: list[tuple[Mapping[str, Any], Mapping[str, Any] | None]] = []
    for order in orders:
        if not isinstance(order, dict) or not order.get("id"):
            raise BadAnswer(f"{place}: an order is {begin(order)}")
        if order.get("order_class") != "mleg":  # options in one: their legs are orders
            found.append((order, None))
        found += [(leg, order) for leg, _ in flat(order.get("legs") or [], place)]
    return found


def order_fact(
    order: Mapping[str, Any],
    parent: Mapping[str, Any] | None = None,
    before: tuple[float, float] = (0.0, 0.0),
    *,
    waits: bool = False,
) -> OrderFact:
    """An order as Alpaca has it.

    Parameters
    ----------
    parent : mapping, optional
        The order whose leg it is.
    before : (quantity, money)
        What the orders have filled whose place it has taken.
    waits : bool
        It is the leg of an entry that has not filled whole.

    Raises
    ------
    BadAnswer
    """
    place = f"alpaca: order {order.get('id')}"
    word, kind = str(order.get("status")), str(order.get("type") or order.get("order_type"))
    qty, filled, average, limit, stop = (
        number(order.get(key), f"{place}: {key}")
        for key in ("qty", "filled_qty", "filled_avg_price", "limit_price", "stop_price")
    )
    side = SIDES.get(str(order.get("side")))
    if side is None or not order.get("symbol"):
        raise BadAnswer(f"{place}: side or symbol cannot be read: {begin(dict(order))}")
    filled = filled if filled > 0.0 else 0.0
    qty = qty if qty > 0.0 else filled  # one by an amount of money has none
    filled, average = _with(filled, average, before)
    state, text = _state(word, kind, filled > 0.0), ""
    state = "acked" if waits and state == "working" else state
    if state in ("unknown", "rejected"):
        text = redact(f"{word} {order.get('reject_reason') or ''}".strip())
    return OrderFact(
        str(order["id"]),
        client_id_of(order, parent),
        str(order["symbol"]),
        side,
        TYPES.get(kind, kind),
        qty + before[0],
        state,
        filled,
        average,
        limit,
        stop,
        _time(order, place),
        _parent_of(parent),
        text,
        str(order.get("replaced_by") or ""),
    )


def _with(filled: float, average: float, before: tuple[float, float]) -> tuple[float, float]:
    """Quantity and average price with those of the orders before."""
    if not before[0]:
        return filled, average if filled else NAN
    money = before[1] + (filled * average if filled else 0.0)
    return filled + before[0], money / (filled + before[0])


def _state(word: str, kind: str, has_filled: bool) -> str:
    if word in OVER:
        return OVER[word]
    if word not in ALIVE:
        return "unknown"
    if has_filled:
        return "partial"
    return "working" if kind in STOPS and word in COVERS else ALIVE[word]


def _time(order: Mapping[str, Any], place: str) -> int:
    for key in ("updated_at", "submitted_at", "created_at"):
        if at := instant(order.get(key), f"{place}: {key}"):
            return at
    return 0


def created(order: Mapping[str, Any]) -> int:
    """When an order was sent, ns UTC: by this Alpaca sorts and pages."""
    place = f"alpaca: order {order.get('id')}"
    return instant(order.get("submitted_at") or order.get("created_at"), f"{place}: submitted_at")


def said(order: Mapping[str, Any]) -> str:
    """The client id that an order has at Alpaca: ours, or one of theirs."""
    return str(order.get("client_order_id") or "")


def is_limit(order: Mapping[str, Any]) -> bool:
    """Whether an order is a limit order: of the legs, the target."""
    return (order.get("type") or order.get("order_type")) == "limit"


def has_legs(order: Mapping[str, Any]) -> bool:
    """Whether an order goes with others."""
    return order.get("order_class") in ("bracket", "oto", "oco")


def waits(order: Mapping[str, Any], entry: Mapping[str, Any] | None) -> bool:
    """Whether a leg waits for its entry: Alpaca wakes it when that has filled whole."""
    if entry is None or entry.get("order_class") not in ("bracket", "oto"):
        return False
    return order.get("status") == "held" and entry.get("status") != "filled"


def is_same(order: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether an order is what was asked for, in every field that says so."""
    return said(order) == body["client_order_id"] and _terms(order) == _terms(body)


def fits(order: Mapping[str, Any], request: Request) -> bool:
    """Whether an order asks for the same, whatever its name."""
    return _terms(order) == _terms(_one(request))


def _terms(order: Mapping[str, Any]) -> tuple[Any, ...]:
    numbers = [number(order.get(x), f"alpaca: {x}") for x in ("qty", "limit_price", "stop_price")]
    kind = order.get("type") or order.get("order_type")
    known = tuple(None if math.isnan(value) else value for value in numbers)
    return (order.get("symbol"), order.get("side"), kind, *known)


def client_id_of(order: Mapping[str, Any], parent: Mapping[str, Any] | None) -> str:
    """Our name of an order; Alpaca names legs itself, so theirs is made of their entry's."""
    if parent is None or name_of(said(order)) is not None:
        return said(order)
    entry = _parent_of(parent)
    if name_of(entry) is None:
        return ""
    return f"{entry}{Part.TARGET if is_limit(order) else Part.STOP}"


def _parent_of(parent: Mapping[str, Any] | None) -> str:
    """The entry's client id; alternatives of an exit are no children."""
    if parent is None or parent.get("order_class") == "oco":
        return ""
    return str(parent.get("client_order_id") or "")


def fill_fact(update: Mapping[str, Any], fact: OrderFact) -> FillFact | None:
    """The fill of a trade update; None where it tells none that can be counted."""
    place = f"alpaca: order {fact.vendor_id}: a fill"
    qty, price = (number(update.get(key), f"{place}: {key}") for key in ("qty", "price"))
    if not (qty > 0.0 and price > 0.0):
        return None
    return FillFact(
        str(update.get("execution_id") or f"{fact.vendor_id}:{fact.filled:g}"),
        fact.vendor_id,
        fact.client_id,
        fact.symbol,
        fact.side,
        qty,
        price,
        total=fact.filled,
        time=instant(update.get("timestamp"), f"{place}: timestamp"),
    )


def refused(refusal: Refusal, otherwise: Code = "") -> Refused:
    """Why Alpaca says no.

    Parameters
    ----------
    otherwise : str
        The code where its words tell none: of a change or a cancel, that the order is not open.
    """
    return Refused(refusal.text, code=_CODES.get(refusal.code) or _why(refusal.text, otherwise))


def _why(text: str, otherwise: Code) -> Code:
    lower = text.lower()
    return next((code for words, code in _WHY if words in lower), otherwise)
