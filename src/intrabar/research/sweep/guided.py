"""Guided search: Optuna proposes the next trials from what came of those before.

Trials are proposed in batches of a fixed size, and a batch is told whole, so that a seed proposes
the same trials on one thread and on a thousand machines.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from intrabar.errors import RunError
from intrabar.links.optuna import between, choices, listed, require_optuna, seed_after, study_of
from intrabar.research.sweep.space import Axis, Space
from intrabar.research.sweep.sweep import (
    LOWER_IS_BETTER,
    Carried,
    Sweepable,
    SweepResult,
    carry_out,
)
from intrabar.research.sweep.trial import Outcome, Pool, Trial, Value

BATCH = 20  # trials that are proposed without knowing what comes of each other
IN_VAIN = 50  # proposals that were tried before or are excluded; then a point is drawn
ADVICE = "move the file away and run again: finished trials are in the ledger"

Run = Callable[[Sequence[Trial]], Sequence[Outcome]]
Point = Mapping[str, Value]


def search(
    space: Space, run: Run, metric: str, journal: Path | None = None
) -> Iterator[list[Outcome]]:
    """Search a space for the best value of a metric.

    Parameters
    ----------
    space : Space
        Its `count` is that of trials, its `seed` that of the proposals.
    run : callable
        Runs a batch of trials; its outcomes may come in any order.
    metric : str
        Of the metric sheet. A trial that has none counts as worse than any that has one.
    journal : path, optional
        File of Optuna's journal storage. Batches that it has are not proposed again, only run,
        which costs nothing where a ledger has them.

    Yields
    ------
    list of Outcome
        Of a batch, by number. No point is tried twice.

    Raises
    ------
    MissingExtra
        Optuna is not installed.
    ConfigError
        The constraints exclude every point.
    RunError
        The journal cannot be read.
    """
    optuna = require_optuna("a guided search")
    goal = "minimize" if metric in LOWER_IS_BETTER else "maximize"
    study = optuna.create_study(direction=goal)
    record = None if journal is None else study_of(optuna, journal, goal, ADVICE)
    written = {} if record is None else _written(record, space, journal)
    seen: dict[Hashable, Point] = {}
    while len(seen) < space.count:
        first, size = len(seen), min(BATCH, space.count - len(seen))
        known = list(written.items())[first : first + size]
        if len(known) == size:
            study.add_trials([told for _, told in known])
            seen |= {name: _point(space, told.params) for name, told in known}
            yield _ran(run, list(seen.values())[first:], first)
            continue
        proposed = _propose(optuna, study, space, seen, size)
        if not proposed:
            return
        outcomes = _ran(run, list(seen.values())[first:], first)
        for one, outcome in zip(proposed, outcomes, strict=True):
            one.set_user_attr("parameters", dict(outcome.trial.parameters))
            value = outcome.metrics.get(metric)
            study.tell(one, value, state=_state(optuna, outcome, value))
        if record is not None:
            record.add_trials([study.trials[one.number] for one in proposed[len(known) :]])
        yield outcomes


def carry_out_search(
    work: Sweepable, space: Space, pool: Pool, journal: Path | None, **how: Unpack[Carried]
) -> SweepResult:
    """A guided search on a pool, with the ledger: what `carry_out` is for a sample.

    Parameters
    ----------
    work : Sweepable
    space : Space
    pool : Pool
    journal : path or None
        As in `search`.
    **how
        As in `carry_out`.
    """
    metric, progress = how.get("metric", "sharpe"), how.get("progress")
    silent = how.copy()
    silent["progress"] = None
    outcomes: list[Outcome] = []
    found = 0

    def run(trials: Sequence[Trial]) -> list[Outcome]:
        nonlocal found
        part = carry_out(work, trials, pool, **silent)
        found += part.found
        return part.outcomes

    for batch in search(space, run, metric, journal):
        outcomes += batch
        if progress is not None:
            progress(len(outcomes), space.count)
    ledger = how.get("ledger")
    return SweepResult(work, outcomes, metric, None if ledger is None else ledger.path, found)


def _ran(run: Run, points: Sequence[Point], first: int) -> list[Outcome]:
    trials = [Trial(first + k, point) for k, point in enumerate(points)]
    return sorted(run(trials), key=lambda outcome: outcome.trial.number)


def _state(optuna: Any, outcome: Outcome, value: float | None) -> Any:
    """Pruned is Optuna's word for a trial without a value that is worse than those with one."""
    states = optuna.trial.TrialState
    if outcome.status == "failed":
        return states.FAIL
    return states.PRUNED if value is None else states.COMPLETE


def _propose(
    optuna: Any, study: Any, space: Space, seen: dict[Hashable, Point], size: int
) -> list[Any]:
    """Trials of Optuna at new points, which become seen; fewer where there are no more."""
    seed = seed_after(space.seed, len(seen))
    study.sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    axes = {axis.place: _distribution(optuna, axis) for axis in space.axes}
    drawn = iter(replace(space, sample="random", seed=seed))
    proposed: list[Any] = []
    vain = 0
    while len(proposed) < size:
        if vain >= IN_VAIN:
            fresh = (trial.parameters for trial in drawn if _name(trial.parameters) not in seen)
            point = next(fresh, None)
            if point is None:
                break
            study.enqueue_trial(_params(space, point))
        one = study.ask(axes)
        point = _point(space, one.params)
        if _name(point) in seen or not space.allows(point):
            study.tell(one, state=optuna.trial.TrialState.FAIL)
            vain += 1
            continue
        seen[_name(point)] = point
        proposed.append(one)
        vain = 0
    return proposed


def _name(point: Point) -> Hashable:
    return tuple((type(value), value) for value in point.values())  # 1 is not True


def _distribution(optuna: Any, axis: Axis) -> Any:
    if axis.values:
        return listed(optuna, axis.values)
    return between(optuna, axis.low, axis.high, log=axis.log, whole=axis.whole)


def _point(space: Space, params: Mapping[str, Any]) -> Point:
    """A point of the space: Optuna is given the indices of listed values."""
    told = {axis.place: params[axis.place] for axis in space.axes}
    return {
        a.place: choices(a.values)[told[a.place]] if a.values else told[a.place] for a in space.axes
    }


def _params(space: Space, point: Point) -> dict[str, Any]:
    """What Optuna calls a point."""
    return {
        a.place: choices(a.values).index(point[a.place]) if a.values else point[a.place]
        for a in space.axes
    }


def _written(record: Any, space: Space, journal: Path | None) -> dict[Hashable, Any]:
    """The trials of a journal in their order, by their points."""
    written: dict[Hashable, Any] = {}
    for told in record.get_trials(deepcopy=False):
        try:
            point = _point(space, told.params)
        except (KeyError, IndexError, TypeError):
            raise RunError(
                f"{journal}: cannot go on with this search (it is of another search); {ADVICE}"
            ) from None
        written.setdefault(_name(point), told)
    return written
