"""What TradeStation writes of accounts and orders, and how it reads what it is asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from intrabar.brokers.fakes.account import FakeAccount, Order

WORDS = {
    "held": ("OSO", "OSO Order"),
    "accepted": ("ACK", "Received"),
    "working": ("ACK", "Received"),
    "filled": ("FLL", "Filled"),
    "cancelled": ("OUT", "UROut"),
    "expired": ("EXP", "Expired"),
    "rejected": ("REJ", "Rejected"),
}
KINDS = {"market": "Market", "limit": "Limit", "stop": "StopMarket", "stop_limit": "StopLimit"}
TYPES = {name: word for word, name in KINDS.items()}


def account_body(name: str) -> dict[str, Any]:
    """An account of a login."""
    return {
        "AccountID": name,
        "AccountType": "Margin",
        "Currency": "USD",
        "Status": "Active",
        "AccountDetail": {
            "IsStockLocateEligible": False,
            "EnrolledInRegTProgram": False,
            "RequiresBuyingPowerWarning": False,
            "DayTradingQualified": True,
            "OptionApprovalLevel": 0,
            "PatternDayTrader": False,
        },
    }


def balance_body(account: FakeAccount) -> dict[str, Any]:
    """What an account is worth."""
    return {
        "AccountID": account.id,
        "AccountType": "Margin",
        "BuyingPower": text(account.cash),
        "CashBalance": text(account.cash),
        "Commission": "0",
        "Equity": text(account.equity),
        "MarketValue": text(account.equity - account.cash),
        "TodaysProfitLoss": "0",
        "UnclearedDeposit": "0",
        "BalanceDetail": {"DayTrades": "0", "UnsettledFunds": "0", "RealizedProfitLoss": "0"},
    }


def position_body(
    account: FakeAccount, number: int, symbol: str, held: tuple[float, float]
) -> dict[str, Any]:
    """A position."""
    qty, average = held
    return {
        "AccountID": account.id,
        "AssetType": "STOCK",
        "AveragePrice": text(average),
        "Last": text(account.symbols.get(symbol, average)),
        "LongShort": "Long" if qty > 0.0 else "Short",
        "PositionID": f"P{number}",
        "Quantity": text(qty),
        "Symbol": symbol,
        "Timestamp": instant(account.now()),
    }


def order_body(account: FakeAccount, order: Order) -> dict[str, Any]:
    """An order as it stands."""
    word, description = WORDS.get(order.status, ("OTHER", "OrderStatus not mapped"))
    if order.rest and order.filled:
        word, description = "FPR", "Partial Fill (Alive)"
    if order.status == "cancelled" and order.filled:
        word, description = "FLP", "Partial Fill (UROut)"
    action = ("Buy" if order.opens else "BuyToCover", "SellShort" if order.opens else "Sell")
    leg = {
        "AssetType": "STOCK",
        "BuyOrSell": action[order.side < 0],
        "ExecQuantity": text(order.filled),
        "OpenOrClose": "Open" if order.opens else "Close",
        "QuantityOrdered": text(order.qty),
        "QuantityRemaining": text(order.rest),
        "Symbol": order.symbol,
    }
    if order.filled:
        leg["ExecutionPrice"] = text(order.average)
    told: dict[str, Any] = {
        "AccountID": account.id,
        "CommissionFee": "0",
        "Currency": "USD",
        "Duration": order.tif.upper(),
        "FilledPrice": text(order.average) if order.filled else "0",
        "Legs": [leg],
        "OpenedDateTime": instant(order.created),
        "OrderID": order.id,
        "OrderType": KINDS[order.type],
        "Routing": "Intelligent",
        "Status": order.word or word,
        "StatusDescription": description,
        "UnbundledRouteFee": "0",
    }
    for key, value in (("LimitPrice", order.limit_price), ("StopPrice", order.stop_price)):
        if value == value:
            told[key] = text(value)
    if not order.rest:
        told["ClosedDateTime"] = instant(order.changed)
    if order.status == "rejected":
        told["RejectReason"] = order.text
    if related := _related(account, order):
        told["ConditionalOrders"] = related
    return told


def _related(account: FakeAccount, order: Order) -> list[dict[str, str]]:
    found = [{"OrderID": order.parent, "Relationship": "OSP"}] if order.parent else []
    for other in account.orders.values():
        if other.parent == order.id:
            found.append({"OrderID": other.id, "Relationship": "OSO"})
        elif order.group and other.group == order.group and other is not order:
            found.append({"OrderID": other.id, "Relationship": "BRK"})
    return found


def read(body: dict[str, Any], group: str = "", parent: str = "") -> Order:
    """An order as it was asked for."""
    action, price = body["TradeAction"], float("nan")
    return Order(
        "",
        body.get("OrderConfirmID", ""),
        body["Symbol"],
        1 if action in ("BUY", "BUYTOCOVER") else -1,
        TYPES[body["OrderType"]],
        float(body["Quantity"]),
        float(body.get("LimitPrice", price)),
        float(body.get("StopPrice", price)),
        body["TimeInForce"]["Duration"].lower(),
        until=_until(body["TimeInForce"]),
        opens=action in ("BUY", "SELLSHORT"),
        group=group,
        parent=parent,
    )


def _until(told: dict[str, str]) -> int:
    if "Expiration" not in told:
        return 0
    return round(datetime.fromisoformat(told["Expiration"]).timestamp()) * 10**9


def message(order: Order) -> str:
    """What the vendor says of an order that it has taken."""
    action = ("Buy" if order.opens else "Buy to Cover", "Sell Short" if order.opens else "Sell")
    price = order.limit_price if order.type == "limit" else order.stop_price
    at = {
        "market": "Market",
        "limit": f"{price:.2f} Limit",
        "stop": f"{price:.2f} Stop Market",
        "stop_limit": f"{price:.2f} Stop {order.limit_price:.2f} Limit",
    }[order.type]
    return f"Sent order: {action[order.side < 0]} {text(order.qty)} {order.symbol} @ {at}"


def line(told: dict[str, Any]) -> bytes:
    """An object of a stream."""
    return json.dumps(told).encode() + b"\r\n"


def text(value: float) -> str:
    """A number as the vendor writes it."""
    return f"{round(value, 8):.8f}".rstrip("0").rstrip(".")


def instant(at: int) -> str:
    """A time as the vendor writes it: seconds of UTC."""
    return datetime.fromtimestamp(at // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
