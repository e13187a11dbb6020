"""What happens alongside the bars of a history that comes piece by piece.

Splits, dividends, margins, rolls, rates of exchange and lower bars are laid on a piece as they
are on the whole market; each is read no further than the piece goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from intrabar.data.actions import Actions
from intrabar.data.calendars import whole_day
from intrabar.data.continuous import Roll, placed
from intrabar.data.detail import detail_rows
from intrabar.data.margins import Margins
from intrabar.data.pieces import Feed, Part, Piece
from intrabar.data.rates import Pair, rates_on
from intrabar.model.bars import Action, Bars, Times
from intrabar.model.instrument import Instrument

COLUMNS = ("close_time", "open", "high", "low", "close", "volume", "open_time", "session")


@dataclass(frozen=True, eq=False)
class Alongside:
    """What happens alongside the bars of one instrument.

    Parameters
    ----------
    actions, margins, rolls
        As for bars that are in memory.
    detail : Feed or None
        Lower bars.
    """

    actions: Actions | None = None
    margins: Margins | None = None
    rolls: tuple[Roll, ...] = ()
    detail: Feed | None = None

    @property
    def moves_prices(self) -> bool:
        """Whether there are splits, dividends or rolls."""
        return bool(self.rolls or (self.actions and self.actions.rows))


def laid(
    pieces: Iterator[Piece],
    alongside: Sequence[Alongside],
    instruments: Sequence[Instrument],
    account: str,
    pairs: Mapping[Pair, Feed],
) -> Iterator[Piece]:
    """Pieces with what happens alongside their bars.

    Parameters
    ----------
    pieces : iterator of Piece
    alongside, instruments : sequence
        In the order of the market's columns.
    account : str
        Currency of the account.
    pairs : mapping of (base, quote) to Feed
        The rates of exchange.

    Yields
    ------
    Piece
        Its market has all actions so far, under the bar numbers of the whole.

    Raises
    ------
    ConfigError, DataError
        As for bars that are in memory, at the piece that it concerns.
    """
    columns = [_Placing(j, one) for j, one in enumerate(alongside)]
    currencies = [x.currency for x in instruments]
    reels = {pair: _Reel(feed) for pair, feed in pairs.items()}
    detail = [_Reel(one.detail) if one.detail is not None else None for one in alongside]
    ticks = [x.tick_size for x in instruments]
    actions: list[Action] = []
    first, before = 0, np.zeros(0, np.int64)
    for piece in pieces:
        market = piece.market
        found = [
            action
            for column, part in zip(columns, piece.parts, strict=True)
            for action in column.place(part, np.append(before, market.time), first - len(before))
        ]
        actions += sorted(found, key=lambda action: action.bar)
        rates = {pair: reel.around(market.time) for pair, reel in reels.items()}
        market = replace(
            market,
            actions=tuple(actions),
            fx=rates_on(market.time, currencies, account, rates),
        )
        if any(detail):
            lower = [
                None if reel is None or not len(part.close_time) else reel.inside(part)
                for reel, part in zip(detail, piece.parts, strict=True)
            ]
            market = replace(market, detail=detail_rows(market, lower, ticks)[0])
        first, before = first + len(market), market.time[-1:]
        yield piece._replace(market=market)


class _Placing:
    """The actions of one instrument that have not been laid on its bars yet.

    They are laid by the functions that lay them on a whole market: on the bars of the piece behind
    the last bar before it, of which they know that it is no place for them.
    """

    def __init__(self, column: int, given: Alongside) -> None:
        self._column = column
        self._actions, self._margins, self._rolls = given.actions, given.margins, given.rolls
        self._last: Part | None = None

    def place(self, part: Part, time: Times, above: int) -> list[Action]:
        """Those that fall on the bars of a part; row 0 of `time` is bar `above` of the whole."""
        due: list[Action] = placed(self._rolls, time, self._column)
        if not len(part.close_time):
            return self._numbered(due, above)
        bars = part if self._last is None else self._last.and_then(part)
        self._last = part.between(-1, None)
        day = int(part.session[-1])
        if self._margins is not None:
            margins, rows = self._margins, self._margins.rows
            now = tuple(row for row in rows if row[0] <= day)
            self._margins = replace(margins, rows=rows[len(now) :])
            if now:
                due = [*replace(margins, rows=now).placed(_bars(bars), time, self._column), *due]
        if self._actions is not None:
            actions, happened = self._actions, self._actions.rows
            these = tuple(row for row in happened if row.date <= day)
            self._actions = replace(actions, rows=happened[len(these) :])
            if these:
                due = [*replace(actions, rows=these).placed(_bars(bars), time, self._column), *due]
        return self._numbered(due, above)

    @staticmethod
    def _numbered(due: list[Action], above: int) -> list[Action]:
        return [replace(action, bar=action.bar + above) for action in due]


def _bars(part: Part) -> Bars:
    return Bars(symbol="part", period=1, **part._asdict())


class _Reel:
    """Bars that are read along with the pieces, no further than they go."""

    def __init__(self, feed: Feed) -> None:
        self._parts = iter(feed)
        self._bars = next(self._parts)

    def around(self, time: Times) -> Bars:
        """The bars that say what holds at these times: from the last before them on."""
        self._read(int(time[-1]))
        at = int(np.searchsorted(self._bars.close_time, time[0], "right"))
        self._bars = rows_from(self._bars, max(at - 1, 0))
        return self._bars

    def inside(self, part: Part) -> Bars | None:
        """The bars that may lie inside those of a part."""
        self._read(int(whole_day(part.close_time[-1:])[0]))
        at = int(np.searchsorted(self._bars.open_time, part.open_time[0], "left"))
        if at == len(self._bars):
            return None
        self._bars = rows_from(self._bars, at)
        return self._bars

    def _read(self, until: int) -> None:
        parts = [self._bars]
        while int(parts[-1].close_time[-1]) <= until:
            more = next(self._parts, None)
            if more is None:
                break
            parts.append(more)
        self._bars = joined(parts)


def rows_from(bars: Bars, row: int) -> Bars:
    """The bars from a row on."""
    # A copy: a view would keep what is no longer needed.
    return bars if row == 0 else _made(bars, lambda name: getattr(bars, name)[row:].copy())


def joined(parts: Sequence[Bars]) -> Bars:
    """Bars of one instrument one after the other."""
    if len(parts) == 1:
        return parts[0]
    return _made(parts[0], lambda name: np.concatenate([getattr(p, name) for p in parts]))


def _made(bars: Bars, column: Callable[[str], Any]) -> Bars:
    return replace(bars, **{name: column(name) for name in COLUMNS})
