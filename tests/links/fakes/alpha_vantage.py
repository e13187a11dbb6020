"""Alpha Vantage's one address, as recorded answers have it (package alpha_vantage, test_data)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from intrabar.links.vendor import Row

SECOND = 10**9
NEW_YORK = ZoneInfo("America/New_York")
LENGTH = {"1min": 60, "5min": 300, "15min": 900, "30min": 1800, "60min": 3600}
DAILY_LIMIT = (
    "Thank you for using Alpha Vantage! Our standard API rate limit is 25 requests per day. Please "
    "subscribe to any of the premium plans to instantly remove all daily rate limits."
)
BURST = (
    "Thank you for using Alpha Vantage! Please consider spreading out your free API requests more "
    "sparingly (1 request per second). You may subscribe to any of the premium plans to lift the "
    "free key rate limit (25 requests per day)."
)
MINUTE_LIMIT = (
    "Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per minute and "
    "500 calls per day."
)
PREMIUM = "Thank you for using Alpha Vantage! This is a premium endpoint."
WRONG_KEY = (
    "the parameter apikey is invalid or missing. Please claim your free API key on "
    "(https://www.alphavantage.co/support/#api-key)."
)
UNKNOWN = (
    "Invalid API call. Please retry or visit the documentation "
    "(https://www.alphavantage.co/documentation/) for TIME_SERIES_DAILY."
)


@dataclass
class FakeAlphaVantage:
    """What Alpha Vantage would know.

    Parameters
    ----------
    now : callable
        Ns UTC.
    table : {symbol: {interval: rows}}
        As they were traded, by the instant at which they begin; "1d" by midnight UTC of the date.
    key : str
        The one that is let in.
    free : bool
        `outputsize=full` is refused.
    label : "start" or "end"
    say : str
        A note instead of data, under `said`.
    """

    now: Callable[[], int]
    table: dict[str, dict[str, tuple[Row, ...]]]
    splits: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    dividends: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    key: str = "a-free-key"
    free: bool = True
    label: str = "start"
    say: str = ""
    said: str = "Information"
    change: Callable[[dict[str, Any]], dict[str, Any]] = lambda told: told

    def answer(self, path: str, asked: dict[str, str]) -> tuple[int, str]:
        return 200, json.dumps(self.change(self._told(asked)), indent=4)

    def _told(self, asked: dict[str, str]) -> dict[str, Any]:
        if self.say:
            return {self.said: self.say}
        if asked.get("apikey") != self.key:
            return {"Error Message": WRONG_KEY}
        symbol = asked["symbol"]
        match asked["function"]:
            case "GLOBAL_QUOTE":
                return {"Global Quote": self._quote(symbol)}
            case "DIVIDENDS":
                rows = [
                    {
                        "ex_dividend_date": day,
                        "declaration_date": "None",
                        "record_date": day,
                        "payment_date": day,
                        "amount": str(amount),
                    }
                    for day, amount in self.dividends.get(symbol, ())
                ]
                return {"symbol": symbol, "data": rows}
            case "SPLITS":
                return {
                    "symbol": symbol,
                    "data": [
                        {"effective_date": day, "split_factor": f"{ratio:.4f}"}
                        for day, ratio in self.splits.get(symbol, ())
                    ],
                }
        if symbol not in self.table:
            return {"Error Message": UNKNOWN}
        if self.free and asked.get("outputsize") == "full":
            return {"Information": PREMIUM}
        return self._series(symbol, asked)

    def _series(self, symbol: str, asked: dict[str, str]) -> dict[str, Any]:
        interval = asked.get("interval", "1d")
        length = LENGTH.get(interval, 21 * 3600) * SECOND
        known = [r for r in self.table[symbol].get(interval, ()) if r.stamp <= self.now()]
        if "month" in asked:
            known = [r for r in known if _local(r.stamp).strftime("%Y-%m") == asked["month"]]
        if asked.get("outputsize", "compact") == "compact":
            known = known[-100:]
        bars = {
            self._stamp(row, interval): self._bar(row, row.stamp + length <= self.now())
            for row in reversed(known)
        }
        about = {
            "1. Information": f"{'Intraday' if interval != '1d' else 'Daily'} Prices",
            "2. Symbol": symbol,
            "3. Last Refreshed": next(iter(bars), ""),
        }
        if interval == "1d":
            about |= {"4. Output Size": "Compact", "5. Time Zone": "US/Eastern"}
            return {"Meta Data": about, "Time Series (Daily)": bars}
        about |= {
            "4. Interval": interval,
            "5. Output Size": "Compact",
            "6. Time Zone": "US/Eastern",
        }
        return {"Meta Data": about, f"Time Series ({interval})": bars}

    def _stamp(self, row: Row, interval: str) -> str:
        if interval == "1d":
            return datetime.fromtimestamp(row.stamp / SECOND, UTC).strftime("%Y-%m-%d")
        at = row.stamp + (LENGTH[interval] * SECOND if self.label == "end" else 0)
        return _local(at).strftime("%Y-%m-%d %H:%M:%S")

    @staticmethod
    def _bar(row: Row, whole: bool) -> dict[str, str]:
        close, volume = (row.close, row.volume) if whole else (row.open, row.volume // 2)
        return {
            "1. open": f"{row.open:.4f}",
            "2. high": f"{row.high:.4f}",
            "3. low": f"{row.low:.4f}",
            "4. close": f"{close:.4f}",
            "5. volume": f"{volume:.0f}",
        }

    def _quote(self, symbol: str) -> dict[str, str]:
        if symbol not in self.table:
            return {}
        rows = [r for rs in self.table[symbol].values() for r in rs if r.stamp <= self.now()]
        row = rows[-1]
        return {
            "01. symbol": symbol,
            "02. open": f"{row.open:.4f}",
            "03. high": f"{row.high:.4f}",
            "04. low": f"{row.low:.4f}",
            "05. price": f"{row.close:.4f}",
            "06. volume": f"{row.volume:.0f}",
            "07. latest trading day": self._stamp(row, "1d"),
            "08. previous close": f"{row.open:.4f}",
            "09. change": "0.0000",
            "10. change percent": "0.0000%",
        }


def _local(at: int) -> datetime:
    return datetime.fromtimestamp(at / SECOND, NEW_YORK)
