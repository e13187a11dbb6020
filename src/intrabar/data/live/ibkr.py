"""Bars and quotes of Interactive Brokers, asked of TWS or IB Gateway.

Bars stamp their starts. Those of shares are adjusted for splits by IB, which tells none. What
streams is `ibkr_stream`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from intrabar.errors import BadAnswer, DataError, NotFoundError, RateLimited
from intrabar.links.clock import SECOND_NS, Clock, WallClock
from intrabar.links.ibkr import raw
from intrabar.links.ibkr.asking import RefusedError
from intrabar.links.ibkr.finding import contract_of
from intrabar.links.ibkr.settings import Settings
from intrabar.links.ibkr.wire import Wire
from intrabar.links.lines import Bucket, Line
from intrabar.links.vendor import Answer, Row
from intrabar.model.bars import DAY_NS
from intrabar.model.facts import Quote

MINUTE = 60 * SECOND_NS
HISTORY = 162
LONGEST_PAUSE = 5 * DAY_NS  # in which nothing is traded
NO_QUOTES = frozenset({354, 10089, 10090, 10167, 10168, 10186, 10197})
"""Codes of prices that the login may not see, or sees elsewhere just now."""
BID, ASK, LAST, VOLUME, LAST_TIME = 1, 2, 4, 8, 45


class Size(NamedTuple):
    """Bars of one period in IB's words, and how far back one request may go."""

    word: str
    span: str
    span_ns: int


SIZES = {
    5 * SECOND_NS: Size("5 secs", "3600 S", 3_600 * SECOND_NS),
    10 * SECOND_NS: Size("10 secs", "14400 S", 14_400 * SECOND_NS),
    15 * SECOND_NS: Size("15 secs", "14400 S", 14_400 * SECOND_NS),
    30 * SECOND_NS: Size("30 secs", "28800 S", 28_800 * SECOND_NS),
    MINUTE: Size("1 min", "1 D", DAY_NS),
    2 * MINUTE: Size("2 mins", "2 D", 2 * DAY_NS),
    3 * MINUTE: Size("3 mins", "1 W", 7 * DAY_NS),
    5 * MINUTE: Size("5 mins", "1 W", 7 * DAY_NS),
    10 * MINUTE: Size("10 mins", "1 W", 7 * DAY_NS),
    15 * MINUTE: Size("15 mins", "1 W", 7 * DAY_NS),
    30 * MINUTE: Size("30 mins", "1 M", 30 * DAY_NS),
    DAY_NS: Size("1 day", "1 Y", 365 * DAY_NS),
}
"""Periods whose bars begin where those of a session do: IB's bars of an hour do not."""


class IbkrBars:
    """Bars and quotes by question; the connection is made by the first.

    Parameters
    ----------
    settings : Settings
        Its client id and one more is that of this connection.
    clock : Clock, optional
    seconds : float
        Deadline of a question.
    silence : float
        After so many seconds without a frame the connection counts as dead.
    """

    name = "ibkr"
    lag = 10.0
    lag_daily = 900.0
    corrects = False
    periods = tuple(SIZES)
    calls_a_day: int | None = None

    def __init__(
        self,
        settings: Settings,
        clock: Clock | None = None,
        *,
        seconds: float = 15.0,
        silence: float = 30.0,
    ) -> None:
        self.settings, self.clock = settings, clock or WallClock()
        self._seconds, self._silence = seconds, silence
        self._line = Line(
            self.name, self.clock, Bucket(40, 1.0, self.clock), seconds=2.0 * seconds, tries=3
        )
        self._paced = Bucket(5, 2.0, self.clock)
        self._paced_short = Bucket(58, 600.0, self.clock)  # bars of up to 30 s
        self._turn = asyncio.Lock()
        self._wire: Wire | None = None
        self._listed: dict[str, raw.Listed] = {}
        self.hearers: set[Callable[[raw.Fact], None]] = set()

    async def bars(  # noqa: D102
        self, symbol: str, period: int, start: int, end: int, *, actions: bool = False
    ) -> Answer:
        what = await self.listed(symbol)
        size, rows = SIZES[period], dict[int, Row]()
        until = min(end, self.clock.now())
        # A bar that begins before the end is in the answer; a day is known by its date.
        until += DAY_NS if period == DAY_NS else 0
        empty = 0  # ns without a bar: a weekend may be, IB's memory may end
        while until > start and empty < LONGEST_PAUSE:
            found = await self._line.read(
                lambda until=until: self._some(what, until, size, period),  # type: ignore[misc]
                f"bars {size.word} {symbol}",
            )
            rows |= {row.stamp: row for row in found}
            empty = 0 if found else empty + size.span_ns
            until = (
                min([until - 1, *(row.stamp for row in found)]) if found else until - size.span_ns
            )
        kept = tuple(rows[at] for at in sorted(rows) if start <= at <= end)
        adjusted: Literal["raw", "split"] = "split" if what.kind == "STK" else "raw"
        return Answer(symbol, period, "", "start", kept, adjustment=adjusted)

    def earliest(self, period: int) -> int:
        """Some requests of one span each reach so far."""
        return self.clock.now() - 20 * SIZES[period].span_ns

    async def quote(self, symbol: str) -> Quote:  # noqa: D102
        what = await self.listed(symbol)
        try:
            ticks = await self._line.read(lambda: self._ticks(what), f"the quote of {symbol}")
        except RefusedError as error:
            if error.code in NO_QUOTES:
                raise NotFoundError("quote", symbol, (), none=str(error)) from None
            raise
        found = quote_of(symbol, {x.kind: x.value for x in ticks}, self.clock.now())
        if found is None:
            raise NotFoundError("quote", symbol, (), none=f"IB has no price of {symbol} now")
        return found

    async def listed(self, symbol: str) -> raw.Listed:
        """What a symbol is at IB.

        Raises
        ------
        NotFoundError, ConfigError, LinkError
        """
        if symbol not in self._listed:
            found = await self._line.read(lambda: self._find(symbol), f"the contract {symbol}")
            self._listed[symbol] = found
        return self._listed[symbol]

    async def wire(self) -> Wire:
        """The connection, which is made where there is none.

        Raises
        ------
        LinkError
        """
        async with self._turn:
            if self._wire is None or not self._wire.lives:
                at = self.settings
                wire = Wire(
                    at.host,
                    at.port,
                    at.client_id + 1,
                    self.clock,
                    self._hear,
                    seconds=self._seconds,
                    silence=self._silence,
                    zone=at.local,
                )
                await wire.connect(self._seconds)
                self._wire = wire
            return self._wire

    async def keep(self, symbol: str, period: int) -> tuple[int | None, tuple[Row, ...]]:
        """Bars up to now; each change of the newest is heard under the number from now on.

        Where there are no bars now IB tells none later either: then there is no number.

        Raises
        ------
        NotFoundError, DataError, LinkError
        """
        what, size = await self.listed(symbol), SIZES[period]
        wire = await self.wire()
        await self._pace(period)
        show, regular = _shown(what), False  # what is outside of the session is left out here
        try:
            number, bars = await wire.keep_bars(what, size.span, size.word, show, regular)
        except RefusedError as error:
            _require_no_data(error, symbol)
            return None, ()
        return number, tuple(row_of(bar, symbol) for bar in bars)

    async def keep_quotes(self, symbol: str) -> int:
        """Have each change of a quote heard under the number that is returned.

        Raises
        ------
        NotFoundError, LinkError
        """
        what = await self.listed(symbol)
        return (await self.wire()).keep_ticks(what)

    def drop(self, bars: Iterable[int], quotes: Iterable[int]) -> None:
        """End what was kept under these numbers, where the connection still is."""
        if self._wire is not None:
            for number in bars:
                self._wire.stop_bars(number)
            for number in quotes:
                self._wire.stop_ticks(number)

    async def close(self) -> None:  # noqa: D102
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()

    def _hear(self, fact: raw.Fact) -> None:
        for hear in list(self.hearers):
            hear(fact)

    async def _find(self, symbol: str) -> raw.Listed:
        return (await contract_of(await self.wire(), symbol, self.settings.contracts)).listed

    async def _ticks(self, what: raw.Listed) -> list[raw.Tick]:
        return await (await self.wire()).ticks(what)

    async def _some(self, what: raw.Listed, until: int, size: Size, period: int) -> tuple[Row, ...]:
        """One request's bars; none where IB has none."""
        wire = await self.wire()
        await self._pace(period)
        regular = period == DAY_NS and what.kind == "STK"
        try:
            bars = await wire.bars(what, until, size.span, size.word, _shown(what), regular)
        except RefusedError as error:
            _require_no_data(error, what.local or what.symbol)
            return ()
        return tuple(row_of(bar, what.local or what.symbol) for bar in bars)

    async def _pace(self, period: int) -> None:
        await self._paced.take()
        if period <= 30 * SECOND_NS:
            await self._paced_short.take()


def quote_of(symbol: str, ticks: Mapping[int, float], now: int) -> Quote | None:
    """A quote of the ticks that there are, by their kinds; None where there is no price."""
    bid, ask, price = (_price(ticks.get(kind)) for kind in (BID, ASK, LAST))
    if bid is ask is price is None:
        return None
    at = round(ticks[LAST_TIME]) * SECOND_NS if LAST_TIME in ticks and bid is ask is None else now
    volume = ticks.get(VOLUME, -1.0)
    return Quote(
        symbol,
        min(at, now),
        price=price,
        bid=bid,
        ask=ask,
        volume=volume if volume >= 0.0 else None,
    )


def _require_no_data(error: RefusedError, symbol: str) -> None:
    """Pass where IB just has no bars.

    Raises
    ------
    RateLimited, DataError, LinkError
        It says no for another reason.
    """
    text = str(error).lower()
    if error.code != HISTORY:
        raise error
    if "pacing" in text:
        raise RateLimited(str(error), 15.0)
    if "no data" not in text:
        raise DataError(f"{symbol}: {error}")


def row_of(bar: raw.Bar, symbol: str) -> Row:
    """A bar of TWS; a volume that it does not know (-1) is 0.

    Raises
    ------
    BadAnswer
    """
    if not bar.start.isdigit():
        raise BadAnswer(f"ibkr: {symbol}: a bar of {bar.start[:20]!r}, no time")
    if len(bar.start) == 8:
        day = datetime.strptime(bar.start, "%Y%m%d").replace(tzinfo=UTC)
        stamp = round(day.timestamp()) * SECOND_NS
    else:
        stamp = int(bar.start) * SECOND_NS
    volume = 0.0 if bar.volume == -1.0 else bar.volume
    return Row(stamp, bar.open, bar.high, bar.low, bar.close, volume)


def _shown(what: raw.Listed) -> str:
    """Pairs of currencies have no trades."""
    return "MIDPOINT" if what.kind == "CASH" else "TRADES"


def _price(value: float | None) -> float | None:
    return value if value is not None and value > 0.0 else None
