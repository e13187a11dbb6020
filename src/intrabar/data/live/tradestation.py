"""Bars and quotes that TradeStation pushes: the bar in progress, again with every trade.

A bar is over by the vendor's word, else when a later one has begun, else by the clock: after its
time the vendor is asked, twice, 5 s apart, and says the same.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

from intrabar.data.live.grid import Grid, Placed, lag_of
from intrabar.data.live.polling import APART, Polled
from intrabar.errors import AuthError, BadAnswer, DataError, IntrabarError, LinkError, NotFoundError
from intrabar.links.clock import SECOND_NS, Clock, WallClock
from intrabar.links.lines import delay
from intrabar.links.tradestation.client import Client, DeniedError
from intrabar.links.tradestation.credentials import tokens_of
from intrabar.links.tradestation.market_data import (
    MarketData,
    denied,
    quote_of,
    refuse_symbol,
    row_of,
)
from intrabar.links.tradestation.service import LIVE
from intrabar.links.vendor import Answer, Row
from intrabar.model.bars import Bars
from intrabar.model.facts import BarClosed, BarOpened, Fact, Heartbeat, LinkFact, Quote, SourceCan

KEPT = 20  # bars that were told, against which a correction is seen
ROOM = 10_000  # facts that wait for their reader; the streams wait where there are more
AT_ONCE = 100  # symbols of one stream of quotes
DELAYED = "quotes of {} are delayed: this login has no real-time ones"


class TradeStationBars:
    """A source of bars that are pushed; its `vendor` is asked for those of the past.

    Parameters
    ----------
    wire : MarketData
    clock : Clock
    calendars : dict, optional
        Symbols to calendars, where their names do not tell; "none" for none.
    """

    def __init__(
        self, wire: MarketData, clock: Clock, calendars: Mapping[str, str] | None = None
    ) -> None:
        self.calendars = dict(calendars or {})
        self.vendor, self._clock = wire, clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def can(self) -> SourceCan:  # noqa: D102
        return SourceCan(
            "forming",
            self.vendor.lag,
            corrects=True,
            quotes=True,
            periods=self.vendor.periods,
            lag_daily=self.vendor.lag_daily,
        )

    async def quote(self, symbol: str) -> Quote:  # noqa: D102
        return await self.vendor.quote(symbol)

    async def history(self, symbol: str, period: int, start: int, end: int) -> Bars:  # noqa: D102
        asked = Polled(self.vendor, self._clock, calendars=self.calendars)
        return await asked.history(symbol, period, start, end)

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:  # noqa: D102
        asked = Polled(self.vendor, self._clock, calendars=self.calendars)
        quoted = [symbols[first : first + AT_ONCE] for first in range(0, len(symbols), AT_ONCE)]
        links = _Links(symbols, [_quotes_of(some) for some in quoted])
        told: asyncio.Queue[Fact | IntrabarError | None] = asyncio.Queue(ROOM)
        lag = lag_of(self.vendor, period)
        since = self._clock.now() - lag - period
        forming = [
            _Forming(symbol, asked.grid(symbol, period), lag, since, self._clock)
            for symbol in symbols
        ]
        works = [self._bars(one, links, told) for one in forming]
        works += [self._quotes(some, links, told) for some in quoted]
        tasks = {asyncio.ensure_future(work) for work in works}
        self._tasks |= tasks

        def wake(_: object) -> None:
            with suppress(asyncio.QueueFull):
                told.put_nowait(None)

        for task in tasks:
            task.add_done_callback(wake)
        try:
            while not self._closed:
                fact = await told.get()
                if isinstance(fact, IntrabarError):
                    raise fact
                if fact is not None:
                    yield fact
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._tasks -= tasks

    async def close(self) -> None:  # noqa: D102
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await self.vendor.close()

    async def _bars(self, one: _Forming, links: _Links, told: asyncio.Queue[Any]) -> None:
        """What becomes of one symbol's bars, its stream opened again and again."""

        async def listen() -> None:
            back = (self._clock.now() - one.newest) // one.grid.period + 2
            stream = self.vendor.bar_stream(one.symbol, one.grid.period, int(back))
            async with aclosing(stream) as frames:
                async for frame in frames:
                    await links.up(one.symbol, told)
                    if "Heartbeat" in frame:
                        await told.put(Heartbeat())
                        for fact in await one.asked_for(self.vendor):
                            await told.put(fact)
                    elif "Error" in frame:
                        refuse_symbol(frame)
                    elif "TimeStamp" in frame:
                        for fact in await one.take(frame):
                            await told.put(fact)

        await self._again(one.symbol, one.symbol, listen, links, told)

    async def _quotes(
        self, symbols: tuple[str, ...], links: _Links, told: asyncio.Queue[Any]
    ) -> None:
        """Quotes, of which the vendor tells what changes."""
        name = _quotes_of(symbols)

        async def listen() -> None:
            named = {symbol.upper(): symbol for symbol in symbols}
            whole: dict[str, dict[str, Any]] = {symbol: {} for symbol in symbols}
            async with aclosing(self.vendor.quote_stream(symbols)) as frames:
                async for frame in frames:
                    symbol = named.get(str(frame.get("Symbol")).upper(), "")
                    if symbol and frame.get("Error"):
                        refuse_symbol({**frame, "Symbol": symbol})
                    whole.get(symbol, {}).update(frame)
                    late = next((x for x in symbols if _is_delayed(whole[x])), None)
                    if late is not None:
                        await links.down(name, DELAYED.format(late), told, "degraded")
                    else:
                        await links.up(name, told)
                    if not symbol or _is_delayed(whole[symbol]):
                        continue
                    moved = {"Bid", "Ask"} & frame.keys() and "TradeTime" not in frame
                    since = self._clock.now() if moved else 0
                    if (quote := quote_of(symbol, whole[symbol], since)) is not None:
                        await told.put(quote)

        await self._again(name, ", ".join(symbols), listen, links, told)

    async def _again(
        self,
        name: str,
        symbol: str,
        listen: Callable[[], Any],
        links: _Links,
        told: asyncio.Queue[Any],
    ) -> None:
        """Listen, and listen again where that ends, until only a person can help."""
        chance, attempt = random.Random(0), 0
        while not self._closed:
            began = self._clock.tick()
            try:
                await listen()
            except (AuthError, NotFoundError, DataError) as error:
                await told.put(error)
                return
            except DeniedError as error:
                await told.put(denied(symbol, error))
                return
            except LinkError as error:
                await links.down(name, str(error), told)
                attempt = 0 if self._clock.tick() - began > 60.0 else attempt + 1
                await self._clock.sleep(delay(attempt, chance))


class _Links:
    """The state of several streams as one: the worst counts, and quotes alone degrade it."""

    def __init__(self, bars: Sequence[str], quotes: Sequence[str]) -> None:
        self._bars = {name: LinkFact("connecting") for name in bars}
        self._quotes = {name: LinkFact("connecting") for name in quotes}
        self._told = LinkFact("connecting")
        self._all_known = asyncio.Event()

    async def up(self, name: str, told: asyncio.Queue[Any]) -> None:
        """One of them brings something; bars wait until it is known of all how they stand."""
        await self._put(name, LinkFact("up"), told)
        if name in self._bars:
            await self._all_known.wait()

    async def down(
        self, name: str, why: str, told: asyncio.Queue[Any], state: Any = "down"
    ) -> None:
        """One of them does not."""
        await self._put(name, LinkFact(state, why), told)

    async def _put(self, name: str, fact: LinkFact, told: asyncio.Queue[Any]) -> None:
        mine = self._bars if name in self._bars else self._quotes
        if mine[name].state == fact.state:
            return
        mine[name] = fact
        known = [x for x in self._bars.values() if x.state != "connecting"]
        if len(known) < len(self._bars):
            return
        poor = next((x for x in self._quotes.values() if x.state in ("down", "degraded")), None)
        now = next((x for x in known if x.state == "down"), LinkFact("up"))
        if now.state == "up" and poor is not None:
            now = LinkFact("degraded", poor.reason)
        if now != self._told:
            self._told = now
            await told.put(now)
        self._all_known.set()


class _Forming:
    """What is known of one symbol's bars.

    Parameters
    ----------
    symbol : str
    grid : Grid
    lag : int, ns
    since : int, ns UTC
        Bars that closed before are no news.
    clock : Clock
    """

    def __init__(self, symbol: str, grid: Grid, lag: int, since: int, clock: Clock) -> None:
        self.symbol, self.grid, self._lag, self._clock = symbol, grid, lag, clock
        self.newest = since  # close time of the newest bar that was told to be over
        self._row: Row | None = None  # the bar in progress
        self._placed: Placed | None = None
        self._told: dict[int, Row] = {}
        self._opened = 0
        self._answer: tuple[int, Row] | None = None  # of a question after its time

    async def take(self, frame: dict[str, Any]) -> list[Fact]:
        """What a frame of the stream tells that is new."""
        row = row_of(self.symbol, frame, self.grid.period)
        facts: list[Fact] = []
        if self._row is None or row.stamp != self._row.stamp:
            before, self._answer = self._row, None
            placed = self._place(row)
            if placed is None or (before is not None and row.stamp < before.stamp):
                return self._corrected(row, placed)
            if before is not None:
                facts += self._over(before)
            self._placed = placed
        self._row = row
        assert self._placed is not None
        close = int(self._placed.close_time[0])
        if str(frame.get("BarStatus")).lower() == "closed":
            left = close - self._clock.now()
            if left > 0:  # the last bar of a session, which is short
                await self._clock.sleep(left / SECOND_NS)
            return facts + self._over(row)
        if close > max(self._opened, self.newest) and self._clock.now() < close:
            self._opened = close
            facts.append(BarOpened(self.symbol, close, row.open))
        return facts

    async def asked_for(self, wire: MarketData) -> list[Fact]:
        """The bar in progress, where its time is over and the stream does not say that it is."""
        if self._row is None or self._placed is None:
            return []
        close, now = int(self._placed.close_time[0]), self._clock.now()
        if close <= self.newest or now < close + self._lag:
            return []
        if self._answer is not None and now - self._answer[0] < APART:
            return []
        try:
            told = await wire.bars(self.symbol, self.grid.period, close - self.grid.period, now)
        except (BadAnswer, DataError, NotFoundError):
            return []
        row = next((r for r in told.rows if r.stamp == self._row.stamp), None)
        if row is None:
            return []
        if self._answer is None or self._answer[1] != row:
            self._answer = now, row
            return []
        return self._over(row)

    def _over(self, row: Row) -> list[Fact]:
        """A bar that is over, where that is news; otherwise told than before: a correction."""
        assert self._placed is not None
        close = int(self._placed.close_time[0])
        if close <= self.newest:
            return self._corrected(row, self._placed)
        self._told[close] = row
        for old in sorted(self._told)[:-KEPT]:
            del self._told[old]
        self.newest = close
        return [self._fact(row, self._placed)]

    def _corrected(self, row: Row, placed: Placed | None) -> list[Fact]:
        if placed is None:
            return []
        close = int(placed.close_time[0])
        before = self._told.get(close)
        if before is None or before == row:
            return []
        self._told[close] = row
        return [self._fact(row, placed, corrected=True)]

    def _place(self, row: Row) -> Placed | None:
        """Where a bar lies; None of one outside the sessions."""
        answer = Answer(self.symbol, self.grid.period, "", "end", (row,))
        placed = self.grid.placed(answer, self.symbol)
        return placed if len(placed.rows) else None

    def _fact(self, row: Row, placed: Placed, corrected: bool = False) -> BarClosed:
        prices = (row.open, row.high, row.low, row.close, row.volume)
        close = int(placed.close_time[0])
        return BarClosed(self.symbol, close, *prices, corrected, self.grid.period)


def _is_delayed(told: dict[str, Any]) -> bool:
    return bool((told.get("MarketFlags") or {}).get("IsDelayed"))


def _quotes_of(symbols: Sequence[str]) -> str:
    """What their stream is called, which is no symbol."""
    return f"quotes of {','.join(symbols)}"


def tradestation_bars(credentials: dict[str, Any], clock: Clock | None) -> TradeStationBars:
    """A source by the credentials of a login, as `links.tradestation.credentials` has them.

    Prices are those of the real service, whatever accounts the login has.

    Raises
    ------
    ConfigError, SecretError, MissingExtra
    """
    clock = clock or WallClock()
    client = Client(LIVE, tokens_of(LIVE, credentials, clock), clock)
    return TradeStationBars(MarketData(client, clock), clock)
