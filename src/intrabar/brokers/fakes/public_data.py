"""Quotes and bars of Public.com."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from intrabar.brokers.fakes.public_words import No, instant, named, plain, stamp

NEW_YORK = ZoneInfo("America/New_York")
SPANS = {"DAY": 1, "WEEK": 7, "MONTH": 31, "QUARTER": 92, "HALF_YEAR": 183, "YEAR": 366}
SIZES = {
    "ONE_MINUTE": 60,
    "FIVE_MINUTES": 300,
    "TEN_MINUTES": 600,
    "FIFTEEN_MINUTES": 900,
    "THIRTY_MINUTES": 1800,
    "ONE_HOUR": 3600,
    "ONE_DAY": 86_400,
}

Bar = tuple[int, float, float, float, float, float]
"""Its first instant (ns UTC), open, high, low, close, volume."""

Bars = Mapping[tuple[str, int], tuple[Bar, ...]]
"""By symbol and seconds of a bar."""


def quote(symbol: str, last: float, now: int) -> dict[str, Any]:
    """What a share is worth."""
    at = stamp(now)
    return {
        "instrument": named(symbol),
        "outcome": "SUCCESS",
        "last": plain(last),
        "lastTimestamp": at,
        "bid": plain(last - 0.01),
        "bidSize": 100,
        "bidTimestamp": at,
        "ask": plain(last + 0.01),
        "askSize": 200,
        "askTimestamp": at,
        "volume": 1_000,
    }


def chart(
    symbol: str, bars_there: Bars, window: str, size: str, now: int, label: int
) -> dict[str, Any]:
    """Bars of a span that ends now; of one in progress the first print."""
    seconds = SIZES[size]
    if (symbol, seconds) not in bars_there:
        raise No(404, "bars", f"No bars of {symbol}")
    there = datetime.fromtimestamp(now // 10**9, NEW_YORK)
    midnight = there.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=SPANS.get(window, 10_000) - 1)
    bars = []
    for at, *prices, volume in bars_there[symbol, seconds]:
        if at > now or at < instant(first):
            continue
        values = prices if at + seconds * 10**9 <= now else [prices[0]] * 4
        names = zip(("open", "high", "low", "close"), map(plain, values), strict=True)
        at_there = stamp(at + label * 10**9, NEW_YORK)
        bars.append(dict(names) | {"timestamp": at_there, "value": plain(values[3])})
        bars[-1]["volume"] = plain(volume)
    none = {"expectedBars": 0, "bars": []}
    return {
        "symbol": symbol,
        "period": window,
        "totalExpectedBars": len(bars),
        "preMarket": none,
        "regularMarket": {"expectedBars": len(bars), "bars": bars},
        "afterMarket": none,
    }
