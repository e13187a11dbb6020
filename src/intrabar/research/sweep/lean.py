"""A run of which only the figures are kept: no tables, no log, nothing that outlives it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import local
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.lean_sheet import Calendar, LeanSheet, brief
from intrabar.engine.outcome.result import Result, finish, periods_per_year
from intrabar.engine.prepared import Prepared
from intrabar.engine.run import Run, Setup
from intrabar.errors import IntrabarError
from intrabar.model.bars import Market
from intrabar.model.instrument import Instrument
from intrabar.research.sweep.ledger import Data
from intrabar.research.sweep.trial import Outcome, Trial, Value
from intrabar.sim.account import Account
from intrabar.sim.machine import Machine

Bytes = NDArray[np.uint8]

FAILED = "failed"
SPARES = 8  # machines of a thread
STANDING = ("account", "instruments", "sleeves", "strategies")  # of a book: where the run stands


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
            variant = self.variants.make(trial.parameters)
            run = Run(variant.setup, variant.prepared, _spares().machine, keeps_log=False)
            run.to_end()
            found = figures_of(run, variant.prepared.calendar)
        except Exception as error:
            _spares().forget()
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
            status=run.machine.status.word,
            metrics=found.values,
            digest=run.machine.digest(),
            returns=found.returns,
            days=found.days,
            seconds=time.thread_time() - began,
        )


def figures_of(run: Run, calendar: Calendar) -> LeanSheet:
    """The figures of a run that has ended."""
    machine, setup = run.machine, run.setup
    return brief(
        calendar,
        machine.fills(),
        machine.tape.equity[: machine.bars_done],
        len(setup.strategies),
        setup.account.cash,
        periods_per_year(setup.instruments),
    )


class MachinePool:
    """Machines of one thread whose run is over, for the next one: nothing is allocated anew."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], tuple[Machine, list[tuple[Bytes, Bytes]]]] = (
            OrderedDict()
        )

    def machine(
        self,
        market: Market,
        instruments: Sequence[Instrument],
        account: Account,
        wake: NDArray[np.uint8],
    ) -> Machine:
        """A machine before its first bar."""
        # By place: the kept machine holds on to all of them.
        key = id(market), id(instruments), id(account), wake.shape
        if key not in self._kept:
            machine = Machine(market, instruments, account, wake.copy())
            parts = [getattr(machine.book, name).view(np.uint8) for name in STANDING]
            self._kept[key] = machine, [(part, part.copy()) for part in parts]
            if len(self._kept) > SPARES:
                self._kept.popitem(last=False)
            return machine
        self._kept.move_to_end(key)
        machine, parts_then = self._kept[key]
        for part, then in parts_then:
            part[:] = then
        machine.wake[:] = wake
        return machine

    def forget(self) -> None:
        """Let go of all: a run that broke may have left anything behind."""
        self._kept.clear()


_own = local()


def _spares() -> MachinePool:
    """Those of this thread."""
    if not hasattr(_own, "spares"):
        _own.spares = MachinePool()
    spares: MachinePool = _own.spares
    return spares


def told(error: Exception) -> str:
    """Why a trial failed, in a line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, IntrabarError) else f"{type(error).__name__}: {text}"
