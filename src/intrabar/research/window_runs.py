"""Runs over a window of the bars: warm at its first bar, flat at both its ends.

The bars before the window are there for indicators and histories, but nothing is decided on them;
the bars after it are not there at all. A position that is open at the last bar is closed there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from intrabar.analysis import returns
from intrabar.analysis.figure import Figure, Undefined
from intrabar.analysis.metrics import Sheet, sheet
from intrabar.engine.audit_futures import rows_of
from intrabar.engine.backtest import Run, Setup
from intrabar.engine.prepared import Prepared
from intrabar.engine.result import Result, finish
from intrabar.errors import DataError
from intrabar.model.bars import DAY_NS, Floats, Times
from intrabar.research.conditions import moved_rows
from intrabar.research.lean import FAILED, Variants, told
from intrabar.research.trial import Outcome, Trial


class Window(NamedTuple):
    """Bars to decide on.

    Parameters
    ----------
    first, last : ns since 1970 UTC
        Close times of the first and the last bar.
    """

    first: int
    last: int


@dataclass(frozen=True, eq=False)
class WindowResult:
    """What a run made of a window.

    Parameters
    ----------
    result : Result
        The whole run, the silent bars before the window with it.
    first : int
        Row of the window's first bar.
    days : (d,) int64, ns since 1970 UTC
    returns : (d,) float64, fraction
    """

    result: Result
    first: int
    days: Times
    returns: Floats

    @cached_property
    def sheet(self) -> Sheet:
        """The figures of the window alone, as if the data began there."""
        return _sheet(self.result, self.first)

    def of_returns(self) -> dict[str, float | None]:
        """Those of its figures that the equity decides, without the tables."""
        cash = self.result.setup.account.cash
        end = float(self.result.run.machine.tape.equity[self.result.bars_done - 1])
        year = self.result.periods_per_year
        made: dict[str, Figure] = {
            "net_profit": end - cash,
            "total_return": end / cash - 1.0,
            "annual_return": returns.annual_return(self.returns, year),
            "volatility": returns.volatility(self.returns, year),
            "sharpe": returns.sharpe(self.returns, year),
            "sortino": returns.sortino(self.returns, year),
        }
        return {name: None if isinstance(x, Undefined) else x for name, x in made.items()}


def run_in(setup: Setup, window: Window, prepared: Prepared | None = None) -> WindowResult:
    """Run a setup over a window of its bars.

    Parameters
    ----------
    setup : Setup
        Over the whole history.
    window : Window
    prepared : Prepared, optional
        Of the bars up to the end of the window.

    Raises
    ------
    DataError
        There is no bar in the window.
    """
    whole = setup.market
    first = int(np.searchsorted(whole.time, window.first))
    end = int(np.searchsorted(whole.time, window.last, "right"))
    if first >= end:
        raise DataError(f"{', '.join(whole.symbols)}: no bars in the window")
    market = rows_of(whole, slice(0, end)) if prepared is None else prepared.market
    strategies = {
        name: moved_rows(one, whole, lambda grid: np.ascontiguousarray(grid[:end]))
        for name, one in setup.strategies.items()
    }
    account = replace(setup.account, close_at_end=True)
    cut = replace(setup, market=market, strategies=strategies, account=account)
    run = Run(cut, prepared)
    run.machine.wake[:first] = 0
    result = finish(run)
    rows = result.bars_done
    day = returns.days_of(market.time[:rows]) if market.day is None else market.day[:rows]
    days, equity = returns.last_of_day(day[first:], run.machine.tape.equity[first:rows])
    gained = returns.returns_of(equity, setup.account.cash)
    return WindowResult(result, first, days * DAY_NS, gained)


def _sheet(result: Result, first: int) -> Sheet:
    """The figures from a row on."""
    whole = result.results
    bars: dict[str, Any] = {"fills": ["bar"], "campaigns": ["start_bar", "end_bar"]}
    moved = {
        table: getattr(whole, table).with_columns(pl.col(name) - first for name in columns)
        for table, columns in bars.items()
    }
    equity = whole.equity.filter(pl.col("bar") >= first).with_columns(pl.col("bar") - first)
    market = rows_of(whole.market, slice(first, None))
    return sheet(replace(whole, market=market, equity=equity, session=market.day, **moved))


class WindowRuns:
    """The trials of a sweep over one window: the work of a pool.

    Parameters
    ----------
    variants : Variants
    window : Window
    metric : str
        Where the daily returns decide it, nothing else is worked out.
    """

    def __init__(self, variants: Variants, window: Window, metric: str = "") -> None:
        self.variants = variants
        self.window = window
        self.metric = metric
        self._prepared: dict[int, Prepared] = {}

    def key(self, trial: Trial) -> str:
        """Content hash of a trial and its window."""
        return f"{self.variants.key(trial.parameters)} {self.window.first} {self.window.last}"

    def run(self, trials: Sequence[Trial]) -> list[Outcome]:
        """Run trials, in order; one that raises comes back as failed."""
        return [self._run(trial) for trial in trials]

    def result(self, trial: Trial) -> WindowResult:
        """A trial over the window."""
        setup, _ = self.variants.make(trial.parameters)
        return run_in(setup, self.window, self._ready(setup))

    def _ready(self, setup: Setup) -> Prepared:
        """The bars up to the end of the window, once for each market."""
        market = setup.market
        if id(market) not in self._prepared:
            end = int(np.searchsorted(market.time, self.window.last, "right"))
            cut = rows_of(market, slice(0, end))
            calendars = tuple(x.calendar for x in setup.instruments)
            self._prepared[id(market)] = Prepared(cut, calendars, keeps=True)
        return self._prepared[id(market)]

    def _run(self, trial: Trial) -> Outcome:
        began = time.thread_time()
        status, error = FAILED, ""
        metrics: dict[str, float | None] = {}
        digest = ""
        days, gained = np.empty(0, np.int64), np.empty(0)
        try:
            made = self.result(trial)
            metrics = made.of_returns()
            if self.metric not in metrics:
                metrics = made.sheet.values
            status, digest = made.result.status.word, made.result.digest
            days, gained = made.days, made.returns
        except Exception as wrong:  # whatever a user's strategy raises
            error = told(wrong)
        seconds = time.thread_time() - began
        return Outcome(
            trial, self.key(trial), status, metrics, digest, gained, days, error, seconds
        )
