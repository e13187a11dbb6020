"""The tables of a run in chunks: each piece's records as one more file, then out of memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.engine.backtest import Setup
from intrabar.engine.result import Result
from intrabar.sim.book import Records

if TYPE_CHECKING:
    from intrabar.engine.chunks import ChunkedRun, Times


class Recorder:
    """Writes the tables of a run piece by piece, and adds up its figures.

    Parameters
    ----------
    folder : path
    cash : account currency
        At the start.
    """

    def __init__(self, folder: Path, cash: float) -> None:
        self.folder = folder
        self.initial = cash
        self._cash = self._equity = self._peak = cash
        self._held: NDArray[np.float64] | None = None
        self._bars = self._fills = self._parts = 0
        self._deepest = self._costs = 0.0

    def take(self, run: ChunkedRun, times: Times, is_over: bool) -> None:
        """Write what happened in a piece, and let the machine forget it."""
        machine = run.machine
        self._write("equity", self._equity_table(run))
        fresh = machine.fills()["bar"] >= self._bars
        self._costs += float(machine.fills()["cost"][fresh].sum())
        self._fills += int(fresh.sum())
        if is_over:
            self._write("gates", Result(run).gates)  # type: ignore[arg-type]
        tables = Result(_handed_over(run, is_over))  # type: ignore[arg-type]
        for name in ("fills", "orders", "levels"):
            self._write(name, getattr(tables, name), even_empty=is_over)
        times.remember(np.unique(machine.orders()["submitted"].astype(np.int64)))
        self._bars = machine.bars_done
        self._parts += 1

    def figures(self) -> dict[str, float]:
        """The figures that need no more than a pass over the equity and the fills."""
        return {
            "net_profit": self._equity - self.initial,
            "total_return": self._equity / self.initial - 1.0,
            "max_drawdown": self._deepest,
            "costs": self._costs,
            "fills": self._fills,
        }

    def _equity_table(self, run: ChunkedRun) -> pl.DataFrame:
        """Equity at the closes of the piece, as `Result.equity` has it."""
        machine, market = run.machine, run.machine.market
        bars = np.arange(self._bars, machine.bars_done)
        equity = machine.tape.equity[bars]
        peak = np.maximum.accumulate(np.append(self._peak, equity))[1:]
        drawdown = 1.0 - equity / peak
        held = self._gross_notional(run, bars)
        cash = self._cash_at(run, bars)
        table = pl.DataFrame(
            {
                "bar": bars,
                "time": pl.Series(market.time[bars]).cast(pl.Datetime("ns", "UTC")),
                "equity": equity,
                "cash": cash,
                "drawdown": drawdown,
                "exposure": np.divide(held, equity, out=np.zeros(len(bars)), where=equity > 0.0),
            }
        )
        if len(bars):
            self._cash, self._equity, self._peak = (
                float(cash[-1]),
                float(equity[-1]),
                float(peak[-1]),
            )
            self._deepest = max(self._deepest, float(drawdown.max()))
        return table

    def _gross_notional(self, run: ChunkedRun, bars: NDArray[np.int64]) -> NDArray[np.float64]:
        fills, market = run.machine.fills(), run.machine.market
        fills = fills[fills["bar"] >= self._bars]
        close = np.nan_to_num(market.close[bars])
        moved = np.zeros(close.shape)
        np.add.at(
            moved, (fills["bar"] - self._bars, fills["instrument"]), fills["side"] * fills["qty"]
        )
        if self._held is not None and len(bars):
            moved[0] += self._held
        position = np.cumsum(moved, axis=0)
        if len(bars):
            self._held = position[-1]
        worth = np.array([x.point_value for x in run.setup.instruments])
        total: NDArray[np.float64] = (np.abs(position) * close * worth).sum(axis=1)
        return total

    def _cash_at(self, run: ChunkedRun, bars: NDArray[np.int64]) -> NDArray[np.float64]:
        """Cash at the close of each bar; a line of the ledger knows the fills before it."""
        fills, ledger = run.machine.fills(), run.machine.ledger()
        place = np.concatenate([np.arange(1, len(fills) + 1) * 2.0, ledger["fills"] * 2.0 + 1.0])
        order = np.argsort(place, kind="stable")
        happened = np.concatenate([fills["bar"], ledger["bar"]])[order]
        after = np.append(self._cash, np.concatenate([fills["cash"], ledger["cash"]])[order])
        cash: NDArray[np.float64] = after[np.searchsorted(happened, bars, "right")]
        return cash

    def _write(self, name: str, table: pl.DataFrame, even_empty: bool = True) -> None:
        home = self.folder / f"{name}.parquet"
        home.mkdir(exist_ok=True)
        if table.height or (even_empty and not any(home.iterdir())):
            table.write_parquet(home / f"{self._parts:06}.parquet")


class _Given(NamedTuple):
    """What a machine has handed over, in the place of a machine of which tables are made."""

    records: Records
    every: NDArray[np.void]

    def fills(self) -> NDArray[np.void]:
        return self.records.fills

    def orders(self) -> NDArray[np.void]:
        return self.every

    def levels(self) -> NDArray[np.void]:
        return self.records.levels


class _GivenRun(NamedTuple):
    """The same in the place of a run; it must not name itself, or a piece would outlive its end."""

    setup: Setup
    machine: _Given


def _handed_over(run: ChunkedRun, is_over: bool) -> _GivenRun:
    """Let the machine forget what is over; with the working orders where the run is."""
    machine = run.machine
    given = machine.hand_over()
    working = machine.book.orders[machine.working()]
    every = np.concatenate([given.orders, working]) if is_over else given.orders
    return _GivenRun(run.setup, _Given(given, every))
