"""A run of which only the figures are kept: no tables, no log, nothing that outlives it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from intrabar.analysis.returns import days_of, last_of_day, returns_of
from intrabar.engine.backtest import Run, Setup
from intrabar.engine.prepared import Prepared
from intrabar.engine.result import Result, finish
from intrabar.errors import IntrabarError
from intrabar.model.bars import DAY_NS, Floats, Times
from intrabar.research.ledger import Data
from intrabar.research.trial import Outcome, Trial, Value

FAILED = "failed"


class Variant(NamedTuple):
    """A run of a sweep before it begins."""

    setup: Setup
    prepared: Prepared


class Variants(Protocol):
    """How the values of a trial become a run. It can be pickled where its strategies can."""

    def key(self, parameters: Mapping[str, Value]) -> str:
        """Content hash of code, data, configuration and parameters."""
        ...

    def data(self, parameters: Mapping[str, Value]) -> Data:
        """The bars that these values run on."""
        ...

    def make(self, parameters: Mapping[str, Value]) -> Variant:
        """The run of these values."""
        ...


class LeanRuns:
    """The work of a sweep: each trial run to its end, and its figures taken.

    Parameters
    ----------
    variants : Variants
    """

    def __init__(self, variants: Variants) -> None:
        self.variants = variants

    def key(self, trial: Trial) -> str:
        """Content hash of a trial."""
        return self.variants.key(trial.parameters)

    def data(self, trial: Trial) -> Data:
        """The bars that a trial runs on."""
        return self.variants.data(trial.parameters)

    def run(self, trials: Sequence[Trial]) -> list[Outcome]:
        """Run trials, in order; one that raises comes back as failed."""
        return [self._run(trial) for trial in trials]

    def result(self, trial: Trial) -> Result:
        """The whole result of a trial, as `backtest` gives it."""
        setup, prepared = self.variants.make(trial.parameters)
        return finish(Run(setup, prepared))

    def _run(self, trial: Trial) -> Outcome:
        began = time.thread_time()
        key = self.key(trial)
        try:
            result = self.result(trial)
            days, returns = daily_returns(result)
        except Exception as error:
            none = np.empty(0)
            return Outcome(
                trial=trial,
                key=key,
                status=FAILED,
                metrics={},
                digest="",
                returns=none,
                days=none.astype(np.int64),
                error=told(error),
                seconds=time.thread_time() - began,
            )
        return Outcome(
            trial=trial,
            key=key,
            status=result.status.word,
            metrics=result.metrics.values,
            digest=result.digest,
            returns=returns,
            days=days,
            seconds=time.thread_time() - began,
        )


def told(error: Exception) -> str:
    """Why a trial failed, in a line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, IntrabarError) else f"{type(error).__name__}: {text}"


def daily_returns(result: Result) -> tuple[Times, Floats]:
    """The days of a run (ns since 1970 UTC), and the return of each on the day before."""
    done, market = result.bars_done, result.market
    day = days_of(market.time[:done]) if market.day is None else market.day[:done]
    days, equity = last_of_day(day, result.run.machine.tape.equity[:done])
    return days * DAY_NS, returns_of(equity, result.setup.account.cash)
