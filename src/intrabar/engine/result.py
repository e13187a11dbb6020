"""What a run did: its tables, its figures, and how much of them hangs on the path in the bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.analysis.campaigns import campaigns
from intrabar.analysis.drawdown import drawdown_series
from intrabar.analysis.equity import Curve, curves_by
from intrabar.analysis.metrics import Results, Sheet, sheet, sheets_by
from intrabar.analysis.trades import trades
from intrabar.engine.backtest import Progress, Run, Setup
from intrabar.model import enums
from intrabar.model.bars import Market
from intrabar.model.enums import PathPolicy, RunStatus
from intrabar.model.instrument import Instrument

BAND = (PathPolicy.WORST, PathPolicy.SHORTEST, PathPolicy.BEST)


class BandRun(NamedTuple):
    """The run repeated under one path policy."""

    policy: PathPolicy
    end_equity: float
    total_return: float
    campaigns: int
    ambiguous: int
    equity: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Result:
    """The outcome of a run, as tables (polars) and figures; each is made when it is asked for.

    Parameters
    ----------
    run : Run
        A run that has ended.
    """

    run: Run

    @property
    def setup(self) -> Setup:
        """What decided the run."""
        return self.run.setup

    @property
    def market(self) -> Market:
        """The bars it ran on."""
        return self.setup.market

    @property
    def status(self) -> RunStatus:
        """FINISHED or RUINED."""
        return self.run.machine.status

    @property
    def digest(self) -> str:
        """A hash of everything that happened; equal runs have equal digests."""
        return self.run.machine.digest()

    @property
    def warnings(self) -> list[str]:
        """What to know before believing the figures, severe sentences first."""
        remarks = sorted(self.setup.remarks, key=lambda remark: not remark.severe)
        return [remark.text for remark in remarks]

    @property
    def point_values(self) -> dict[str, float]:
        """Worth of a move of 1.0 in price in the instrument's currency, per symbol."""
        return {x.symbol: x.point_value for x in self.setup.instruments}

    @property
    def bars_done(self) -> int:
        """Bars with recorded equity; fewer than the market's after ruin."""
        return self.run.machine.bars_done

    @property
    def without_detail(self) -> int | None:
        """How many bars the path policy `detail` had to guess; None under another policy."""
        if self.setup.account.path_policy is not PathPolicy.DETAIL:
            return None
        real = ~np.isnan(self.market.open[: self.bars_done])
        if self.market.detail is not None:
            real &= self.market.detail.count[: self.bars_done] == 0
        return int(real.sum())

    def _named(self, records: NDArray[Any]) -> dict[str, Any]:
        return {
            "strategy": _names(list(self.setup.strategies), records["strategy"]),
            "symbol": _names(self.market.symbols, records["instrument"]),
        }

    def _times(self, bars: NDArray[np.int64]) -> pl.Series:
        stamps = np.where(bars >= 0, self.market.time[np.maximum(bars, 0)], -1)
        series = pl.Series(stamps).cast(pl.Datetime("ns", "UTC"))
        return pl.select(pl.when(pl.lit(pl.Series(bars >= 0))).then(pl.lit(series))).to_series()

    @cached_property
    def fills(self) -> pl.DataFrame:
        """Every fill, in order (columns: docs/architecture.md)."""
        f = self.run.machine.fills()
        return pl.DataFrame(
            {
                "bar": f["bar"].copy(),
                "time": self._times(f["bar"]),
                "phase": _words(enums.Phase, f["phase"]),
                **self._named(f),
                "order": _null_below_zero(f["order"]),
                "side": _words(enums.Side, f["side"]),
                "qty": f["qty"].copy(),
                "price": f["price"].copy(),
                "cost": f["cost"].copy(),
                "reason": _words(enums.FillReason, f["reason"]),
                "realized": f["realized"].copy(),
                "position": f["position"].copy(),
                "stop": f["stop"].copy(),
                "target": f["target"].copy(),
                "ambiguous": f["ambiguous"] == int(enums.Ambiguity.AMBIGUOUS),
                "settled": f["ambiguous"] == int(enums.Ambiguity.SETTLED),
                "point_value": f["point_value"].copy(),
            }
        )

    @cached_property
    def orders(self) -> pl.DataFrame:
        """Every order in order of acceptance, rejected ones and bracket children included."""
        o = self.run.machine.orders()
        done = o["done"].astype(np.int64)
        return pl.DataFrame(
            {
                "order": o["id"].copy(),
                "parent": _null_below_zero(o["parent"]),
                **self._named(o),
                "role": _words(enums.Role, o["role"]),
                "side": _words(enums.Side, o["side"]),
                "type": _words(enums.OrderType, o["type"]),
                "tif": _words(enums.TimeInForce, o["tif"]),
                "qty": o["qty"].copy(),
                "filled": o["filled"].copy(),
                "limit_price": o["limit_price"].copy(),
                "stop_price": o["stop_price"].copy(),
                "submitted_bar": o["submitted"].astype(np.int64),
                "submitted_time": self._times(o["submitted"]),
                "submitted_phase": _words(enums.Phase, o["phase"]),
                "done_bar": _null_below_zero(done),
                "done_time": self._times(done),
                "status": _words(enums.OrderStatus, o["status"]),
                "reject": _words(enums.Reject, o["reject"]),
            }
        )

    @cached_property
    def levels(self) -> pl.DataFrame:
        """Every move of a stop or a target: where the protection of a position stood after it."""
        v = self.run.machine.levels()
        return pl.DataFrame(
            {
                "bar": v["bar"].copy(),
                "time": self._times(v["bar"]),
                **self._named(v),
                "stop": v["stop"].copy(),
                "target": v["target"].copy(),
            }
        )

    @cached_property
    def ledger(self) -> pl.DataFrame:
        """Everything that moved cash without a fill, in order; null where it is the account's."""
        x = self.run.machine.ledger()
        return pl.DataFrame(
            {
                "bar": x["bar"].copy(),
                "time": self._times(x["bar"]),
                **self._named(x),
                "kind": _words(enums.LedgerKind, x["kind"]),
                "amount": x["amount"].copy(),
                "cash": x["cash"].copy(),
            }
        )

    @cached_property
    def equity(self) -> pl.DataFrame:
        """Equity at every close, with cash, drawdown (fraction) and exposure (fraction)."""
        n = self.bars_done
        equity = self.run.machine.tape.equity[:n]
        held = self._gross_notional()[:n]
        return pl.DataFrame(
            {
                "bar": np.arange(n),
                "time": self._times(np.arange(n)),
                "equity": equity.copy(),
                "cash": self.run.machine.cash(),
                "drawdown": drawdown_series(equity, self.setup.account.cash),
                "exposure": np.divide(held, equity, out=np.zeros(n), where=equity > 0.0),
            }
        )

    def _gross_notional(self) -> NDArray[np.float64]:
        """Absolute net position times close and point value, summed over instruments, (t,)."""
        f = self.run.machine.fills()
        t, n = self.market.close.shape
        sleeve = f["strategy"].astype(np.int64) * n + f["instrument"]
        order = np.argsort(sleeve, kind="stable")
        # What each fill (or split) changed of its sleeve.
        change = np.diff(f["position"][order], prepend=0.0)
        starts = np.flatnonzero(np.diff(sleeve[order], prepend=-1))
        change[starts] = f["position"][order][starts]
        moved = np.zeros((t, n))
        np.add.at(moved, (f["bar"][order], f["instrument"][order]), change)
        worth = np.array(list(self.point_values.values()))
        if self.market.fx is not None:
            worth = worth * self.market.fx
        close = np.abs(np.nan_to_num(self.market.close))
        notional = np.abs(np.cumsum(moved, axis=0)) * close * worth
        total: NDArray[np.float64] = notional.sum(axis=1)
        return total

    @cached_property
    def campaigns(self) -> pl.DataFrame:
        """Flat to non-zero to flat, per strategy and symbol."""
        return campaigns(self.fills, self.market, self.point_values, self.bars_done)

    @cached_property
    def trades(self) -> pl.DataFrame:
        """Opening fills paired with closing ones, first in first out."""
        return trades(self.fills)

    @cached_property
    def gates(self) -> pl.DataFrame:
        """What kept the bots from entering, and how often."""
        rows = [
            (name, *row)
            for name, running in self.run.running.items()
            for row in running.gate_counts()
        ]
        schema = {
            "strategy": pl.String,
            "symbol": pl.String,
            "gate": pl.String,
            "count": pl.Int64,
        }
        return pl.DataFrame(rows, schema=schema, orient="row")

    @property
    def periods_per_year(self) -> float:
        """Days with a return."""
        return periods_per_year(self.setup.instruments)

    @cached_property
    def results(self) -> Results:
        """What the metrics are worked out from."""
        return Results(
            market=self.market,
            fills=self.fills,
            campaigns=self.campaigns,
            equity=self.equity,
            initial=self.setup.account.cash,
            point_values=self.point_values,
            periods_per_year=self.periods_per_year,
            session=self.market.day,
        )

    @cached_property
    def metrics(self) -> Sheet:
        """The figures of docs/metrics.md for the account."""
        return sheet(self.results)

    def metrics_by(self, key: str) -> dict[str, Sheet]:
        """The figures per "symbol" or per "strategy"."""
        return sheets_by(self.results, key)  # type: ignore[arg-type]

    def curves_by(self, key: str) -> Mapping[str, Curve]:
        """Profit over time per "symbol" or per "strategy"."""
        return curves_by(self.fills, self.market, self.point_values, key)  # type: ignore[arg-type]

    @cached_property
    def band(self) -> tuple[BandRun, ...]:
        """The ambiguity band: the run repeated under `worst`, `shortest` and `best`."""
        return tuple(band_run(self, policy) for policy in BAND)

    def _repr_html_(self) -> str:
        values = self.metrics.values
        shown = ("total_return", "max_drawdown", "sharpe", "campaigns", "win_rate", "expectancy_r")
        rows = "".join(
            f"<tr><th style='text-align:left'>{name.replace('_', ' ')}</th>"
            f"<td style='text-align:right'>{values[name]:,.4g}</td></tr>"
            for name in shown
            if isinstance(values.get(name), int | float)
        )
        title = ", ".join(self.setup.strategies) + " on " + ", ".join(self.market.symbols)
        return f"<table><caption>{title} ({self.status.word})</caption>{rows}</table>"


def periods_per_year(instruments: Sequence[Instrument]) -> float:
    """365 where every instrument trades round the clock, else 252."""
    return 365.0 if {x.calendar for x in instruments} == {"24/7"} else 252.0


def band_run(result: Result, policy: PathPolicy) -> BandRun:
    """One edge of the ambiguity band; the run itself where it has that policy already."""
    own = result.setup.account.path_policy
    other = result if policy is own else finish(Run(result.setup.under(policy)))
    equity = other.run.machine.tape.equity[: other.bars_done]
    table = other.campaigns
    cash = result.setup.account.cash
    return BandRun(
        policy,
        float(equity[-1]),
        float(equity[-1]) / cash - 1.0,
        table.height,
        int(table["ambiguous"].sum()),
        equity,
    )


def finish(run: Run, progress: Progress | None = None) -> Result:
    """Run to the end and give the result."""
    run.to_end(progress)
    return Result(run)


def _names(names: Sequence[str], rows: NDArray[Any]) -> pl.Series:
    """The names of rows; a row of -1 has none."""
    return pl.Series(names, dtype=pl.String).gather(_null_below_zero(rows.astype(np.int64)))


def _words(words: type[enums.Word], codes: NDArray[Any]) -> NDArray[Any]:
    """Codes as the words that tables write."""
    least = min(int(w) for w in words)
    table = np.array([""] * (max(int(w) for w in words) - least + 1), dtype="U24")
    for w in words:
        table[int(w) - least] = w.word
    words_of: NDArray[Any] = table[codes - least]
    return words_of


def _null_below_zero(numbers: NDArray[np.int64]) -> pl.Series:
    series = pl.Series(numbers.copy())
    return pl.select(pl.when(pl.lit(series) >= 0).then(pl.lit(series))).to_series()
