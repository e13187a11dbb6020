"""Prices as TradeStation tells them, of a market whose bars are worked out from their time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from intrabar.brokers.fakes.server import Answer, Feed, Streamed
from intrabar.brokers.fakes.tradestation_words import instant, line
from intrabar.links.clock import Clock

SECOND_NS = 10**9
MINUTE_NS, DAY_NS = 60 * SECOND_NS, 86_400 * SECOND_NS
BEAT = 5.0  # seconds of the clock


class FakeMarket:
    """Bars and quotes of symbols that trade round the clock, or within hours.

    Parameters
    ----------
    symbols : mapping
        And about what they cost.
    clock : Clock, optional
        None: what the machine says.
    hours : (start, end), seconds of the day in UTC
    """

    def __init__(
        self,
        symbols: Mapping[str, float],
        clock: Clock | None = None,
        hours: tuple[int, int] = (0, 86_400),
    ) -> None:
        self.symbols, self._clock, self.hours = symbols, clock, hours
        self.never_closes = False  # the last bar of a session is never said to be over
        self.is_delayed = False
        self.futures: set[str] = set()

    def now(self) -> int:
        """What time it is, ns UTC."""
        return time.time_ns() if self._clock is None else self._clock.now()

    def answer(self, rest: list[str], asked: Mapping[str, str]) -> Answer | Streamed:
        """What is told below `/v3/marketdata`."""
        match rest:
            case ["symbols", names]:
                known = [x for x in names.split(",") if x in self.symbols]
                lacking = [x for x in names.split(",") if x not in self.symbols]
                errors = [
                    {"Symbol": x, "Error": "NotFound", "Message": "No symbol."} for x in lacking
                ]
                return Answer({"Symbols": [self._symbol(x) for x in known], "Errors": errors})
            case ["quotes", names]:
                return Answer(self._quotes(names.split(",")))
            case ["barcharts", name] if name in self.symbols:
                return Answer({"Bars": self._bars(name, asked)})
            case ["stream", "barcharts", name] if name in self.symbols:
                return Streamed(lambda feed: self._bar_stream(feed, name, asked), HEADERS)
            case ["stream", "quotes", names]:
                return Streamed(lambda feed: self._quote_stream(feed, names.split(",")), HEADERS)
        return Answer({"Error": "NotFound", "Message": "Symbol not found"}, 404)

    def bar(self, symbol: str, begun: int, period: int, now: int | None = None) -> dict[str, Any]:
        """A bar by its begin; what of it has happened by now."""
        now = self.now() if now is None else now
        end = self.end_of(begun, period)
        price = self.symbols[symbol] + begun // period % 40 * 0.05
        is_over = now >= end
        last = price + 0.02 if is_over else price + 0.01
        high, low = (price + 0.05, price - 0.05) if is_over else (last, price)
        volume = 1000 + begun // period % 7 if is_over else 10
        return {
            "High": f"{high:.2f}",
            "Low": f"{low:.2f}",
            "Open": f"{price:.2f}",
            "Close": f"{last:.2f}",
            "TimeStamp": instant(end),
            "TotalVolume": str(volume),
            "DownTicks": 1,
            "DownVolume": 4,
            "OpenInterest": "0",
            "IsRealtime": not is_over,
            "IsEndOfHistory": False,
            "TotalTicks": 2,
            "UnchangedTicks": 0,
            "UnchangedVolume": 0,
            "UpTicks": 1,
            "UpVolume": 6,
            "Epoch": end // 10**6,
            "BarStatus": "Closed" if is_over else "Open",
        }

    def end_of(self, begun: int, period: int) -> int:
        """When a bar ends: with its session at the latest."""
        day = begun // DAY_NS * DAY_NS
        if period == DAY_NS:
            return day + self.hours[1] * SECOND_NS
        return min(begun + period, day + self.hours[1] * SECOND_NS)

    def begun_at(self, at: int, period: int) -> int | None:
        """When the bar began that an instant lies in; None outside the hours."""
        day = at // DAY_NS * DAY_NS
        first, last = (day + x * SECOND_NS for x in self.hours)
        if not first <= at < last:
            return None
        return day if period == DAY_NS else first + (at - first) // period * period

    def _between(self, period: int, first: int, last: int) -> list[int]:
        """Begins of the bars that have begun by `last` and end after `first`."""
        found, at = [], first
        step = DAY_NS if period == DAY_NS else period
        at = first // DAY_NS * DAY_NS
        while at <= last:
            if (begun := self.begun_at(at + self.hours[0] * SECOND_NS, period)) is not None:
                day_end = at + self.hours[1] * SECOND_NS
                while begun <= last and begun < day_end:
                    if self.end_of(begun, period) > first:
                        found.append(begun)
                    begun += step
            at += DAY_NS
        return found

    def _bars(self, symbol: str, asked: Mapping[str, str]) -> list[dict[str, Any]]:
        period, now = _period(asked), self.now()
        first, last = (_ns(asked[key]) for key in ("firstdate", "lastdate"))
        begun = self._between(period, first, min(last, now))
        found = [self.bar(symbol, x, period, now) for x in begun]
        return [x for x in found if _ns(x["TimeStamp"]) >= first]

    async def _bar_stream(self, feed: Feed, symbol: str, asked: Mapping[str, str]) -> None:
        period, back = _period(asked), int(asked.get("barsback", "1"))
        now = self.now()
        known = self._between(period, now - max(back * period, 3 * DAY_NS), now)[-back:]
        for old in known:
            await feed.tell(line(self.bar(symbol, old, period, now)), "data_event")
        current = known[-1] if known and self.end_of(known[-1], period) > now else None
        beats = 0
        while True:
            await self._sleep(min(BEAT, period / SECOND_NS / 8))
            now = self.now()
            begun = self.begun_at(now, period)
            if current is not None and begun != current:
                if not (self.never_closes and begun is None):
                    over = self.bar(symbol, current, period, now)
                    await feed.tell(line(over), "data_event")
                current = None
            if begun is not None:
                current = begun
                await feed.tell(line(self.bar(symbol, begun, period, now)), "data_event")
            beats += 1
            await feed.beat(line({"Heartbeat": beats, "Timestamp": instant(now)}))

    def _quote(self, symbol: str) -> dict[str, Any]:
        now = self.now()
        price = self.symbols[symbol]
        return {
            "Symbol": symbol,
            "Open": f"{price:.2f}",
            "High": f"{price + 1:.2f}",
            "Low": f"{price - 1:.2f}",
            "PreviousClose": f"{price:.2f}",
            "Last": f"{price:.2f}",
            "Ask": f"{price + 0.01:.2f}",
            "AskSize": "100",
            "Bid": f"{price - 0.01:.2f}",
            "BidSize": "200",
            "NetChange": "0",
            "NetChangePct": "0",
            "Volume": "12345",
            "Close": f"{price:.2f}",
            "TradeTime": instant(now - SECOND_NS),
            "MarketFlags": {
                "IsDelayed": self.is_delayed,
                "IsHardToBorrow": False,
                "IsBats": False,
                "IsHalted": False,
            },
            "LastSize": "10",
            "LastVenue": "FAKE",
        }

    def _quotes(self, names: list[str]) -> dict[str, Any]:
        return {
            "Quotes": [self._quote(x) for x in names if x in self.symbols],
            "Errors": [
                {"Symbol": x, "Error": "FAILED, EX_INVALID_SYMBOL"}
                for x in names
                if x not in self.symbols
            ],
        }

    async def _quote_stream(self, feed: Feed, names: list[str]) -> None:
        for name in names:
            if name not in self.symbols:
                bad = {"Symbol": name, "Error": "FAILED, EX_INVALID_SYMBOL"}
                await feed.tell(line(bad), "data_event")
            else:
                await feed.tell(line(self._quote(name)), "data_event")
        beats = 0
        while True:
            await self._sleep(BEAT)
            beats += 1
            for name in (x for x in names if x in self.symbols):  # what has changed alone
                bid = f"{self.symbols[name] - 0.01 * (1 + beats % 2):.2f}"
                await feed.tell(line({"Symbol": name.lower(), "Bid": bid}), "data_event")
            await feed.beat(line({"Heartbeat": beats, "Timestamp": instant(self.now())}))

    async def _sleep(self, seconds: float) -> None:
        if self._clock is None:
            await asyncio.sleep(seconds)
        else:
            await self._clock.sleep(seconds)

    def _symbol(self, name: str) -> dict[str, Any]:
        is_future = name in self.futures
        return {
            "AssetType": "FUTURE" if is_future else "STOCK",
            "Country": "United States",
            "Currency": "USD",
            "Description": name,
            "Exchange": "CME" if is_future else "NASDAQ",
            "Symbol": name,
            "Root": name,
            "PriceFormat": {
                "Format": "Decimal",
                "Decimals": "2",
                "IncrementStyle": "Simple",
                "Increment": "0.25" if is_future else "0.01",
                "PointValue": "50" if is_future else "1",
            },
            "QuantityFormat": {
                "Format": "Decimal",
                "Decimals": "0",
                "IncrementStyle": "Simple",
                "Increment": "1",
                "MinimumTradeQuantity": "1",
            },
        }


HEADERS = {"Content-Type": "application/vnd.tradestation.streams.v2+json"}


def _period(asked: Mapping[str, str]) -> int:
    if asked["unit"] == "Daily":
        return DAY_NS
    return int(asked["interval"]) * MINUTE_NS


def _ns(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * SECOND_NS
