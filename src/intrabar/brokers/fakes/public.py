"""Public.com on loopback, by its published specification: accounts, orders, quotes and bars.

It takes orders before it shows them, does not order twice by one id, and shows the exits of a
bracket when their entry fills, under ids of its own.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from intrabar.brokers.fakes.account import ALIVE, FakeAccount, Impossible, Order
from intrabar.brokers.fakes.faults import Faults
from intrabar.brokers.fakes.public_data import Bars, chart, quote
from intrabar.brokers.fakes.public_words import (
    CALLED,
    No,
    named,
    ns,
    number,
    open_order,
    plain,
    whole_order,
)
from intrabar.brokers.fakes.server import Answer, Call, FakeServer

SECRET = "a-secret-of-the-fake"
DAY = 86_400 * 10**9
LIMIT = 500


@dataclass
class FakePublic:
    """The vendor.

    Parameters
    ----------
    account : FakeAccount
    name_of : callable
        Our name of an order, by the id under which it came; the vendor itself has none.
    faults : Faults
    tls : ssl.SSLContext, optional
    hides : int
        For how many questions an order is not shown after it was taken.
    bars : mapping
        By symbol and seconds of a bar; of one in progress the first print is told.
    label : int
        Seconds that lie between the first instant of a bar and its stamp.
    permission : str
        What the account may.
    """

    account: FakeAccount
    name_of: Callable[[str], str]
    faults: Faults = field(default_factory=Faults)
    tls: ssl.SSLContext | None = None
    hides: int = 0
    bars: Bars = field(default_factory=dict)
    label: int = 0
    permission: str = "BUY_AND_SELL"
    tokens: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = FakeServer(
            self._handle, self.kind_of, self.faults, refusal=self._refusal, tls=self.tls
        )
        self.account.changes_make_new = True
        self.account.names = self._made_id
        self._wanted_id = ""
        self._hidden: dict[str, int] = {}
        self._times: dict[str, dict[str, Any]] = {}  # expiration, by order

    @property
    def now(self) -> int:
        """Its time, ns UTC."""
        return self.account.now()

    @staticmethod
    def kind_of(call: Call) -> str:
        """Of which kind a request is."""
        parts = call.path.strip("/").split("/")
        match call.method, parts[-1]:
            case _, "access-tokens":
                return "token"
            case "POST", "order":
                return "submit"
            case "PUT", "order":
                return "replace"
            case "DELETE", _:
                return "cancel"
            case "GET", _ if parts[-2] == "order":
                return "find"
            case _, "v2" | "search":
                return "look"
            case _, "account":
                return "connect"
        if "historicdata" in parts:
            return "bars"
        return "connect" if "instruments" in parts else ""

    async def _handle(self, call: Call) -> Answer:
        try:
            return Answer(self._told(call))
        except No as no:
            return no.answer
        except Impossible as no:
            status = 404 if no.code == "not_open" else 400
            told = {"errorCode": f"order.{no.code}", "message": CALLED.get(no.code, str(no))}
            return Answer(told, status)

    def _refusal(self, fault: str, call: Call) -> Answer:
        if fault == "429":
            return Answer({"message": "Too many requests"}, 429, {"Retry-After": "0"})
        if fault == "500":
            return Answer({"message": "Internal server error"}, 500)
        if fault == "reject":
            return Answer({"errorCode": "order.rejected", "message": "Order rejected"}, 400)
        self.tokens.clear()
        return Answer({"errorCode": "unauthorized", "message": "Unauthorized"}, 401)

    def _told(self, call: Call) -> Any:
        service, *parts = call.path.strip("/").split("/")
        if service == "userapiauthservice":
            return self._token(call.json)
        if call.headers.get("authorization", "") not in {f"Bearer {t}" for t in self.tokens}:
            raise No(401, "unauthorized", "Unauthorized")
        match call.method, parts:
            case "GET", ["trading", "account"]:
                return {"accounts": [self._account()]}
            case "GET", ["trading", "instruments", symbol, "EQUITY"]:
                return self._instrument(symbol)
            case "GET", ["historicdata", "EQUITY", symbol, window, size]:
                return chart(symbol, self.bars, window, size, self.now, self.label)
            case "POST", ["marketdata", account, "quotes"]:
                self._require_account(account)
                return {"quotes": [self._quote(x["symbol"]) for x in call.json["instruments"]]}
            case "GET", ["trading", account, "portfolio", "v2"]:
                self._require_account(account)
                return self._portfolio()
            case method, ["trading", account, "order", *rest]:
                self._require_account(account)
                return self._order_asked(method, rest, call)
        raise No(404, "not_found", f"No {call.method} {call.path}")

    def _token(self, asked: dict[str, Any]) -> dict[str, Any]:
        if not 5 <= asked.get("validityInMinutes", 15) <= 1440:
            raise No(400, "user_api_auth.personal.validity", "Invalid validity")
        if asked["secret"] != SECRET:
            raise No(400, "user_api_auth.personal.invalid_secret", "Invalid secret")
        self.tokens.append(f"token-of-the-fake-{len(self.server.calls)}")
        return {"accessToken": self.tokens[-1]}

    def _require_account(self, account: str) -> None:
        if account != self.account.id:
            raise No(400, "account", "Account is invalid or unauthorized")

    def _account(self) -> dict[str, Any]:
        return {
            "accountId": self.account.id,
            "accountType": "BROKERAGE",
            "optionsLevel": "NONE",
            "brokerageAccountType": "MARGIN",
            "tradePermissions": self.permission,
        }

    def _instrument(self, symbol: str) -> dict[str, Any]:
        self._require_symbol(symbol)
        return {
            "instrument": named(symbol),
            "trading": "BUY_AND_SELL",
            "fractionalTrading": "BUY_AND_SELL",
            "optionTrading": "DISABLED",
            "optionSpreadTrading": "DISABLED",
        }

    def _require_symbol(self, symbol: str) -> None:
        if symbol not in self.account.symbols and not any(s == symbol for s, _ in self.bars):
            raise No(400, "instrument", f"Instrument {symbol} not found")

    # Orders

    def _order_asked(self, method: str, rest: list[str], call: Call) -> dict[str, Any]:
        match method, rest:
            case "POST", []:
                return self._place(call.json)
            case "PUT", []:
                return self._replace(call.json)
            case "POST", ["search"]:
                return {"orders": [self._order(x) for x in self._found(call.json)]}
            case "GET", [vendor_id]:
                return self._order(self._shown(vendor_id))
            case "DELETE", [vendor_id]:
                self.account.cancel(vendor_id)
                return {}
        raise No(404, "not_found", "Not found")

    def _place(self, asked: dict[str, Any]) -> dict[str, Any]:
        vendor_id = str(UUID(asked["orderId"]))
        if vendor_id in self.account.orders:
            return {"orderId": vendor_id}
        indicator = asked.get("openCloseIndicator")
        entry = Order(
            vendor_id,
            self.name_of(vendor_id),
            asked["instrument"]["symbol"],
            1 if asked["orderSide"] == "BUY" else -1,
            asked["orderType"].lower(),
            number(asked["quantity"], 5),
            number(asked.get("limitPrice"), 2),
            number(asked.get("stopPrice"), 2),
            tif=asked["expiration"]["timeInForce"].lower(),
            until=ns(asked["expiration"].get("expirationTime")),
            opens=asked["orderSide"] == "BUY" if indicator is None else indicator == "OPEN",
        )
        self._require_expiration(asked["expiration"])
        legs = self._legs(entry, asked) if asked.get("orderClass", "SIMPLE") != "SIMPLE" else []
        placed = self.account.place([entry, *legs])
        self._times |= {order.id: asked["expiration"] for order in placed}
        self._hidden[vendor_id] = self.hides
        return {"orderId": vendor_id}

    def _legs(self, entry: Order, asked: dict[str, Any]) -> list[Order]:
        target, stop = asked.get("takeProfit"), asked.get("stopLoss")
        if entry.qty % 1 or entry.type not in ("market", "limit") or not (target or stop):
            raise No(400, "order.bracket", "Invalid bracket order")
        legs = []
        parent, group = entry.client_id, f"bracket {entry.id}"
        for part, kind, told in (("s", "stop", stop), ("t", "limit", target)):
            if told is not None:
                legs.append(
                    Order(
                        "",
                        f"{entry.client_id}{part}",
                        entry.symbol,
                        -entry.side,
                        kind,
                        entry.qty,
                        number(told.get("limitPrice"), 2),
                        number(told.get("stopPrice"), 2),
                        opens=False,
                        parent=parent,
                        group=group,
                    )
                )
        return legs

    def _replace(self, asked: dict[str, Any]) -> dict[str, Any]:
        new, old = str(UUID(asked["requestId"])), str(UUID(asked["orderId"]))
        if new in self.account.orders:
            return {"orderId": new}
        self._require_expiration(asked["expiration"])
        standing = self.account.orders.get(old)
        if standing is not None and standing.type != asked["orderType"].lower():
            raise No(400, "order.type", "The type of an order cannot change")
        self._wanted_id = new
        filled = standing.filled if standing is not None else 0.0
        self.account.change(
            old,
            qty=number(asked.get("quantity"), 5) + filled,  # of the new order, which has no fills
            limit_price=number(asked.get("limitPrice"), 2),
            stop_price=number(asked.get("stopPrice"), 2),
            client_id=self.name_of(new),
        )
        self._times[new] = asked["expiration"]
        self._hidden[new] = self.hides
        return {"orderId": new}

    def _require_expiration(self, told: dict[str, Any]) -> None:
        until = told.get("expirationTime")
        if (told["timeInForce"] == "GTD") != (until is not None):
            raise No(400, "order.expiration", "Invalid expiration")
        if until is not None and not self.now < ns(until) <= self.now + 90 * DAY:
            raise No(400, "order.expiration", "Expiration out of range")

    def _made_id(self, number: int) -> str:
        wanted, self._wanted_id = self._wanted_id, ""
        return wanted or str(uuid5(UUID(int=0), f"{self.account.id} {number}"))

    def _shown(self, vendor_id: str) -> Order:
        """An order that may be asked for: it is not hidden, born, and made within 30 days."""
        order = self.account.orders.get(vendor_id)
        left = self._hidden.get(vendor_id, 0)
        self._hidden[vendor_id] = left - 1
        if order is None or left > 0 or not self._is_born(order):
            raise No(404, "order.not_found", "Order not found")
        if order.created < self.now - 30 * DAY:
            raise No(404, "order.not_found", "Order not found")
        return order

    def _is_born(self, order: Order) -> bool:
        parent = self.account.orders.get(order.parent)
        return order.status != "held" and (parent is None or parent.filled > 0.0)

    def _found(self, asked: dict[str, Any]) -> list[Order]:
        first = max(ns(asked.get("createdAfter")) or 0, self.now - 30 * DAY)
        last = ns(asked.get("createdBefore")) or self.now + DAY
        found = [
            order
            for order in self.account.orders.values()
            if first <= order.created < last
            and self._is_born(order)
            and self._hidden.get(order.id, 0) <= 0
        ]
        return found[:LIMIT]

    def _order(
        self, order: Order, written: Callable[..., dict[str, Any]] = whole_order
    ) -> dict[str, Any]:
        return written(order, self.account, self._times.get(order.id, {"timeInForce": "DAY"}))

    def _quote(self, symbol: str) -> dict[str, Any]:
        self._require_symbol(symbol)
        return quote(symbol, self.account.symbols.get(symbol, 100.0), self.now)

    def _portfolio(self) -> dict[str, Any]:
        account = self.account
        money = plain(account.cash)
        alive = [x for x in account.orders.values() if x.status in ALIVE and self._is_born(x)]
        return {
            "accountId": account.id,
            "accountType": "BROKERAGE",
            "buyingPower": {
                "cashOnlyBuyingPower": money,
                "buyingPower": money,
                "optionsBuyingPower": money,
            },
            "equity": [{"type": "CASH", "value": money}],
            "positions": [
                {
                    "instrument": {"symbol": symbol, "name": symbol, "type": "EQUITY"},
                    "quantity": plain(qty),
                    "costBasis": {"unitCost": plain(average)},
                }
                for symbol, (qty, average) in account.positions.items()
            ],
            "orders": [self._order(x, open_order) for x in alive if self._hidden.get(x.id, 0) <= 0],
            "cash": money,
            "totalAccountValue": plain(account.equity),
        }
