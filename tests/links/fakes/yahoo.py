"""Yahoo's chart and quote, as recorded answers have them (yfinance, tests/data/responses, 2026).

Prices are adjusted for splits and went through single precision; the newest row of an intraday
chart is the last price, under a stamp of its own; a daily bar of today is there while it grows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import requests
from requests.adapters import HTTPAdapter

from intrabar.links.vendor import Row
from intrabar.model.bars import DAY_NS

SECOND = 10**9
LENGTH = {"1m": 60, "2m": 120, "5m": 300, "15m": 900, "1h": 3600, "1d": 6 * 3600 + 1800}


@dataclass
class FakeYahoo:
    """What Yahoo would know.

    Parameters
    ----------
    now : callable
        Ns UTC.
    table : {symbol: {interval: rows}}
        As they were traded, by the instant at which they begin.
    splits : {symbol: [(instant, new, old)]}
    dividends : {symbol: [(instant, amount a share as it was paid)]}
    zone : str
    """

    now: Callable[[], int]
    table: dict[str, dict[str, tuple[Row, ...]]]
    splits: dict[str, list[tuple[int, float, float]]] = field(default_factory=dict)
    dividends: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    zone: str = "America/New_York"
    change: Callable[[dict[str, Any]], dict[str, Any]] = lambda told: told
    last_price: bool = True

    def answer(self, path: str, asked: dict[str, str]) -> tuple[int, str]:
        if path.endswith("/v7/finance/quote"):
            return 200, json.dumps(self.change(self._quotes(asked["symbols"])))
        symbol = path.rsplit("/", 1)[-1]
        if symbol not in self.table:
            return 404, json.dumps(_error("Not Found", "No data found, symbol may be delisted"))
        return 200, json.dumps(self.change(self._chart(symbol, asked)))

    def _chart(self, symbol: str, asked: dict[str, str]) -> dict[str, Any]:
        interval, now = asked["interval"], self.now()
        first, last = int(asked.get("period1", 0)), int(asked.get("period2", 2**40))
        if "range" in asked:
            first = now // SECOND - 86_400 * 5
        length = LENGTH[interval] * SECOND
        rows = [
            self._known(row, length)
            for row in self.table[symbol].get(interval, ())
            if first * SECOND <= row.stamp <= min(last * SECOND, now)
        ]
        if self.last_price and rows and interval != "1d" and rows[-1].stamp + length > now:
            price = rows[-1].close
            rows.append(Row(now // SECOND * SECOND - 1, price, price, price, price, 0.0))
        adjusted = [self._adjusted(symbol, row) for row in rows]
        columns: dict[str, list[float | None]] = {
            name: [_single(getattr(row, name)) for row in adjusted]
            for name in ("open", "high", "low", "close")
        }
        columns["volume"] = [round(row.volume) for row in adjusted]  # type: ignore[misc]
        events = self._events(symbol, first, last)
        result: dict[str, Any] = {
            "meta": {
                "currency": "USD",
                "symbol": symbol,
                "exchangeName": "NYQ",
                "fullExchangeName": "NYSE",
                "instrumentType": "EQUITY",
                "firstTradeDate": -252322200,
                "regularMarketTime": now // SECOND,
                "hasPrePostMarketData": True,
                "gmtoffset": -18000,
                "timezone": "EST",
                "exchangeTimezoneName": self.zone,
                "regularMarketPrice": columns["close"][-1] if rows else 1.0,
                "chartPreviousClose": 1.0,
                "priceHint": 2,
                "currentTradingPeriod": {
                    k: {"timezone": "EST", "end": 0, "start": 0, "gmtoffset": -18000}
                    for k in ("pre", "regular", "post")
                },
                "dataGranularity": interval,
                "range": asked.get("range", ""),
                "validRanges": ["1d", "5d", "1mo", "max"],
            },
            "indicators": {"quote": [columns if rows else {}]},
        }
        if rows:
            result["timestamp"] = [row.stamp // SECOND for row in rows]
            if interval == "1d":
                result["indicators"]["adjclose"] = [{"adjclose": columns["close"]}]
            else:
                result["meta"]["tradingPeriods"] = self._periods(rows)
        if events:
            result["events"] = events
        return {"chart": {"result": [result], "error": None}}

    def _known(self, row: Row, length: int) -> Row:
        """A bar as it is now: half of it, while it is in progress."""
        if row.stamp + length <= self.now():
            return row
        return Row(row.stamp, row.open, row.high, row.low, row.open, row.volume // 2)

    def _adjusted(self, symbol: str, row: Row) -> Row:
        ratio = 1.0
        for at, new, old in self.splits.get(symbol, ()):
            if row.stamp < at <= self.now():
                ratio *= new / old
        prices = (row.open / ratio, row.high / ratio, row.low / ratio, row.close / ratio)
        return Row(row.stamp, *prices, row.volume * ratio)

    def _events(self, symbol: str, first: int, last: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for at, new, old in self.splits.get(symbol, ()):
            stamp = at // SECOND
            if first <= stamp <= last and at <= self.now():
                found.setdefault("splits", {})[str(stamp)] = {
                    "date": stamp,
                    "numerator": new,
                    "denominator": old,
                    "splitRatio": f"{new:g}:{old:g}",
                }
        for at, paid in self.dividends.get(symbol, ()):
            stamp = at // SECOND
            later = np.prod(
                [n / o for t, n, o in self.splits.get(symbol, ()) if at < t <= self.now()]
            )
            if first <= stamp <= last and at <= self.now():
                found.setdefault("dividends", {})[str(stamp)] = {
                    "amount": paid / float(later),
                    "date": stamp,
                }
        return found

    def _periods(self, rows: list[Row]) -> list[list[dict[str, Any]]]:
        days = sorted({row.stamp // DAY_NS for row in rows})
        return [
            [
                {
                    "timezone": "EST",
                    "start": min(r.stamp for r in rows if r.stamp // DAY_NS == day) // SECOND,
                    "end": day * 86_400 + 21 * 3600,
                    "gmtoffset": -18000,
                }
            ]
            for day in days
        ]

    def _quotes(self, symbol: str) -> dict[str, Any]:
        if symbol not in self.table:
            return {"quoteResponse": {"result": [], "error": None}}
        rows = [r for rs in self.table[symbol].values() for r in rs if r.stamp <= self.now()]
        price = _single(rows[-1].close)
        assert price is not None
        one = {
            "symbol": symbol,
            "regularMarketPrice": price,
            "regularMarketTime": self.now() // SECOND - 15,
            "regularMarketVolume": 4104192,
            "bid": price - 0.05,
            "ask": price + 0.05,
        }
        return {"quoteResponse": {"result": [one], "error": None}}


def _single(value: float) -> float | None:
    return None if np.isnan(value) else float(np.float32(value))


def _error(code: str, text: str) -> dict[str, Any]:
    return {"chart": {"result": None, "error": {"code": code, "description": text}}}


class _ToLoopback(HTTPAdapter):
    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__()

    def send(self, request: Any, **how: Any) -> Any:
        host, _, rest = request.url.partition("://")[2].partition("/")
        request.headers["X-Host"] = host
        request.url = f"{self.url}/{rest}"
        return super().send(request, **{**how, "proxies": {}})


def session(url: str) -> requests.Session:
    """A session whose every request goes to a server on this machine."""
    made = requests.Session()
    made.trust_env = False
    made.mount("https://", _ToLoopback(url))
    return made
