"""A source that is asked again and again: bars are closed by the clock.

A bar is over when a later one has begun, else when it was asked for `lag` after its close time,
twice, 5 s apart, and was equal both times. A bar that is due and not there is asked for again
after 5, 10, 20 s and so on, at most every 5 minutes (daily bars: every hour).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import NamedTuple

from intrabar.data.instruments import calendar_of
from intrabar.data.live.grid import Grid, Placed, lag_of, require_period
from intrabar.data.periods import period_text
from intrabar.data.verdicts import utc_text
from intrabar.errors import (
    AuthError,
    BadAnswer,
    ConfigError,
    DataError,
    LinkError,
    NotFoundError,
    RateLimited,
)
from intrabar.links.clock import SECOND_NS, Clock, WallClock
from intrabar.links.vendor import Row, Vendor
from intrabar.model.bars import DAY_NS, Bars
from intrabar.model.facts import BarClosed, Fact, Heartbeat, LinkFact, Quote, SourceCan

APART = 5 * SECOND_NS
AHEAD = 2 * SECOND_NS  # what a bar may lie ahead of our clock
_BACK = 3  # bars before the newest that each answer is to hold, for corrections
_KEPT = 20  # bars that were told, against which a correction is seen
_WORSE = {"up": 0, "degraded": 1, "down": 2}
_LONGEST, _LONGEST_DAILY = 300, 3600  # seconds between two questions for one bar


class Polled:
    """Bars of a vendor that does not push them.

    Parameters
    ----------
    vendor : Vendor
    clock : Clock, optional
        None: the machine's.
    calendars : mapping, optional
        Symbols to calendars; "" or "none" for none. Else the calendar of the symbol's name.
    pause : float, optional
        Seconds between two questions for a bar that is due, at least 5 (`trading.update_interval`).
    before : int, ns
        From how long before the first bar on a history is asked for.
    """

    def __init__(
        self,
        vendor: Vendor,
        clock: Clock | None = None,
        *,
        calendars: Mapping[str, str] | None = None,
        pause: float | None = None,
        before: int = DAY_NS,
    ) -> None:
        self.vendor, self._clock, self._before = vendor, clock or WallClock(), before
        self._calendars, self._pause = dict(calendars or {}), pause
        self._closed, self._held = False, 0.0  # seconds for which the vendor wants to be left alone
        self._asleep: set[asyncio.Future[None]] = set()

    @property
    def can(self) -> SourceCan:  # noqa: D102
        return SourceCan(
            "none",
            self.vendor.lag,
            corrects=self.vendor.corrects,
            quotes=True,
            periods=self.vendor.periods,
            streams=False,
            lag_daily=self.vendor.lag_daily,
        )

    async def quote(self, symbol: str) -> Quote:  # noqa: D102
        return await self.vendor.quote(symbol)

    async def history(self, symbol: str, period: int, start: int, end: int) -> Bars:  # noqa: D102
        grid = self.grid(symbol, period)
        now = self._clock.now()
        since = start - period - self._before
        answer = await self.vendor.bars(symbol, period, since, min(end, now))
        placed = grid.placed(answer, symbol)
        over = placed.closed(now, lag_of(self.vendor, period))
        first = int(placed.close_time[:over].searchsorted(start, "left"))
        last = int(placed.close_time[:over].searchsorted(end, "right"))
        if first >= last:
            raise DataError(
                f"{self.vendor.name} has no bars {period_text(period)} of {symbol} between "
                f"{utc_text(start)} and {utc_text(min(end, now))}"
            )
        return placed.bars(symbol, period, first, last)

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:  # noqa: D102
        lag = lag_of(self.vendor, period)
        since = self._clock.now() - lag - period
        watched = {s: _Watched(s, self.grid(s, period), since, lag) for s in symbols}
        self._require_budget(watched, period)
        state = LinkFact("connecting")
        while not self._closed:
            self._held = 0.0
            for one in watched.values():
                if self._closed or one.next_ask(self._clock.now(), self._wait) > self._clock.now():
                    continue
                one.link, bars = await self._asked(one, period)
                # That of one symbol is no better for the answer to another.
                link = max((w.link for w in watched.values()), key=lambda f: _WORSE[f.state])
                if link != state:
                    yield link
                state = link
                if one.link.state == "up":
                    yield Heartbeat()
                for bar in bars:
                    yield bar
                if self._held > 0.0:
                    break
            now = self._clock.now()
            at = min(one.next_ask(now, self._wait) for one in watched.values())
            await self._sleep(max((at - now) / SECOND_NS, self._held, 0.001))

    async def close(self) -> None:  # noqa: D102
        self._closed = True
        for waiting in self._asleep:
            waiting.cancel()
        await self.vendor.close()

    async def _sleep(self, seconds: float) -> None:
        """Wait, but for no longer than until it is closed."""
        waiting = asyncio.ensure_future(self._clock.sleep(seconds))
        self._asleep.add(waiting)
        try:
            await asyncio.wait({waiting})
        finally:
            waiting.cancel()
            self._asleep.discard(waiting)

    async def _asked(self, one: _Watched, period: int) -> tuple[LinkFact, list[BarClosed]]:
        """What becomes of a question: the state of the link, and bars that are over.

        Raises
        ------
        AuthError, NotFoundError
            Only a person can help.
        """
        one.tries += 1
        one.asked = now = self._clock.now()
        try:
            return LinkFact("up"), await self._ask(one, period, now)
        except AuthError:
            raise
        except (BadAnswer, DataError) as error:
            return LinkFact("degraded", str(error)), []
        except LinkError as error:
            self._held = error.after if isinstance(error, RateLimited) else 0.0
            return LinkFact("down", str(error)), []
        except NotFoundError as error:
            if not one.known:
                raise
            return LinkFact("degraded", str(error)), []

    async def _ask(self, one: _Watched, period: int, now: int) -> list[BarClosed]:
        start = min(one.newest, now) - (_BACK + 1) * period
        answer = await self.vendor.bars(one.symbol, period, start, self._clock.now())
        placed = one.grid.placed(answer, one.symbol)
        one.known = True
        _refuse_future(placed, one.symbol, self._clock.now())
        return list(one.take(placed, now, self.vendor.corrects))

    def _wait(self, one: _Watched) -> int:
        """Ns until the next question for a bar that is due."""
        if self._pause is not None:
            return max(APART, round(self._pause * SECOND_NS))
        longest = _LONGEST_DAILY if one.grid.period == DAY_NS else _LONGEST
        return min(APART << min(max(one.tries - 1, 0), 20), longest * SECOND_NS)

    def grid(self, symbol: str, period: int) -> Grid:
        """Where the bars of a symbol lie.

        Raises
        ------
        DataError, ConfigError
            The vendor has no bars of that period; the symbol's calendar is not known.
        """
        require_period(self.vendor, period)
        said = self._calendars.get(symbol)
        calendar = calendar_of(symbol) if said is None else said
        if not calendar and said is None:
            raise ConfigError(
                f"when the exchange of the symbol {symbol!r} is open is not known; name the "
                f"calendar: instruments: {{{symbol}: {{calendar: NYSE}}}}, or XETR, LSE, 24/7, none"
            )
        return Grid("" if calendar == "none" else calendar, period)

    def _require_budget(self, watched: Mapping[str, _Watched], period: int) -> None:
        if self.vendor.calls_a_day is None:
            return
        calls = sum(2 * one.grid.bars_a_day() for one in watched.values())
        if calls > self.vendor.calls_a_day:
            raise ConfigError(
                f"{self.vendor.name} answers {self.vendor.calls_a_day} calls a day, and "
                f"{len(watched)} symbols of bars {period_text(period)} take {calls} (two a bar); "
                "name a longer period, fewer symbols, or calls_a_day of your key"
            )


class _Seen(NamedTuple):
    row: Row
    asked: int


class _Watched:
    """What is known of one symbol."""

    def __init__(self, symbol: str, grid: Grid, since: int, lag: int) -> None:
        self.symbol, self.grid, self.lag = symbol, grid, lag
        self.since = self.newest = since  # close time of the newest bar that was told
        self.target = grid.due(since)  # close time of the bar that is asked for
        self.tries, self.asked, self.known = 0, 0, False
        self.link = LinkFact("up")  # by its last answer
        self._told: dict[int, Row] = {}
        self._seen: dict[int, _Seen] = {}

    def next_ask(self, now: int, wait: Callable[[_Watched], int]) -> int:
        """When to ask again, ns UTC; the first question goes at once."""
        if not self.asked:
            return now
        later = self.grid.due(self.target)
        while later + self.lag <= now:
            self.target, self.tries = later, 0
            later = self.grid.due(later)
        due = self.target + self.lag
        if self.newest >= self.target:
            return later + self.lag
        return min(
            max(due, self.asked + wait(self)) if self.asked >= due else due, later + self.lag
        )

    def take(self, placed: Placed, asked: int, corrects: bool) -> Iterator[BarClosed]:
        """The bars of an answer that are over and were not told, or otherwise."""
        last = len(placed.rows) - 1
        for at, (row, close) in enumerate(
            zip(placed.rows, placed.close_time.tolist(), strict=True)
        ):
            if close > asked or close <= self.since:
                continue
            told = self._told.get(close)
            if told is not None:
                if corrects and told != row:
                    self._told[close] = row
                    yield placed.fact(at, self.symbol, corrected=True)
                continue
            if close <= self.newest and self._told and close < min(self._told):
                continue  # too old to be known
            if at == last and not self._is_settled(close, row, asked):
                continue
            self._seen.pop(close, None)
            self._told[close] = row
            self.newest = max(self.newest, close)
            yield placed.fact(at, self.symbol)
        for old in sorted(self._told)[:-_KEPT]:
            del self._told[old]

    def _is_settled(self, close: int, row: Row, asked: int) -> bool:
        """Whether a bar was equal twice, after it was due."""
        if asked < close + self.lag:
            return False
        before = self._seen.get(close)
        if before is not None and before.row == row:
            return asked - before.asked >= APART
        self._seen = {close: _Seen(row, asked)}
        return False


def _refuse_future(placed: Placed, symbol: str, now: int) -> None:
    if placed.rows and placed.open_time[-1] > now + AHEAD:
        raise BadAnswer(
            f"{symbol}: a bar that begins at {utc_text(placed.open_time[-1])} came at "
            f"{utc_text(now)}: it is of the future; none is taken"
        )
