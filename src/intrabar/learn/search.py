"""Search for hyperparameters, on bars before the first that is predicted.

Proposals are those of the tree of Parzen estimators (Optuna), one after the other. Three folds:
the later half of the bars is cut into three parts by time, and each is predicted by a forecaster
that was trained on all before it, purged by the ends of targets and by windows.
"""

from __future__ import annotations

import json
import math
import time as clock
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from intrabar.durable import write_durably
from intrabar.errors import ConfigError, IntrabarError, RunError, UsageError
from intrabar.indicators.normalisation import normalisation_of
from intrabar.learn.hyperparameters import BEST, FORMAT
from intrabar.learn.model import blamed, normalised
from intrabar.learn.refits import purged, refits_of, rows_of, skill_of, split
from intrabar.learn.samples import Samples
from intrabar.learn.settings import Settings, hash_of, params_hash
from intrabar.links.optuna import between, choices, listed, require_optuna, seed_after, study_of
from intrabar.model.bars import Times
from intrabar.model.instant import instant_text
from intrabar.model.values import Bounds, number, shown, truth, whole
from intrabar.sources import versions

FOLDS = 3
FEWEST = 30  # rows to train on in a fold
JOURNAL = "search.jsonl"
SPACES: dict[str, dict[str, Any]] = {
    "ridge": {"l2": {"low": 1e-4, "high": 100.0, "log": True}},
    "lstm": {
        "units": [8, 16, 32, 64],
        "rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "batch": [32, 64, 128, 256],
    },
}
"""What is searched where a configuration says nothing."""

Space = Mapping[str, Any]


class Tried(NamedTuple):
    """One trial.

    Parameters
    ----------
    number : int
    params : mapping
    score : float or None
        Mean skill of the folds and horizons; None where it failed.
    error : str
    seconds : float
        CPU time.
    """

    number: int
    params: Mapping[str, Any]
    score: float | None
    error: str
    seconds: float


@dataclass(frozen=True, eq=False)
class Folds:
    """Train, validation and test rows of each fold.

    Parameters
    ----------
    rows : list of (train, validation, test)
    until : int, ns UTC
        The last close that a window or target of them reads.
    """

    rows: list[tuple[Times, Times, Times]]
    until: int


def folds_of(samples: Samples, time: Times, settings: Settings) -> Folds:
    """The folds before the first test of a schedule.

    Raises
    ------
    UsageError
        There are too few rows.
    """
    last = refits_of(samples, time, settings.schedule)[0].last
    own = np.flatnonzero(samples.end_time <= last)
    places = [(FOLDS + k) * len(own) // (2 * FOLDS) for k in range(FOLDS)]
    cuts = [int(samples.time[own[k]]) for k in places]
    edges = [*cuts, last + 1]
    rows = []
    for k in range(FOLDS):
        test = own[(samples.time[own] >= edges[k]) & (samples.time[own] < edges[k + 1])]
        before = purged(samples, own[samples.time[own] < edges[k]], test)
        train, valid = split(samples, before)
        if len(train) < FEWEST or not len(test):
            raise UsageError(
                f"fold {k + 1} of the search trains on {len(train)} rows, of {len(own)} before "
                f"{instant_text(last)}; {FEWEST} are needed: take a longer train:, or a smaller "
                "window:"
            )
        rows.append((train, valid, test))
    return Folds(rows, int(samples.end_time[own].max()))


def score_of(
    samples: Samples, folds: Folds, settings: Settings, params: Mapping[str, Any]
) -> float:
    """Mean skill over folds and horizons, against the last price; raises what a forecaster does."""
    skills = []
    for train, valid, test in folds.rows:
        forecaster = settings.make(params)
        windows = samples.windows(train)
        normal = normalisation_of(settings.features, windows[:, -1])

        def seen(part: Times, needs: str = forecaster.needs, by: Any = normal) -> Any:
            if needs != "features":
                return samples.windows(part, needs)
            return normalised(samples.windows(part), by.mean, by.scale)

        outputs = forecaster.outputs
        known, later = (rows_of(samples, x, seen(x), outputs) for x in (train, valid))
        with blamed("fit"):
            forecaster.fit(*known, later, settings.seed)
        skills.append(skill_of(forecaster, rows_of(samples, test, seen(test), outputs)))
    return float(np.mean(skills))


def space_of(settings: Settings, given: Any) -> Space:
    """What is searched: as a configuration says, else what is usual for the forecaster.

    Raises
    ------
    ConfigError
        Nothing is known to search, or an axis is none.
    """
    space = SPACES.get(settings.forecaster) if given is None else given
    if not space:
        raise ConfigError(
            f"search: nothing is known to search of {settings.forecaster}; write predict: "
            "{search: {name: [values], other: {low: 0.001, high: 1, log: true}}}"
        )
    for name, axis in space.items():
        if isinstance(axis, list) and axis:
            continue
        if not isinstance(axis, Mapping) or not {"low", "high"} <= set(axis) <= AXIS:
            raise ConfigError(
                f"search.{name} is {shown(axis)}, must be a list of values, or low and high, and "
                "maybe log and whole"
            )
        is_whole = truth(f"search.{name}.whole", axis.get("whole", False))
        read = whole if is_whole else number
        low = read(f"search.{name}.low", axis["low"], Bounds(-math.inf, whole=is_whole))
        high = read(f"search.{name}.high", axis["high"], Bounds(low, above=True, whole=is_whole))
        is_log = truth(f"search.{name}.log", axis.get("log", False))
        if is_log and not 0.0 < low < high:
            raise ConfigError(f"search.{name}: low is {low:g}, must be above 0 for log")
    return dict(space)


AXIS = {"low", "high", "log", "whole"}


def search(
    samples: Samples,
    folds: Folds,
    settings: Settings,
    space: Space,
    trials: int,
    folder: Path,
    told: Mapping[str, Any],
    note: Callable[[Tried], None],
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Try so many hyperparameters, those of a search that was broken off among them.

    Parameters
    ----------
    samples : Samples
    folds : Folds
    settings : Settings
        Their hyperparameters stay as they are where the space does not name them.
    space : mapping
    trials : int
    folder : Path
        Of the registry: the journal of the search, and the best so far after each trial.
    told : mapping
        What else `best_hyperparameters.json` says: the data.
    note : callable
        Is told of each new trial: a line of the ledger.
    progress : callable or None

    Returns
    -------
    dict
        What `best_hyperparameters.json` says.

    Raises
    ------
    MissingExtra, RunError, UsageError
        Optuna is not installed; the journal is of another search; every trial failed.
    """
    optuna = require_optuna("a search for hyperparameters")
    key = hash_of([settings.told, dict(space), told["data"], folds.until])
    study = _study(optuna, folder / JOURNAL, key)
    kinds = optuna.trial.TrialState
    axes = {name: _distribution(optuna, axis) for name, axis in space.items()}
    best: dict[str, Any] = {}
    while True:
        ended = (x for x in study.get_trials(deepcopy=False) if x.state.is_finished())
        done = [x for x in ended if "params" in x.user_attrs]
        if any(x.state == kinds.COMPLETE for x in done):
            best = _write(settings, space, folds, folder, told, done, kinds)
        if progress is not None:
            progress(min(len(done), trials), trials)
        if len(done) >= trials:
            break
        seed = seed_after(settings.seed, len(done))
        study.sampler = optuna.samplers.TPESampler(seed=seed)
        one = study.ask(axes)
        tried = _try(samples, folds, settings, len(done), _params(space, one.params))
        one.set_user_attr("params", dict(tried.params))
        one.set_user_attr("error", tried.error)
        study.tell(one, tried.score, state=kinds.FAIL if tried.score is None else kinds.COMPLETE)
        note(tried)
    if not best:
        raise UsageError(
            f"each of {trials} trials failed, the last because {done[-1].user_attrs['error']}"
        )
    return best


def _try(
    samples: Samples, folds: Folds, settings: Settings, number: int, params: Mapping[str, Any]
) -> Tried:
    before = clock.process_time()
    params = {**settings.hyperparameters, **params}
    score, error = None, ""
    try:
        found = score_of(samples, folds, settings, params)
        score, error = (found, "") if math.isfinite(found) else (None, f"the skill is {found}")
    except IntrabarError as problem:
        error = str(problem)
    return Tried(number, params, score, error, clock.process_time() - before)


def _write(
    settings: Settings,
    space: Space,
    folds: Folds,
    folder: Path,
    told: Mapping[str, Any],
    done: Sequence[Any],
    kinds: Any,
) -> dict[str, Any]:
    """Write the best so far."""
    best = max((x for x in done if x.state == kinds.COMPLETE), key=lambda x: x.value)
    params = best.user_attrs["params"]
    content = {
        "format": FORMAT,
        "params": params,
        "score": best.value,
        "trials": len(done),
        "space": dict(space),
        "seed": settings.seed,
        "search_until": instant_text(folds.until),
        "forecaster": settings.forecaster,
        "features": {"text": settings.features.text, "hash": settings.features.hash},
        **told,
        "versions": versions(),
        "sha256": params_hash(params),
    }
    try:
        write_durably(folder / BEST, (json.dumps(content, indent=2) + "\n").encode())
    except OSError as error:
        raise RunError(f"{folder / BEST}: cannot be written: {error.strerror}") from None
    return content


def _params(space: Space, proposed: Mapping[str, Any]) -> dict[str, Any]:
    """Values of what is proposed: a list is proposed by its places."""
    return {
        name: choices(axis)[proposed[name]] if isinstance(axis, list) else proposed[name]
        for name, axis in space.items()
    }


def _distribution(optuna: Any, axis: Any) -> Any:
    if isinstance(axis, list):
        return listed(optuna, axis)
    is_log, is_whole = axis.get("log", False), axis.get("whole", False)
    return between(optuna, axis["low"], axis["high"], log=is_log, whole=is_whole)


def _study(optuna: Any, journal: Path, key: str) -> Any:
    """The study of a journal, if it is of this search."""
    study = study_of(optuna, journal, "maximize", "move the file away and search anew")
    if study.user_attrs.get("key", key) != key:
        raise RunError(
            f"{journal}: is of another search (other bars, settings, seed or space); move the file "
            "away and search anew"
        )
    study.set_user_attr("key", key)
    return study
