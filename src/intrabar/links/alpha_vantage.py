"""The wire of Alpha Vantage: one GET, whose mistakes come as answers that say 200.

Facts: a free key has 25 calls a day and 5 a minute; daily bars of more than 100 days, and
intraday bars of today, are for paid keys. Daily bars are raw; intraday ones are asked for raw.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

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
from intrabar.links.reading import begin, number, zone_named
from intrabar.links.vendor import Answer, Row
from intrabar.links.worker import in_thread
from intrabar.model.bars import DAY_NS
from intrabar.model.facts import Quote
from intrabar.model.secret import Secret, redact

URL = "https://www.alphavantage.co/query"
MINUTE_NS = 60 * SECOND_NS
_INTERVALS = {n * MINUTE_NS: f"{n}min" for n in (1, 5, 15, 30, 60)}
_COMPACT = 100  # bars of a compact answer
_THROTTLED = re.compile(r"rate limit|requests? per|calls? per|spreading out|call frequency", re.I)
_KEY = re.compile(r"apikey.*(?:invalid|missing)|(?:invalid|missing).*api ?key", re.I)


class AlphaVantage:
    """Bars, splits, dividends and quotes of Alpha Vantage.

    Parameters
    ----------
    key : Secret
    clock : Clock, optional
    calls_a_day, calls_a_minute : int
        Of the key; a paid one has no daily limit (None).
    url : str
    """

    name = "alpha_vantage"
    lag = 11.0  # of real-time data, which take a key that has them; others come late
    lag_daily = 3600.0  # when a day is there is not documented
    corrects = True
    periods = (*_INTERVALS, DAY_NS)

    def __init__(
        self,
        key: Secret,
        clock: Clock | None = None,
        *,
        calls_a_day: int | None = 25,
        calls_a_minute: int = 5,
        url: str = URL,
    ) -> None:
        try:
            import httpx2
        except ImportError:
            raise MissingExtra("bars of Alpha Vantage", "live") from None
        self._key, self._url, self._clock = key, url, clock or WallClock()
        self.calls_a_day = calls_a_day
        self._http = httpx2.Client(timeout=10.0, follow_redirects=False)
        bucket = Bucket(calls_a_minute, 60.0, self._clock, apart=1.1)
        self._line = Line(self.name, self._clock, bucket, seconds=15.0, tries=2)
        self._held: tuple[int, str] = (0, "")  # until when nothing is asked, and why

    async def bars(  # noqa: D102
        self, symbol: str, period: int, start: int, end: int, *, actions: bool = False
    ) -> Answer:
        if period == DAY_NS:
            answer = await self._daily(symbol, start, end)
        else:
            answer = await self._intraday(symbol, period, start, end)
        if not actions:
            return answer
        paid = await self._actions(symbol, "DIVIDENDS", "ex_dividend_date", "amount")
        splits = await self._actions(symbol, "SPLITS", "effective_date", "split_factor")
        return Answer(
            answer.symbol, period, answer.zone, answer.label, answer.rows, paid, splits,
            answer.notes,
        )  # fmt: skip

    def earliest(self, period: int) -> int:  # noqa: D102
        now = self._clock.now()
        if period < DAY_NS:
            return now - 31 * DAY_NS  # two calls
        return now - (_COMPACT - 1) * DAY_NS if self.calls_a_day is not None else 0

    async def quote(self, symbol: str) -> Quote:  # noqa: D102
        told = await self._ask({"function": "GLOBAL_QUOTE", "symbol": symbol})
        found = told.get("Global Quote")
        if not isinstance(found, dict):
            raise BadAnswer(f"{self.name}: {symbol}: no quote in the answer: {begin(told)}")
        values = {key.partition(". ")[2]: value for key, value in found.items()}
        if not values.get("price"):
            raise NotFoundError("symbol", symbol, (), f"{self.name} has no quote of it")
        self._require_symbol(symbol, values.get("symbol"))
        price, volume = (
            number(values.get(name), f"{self.name}: {symbol}: {name}")
            for name in ("price", "volume")
        )
        if not price > 0.0 or not math.isfinite(price):
            raise BadAnswer(f"{self.name}: {symbol}: the price is {price:g}")
        day = _day(str(values.get("latest trading day")), f"{self.name}: {symbol}")
        return Quote(
            symbol,
            _told_on(day, self._clock.now()),
            price=price,
            volume=volume if math.isfinite(volume) else None,
        )

    async def close(self) -> None:  # noqa: D102
        self._http.close()

    async def _daily(self, symbol: str, start: int, end: int) -> Answer:
        # A year has 252 sessions: so many calendar days hold at most the bars of a compact answer.
        days = (self._clock.now() - start) // DAY_NS
        size = "compact" if days <= _COMPACT else "full"
        told = await self._ask(
            {"function": "TIME_SERIES_DAILY", "symbol": symbol, "outputsize": size}
        )
        there, series = self._series(symbol, told, "")
        rows = []
        for stamp, values in series.items():
            day = _day(stamp, f"{self.name}: {symbol}")
            at = (day - date(1970, 1, 1)).days * DAY_NS
            if start // DAY_NS * DAY_NS <= at <= end:
                rows.append(self._row(symbol, at, stamp, values))
        return _answer(symbol, DAY_NS, there.key, rows)

    async def _intraday(self, symbol: str, period: int, start: int, end: int) -> Answer:
        interval = _INTERVALS[period]
        asked = {"function": "TIME_SERIES_INTRADAY", "symbol": symbol, "interval": interval}
        asked |= {"adjusted": "false", "extended_hours": "false"}
        now = self._clock.now()
        # The last hundred bars are one call; they reach back over a weekend or a short window.
        if now - start <= 4 * _COMPACT * period + 4 * DAY_NS:
            answer = await self._one(asked | {"outputsize": "compact"}, period)
            if answer.rows and answer.rows[0].stamp <= start:
                return _between(answer, start, end)
        found = [
            await self._one(asked | {"outputsize": "full", "month": month}, period)
            for month in _months(start, min(end, now))
        ]
        rows = [row for answer in found for row in answer.rows]
        return _between(_answer(symbol, period, found[-1].zone, rows, found[-1].notes), start, end)

    async def _one(self, asked: dict[str, str], period: int) -> Answer:
        """One answer of intraday bars, by the start of each: months differ in what stamps mark."""
        symbol = asked["symbol"]
        told = await self._ask(asked)
        there, series = self._series(symbol, told, asked["interval"])
        walls = {stamp: _moment(stamp, f"{self.name}: {symbol}") for stamp in series}
        label, notes = _label(symbol, list(walls.values()))
        back = period if label == "end" else 0
        rows = [
            self._row(symbol, _utc(walls[stamp], there) - back, stamp, values)
            for stamp, values in series.items()
        ]
        return _answer(symbol, period, there.key, rows, notes)

    def _series(self, symbol: str, told: dict[str, Any], interval: str) -> tuple[ZoneInfo, Any]:
        """The zone of an answer and its bars by their stamps."""
        place = f"{self.name}: {symbol}"
        about = told.get("Meta Data")
        name = next((key for key in told if key.startswith("Time Series")), None)
        if not isinstance(about, dict) or name is None or not isinstance(told[name], dict):
            raise BadAnswer(f"{place}: no bars in the answer: {begin(told)}")
        facts = {key.partition(". ")[2]: str(value) for key, value in about.items()}
        self._require_symbol(symbol, facts.get("Symbol"))
        got = name.removeprefix("Time Series (").rstrip(")")
        if got != (interval or "Daily"):
            raise BadAnswer(
                f"{place}: asked for bars {interval or 'Daily'}, got {got}; none is taken"
            )
        return zone_named(facts.get("Time Zone", "US/Eastern"), place), told[name]

    def _require_symbol(self, symbol: str, got: object) -> None:
        if got is not None and str(got).upper() != symbol.upper():
            raise BadAnswer(f"{self.name}: asked for {symbol}, got {got}; nothing is taken")

    def _row(self, symbol: str, at: int, stamp: str, values: Any) -> Row:
        if not isinstance(values, dict):
            raise BadAnswer(f"{self.name}: {symbol}: the bar of {stamp} is {values!r}")
        named = {key.partition(". ")[2]: value for key, value in values.items()}
        found = {
            name: number(named.get(name), f"{self.name}: {symbol}: {name} of {stamp}")
            for name in ("open", "high", "low", "close", "volume")
        }
        return Row(at, **found)

    async def _actions(
        self, symbol: str, function: str, dated: str, valued: str
    ) -> tuple[tuple[int, float], ...]:
        told = await self._ask({"function": function, "symbol": symbol})
        listed = told.get("data")
        place = f"{self.name}: {symbol}: {function.lower()}"
        if not isinstance(listed, list):
            raise BadAnswer(f"{place}: no list in the answer: {begin(told)}")
        self._require_symbol(symbol, told.get("symbol"))
        found = []
        for one in listed:
            day, value = str(one.get(dated)), number(one.get(valued), place)
            if day in ("None", "") or not math.isfinite(value):
                raise BadAnswer(f"{place}: {one} has no {dated} or no {valued}")
            found.append(((_day(day, place) - date(1970, 1, 1)).days, value))
        return tuple(sorted(found))

    async def _ask(self, asked: dict[str, str]) -> dict[str, Any]:
        """An answer that is no excuse.

        Raises
        ------
        RateLimited, AuthError, NotFoundError, DataError, BadAnswer, Timeout, LinkError
        """
        until, why = self._held
        left = (until - self._clock.now()) / SECOND_NS
        if left > 0:
            raise RateLimited(f"{self.name}: {why}; it is not asked for {left:.0f} s", left)
        what = f"{asked['function']} {asked['symbol']}"
        return await self._line.read(lambda: in_thread(lambda: self._get(asked)), what)

    def _get(self, asked: dict[str, str]) -> dict[str, Any]:
        import httpx2

        symbol = asked["symbol"]
        place = f"{self.name}: {symbol}"
        try:
            reply = self._http.get(self._url, params={**asked, "apikey": self._key.reveal()})
        except httpx2.TimeoutException:
            raise Timeout(f"{place}: no answer in 10 s") from None
        except httpx2.HTTPError as error:
            raise LinkError(f"{place}: not reached: {redact(str(error))}") from None
        if reply.status_code == 429:
            after = number(reply.headers.get("retry-after"), f"{place}: retry-after")
            raise RateLimited(f"{place}: too many requests", after if after >= 0.0 else 60.0)
        if reply.status_code in (401, 403):
            raise AuthError(f"{place}: the key was refused ({reply.status_code}); check it")
        if reply.status_code != 200:
            raise LinkError(f"{place}: the server answers {reply.status_code}")
        try:
            told = json.loads(reply.text, parse_float=str, parse_constant=str)
        except ValueError:
            raise BadAnswer(f"{place}: no JSON but {redact(reply.text[:400])[:80]!r}") from None
        if not isinstance(told, dict) or not told:
            raise BadAnswer(f"{place}: an empty answer: {redact(reply.text[:400])[:80]!r}")
        self._refuse_excuse(symbol, told, place)
        return told

    def _refuse_excuse(self, symbol: str, told: dict[str, Any], place: str) -> None:
        if any(key.startswith(("Time Series", "Global Quote")) or key == "data" for key in told):
            return
        for key in ("Error Message", "Information", "Note"):
            if key not in told:
                continue
            text = redact(str(told[key]))
            if key != "Error Message" and _THROTTLED.search(text):
                raise self._limited(place, text)
            if _KEY.search(text):
                raise AuthError(f"{place}: the key was refused: {text[:160]}")
            if "premium" in text.lower():
                raise DataError(f"{place}: not for this key: {text[:200]}")
            if key == "Error Message":
                raise NotFoundError("symbol", symbol, (), f"{self.name} says: {text[:120]}")
            raise BadAnswer(f"{place}: a note instead of data: {text[:200]}")

    def _limited(self, place: str, text: str) -> RateLimited:
        """What a note about limits asks for: a minute, or until the day is over there."""
        now = self._clock.now()
        lower = text.lower()
        burst = any(word in lower for word in ("per second", "per minute", "spreading out"))
        if "per day" in lower and not burst:
            there = datetime.fromtimestamp(now / SECOND_NS, ZoneInfo("America/New_York"))
            midnight = there.replace(hour=0, minute=0, second=0, microsecond=0)
            after = (midnight + timedelta(days=1) - there).total_seconds()
            found = re.search(r"(\d+) (?:requests|calls) per day", text)
            why = f"the {found[1] if found else ''} calls of the day are used up".replace("  ", " ")
            self._held = now + round(after * SECOND_NS), why
            return RateLimited(
                f"{place}: {why}; it may be asked again in {after / 3600:.1f} h", after
            )
        return RateLimited(f"{place}: asked too often: {text[:160]}", 60.0)


def _answer(
    symbol: str,
    period: int,
    zone: str,
    rows: list[Row],
    notes: tuple[str, ...] = (),
) -> Answer:
    ordered = tuple(sorted(rows, key=lambda row: row.stamp))
    return Answer(symbol, period, zone, "start", ordered, notes=notes)


def _between(answer: Answer, start: int, end: int) -> Answer:
    rows = tuple(row for row in answer.rows if start <= row.stamp <= end)
    return msgspec.structs.replace(answer, rows=rows)


def _label(symbol: str, walls: list[datetime]) -> tuple[Literal["start", "end"], tuple[str, ...]]:
    """Which edge stamps mark: the vendor does not say, and has changed it."""
    clocks = {(at.hour, at.minute) for at in walls}
    if (9, 30) in clocks:
        return "start", ()
    if (16, 0) in clocks:
        return "end", ()
    return "start", (
        f"{symbol}: the answer holds neither the first nor the last bar of a session: its stamps "
        "are taken for starts of bars, as the vendor writes them since 2024",
    )


def _told_on(day: date, now: int) -> int:
    """When a price is of whose day alone is told, ns UTC: its close, else as old as it can be."""
    there = ZoneInfo("America/New_York")
    opened, closed = (
        _utc(datetime(day.year, day.month, day.day, *at), there) for at in ((9, 30), (16, 0))
    )
    return closed if closed <= now else min(opened, now)


def _months(start: int, end: int) -> list[str]:
    first, last = (datetime.fromtimestamp(t / SECOND_NS, UTC) for t in (start, end))
    count = 12 * (last.year - first.year) + last.month - first.month + 1
    return [
        f"{first.year + (first.month - 1 + n) // 12}-{(first.month - 1 + n) % 12 + 1:02}"
        for n in range(count)
    ]


def _moment(text: str, place: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
    except ValueError:
        raise BadAnswer(f"{place}: the stamp {text[:40]!r} cannot be read") from None


def _day(text: str, place: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise BadAnswer(f"{place}: the date {text[:40]!r} cannot be read") from None


def _utc(wall: datetime, zone: ZoneInfo) -> int:
    return round(wall.replace(tzinfo=zone).timestamp()) * SECOND_NS
