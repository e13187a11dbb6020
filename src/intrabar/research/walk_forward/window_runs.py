"""Runs over a window of the bars: warm at its first bar, flat at both its ends.

The bars before the window are there for indicators and histories, but nothing is decided on them;
the bars after it are not there at all. A position that is open at the last bar is closed there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from intrabar.analysis.lean_sheet import Calendar, LeanSheet, brief
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.prepared import Prepared
from intrabar.engine.run import Run, Setup
from intrabar.errors import DataError, RunError
from intrabar.model.bars import Market
from intrabar.research.conditions import moved_rows
from intrabar.research.sweep.lean import FAILED, Variants, told
from intrabar.research.sweep.trial import Outcome, Trial


class Window(NamedTuple):
    """Bars to decide on.

    Parameters
    ----------
    first, last : ns since 1970 UTC
        Close times of the first and the last bar.
    """

    first: int
    last: int


class WindowResult(NamedTuple):
    """What a run made of a window.

    Parameters
    ----------
    result : Result
        The whole run, the silent bars before the window with it.
    figures : LeanSheet
        Those of the window alone, as if the data began there.
    """

    result: Result
    figures: LeanSheet


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
    market = whole.rows(slice(0, end)) if prepared is None else prepared.market
    if not (np.may_share_memory(market.close, whole.close) and len(market) == end):
        raise RunError("what was prepared is of other bars than those of the window")
    strategies = {
        name: moved_rows(one, whole, lambda grid: np.ascontiguousarray(grid[:end]))
        for name, one in setup.strategies.items()
    }
    account = replace(setup.account, close_at_end=True)
    columns = {
        name: {key: values[:end] for key, values in own.items()}
        for name, own in setup.columns.items()
    }
    cut = replace(setup, market=market, strategies=strategies, account=account, columns=columns)
    run = Run(cut, prepared)
    run.machine.wake[:first] = 0
    result = finish(run)
    return WindowResult(result, _figures(result, first))


def _figures(result: Result, first: int) -> LeanSheet:
    """The figures from a row on."""
    machine, setup = result.run.machine, result.setup
    fills = machine.fills().copy()
    fills["bar"] -= first
    return brief(
        Calendar(setup.market.rows(slice(first, None))),
        fills,
        machine.tape.equity[first : result.bars_done],
        len(setup.strategies),
        setup.account.cash,
        result.periods_per_year,
    )


KEPT = 8  # markets


class WindowRuns:
    """The trials of a sweep over one window: the work of a pool.

    Parameters
    ----------
    variants : Variants
    window : Window
    """

    def __init__(self, variants: Variants, window: Window) -> None:
        self.variants = variants
        self.window = window
        self._prepared: list[tuple[Market, tuple[str, ...], Prepared]] = []  # the latest last

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
        """The bars up to the end of the window, once for each of the latest markets."""
        market, calendars = setup.market, tuple(x.calendar for x in setup.instruments)
        for whole, of, prepared in self._prepared:
            if whole is market and of == calendars:
                return prepared
        end = int(np.searchsorted(market.time, self.window.last, "right"))
        prepared = Prepared(market.rows(slice(0, end)), calendars, keeps=True)
        # The market stays beside it: nothing else can be told from it by its place in memory.
        self._prepared = [*self._prepared[1 - KEPT :], (market, calendars, prepared)]
        return prepared

    def _run(self, trial: Trial) -> Outcome:
        began = time.thread_time()
        status, error = FAILED, ""
        metrics: dict[str, float | None] = {}
        digest = ""
        days, gained = np.empty(0, np.int64), np.empty(0)
        try:
            made = self.result(trial)
            status, digest = made.result.status.word, made.result.digest
            metrics, days, gained = made.figures
        except Exception as wrong:  # whatever a user's strategy raises
            error = told(wrong)
        seconds = time.thread_time() - began
        return Outcome(
            trial, self.key(trial), status, metrics, digest, gained, days, error, seconds
        )
