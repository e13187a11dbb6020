"""What a run did: its tables, its figures, and how much of them hangs on the path in the bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from intrabar.analysis.campaigns import campaigns
from intrabar.analysis.drawdown import drawdown_series
from intrabar.analysis.equity import Curve, curves_by
from intrabar.analysis.metrics import Results, Sheet, sheet, sheets_by
from intrabar.analysis.trades import trades
from intrabar.engine.kept import after
from intrabar.engine.outcome.band import BAND, BandRun, band_run
from intrabar.engine.outcome.bandits import Bandits, bandits_of
from intrabar.engine.outcome.decisions import decided_in, decisions_of, with_numbers
from intrabar.engine.outcome.foresight import foresight
from intrabar.engine.outcome.learned import remarks_of_learned
from intrabar.engine.outcome.plot import Plot, plot
from intrabar.engine.outcome.remarks import Known, ended_early, in_order, inconsistent, remarks_of
from intrabar.engine.outcome.risk import RiskTold
from intrabar.engine.outcome.stats import Stats
from intrabar.engine.outcome.summary import ended, html_of, text_of, titled
from intrabar.engine.outcome.tables import (
    Axes,
    fills_of,
    gates_table,
    ledger_of,
    levels_of,
    orders_of,
    times_of,
)
from intrabar.engine.outcome.tabling import gross_notional
from intrabar.engine.run import Progress, Run, Setup
from intrabar.errors import RunError
from intrabar.forks import require_threads
from intrabar.model.bars import Market
from intrabar.model.enums import PathPolicy, RunStatus
from intrabar.model.instrument import Instrument
from intrabar.model.remark import Remark
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.strategy import Strategy

CHEAP = 20_000
"""Bars of all instruments together that are run three times more without asking."""


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """The outcome of a run, as tables (polars) and figures; each is made when it is asked for.

    Parameters
    ----------
    run : Run
        A run that has ended.
    pages : list of path
        Reports that were written of it.
    is_lived : bool
        What was decided in it is a session's: it has one path, and no band.
    simulated : DataFrame, optional
        What was decided in a session in shadow, as rows of `decisions`.
    """

    run: Run
    pages: list[Path] = field(default_factory=list)
    is_lived: bool = False
    simulated: pl.DataFrame | None = None

    @property
    def setup(self) -> Setup:
        """What decided the run."""
        return self.run.setup

    @property
    def strategies(self) -> dict[str, AnyStrategy]:
        """The strategies as the run left them, by name.

        One in Python is the copy that ran, with what it remembers; the object that was given is
        as it was. Bots, signals and weights remember nothing.
        """
        return after(self.run.running, self.setup.strategies)

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
        """What to know before believing the figures, severe sentences first.

        What hangs on the path inside the bars is among them where `band` has been asked for, and
        where asking is cheap: up to `CHEAP` bars, and no strategy in Python.
        """
        return [remark.text for remark in self.remarks]

    @property
    def remarks(self) -> list[Remark]:
        """The same, with whether each is severe."""
        require_threads()
        known = self._known()
        broken = inconsistent(self.market)
        told = [*self.setup.remarks, *self._foretold]
        told += [] if self.risk is None else self.risk.remarks
        learned = remarks_of_learned(decided_in(self.run.running))
        return in_order([*told, *remarks_of(known), *learned, *broken])

    @property
    def risk(self) -> RiskTold | None:
        """What the limits of the run refused, and what its breaker did; None without limits."""
        return None if self.run.risk is None else RiskTold(self.run.risk)

    @cached_property
    def _foretold(self) -> list[Remark]:
        """Arrays that know the future, where asking costs next to nothing."""
        if self.market.close.size > CHEAP:
            return []
        found = [x for one in self.setup.strategies.values() for x in foresight(one, self.market)]
        return [Remark(f"Foresight: {one}", severe=True) for one in found]

    def _known(self) -> Known:
        table = self.campaigns
        return Known(
            status=self.status,
            last=self.equity["time"][-1],
            campaigns=table.height,
            closed=table["end_bar"].drop_nulls().len(),
            ambiguous=int(table["ambiguous"].sum()),
            settled=int(table["settled"].sum()),
            without_detail=self.without_detail,
            ends=[run.total_return for run in self.band] if self.knows_band else [],
            own=self.metrics.values["total_return"] or 0.0,
            policy=self.setup.account.path_policy,
            instruments=self.setup.instruments,
            strategies=self.setup.strategies,
            ended=ended_early(self.market, self.bars_done),
            orders=self.orders.lazy(),
            fills=self.fills.lazy(),
            campaign_table=table.lazy(),
            gates=self.gates,
        )

    @property
    def knows_band(self) -> bool:
        """Whether the band has been worked out, or is so at once and without a side effect."""
        is_small = self.market.close.size <= CHEAP
        quiet = not any(isinstance(x, Strategy) for x in self.setup.strategies.values())
        return "band" in self.__dict__ or (is_small and quiet and not self.is_lived)

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

    @property
    def _axes(self) -> Axes:
        return Axes(list(self.setup.strategies), self.market.symbols, self.market.time)

    @cached_property
    def fills(self) -> pl.DataFrame:
        """Every fill, in order (columns: docs/architecture.md)."""
        return fills_of(self.run.machine.fills(), self._axes)

    @cached_property
    def orders(self) -> pl.DataFrame:
        """Every order in order of acceptance, rejected ones and bracket children included."""
        return orders_of(self.run.machine.orders(), self._axes)

    @cached_property
    def levels(self) -> pl.DataFrame:
        """Every move of a stop or a target: where the protection of a position stood after it."""
        return levels_of(self.run.machine.levels(), self._axes)

    @cached_property
    def ledger(self) -> pl.DataFrame:
        """Everything that moved cash without a fill, in order; null where it is the account's."""
        return ledger_of(self.run.machine.ledger(), self._axes)

    @cached_property
    def equity(self) -> pl.DataFrame:
        """Equity at every close, with cash, drawdown (fraction) and exposure (fraction)."""
        require_threads()
        n = self.bars_done
        equity = self.run.machine.tape.equity[:n]
        held = gross_notional(self.run.machine.fills(), self.market, self.point_values)[:n]
        return pl.DataFrame(
            {
                "bar": np.arange(n),
                "time": times_of(self.market.time, np.arange(n)),
                "equity": equity.copy(),
                "cash": self.run.machine.cash(),
                "drawdown": drawdown_series(equity, self.setup.account.cash),
                "exposure": np.divide(held, equity, out=np.zeros(n), where=equity > 0.0),
            }
        )

    @cached_property
    def campaigns(self) -> pl.DataFrame:
        """Flat to non-zero to flat, per strategy and symbol."""
        require_threads()
        return campaigns(self.fills, self.market, self.point_values, self.bars_done)

    @cached_property
    def trades(self) -> pl.DataFrame:
        """Opening fills paired with closing ones, first in first out."""
        return trades(self.fills)

    @cached_property
    def gates(self) -> pl.DataFrame:
        """What kept the bots from entering, and how often."""
        return gates_table(self.run.running)

    @cached_property
    def decisions(self) -> pl.DataFrame:
        """What learned exits decided, and what came of it; no row where none did."""
        decided = decisions_of(decided_in(self.run.running), self.market.symbols)
        own = with_numbers(decided, self.campaigns)
        if self.simulated is None:
            return own
        return pl.concat([own, self.simulated], how="diagonal").sort("bar", maintain_order=True)

    @cached_property
    def bandits(self) -> Bandits:
        """What each bandit knows at the end, by strategy and symbol."""
        return bandits_of(decided_in(self.run.running), self.market.symbols)

    @property
    def periods_per_year(self) -> float:
        """Days with a return."""
        return periods_per_year(self.setup.instruments)

    @cached_property
    def results(self) -> Results:
        """What the metrics are worked out from."""
        require_threads()
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
        require_threads()
        return sheet(self.results)

    @property
    def stats(self) -> Stats:
        """The same as a mapping of names to figures, which prints as a table."""
        return Stats(self.metrics, self.setup.account.currency)

    def metrics_by(self, key: str) -> dict[str, Sheet]:
        """The figures per "symbol" or per "strategy"."""
        return sheets_by(self.results, key)  # type: ignore[arg-type]

    def curves_by(self, key: str) -> Mapping[str, Curve]:
        """Profit over time per "symbol" or per "strategy"."""
        return curves_by(self.fills, self.market, self.point_values, key)  # type: ignore[arg-type]

    @cached_property
    def band(self) -> tuple[BandRun, ...]:
        """The ambiguity band: the run repeated under `worst`, `shortest` and `best`.

        Raises
        ------
        RunError
            It is what a session has decided.
        """
        if self.is_lived:
            raise RunError("a session has lived one path; a backtest of its file has a band")
        return tuple(band_run(self, policy) for policy in BAND)

    def save(self, out: Path | str | None = None, *, name: str = "", report: bool = True) -> Path:
        """Store the run with its tables, report and manifest, as `intrabar backtest` does.

        Bars and arrays that were given are kept with it, so that `intrabar runs rerun`,
        `critique` and `validate` can make it again; `runs show` says where they cannot.

        Parameters
        ----------
        out : folder
            Of the run folders; that of the configuration, else `runs`.
        name : str
            Title of the report.
        report : bool
            Write the report.

        Returns
        -------
        Path
            The folder of the run.

        Raises
        ------
        RunError
            It could not be written, or its setup was made by hand.
        """
        if self.setup.given is None:
            raise RunError("this run was set up by hand; ib.backtest gives one that can be stored")
        return self.setup.given.save(self, out, name, report)

    def plot(self) -> Plot:
        """Equity and drawdown as a picture, which a notebook shows."""
        return plot(self)

    @property
    def title(self) -> str:
        """The strategies and the instruments."""
        return titled(self.setup.strategies, self.market.symbols)

    def __repr__(self) -> str:
        return text_of(self)

    def _repr_html_(self) -> str:
        return html_of(self)

    @property
    def is_liquidated(self) -> bool:
        """Whether margin calls have closed positions."""
        return bool((self.fills["reason"] == "liquidation").any())

    @property
    def facts(self) -> str:
        """The span of its bars, and how it ended."""
        times = self.equity["time"]
        how = ended(self.status, self.is_liquidated)
        return f"{times[0]:%Y-%m-%d} to {times[-1]:%Y-%m-%d}, {len(times):,} bars, {how}"


def periods_per_year(instruments: Sequence[Instrument]) -> float:
    """365 where every instrument trades round the clock, else 252."""
    return 365.0 if {x.calendar for x in instruments} == {"24/7"} else 252.0


def finish(run: Run, progress: Progress | None = None) -> Result:
    """Run to the end and give the result."""
    run.to_end(progress)
    return Result(run)
