"""Guided search: Optuna proposes the next trials from what came of those before.

Trials are proposed in batches of a fixed size, and a batch is told whole, so that a seed proposes
the same trials on one thread and on a thousand machines. Proposals are those of the tree of Parzen
estimators (Bergstra, Bardenet, Bengio and Kégl 2011). The only place that knows Optuna.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from intrabar.errors import ConfigError, RunError
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
STUDY = "intrabar"

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
    ConfigError
        Optuna is not installed, or the constraints exclude every point.
    RunError
        The journal cannot be read.
    """
    optuna = _import_optuna()
    goal = "minimize" if metric in LOWER_IS_BETTER else "maximize"
    study = optuna.create_study(direction=goal)
    record = None if journal is None else _open(optuna, journal, goal)
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
    # A sampler of its own for each batch: a search that goes on proposes as if it had not stopped.
    seed = int(np.random.SeedSequence([space.seed, len(seen)]).generate_state(1)[0])
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


def _choices(axis: Axis) -> tuple[Value, ...]:
    """Numbers in their order, so that near ones have near indices."""
    if _are_numbers(axis.values):
        return tuple(sorted(axis.values))  # type: ignore[type-var]
    return axis.values


def _are_numbers(values: Sequence[Value]) -> bool:
    return all(isinstance(x, int | float) and not isinstance(x, bool) for x in values)


def _distribution(optuna: Any, axis: Axis) -> Any:
    kinds = optuna.distributions
    if axis.values and _are_numbers(axis.values):
        return kinds.IntDistribution(0, len(axis.values) - 1)
    if axis.values:
        return kinds.CategoricalDistribution(range(len(axis.values)))
    if axis.whole:
        return kinds.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return kinds.FloatDistribution(axis.low, axis.high, log=axis.log)


def _point(space: Space, params: Mapping[str, Any]) -> Point:
    """A point of the space: Optuna is given the indices of listed values."""
    told = {axis.place: params[axis.place] for axis in space.axes}
    return {a.place: _choices(a)[told[a.place]] if a.values else told[a.place] for a in space.axes}


def _params(space: Space, point: Point) -> dict[str, Any]:
    """What Optuna calls a point."""
    return {
        a.place: _choices(a).index(point[a.place]) if a.values else point[a.place]
        for a in space.axes
    }


def _import_optuna() -> Any:
    try:
        import optuna
        import optuna.storages.journal
    except ImportError:
        raise ConfigError("Optuna is not installed: pip install 'intrabar[research]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _open(optuna: Any, journal: Path, goal: str) -> Any:
    """The study of a journal; a line that a killed process left unfinished is taken off."""
    try:
        journal.parent.mkdir(parents=True, exist_ok=True)
        if journal.exists():
            content = journal.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            if whole != content:
                journal.write_bytes(whole)
        backend = optuna.storages.journal.JournalFileBackend(str(journal))
        storage = optuna.storages.JournalStorage(backend)
        return optuna.create_study(
            study_name=STUDY, storage=storage, direction=goal, load_if_exists=True
        )
    except Exception as error:  # a damaged journal raises whatever its line leads to
        raise _unreadable(journal, f"{type(error).__name__}: {error}") from error


def _written(record: Any, space: Space, journal: Path | None) -> dict[Hashable, Any]:
    """The trials of a journal in their order, by their points."""
    written: dict[Hashable, Any] = {}
    for told in record.get_trials(deepcopy=False):
        try:
            point = _point(space, told.params)
        except (KeyError, IndexError, TypeError):
            raise _unreadable(journal, "it is of another search") from None
        written.setdefault(_name(point), told)
    return written


def _unreadable(journal: Path | None, why: str) -> RunError:
    return RunError(
        f"{journal}: cannot go on with this search ({why}); move the file away and run again: "
        "finished trials are in the ledger"
    )
