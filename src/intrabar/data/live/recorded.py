"""Recorded bars as a source: at any speed, with opens or without, and with faults by a schedule.

Time is the record's own: a bar comes at its close time, or when a fault says. Under a `SimLoop`
a year takes as long as the work on it; `speed` makes it slow enough to watch.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Literal, NamedTuple

import msgspec

from intrabar.data.periods import period_text
from intrabar.data.verdicts import utc_text
from intrabar.errors import ConfigError, DataError, LinkError, NotFoundError
from intrabar.links.clock import SECOND_NS, Clock
from intrabar.links.worker import in_thread
from intrabar.model.bars import Bars
from intrabar.model.facts import (
    BarClosed,
    BarOpened,
    Fact,
    Heartbeat,
    LinkFact,
    Quote,
    SourceCan,
)

Kind = Literal[
    "late", "early", "missing", "doubled", "differing", "corrected", "bad", "other_symbol", "down"
]
KINDS: tuple[Kind, ...] = (
    "late",
    "early",
    "missing",
    "doubled",
    "differing",
    "corrected",
    "bad",
    "other_symbol",
    "down",
)
BAD = ("nan", "infinite", "crossed", "outside", "volume", "zero")
_NEVER = 2**63 - 1
_DOWN, _UP, _BEAT, _CLOSES, _OPENS = 0, 1, 2, 1000, 1_000_000  # ranks within one instant
_INSTANT = 10**12
"""From here on a number is an instant (ns), below it a row."""


class Fault(msgspec.Struct, frozen=True):
    """What goes wrong with one bar.

    Parameters
    ----------
    at : int
        Row of the symbol's bars, or the bar's close time in ns UTC.
    symbol : str
    kind : one of `KINDS`
        It comes late, or early; never; twice; first with another close, then right, at once
        ("differing") or after `seconds` ("corrected"); as a bar that cannot be; under another
        symbol's name; or the source is down from its close on for `seconds`, and what was missed
        comes after that.
    seconds : float
    value : float
        What the close of a first, wrong version is multiplied by.
    how : one of `BAD`
    """

    at: int
    symbol: str
    kind: Kind
    seconds: float = 60.0
    value: float = 1.02
    how: str = "nan"


class Arrival(NamedTuple):
    """A fact, and when it comes (ns UTC)."""

    time: int
    order: int
    fact: Fact


class Recorded:
    """Bars of the past, told as if they came now.

    Parameters
    ----------
    bars : sequence of Bars
        Of one period, each symbol once.
    clock : Clock
        `LoopClock` of the first instant that is to be lived through, under a `SimLoop`.
    opens : bool
        Tell the open of a bar when it begins.
    faults : sequence of Fault
    speed : float
        Instants with a bar a second of real time; 0: without a pause.

    Raises
    ------
    ConfigError
        Bars of several periods, a symbol twice, or a fault that fits no bar.
    """

    def __init__(
        self,
        bars: Sequence[Bars],
        clock: Clock,
        *,
        opens: bool = False,
        faults: Sequence[Fault] = (),
        speed: float = 0.0,
    ) -> None:
        self._bars = {b.symbol: b for b in bars}
        if len(self._bars) != len(bars) or not bars:
            raise ConfigError("recorded bars: there are none, or a symbol is there twice")
        if len({b.period for b in bars}) > 1:
            told = ", ".join(f"{b.symbol} {period_text(b.period)}" for b in bars)
            raise ConfigError(f"recorded bars of several periods: {told}; name bars of one")
        if not speed >= 0.0:
            raise ConfigError(f"speed is {speed}, must be 0 (without a pause) or rows a second")
        self._clock, self._opens, self._speed = clock, opens, speed
        self._faults = self._by_row(faults)
        self._outages = _joined(
            (int(self._bars[symbol].close_time[row]), _ns(fault))
            for (symbol, row), fault in self._faults.items()
            if fault.kind == "down"
        )
        self._closed = False

    @property
    def can(self) -> SourceCan:  # noqa: D102
        period = next(iter(self._bars.values())).period
        return SourceCan(
            "prints" if self._opens else "none",
            0.0,
            corrects=True,
            quotes=True,
            periods=(period,),
        )

    async def quote(self, symbol: str) -> Quote:
        """The last close that is known by now."""
        bars, now = self._of(symbol), self._clock.now()
        at = int(bars.close_time.searchsorted(now, "right")) - 1
        if at < 0:
            raise LinkError(f"{symbol}: no bar is recorded before {utc_text(now)}")
        return Quote(symbol, int(bars.close_time[at]), price=float(bars.close[at]))

    async def history(self, symbol: str, period: int, start: int, end: int) -> Bars:  # noqa: D102
        return self._of(symbol, period).between(start, min(end, self._clock.now()))

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:
        """What happens from now on, until the record ends."""
        arrivals = self.arrivals(symbols, period, self._clock.now())
        yield LinkFact("up")
        for at, together in groupby(arrivals, key=lambda arrival: arrival.time):
            left = at - self._clock.now()
            if left > 0:
                await self._clock.sleep(left / SECOND_NS)
            if self._closed:
                return
            for arrival in together:
                yield arrival.fact
            if self._speed:
                # A worker's sleep: the time of a simulated loop stands still meanwhile.
                await in_thread(partial(time.sleep, 1.0 / self._speed))

    def arrivals(self, symbols: tuple[str, ...], period: int, now: int) -> Iterator[Arrival]:
        """What comes from an instant on, in the order in which it comes; the last bar again.

        At one instant a heartbeat goes first, then the closes, then the opens of the next bars,
        symbols in the order in which they are named.
        """
        streams = [
            self._arrivals(self._of(symbol, period), order, now)
            for order, symbol in enumerate(symbols)
        ]
        streams.append(self._links(now))
        return iter(heapq.merge(*streams, key=lambda arrival: arrival[:2]))

    async def close(self) -> None:  # noqa: D102
        self._closed = True

    def _arrivals(self, bars: Bars, order: int, now: int) -> Iterator[Arrival]:
        first = int(bars.close_time.searchsorted(now - bars.period, "right"))
        edge = bars.open_time if self._opens else bars.close_time
        early = max((_ns(f) for (s, _), f in self._faults.items() if s == bars.symbol), default=0)
        waiting: list[tuple[int, int, int, Fact]] = []
        count = 0
        for row in range(first, len(bars)):
            for at, rank, fact in self._row(bars, row, order):
                up = self._up_again(at)
                if isinstance(fact, BarOpened) and (at < now or up > at):
                    continue
                heapq.heappush(waiting, (up, rank, count, fact))
                count += 1
            # What comes later by its row may come earlier by a fault.
            safe = int(edge[row + 1]) - early if row + 1 < len(bars) else _NEVER
            while waiting and waiting[0][0] < safe:
                at, rank, _, fact = heapq.heappop(waiting)
                yield Arrival(at, rank, fact)

    def _links(self, now: int) -> Iterator[Arrival]:
        for down, up in self._outages:
            if up > now:
                yield Arrival(down, _DOWN, LinkFact("down", "as scheduled"))
                yield Arrival(up, _UP, LinkFact("up"))

    def _up_again(self, at: int) -> int:
        """When something comes that would have come at an instant."""
        for down, up in self._outages:
            if down <= at < up:
                at = up
        return at

    def _row(self, bars: Bars, row: int, order: int) -> Iterator[tuple[int, int, Fact]]:
        """When the facts of a bar come, and their rank among those of one instant."""
        symbol, close_time = bars.symbol, int(bars.close_time[row])
        right = BarClosed(
            symbol,
            close_time,
            float(bars.open[row]),
            float(bars.high[row]),
            float(bars.low[row]),
            float(bars.close[row]),
            float(bars.volume[row]),
        )
        fault = self._faults.get((symbol, row))
        closes, opens = _CLOSES + order, _OPENS + order
        if self._opens and (fault is None or fault.kind not in ("missing", "other_symbol")):
            opened = int(bars.open_time[row])
            yield opened, opens, BarOpened(symbol, close_time, right.open)
        if order == 0:
            yield close_time, _BEAT, Heartbeat(close_time)
        if fault is None or fault.kind == "down":
            yield close_time, closes, right
            return
        moved = _ns(fault)
        wrong = _with_close(right, right.close * fault.value)
        match fault.kind:
            case "late":
                yield close_time + moved, closes, right
            case "early":
                yield close_time - moved, closes, right
            case "missing":
                pass
            case "doubled":
                yield close_time, closes, right
                yield close_time, closes, right
            case "differing":
                yield close_time, closes, wrong
                yield close_time, closes, right
            case "corrected":
                yield close_time, closes, wrong
                yield close_time + moved, closes, msgspec.structs.replace(right, corrected=True)
            case "bad":
                yield close_time, closes, _broken(right, fault.how)
            case "other_symbol":
                yield close_time, closes, msgspec.structs.replace(right, symbol=f"NOT-{symbol}")

    def _of(self, symbol: str, period: int | None = None) -> Bars:
        bars = self._bars.get(symbol)
        if bars is None:
            raise NotFoundError("symbol", symbol, self._bars)
        if period is not None and period != bars.period:
            raise DataError(
                f"{symbol}: bars of {period_text(bars.period)} are recorded, not of "
                f"{period_text(period)}"
            )
        return bars

    def _by_row(self, faults: Sequence[Fault]) -> dict[tuple[str, int], Fault]:
        found: dict[tuple[str, int], Fault] = {}
        for fault in faults:
            bars = self._of(fault.symbol)
            row = fault.at
            if row >= _INSTANT:
                row = int(bars.close_time.searchsorted(fault.at))
                if row == len(bars) or bars.close_time[row] != fault.at:
                    raise ConfigError(
                        f"fault {fault.kind}: no bar of {fault.symbol} closes at "
                        f"{utc_text(fault.at)}"
                    )
            if not 0 <= row < len(bars):
                raise ConfigError(
                    f"fault {fault.kind}: row {row} of {fault.symbol}, which has {len(bars)}"
                )
            if fault.kind not in KINDS or fault.how not in BAD:
                raise ConfigError(
                    f"fault {fault.kind!r} ({fault.how!r}) of {fault.symbol}: kinds are "
                    f"{', '.join(KINDS)}; bad bars are {', '.join(BAD)}"
                )
            if (fault.symbol, row) in found:
                raise ConfigError(f"row {row} of {fault.symbol} has two faults; name one")
            found[fault.symbol, row] = fault
        return found


def _joined(outages: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Outages, given by begin and length, by begin and end; those that touch are one."""
    found: list[tuple[int, int]] = []
    for down, length in sorted(outages):
        if found and down <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], down + length)
        else:
            found.append((down, down + length))
    return found


def _ns(fault: Fault) -> int:
    return round(fault.seconds * SECOND_NS)


def _with_close(bar: BarClosed, close: float) -> BarClosed:
    """The same bar with another close, and a high and low that hold it."""
    return msgspec.structs.replace(
        bar, close=close, high=max(bar.high, close), low=min(bar.low, close)
    )


def _broken(bar: BarClosed, how: str) -> BarClosed:
    changes = {
        "nan": {"close": float("nan")},
        "infinite": {"high": float("inf")},
        "crossed": {"high": bar.low * 0.9, "low": bar.high * 1.1},
        "outside": {"close": bar.high * 1.5},
        "volume": {"volume": -5.0},
        "zero": {"open": 0.0, "high": 0.0, "low": 0.0, "close": 0.0},
    }
    return msgspec.structs.replace(bar, **changes[how])
