"""A run over a history larger than memory: some rows at a time, with the bits of the whole.

The loop can stop anywhere, so a piece is an advance to its last bar. Between pieces what is over
(fills, done orders, moved levels, equity) goes to files and out of memory; positions, working
orders and the state of indicators stay. The arrays of a piece stand under the bar numbers of the
whole (`sim/numbered.py`), so that nothing else knows of pieces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.data.pieces import Feed, Piece, pieces
from intrabar.engine.backtest import (
    Progress,
    Running,
    Setup,
    connected,
    finish_strategies,
    tell,
    wake_bits,
)
from intrabar.engine.columns import CarriedColumns
from intrabar.engine.records import Recorder
from intrabar.errors import ConfigError, RunError
from intrabar.indicators import require_length
from intrabar.model.bars import Floats, Market
from intrabar.model.enums import RunStatus
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account
from intrabar.sim.machine import Machine
from intrabar.sim.numbered import numbered
from intrabar.strategy.bot import Bot, RunningBot
from intrabar.strategy.gates import IsOpen, Timetable, timetable
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import RunningStrategy, Strategy
from intrabar.strategy.weights import Weights

TABLES = ("fills", "orders", "levels", "equity", "gates")


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
    """

    feeds: tuple[Feed, ...]
    instruments: tuple[Instrument, ...]
    strategies: Mapping[str, AnyStrategy]
    account: Account
    chunk: int
    is_open: IsOpen | None = None

    def __post_init__(self) -> None:
        if self.chunk < 1:
            raise ConfigError(f"chunk is {self.chunk}, must be at least 1 bar")
        for name, strategy in self.strategies.items():
            if isinstance(strategy, Signals | Weights):
                raise ConfigError(
                    f"{name}: signals and weights are arrays of the whole history; "
                    "run them without chunks"
                )
        for x in self.instruments:
            if x.slippage_volatility or x.slippage_impact:
                raise ConfigError(
                    f"{x.symbol}: slippage_volatility and slippage_impact look back over bars; "
                    "run without chunks"
                )
        longest = max(self.feeds, key=len)
        for strategy in self.strategies.values():
            for indicator in strategy.indicators().values():
                if any(x.timeframe for x in (indicator, *indicator.operands)):
                    raise ConfigError(f"{indicator}: longer bars are not made in chunks")
                require_length(indicator, len(longest), longest.symbol)


@dataclass(frozen=True, eq=False)
class ChunkedResult:
    """What a run in chunks left: its tables are files, its figures those that need no more.

    Parameters
    ----------
    folder : path
        Holds a folder of Parquet files for each of `TABLES`.
    status : RunStatus
    digest : str
        That of the same run at one go.
    bars : int
        With recorded equity.
    figures : dict
        `net_profit`, `total_return`, `max_drawdown` and `costs` of docs/metrics.md, `fills`.
    """

    folder: Path
    status: RunStatus
    digest: str
    bars: int
    figures: dict[str, float]

    def table(self, name: str) -> pl.LazyFrame:
        """One of `TABLES`; the orders are in the order in which they were done."""
        return pl.scan_parquet(self.folder / f"{name}.parquet" / "*.parquet")


@dataclass(eq=False)
class ChunkedRun:
    """A run that advances piece by piece; `to_end` carries it out.

    Parameters
    ----------
    given : ChunkedSetup
    folder : path
        Takes the tables; it must exist.
    """

    given: ChunkedSetup
    folder: Path
    setup: Setup = field(init=False)
    machine: Machine = field(init=False)
    running: dict[str, Running] = field(init=False, default_factory=dict)

    def to_end(self, progress: Progress | None = None) -> ChunkedResult:
        """Run to the last bar, or to ruin."""
        total = max(len(feed) for feed in self.given.feeds)
        window = Window(self.given)
        recorder = Recorder(self.folder, self.given.account.cash)
        for piece in pieces(self.given.feeds, self.given.chunk):
            self._show(window, piece)
            last = None if piece.is_last else window.end
            self.machine.advance(last)
            is_over = piece.is_last or self.machine.status is RunStatus.RUINED
            recorder.take(self, window.times, is_over)
            if progress is not None:
                progress(self.machine.bar, max(total, self.machine.bar))
            if is_over:
                break
        finish_strategies(self.machine, self.running)
        return ChunkedResult(
            self.folder,
            self.machine.status,
            self.machine.digest(),
            self.machine.bars_done,
            recorder.figures(),
        )

    def _show(self, window: Window, piece: Piece) -> None:
        """Lay a piece before the machine and the strategies."""
        shown = window.move_on(piece)
        given = self.given
        timed = replace(shown.market, time=window.times)  # type: ignore[arg-type]
        self.setup = Setup(timed, given.instruments, given.strategies, given.account, given.is_open)
        if window.first == 0 and not self.running:
            self.machine = Machine(shown.market, given.instruments, given.account, shown.wake)
            for k, (name, strategy) in enumerate(given.strategies.items()):
                columns, table = shown.columns[name], shown.tables.get(name)
                self.running[name] = connected(
                    strategy, self.machine, k, columns, table, no_longer_bars
                )
            tell(self.running, "on_start")
            return
        self.machine.show(shown.market, shown.wake, window.first)
        for name, running in self.running.items():
            if isinstance(running, RunningBot):
                running.show(shown.columns[name], shown.tables[name])
            elif isinstance(running, RunningStrategy):
                running.show(shown.columns[name])


@dataclass(frozen=True)
class Shown:
    """What a piece is run on: arrays under the bar numbers of the whole."""

    market: Market
    wake: NDArray[np.uint8]
    columns: dict[str, dict[str, Floats]]
    tables: dict[str, Timetable]


def no_longer_bars(column: int, name: str, timeframe: str) -> NoReturn:
    """A strategy asks for longer bars, which a run in chunks does not make."""
    raise RunError(f"history({name!r}, timeframe={timeframe!r}) needs a run without chunks")


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


class Window:
    """The rows in memory: a piece, and before it the rows that may still be read.

    Parameters
    ----------
    given : ChunkedSetup
    """

    def __init__(self, given: ChunkedSetup) -> None:
        self.given = given
        self.times = Times()
        self.first = self.end = 0
        # The loop and bots look one row back, Python strategies as far as a chunk.
        strategies = given.strategies.values()
        looks_back = any(isinstance(s, Strategy) for s in strategies)
        self._kept = given.chunk if looks_back else 1
        self._named = {name: s.indicators() for name, s in given.strategies.items()}
        self._columns = CarriedColumns(self._named, tuple(f.symbol for f in given.feeds))
        self._warm: set[tuple[str, str]] = set()
        self._last_open = np.full(len(given.feeds), -1, np.int64)
        self._rows: dict[str, NDArray[Any]] = {}

    def move_on(self, piece: Piece) -> Shown:
        """Put a piece behind the rows that are kept of the one before."""
        given, market = self.given, piece.market
        columns = self._columns.advance(market)
        calendars = tuple(x.calendar for x in given.instruments)
        tables = {
            name: timetable(s.gates, market, calendars, given.is_open, self._last_open)
            for name, s in given.strategies.items()
            if isinstance(s, Bot)
        }
        wake = wake_bits(given.strategies, columns, tables, len(market), {}, self._cold(columns))
        rows: dict[str, NDArray[Any]] = {"wake": wake}
        rows |= {f"market {name}": getattr(market, name) for name in _GRIDS}
        for n, t in tables.items():
            rows |= {f"table {n} {f.name}": getattr(t, f.name) for f in fields(t)}
        rows |= {f"column {n} {x}": c for n, own in columns.items() for x, c in own.items()}
        kept = min(self._kept, self.end - self.first)
        if kept:
            rows = {k: np.concatenate([self._rows[k][-kept:], v]) for k, v in rows.items()}
        self._rows = rows
        self.first, self.end = self.end - kept, self.end + len(market)
        self.times.first, self.times.in_memory = self.first, rows["market time"]
        self._remember_opens(market)
        more = 0 if piece.is_last else 1

        def shown(name: str) -> NDArray[Any]:
            return numbered(rows[name], self.first, more)

        grids: dict[str, Any] = {name: shown(f"market {name}") for name in _GRIDS}
        return Shown(
            replace(market, **grids),
            shown("wake"),
            {n: {x: shown(f"column {n} {x}") for x in own} for n, own in columns.items()},
            {
                n: Timetable(*(shown(f"table {n} {f.name}") for f in fields(t)))
                for n, t in tables.items()
            },
        )

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
        for j in range(len(market.symbols)):
            real = np.flatnonzero(~np.isnan(market.open[:, j]))
            if real.size:
                self._last_open[j] = market.open_time[real[-1], j]


_GRIDS = (
    "time", "open", "high", "low", "close", "volume", "session_end", "open_time", "day",
)  # fmt: skip
