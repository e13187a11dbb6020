"""The market of a history that is larger than memory, some rows of the timeline at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from intrabar.data.timeline import NO_SESSION, Before, on_timeline, union
from intrabar.model.bars import Bars, Floats, Market, Times


class Feed(Protocol):
    """The bars of one instrument, in parts of any length."""

    @property
    def symbol(self) -> str: ...  # noqa: D102
    @property
    def period(self) -> int:
        """Ns."""

    def __len__(self) -> int:
        """How many bars there are in all."""
        ...

    def __iter__(self) -> Iterator[Bars]:
        """The parts, in order."""
        ...


@dataclass(frozen=True)
class WholeFeed:
    """Bars that are in memory already, as a feed of one part."""

    bars: Bars

    @property
    def symbol(self) -> str:
        """The instrument."""
        return self.bars.symbol

    @property
    def period(self) -> int:
        """Ns."""
        return self.bars.period

    def __len__(self) -> int:
        return len(self.bars)

    def __iter__(self) -> Iterator[Bars]:
        yield self.bars


class Part(NamedTuple):
    """Some bars of one instrument, none too."""

    close_time: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    open_time: Times
    session: Times

    def between(self, first: int, last: int | None) -> Part:
        """Some of them."""
        # A copy: a view would keep what has been given away.
        return Part(*(column[first:last].copy() for column in self))  # type: ignore[arg-type]

    def and_then(self, *parts: Part) -> Part:
        """With the bars that follow."""
        return Part(*(np.concatenate(c) for c in zip(self, *parts, strict=True)))


class Piece(NamedTuple):
    """Some rows of a market.

    Parameters
    ----------
    market : Market
        As `market_from_bars` has those rows of the whole.
    is_last : bool
    parts : tuple of Part
        The bars of each instrument in it.
    """

    market: Market
    is_last: bool
    parts: tuple[Part, ...]


@dataclass
class _Queue:
    """Bars of one instrument that have been read and not yet been given away."""

    feed: Iterator[Bars]
    bars: Part = field(init=False)
    before: Before = field(init=False)

    def __post_init__(self) -> None:
        self.bars = _part(next(self.feed))
        self.before = Before()

    def fill(self, rows: int) -> None:
        """Read on until there are so many bars, or no more."""
        parts = [self.bars]
        count = len(self.bars.close_time)
        while count < rows:
            more = next(self.feed, None)
            if more is None:
                break
            parts.append(_part(more))
            count += len(more)
        if len(parts) > 1:
            self.bars = parts[0].and_then(*parts[1:])

    def give(self, until: int) -> tuple[Part, Before]:
        """The bars up to an instant, and what stands around them."""
        count = int(np.searchsorted(self.bars.close_time, until, "right"))
        given, self.bars = self.bars.between(0, count), self.bars.between(count, None)
        after = int(self.bars.session[0]) if len(self.bars.session) else -1
        around = self.before._replace(next_session=after)
        if count:
            self.before = Before(int(given.session[-1]), float(given.close[-1]))
        return given, around


def pieces(
    feeds: Sequence[Feed], rows: int, calendars: Sequence[str] | None = None
) -> Iterator[Piece]:
    """The rows of the market of these bars, in order, `rows` at a time.

    Parameters
    ----------
    feeds : sequence of Feed
        In the order of the configuration; one period, each symbol once.
    rows : int, >= 1
        Of the timeline; the last piece may have fewer.
    calendars : sequence of str, optional
        As for `market_from_bars`.
    """
    symbols = tuple(feed.symbol for feed in feeds)
    queues = [_Queue(iter(feed)) for feed in feeds]
    day, since = NO_SESSION, None
    is_last = False
    while not is_last:
        for queue in queues:
            queue.fill(rows + 1)
        # The first rows of the union are among the first of each.
        time = union([q.bars.close_time[:rows] for q in queues])[:rows]
        taken = [queue.give(int(time[-1])) for queue in queues]
        is_last = not any(len(q.bars.close_time) for q in queues)
        parts, around = [part for part, _ in taken], [at for _, at in taken]
        market = on_timeline(symbols, feeds[0].period, time, parts, around, calendars, since)
        assert market.day is not None
        np.maximum(market.day, day, out=market.day)
        day, since = int(market.day[-1]), int(time[-1])
        yield Piece(market, is_last, tuple(parts))


def _part(bars: Bars) -> Part:
    return Part(*(getattr(bars, name) for name in Part._fields))
