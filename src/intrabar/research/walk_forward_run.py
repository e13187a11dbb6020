"""Walk-forward runs: choose on one window, trade what was chosen on the next, move on.

Each window is a run of its own that begins flat with the whole cash and ends flat, so the sizes of
one window do not depend on the luck of another; the returns of the tests are stitched together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from intrabar.analysis import returns as of_returns
from intrabar.analysis.figure import Figure, Undefined
from intrabar.analysis.sharpe import Deflated, deflate
from intrabar.engine.backtest import Progress, Setup
from intrabar.engine.result import periods_per_year
from intrabar.errors import ConfigError
from intrabar.model.bars import Floats, Times
from intrabar.research.labels import label_ends
from intrabar.research.lean import Variants, told
from intrabar.research.sweep import LOWER_IS_BETTER
from intrabar.research.trial import Outcome, Pool, Trial, Value
from intrabar.research.walk_forward import Span, walk_forward
from intrabar.research.window_runs import Window, WindowRuns

BATCH = 16  # trials handed to a worker at once

KEPT_GOOD = 0.5
"""Part of the return in the train that the test should keep: Pardo, The Evaluation and Optimization
of Trading Strategies (2008), asks for half."""


class Windows(NamedTuple):
    """How the history is cut.

    Parameters
    ----------
    train, test, step : bars, or a stretch of the calendar such as "2y", "6m"
        `step` None: that of the test.
    anchored : bool
        Every train starts at the first bar.
    purge : bars
        How long a position may last: what is decided so close to a test is not trained on.
    embargo : bars
        Right before a test, never trained on.
    """

    train: Span
    test: Span
    step: Span | None = None
    anchored: bool = False
    purge: int = 0
    embargo: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One window: what was chosen, and what became of it.

    Parameters
    ----------
    train, test : Window
    chosen : mapping of place to value
    inside, outside : mapping of name to figure
        Metrics of the chosen trial in the train and in the test.
    deflated : Deflated or Undefined
        What the trials of the train leave of its Sharpe ratio there.
    days : (d,) int64, ns since 1970 UTC
        Of the test.
    returns : (d,) float64, fraction
    failed : int
        Trials of the train that raised.
    """

    train: Window
    test: Window
    chosen: Mapping[str, Value]
    inside: Mapping[str, float | None]
    outside: Mapping[str, float | None]
    deflated: Deflated | Undefined
    days: Times
    returns: Floats
    failed: int


@dataclass(frozen=True, eq=False)
class WalkForward:
    """What came of a walk-forward.

    Parameters
    ----------
    steps : list of Step
    metric : str
        What was chosen by.
    trials : int
        Of each train.
    year : float
        Days in a year.
    """

    steps: list[Step]
    metric: str
    trials: int
    year: float

    @property
    def days(self) -> Times:
        """The days of all tests, (d,) ns since 1970 UTC."""
        return np.concatenate([step.days for step in self.steps])

    @property
    def returns(self) -> Floats:
        """The daily returns of all tests, one after the other, (d,) fractions."""
        return np.concatenate([step.returns for step in self.steps])

    @property
    def equity(self) -> Floats:
        """Worth of 1 that was invested at the first test, (d,)."""
        return np.asarray(np.cumprod(1.0 + self.returns), np.float64)

    @cached_property
    def figures(self) -> dict[str, float | None]:
        """Figures of the stitched tests; `efficiency` is explained in `docs/validate.md`."""
        made: dict[str, Figure] = {
            "total_return": of_returns.total_return(self.returns),
            "annual_return": of_returns.annual_return(self.returns, self.year),
            "sharpe": of_returns.sharpe(self.returns, self.year),
            "max_drawdown": self._drawdown(),
            "efficiency": self.efficiency,
        }
        return {name: None if isinstance(x, Undefined) else x for name, x in made.items()}

    @property
    def efficiency(self) -> Figure:
        """Annual return of the tests over the mean annual return of the trains."""
        inside = [step.inside.get("annual_return") for step in self.steps]
        known = [value for value in inside if value is not None]
        outside = of_returns.annual_return(self.returns, self.year)
        if isinstance(outside, Undefined):
            return outside
        mean = float(np.mean(known)) if known else math.nan
        if not mean > 0.0:
            return Undefined("what was chosen made nothing where it was chosen")
        return outside / mean

    @property
    def drift(self) -> dict[str, float]:
        """Of each parameter, in which share of the windows another value was chosen than before."""
        count = max(1, len(self.steps) - 1)
        return {
            place: sum(
                a.chosen[place] != b.chosen[place]
                for a, b in zip(self.steps[:-1], self.steps[1:], strict=True)
            )
            / count
            for place in self.steps[0].chosen
        }

    @cached_property
    def table(self) -> pl.DataFrame:
        """A row per window: its times, what was chosen, and returns inside and outside.

        `sharpe_in` never stands without `deflated_in`.
        """
        return pl.DataFrame([self._row(k, step) for k, step in enumerate(self.steps)])

    def _row(self, number: int, step: Step) -> dict[str, Any]:
        left = step.deflated
        return {
            "window": number,
            **{
                f"{name}_{end}": _utc(getattr(window, end))
                for name, window in (("train", step.train), ("test", step.test))
                for end in ("first", "last")
            },
            **step.chosen,
            "annual_return_in": step.inside.get("annual_return"),
            "annual_return_out": step.outside.get("annual_return"),
            "sharpe_in": step.inside.get("sharpe"),
            "deflated_in": None if isinstance(left, Undefined) else left.probability,
            "sharpe_out": step.outside.get("sharpe"),
            "campaigns_out": step.outside.get("campaigns"),
            "failed": step.failed,
        }

    def _drawdown(self) -> float:
        equity = np.concatenate(([1.0], self.equity))
        return float(np.max(1.0 - equity / np.maximum.accumulate(equity)))

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "metric": self.metric,
            "trials": self.trials,
            "figures": self.figures,
            "drift": self.drift,
            "windows": self.table.to_dicts(),
        }


def walk(
    variants: Variants,
    trials: Sequence[Trial],
    windows: Windows,
    pool: Pool,
    *,
    metric: str = "sharpe",
    progress: Progress | None = None,
) -> WalkForward:
    """Choose by every train, and trade the choice on its test.

    Parameters
    ----------
    variants : Variants
    trials : sequence of Trial
        Of each train.
    windows : Windows
    pool : Pool
    metric : str
        What is chosen by.
    progress : callable, optional
        Called with the windows done and the windows there are.

    Raises
    ------
    UsageError
        The history is too short for the windows, or no trial of a train has the metric.
    """
    setup = _first(variants, trials)
    time = setup.market.time
    ends = label_ends(len(time), windows.purge)
    cuts = walk_forward(
        time, windows.train, windows.test, windows.step, windows.anchored, ends, windows.embargo
    )
    steps = []
    for k, cut in enumerate(cuts):
        train, test = (Window(int(time[rows[0]]), int(time[rows[-1]])) for rows in cut)
        steps.append(_step(variants, trials, train, test, pool, metric))
        if progress is not None:
            progress(k + 1, len(cuts))
    year = periods_per_year(setup.instruments)
    return WalkForward(steps, metric, len(trials), year)


def _first(variants: Variants, trials: Sequence[Trial]) -> Setup:
    """The setup of the first trial that can be made."""
    errors: list[str] = []
    for trial in trials:
        try:
            return variants.make(trial.parameters).setup
        except Exception as error:  # whatever a user's function raises
            errors.append(told(error))
    raise ConfigError(f"no trial can be made; the first: {errors[0]}")


def _step(
    variants: Variants,
    trials: Sequence[Trial],
    train: Window,
    test: Window,
    pool: Pool,
    metric: str,
) -> Step:
    work = WindowRuns(variants, train)
    outcomes = [o for batch in pool.map(work, _batches(trials)) for o in batch]
    outcomes.sort(key=lambda o: o.trial.number)
    best = _best(outcomes, metric, train)
    made = WindowRuns(variants, test).result(best.trial)
    full = [o for o in outcomes if len(o.returns) == len(best.returns)]
    deflated = deflate(np.stack([o.returns for o in full], axis=1), full.index(best), len(trials))
    return Step(
        train,
        test,
        best.trial.parameters,
        best.metrics,
        made.figures.values,
        deflated,
        made.figures.days,
        made.figures.returns,
        sum(bool(o.error) for o in outcomes),
    )


def _batches(trials: Sequence[Trial]) -> Iterator[Sequence[Trial]]:
    every = iter(trials)
    while part := list(islice(every, BATCH)):
        yield part


def _best(outcomes: Sequence[Outcome], metric: str, train: Window) -> Outcome:
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
    known = [o for o in outcomes if o.metrics.get(metric) is not None]
    if not known:
        reason = next((f": {o.error}" for o in outcomes if o.error), "")
        raise ConfigError(
            f"no trial has a {metric} from {_utc(train.first)} to {_utc(train.last)}{reason}; take "
            "a longer train, or parameters that trade in it"
        )
    return max(known, key=lambda o: (sign * float(o.metrics[metric] or 0.0), -o.trial.number))


def _utc(ns: int) -> str:
    return str(np.datetime64(ns, "ns"))[:19] + "Z"
