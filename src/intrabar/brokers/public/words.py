"""Orders in the vendor's words, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from intrabar.brokers.names import name_of
from intrabar.brokers.public.ids import name_in, order_id
from intrabar.links.public import Order
from intrabar.model.bars import DAY_NS
from intrabar.model.broker_facts import (
    Code,
    FillFact,
    OrderFact,
    Refused,
    Request,
)
from intrabar.model.secret import redact

NAN = float("nan")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAYS = 29
"""Days for which a protective order rests: the vendor shows one for 30 days after it was made."""
LONGEST = 90
"""Days after which it ends an order."""
TYPES = {"market": "MARKET", "limit": "LIMIT", "stop": "STOP", "stop_limit": "STOP_LIMIT"}
ENTRIES = ("market", "limit")  # that take a bracket with them
STATES = {
    "NEW": "working",
    "PARTIALLY_FILLED": "working",
    "PENDING_REPLACE": "acked",
    "PENDING_CANCEL": "acked",
    "QUEUED_CANCELLED": "acked",
    "FILLED": "filled",
    "CANCELLED": "cancelled",
    "EXPIRED": "expired",
    "REJECTED": "rejected",
}
COVERS = frozenset({"NEW", "PARTIALLY_FILLED"})
_REASONS: tuple[tuple[str, Code], ...] = (
    ("buying power", "funds"),
    ("insufficient", "funds"),
    ("unsettled", "unsettled"),
    ("day trad", "pdt"),
    ("borrow", "no_borrow"),
    ("shortable", "no_borrow"),
    ("instrument", "unknown_symbol"),
    ("symbol", "unknown_symbol"),
    ("market is closed", "closed"),
)


def refused(text: str, code: Code = "cannot") -> Refused:
    """What is not sent."""
    return Refused(text, not_sent=True, code=code)


def declined(text: str) -> Refused:
    """What the vendor has refused, by its text."""
    lower = text.lower()
    return Refused(text, code=next((code for word, code in _REASONS if word in lower), ""))


def meant(request: Request, now: int) -> Request:
    """A request in times in force that Public has.

    It has no `gtc`: what leaves a position rests for 29 days, and a market order is of the day.
    """
    if request.type == "market" and request.tif in ("gtc", "gtd"):
        return replace(request, tif="day", until=0)
    if request.tif == "gtc" and (request.parent or not request.opens):
        return replace(request, tif="gtd", until=now + DAYS * DAY_NS)
    return request


def flaw(group: Sequence[Request], now: int) -> Refused | None:
    """Why orders that fit the account cannot leave as they are."""
    entry, *children = group
    if any(child.parent != entry.client_id for child in children):
        return refused("orders that are no bracket do not leave together")
    if any(request.oco for request in group):
        return refused("one of two orders that cancel each other is not sent to Public: watch it")
    for request in group:
        last = now + LONGEST * DAY_NS
        if request.tif == "gtd" and not now < request.until <= last:
            return refused(f"an order of Public ends within {LONGEST} days from now")
    return _bracket_flaw(entry, children) if children else None


def _bracket_flaw(entry: Request, children: Sequence[Request]) -> Refused | None:
    kinds = sorted(child.type for child in children)
    if kinds not in (["limit"], ["stop"], ["limit", "stop"]):
        return refused(f"a bracket of Public has a limit, a stop, or both, not {kinds}")
    if entry.type not in ENTRIES:
        return refused(f"an entry of the type {entry.type} takes no bracket at Public")
    if any(request.qty != entry.qty or request.qty % 1 for request in (entry, *children)):
        text = "a bracket of Public is of whole shares, as many as its entry has"
        return refused(text, "invalid_quantity")
    return None


def order_of(group: Sequence[Request], account: str) -> dict[str, Any]:
    """An order, or an entry with its bracket, as the client takes it."""
    entry, *children = group
    told: dict[str, Any] = {
        "orderId": order_id(entry.client_id, account),
        "instrument": {"symbol": entry.symbol, "type": "EQUITY"},
        "orderSide": "BUY" if entry.side > 0 else "SELL",
        **_terms(entry),
    }
    if entry.side < 0 and entry.opens:
        told["openCloseIndicator"] = "OPEN"  # short
    elif entry.side > 0 and not entry.opens:
        told["openCloseIndicator"] = "CLOSE"
    for child in children:
        if child.type == "limit":
            told["takeProfit"] = {"limitPrice": _decimal(child.limit_price)}
        else:
            told["stopLoss"] = {"stopPrice": _decimal(child.stop_price)}
    if children:
        told["orderClass"] = "BRACKET" if len(children) == 2 else "OTO"
    return told


def change_of(order: Request, vendor_id: str, account: str) -> dict[str, Any]:
    """What takes the place of an order: `order` is the new one, by its name and what is left."""
    return {"orderId": vendor_id, "requestId": order_id(order.client_id, account), **_terms(order)}


def is_that(order: Order, request: Request) -> bool:
    """Whether an order at the vendor may be the one that was asked for: it shows nothing else."""
    pairs = (
        (order.quantity, request.qty),
        (order.limit_price, request.limit_price),
        (order.stop_price, request.stop_price),
    )
    return (
        order.instrument.symbol == request.symbol
        and (order.side.value == "BUY") == (request.side > 0)
        and order.type.value == TYPES[request.type]
        and all(shown is None or float(shown) == asked for shown, asked in pairs)
    )


def _terms(order: Request) -> dict[str, Any]:
    told: dict[str, Any] = {"orderType": TYPES[order.type], "quantity": _decimal(order.qty)}
    if order.tif == "day":
        told["expiration"] = {"timeInForce": "DAY"}
    else:
        told["expiration"] = {"timeInForce": "GTD", "expirationTime": moment(order.until)}
    if order.type in ("limit", "stop_limit"):
        told["limitPrice"] = _decimal(order.limit_price)
    if order.type in ("stop", "stop_limit"):
        told["stopPrice"] = _decimal(order.stop_price)
    return told


def fact_of(order: Order, account: str, among: Iterable[Order] = ()) -> OrderFact:
    """An order as it stands; of one that was replaced, its successor is looked for among others."""
    word = order.word
    filled = float(order.filled_quantity or 0)
    state, text, successor = STATES.get(word, "unknown"), "", ""
    if state == "working" and filled:
        state = "partial"
    if state == "rejected":
        text = redact(order.reject_reason or "")
    elif word == "REPLACED":
        successor = _successor(order, account, among)
        state = "cancelled" if successor else "unknown"
    if state == "unknown":
        text = f"Public says {redact(word)}"
    bracket = order.bracket_id or ""
    return OrderFact(
        order.order_id,
        name_in(order.order_id, account),
        symbol_of(order.instrument),
        1 if order.side.value == "BUY" else -1,
        order.type.value.lower(),
        _float(order.quantity),
        state,
        filled,
        _float(order.average_price),
        _float(order.limit_price),
        _float(order.stop_price),
        _latest(order),
        name_in(bracket, account) if bracket != order.order_id else "",
        text,
        successor,
    )


def fills_of(order: Order, account: str) -> list[FillFact]:
    """The fills of an order that have an id, with how much of it was filled after each."""
    trades = [t for t in order.trades or () if t.trade_id and t.quantity and t.price]
    trades.sort(key=lambda trade: (trade.timestamp or EPOCH, trade.trade_id or ""))
    total, facts = Decimal(0), []
    for trade in trades:
        total += trade.quantity or 0
        facts.append(
            FillFact(
                trade.trade_id or "",
                order.order_id,
                name_in(order.order_id, account),
                symbol_of(order.instrument),
                1 if order.side.value == "BUY" else -1,
                _float(trade.quantity),
                _float(trade.price),
                total=float(total),
                time=instant(trade.timestamp) if trade.timestamp else 0,
            )
        )
    return facts


def symbol_of(instrument: Any) -> str:
    """A share's symbol; of other things with their kind, which no share has."""
    kind = instrument.type.value
    return str(instrument.symbol if kind == "EQUITY" else f"{instrument.symbol}:{kind}")


def instant(at: datetime) -> int:
    """Ns UTC; the vendor writes its times in UTC."""
    return (at.replace(tzinfo=at.tzinfo or UTC) - EPOCH) // timedelta(microseconds=1) * 1000


def moment(at: int) -> datetime:
    """An instant as the client takes it."""
    return EPOCH + timedelta(microseconds=at // 1000)


def _successor(order: Order, account: str, among: Iterable[Order]) -> str:
    """The vendor's id of what took an order's place: of the same row, the next attempt."""
    mine = name_of(name_in(order.order_id, account))
    later = []
    for other in among:
        name = name_of(name_in(other.order_id, account))
        if mine is not None and name is not None and name.attempt > mine.attempt:
            if name._replace(attempt=mine.attempt) == mine:
                later.append((name.attempt, other.order_id))
        elif mine is None and name is not None and order.bracket_id:
            if other.bracket_id == order.bracket_id and other.type == order.type:
                later.append((name.attempt, other.order_id))
    return min(later)[1] if later else ""


def _latest(order: Order) -> int:
    stamps = (order.created_at, order.closed_at, getattr(order, "last_modified", None))
    return max((instant(at) for at in stamps if at is not None), default=0)


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value))


def _float(value: Decimal | None) -> float:
    return NAN if value is None else float(value)
