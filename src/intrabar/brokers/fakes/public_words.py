"""What Public.com writes: numbers and instants as text, orders, refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from intrabar.brokers.fakes.account import ALIVE, NAN, FakeAccount, Order
from intrabar.brokers.fakes.server import Answer

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WORDS = {
    "accepted": "NEW",
    "filled": "FILLED",
    "cancelled": "CANCELLED",
    "expired": "EXPIRED",
    "rejected": "REJECTED",
    "replaced": "REPLACED",
}
CALLED = {"funds": "Insufficient buying power", "no_borrow": "Not shortable"}


class No(Exception):  # noqa: N818
    """What is answered instead, with the vendor's code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.answer = Answer({"errorCode": code, "message": message}, status)


def whole_order(order: Order, account: FakeAccount, expiration: Any) -> dict[str, Any]:
    """An order with its fills, as it is shown when it is asked for."""
    told = open_order(order, account, expiration) | {
        "equityMarketSession": "REGULAR",
        "lastModified": stamp(order.changed),
        "trades": [
            {
                "instrument": named(fill.symbol),
                "quantity": plain(fill.qty),
                "price": plain(fill.price),
                "side": "BUY" if fill.side > 0 else "SELL",
                "tradeId": fill.id,
                "timestamp": stamp(fill.time),
            }
            for fill in account.fills
            if fill.order == order.id
        ],
    }
    if order.status == "replaced":
        told["replacedAt"] = stamp(order.changed)
    if order.status == "filled":
        told["filledAt"] = stamp(order.changed)
    return told


def open_order(order: Order, account: FakeAccount, expiration: Any) -> dict[str, Any]:
    """An order that is open, as a portfolio shows it."""
    word = WORDS.get(order.status, "PARTIALLY_FILLED" if order.filled else "NEW")
    told: dict[str, Any] = {
        "orderId": order.id,
        "instrument": named(order.symbol),
        "createdAt": stamp(order.created),
        "type": order.type.upper(),
        "side": "BUY" if order.side > 0 else "SELL",
        "status": order.word or word,
        "quantity": plain(order.qty),
        "expiration": expiration,
    }
    group = next((x for x in account.orders.values() if x.parent == order.id), None)
    if order.parent or group is not None:
        told["bracketId"] = order.parent or order.id
    for name, value in (("limitPrice", order.limit_price), ("stopPrice", order.stop_price)):
        if value == value:
            told[name] = plain(value)
    if order.filled:
        told |= {"filledQuantity": plain(order.filled), "averagePrice": plain(order.average)}
    if order.status not in ALIVE:
        told["closedAt"] = stamp(order.changed)
    if order.text:
        told["rejectReason"] = order.text
    return told


def named(symbol: str) -> dict[str, str]:
    """A share, as the vendor names it."""
    return {"symbol": symbol, "type": "EQUITY"}


def number(text: str | None, places: int) -> float:
    """A number that is text on the wire, of so many places at the most."""
    if text is None:
        return NAN
    if not isinstance(text, str) or -int(Decimal(text).as_tuple().exponent) > places:
        raise No(400, "number", f"{text!r} is no number of {places} places")
    return float(Decimal(text))


def plain(value: float) -> str:
    """A number as text, without an exponent."""
    return format(Decimal(repr(value)), "f")


def stamp(at: int, zone: Any = UTC) -> str:
    """An instant (ns UTC) as text, in a zone."""
    moment = (EPOCH + timedelta(microseconds=at // 1000)).astimezone(zone)
    return moment.isoformat().replace("+00:00", "Z")


def ns(text: str | None) -> int:
    """An instant, ns UTC; 0 where there is none."""
    return instant(datetime.fromisoformat(text)) if text else 0


def instant(at: datetime) -> int:
    """Ns UTC."""
    return (at - EPOCH) // timedelta(microseconds=1) * 1000
