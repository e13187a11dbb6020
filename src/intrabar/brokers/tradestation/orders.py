"""What leaves for TradeStation: orders, brackets, pairs of exits; and what its answers mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from intrabar.brokers.fitting import decimal_text
from intrabar.links.clock import SECOND_NS
from intrabar.links.tradestation.client import Reply
from intrabar.model.broker_facts import Accepted, Change, Code, Outcome, Refused, Request, Unknown

TYPES = {"market": "Market", "limit": "Limit", "stop": "StopMarket", "stop_limit": "StopLimit"}
DURATIONS = {"day": "DAY", "gtc": "GTC", "gtd": "GTD", "ioc": "IOC"}
BRACKET = "BRK"
"""A group whose orders shrink with what one of them fills; in an OCO group a part ends them."""

_CODES: tuple[tuple[str, Code], ...] = (
    (r"duplicate|already (?:been )?(?:used|submitted)|must be unique", "id_clash"),
    (r"not an open order|invalid order id|after cancel|already (?:filled|cancel)", "not_open"),
    (r"buying power|insufficient funds", "funds"),
    (r"day ?trad", "pdt"),
    (r"locate|borrow|not shortable", "no_borrow"),
    (r"you are (?:long|short) 0|boxed|EC60\d|EC804", "held"),
    (r"symbol", "unknown_symbol"),
    (r"market is closed|not open for trading", "closed"),
    (r"price increment|invalid price|(?:limit|stop) ?price", "invalid_price"),
    (r"quantity", "invalid_quantity"),
)


def order_body(request: Request, account: str, is_future: bool) -> dict[str, Any]:
    """One order; a market order is of the day, whatever it says, since it rests nowhere."""
    duration = "DAY" if request.type == "market" else DURATIONS[request.tif]
    limit, stop = request.limit_price, request.stop_price
    return {
        "AccountID": account,
        "Symbol": request.symbol,
        "Quantity": decimal_text(request.qty),
        "OrderType": TYPES[request.type],
        "TradeAction": action(request, is_future),
        "TimeInForce": {"Duration": duration, **_until(request, duration)},
        "OrderConfirmID": request.client_id,
        **({"LimitPrice": decimal_text(limit)} if limit == limit else {}),
        **({"StopPrice": decimal_text(stop)} if stop == stop else {}),
    }


def group_body(group: Sequence[Request], account: str, is_future: bool) -> dict[str, Any]:
    """An entry with its exits, or a pair of exits."""
    first, *others = (order_body(request, account, is_future) for request in group)
    if not group[0].parent and any(request.parent for request in group):
        kind = BRACKET if len(others) > 1 else "NORMAL"
        return {**first, "OSOs": [{"Type": kind, "Orders": others}]}
    return {"Type": BRACKET, "Orders": [first, *others]}


def action(request: Request, is_future: bool) -> str:
    """What the vendor calls it, by the position that it is told."""
    if request.side > 0:
        return "BUY" if request.opens or is_future else "BUYTOCOVER"
    return "SELLSHORT" if request.opens and not is_future else "SELL"


def change_body(change: Change) -> dict[str, str]:
    """What is to be otherwise."""
    named = {
        "Quantity": change.qty,
        "LimitPrice": change.limit_price,
        "StopPrice": change.stop_price,
    }
    return {key: decimal_text(value) for key, value in named.items() if value == value}


def outcomes(group: Sequence[Request], reply: Reply) -> tuple[Outcome, ...]:
    """What an answer says of each order of a group; unknown where it cannot be told apart."""
    if reply.status >= 400:
        return (refusal(reply.text),) * len(group)
    good, bad = _told(reply)
    if not good and bad:
        return (refusal(_words(bad)),) * len(group)
    if len(good) == len(group) and not bad:
        ids = [str(one["OrderID"]) for one in good]
        named = len(set(ids)) == len(ids) and all(map(_fits, group, good))
        if len(group) == 1 or named:
            return tuple(Accepted(vendor_id) for vendor_id in ids)
        return tuple(Accepted() for _ in group)  # which is which tell their prices
    told = f"{len(good)} of {len(group)} orders were sent"
    return (Unknown(": ".join((told, _words(bad))) if bad else told),) * len(group)


def changed(reply: Reply, vendor_id: str) -> Outcome:
    """What an answer to a change or a cancel says."""
    if reply.status >= 400 or str(reply.told.get("Error") or ""):
        return refusal(reply.text)
    return Accepted(vendor_id)


def refusal(text: str) -> Refused:
    """The vendor's no, with the reason that its words give."""
    found = (code for words, code in _CODES if re.search(words, text, re.IGNORECASE))
    code: Code = next(found, "")
    return Refused(text, code=code)


def _told(reply: Reply) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Orders that were sent, and those that were not; both may stand among `Orders`."""
    orders = [x for x in reply.told.get("Orders") or () if isinstance(x, dict)]
    bad = [x for x in reply.told.get("Errors") or () if isinstance(x, dict)]
    good = [x for x in orders if x.get("OrderID") and not x.get("Error")]
    return good, [*bad, *(x for x in orders if x not in good)]


def _fits(request: Request, told: dict[str, Any]) -> bool:
    """Whether a message ("Sent order: Buy 10 ACME @ 9.50 Limit") is of an order."""
    text = str(told.get("Message")).lower()
    found = ("buy" in text, "stop" in text, "limit" in text)
    kind = request.type
    return found == (request.side > 0, kind.startswith("stop"), kind.endswith("limit"))


def _words(errors: Sequence[dict[str, Any]]) -> str:
    said = (str(x.get("Message") or x.get("Error") or "") for x in errors)
    return "; ".join(" ".join(text.split()) for text in said if text)[:300] or "FAILED"


def _until(request: Request, duration: str) -> dict[str, str]:
    if duration != "GTD":
        return {}
    at = datetime.fromtimestamp(request.until // SECOND_NS, UTC)
    return {"Expiration": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
