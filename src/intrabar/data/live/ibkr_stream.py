"""The bars that TWS pushes: about every five seconds the newest one as it is then.

A bar is over when a later one has begun, else by the clock: asked for `lag` after its close time,
twice, 5 s apart, and equal both times. The same question finds a stream that is connected and
mute, as it is after IB's nightly reset: then it is asked for anew.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from typing import Any

from intrabar.data.live.grid import Grid, lag_of, require_period
from intrabar.data.live.ibkr import ASK, BID, LAST, IbkrBars, quote_of, row_of
from intrabar.data.live.polling import APART, Polled
from intrabar.errors import AuthError, ConfigError, LinkError
from intrabar.links.clock import SECOND_NS, Clock
from intrabar.links.ibkr import raw
from intrabar.links.ibkr.settings import settings_of
from intrabar.links.lines import delay
from intrabar.links.vendor import Answer, Row
from intrabar.model.bars import DAY_NS, Bars
from intrabar.model.facts import BarClosed, BarOpened, Fact, Heartbeat, LinkFact, Quote, SourceCan

CUT, BACK, GONE = frozenset({1100, 2110}), frozenset({1101, 1102}), frozenset({10182, 10225})
"""TWS has lost IB; it has it again; one subscription has ended."""
QUOTES_APART = 1.0  # seconds between two quotes of a symbol that are told
MOST = 50  # open requests for bars
SETTLES = 0.05  # seconds in which the ticks of one change come


class IbkrSource:
    """Bars that TWS pushes, with their opens; bars of a day are asked for.

    Parameters
    ----------
    vendor : IbkrBars
    calendars : mapping, optional
        Symbols to calendars, where their names do not tell; "none" for none.
    """

    def __init__(self, vendor: IbkrBars, calendars: Mapping[str, str] | None = None) -> None:
        self.vendor, self._clock = vendor, vendor.clock
        self.calendars = dict(calendars or {})
        self._closed = asyncio.Event()
        self._chance = random.Random(0)

    @property
    def can(self) -> SourceCan:  # noqa: D102
        return SourceCan(
            "forming",
            self.vendor.lag,
            corrects=False,
            quotes=True,
            periods=self.vendor.periods,
            lag_daily=self.vendor.lag_daily,
        )

    async def quote(self, symbol: str) -> Quote:  # noqa: D102
        return await self.vendor.quote(symbol)

    async def history(self, symbol: str, period: int, start: int, end: int) -> Bars:  # noqa: D102
        return await self._asked().history(symbol, period, start, end)

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:  # noqa: D102
        require_period(self.vendor, period)
        facts = self._days(symbols) if period == DAY_NS else self._pushed(symbols, period)
        try:
            async for fact in facts:
                yield fact
        finally:
            await facts.aclose()

    async def close(self) -> None:  # noqa: D102
        self._closed.set()
        await self.vendor.close()

    def _asked(self) -> Polled:
        # Each request counts: bars of seconds come by the hour, sixty times in ten minutes.
        return Polled(self.vendor, self._clock, calendars=self.calendars, before=0)

    async def _days(self, symbols: tuple[str, ...]) -> AsyncGenerator[Fact]:
        polled = self._asked()
        closing = asyncio.ensure_future(self._closed.wait())
        closing.add_done_callback(lambda _: asyncio.ensure_future(polled.close()))
        try:
            async for fact in polled.events(symbols, DAY_NS):
                yield fact
        finally:
            closing.cancel()

    async def _pushed(self, symbols: tuple[str, ...], period: int) -> AsyncGenerator[Fact]:
        if len(symbols) > MOST:
            raise ConfigError(
                f"IB pushes bars of at most {MOST} symbols to one login, not {len(symbols)}; name "
                "fewer, or a second source for the rest"
            )
        lag = lag_of(self.vendor, period)
        since = self._clock.now() - lag - period
        asked = self._asked()
        watched = {s: _Watched(s, asked.grid(s, period), since, lag) for s in symbols}
        for symbol in symbols:
            await self.vendor.listed(symbol)
        attempt = 0
        while not self._closed.is_set():
            yield LinkFact("connecting")
            try:
                async for fact in self._connected(watched, period):
                    if isinstance(fact, LinkFact) and fact.state == "up":
                        attempt = 0
                    yield fact
            except AuthError:
                raise
            except LinkError as error:
                if self._closed.is_set():
                    return
                yield LinkFact("down", str(error))
                await self._wait(delay(attempt, self._chance))
                attempt += 1

    async def _connected(self, watched: dict[str, _Watched], period: int) -> AsyncGenerator[Fact]:
        """What one connection tells, until it is closed.

        Raises
        ------
        LinkError
            It has ended, or is mute.
        """
        heard: asyncio.Queue[raw.Fact] = asyncio.Queue()
        self.vendor.hearers.add(heard.put_nowait)
        numbers: dict[int, _Watched] = {}
        quoted: dict[int, _Quoted] = {}
        try:
            for one in watched.values():
                number, rows = await self.vendor.keep(one.symbol, period)
                if number is not None:
                    numbers[number] = one
                one.begin(rows)
            quoted |= {await self.vendor.keep_quotes(s): _Quoted(s) for s in watched}
            yield LinkFact("up")
            for one in watched.values():
                for fact in one.news(self._clock.now()):
                    yield fact
            while not self._closed.is_set():
                now = self._clock.now()
                left = (min(one.due() for one in watched.values()) - now) / SECOND_NS
                left = min(left, *(one.left(self._clock.tick()) for one in quoted.values()))
                fact_heard = await self._next(heard, max(left, 0.001))
                for fact in self._said(fact_heard, numbers, quoted):
                    yield fact
                for quoting in quoted.values():
                    for fact in quoting.news(self._clock):
                        yield fact
                for one in watched.values():
                    for fact in await self._checked(one, period):
                        yield fact
                    if one.is_mute:
                        one.is_mute = False
                        raise LinkError(
                            f"TWS is connected, but mute: it has not told bars of {one.symbol}"
                        )
        finally:
            self.vendor.hearers.discard(heard.put_nowait)
            self.vendor.drop(numbers, quoted)

    def _said(
        self,
        fact: raw.Fact | None,
        numbers: Mapping[int, _Watched],
        quoted: Mapping[int, _Quoted],
    ) -> Iterator[Fact]:
        """What a raw fact says.

        Raises
        ------
        LinkError
        """
        match fact:
            case raw.Bar() if fact.request in numbers:
                one = numbers[fact.request]
                one.update(row_of(fact, one.symbol))
                yield from one.news(self._clock.now())
            case raw.Tick() if fact.request in quoted:
                quoted[fact.request].take(fact, self._clock.tick())
            case raw.Notice() if fact.id in quoted:
                symbol = quoted[fact.id].symbol  # bars go on: a state that blocks would be wrong
                yield LinkFact("up", f"no quotes of {symbol}: TWS {fact.code}: {fact.text}")
            case raw.Time():
                yield Heartbeat(fact.at)
            case raw.Lost():
                raise LinkError(f"TWS: {fact.why}")
            case raw.Notice() if fact.code in CUT:
                yield LinkFact("down", f"TWS {fact.code}: {fact.text}")
            case raw.Notice() if fact.code in BACK:
                raise LinkError(f"TWS {fact.code}: {fact.text}: asked for anew")
            case raw.Notice() if fact.id in numbers and (fact.code in GONE or fact.code == 162):
                raise LinkError(f"TWS {fact.code}: {fact.text}")
            case raw.Garbage():
                raise LinkError(f"frame {fact.kind} of TWS cannot be read: asked for anew")

    async def _checked(self, one: _Watched, period: int) -> list[Fact]:
        """Ask for a bar that is due, where the stream has not closed it."""
        now = self._clock.now()
        if now < one.due():
            return []
        answer = await self.vendor.bars(one.symbol, period, one.newest - 4 * period, now)
        one.settle(answer.rows, now)
        return list(one.news(self._clock.now()))

    async def _next(self, heard: asyncio.Queue[raw.Fact], seconds: float) -> raw.Fact | None:
        """What is heard next; None where nothing is for so long, or it is closed."""
        tasks = (
            asyncio.ensure_future(heard.get()),
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._closed.wait()),
        )
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return tasks[0].result() if tasks[0].done() else None
        finally:
            for task in tasks:
                task.cancel()

    async def _wait(self, seconds: float) -> None:
        await self._next(asyncio.Queue(), seconds)


def ibkr_source(credentials: dict[str, Any], clock: Clock | None) -> IbkrSource:
    """The source of a configuration's credentials (`links.ibkr.settings`).

    Raises
    ------
    ConfigError
    """
    return IbkrSource(IbkrBars(settings_of(credentials), clock))


class _Quoted:
    """The newest ticks of one symbol; its quote is told once a second.

    Bid and ask come in frames of their own: a quote is told a moment behind the last of them.
    """

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self._ticks: dict[int, float] = {}
        self._told, self._due = -math.inf, math.inf

    def take(self, tick: raw.Tick, now: float) -> None:
        """A tick, at an instant of the monotonic clock."""
        self._ticks[tick.kind] = tick.value
        if tick.kind in (BID, ASK, LAST):
            self._due = max(now + SETTLES, self._told + QUOTES_APART)

    def left(self, now: float) -> float:
        """Seconds until it is told again."""
        return self._due - now

    def news(self, clock: Clock) -> Iterator[Quote]:
        """The quote, where it is due."""
        if clock.tick() < self._due:
            return
        self._told, self._due = clock.tick(), math.inf
        found = quote_of(self.symbol, self._ticks, clock.now())
        if found is not None:
            yield found


class _Watched:
    """The bars of one symbol: those that grow, those that are over, those that were told."""

    def __init__(self, symbol: str, grid: Grid, since: int, lag: int) -> None:
        self.symbol, self.grid, self._since, self._lag = symbol, grid, since, lag
        self.newest = since  # close time of the newest bar that was told
        self._rows: dict[int, Row] = {}  # by close time, not told yet
        self._growing = -1, 0  # stamp and close time of the bar that is told again and again
        self._opened: set[int] = set()
        self._sure: set[int] = set()  # close times of bars that are over by the clock
        self._target = grid.due(since)  # close time of the bar that is waited for
        self._asked: tuple[int, Row | None] | None = None  # of the target, and what came
        self.is_mute = False

    def begin(self, rows: tuple[Row, ...]) -> None:
        """The bars up to now, of a new subscription."""
        self._take(tuple(row for row in rows if row.stamp >= self.newest - self.grid.period))

    def update(self, row: Row) -> None:
        """A bar as it is now."""
        if row.stamp == self._growing[0]:
            self._rows[self._growing[1]] = row
        else:
            self._take((row,))

    def _take(self, rows: tuple[Row, ...]) -> None:
        placed = self._placed(rows) if rows else {}
        self._rows |= {close: row for close, row in placed.items() if close > self.newest}
        last = max((row.stamp for row in rows), default=0)
        self._sure |= {close for close in self._rows if close <= last}
        grows = [close for close in self._rows if self._rows[close].stamp == last]
        self._growing = (last, grows[0]) if grows else (-1, 0)

    def due(self) -> int:
        """When a bar that the stream has not closed is asked for, ns UTC."""
        while self._target <= self.newest:
            self._target, self._asked = self.grid.due(self._target), None
        first = self._target + self._lag
        return first if self._asked is None else max(first, self._asked[0] + APART)

    def settle(self, rows: tuple[Row, ...], asked: int) -> None:
        """Take what was answered for the bar that is due: it is over when it was equal twice.

        Where twice nothing came there was none. A bar of which the stream has told nothing shows
        that it is mute.
        """
        placed = self._placed(rows)
        known, last = {*self._rows}, max((row.stamp for row in rows), default=0)
        over = {close for close in placed if self.newest < close <= last}
        found, before = placed.get(self._target), self._asked
        self._asked = asked, found
        if found is not None and before is not None and before[1] == found:
            over.add(self._target)
        for close in over:
            self._rows[close] = placed[close]
            self._sure.add(close)
        self.is_mute |= bool(over - known)
        if found is None and (before is not None or last >= self._target):
            self._target, self._asked = self.grid.due(self._target), None

    def news(self, now: int) -> Iterator[Fact]:
        """The opens of bars that have begun, the bars that are over; in their order."""
        last = max(self._rows, default=0)
        for close in sorted(self._rows):
            row = self._rows[close]
            if close not in self._opened and now <= close:
                self._opened.add(close)
                yield BarOpened(self.symbol, close, row.open)
            if close > now or (close == last and close not in self._sure):
                break
            del self._rows[close]
            if close == self._growing[1]:
                self._growing = -1, 0
            self.newest = max(self.newest, close)
            if close > self._since:
                prices = (row.open, row.high, row.low, row.close, row.volume)
                yield BarClosed(self.symbol, close, *prices, period=self.grid.period)
        self._opened = {x for x in self._opened if x >= self.newest}
        self._sure = {x for x in self._sure if x > self.newest}

    def _placed(self, rows: tuple[Row, ...]) -> dict[int, Row]:
        answer = Answer(self.symbol, self.grid.period, "", "start", rows)
        placed = self.grid.placed(answer, self.symbol)
        return dict(zip(placed.close_time.tolist(), placed.rows, strict=True))
