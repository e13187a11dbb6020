"""A TradeStation on loopback: its login, its orders, its order stream; its data stand beside it.

It reads and writes the wire by itself, from the vendor's own specification and from frames that
others have recorded (docs/broker-tradestation.md), not with the adapter's functions.
"""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any

from intrabar.brokers.fakes.account import FakeAccount, Impossible, News, Order
from intrabar.brokers.fakes.faults import Faults
from intrabar.brokers.fakes.server import Answer, Call, FakeServer, Feed, Streamed
from intrabar.brokers.fakes.tradestation_data import FakeMarket
from intrabar.brokers.fakes.tradestation_words import (
    account_body,
    balance_body,
    instant,
    line,
    message,
    order_body,
    position_body,
    read,
)
from intrabar.links.tradestation.service import Service

DAY_NS = 86_400 * 10**9


class FakeTradeStation:
    """The vendor.

    Parameters
    ----------
    faults : Faults, optional
    account : FakeAccount, optional
    market : FakeMarket, optional
        What it tells of prices.
    beat : float, seconds
        Between two heartbeats of an idle stream.
    page : int
        Orders of one page.
    """

    def __init__(
        self,
        faults: Faults | None = None,
        *,
        account: FakeAccount | None = None,
        market: FakeMarket | None = None,
        beat: float = 5.0,
        page: int = 600,
    ) -> None:
        self.faults = faults or Faults()
        self.account = account or new_account()
        self.market = market or FakeMarket(self.account.symbols)
        self.beat, self.page = beat, page
        self.others: list[str] = []  # further accounts of the login
        self.rotates = False
        self.lifetime = 1200
        self.refresh_token, self._tokens = "refresh-0", 0
        self._good: set[str] = set()  # each is good until its end, whatever others are given
        self.server = FakeServer(self._handle, kind_of, self.faults, refusal=self._refusal)
        self._feeds: set[asyncio.Queue[Order | str]] = set()
        self.account.watchers.append(self._watch)

    @property
    def service(self) -> Service:
        """Its hosts, as the adapter is told them: those of simulated accounts."""
        return Service("paper", f"{self.server.url}/v3", self.server.url)

    async def start(self) -> None:
        """Listen."""
        await self.server.start()

    async def stop(self) -> None:
        """Be gone."""
        await self.server.stop()

    # What is asked

    async def _handle(self, call: Call) -> Answer | Streamed:
        if call.path == "/oauth/token":
            return self._token(call)
        if call.headers.get("authorization", "").removeprefix("Bearer ") not in self._good:
            return error(401, "Unauthorized", "The token is not valid or has expired.")
        parts = call.path.strip("/").split("/")[1:]
        match [call.method, *parts]:
            case ["GET", "brokerage", "accounts"]:
                return Answer({"Accounts": [account_body(x) for x in self._ids()]})
            case ["GET", "brokerage", "accounts", ids, *rest]:
                return self._look(ids, rest, call)
            case ["GET", "brokerage", "stream", "accounts", ids, "orders"]:
                if ids != self.account.id:
                    return error(403, "Forbidden", "Account not allowed.")
                return Streamed(self._stream, {"Content-Type": STREAMS.format("v3")})
            case ["POST", "orderexecution", "orders" | "ordergroups"]:
                return self._placed(call.json)
            case ["PUT", "orderexecution", "orders", order]:
                return self._changed(order, call.json)
            case ["DELETE", "orderexecution", "orders", order]:
                return self._cancelled(order)
            case ["GET", "marketdata", *rest]:
                return self.market.answer(rest, call.query)
        return error(404, "NotFound", f"No such resource: {call.path}")

    def _token(self, call: Call) -> Answer:
        form = call.form
        if form.get("grant_type") == "authorization_code":
            known = form.get("code") == "the-code" and "code_verifier" in form
        else:
            known = form.get("refresh_token") == self.refresh_token
        if not known or not form.get("client_id"):
            return Answer(
                {
                    "error": "invalid_grant",
                    "error_description": "Unknown or invalid refresh token.",
                },
                403,
            )
        self._tokens += 1
        token = f"access-{self._tokens}"
        self._good.add(token)
        told = {
            "access_token": token,
            "id_token": "an-id",
            "scope": "openid offline_access MarketData ReadAccount Trade",
            "expires_in": self.lifetime,
            "token_type": "Bearer",
        }
        if self.rotates or form["grant_type"] == "authorization_code":
            self.refresh_token = f"refresh-{self._tokens}"
            told["refresh_token"] = self.refresh_token
        return Answer(told)

    def _refusal(self, fault: str, call: Call) -> Answer:
        match fault:
            case "429":
                body = {"Error": "TooManyRequests", "Message": "Rate quota exceeded"}
                return Answer(body, 429, {"X-RateLimit-Reset": "0"})
            case "500":
                return error(500, "InternalServerError", "An unexpected error.")
            case "reject":
                told = {"Error": "FAILED", "Message": "EC602: You are short 0.00 shares!"}
                return Answer({"Orders": [{"OrderID": "", **told}], "Errors": []})
            case "second_login":
                self._tell("DualLogon")
        self._good.clear()
        return error(401, "Unauthorized", "The token is not valid or has expired.")

    # Accounts and looks

    def _ids(self) -> list[str]:
        return [self.account.id, *self.others]

    def _look(self, ids: str, rest: list[str], call: Call) -> Answer:
        if ids != self.account.id:
            told = {"AccountID": ids, "Error": "Forbidden", "Message": "Not your account."}
            key = {"balances": "Balances", "positions": "Positions"}.get(rest[0], "Orders")
            return Answer({key: [], "Errors": [told]})
        match rest:
            case ["balances"]:
                return Answer({"Balances": [balance_body(self.account)], "Errors": []})
            case ["positions"]:
                held = self.account.positions.items()
                listed = [position_body(self.account, n, *x) for n, x in enumerate(held)]
                return Answer({"Positions": listed, "Errors": []})
            case ["orders"]:
                return self._page(self._today(), call)
            case ["historicalorders"]:
                return self._page(self._older(call.query["since"]), call)
            case ["orders", names]:
                return self._named(self._today(), names)
            case ["historicalorders", names]:
                return self._named(self._older(call.query["since"]), names)
        return error(404, "NotFound", "No such resource.")

    def _today(self) -> list[Order]:
        began = self.account.now() // DAY_NS * DAY_NS
        return [x for x in self.account.orders.values() if x.rest or x.changed >= began]

    def _older(self, since: str) -> list[Order]:
        first = datetime.fromisoformat(since).replace(tzinfo=UTC).timestamp() * 1e9
        return [x for x in self.account.orders.values() if not x.rest and x.created >= first]

    def _page(self, orders: list[Order], call: Call) -> Answer:
        first = int(call.query.get("nextToken", "0"))
        size = min(int(call.query.get("pageSize", "600")), self.page)
        told: dict[str, Any] = {
            "Orders": [order_body(self.account, x) for x in orders[first : first + size]],
            "Errors": [],
        }
        if first + size < len(orders):
            told["NextToken"] = str(first + size)
        return Answer(told)

    def _named(self, orders: list[Order], names: str) -> Answer:
        wanted = names.split(",")
        found = [order_body(self.account, x) for x in orders if x.id in wanted]
        lacking = set(wanted) - {x["OrderID"] for x in found}
        errors = [
            {
                "AccountID": self.account.id,
                "OrderID": x,
                "Error": "NotFound",
                "Message": "No order.",
            }
            for x in sorted(lacking)
        ]
        return Answer({"Orders": found, "Errors": errors})

    # Orders

    def _placed(self, body: dict[str, Any]) -> Answer:
        if "Type" in body:
            group = f"group-{len(self.account.orders)}"
            orders = [read(x, group=group) for x in body["Orders"]]
        else:
            orders = [read(body)]
            for oso in body.get("OSOs", ()):
                group = f"group-{len(self.account.orders)}" if oso["Type"] != "NORMAL" else ""
                parent = orders[0].client_id
                orders += [read(x, group=group, parent=parent) for x in oso["Orders"]]
        try:
            taken = self.account.place(orders)
        except Impossible as no:
            why = {"unknown_symbol": "Symbol not found."}.get(no.code, str(no))
            told = {"OrderID": "", "Error": "FAILED", "Message": why}
            return Answer({"Orders": [], "Errors": [told]})
        return Answer({"Orders": [{"OrderID": x.id, "Message": message(x)} for x in taken]})

    def _changed(self, name: str, body: dict[str, str]) -> Answer:
        nan = float("nan")
        try:
            self.account.change(
                name,
                qty=float(body.get("Quantity", nan)),
                limit_price=float(body.get("LimitPrice", nan)),
                stop_price=float(body.get("StopPrice", nan)),
            )
        except Impossible as no:
            return _soft(no)
        return Answer({"OrderID": name, "Message": "Cancel/Replace order sent."})

    def _cancelled(self, name: str) -> Answer:
        try:
            self.account.cancel(name)
        except Impossible as no:
            return _soft(no)
        return Answer({"OrderID": name, "Message": "Cancel request sent"})

    # The stream

    def _watch(self, news: News) -> None:
        if news.order is not None:
            for feed in self._feeds:
                feed.put_nowait(news.order)

    def _tell(self, what: str) -> None:
        for feed in self._feeds:
            feed.put_nowait(what)

    def go_away(self) -> None:
        """Let the server ask its listeners to come again."""
        self._tell("GoAway")

    def say(self, frame: dict[str, Any]) -> None:
        """Tell a frame as it is, such as one that was recorded elsewhere."""
        self._tell(json.dumps(frame))

    async def _stream(self, feed: Feed) -> None:
        waiting: asyncio.Queue[Order | str] = asyncio.Queue()
        for order in self._today():
            await feed.beat(line(order_body(self.account, order)))
        await feed.beat(line({"StreamStatus": "EndSnapshot"}))
        self._feeds.add(waiting)
        beats = 0
        try:
            while True:
                try:
                    async with asyncio.timeout(self.beat):
                        news = await waiting.get()
                except TimeoutError:
                    beats += 1
                    at = instant(self.account.now())
                    await feed.beat(line({"Heartbeat": beats, "Timestamp": at}))
                    continue
                if news == "GoAway":
                    await feed.beat(line({"StreamStatus": "GoAway"}))
                    return
                if news == "DualLogon":
                    await feed.beat(line({"Error": "DualLogon", "Message": "Logged on elsewhere."}))
                    return
                if isinstance(news, str):
                    await feed.tell(f"{news}\r\n".encode())
                else:
                    await feed.tell(line(order_body(self.account, news)))
        finally:
            self._feeds.discard(waiting)


STREAMS = "application/vnd.tradestation.streams.{}+json"


def new_account() -> FakeAccount:
    """An account as the simulator has them; exits work once their entry has filled whole."""
    return FakeAccount(
        id="SIM0000001M", activates="whole", names=lambda n: str(900_000_000 + n), now=time.time_ns
    )


def kind_of(call: Call) -> str:
    """Of which kind a request is, for faults."""
    parts = call.path.strip("/").split("/")
    if call.path == "/oauth/token":
        return "token"
    if "marketdata" in parts:
        if parts[2] == "symbols":
            return "connect"
        return "data_stream" if parts[2] == "stream" else "data"
    if "stream" in parts:
        return "stream"
    if "brokerage" in parts:
        if len(parts) == 3:
            return "connect"
        return "find" if len(parts) > 5 else "look"
    return {"POST": "submit", "PUT": "replace", "DELETE": "cancel"}.get(call.method, "")


def error(status: int, title: str, why: str) -> Answer:
    """An error as the vendor writes it."""
    return Answer({"Error": title, "Message": why}, status)


def _soft(no: Impossible) -> Answer:
    why = "Not an open order." if no.code == "not_open" else str(no)
    return error(400, "BadRequest", why)
