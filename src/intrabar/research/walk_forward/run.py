"""Walk-forward runs: choose on one window, trade what was chosen on the next, move on.

Each window is a run of its own that begins flat with the whole cash and ends flat, so the sizes of
one window do not depend on the luck of another; the returns of the tests are stitched together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from intrabar.analysis.sharpe import deflate
from intrabar.analysis.splits.labels import label_ends
from intrabar.analysis.splits.walk_forward import Span, walk_forward
from intrabar.engine.outcome.result import periods_per_year
from intrabar.engine.run import Progress, Setup
from intrabar.errors import ConfigError
from intrabar.research.sweep.lean import Variants, told
from intrabar.research.sweep.sweep import LOWER_IS_BETTER
from intrabar.research.sweep.trial import Outcome, Pool, Trial
from intrabar.research.walk_forward.result import Step, WalkForward, utc
from intrabar.research.walk_forward.window_runs import Window, WindowRuns

BATCH = 16  # trials handed to a worker at once


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
            f"no trial has a {metric} from {utc(train.first)} to {utc(train.last)}{reason}; take "
            "a longer train, or parameters that trade in it"
        )
    return max(known, key=lambda o: (sign * float(o.metrics[metric] or 0.0), -o.trial.number))
