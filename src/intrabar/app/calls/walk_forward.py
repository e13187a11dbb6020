"""`intrabar.walk_forward`: choose on past windows, trade the choice on the next ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from intrabar.app.calls.sweep import Condition, Plan, planned, pool_for
from intrabar.app.compose.options import RunOptions
from intrabar.app.config.file import validated
from intrabar.app.config.model import WalkForwardConfig
from intrabar.engine.run import Progress
from intrabar.model.values import asked
from intrabar.research.walk_forward.result import WalkForward
from intrabar.research.walk_forward.run import Windows, walk


def walk_forward(
    strategy: Any = None,
    data: Any = None,
    *,
    train: int | str | None = None,
    test: int | str | None = None,
    step: int | str | None = None,
    anchored: bool | None = None,
    purge: int | None = None,
    embargo: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    constraints: Sequence[str | Condition] | None = None,
    sample: str | None = None,
    count: int | None = None,
    seed: int | None = None,
    metric: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    **given: Unpack[RunOptions],
) -> WalkForward:
    """Choose the best of a sweep on each train window, and trade it on the test that follows.

    Every window begins flat with the whole cash, its indicators warm by the bars before it, and
    is closed at its last bar.

    Parameters
    ----------
    strategy, data : as in `sweep`
    train, test, step : bars, or a stretch of the calendar such as "2y", "6m", "4w", "10d"
        Two years and six months where neither this nor the configuration says otherwise; `step`
        is the length of the test.
    anchored : bool
        Every train starts at the first bar.
    purge : bars
        How long a position may last: what is decided so close to a test is not trained on.
    embargo : bars
        Right before a test, never trained on.
    parameters, constraints, sample, count, seed, metric : as in `sweep`
    workers : int, optional
        Threads; as many as there are processors.
    progress : callable, optional
        Called with the windows done and the windows there are.
    **given
        As in `backtest`.

    Raises
    ------
    UsageError
        An argument or the configuration is wrong, or the history is too short for the windows.
    DataError
    """
    said = {
        "parameters": parameters,
        "constraints": constraints,
        "sample": sample,
        "count": count,
        "seed": seed,
        "metric": metric,
    }
    asked("progress:", progress)
    plan = planned(strategy, data, said, given)
    spans = {
        "train": train,
        "test": test,
        "step": step,
        "anchored": anchored,
        "purge": purge,
        "embargo": embargo,
    }
    windows = {name: value for name, value in spans.items() if value is not None}
    return walked(plan, windows, workers=workers, progress=progress)


def walked(
    plan: Plan,
    over: Mapping[str, Any],
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> WalkForward:
    """Carry out a planned walk-forward.

    Parameters
    ----------
    plan : Plan
    over : mapping
        What goes before the section `walk_forward` of its configuration.
    workers, progress
        As `walk_forward`.

    Raises
    ------
    UsageError
    """
    section = plan.config.walk_forward or WalkForwardConfig()
    made = validated(WalkForwardConfig, {**section.model_dump(), **over}, "walk_forward.")
    windows = Windows(**made.model_dump())
    pool, _ = pool_for(plan, workers, "threads")
    return walk(
        plan.work.variants,
        list(plan.space),
        windows,
        pool,
        metric=plan.sweep.metric,
        progress=progress,
    )
