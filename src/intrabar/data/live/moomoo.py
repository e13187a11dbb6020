"""Bars and quotes of Moomoo: K-lines that OpenD pushes, raw, of US shares.

A K-line is stamped with its end, in the time of New York, and pushed again and again while it
grows; it is over when the next one begins, else by the clock. Of a day the stamp is its date.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from intrabar.data.live.grid import Grid, lag_of, require_period
from intrabar.data.live.polling import Polled
from intrabar.errors import BadAnswer, ConfigError, DataError, LinkError, NotFoundError
from intrabar.links.clock import SECOND_NS, Clock, WallClock
from intrabar.links.credentials import require_known
from intrabar.links.lines import Bucket, Line, delay
from intrabar.links.moomoo import PORT, Connection, DeclinedError, Row, require_package
from intrabar.links.reading import number
from intrabar.links.vendor import Answer
from intrabar.links.vendor import Row as Bar
from intrabar.model.bars import DAY_NS, Bars
from intrabar.model.facts import (
    BarClosed,
    BarOpened,
    Fact,
    LinkFact,
    Quote,
    SourceCan,
)

CALENDAR, MARKET = "NYSE", "US."
MINUTE_NS = 60 * SECOND_NS
NEW_YORK = ZoneInfo("America/New_York")
KINDS = {
    MINUTE_NS: "K_1M",
    3 * MINUTE_NS: "K_3M",
    5 * MINUTE_NS: "K_5M",
    15 * MINUTE_NS: "K_15M",
    30 * MINUTE_NS: "K_30M",
    60 * MINUTE_NS: "K_60M",
    DAY_NS: "K_DAY",
}
"""The same words name what is subscribed to."""
_KEPT = 3  # K-lines that are asked for after a gap, before history is
_ASKED, _SPAN = 60, 30.0  # calls for history in so many seconds


class Pushed(NamedTuple):
    """A K-line: its close time (ns UTC) and what it is so far."""

    time: int
    bar: Bar


class MoomooSource:
    """Bars and quotes of US shares.

    Parameters
    ----------
    clock : Clock, optional
    port : int
        Of OpenD on this machine.
    seconds, login : float
        Deadlines of a call, and of a connection.
    """

    name = "moomoo"
    lag = 3.0
    lag_daily = 600.0
    corrects = False
    calls_a_day: int | None = None
    periods = tuple(KINDS)

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        port: int = PORT,
        seconds: float = 10.0,
        login: float = 30.0,
    ) -> None:
        self._clock, self._port = clock or WallClock(), port
        self._seconds, self._login = seconds, login
        bucket = Bucket(_ASKED, _SPAN, self._clock)
        self._line = Line(self.name, self._clock, bucket, seconds=2 * seconds)
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None
        self._closed = asyncio.Event()
        self._chance = random.Random(0)
        self._news: asyncio.Queue[Row] = asyncio.Queue()

    @property
    def can(self) -> SourceCan:  # noqa: D102
        return SourceCan(
            "forming",
            self.lag,
            corrects=False,
            quotes=True,
            periods=self.periods,
            lag_daily=self.lag_daily,
        )

    async def quote(self, symbol: str) -> Quote:  # noqa: D102
        rows = await self._rows(symbol, "get_market_snapshot", [MARKET + symbol])
        if len(rows) != 1:
            raise NotFoundError("symbol", symbol, (), "moomoo has no quote of it")
        one, place = rows[0], f"moomoo: {symbol}"
        price, bid, ask = (
            _positive(one.get(name), f"{place}: {name}")
            for name in ("last_price", "bid_price", "ask_price")
        )
        volume = number(one.get("volume"), f"{place}: volume")
        return Quote(
            symbol, _instant(str(one["update_time"]), place), price=price, bid=bid, ask=ask,
            volume=volume if volume >= 0.0 else None,
        )  # fmt: skip

    async def bars(  # noqa: D102
        self, symbol: str, period: int, start: int, end: int, *, actions: bool = False
    ) -> Answer:
        first, last = (f"{_there(at):%Y-%m-%d}" for at in (start, end))
        given: dict[str, Any] = {"start": first, "end": last, "ktype": KINDS[period]}
        given |= {"autype": "None", "max_count": None}
        rows = await self._rows(symbol, "request_history_kline", MARKET + symbol, **given)
        found = [_pushed(row, symbol, period) for row in rows]
        kept = tuple(
            bar
            for _, bar in sorted(found)
            if start - DAY_NS * (period == DAY_NS) <= bar.stamp <= end
        )
        return Answer(symbol, period, NEW_YORK.key, "end", kept)

    def earliest(self, period: int) -> int:  # noqa: D102
        return self._clock.now() - 364 * DAY_NS if period < DAY_NS else 0

    async def history(self, symbol: str, period: int, start: int, end: int) -> Bars:  # noqa: D102
        calendars = {symbol: CALENDAR}
        return await Polled(self, self._clock, calendars=calendars).history(
            symbol, period, start, end
        )

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:  # noqa: D102
        require_period(self, period)
        lag = lag_of(self, period)
        since = self._clock.now() - lag - period
        watched = {s: _Watched(s, Grid(CALENDAR, period), since, lag) for s in symbols}
        attempt = 0
        while not self._closed.is_set():
            try:
                connection = await self._subscribed(symbols, period)
                yield LinkFact("up")
                attempt = 0
                for one in watched.values():
                    for pushed in await self._missed(one, period):
                        one.take(pushed)
                    for bar in one.told(self._clock.now()):
                        yield bar
                async for fact in self._heard(connection, watched, period):
                    yield fact
                if not self._closed.is_set():
                    yield LinkFact("down", "OpenD has ended the connection")
            except LinkError as error:
                yield LinkFact("down", str(error))
                await self._until(self._clock.sleep(delay(attempt, self._chance)))
                attempt += 1

    async def close(self) -> None:  # noqa: D102
        self._closed.set()
        if self._connection is not None:
            self._connection.close()

    async def _heard(
        self, connection: Connection, watched: dict[str, _Watched], period: int
    ) -> AsyncIterator[Fact]:
        """What is pushed while the connection lives, and what is over by the clock."""
        while not self._closed.is_set() and not connection.ended.is_set():
            now = self._clock.now()
            left = min(one.due(now) for one in watched.values()) - now
            coming = asyncio.ensure_future(self._news.get())
            wait = self._clock.sleep(max(left / SECOND_NS, 0.001))
            await self._until(wait, connection.ended.wait(), coming)
            rows = [coming.result()] if coming.done() and not coming.cancelled() else []
            while not self._news.empty():
                rows.append(self._news.get_nowait())
            for row in rows:
                symbol = str(row["code"]).removeprefix(MARKET)
                if symbol in watched and row["k_type"] == KINDS[period]:
                    watched[symbol].take(_pushed(row, symbol, period))
            for one in watched.values():
                if one.is_due(self._clock.now()):  # the last push may be older than its end
                    for pushed in await self._missed(one, period):
                        one.take(pushed)
                for fact in one.told(self._clock.now()):
                    yield fact

    async def _subscribed(self, symbols: tuple[str, ...], period: int) -> Connection:
        """A connection on which the K-lines are pushed.

        Raises
        ------
        NotFoundError, DataError, LinkError
        """
        connection = await self._connected()
        codes = [MARKET + symbol for symbol in symbols]
        try:
            await connection.ask("subscribe", codes, [KINDS[period]], is_first_push=False)
        except DeclinedError as error:
            raise _refusal(symbols[0], error) from None
        return connection

    async def _missed(self, one: _Watched, period: int) -> list[Pushed]:
        """The last K-lines, and after a longer gap all since the newest that was told."""
        name, code = one.symbol, MARKET + one.symbol
        rows = await self._rows(name, "get_cur_kline", code, _KEPT, KINDS[period], "None")
        found = sorted(_pushed(row, name, period) for row in rows)
        if one.newest and found and found[0].time > one.newest + period:
            answer = await self.bars(name, period, one.newest, self._clock.now())
            have = {pushed.time for pushed in found}
            older = [Pushed(_close(bar.stamp, period), bar) for bar in answer.rows]
            found = sorted([*(p for p in older if p.time not in have), *found])
        return found

    async def _connected(self) -> Connection:
        async with self._turn:
            if self._closed.is_set():
                raise LinkError("moomoo: the source is closed")
            if self._connection is None or self._connection.ended.is_set():
                made = Connection(
                    "quote",
                    self._port,
                    seconds=self._seconds,
                    login=self._login,
                    told=lambda what, row: self._news.put_nowait(row),
                )
                await made.open()
                self._connection = made
            return self._connection

    async def _rows(self, symbol: str, name: str, *given: Any, **named: Any) -> list[Row]:
        """Rows of a query; tried again.

        Raises
        ------
        NotFoundError, DataError, LinkError
        """

        async def call() -> list[Row]:
            told = await (await self._connected()).ask(name, *given, **named)
            return list(told[0] if isinstance(told, tuple) else told)

        try:
            return await self._line.read(call, f"{name} {symbol}")
        except DeclinedError as error:
            raise _refusal(symbol, error) from None

    async def _until(self, *waits: object) -> None:
        """Wait for the first of them, or until it is closed."""
        tasks = {asyncio.ensure_future(w) for w in (*waits, self._closed.wait())}  # type: ignore[call-overload]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                if not task.done():
                    task.cancel()


class _Watched:
    """The K-lines of one symbol, and what was told of them."""

    def __init__(self, symbol: str, grid: Grid, since: int, lag: int) -> None:
        self.symbol, self._grid, self._since, self._lag = symbol, grid, since, lag
        self.newest = 0  # close time of the newest bar that was told
        self._opened = since
        self._growing: dict[int, Bar] = {}

    def due(self, now: int) -> int:
        """When to look again whether a bar is over, ns UTC."""
        return min((close + self._lag for close in self._growing), default=now + 60 * SECOND_NS)

    def is_due(self, now: int) -> bool:
        """Whether a bar is over."""
        return any(self._is_over(close, now) for close in self._growing)

    def take(self, pushed: Pushed) -> None:
        """A K-line as it is now; one that was told stays as it was, one off the grid is none."""
        is_bar = self._grid.due(pushed.time - 1) == pushed.time
        if is_bar and pushed.time > max(self.newest, self._since):
            self._growing[pushed.time] = pushed.bar

    def told(self, now: int) -> Iterator[BarOpened | BarClosed]:
        """Bars that are over, then the one that has begun."""
        over = [close for close in sorted(self._growing) if self._is_over(close, now)]
        for close in sorted(self._growing):
            bar, is_over = self._growing[close], close in over
            if close > self._opened and now <= close and not is_over:
                self._opened = close
                yield BarOpened(self.symbol, close, bar.open)
            if is_over:
                del self._growing[close]
                self.newest = close
                values = (bar.open, bar.high, bar.low, bar.close, bar.volume)
                yield BarClosed(self.symbol, close, *values, period=self._grid.period)

    def _is_over(self, close: int, now: int) -> bool:
        return close <= now and (close < max(self._growing) or close + self._lag <= now)


def make(credentials: dict[str, Any], clock: Clock | None) -> MoomooSource:
    """The source of a configuration; its credentials are the `port` of OpenD.

    Raises
    ------
    ConfigError, MissingExtra
    """
    require_package()
    require_known("moomoo", credentials, ("port",))
    port = credentials.get("port", PORT)
    if not isinstance(port, int) or not 0 < port < 65_536:
        raise ConfigError(f"credentials.port of moomoo: {port!r} is no port of OpenD; write {PORT}")
    return MoomooSource(clock, port=port)


def _pushed(row: Row, symbol: str, period: int) -> Pushed:
    """A row of the client: its stamp is the end of a bar, or the date of a day."""
    place = f"moomoo: {symbol}"
    values = (
        number(row.get(name), f"{place}: {name} of {row.get('time_key')}")
        for name in ("open", "high", "low", "close", "volume")
    )
    text = str(row["time_key"])
    if period == DAY_NS:
        day = _parsed(text, place).date()
        stamp = (day - datetime(1970, 1, 1).date()).days * DAY_NS
    else:
        stamp = _instant(text, place)
    return Pushed(_close(stamp, period), Bar(stamp, *values))


def _close(stamp: int, period: int) -> int:
    """When a bar is over: of a day when its session is."""
    return Grid(CALENDAR, DAY_NS).due(stamp) if period == DAY_NS else stamp


def _refusal(symbol: str, error: DeclinedError) -> NotFoundError | DataError:
    text = str(error)
    if "unknown stock" in text.lower():
        return NotFoundError("symbol", symbol, (), text)
    return DataError(f"{symbol}: {text}")


def _parsed(text: str, place: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise BadAnswer(f"{place}: the time {text[:40]!r} cannot be read") from None


def _instant(text: str, place: str) -> int:
    """Ns UTC of a time that is written as New York has it."""
    at = _parsed(text, place).replace(tzinfo=NEW_YORK)
    return int(at.timestamp()) * SECOND_NS + at.microsecond * 1000


def _there(at: int) -> datetime:
    return datetime.fromtimestamp(at // SECOND_NS, UTC).astimezone(NEW_YORK)


def _positive(value: Any, what: str) -> float | None:
    price = number(None if value == "N/A" else value, what)
    return price if price > 0.0 else None
