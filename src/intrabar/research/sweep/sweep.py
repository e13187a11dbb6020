"""A sweep: every trial of a space, run once or found in the ledger, and what came of them."""

from __future__ import annotations

import hashlib
import json
import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypedDict

import numpy as np
import polars as pl

from intrabar.analysis.figure import Undefined
from intrabar.analysis.metrics import METRICS
from intrabar.analysis.sharpe import Deflated, deflate
from intrabar.engine.outcome.result import Result
from intrabar.errors import NotFoundError
from intrabar.model.bars import Floats, Times
from intrabar.research.sweep.lean import FAILED
from intrabar.research.sweep.ledger import Data, Ledger
from intrabar.research.sweep.told import told
from intrabar.research.sweep.trial import Outcome, Pool, Trial, Value, Work

# Of these the lowest is the best.
LOWER_IS_BETTER = {name for name, one in METRICS.items() if one.lower_is_better}
PLACES = {name: place for place, name in enumerate(METRICS)}
LOOKED_UP = 1_024  # trials asked of the ledger at once
BATCH_SECONDS = 0.25  # of work handed to a worker at once, ...
BATCHES = (4, 256)  # ... the first batch, when nothing is known of it, and the largest

Progress = Callable[[int, int], None]


class Carried(TypedDict, total=False):
    """What `carry_out` may be told."""

    metric: str
    ledger: Ledger | None
    strategy: str
    total: int
    progress: Progress | None


class Sweepable(Work, Protocol):
    """The work of a sweep, which can give one of its trials in full and knows its bars."""

    def data(self, trial: Trial) -> Data:
        """The bars that a trial runs on."""
        ...

    def result(self, trial: Trial) -> Result:
        """The whole result of a trial."""
        ...


class Figures(Mapping[str, float | None]):
    """The metrics of a trial in the room of their numbers: there may be a million of them."""

    __slots__ = ("_numbers",)

    def __init__(self, metrics: Mapping[str, float | None]) -> None:
        told = (metrics.get(name) for name in METRICS)
        self._numbers = array("d", (math.nan if x is None else x for x in told))

    def __getitem__(self, name: str) -> float | None:
        number = self._numbers[PLACES[name]]
        return None if math.isnan(number) else number

    def __iter__(self) -> Iterator[str]:
        return iter(METRICS)

    def __len__(self) -> int:
        return len(METRICS)


class Best(NamedTuple):
    """The best trial of a sweep.

    Parameters
    ----------
    number : int
    parameters : mapping of place to value
    metrics : mapping of name to figure
    deflated : Deflated or Undefined
        What is left of its Sharpe ratio after all that was tried on its bars; `probability` is
        the deflated Sharpe ratio.
    """

    number: int
    parameters: Mapping[str, Value]
    metrics: Mapping[str, float | None]
    deflated: Deflated | Undefined

    @property
    def deflated_sharpe(self) -> float | None:
        """Probability that its true Sharpe ratio is above 0; None where there is none."""
        return None if isinstance(self.deflated, Undefined) else self.deflated.probability


@dataclass(eq=False, repr=False)
class SweepResult:
    """What came of the trials of a sweep.

    Parameters
    ----------
    work : Sweepable
    outcomes : list of Outcome
        By number. Where there is a ledger their returns are in it.
    metric : str
        What the best is by.
    ledger : path or None
        The ledger that has the trials.
    found : int
        How many were in the ledger already.
    remarks : list of str
    folder : str
        Where it is stored, "" where it is not.
    """

    work: Sweepable
    outcomes: list[Outcome]
    metric: str
    ledger: Path | None = None
    found: int = 0
    remarks: list[str] = field(default_factory=list)
    folder: str = ""

    def __repr__(self) -> str:
        return told(self).text()

    def _repr_html_(self) -> str:
        return told(self).html()

    def __len__(self) -> int:
        return len(self.outcomes)

    @property
    def places(self) -> list[str]:
        """The parameters, as they were named."""
        return list(self.outcomes[0].trial.parameters)

    @property
    def failed(self) -> int:
        """How many trials raised."""
        return sum(outcome.status == FAILED for outcome in self.outcomes)

    @cached_property
    def data(self) -> list[Data]:
        """The bars that trials ran on, each once."""
        return list({(bars := self.work.data(o.trial)).hash: bars for o in self.outcomes}.values())

    @cached_property
    def table(self) -> pl.DataFrame:
        """A row per trial.

        `number`, a column per parameter, `status`, the metrics (null where undefined), `error`,
        `seconds` (CPU) and `digest`.
        """
        rows = self.outcomes
        columns: dict[str, pl.Series] = {
            "number": pl.Series([o.trial.number for o in rows], dtype=pl.Int64)
        }
        for place in self.places:
            columns[place] = _series([o.trial.parameters[place] for o in rows])
        columns["status"] = pl.Series([o.status for o in rows], dtype=pl.String)
        for name in METRICS:
            columns[name] = pl.Series([o.metrics.get(name) for o in rows], dtype=pl.Float64)
        columns["error"] = pl.Series([o.error for o in rows], dtype=pl.String)
        columns["seconds"] = pl.Series([o.seconds for o in rows], dtype=pl.Float64)
        columns["digest"] = pl.Series([o.digest for o in rows], dtype=pl.String)
        return pl.DataFrame(columns)

    @cached_property
    def best(self) -> Best | None:
        """The trial that is best by the metric, the first of equals; None where none has it."""
        sign = -1.0 if self.metric in LOWER_IS_BETTER else 1.0
        told = [
            (sign * value, -o.trial.number, o)
            for o in self.outcomes
            if (value := o.metrics.get(self.metric)) is not None
        ]
        if not told:
            return None
        best = max(told, key=lambda x: x[:2])[2]
        trial = best.trial
        deflated = deflate(self.returns, self.outcomes.index(best), self.tried_on(trial))
        return Best(trial.number, trial.parameters, best.metrics, deflated)

    def tried_on(self, trial: Trial) -> int:
        """How many variants were ever tried on the bars of a trial, as far as is known."""
        bars = self.work.data(trial).hash
        if self.ledger is not None:
            with Ledger(self.ledger) as ledger:
                return ledger.tried_on(bars)
        return sum(
            o.status != FAILED and self.work.data(o.trial).hash == bars for o in self.outcomes
        )

    def run(self, number: int) -> Result:
        """A trial once more, in full: what `backtest` gives for its parameters.

        Raises
        ------
        NotFoundError
            There is no trial of that number.
        Exception
            What the trial raised, where it failed.
        """
        for outcome in self.outcomes:
            if outcome.trial.number == number:
                return self.work.result(outcome.trial)
        raise NotFoundError("trial", str(number), (str(o.trial.number) for o in self.outcomes))

    @cached_property
    def _returns(self) -> tuple[Times, Floats]:
        given = {o.key: (o.days, o.returns) for o in self.outcomes if len(o.days)}
        if self.ledger is not None:
            wanted = [o.key for o in self.outcomes if o.key not in given]
            with Ledger(self.ledger) as ledger:
                given |= {key: (d, r) for key, d, r in ledger.returns_of(wanted)}
        every = [days for days, _ in given.values()]
        days = np.unique(np.concatenate(every)) if every else np.empty(0, np.int64)
        matrix = np.full((len(days), len(self.outcomes)), np.nan)
        for k, outcome in enumerate(self.outcomes):
            if outcome.key in given:
                own, returns = given[outcome.key]
                matrix[np.searchsorted(days, own), k] = returns
        return days, matrix

    @property
    def returns(self) -> Floats:
        """Daily returns, (days, trials) fractions; NaN where a trial has none (failed, ruined)."""
        return self._returns[1]

    @property
    def days(self) -> Times:
        """The days of `returns`, (days,) ns since 1970 UTC."""
        return self._returns[0]

    @cached_property
    def digest(self) -> str:
        """A hash of all trials and their digests; the same whoever ran them, in whatever order."""
        digest = hashlib.sha256()
        for o in self.outcomes:
            line = [o.trial.number, dict(o.trial.parameters), o.status, o.digest, o.error]
            digest.update(json.dumps(line).encode())
        return digest.hexdigest()


def carry_out(
    work: Sweepable,
    trials: Iterable[Trial],
    pool: Pool,
    *,
    metric: str = "sharpe",
    ledger: Ledger | None = None,
    strategy: str = "",
    total: int = 0,
    progress: Progress | None = None,
) -> SweepResult:
    """Run the trials that the ledger does not have, and gather all.

    Parameters
    ----------
    work : Sweepable
    trials : iterable of Trial
    pool : Pool
    metric : str
        What the best is by.
    ledger : Ledger, optional
        Takes each batch as it ends.
    strategy : str
        What is tried, for the ledger's lists.
    total : int
        How many trials there are at most, for the progress.
    progress : callable, optional
        Called with the trials that are done and `total`.

    Raises
    ------
    NotFoundError
        There is no such metric.
    """
    require_metric(metric)
    outcomes: list[Outcome] = []
    known: list[Outcome] = []
    count = ran = 0
    seconds = 0.0

    def taken(batch: Sequence[Outcome]) -> None:
        nonlocal count
        outcomes.extend(replace(o, metrics=Figures(o.metrics) if o.metrics else {}) for o in batch)
        count += len(batch)
        if progress is not None:
            progress(count, max(total, count))

    def unknown() -> Iterator[Sequence[Trial]]:
        for part in _parts(trials, LOOKED_UP):
            fresh = part
            if ledger is not None:
                keys = [work.key(trial) for trial in part]
                found = ledger.found(keys)
                known.extend(
                    replace(found[k], trial=t)
                    for k, t in zip(keys, part, strict=True)
                    if k in found
                )
                fresh = [t for k, t in zip(keys, part, strict=True) if k not in found]
            while fresh:
                size = batch_size(seconds, ran)
                yield fresh[:size]
                fresh = fresh[size:]

    for batch in pool.map(work, unknown()):
        seconds, ran = seconds + sum(o.seconds for o in batch), ran + len(batch)
        if ledger is not None:
            ledger.write(batch, {o.key: work.data(o.trial) for o in batch}, strategy)
            batch = [replace(o, returns=o.returns[:0], days=o.days[:0]) for o in batch]
        taken(batch)
    taken(known)
    outcomes.sort(key=lambda o: o.trial.number)
    kept_in = None if ledger is None else ledger.path
    return SweepResult(work, outcomes, metric, kept_in, len(known))


def batch_size(seconds: float, trials: int) -> int:
    """How many trials to hand to a worker, where so many have taken so many seconds."""
    first, most = BATCHES
    if not trials:
        return first
    return max(1, min(most, int(BATCH_SECONDS * trials / max(seconds, 1e-9))))


def require_metric(name: Any) -> None:
    """Refuse what is no figure of the metric sheet.

    Raises
    ------
    NotFoundError
        With the nearest names.
    """
    if name not in METRICS:
        raise NotFoundError("metric", str(name), METRICS)


def _parts(given: Iterable[Trial], size: int) -> Iterator[list[Trial]]:
    every = iter(given)
    while part := list(islice(every, size)):
        yield part


def _series(values: list[Value]) -> pl.Series:
    """A column of parameters: of one type where they are, else of their texts."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return pl.Series(values, dtype=pl.Float64, strict=False)
    is_long = any(isinstance(value, int) and abs(value) >= 2**63 for value in values)
    if len(kinds) > 1 or is_long:
        return pl.Series([None if v is None else str(v) for v in values], dtype=pl.String)
    return pl.Series(values)
