"""Alpaca's data half on loopback: bars by pages, snapshots, and the stream of prices in msgpack.

As it is there: an unknown symbol has just no bars, the last bar may be half a bar, a minute is
pushed just after it is over and again (`u`) where it was wrong, numbers are numbers, and a key may
have one connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from intrabar.brokers.fakes.alpaca_words import KEY, SECRET
from intrabar.brokers.fakes.faults import Faults
from intrabar.brokers.fakes.server import Answer, Call, FakeServer, Feed
from intrabar.links.alpaca.hosts import Hosts
from intrabar.links.clock import Clock

SECOND = 10**9
MINUTE = 60 * SECOND
_LENGTHS = {"1Min": 1, "5Min": 5, "15Min": 15, "30Min": 30, "1Day": 1440}
_CHANNELS = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds")
_KEYS = ("o", "h", "l", "c", "v")


class Bar(NamedTuple):
    """A bar by its start: ns UTC, prices, shares."""

    stamp: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass
class FakePrices:
    """What Alpaca would know of prices.

    Parameters
    ----------
    clock : Clock
        Bars that are not over by it are not known, or half of them.
    table : {symbol: {timeframe: bars}}
    corrected : {symbol: {stamp: bar}}
        What the stream tells of a minute first, which is put right a second later.
    hidden : set of int
        Minutes that the stream does not tell.
    actions : dict
        As `corporate_actions` are answered.
    page : int
    """

    clock: Clock
    table: Mapping[str, Mapping[str, tuple[Bar, ...]]]
    faults: Faults = field(default_factory=Faults)
    corrected: dict[str, dict[int, Bar]] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    actions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    feed: str = "iex"
    page: int = 100
    open_sockets: int = 0
    subscribed: list[dict[str, Any]] = field(default_factory=list)
    change: Callable[[dict[str, Any]], dict[str, Any]] = lambda told: told

    def __post_init__(self) -> None:
        self.server = FakeServer(self.handle, self.kind_of, self.faults, sockets=self.socket)

    @property
    def hosts(self) -> Hosts:
        """Where it is."""
        url, socket = self.server.url, self.server.socket_url
        return Hosts("paper", url, url, f"{socket}/stream", f"{socket}/v2")

    def kind_of(self, call: Call) -> str:
        """Of which kind a request is."""
        return "connect" if call.path.startswith("/v2/assets") else "look"

    async def handle(self, call: Call) -> Answer:
        """Answer a request."""
        keys = call.headers.get("apca-api-key-id"), call.headers.get("apca-api-secret-key")
        if keys != (KEY, SECRET):
            return Answer({"message": "forbidden."}, 403)
        match call.path.strip("/").split("/"):
            case ["v2", "assets", symbol]:
                if symbol in self.table:
                    return Answer({"symbol": symbol, "tradable": True})
                text = f"asset not found for {symbol}"
                return Answer({"code": 40410000, "message": text}, 404)
            case ["v2", "stocks", "bars"]:
                if call.query.get("feed") != self.feed:
                    text = "subscription does not permit querying recent SIP data"
                    return Answer({"message": text}, 403)
                return Answer(self.change(self._bars(call.query)))
            case ["v2", "stocks", "snapshots"]:
                return Answer(self.change(self._snapshot(call.query["symbols"])))
            case ["v1", "corporate-actions"]:
                return Answer({"corporate_actions": self.actions, "next_page_token": None})
        return Answer({"message": "endpoint not found."}, 404)

    async def socket(self, feed: Feed, connection: ServerConnection) -> None:
        """The stream of prices, to one who has logged in."""
        await feed.beat(_packed([{"T": "success", "msg": "connected"}]))
        told = msgspec.msgpack.decode(await connection.recv(decode=False))
        if (told.get("action"), told.get("key"), told.get("secret")) != ("auth", KEY, SECRET):
            await feed.beat(_packed([_error(402, "auth failed")]))
            return
        if self.open_sockets:
            await feed.beat(_packed([_error(406, "connection limit exceeded")]))
            return
        if not connection.request or not connection.request.path.endswith(f"/{self.feed}"):
            await feed.beat(_packed([_error(409, "insufficient subscription")]))
            return
        self.open_sockets += 1
        pushing = None
        try:
            await feed.beat(_packed([{"T": "success", "msg": "authenticated"}]))
            while True:
                told = msgspec.msgpack.decode(await connection.recv(decode=False))
                named = {k: v for k, v in told.items() if k != "action"}
                self.subscribed.append(named)
                empty: dict[str, list[str]] = {
                    k: [] for k in ("trades", "quotes", "bars", "updatedBars", "dailyBars")
                }
                await feed.beat(_packed([{"T": "subscription", **empty, **named}]))
                pushing = pushing or asyncio.ensure_future(self._push(feed, named))
        except ConnectionClosed:
            pass
        finally:
            self.open_sockets -= 1
            if pushing is not None:
                pushing.cancel()
                await asyncio.gather(pushing, return_exceptions=True)

    async def _push(self, feed: Feed, named: dict[str, list[str]]) -> None:
        """Tell each minute when it is over, half a second later, and quotes beside it."""
        while True:
            over = self.clock.now() // MINUTE * MINUTE + MINUTE
            await self.clock.sleep((over + SECOND // 2 - self.clock.now()) / SECOND)
            for symbol in named.get("bars", ()):
                bar = self._minute(symbol, over - MINUTE)
                if bar is None or bar.stamp in self.hidden:
                    continue
                first = self.corrected.get(symbol, {}).get(bar.stamp, bar)
                await feed.tell(_packed([{"T": "b", "S": symbol, **_written(first, packed=True)}]))
                if first != bar:
                    await feed.tell(
                        _packed([{"T": "u", "S": symbol, **_written(bar, packed=True)}])
                    )
                if symbol in named.get("quotes", ()):
                    await feed.beat(_packed([self._best(symbol, bar.close)]))

    def _minute(self, symbol: str, stamp: int) -> Bar | None:
        rows = self.table.get(symbol, {}).get("1Min", ())
        return next((row for row in rows if row.stamp == stamp), None)

    def _bars(self, asked: Mapping[str, str]) -> dict[str, Any]:
        symbol, length = asked["symbols"], _LENGTHS[asked["timeframe"]] * MINUTE
        first, last = (_ns(asked[key]) for key in ("start", "end"))
        now = self.clock.now()
        rows = [
            self._known(row, length)
            for row in self.table.get(symbol, {}).get(asked["timeframe"], ())
            if first <= row.stamp <= min(last, now)
        ]
        at = int(asked.get("page_token", 0))
        end = at + min(int(asked.get("limit", 1000)), self.page)
        part = [_written(row) for row in rows[at:end]]
        token = str(end) if end < len(rows) else None
        return {"bars": {symbol: part} if part else {}, "next_page_token": token}

    def _known(self, row: Bar, length: int) -> Bar:
        """A bar as it is now: half of it, while it is in progress."""
        if row.stamp + length <= self.clock.now():
            return row
        return Bar(row.stamp, row.open, row.high, row.low, row.open, row.volume // 2)

    def _snapshot(self, symbol: str) -> dict[str, Any]:
        rows = self.table.get(symbol, {}).get("1Min", ())
        known = [row for row in rows if row.stamp <= self.clock.now()]
        if not known:
            return {}
        last, at = known[-1], datetime.fromtimestamp(self.clock.now() // SECOND - 1, UTC)
        quote = {k: v for k, v in self._best(symbol, last.close).items() if k not in "TSt"}
        return {
            symbol: {
                "latestTrade": {"t": f"{at:%Y-%m-%dT%H:%M:%S}Z", "p": last.close, "s": 100},
                "latestQuote": {"t": f"{at:%Y-%m-%dT%H:%M:%S.123456789}Z", **quote},
                "minuteBar": _written(last),
                "dailyBar": {**_written(known[0]), "v": sum(row.volume for row in known)},
                "prevDailyBar": None,
            }
        }

    def _best(self, symbol: str, price: float) -> dict[str, Any]:
        quote = {"ax": "V", "ap": price + 0.05, "as": 1, "bx": "V", "bp": price - 0.05, "bs": 2}
        at = datetime.fromtimestamp(self.clock.now() / SECOND, UTC)
        return {"T": "q", "S": symbol, "t": at, **quote, "c": ["R"], "z": "C"}


def _written(bar: Bar, *, packed: bool = False) -> dict[str, Any]:
    at = datetime.fromtimestamp(bar.stamp // SECOND, UTC)
    values = (bar.open, bar.high, bar.low, bar.close, bar.volume)
    time = at if packed else f"{at:%Y-%m-%dT%H:%M:%S}Z"
    return {"t": time, **dict(zip(_KEYS, values, strict=True)), "n": 12, "vw": bar.close}


def _packed(messages: list[dict[str, Any]]) -> bytes:
    return msgspec.msgpack.encode(messages)


def _error(code: int, text: str) -> dict[str, Any]:
    return {"T": "error", "code": code, "msg": text}


def _ns(text: str) -> int:
    """An instant as a client writes it, with up to nine decimals."""
    whole, _, rest = text.removesuffix("Z").removesuffix("+00:00").partition(".")
    at = datetime.fromisoformat(f"{whole}+00:00")
    return round(at.timestamp()) * SECOND + int(rest.ljust(9, "0") or 0)
