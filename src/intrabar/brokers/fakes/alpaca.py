"""Alpaca's trading half on loopback: REST, and the stream of trade updates.

As it is there, by its documents, its client's models and what others have seen: legs have names of
their own and wait for the whole of their entry; a stop whose target stands on the book is `held`,
is not listed as open, and its end with the target is not told; who cancels one of a group cancels
all; a change makes a new order, whose quantity counts from nothing (Alpaca-API 165); an update has
its order whole, and comes in a binary frame.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from websockets.asyncio.server import ServerConnection

from intrabar.brokers.fakes.account import ALIVE, FakeAccount, Impossible, News, Order
from intrabar.brokers.fakes.alpaca_words import (
    KEY,
    NUMBER,
    SECRET,
    SIDES,
    WORDS,
    account_of,
    activity_of,
    asset_of,
    fill_id,
    frame,
    impossible,
    legs_of,
    no,
    number_in,
    order_of,
    position_of,
    prices_in,
    refusal,
    text_of,
    time_of,
)
from intrabar.brokers.fakes.faults import Faults
from intrabar.brokers.fakes.server import Answer, Call, FakeServer, Feed
from intrabar.links.alpaca.hosts import Hosts


class FakeAlpaca:
    """One account of Alpaca behind a server.

    Parameters
    ----------
    faults : Faults, optional
    now : callable
        ns UTC.
    number : str
        Of the account.
    """

    def __init__(
        self,
        faults: Faults | None = None,
        now: Callable[[], int] | None = None,
        *,
        number: str = NUMBER,
    ) -> None:
        more: dict[str, Any] = {} if now is None else {"now": now}
        self.account = FakeAccount(
            number,
            activates="whole",
            changes_make_new=True,
            holds=True,
            names=lambda n: str(uuid5(NAMESPACE_OID, f"order {n}")),
            **more,
        )
        self.account.watchers.append(self._hear)
        self.faults = faults or Faults()
        self.facts: dict[str, Any] = {}  # of the account, over its own
        self._tops: dict[str, str] = {}  # names there: of a leg, of the order whose leg it is
        self._classes: dict[str, str] = {}
        self._queues: set[asyncio.Queue[bytes]] = set()
        self._asked = 0
        self.server = FakeServer(
            self.handle, self.kind_of, self.faults, refusal=refusal, sockets=self.socket
        )

    @property
    def hosts(self) -> Hosts:
        """Where it is."""
        url, socket = self.server.url, self.server.socket_url
        return Hosts("paper", url, url, f"{socket}/stream", f"{socket}/v2")

    def kind_of(self, call: Call) -> str:
        """Of which kind a request is; the account is asked to connect, and later in each look."""
        path = call.path.removeprefix("/v2")
        if path.startswith("/orders"):
            kinds = {"POST": "submit", "PATCH": "replace", "DELETE": "cancel"}
            return kinds.get(call.method, "look" if path == "/orders" else "find")
        if path == "/account":
            self._asked += 1
            return "connect" if self._asked == 1 else "look"
        return "connect" if path.startswith("/assets") else "look"

    async def handle(self, call: Call) -> Answer:
        """Answer a request."""
        if (call.headers.get("apca-api-key-id"), call.headers.get("apca-api-secret-key")) != (
            KEY,
            SECRET,
        ):
            return no(401, 40110000, "request is not authorized")
        path = call.path.removeprefix("/v2").strip("/").replace("orders:by", "orders/:by")
        match call.method, path.split("/"):
            case "GET", ["account"]:
                return Answer(account_of(self.account, self.facts))
            case "GET", ["account", "activities", "FILL"]:
                return Answer(self._activities(call.query))
            case "GET", ["assets", symbol]:
                if symbol in self.account.symbols:
                    return Answer(asset_of(symbol))
                return no(404, 40410000, f"asset not found for {symbol}")
            case "GET", ["positions"]:
                return Answer([position_of(self.account, x) for x in self.account.positions])
            case "GET", ["orders"]:
                return Answer(self._listed(call.query))
            case "GET", ["orders", ":by_client_order_id"]:
                found = self.account.by_client_id(call.query.get("client_order_id", ""))
                return self._shown(found, nested=False)
            case "GET", ["orders", vendor_id]:
                return self._shown(self.account.orders.get(vendor_id), "nested" in call.query)
            case "POST", ["orders"]:
                return self._possible(lambda: self._placed(call.json))
            case "PATCH", ["orders", vendor_id]:
                return self._possible(lambda: self._changed(vendor_id, call.json))
            case "DELETE", ["orders", vendor_id]:
                return self._possible(lambda: self._cancelled(vendor_id))
        return no(404, 40410000, f"endpoint not found: {call.path}")

    async def socket(self, feed: Feed, connection: ServerConnection) -> None:
        """The stream of trade updates, to one who has logged in and listens."""
        told = json.loads(await connection.recv())
        keys = told.get("data", {})
        good = (keys.get("key_id"), keys.get("secret_key")) == (KEY, SECRET)
        good &= told.get("action") == "authenticate"
        status = "authorized" if good else "unauthorized"
        data = {"status": status, "action": "authenticate"}
        await feed.beat(frame("authorization", data))
        if not good:
            return
        told = json.loads(await connection.recv())
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._queues.add(queue)
        gone = asyncio.ensure_future(connection.wait_closed())
        try:
            await feed.beat(frame("listening", {"streams": told["data"]["streams"]}))
            while not gone.done():
                coming = asyncio.ensure_future(queue.get())
                await asyncio.wait({coming, gone}, return_when=asyncio.FIRST_COMPLETED)
                if coming.done():
                    await feed.tell(coming.result())
                coming.cancel()
        finally:
            gone.cancel()
            self._queues.discard(queue)

    # What it is asked for

    def _activities(self, asked: Any) -> list[dict[str, Any]]:
        orders = self.account.orders
        found = [
            activity_of(x, orders[x.order], self._word(orders[x.order]), self.account.id)
            for x in self.account.fills
            if time_of(x.time) > asked.get("after", "")
        ]
        ids = [one["id"] for one in found]
        first = ids.index(asked["page_token"]) + 1 if asked.get("page_token") in ids else 0
        return found[first : first + int(asked.get("page_size", 100))]

    def _listed(self, asked: Any) -> list[dict[str, Any]]:
        nested = asked.get("nested", "").lower() == "true"
        found = [
            x for x in self.account.orders.values() if not (nested and x.client_id in self._tops)
        ]
        if (status := asked.get("status", "open")) != "all":
            is_open = [x.status in ALIVE and self._word(x) != "held" for x in found]
            found = [x for x, o in zip(found, is_open, strict=True) if o == (status == "open")]
        after, until = asked.get("after", ""), asked.get("until", "9")
        found = [x for x in found if after < time_of(x.created) < until]
        found.sort(key=lambda x: x.created, reverse=asked.get("direction", "desc") == "desc")
        return [self._order(x, nested) for x in found[: min(int(asked.get("limit", 50)), 500)]]

    def _shown(self, order: Order | None, nested: bool) -> Answer:
        if order is None:
            return no(404, 40410000, "order not found")
        return Answer(self._order(order, nested))

    def _possible(self, do: Callable[[], Answer]) -> Answer:
        try:
            return do()
        except Impossible as error:
            return impossible(error)

    def _placed(self, body: dict[str, Any]) -> Answer:
        kind = body.get("order_class") or "simple"
        number = len(self.account.orders)
        client_id = body.get("client_order_id") or str(uuid5(NAMESPACE_OID, f"name {number}"))
        symbol, side = body["symbol"], SIDES[body["side"]]
        held = self.account.positions.get(symbol, (0.0, 0.0))[0]
        order = Order(
            "",
            client_id,
            symbol,
            side,
            body["type"],
            float(body["qty"]),
            number_in(body, "limit_price"),
            number_in(body, "stop_price"),
            body["time_in_force"],
            opens=held * side >= 0.0,
        )
        wanted = {"bracket": {"take_profit", "stop_loss"}, "oco": {"take_profit", "stop_loss"}}
        given = {"take_profit", "stop_loss"} & set(body)
        if given != wanted.get(kind, given) or (kind == "oto") != (len(given) == 1):
            return no(422, 40010001, f"{kind} orders require {' and '.join(sorted(given))}")
        if kind != "simple" and body["time_in_force"] not in ("day", "gtc"):
            return no(422, 42210000, f"{kind} orders must be day or gtc")
        for price in prices_in(body):
            if price >= 1.0 and round(price, 2) != price:
                text = f"invalid limit_price {price}. sub-penny increment does not fulfill minimum"
                return no(422, 42210000, f"{text} pricing criteria")
        legs = list(legs_of(order, body, kind))
        if kind == "oco":
            order.group = client_id
        if client_id not in self.account.submitted:
            self._classes |= dict.fromkeys((client_id, *(x.client_id for x in legs)), kind)
            self._tops |= dict.fromkeys((x.client_id for x in legs), client_id)
        taken = self.account.place([order, *legs])
        return Answer(self._order(taken[0], nested=True))

    def _changed(self, vendor_id: str, body: dict[str, Any]) -> Answer:
        if vendor_id not in self.account.orders:
            return no(404, 40410000, f"order not found for {vendor_id}")
        old = self.account.orders[vendor_id]
        client_id = body.get("client_order_id") or str(uuid5(NAMESPACE_OID, f"of {vendor_id}"))
        if client_id in self.account.submitted:
            raise Impossible("id_clash", "client_order_id must be unique")
        self._classes[client_id] = self._classes.get(old.client_id, "simple")
        if old.client_id in self._tops:
            self._tops[client_id] = self._tops[old.client_id]
        new = self.account.change(
            vendor_id,
            qty=float(body.get("qty", old.qty)) + old.filled,
            limit_price=number_in(body, "limit_price"),
            stop_price=number_in(body, "stop_price"),
            client_id=client_id,
        )
        return Answer(self._order(new, nested=False))

    def _cancelled(self, vendor_id: str) -> Answer:
        if vendor_id not in self.account.orders:
            return no(404, 40410000, f"order not found for {vendor_id}")
        orders = self.account.orders
        name = orders[vendor_id].client_id
        top = self._tops.get(name, name)
        others = [
            x.id
            for x in reversed(orders.values())  # legs first: nothing of it is to wake
            if x.id != vendor_id
            and x.status in ALIVE
            and top in (x.client_id, self._tops.get(x.client_id))
        ]
        if orders[vendor_id].status in ALIVE:
            for other in others:
                self.account.cancel(other)
        self.account.cancel(vendor_id)
        return Answer(status=204)

    # In its words

    def _order(self, order: Order, nested: bool) -> dict[str, Any]:
        every = self.account.orders.values()
        legs = [x for x in every if self._tops.get(x.client_id) == order.client_id != ""]
        kind, shown = self._classes.get(order.client_id, ""), None
        if nested and legs:
            shown = [self._order(leg, nested=False) for leg in legs]
        return order_of(order, kind, self._word(order), shown)

    def _word(self, order: Order) -> str:
        if order.word:
            return order.word
        if order.status != "working":
            return WORDS.get(order.status, order.status)
        if order.filled:
            return "partially_filled"
        others = (x for x in self.account.orders.values() if order.group and x is not order)
        waits = any(x.group == order.group and x.type == "limit" and x.rest for x in others)
        return "held" if order.type != "limit" and waits else "new"

    def _hear(self, news: News) -> None:
        """Tell everyone who listens what has changed, as far as Alpaca does."""
        order, fill = news.order, news.fill
        if order is None:
            return
        event = order.word or {
            "placed": self._word(order),
            "works": self._word(order),
            "changed": "new" if order.replaces else "restated",
            "filled": "fill" if order.status == "filled" else "partial_fill",
            "ended": WORDS.get(order.status, order.status),
            "shown": order.word,
        }.get(news.what, "")
        is_told = not (news.what == "ended" and order.type == "stop" and self._went_along(order))
        if not event or not is_told:
            return
        held = self.account.positions.get(order.symbol, (0.0, 0.0))[0]
        data = {
            "event": event,
            "execution_id": fill_id(fill.id) if fill else fill_id(f"{order.id}{event}"),
            "price": text_of(fill.price) if fill else None,
            "qty": text_of(fill.qty) if fill else None,
            "position_qty": text_of(held) if fill else None,
            "timestamp": time_of(self.account.now()),
            "order": self._order(order, nested=False),
        }
        for queue in self._queues:
            queue.put_nowait(frame("trade_updates", data))

    def _went_along(self, order: Order) -> bool:
        """Whether a stop has ended because its target has."""
        return any(
            x.group == order.group and x.type == "limit" and x.filled
            for x in self.account.orders.values()
            if order.group
        )
