"""The stream of Alpaca as a source: minutes as they close, longer bars built of them, quotes.

A minute comes once, just after it is over (`b`), and again where late trades have changed it (`u`).
After each gap the minutes are asked for by REST, so that nothing between is missing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from datetime import datetime
from typing import Any

import numpy as np

from intrabar.data.calendars import sessions
from intrabar.data.live.alpaca import CALENDAR, MINUTE, AlpacaBars, row_of
from intrabar.data.live.building import built
from intrabar.data.live.grid import lag_of, require_period
from intrabar.data.live.polling import Polled
from intrabar.errors import AuthError, LinkError, RateLimited
from intrabar.links.alpaca.streams import USUAL, Limits, prices
from intrabar.links.clock import SECOND_NS
from intrabar.links.lines import delay
from intrabar.links.reading import number
from intrabar.links.vendor import Row
from intrabar.model.bars import DAY_NS, Bars
from intrabar.model.facts import BarClosed, Fact, Heartbeat, LinkFact, Quote, SourceCan

_KEPT = 20  # bars that were told, against which a correction is seen
_QUOTES_APART = 1.0  # seconds between two quotes of a symbol that are told
_MISSED = MINUTE  # ns after which a minute that the stream has not told does not come any more
_MUTE = 120.0  # seconds in session without a word, before REST is asked whether there was one


class AlpacaSource:
    """Bars and quotes that Alpaca pushes; bars of a day are asked for.

    Parameters
    ----------
    vendor : AlpacaBars
    limits : Limits, optional
    """

    def __init__(self, vendor: AlpacaBars, limits: Limits = USUAL) -> None:
        self.vendor, self._limits, self._clock = vendor, limits, vendor.clock
        self._closed = asyncio.Event()
        self._chance = random.Random(0)

    @property
    def can(self) -> SourceCan:  # noqa: D102
        return SourceCan(
            "none",
            self.vendor.lag,
            corrects=True,
            quotes=True,
            periods=self.vendor.periods,
            lag_daily=self.vendor.lag_daily,
        )

    async def quote(self, symbol: str) -> Quote:  # noqa: D102
        return await self.vendor.quote(symbol)

    async def history(self, symbol: str, period: int, start: int, end: int) -> Bars:  # noqa: D102
        return await self._asked((symbol,)).history(symbol, period, start, end)

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:  # noqa: D102
        require_period(self.vendor, period)
        facts = self._days(symbols) if period == DAY_NS else self._pushed(symbols, period)
        async with aclosing(facts):
            async for fact in facts:
                yield fact

    async def close(self) -> None:  # noqa: D102
        self._closed.set()
        await self.vendor.close()

    def _asked(self, symbols: tuple[str, ...]) -> Polled:
        return Polled(self.vendor, self._clock, calendars=dict.fromkeys(symbols, CALENDAR))

    async def _days(self, symbols: tuple[str, ...]) -> AsyncGenerator[Fact]:
        polled = self._asked(symbols)
        closing = asyncio.ensure_future(self._closed.wait())
        closing.add_done_callback(lambda _: asyncio.ensure_future(polled.close()))
        try:
            async for fact in polled.events(symbols, DAY_NS):
                yield fact
        finally:
            closing.cancel()

    async def _pushed(self, symbols: tuple[str, ...], period: int) -> AsyncGenerator[Fact]:
        lag = lag_of(self.vendor, period)
        since = self._clock.now() - lag - period
        watched = {symbol: _Watched(symbol, period, since, lag) for symbol in symbols}
        attempt, unknown = 0, list(symbols)
        while not self._closed.is_set():
            yield LinkFact("connecting")
            try:
                while unknown:
                    await self.vendor.require(unknown[-1])
                    unknown.pop()
                async with aclosing(self._connected(watched)) as facts:
                    async for fact in facts:
                        if isinstance(fact, LinkFact) and fact.state == "up":
                            attempt = 0
                        yield fact
            except AuthError:
                raise
            except LinkError as error:
                yield LinkFact("down", str(error))
                wait = delay(attempt, self._chance)
                after = error.after if isinstance(error, RateLimited) else 0.0
                await self._sleep(max(wait, after))
                attempt += 1

    async def _connected(self, watched: dict[str, _Watched]) -> AsyncGenerator[Fact]:
        """What one connection tells, until it is closed.

        Raises
        ------
        IntrabarError
            It has ended.
        """
        names = tuple(watched)
        wanted = dict.fromkeys(("bars", "updatedBars", "quotes"), names)
        stream = prices(self.vendor.hosts, self.vendor.keys, self.vendor.feed, wanted, self._limits)
        heard, quoted = self._clock.tick(), dict.fromkeys(names, -_QUOTES_APART)
        is_up = False
        async with aclosing(self._heard(stream, watched.values())) as messages:
            async for message in messages:
                now = self._clock.now()
                named: tuple[str, ...] = ()
                if message is None and not is_up:
                    for one in watched.values():
                        one.take(await self._missed(one), now)
                    yield LinkFact("up")
                    is_up = True
                elif message is None:
                    yield Heartbeat()
                    if self._is_open(now) and self._clock.tick() - heard > _MUTE:
                        heard = self._clock.tick()
                        await self._require_quiet(watched.values())
                elif isinstance(message, dict):
                    heard = self._clock.tick()
                    symbol, kind = str(message.get("S")), message.get("T")
                    if symbol in watched and kind in ("b", "u"):
                        watched[symbol].take((row_of(message, f"alpaca: {symbol}"),), None)
                        named = (symbol,)
                    elif symbol in watched and kind == "q":
                        if heard - quoted[symbol] >= _QUOTES_APART:
                            quoted[symbol] = heard
                            yield _quote(symbol, message, now)
                for name in names if message is None or message == "" else named:
                    for bar in watched[name].closed(self._clock.now()):
                        yield bar

    async def _heard(
        self, stream: AsyncGenerator[dict[str, Any] | None], watched: Iterable[_Watched]
    ) -> AsyncGenerator[dict[str, Any] | str | None]:
        """The messages of a stream, and "" whenever a bar is due; it ends when it is closed."""
        closing = asyncio.ensure_future(self._closed.wait())
        coming = due = None
        try:
            while not self._closed.is_set():
                coming = coming or asyncio.ensure_future(anext(stream))
                now = self._clock.now()
                left = min(one.due(now) for one in watched) - now
                due = asyncio.ensure_future(self._clock.sleep(max(left / SECOND_NS, 0.001)))
                await asyncio.wait({coming, due, closing}, return_when=asyncio.FIRST_COMPLETED)
                due.cancel()
                if coming.done():
                    message, coming = coming.result(), None
                    yield message
                elif not closing.done():
                    yield ""
        finally:
            for task in (coming, due, closing):
                if task is not None:
                    task.cancel()
            if coming is not None:
                await asyncio.wait({coming})
            await stream.aclose()

    async def _missed(self, one: _Watched) -> tuple[Row, ...]:
        """The minutes since some bars before the newest that was told."""
        answer = await self.vendor.bars(one.symbol, MINUTE, one.back, self._clock.now())
        return answer.rows

    async def _require_quiet(self, watched: Iterable[_Watched]) -> None:
        """Ask for what a stream that is silent should have told.

        Raises
        ------
        LinkError
            There was something.
        """
        for one in watched:
            rows = await self._missed(one)
            if one.take(rows, self._clock.now()):
                raise LinkError(
                    f"alpaca: connected, but mute: it has not told bars of {one.symbol}"
                )

    def _is_open(self, now: int) -> bool:
        day = now // DAY_NS
        known = sessions(CALENDAR, day - 2, day + 2)
        return bool(known.row_of(np.array([now], np.int64))[0] >= 0)

    async def _sleep(self, seconds: float) -> None:
        """Wait, but for no longer than until it is closed."""
        tasks = {
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._closed.wait()),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()


class _Watched:
    """The minutes of one symbol, and the bars that were told of them."""

    def __init__(self, symbol: str, period: int, since: int, lag: int) -> None:
        self.symbol, self._period, self._since, self._lag = symbol, period, since, lag
        self._newest = since  # close time of the newest bar that was told
        self._minutes: dict[int, Row] = {}
        self._sure: set[int] = set()  # minutes that the stream has closed
        self._told: dict[int, Row] = {}
        self._due = 0

    @property
    def back(self) -> int:
        """From where on minutes are asked for: whole bars, some of which may be corrected."""
        return self._newest - 4 * self._period

    def due(self, now: int) -> int:
        """When to look again whether a bar is over, ns UTC."""
        close = (now - self._lag) // MINUTE * MINUTE + MINUTE
        return close + self._lag

    def take(self, rows: Iterable[Row], asked: int | None) -> bool:
        """Take in minutes; whether there was one that is new and that is over.

        Parameters
        ----------
        asked : int, optional
            When they were asked for; None: the stream has told that they are over.
        """
        is_new = False
        for row in rows:
            over = row.stamp + MINUTE
            if asked is None:
                self._sure.add(row.stamp)
            elif row.stamp in self._sure and self._minutes[row.stamp] == row:
                continue
            is_new |= row.stamp not in self._minutes and (asked is None or over + _MISSED < asked)
            self._minutes[row.stamp] = row
        return is_new

    def closed(self, now: int) -> Iterator[BarClosed]:
        """The bars that are over and were not told, or otherwise."""
        if not self._minutes:
            return
        stamps = sorted(self._minutes)
        rows = built((self._minutes[at] for at in stamps), CALENDAR, self._period)
        last = stamps[-1]
        for row in rows:
            close = row.stamp + self._period
            is_over = close <= now and (
                last >= close or close - MINUTE in self._sure or close + self._lag <= now
            )
            if close <= self._since or not is_over or self._told.get(close) == row:
                continue
            is_known = close in self._told
            if not is_known and close < self._newest and self._told and close < min(self._told):
                continue  # too old to be known
            self._told[close] = row
            self._newest = max(self._newest, close)
            prices = (row.open, row.high, row.low, row.close, row.volume)
            yield BarClosed(self.symbol, close, *prices, is_known, self._period)
        for old in sorted(self._told)[:-_KEPT]:
            del self._told[old]
        self._forget()

    def _forget(self) -> None:
        """Let go of minutes of which no bar is told any more."""
        least = min(self._told, default=self._since) - 2 * self._period
        for at in [at for at in self._minutes if at < least]:
            del self._minutes[at]
            self._sure.discard(at)


def _quote(symbol: str, message: dict[str, Any], now: int) -> Quote:
    place = f"alpaca: {symbol}"
    bid, ask = (number(message.get(key), f"{place}: {key}") for key in ("bp", "ap"))
    at = message.get("t")
    time = round(at.timestamp() * 1e6) * 1000 if isinstance(at, datetime) else now
    return Quote(
        symbol,
        min(time, now),
        bid=bid if bid > 0.0 else None,
        ask=ask if ask > 0.0 else None,
    )
