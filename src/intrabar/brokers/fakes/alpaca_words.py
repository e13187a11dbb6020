"""Shapes of what Alpaca answers: account, assets, positions, orders, fills, refusals."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from intrabar.brokers.fakes.account import FakeAccount, Fill, Impossible, Order
from intrabar.brokers.fakes.server import Answer, Call, plain_refusal

NAN = math.nan
KEY, SECRET = "PKFAKEFAKEFAKEFAKE01", "fake-secret-of-alpaca-0123456789"
NUMBER = "PA3FAKE00001"
WORDS = {"held": "held", "accepted": "accepted", "cancelled": "canceled"}
SIDES = {"buy": 1, "sell": -1}
ENDS = {
    "filled": "filled_at",
    "cancelled": "canceled_at",
    "expired": "expired_at",
    "rejected": "failed_at",
    "replaced": "replaced_at",
}


def account_of(account: FakeAccount, more: Mapping[str, Any]) -> dict[str, Any]:
    """The account."""
    worth = {
        symbol: qty * account.symbols[symbol] for symbol, (qty, _) in account.positions.items()
    }
    money = {
        "equity": account.equity,
        "last_equity": account.equity,
        "cash": account.cash,
        "buying_power": 4 * max(account.equity, 0.0),
        "regt_buying_power": 2 * max(account.equity, 0.0),
        "non_marginable_buying_power": max(account.cash, 0.0),
        "portfolio_value": account.equity,
        "long_market_value": sum(x for x in worth.values() if x > 0.0),
        "short_market_value": sum(x for x in worth.values() if x < 0.0),
        "initial_margin": 0.0,
        "maintenance_margin": 0.0,
        "last_maintenance_margin": 0.0,
        "accrued_fees": 0.0,
        "sma": 0.0,
    }
    return {
        "id": str(uuid5(NAMESPACE_OID, account.id)),
        "account_number": account.id,
        "status": "ACTIVE",
        "currency": "USD",
        "multiplier": "4",
        "created_at": "2024-01-02T10:00:00.123456Z",
        "shorting_enabled": True,
        "trading_blocked": False,
        "transfers_blocked": False,
        "account_blocked": False,
        "trade_suspended_by_user": False,
        **{name: text_of(value) for name, value in money.items()},
        **more,
    }


def asset_of(symbol: str) -> dict[str, Any]:
    """A share."""
    return {
        "id": asset_id(symbol),
        "class": "us_equity",
        "exchange": "NASDAQ",
        "symbol": symbol,
        "name": f"{symbol} Inc. Common Stock",
        "status": "active",
        "tradable": True,
        "marginable": True,
        "shortable": True,
        "easy_to_borrow": True,
        "fractionable": True,
        "attributes": [],
    }


def position_of(account: FakeAccount, symbol: str) -> dict[str, Any]:
    """What is held of a share."""
    qty, average = account.positions[symbol]
    price = account.symbols[symbol]
    gain = qty * (price - average)
    return {
        "asset_id": asset_id(symbol),
        "symbol": symbol,
        "exchange": "NASDAQ",
        "asset_class": "us_equity",
        "asset_marginable": True,
        "qty": text_of(qty),
        "qty_available": text_of(qty),
        "side": "long" if qty > 0.0 else "short",
        "avg_entry_price": text_of(average),
        "market_value": text_of(qty * price),
        "cost_basis": text_of(qty * average),
        "unrealized_pl": text_of(gain),
        "unrealized_plpc": "0",
        "unrealized_intraday_pl": text_of(gain),
        "unrealized_intraday_plpc": "0",
        "current_price": text_of(price),
        "lastday_price": text_of(price),
        "change_today": "0",
    }


def order_of(
    order: Order, kind: str, word: str, legs: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """An order, of a class and with its status word."""
    at = {ENDS[order.status]: time_of(order.changed)} if order.status in ENDS else {}
    return {
        "id": order.id,
        "client_order_id": order.client_id,
        "created_at": time_of(order.created),
        "updated_at": time_of(order.changed),
        "submitted_at": time_of(order.created),
        **dict.fromkeys(ENDS.values()),
        **at,
        "replaced_by": order.replaced_by or None,
        "replaces": order.replaces or None,
        "asset_id": asset_id(order.symbol),
        "symbol": order.symbol,
        "asset_class": "us_equity",
        "notional": None,
        "qty": text_of(order.qty or order.filled),
        "filled_qty": text_of(order.filled),
        "filled_avg_price": text_of(order.average),
        "order_class": kind,
        "order_type": order.type,
        "type": order.type,
        "side": side_of(order.side),
        "time_in_force": order.tif,
        "limit_price": text_of(order.limit_price),
        "stop_price": text_of(order.stop_price),
        "status": word,
        "extended_hours": False,
        "legs": legs,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
    }


def activity_of(fill: Fill, order: Order, word: str, account: str) -> dict[str, Any]:
    """A fill, as the activities have it."""
    return {
        "id": f"{time_of(fill.time)[:10].replace('-', '')}000000000::{fill_id(fill.id)}",
        "account_id": str(uuid5(NAMESPACE_OID, account)),
        "activity_type": "FILL",
        "transaction_time": time_of(fill.time),
        "type": "fill" if fill.total >= order.qty else "partial_fill",
        "price": text_of(fill.price),
        "qty": text_of(fill.qty),
        "side": side_of(fill.side),
        "symbol": fill.symbol,
        "leaves_qty": text_of(max(order.qty - fill.total, 0.0)),
        "order_id": fill.order,
        "cum_qty": text_of(fill.total),
        "order_status": word,
    }


def legs_of(order: Order, body: dict[str, Any], kind: str) -> Iterable[Order]:
    """The legs that an order is asked for with."""
    for name, what in (("take_profit", "limit"), ("stop_loss", "stop")):
        if name not in body or (kind == "oco" and name == "take_profit"):
            continue
        limit = number_in(body[name], "limit_price")
        if name == "stop_loss" and limit == limit:
            what = "stop_limit"
        yield Order(
            "",
            str(uuid5(NAMESPACE_OID, f"{order.client_id} {name}")),
            order.symbol,
            order.side if kind == "oco" else -order.side,
            what,
            order.qty,
            limit,
            number_in(body[name], "stop_price"),
            order.tif,
            opens=False,
            parent="" if kind == "oco" else order.client_id,
            group=order.client_id if kind in ("oco", "bracket") else "",
        )


def frame(stream: str, data: dict[str, Any]) -> bytes:
    """A frame of the stream of trade updates."""
    return json.dumps({"stream": stream, "data": data}).encode()


def refusal(fault: str, call: Call) -> Answer:
    """How it says 429, 500 and no."""
    if fault == "reject":
        return no(403, 40310000, "insufficient buying power")
    answer = plain_refusal(fault, call)
    return no(answer.status, 0, str(answer.body["message"]), answer.headers)


def impossible(error: Impossible) -> Answer:
    """What an account does not do, in its words."""
    match error.code:
        case "id_clash":
            return no(422, 40010001, "client_order_id must be unique")
        case "unknown_symbol":
            return no(422, 42210000, f"asset not found: {error}")
        case "held":
            return no(403, 40310000, "insufficient qty available for order (available: 0)")
        case "wash_trade":
            return no(403, 40310000, "potential wash trade detected. use complex orders")
    return no(422, 42210000, f"order is not in a state to do so: {error}")


def no(status: int, code: int, message: str, headers: Any = None) -> Answer:
    """An error."""
    body = {"code": code, "message": message} if code else {"message": message}
    return Answer(body, status, headers or {})


def prices_in(body: dict[str, Any]) -> list[float]:
    """All prices of a request."""
    parts = [body, body.get("take_profit", {}), body.get("stop_loss", {})]
    return [float(x[k]) for x in parts for k in ("limit_price", "stop_price") if k in x]


def number_in(body: dict[str, Any], key: str) -> float:
    """A number of a request; NaN where it has none."""
    return float(body[key]) if body.get(key) is not None else NAN


def text_of(value: float) -> str | None:
    """A number as it writes one."""
    return None if math.isnan(value) else f"{value:.9f}".rstrip("0").rstrip(".")


def side_of(side: int) -> str:
    """A side as it writes one."""
    return "buy" if side > 0 else "sell"


def time_of(at: int) -> str:
    """A time as it writes one."""
    seconds, rest = divmod(at, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def asset_id(symbol: str) -> str:
    """Its name of a share."""
    return str(uuid5(NAMESPACE_OID, f"asset {symbol}"))


def fill_id(name: str) -> str:
    """Its name of a fill."""
    return str(uuid5(NAMESPACE_OID, f"fill {name}"))
