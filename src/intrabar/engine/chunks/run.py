"""A run over a history larger than memory: some rows at a time, with the bits of the whole.

The loop can stop anywhere, so a piece is an advance to its last bar. Between pieces what is over
(fills, done orders, moved levels, equity) goes to files and out of memory; positions, working
orders and the state of indicators stay. The arrays of a piece stand under the bar numbers of the
whole (`engine/chunks/window.py`), so that nothing else knows of pieces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from intrabar.analysis.equity import Key
from intrabar.analysis.metrics import Sheet, sheet_of
from intrabar.analysis.told import NEXT, Told
from intrabar.data.pieces import Piece
from intrabar.engine.chunks.laid import LaidRun
from intrabar.engine.chunks.records import Recorder, Scope
from intrabar.engine.chunks.setup import ChunkedSetup
from intrabar.engine.connecting import Running
from intrabar.engine.judged import Limited, RiskLog
from intrabar.engine.kept import after
from intrabar.engine.outcome.band import BAND
from intrabar.engine.outcome.bandits import Bandits, bandits_of
from intrabar.engine.outcome.learned import remarks_of_learned
from intrabar.engine.outcome.remarks import Known, has_ended, in_order, remarks_of
from intrabar.engine.outcome.result import periods_per_year
from intrabar.engine.outcome.risk import RiskTold
from intrabar.engine.outcome.stats import Stats
from intrabar.engine.outcome.summary import (
    band_line,
    ended,
    figure_rows,
    is_idle,
    remark_lines,
    titled,
)
from intrabar.engine.run import Progress, finish_strategies, warm_up
from intrabar.engine.waking import allowed
from intrabar.errors import RunError
from intrabar.model.bars import Floats
from intrabar.model.enums import PathPolicy, RunStatus
from intrabar.model.remark import Remark
from intrabar.sim.machine import Machine
from intrabar.strategy.registry import AnyStrategy

TABLES = ("fills", "orders", "campaigns", "levels", "ledger", "equity", "gates")


@dataclass(frozen=True, eq=False, repr=False)
class ChunkedResult:
    """What a run in chunks left: its tables are files, its figures those of a run at one go.

    Parameters
    ----------
    given : ChunkedSetup
    folder : path or None
        Holds a folder of Parquet files for each of `TABLES`; None where none was written.
    status : RunStatus
    digest : str
        That of the same run at one go.
    recorded : Recorder
        What was added up on the way.
    strategies : mapping of name to strategy
        As `Result.strategies`.
    risk_log : RiskLog or None
        What limits have done; `risk` tells it.
    """

    given: ChunkedSetup
    folder: Path | None
    status: RunStatus
    digest: str
    recorded: Recorder
    strategies: Mapping[str, AnyStrategy]
    risk_log: RiskLog | None = None

    def __repr__(self) -> str:
        return self._told().text()

    def _repr_html_(self) -> str:
        return self._told().html()

    def _told(self) -> Told:
        if self.folder is None:  # then there are no tables to tell from
            return Told(self.title, self.facts, [("return", f"{self.total_return:.2%}")], [])
        rows = figure_rows(self.metrics, self.given.account.currency)
        band: list[str] = []
        if "band" in self.__dict__ and not is_idle(self.metrics.values):
            ends = sorted(self.band_returns.values())
            band = [band_line(ends, self.recorded.ambiguous).strip()]
        more = [*remark_lines(self.remarks), f"tables: {self.folder}"]
        after = f"{NEXT}result.table('fills'), or {', '.join(repr(x) for x in TABLES[1:])}"
        return Told(self.title, self.facts, rows, [*band, *more, after])

    @property
    def title(self) -> str:
        """The strategies and the instruments."""
        return titled(self.given.strategies, [feed.symbol for feed in self.given.feeds])

    @property
    def facts(self) -> str:
        """The span of its bars, and how it ended."""
        time = self.recorded.equity.columns["time"]
        first, last = (str(np.datetime64(int(t), "ns"))[:10] for t in time[[0, -1]])
        how = ended(self.status, self.is_liquidated)
        return f"{first} to {last}, {self.bars:,} bars in chunks of {self.given.chunk:,}, {how}"

    @property
    def is_liquidated(self) -> bool:
        """Whether margin calls have closed positions."""
        if self.folder is None:
            return False
        called = self.table("fills").filter(pl.col("reason") == "liquidation")
        return bool(called.select(pl.len()).collect().item())

    @property
    def bars(self) -> int:
        """With recorded equity."""
        return self.recorded.account.course.bars

    def table(self, name: str) -> pl.LazyFrame:
        """One of `TABLES`, or `decisions`, where an exit learns.

        Orders and campaigns are in the order in which they were over.
        """
        if self.folder is None:
            raise RunError(f"{name}: this run was asked to write no tables")
        return pl.scan_parquet(self.folder / f"{name}.parquet" / "*.parquet")

    def moved_to(self, folder: Path) -> ChunkedResult:
        """The same, its tables in another folder."""
        return replace(self, folder=folder)

    @cached_property
    def metrics(self) -> Sheet:
        """The figures of docs/metrics.md for the account."""
        return self._sheet(self.recorded.account, pl.lit(True))

    @property
    def stats(self) -> Stats:
        """The same as a mapping of names to figures, which prints as a table."""
        return Stats(self.metrics, self.given.account.currency)

    def metrics_by(self, key: Key) -> dict[str, Sheet]:
        """The figures per "symbol" or per "strategy"."""
        return {
            name: self._sheet(scope, pl.col(key) == name)
            for name, scope in self.recorded.scopes[key].items()
            if scope.has_filled
        }

    def _sheet(self, scope: Scope, own: pl.Expr) -> Sheet:
        def closed(name: str) -> Floats:
            ended = self.table("campaigns").filter(own & pl.col("end_bar").is_not_null())
            return ended.select(pl.col(name).cast(pl.Float64)).collect()[name].to_numpy()

        year = periods_per_year(self.given.instruments)
        return sheet_of(scope.course, scope.filled, closed, year)

    @cached_property
    def band(self) -> dict[PathPolicy, ChunkedResult]:
        """The ambiguity band: the run repeated under `worst`, `shortest` and `best`."""
        return {policy: self.under(policy) for policy in BAND}

    @property
    def warnings(self) -> list[str]:
        """As `Result.warnings`; the band is among them where it has been asked for."""
        return [remark.text for remark in self.remarks]

    @property
    def remarks(self) -> list[Remark]:
        """The same, with whether each is severe."""
        told = [] if self.risk is None else self.risk.remarks
        learned = remarks_of_learned(self.recorded.decided)
        return in_order([*self.given.remarks, *told, *remarks_of(self._known()), *learned])

    @property
    def bandits(self) -> Bandits:
        """As `Result.bandits`."""
        return bandits_of(self.recorded.decided, [x.symbol for x in self.given.instruments])

    @property
    def risk(self) -> RiskTold | None:
        """As `Result.risk`."""
        return None if self.risk_log is None else RiskTold(self.risk_log)

    def _known(self) -> Known:
        given, recorded = self.given, self.recorded
        end = int(recorded.equity.columns["time"][-1])
        lasts = zip(given.feeds, recorded.last.tolist(), recorded.widest.tolist(), strict=True)
        return Known(
            status=self.status,
            last=datetime.fromtimestamp(end / 1e9, UTC),
            campaigns=recorded.campaigns,
            closed=int(self.metrics.values["campaigns"] or 0),
            ambiguous=recorded.ambiguous,
            settled=recorded.settled,
            without_detail=self.without_detail,
            ends=list(self.band_returns.values()) if "band" in self.__dict__ else [],
            own=self.total_return,
            policy=given.account.path_policy,
            instruments=given.instruments,
            strategies=given.strategies,
            ended={
                feed.symbol: datetime.fromtimestamp(last / 1e9, UTC)
                for feed, last, widest in lasts
                if last >= 0 and has_ended(last, widest, end)
            },
            orders=self.table("orders"),
            fills=self.table("fills"),
            campaign_table=self.table("campaigns"),
            gates=self.table("gates").collect(),
        )

    @property
    def without_detail(self) -> int | None:
        """As `Result.without_detail`."""
        is_asked = self.given.account.path_policy is PathPolicy.DETAIL
        return int(self.recorded.without_detail.sum()) if is_asked else None

    @property
    def band_returns(self) -> dict[PathPolicy, float]:
        """The total returns of the band."""
        return {policy: run.total_return for policy, run in self.band.items()}

    @property
    def total_return(self) -> float:
        """Fraction."""
        return float(self.recorded.equity.columns["equity"][-1]) / self.recorded.initial - 1.0

    def under(self, policy: PathPolicy) -> ChunkedResult:
        """The run repeated under a path policy, without tables; itself where it has that one."""
        if policy is self.given.account.path_policy:
            return self
        return ChunkedRun(self.given.under(policy), None).to_end()


@dataclass(eq=False)
class ChunkedRun:
    """A run that advances piece by piece; `to_end` carries it out.

    Parameters
    ----------
    given : ChunkedSetup
    folder : path or None
        Takes the tables; it must exist. None: they are not written.
    """

    given: ChunkedSetup
    folder: Path | None
    laid: LaidRun = field(init=False)

    @property
    def machine(self) -> Machine:
        """The market of the pieces so far."""
        return self.laid.machine

    @property
    def running(self) -> dict[str, Running]:
        """The strategies as they run, by name."""
        return self.laid.running

    def to_end(self, progress: Progress | None = None) -> ChunkedResult:
        """Run to the last bar, or to ruin."""
        given = self.given
        total = max(len(feed) for feed in given.feeds)
        self.laid = LaidRun(given)
        window = self.laid.window
        recorder = Recorder(self.folder, given)
        limited: Limited | None = None
        for piece in given.pieces():
            self._lay(piece)
            if given.risk is None:
                self.machine.advance(None if piece.is_last else window.end)
            else:
                limited = limited or Limited(self.machine, given.risk, tuple(given.strategies))
                limited.advance(window.end)
            is_over = piece.is_last or self.machine.status is RunStatus.RUINED
            recorder.take(self.machine, self.running, window.times, is_over)
            if progress is not None:
                progress(self.machine.bar, max(total, self.machine.bar))
            if is_over:
                break
        finish_strategies(self.machine, self.running)
        if self.machine.status is not RunStatus.RUINED:
            window.require_values(given.feeds)
        digest = self.machine.digest()
        left = after(self.running, given.strategies)
        log = None if limited is None else limited.log
        status = self.machine.status
        return ChunkedResult(given, self.folder, status, digest, recorder, left, log)

    def _lay(self, piece: Piece) -> None:
        """Lay a piece, and walk through those of its rows before trading begins."""
        given, time = self.given, piece.market.time
        if given.trade_from is None:
            self.laid.lay(piece)
            return
        self.laid.lay(piece, allowed(given.strategies, time, given.trade_from))
        first = self.laid.window.end - len(time) + int(np.searchsorted(time, given.trade_from))
        warm_up(self.machine, given.strategies.values(), first)
