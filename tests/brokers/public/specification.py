"""What Public.com's specification says of its answers and requests, for the parts that are used.

Facts of PublicDotCom/public-openapi, `spec.yaml` (OpenAPI 3.0.1, version 1, September 2026),
written down in our own form: of each object its members, what they hold, and which must be there.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

TYPES = {"MARKET", "LIMIT", "STOP", "STOP_LIMIT"}
SIDES = {"BUY", "SELL"}
INDICATORS = {"OPEN", "CLOSE"}
STATUSES = {
    "NEW",
    "PARTIALLY_FILLED",
    "CANCELLED",
    "QUEUED_CANCELLED",
    "FILLED",
    "REJECTED",
    "PENDING_REPLACE",
    "PENDING_CANCEL",
    "EXPIRED",
    "REPLACED",
}
PERMISSIONS = {"BUY_AND_SELL", "LIQUIDATION_ONLY", "DISABLED"}
KINDS = {"EQUITY", "OPTION", "MULTI_LEG_INSTRUMENT", "CRYPTO", "ALT", "TREASURY", "BOND", "INDEX"}

NUMBER, TEXT, TIME, COUNT, ID = "number", "text", "time", "count", "id"
OBJECTS: dict[str, dict[str, Any]] = {
    "Instrument": {"symbol!": TEXT, "type!": KINDS},
    "Expiration": {"timeInForce!": {"DAY", "GTD"}, "expirationTime": TIME},
    "OrderRequest": {
        "orderId!": ID,
        "instrument!": "Instrument",
        "orderSide!": SIDES,
        "orderType!": TYPES,
        "expiration!": "Expiration",
        "quantity": NUMBER,
        "amount": NUMBER,
        "limitPrice": NUMBER,
        "stopPrice": NUMBER,
        "equityMarketSession": {"CORE", "EXTENDED", "TWENTY_FOUR_HOURS"},
        "openCloseIndicator": INDICATORS,
        "useMargin": "flag",
        "orderClass": {"SIMPLE", "BRACKET", "OCO", "OTO"},
        "takeProfit": "TakeProfit",
        "stopLoss": "StopLoss",
    },
    "TakeProfit": {"limitPrice!": NUMBER},
    "StopLoss": {"stopPrice!": NUMBER, "limitPrice": NUMBER},
    "ReplaceRequest": {
        "orderId!": ID,
        "requestId!": ID,
        "orderType!": TYPES,
        "expiration!": "Expiration",
        "quantity": NUMBER,
        "amount": NUMBER,
        "limitPrice": NUMBER,
        "stopPrice": NUMBER,
    },
    "OrderResult": {"orderId": ID},
    "Orders": {"orders": ["Order"]},
    "Order": {
        "orderId": ID,
        "bracketId": ID,
        "instrument": "Instrument",
        "createdAt": TIME,
        "type": TYPES,
        "side": SIDES,
        "status": STATUSES,
        "quantity": NUMBER,
        "notionalValue": NUMBER,
        "expiration": "Expiration",
        "limitPrice": NUMBER,
        "stopPrice": NUMBER,
        "closedAt": TIME,
        "openCloseIndicator": INDICATORS,
        "filledQuantity": NUMBER,
        "averagePrice": NUMBER,
        "equityMarketSession": {"REGULAR", "REST_OF_DAY", "TWENTY_FOUR_HOURS"},
        "filledAt": TIME,
        "replacedAt": TIME,
        "lastModified": TIME,
        "trades": ["Trade"],
        "rejectReason": TEXT,
    },
    "Trade": {
        "instrument": "Instrument",
        "quantity": NUMBER,
        "price": NUMBER,
        "side": SIDES,
        "tradeId": TEXT,
        "timestamp": TIME,
    },
    "Portfolio": {
        "accountId!": TEXT,
        "accountType!": {"BROKERAGE"},
        "buyingPower!": "BuyingPower",
        "equity!": ["Equity"],
        "positions!": ["Position"],
        "orders!": ["Order"],
        "cash": NUMBER,
        "totalAccountValue": NUMBER,
    },
    "BuyingPower": {
        "cashOnlyBuyingPower!": NUMBER,
        "buyingPower!": NUMBER,
        "optionsBuyingPower!": NUMBER,
    },
    "Equity": {"type": {"CASH", "STOCK"}, "value": NUMBER},
    "Position": {"instrument": "Named", "quantity": NUMBER, "costBasis": "CostBasis"},
    "Named": {"symbol": TEXT, "name": TEXT, "type": KINDS},
    "CostBasis": {"totalCost": NUMBER, "unitCost": NUMBER, "gainValue": NUMBER},
    "Token": {"accessToken!": TEXT},
    "Quotes": {"quotes": ["Quote"]},
    "Quote": {
        "instrument!": "Instrument",
        "outcome!": {"SUCCESS", "UNKNOWN"},
        "last": NUMBER,
        "lastTimestamp": TIME,
        "bid": NUMBER,
        "bidSize": COUNT,
        "bidTimestamp": TIME,
        "ask": NUMBER,
        "askSize": COUNT,
        "askTimestamp": TIME,
        "volume": COUNT,
        "previousClose": NUMBER,
    },
    "Error": {"errorCode": TEXT, "message": TEXT},
}


def against(name: str, told: Any, where: str = "") -> list[str]:
    """What of an object is not as the specification has it."""
    known = {key.rstrip("!"): kind for key, kind in OBJECTS[name].items()}
    where = where or name
    found = [f"{where}.{key}: not known" for key in told if key not in known]
    must = [key[:-1] for key in OBJECTS[name] if key.endswith("!")]
    found += [f"{where}.{key}: missing" for key in must if key not in told]
    for key, value in told.items():
        if key in known:
            found += _member(known[key], value, f"{where}.{key}")
    return found


def _member(kind: Any, value: Any, where: str) -> list[str]:
    if isinstance(kind, list):
        return [x for n, one in enumerate(value) for x in against(kind[0], one, f"{where}[{n}]")]
    if isinstance(kind, str) and kind in OBJECTS:
        return against(kind, value, where)
    if isinstance(kind, set):
        return [] if value in kind else [f"{where}: {value!r} is none of {sorted(kind)}"]
    try:
        assert {
            NUMBER: lambda: isinstance(value, str) and Decimal(value).is_finite(),
            TEXT: lambda: isinstance(value, str),
            TIME: lambda: datetime.fromisoformat(value).tzinfo is not None,
            COUNT: lambda: isinstance(value, int),
            ID: lambda: str(UUID(value)) == value,
            "flag": lambda: isinstance(value, bool),
        }[kind]()
    except (AssertionError, ValueError, ArithmeticError):
        return [f"{where}: {value!r} is no {kind}"]
    return []
