"""Orders and fills in the words of Moomoo's client, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from intrabar.links.clock import SECOND_NS
from intrabar.links.moomoo import Row
from intrabar.model.broker_facts import Code, FillFact, OrderFact, Refused, Request
from intrabar.model.secret import redact

NAN = float("nan")
EASTERN = ZoneInfo("America/New_York")
MARKET = "US."
TYPES = {"market": "MARKET", "limit": "NORMAL", "stop": "STOP", "stop_limit": "STOP_LIMIT"}
TIFS = {"day": "DAY", "gtc": "GTC", "ioc": "IOC"}
STATES = {
    "UNSUBMITTED": "acked",
    "WAITING_SUBMIT": "acked",
    "SUBMITTING": "acked",
    "SUBMITTED": "working",
    "FILLED_PART": "partial",
    "FILLED_ALL": "filled",
    "CANCELLING_PART": "acked",
    "CANCELLING_ALL": "acked",
    "CANCELLED_PART": "cancelled",
    "CANCELLED_ALL": "cancelled",
    "DISABLED": "cancelled",
    "DELETED": "cancelled",
    "SUBMIT_FAILED": "rejected",
    "FAILED": "rejected",
}
"""What is not here nobody knows: `TIMEOUT` (it may have arrived), `FILL_CANCELLED`."""
OVER = ("filled", "cancelled", "rejected")
_REASONS: tuple[tuple[str, Code], ...] = (
    ("unknown stock", "unknown_symbol"),
    ("no instrument", "unknown_symbol"),
    ("buying power", "funds"),
    ("insufficient", "funds"),
    ("day trad", "pdt"),
    ("short", "no_borrow"),
    ("not open", "not_open"),
    ("no order", "not_open"),
)


def code_of(symbol: str) -> str:
    """A share of the US as Moomoo names it."""
    return MARKET + symbol


def symbol_of(code: str) -> str:
    """A share's symbol; of other markets Moomoo's own code."""
    return code.removeprefix(MARKET)


def declined(text: str) -> Refused:
    """What OpenD has refused, by its text: it has no codes."""
    lower = text.lower()
    return Refused(text, code=next((code for word, code in _REASONS if word in lower), ""))


def of_the_day(request: Request) -> Request:
    """A request whose time in force Moomoo has: a market order does not last."""
    if request.type == "market" and request.tif in ("gtc", "gtd"):
        return replace(request, tif="day", until=0)
    return request


def order_of(request: Request) -> dict[str, Any]:
    """An order as the client takes it; environment and account are added where it leaves."""
    told: dict[str, Any] = {
        "code": code_of(request.symbol),
        "qty": request.qty,
        "trd_side": "BUY" if request.side > 0 else "SELL",
        "order_type": TYPES[request.type],
        "time_in_force": TIFS[request.tif],
        "remark": request.client_id,
        **prices_of(request),
    }
    return told


def prices_of(request: Request) -> dict[str, float]:
    """Its prices: a limit of 0 is none."""
    told = {"price": request.limit_price if math.isfinite(request.limit_price) else 0.0}
    if math.isfinite(request.stop_price):
        told["aux_price"] = request.stop_price
    return told


def fact_of(row: Row) -> OrderFact:
    """An order as it stands."""
    word, filled = str(row["order_status"]), float(row["dealt_qty"])
    kind = next((name for name, theirs in TYPES.items() if theirs == row["order_type"]), "")
    state, text = STATES.get(word, "unknown"), redact(str(row.get("last_err_msg") or ""))
    if state == "working" and filled:
        state = "partial"
    if state == "unknown":
        text = f"Moomoo says {word} {text}".strip()
    return OrderFact(
        str(row["order_id"]),
        str(row.get("remark") or ""),
        symbol_of(str(row["code"])),
        1 if str(row["trd_side"]).startswith("BUY") else -1,
        kind or str(row["order_type"]).lower(),
        float(row["qty"]),
        state,
        filled,
        float(row["dealt_avg_price"]) if filled else NAN,
        _price(row["price"]) if kind in ("limit", "stop_limit") else NAN,
        _price(row.get("aux_price")) if kind in ("stop", "stop_limit") else NAN,
        instant(str(row["updated_time"] or row["create_time"])),
        text=text if state in ("unknown", "rejected") else "",
    )


def fill_of(row: Row) -> FillFact:
    """A fill, corrected or taken back where it says so; not how much of its order that is."""
    return FillFact(
        str(row["deal_id"]),
        str(row["order_id"]),
        "",
        symbol_of(str(row["code"])),
        1 if str(row["trd_side"]).startswith("BUY") else -1,
        0.0 if row.get("status") == "CANCELLED" else float(row["qty"]),
        float(row["price"]),
        time=instant(str(row["create_time"])),
        version=int(row.get("status") in ("CANCELLED", "CHANGED")),
    )


def fills_of(rows: Iterable[Row]) -> list[FillFact]:
    """Fills, each with the quantity of its order after it."""
    totals: dict[str, float] = {}
    found = []
    for row in sorted(rows, key=lambda r: (str(r["create_time"]), str(r["deal_id"]))):
        fill = fill_of(row)
        totals[fill.vendor_id] = round(totals.get(fill.vendor_id, 0.0) + fill.qty, 9)
        found.append(replace(fill, total=totals[fill.vendor_id]))
    return found


def instant(text: str) -> int:
    """Ns UTC of a time that the client writes as New York has it; 0 where there is none."""
    try:
        at = datetime.fromisoformat(text).replace(tzinfo=EASTERN)
    except ValueError:
        return 0
    return int(at.timestamp()) * SECOND_NS + at.microsecond * 1000


def _price(value: Any) -> float:
    try:
        price = float(value)
    except (TypeError, ValueError):
        return NAN
    return price if price > 0.0 else NAN
