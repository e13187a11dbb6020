"""The wire of Yahoo Finance, through the client of `yfinance`: its cookies, its disguise.

The data are Yahoo's, for personal use, unofficial, and may break any day: a source to look at
prices, and a second one beside a paid one. Prices come adjusted for splits; they are taken back
to what was traded, with the splits that Yahoo tells up to today.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from intrabar.errors import (
    AuthError,
    BadAnswer,
    DataError,
    LinkError,
    MissingExtra,
    NotFoundError,
    RateLimited,
    Timeout,
)
from intrabar.links.clock import SECOND_NS, Clock, WallClock
from intrabar.links.lines import Bucket, Line
from intrabar.links.reading import begin, meant, number, times, zone_named
from intrabar.links.vendor import Answer, Row
from intrabar.links.worker import in_thread
from intrabar.model.bars import DAY_NS
from intrabar.model.facts import Quote

MINUTE_NS = 60 * SECOND_NS
CHART = "https://query2.finance.yahoo.com/v8/finance/chart/"
QUOTE = "https://query1.finance.yahoo.com/v7/finance/quote"
_INTERVALS = {
    MINUTE_NS: "1m",
    2 * MINUTE_NS: "2m",
    5 * MINUTE_NS: "5m",
    15 * MINUTE_NS: "15m",
    60 * MINUTE_NS: "1h",
    DAY_NS: "1d",
}
_SAME = {"60m": "1h"}
# Days that Yahoo keeps of an interval, and days of one answer.
_KEPT = {"1m": (29, 7), "2m": (59, 59), "5m": (59, 59), "15m": (59, 59), "1h": (729, 729)}


class Yahoo:
    """Bars, splits, dividends and quotes of Yahoo.

    Parameters
    ----------
    clock : Clock, optional
    session : optional
        A session of `requests` or `curl_cffi`; None: that of yfinance.
    """

    name = "yfinance"
    lag = 11.0
    lag_daily = 600.0
    corrects = True
    periods = tuple(_INTERVALS)
    calls_a_day: int | None = None

    def __init__(self, clock: Clock | None = None, session: Any = None) -> None:
        try:
            from yfinance.data import YfData
        except ImportError:
            raise MissingExtra("bars of Yahoo", "yahoo") from None
        # What it logs of cookies that it does without would stand before our own sentence.
        logging.getLogger("yfinance").setLevel(logging.CRITICAL)
        self._clock = clock or WallClock()
        self._client = YfData(session=session)
        bucket = Bucket(1, 1.0, self._clock)
        self._line = Line(self.name, self._clock, bucket, seconds=30.0)

    async def bars(  # noqa: D102
        self, symbol: str, period: int, start: int, end: int, *, actions: bool = False
    ) -> Answer:
        interval = _INTERVALS[period]
        now = self._clock.now()
        kept, at_once = _KEPT.get(interval, (0, 0))
        if kept and start < now - (kept + 1) * DAY_NS:
            raise DataError(
                f"{self.name}: {symbol}: Yahoo keeps {interval} bars of {kept} days; name a start "
                f"after {_day_text(now - kept * DAY_NS)}, or a longer period"
            )
        # Prices are adjusted for every split up to today, so all of them are asked for.
        parts: list[_Chart] = []
        first = start if kept else start - DAY_NS  # Sydney's day begins on the day before, in UTC
        while not parts or first < now:
            last = min(first + at_once * DAY_NS, now) if kept else now
            parts.append(await self._chart(symbol, interval, first, last))
            first = last
        events = [*parts]
        if kept and (actions or now - start > 2 * DAY_NS):
            events = [await self._chart(symbol, "1d", start - DAY_NS, now)]
        splits = _splits(self.name, symbol, events)
        zone = parts[-1].zone
        least = start if kept else start // DAY_NS * DAY_NS
        rows: dict[int, Row] = {}
        for part in parts:
            for row in self._rows(symbol, part, period):
                if least <= row.stamp <= end:
                    rows[row.stamp] = _as_traded(row, splits, zone, period)
        ordered = tuple(rows[stamp] for stamp in sorted(rows))
        paid = _dividends(self.name, symbol, events, splits) if actions else None
        return Answer(
            parts[-1].symbol, period, zone, "start", ordered, paid, splits if actions else None
        )

    def earliest(self, period: int) -> int:  # noqa: D102
        kept, _ = _KEPT.get(_INTERVALS.get(period, ""), (0, 0))
        return self._clock.now() - kept * DAY_NS if kept else 0

    async def quote(self, symbol: str) -> Quote:  # noqa: D102
        told = await self._ask(QUOTE, {"symbols": symbol, "formatted": "false"}, symbol)
        place = f"{self.name}: {symbol}"
        answer = told.get("quoteResponse")
        if not isinstance(answer, dict):
            raise BadAnswer(f"{place}: no quote in the answer: {begin(told)}")
        listed = answer.get("result")
        if not listed:
            raise NotFoundError("symbol", symbol, (), f"{self.name} has no quote of it")
        one = listed[0]
        if str(one.get("symbol")).upper() != symbol.upper():
            raise BadAnswer(f"{place}: got a quote of {one.get('symbol')}; none is taken")
        at = number(one.get("regularMarketTime"), f"{place}: time")
        price = number(one.get("regularMarketPrice"), f"{place}: price")
        if not (math.isfinite(at) and price > 0.0 and math.isfinite(price)):
            raise BadAnswer(f"{place}: a quote without time or price: {begin(one)}")
        bid, ask, volume = (
            number(one.get(key), f"{place}: {key}") for key in ("bid", "ask", "regularMarketVolume")
        )
        return Quote(
            symbol,
            round(at) * SECOND_NS,
            price=price,
            bid=bid if bid > 0.0 else None,  # 0 where the market is shut
            ask=ask if ask > 0.0 else None,
            volume=volume if volume >= 0.0 else None,
        )

    async def close(self) -> None:
        """Nothing is held: the client is one for the process."""

    async def _chart(self, symbol: str, interval: str, start: int, end: int) -> _Chart:
        asked = {
            "period1": str(start // SECOND_NS),
            "period2": str(end // SECOND_NS + 1),
            "interval": interval,
            "includePrePost": "false",
            "events": "div,splits",
        }
        told = await self._ask(CHART + quote(symbol, safe="^=-."), asked, symbol)
        return _Chart(self.name, symbol, interval, told)

    def _rows(self, symbol: str, part: _Chart, period: int) -> list[Row]:
        place = f"{self.name}: {symbol}"
        rows = []
        for at, values in part.rows():
            found = [number(value, f"{place}: {_day_text(at)}") for value in values]
            if all(math.isnan(value) for value in found):
                continue  # a hole: nothing was traded
            stamp = _local_day(at, part.zone) if period == DAY_NS else at
            o, h, low, c = (meant(value) for value in found[:4])
            volume = 0.0 if math.isnan(found[4]) else found[4]  # currencies and indices have none
            rows.append(Row(stamp, o, h, low, c, volume))
        return rows

    async def _ask(self, url: str, asked: dict[str, str], symbol: str) -> dict[str, Any]:
        get = self._get
        return await self._line.read(
            lambda: in_thread(lambda: get(url, asked, symbol)), f"{url.rsplit('/', 1)[-1]}"
        )

    def _get(self, url: str, asked: dict[str, str], symbol: str) -> dict[str, Any]:
        place = f"{self.name}: {symbol}"
        reply = _guarded(lambda: self._client.get(url, params=asked, timeout=10), place)
        code = int(reply.status_code)
        if code == 429:
            raise RateLimited(f"{place}: too many requests", 60.0)
        try:
            told = json.loads(reply.text, parse_float=str, parse_constant=str)
        except ValueError:
            if code in (401, 403):
                raise AuthError(f"{place}: Yahoo refuses this machine ({code})") from None
            if code >= 500 or "Will be right back" in reply.text:
                raise LinkError(f"{place}: Yahoo is down ({code})") from None
            raise BadAnswer(f"{place}: no JSON but {reply.text[:80]!r}") from None
        if not isinstance(told, dict) or not told:
            raise BadAnswer(f"{place}: an empty answer: {reply.text[:80]!r}")
        _refuse_error(told, code, symbol, place)
        return told


class _Chart:
    """One answer of the chart, checked for what was asked."""

    def __init__(self, name: str, symbol: str, interval: str, told: dict[str, Any]) -> None:
        place = f"{name}: {symbol}"
        try:
            self.result = told["chart"]["result"][0]
            about = self.result["meta"]
            self.symbol, granularity = str(about["symbol"]), str(about["dataGranularity"])
            self.zone = str(about["exchangeTimezoneName"])
            self.stamps = [int(at) * SECOND_NS for at in self.result.get("timestamp") or ()]
            columns = self.result["indicators"]["quote"][0]
            self._columns = [
                columns[key] if self.stamps else []
                for key in ("open", "high", "low", "close", "volume")
            ]
        except (KeyError, IndexError, TypeError, ValueError):
            raise BadAnswer(f"{place}: no bars in the answer: {begin(told)}") from None
        if self.symbol.upper() != symbol.upper():
            raise BadAnswer(f"{name}: asked for {symbol}, got bars of {self.symbol}; none is taken")
        if self.stamps and _SAME.get(granularity, granularity) != interval:
            raise BadAnswer(f"{place}: asked for bars {interval}, got {granularity}; none is taken")
        if any(len(column) != len(self.stamps) for column in self._columns):
            raise BadAnswer(f"{place}: the columns of the answer differ in length")
        zone_named(self.zone, place)

    def rows(self) -> list[tuple[int, tuple[Any, ...]]]:
        """Stamps, and open, high, low, close and volume."""
        return list(zip(self.stamps, zip(*self._columns, strict=True), strict=True))

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Splits or dividends."""
        found = (self.result.get("events") or {}).get(kind) or {}
        return list(found.values())


def _splits(name: str, symbol: str, charts: list[_Chart]) -> tuple[tuple[int, float], ...]:
    """Days and ratios of splits."""
    found = set()
    place = f"{name}: {symbol}: a split"
    for zone, one in [(c.zone, one) for c in charts for one in c.events("splits")]:
        day = _local_day(round(number(one.get("date"), place)) * SECOND_NS, zone) // DAY_NS
        new, old = (number(one.get(key), place) for key in ("numerator", "denominator"))
        if not (new > 0.0 and old > 0.0):
            raise BadAnswer(f"{place} of {new:g} for {old:g} cannot be")
        if new != old:
            found.add((day, new / old))
    return tuple(sorted(found))


def _dividends(
    name: str, symbol: str, charts: list[_Chart], splits: tuple[tuple[int, float], ...]
) -> tuple[tuple[int, float], ...]:
    """Days and amounts a share as they were paid: Yahoo restates them for later splits."""
    found = set()
    place = f"{name}: {symbol}: a dividend"
    for zone, one in [(c.zone, one) for c in charts for one in c.events("dividends")]:
        day = _local_day(round(number(one.get("date"), place)) * SECOND_NS, zone) // DAY_NS
        amount = number(one.get("amount"), place)
        if not amount >= 0.0:
            raise BadAnswer(f"{place} of {amount:g} cannot be")
        found.add((day, times(amount, _later(splits, day))))
    return tuple(sorted(found))


def _later(splits: tuple[tuple[int, float], ...], day: int) -> float:
    """The product of the splits after a day."""
    ratio = 1.0
    for ex, split in splits:
        if ex > day:
            ratio *= split
    return ratio


def _as_traded(row: Row, splits: tuple[tuple[int, float], ...], zone: str, period: int) -> Row:
    """A row that is adjusted for splits as it was traded."""
    stamp = row.stamp if period == DAY_NS else _local_day(row.stamp, zone)
    ratio = _later(splits, stamp // DAY_NS)
    if ratio == 1.0:
        return row
    o, h, low, c = (times(value, ratio) for value in (row.open, row.high, row.low, row.close))
    return Row(row.stamp, o, h, low, c, round(row.volume / ratio, 6))


def _guarded(call: Callable[[], Any], place: str) -> Any:
    """An answer of the client, whose errors are of three libraries."""
    from yfinance.exceptions import YFException, YFRateLimitError

    try:
        return call()
    except YFRateLimitError:
        raise RateLimited(f"{place}: too many requests", 60.0) from None
    except YFException as error:
        raise LinkError(f"{place}: {str(error)[:200]}") from None
    except OSError as error:  # requests' and curl_cffi's are
        kind = type(error).__name__
        if "Timeout" in kind:
            raise Timeout(f"{place}: no answer in 10 s") from None
        raise LinkError(f"{place}: not reached: {kind}: {str(error)[:160]}") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadAnswer(
            f"{place}: yfinance cannot read the answer: {type(error).__name__}: {str(error)[:160]}"
        ) from None


def _refuse_error(told: dict[str, Any], code: int, symbol: str, place: str) -> None:
    """Raise what the vendor says went wrong; that a range is empty is an answer."""
    body = told.get("chart") or told.get("quoteResponse") or told.get("finance") or {}
    error = body.get("error") if isinstance(body, dict) else None
    if not error:
        if code >= 400:
            raise LinkError(f"{place}: the server answers {code}: {begin(told)}")
        return
    kind, text = str(error.get("code")), str(error.get("description"))
    if kind == "Not Found" or "No data found" in text or code == 404:
        raise NotFoundError("symbol", symbol, (), f"Yahoo says: {text[:120]}")
    if kind == "Unauthorized" or code in (401, 403):
        raise AuthError(f"{place}: Yahoo refuses this machine: {text[:120]}")
    if code >= 500:
        raise LinkError(f"{place}: Yahoo is down: {text[:120]}")
    raise DataError(f"{place}: Yahoo says: {text[:200]}")


def _local_day(at: int, zone: str) -> int:
    """Midnight UTC of the date of an instant in a zone, ns."""
    there = datetime.fromtimestamp(at / SECOND_NS, ZoneInfo(zone))
    return (there.date() - datetime(1970, 1, 1).date()).days * DAY_NS


def _day_text(at: int) -> str:
    return datetime.fromtimestamp(at / SECOND_NS, ZoneInfo("UTC")).date().isoformat()
