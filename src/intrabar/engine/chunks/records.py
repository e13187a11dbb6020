"""The tables and figures of a run in chunks: each piece's records, then out of memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.analysis.campaigns import Traced
from intrabar.analysis.equity import Curve, Key, Shared
from intrabar.analysis.equity_path import EquityPath
from intrabar.analysis.metrics import Filled
from intrabar.analysis.sleeves import Owner, Sleeves, group
from intrabar.engine.chunks.setup import ChunkedSetup
from intrabar.engine.chunks.thinning import ThinnedCurve
from intrabar.engine.chunks.window import Times
from intrabar.engine.connecting import Running
from intrabar.engine.outcome.decisions import decided_in, decisions_of, with_numbers
from intrabar.engine.outcome.remarks import widest_gap
from intrabar.engine.outcome.tables import (
    Axes,
    fills_of,
    gates_table,
    ledger_of,
    levels_of,
    orders_of,
)
from intrabar.model.bars import Market
from intrabar.sim.book import Records
from intrabar.sim.machine import Machine
from intrabar.strategy.lessons import Decided

Floats = NDArray[np.float64]
CURVE_ROWS = 3_000
KEYS: tuple[Key, ...] = ("symbol", "strategy")


class Scope:
    """What figures read of the account, a strategy or an instrument, as far as the run is."""

    def __init__(self, initial: float) -> None:
        self.course = EquityPath(initial)
        self.filled = Filled()
        self.has_filled = False


class Recorder:
    """Writes the tables of a run piece by piece, and adds up its figures.

    Parameters
    ----------
    folder : path or None
        None: nothing is written.
    given : ChunkedSetup
    """

    def __init__(self, folder: Path | None, given: ChunkedSetup) -> None:
        self.folder = folder
        self.initial = self._cash = self._peak = given.account.cash
        self._bars = self._parts = 0
        self._worth = {x.symbol: x.point_value for x in given.instruments}
        self._strategies = list(given.strategies)
        n = len(given.instruments)
        self._sleeves = np.zeros(n * len(given.strategies))
        self._owners: list[Owner] = []
        self._traced, self._shared = Traced(self._worth), Shared(self._worth)
        self.account = Scope(self.initial)
        names: dict[Key, list[str]] = {
            "symbol": list(self._worth),
            "strategy": list(given.strategies),
        }
        self.scopes = {key: {name: Scope(self.initial) for name in names[key]} for key in KEYS}
        self.equity = ThinnedCurve("equity", "drawdown")
        self.curves = {
            key: {name: ThinnedCurve("profit", most=CURVE_ROWS) for name in names[key]}
            for key in KEYS
        }
        self.fills = self.campaigns = self.ambiguous = self.settled = 0
        self.decided: dict[str, Decided] = {}
        self.real = np.zeros(n, np.int64)  # bars of each instrument ...
        self.without_detail = np.zeros(n, np.int64)  # ... and those that have no lower bars
        self.last = np.full(n, -1, np.int64)  # stamps of their last bars, ns UTC ...
        self.widest = np.zeros(n, np.int64)  # ... and the longest time between two, ns

    def take(
        self, machine: Machine, running: Mapping[str, Running], times: Times, is_over: bool
    ) -> None:
        """Write what happened in a piece, and let the machine forget it."""
        market = machine.market
        axes = Axes(self._strategies, market.symbols, times)
        bars = np.arange(self._bars, machine.bars_done)
        equity = self._equity_table(machine, bars)
        self._write("equity", equity)
        self.equity.take(
            {"time": market.time[bars], **{n: equity[n].to_numpy() for n in ("equity", "drawdown")}}
        )
        fresh = machine.fills()[machine.fills()["bar"] >= self._bars]
        fills = fills_of(fresh, axes)
        self._write("fills", fills, even_empty=is_over)
        sleeves = group(fills, self._owners)
        self._owners = sleeves.owners
        self._share(market, fills, sleeves, bars, equity["equity"].to_numpy())
        real = ~np.isnan(market.open[bars])
        self.real += real.sum(axis=0)
        self._note_last(market.time[bars], real)
        if market.detail is not None:
            real &= market.detail.count[bars] == 0
        self.without_detail += real.sum(axis=0)
        ended = self._traced.take(sleeves, market, machine.bars_done)
        still = self._traced.running(market) if is_over else ended.clear()
        self._count(ended, still)
        self._write("campaigns", ended, even_empty=is_over and not still.height)
        if is_over:
            self._write("gates", gates_table(running))
        records = _handed_over(machine, is_over)
        self._write("orders", orders_of(records.orders, axes), even_empty=is_over)
        self._write("levels", levels_of(records.levels, axes), even_empty=is_over)
        self._write("ledger", ledger_of(records.ledger, axes), even_empty=is_over)
        times.remember(np.unique(machine.orders()["submitted"].astype(np.int64)))
        self._bars = machine.bars_done
        self._parts += 1
        if still.height:  # behind those that have ended
            self._write("campaigns", still)
        if is_over:
            self._decided(running, market.symbols)

    def _decided(self, running: Mapping[str, Running], symbols: tuple[str, ...]) -> None:
        """Write what learned exits decided, where there are any."""
        self.decided = decided_in(running)
        if self.folder is not None and self.decided:
            files = str(self.folder / "campaigns.parquet" / "*.parquet")
            numbers = pl.scan_parquet(files).select("campaign", "strategy", "symbol").collect()
            table = with_numbers(decisions_of(self.decided, symbols), numbers)
            self._write("decisions", table)

    def _note_last(self, time: NDArray[np.int64], real: NDArray[np.bool_]) -> None:
        for j in range(real.shape[1]):
            before = self.last[j : j + 1] if self.last[j] >= 0 else self.last[:0]
            times = np.append(before, time[real[:, j]])
            if len(times):
                self.last[j] = times[-1]
                self.widest[j] = max(self.widest[j], widest_gap(times))

    def _count(self, *tables: pl.DataFrame) -> None:
        for table in tables:
            self.campaigns += table.height
            self.ambiguous += int(table["ambiguous"].sum())
            self.settled += int(table["settled"].sum())

    def _share(
        self,
        market: Market,
        fills: pl.DataFrame,
        sleeves: Sleeves,
        bars: NDArray[np.int64],
        equity: Floats,
    ) -> None:
        """Let every scope take in its part of a piece."""
        assert market.day is not None
        time, day = market.time[bars], market.day[bars]
        curves = self._shared.take(sleeves, market, self._bars, self._bars + len(bars))
        flat = Curve(np.zeros(len(bars)), np.zeros(len(bars), np.bool_))
        held = flat.held.copy()
        for key in KEYS:
            for name, scope in self.scopes[key].items():
                curve = curves[key].get(name, flat)
                scope.course.take(time, day, self.initial + curve.profit, curve.held)
                self.curves[key][name].take({"time": time, "profit": curve.profit})
                own = fills.filter(pl.col(key) == name)
                scope.filled = scope.filled.and_of(own)
                scope.has_filled |= own.height > 0
                held |= curve.held
        self.account.course.take(time, day, equity, held)
        self.account.filled = self.account.filled.and_of(fills)
        self.fills += fills.height

    def _equity_table(self, machine: Machine, bars: NDArray[np.int64]) -> pl.DataFrame:
        """Equity at the closes of the piece, as `Result.equity` has it."""
        market = machine.market
        equity = machine.tape.equity[bars]
        peak = np.maximum.accumulate(np.append(self._peak, equity))[1:]
        held = self._gross_notional(machine, bars)
        cash = self._cash_at(machine, bars)
        if len(bars):
            self._cash, self._peak = float(cash[-1]), float(peak[-1])
        return pl.DataFrame(
            {
                "bar": bars,
                "time": pl.Series(market.time[bars]).cast(pl.Datetime("ns", "UTC")),
                "equity": equity,
                "cash": cash,
                "drawdown": 1.0 - equity / peak,
                "exposure": np.divide(held, equity, out=np.zeros(len(bars)), where=equity > 0.0),
            }
        )

    def _gross_notional(self, machine: Machine, bars: NDArray[np.int64]) -> Floats:
        fills, market = machine.fills(), machine.market
        fills = fills[fills["bar"] >= self._bars]
        close = np.abs(np.nan_to_num(market.close[bars]))
        n = close.shape[1]
        net = self._sleeves.reshape(-1, n).sum(axis=0)
        sleeve = fills["strategy"].astype(np.int64) * n + fills["instrument"]
        order = np.argsort(sleeve, kind="stable")
        sleeve, after = sleeve[order], fills["position"][order]
        # What each fill (or split) changed of its sleeve.
        starts = np.flatnonzero(np.diff(sleeve, prepend=-1))
        change = np.diff(after, prepend=0.0)
        change[starts] = after[starts] - self._sleeves[sleeve[starts]]
        self._sleeves[sleeve] = after  # of several the last holds
        moved = np.zeros(close.shape)
        np.add.at(moved, (fills["bar"][order] - self._bars, fills["instrument"][order]), change)
        if len(bars):
            moved[0] += net
        worth = np.array(list(self._worth.values()))
        if market.fx is not None:
            worth = worth * market.fx[bars]
        total: Floats = (np.abs(np.cumsum(moved, axis=0)) * close * worth).sum(axis=1)
        return total

    def _cash_at(self, machine: Machine, bars: NDArray[np.int64]) -> Floats:
        """Cash at the close of each bar; a line of the ledger knows the fills before it."""
        fills, ledger = machine.fills(), machine.ledger()
        place = np.concatenate([np.arange(1, len(fills) + 1) * 2.0, ledger["fills"] * 2.0 + 1.0])
        order = np.argsort(place, kind="stable")
        happened = np.concatenate([fills["bar"], ledger["bar"]])[order]
        after = np.append(self._cash, np.concatenate([fills["cash"], ledger["cash"]])[order])
        cash: Floats = after[np.searchsorted(happened, bars, "right")]
        return cash

    def _write(self, name: str, table: pl.DataFrame, even_empty: bool = True) -> None:
        if self.folder is None:
            return
        home = self.folder / f"{name}.parquet"
        home.mkdir(exist_ok=True)
        if table.height or (even_empty and not any(home.iterdir())):
            table.write_parquet(home / f"{self._parts:09}.parquet")


def _handed_over(machine: Machine, is_over: bool) -> Records:
    """Let the machine forget what is over; with the orders that it keeps where the run is.

    These work, or were refused at the last close, of which no strategy is told any more.
    """
    given = machine.hand_over()
    if not is_over:
        return given
    kept = machine.book.orders[: machine.book.account["orders"][0]]
    return given._replace(orders=np.concatenate([given.orders, kept]))
