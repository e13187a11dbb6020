"""What decides a run over a history that comes piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from intrabar.data.alongside import Alongside, laid
from intrabar.data.heard import Heard
from intrabar.data.pieces import Feed, Piece, pieces
from intrabar.data.prediction_place import Placement
from intrabar.data.rates import Pair
from intrabar.data.resample import phases, usual
from intrabar.data.session_ends import SessionEnd
from intrabar.engine.run import require_start, ticks_of_nothing, with_rows
from intrabar.engine.tables.lessons import learned_exits, require_unseen
from intrabar.engine.tables.predicted import placements
from intrabar.engine.time_frames import on_frames
from intrabar.errors import ConfigError
from intrabar.indicators import require_length
from intrabar.indicators.given import Request
from intrabar.model.bars import Action, Bars, Floats, Market, Timeline, Times
from intrabar.model.enums import PathPolicy
from intrabar.model.instrument import Instrument
from intrabar.model.remark import Remark
from intrabar.risk.limits import Limits
from intrabar.sim.account import Account
from intrabar.strategy.blame import indicators_of
from intrabar.strategy.gates import IsOpen
from intrabar.strategy.registry import AnyStrategy


class PieceSetup(Protocol):
    """What a window and a machine need to know of a run whose bars come in pieces."""

    @property
    def symbols(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def instruments(self) -> tuple[Instrument, ...]: ...  # noqa: D102
    @property
    def strategies(self) -> Mapping[str, AnyStrategy]: ...  # noqa: D102
    @property
    def account(self) -> Account: ...  # noqa: D102
    @property
    def is_open(self) -> IsOpen | None: ...  # noqa: D102
    @property
    def timeline(self) -> Timeline:
        """Whose rows signals and weights have."""

    @property
    def look_back(self) -> int:
        """How many rows Python strategies may look back."""

    @property
    def moves_prices(self) -> bool:
        """Whether there are, or may be, splits, dividends or rolls."""

    @property
    def period(self) -> int:
        """Of the bars, ns."""

    @property
    def phases(self) -> tuple[int, ...]:
        """What the opens of each instrument are usually past a multiple of longer periods, ns."""

    @property
    def predicted(self) -> Mapping[Request, Placement | Heard]:
        """On which bars the predictions were made that its strategies read."""


@dataclass(frozen=True)
class Rows:
    """The rows and columns of a timeline."""

    symbols: tuple[str, ...]
    count: int

    def __len__(self) -> int:
        return self.count


@dataclass(frozen=True, eq=False)
class ChunkedSetup:
    """Everything that decides a run over a history that comes piece by piece.

    Parameters
    ----------
    feeds : tuple of Feed
        One for each instrument.
    instruments, strategies, account, is_open
        As `Setup`.
    chunk : rows of the timeline, >= 1
        In memory at a time; Python strategies may look back as far.
    alongside : tuple of Alongside
        What happens alongside the bars of each instrument; none: nothing.
    pairs : mapping of (base, quote) to Feed
        Rates of exchange, for what is not in the account's currency.
    remarks : tuple of Remark
        As `Setup`.
    session_end : "bars" or "calendar"
        What ends the sessions of the instruments.
    risk : Limits or None
    trade_from : int, ns UTC, or None
    predicted : mapping of Request to Placement
        As `Setup`.
    """

    feeds: tuple[Feed, ...]
    instruments: tuple[Instrument, ...]
    strategies: Mapping[str, AnyStrategy]
    account: Account
    chunk: int
    is_open: IsOpen | None = None
    alongside: tuple[Alongside, ...] = ()
    pairs: Mapping[Pair, Feed] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()
    session_end: SessionEnd = "bars"
    risk: Limits | None = None
    trade_from: int | None = None
    predicted: Mapping[Request, Placement | Heard] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.chunk < 1:
            raise ConfigError(f"chunk is {self.chunk}, must be at least 1 bar")
        if self.account.close_delisted:
            raise ConfigError(
                "account.close_delisted asks where the bars of each instrument end, which a run in "
                "chunks does not know; run it at one go"
            )
        if not self.alongside:
            object.__setattr__(self, "alongside", (Alongside(),) * len(self.feeds))
        require_start(self.strategies, self.account)
        rows = DatedRows(self)
        strategies, told = with_rows(self.strategies, rows, self.instruments)
        object.__setattr__(self, "strategies", strategies)
        found, more = placements(strategies, rows, self.instruments, self.predicted)
        object.__setattr__(self, "predicted", found)
        told += more
        if learned_exits(strategies):
            told += require_unseen(
                strategies, self.symbols, rows.closes, self.trade_from, self.period
            )
        told = [*told, *(r for r in ticks_of_nothing(self.instruments) if r not in self.remarks)]
        object.__setattr__(self, "remarks", (*self.remarks, *told))
        longest = max(self.feeds, key=len)
        for name, strategy in self.strategies.items():
            for indicator in indicators_of(name, strategy).values():
                if not on_frames(indicator):
                    require_length(indicator, len(longest), longest.symbol)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Of its columns."""
        return tuple(feed.symbol for feed in self.feeds)

    @property
    def look_back(self) -> int:
        """A chunk."""
        return self.chunk

    @property
    def period(self) -> int:
        """Of the bars, ns."""
        return self.feeds[0].period

    @property
    def moves_prices(self) -> bool:
        """Whether there are splits, dividends or rolls."""
        return any(one.moves_prices for one in self.alongside)

    @cached_property
    def phases(self) -> tuple[int, ...]:
        """The usual phase of each feed; its bars are only looked at where longer bars need it."""
        return tuple(
            usual_phase(feed if has_frames(self.strategies) else ()) for feed in self.feeds
        )

    @cached_property
    def timeline(self) -> Rows:
        """Its rows, which have to be counted where several instruments share them."""
        if len(self.feeds) == 1:
            return Rows(self.symbols, len(self.feeds[0]))
        return Rows(self.symbols, sum(len(p.market) for p in self.bare_pieces()))

    def under(self, policy: PathPolicy) -> ChunkedSetup:
        """The same run with another path inside the bars."""
        return replace(self, account=replace(self.account, path_policy=policy))

    def bare_pieces(self) -> Iterator[Piece]:
        """The bars of the market alone, some rows at a time."""
        calendars = [x.calendar for x in self.instruments]
        return pieces(self.feeds, self.chunk, calendars if self.session_end == "calendar" else None)

    def pieces(self) -> Iterator[Piece]:
        """The market, some rows at a time."""
        return laid(
            self.bare_pieces(),
            self.alongside,
            self.instruments,
            self.account.currency,
            self.pairs,
        )


def has_frames(strategies: Mapping[str, AnyStrategy]) -> bool:
    """Whether an indicator reads longer bars."""
    wanted = (x for s in strategies.values() for x in s.indicators().values())
    return any(on_frames(x) for x in wanted)


def usual_phase(parts: Iterable[Bars]) -> int:
    """What the opens of bars are usually past a multiple of longer periods, ns; 0 without bars."""
    counts: dict[int, int] = {}
    for part in parts:
        for phase, count in phases(part).items():
            counts[phase] = counts.get(phase, 0) + count
    return usual(counts) if counts else 0


class DatedRows:
    """The timeline of a history that comes piece by piece, put together where dates are asked for.

    Parameters
    ----------
    given : ChunkedSetup
    """

    def __init__(self, given: ChunkedSetup) -> None:
        self._given = given
        self.symbols = tuple(feed.symbol for feed in given.feeds)
        self.period = given.feeds[0].period

    def __len__(self) -> int:
        return len(self._given.timeline)

    @cached_property
    def _markets(self) -> list[Market]:
        return [piece.market for piece in self._given.bare_pieces()]

    @cached_property
    def time(self) -> Times:
        """(t,) ns UTC."""
        return np.concatenate([market.time for market in self._markets])

    @cached_property
    def closes(self) -> Times:
        """The same as `time`, without the prices in memory."""
        return np.concatenate([piece.market.time for piece in self._given.bare_pieces()])

    @cached_property
    def open(self) -> Floats:
        """(t, n) price."""
        return np.concatenate([market.open for market in self._markets])

    @cached_property
    def open_time(self) -> Times:
        """(t, n) ns UTC."""
        return np.concatenate([market.open_time for market in self._markets])

    @cached_property
    def close(self) -> Floats:
        """(t, n) price."""
        return np.concatenate([market.close for market in self._markets])

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """By bar; each piece knows those so far."""
        last: tuple[Action, ...] = ()
        for piece in self._given.pieces():
            last = piece.market.actions
        return last

    @cached_property
    def day(self) -> Times:
        """(t,) trade dates, days since 1970."""
        return np.concatenate([np.asarray(market.day) for market in self._markets])
