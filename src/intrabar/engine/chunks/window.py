"""The rows of a long history that are in memory, under the bar numbers of the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.data.calendars import next_open
from intrabar.data.clock import ExchangeClock
from intrabar.data.pieces import Feed, Piece
from intrabar.engine.adjusted import Adjusted, CarriedFactors, scales_of
from intrabar.engine.chunks.carried_columns import CarriedColumns
from intrabar.engine.chunks.carried_frames import CarriedFrames
from intrabar.engine.chunks.carried_tables import CarriedTables
from intrabar.engine.chunks.growing import GrowingRows
from intrabar.engine.chunks.ranges import CarriedRanges
from intrabar.engine.chunks.setup import PieceSetup
from intrabar.engine.tables.feature_table import FeatureTables
from intrabar.engine.tables.predicted import read_by
from intrabar.engine.time_frames import on_frames, require_complete
from intrabar.engine.waking import clock_fields, gates_of, wake_bits
from intrabar.indicators.features import Features
from intrabar.model.bars import Detail, Floats, Market
from intrabar.sim.shifted import numbered
from intrabar.sim.tape import reads_ranges
from intrabar.strategy.gates import Timetable, timetable
from intrabar.strategy.signals import RunningSignals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.weights import RunningWeights

GRIDS = (
    "time", "open", "high", "low", "close", "volume", "session_end", "open_time", "day",
)  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """What a piece is run on: arrays under the bar numbers of the whole.

    Parameters
    ----------
    market : Market
    wake : (t, strategies) uint8
    columns, tables : by name of the strategy
        Indicators, and the timetables of bots.
    scales : by name of the strategy
        As `RunningStrategy.scale` takes them; empty where prices are read as they are.
    mean_range : (t, n) float64 or None
        None where no slippage reads it.
    """

    market: Market
    wake: NDArray[np.uint8]
    columns: dict[str, dict[str, Floats]]
    tables: dict[str, Timetable]
    scales: dict[str, dict[str, Floats]]
    mean_range: Floats | None


class Times:
    """Close times by bar: of the bars in memory, and of those in which working orders began."""

    def __init__(self) -> None:
        self._remembered: dict[int, int] = {}
        self.first = 0
        self.in_memory: NDArray[np.int64] = np.zeros(0, np.int64)

    def remember(self, bars: NDArray[np.int64]) -> None:
        """Keep the times of these bars, and of no others, when the piece goes."""
        self._remembered = dict(zip(bars.tolist(), self[bars].tolist(), strict=True))

    def __getitem__(self, bars: NDArray[np.int64]) -> NDArray[np.int64]:
        rows = np.maximum(bars.astype(np.int64) - self.first, 0)
        times = self.in_memory[rows]
        for k in np.flatnonzero(bars < self.first):
            times[k] = self._remembered.get(int(bars[k]), 0)
        return times


class Woken(NamedTuple):
    """When signals or weights ask to be called, of the rows of a piece."""

    wake: NDArray[np.uint8]


class Window:
    """The rows in memory: a piece, and before it the rows that may still be read.

    Parameters
    ----------
    given : PieceSetup
    arrays : by name of the strategy
        Signals and weights, of all rows.
    grows : bool
        Pieces are single rows: those before them stay until `forget`.
    spare : int
        Strategies behind the others that have no hooks.
    features : sequence of Features
        What learned exits read.

    Attributes
    ----------
    read : mapping of hash to FeatureTables
        The features of the last piece, whose first row is `begin`.
    """

    def __init__(
        self,
        given: PieceSetup,
        arrays: Mapping[str, RunningSignals | RunningWeights],
        grows: bool = False,
        spare: int = 0,
        features: Sequence[Features] = (),
    ) -> None:
        self.given = given
        self.times = Times()
        self.end = 0
        self._grows, self._spare = grows, spare
        # The loop and bots look one row back, Python strategies as far as a chunk.
        strategies = given.strategies.values()
        looks_back = any(isinstance(s, Strategy) for s in strategies)
        self._kept = given.look_back if looks_back else 1
        self._arrays = arrays
        self._named = {
            name: read_by(name, s, given.predicted) for name, s in given.strategies.items()
        }
        self._calendars = tuple(x.calendar for x in given.instruments)
        self.clock = ExchangeClock(self._calendars)
        self._frames = CarriedFrames(self._calendars, given.phases)
        self._columns = CarriedColumns(self._named, given.symbols, self._frames)
        self._features = {
            x.hash: CarriedTables(x, given.symbols, self._frames, self.clock) for x in features
        }
        self.read: dict[str, FeatureTables] = {}
        self.begin = 0
        self._factors = CarriedFactors()
        self._moves = given.moves_prices
        self._ranges = CarriedRanges() if reads_ranges(given.instruments) else None
        self._warm: set[tuple[str, str]] = set()
        self._last_open = np.full(len(given.symbols), -1, np.int64)
        self._rows = GrowingRows(doubles=grows)
        self._gates = gates_of(given.strategies)
        self._clock_fields = clock_fields(given.strategies, self._named)
        self._shown: Shown | None = None
        self._actions = 0  # of the market that is shown

    @property
    def first(self) -> int:
        """The first row in memory."""
        return self._rows.first

    def forget(self) -> None:
        """Let go of the rows that nobody may read any more."""
        self._rows.keep(self._kept)

    def move_on(self, piece: Piece, allowed: NDArray[np.uint8] | None = None) -> Shown:
        """Put a piece behind the rows that are kept of the one before.

        `allowed` are the wake bits that count, (t, strategies); None: all. Where a row has gone
        into the arrays that are shown already, the same `Shown` comes back.
        """
        given, market = self.given, piece.market
        adjusted = Adjusted(market, self._factors)
        columns = {
            name: adjusted.shown(own, self._named[name])
            for name, own in self._columns.advance(adjusted.market).items()
        }
        # Behind the columns, which show the piece to the longer bars.
        self.read = {key: one.advance(adjusted) for key, one in self._features.items()}
        self.begin = self.end
        for name, names in self._clock_fields.items():
            columns[name] |= self.clock.columns(names, market)
        tables = {
            name: timetable(
                gates, market, self._calendars, given.is_open, self._last_open, next_open
            )
            for name, gates in self._gates.items()
        }
        self._remember_opens(market)
        woken = {name: Woken(self._part(a.wake, len(market))) for name, a in self._arrays.items()}
        wake = wake_bits(given.strategies, columns, tables, len(market), woken, self._cold(columns))
        if allowed is not None:
            wake &= allowed
        if self._spare:
            wake = np.append(wake, np.zeros((len(market), self._spare), np.uint8), axis=1)
        rows: dict[str, NDArray[Any]] = {"wake": wake}
        rows |= {f"market {name}": getattr(market, name) for name in GRIDS}
        if market.fx is not None:
            rows["market fx"] = market.fx
        if self._moves:
            ones = np.ones(market.open.shape)
            rows["price"] = ones if adjusted.price is None else adjusted.price
            rows["shares"] = ones if adjusted.price is None else adjusted.shares
        if self._ranges is not None:
            rows["range"] = self._ranges.advance(market)
        for n, t in tables.items():
            rows |= {f"table {n} {f.name}": getattr(t, f.name) for f in fields(t)}
        rows |= {f"column {n} {x}": c for n, own in columns.items() for x, c in own.items()}
        has_moved = self._extend(rows, len(market)) or adjusted.price is not None
        if self._shown is None or has_moved or self._actions != len(market.actions):
            self._shown = self._show(piece, columns, tables, adjusted.price is not None)
            self._actions = len(market.actions)
        return self._shown

    def _show(
        self,
        piece: Piece,
        columns: Mapping[str, Mapping[str, Floats]],
        tables: Mapping[str, Timetable],
        is_adjusted: bool,
    ) -> Shown:
        """The rows in memory under the numbers of the whole, with those that there is room for."""
        market, more = piece.market, 0 if piece.is_last else 1

        def shown(name: str) -> NDArray[Any]:
            return numbered(self._rows.with_room(name), self.first, more)

        grids: dict[str, Any] = {name: shown(f"market {name}") for name in GRIDS}
        if market.fx is not None:
            grids["fx"] = shown("market fx")
        detail = market.detail
        if detail is not None:  # of the present bar alone, so the rows before it have none
            kept = self.end - self.first - len(market)
            edge = np.zeros((kept, detail.first.shape[1]), np.int64)
            first, count = (np.append(edge, x, axis=0) for x in (detail.first, detail.count))
            first, count = (numbered(x, self.first, more) for x in (first, count))
            detail = Detail(first, count, detail.bars)
        return Shown(
            replace(market, **grids, detail=detail),
            shown("wake"),
            {n: {x: shown(f"column {n} {x}") for x in own} for n, own in columns.items()},
            {
                n: Timetable(*(shown(f"table {n} {f.name}") for f in fields(t)))
                for n, t in tables.items()
            },
            self._scales(more) if is_adjusted else {},
            None if self._ranges is None else shown("range"),
        )

    def require_values(self, feeds: Sequence[Feed]) -> None:
        """Refuse, at the end of feeds, an indicator for which there were too few longer bars.

        Raises
        ------
        ConfigError
            As for bars that are in memory.
        """
        column = feeds.index(max(feeds, key=len))
        for own in self._named.values():
            for part in (part for x in own.values() for part in on_frames(x)):
                complete = self._frames.complete.get((column, part.timeframe), 0)
                require_complete(part, complete, feeds[column].symbol)

    def _extend(self, rows: dict[str, NDArray[Any]], count: int) -> bool:
        """Whether what was shown before does not show these rows."""
        if not self._grows:
            self.forget()
        moves = self._rows.append(rows, count) or self.first != self.times.first
        self.end += count
        self.times.first, self.times.in_memory = self.first, self._rows["market time"]
        return moves or not self._grows

    def _scales(self, more: int) -> dict[str, dict[str, Floats]]:
        made = self._rows["price"], self._rows["shares"]
        return {
            name: {
                x: numbered(np.ascontiguousarray(scale), self.first, more)
                for x, scale in scales_of(made, self._named[name]).items()
            }
            for name, s in self.given.strategies.items()
            if isinstance(s, Strategy)
        }

    def _part(self, wake: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
        """What signals ask for in the next rows; one row stands for all, none asks for nothing."""
        if len(wake) == 1:
            return wake
        part = wake[self.end : self.end + count]
        return np.pad(part, (0, count - len(part)))

    def _cold(self, columns: Mapping[str, Mapping[str, Floats]]) -> dict[str, dict[str, Floats]]:
        """The indicators that were warming up before this piece; the others hold nobody back."""
        cold = {
            name: {x: c for x, c in own.items() if (name, x) not in self._warm}
            for name, own in columns.items()
        }
        for name, own in cold.items():
            self._warm |= {(name, x) for x, c in own.items() if not np.isnan(c).all()}
        return cold

    def _remember_opens(self, market: Market) -> None:
        real = ~np.isnan(market.open)
        rows = np.where(real, np.arange(len(market))[:, None], -1).max(axis=0)
        seen = np.flatnonzero(rows >= 0)
        self._last_open[seen] = market.open_time[rows[seen], seen]
