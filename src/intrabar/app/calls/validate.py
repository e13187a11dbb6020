"""`intrabar.validate`: a run or a sweep in, the verdict out; from memory or from a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from intrabar.app.calls.sweep import planned
from intrabar.app.calls.validate_learned import with_scorecards
from intrabar.app.compose.market_cache import data_hash
from intrabar.app.compose.recipe import Recipe
from intrabar.app.config.file import validated
from intrabar.app.config.model import Config
from intrabar.app.folders.rerun import remade
from intrabar.app.folders.run_folder import MANIFEST
from intrabar.app.folders.runs import StoredRun, config_of, find_run, read_run, run_folders
from intrabar.app.folders.sweep_folder import MANIFEST as SWEEP_MANIFEST
from intrabar.app.folders.sweep_folder import StoredSweep, find_sweep, read_sweep
from intrabar.engine.outcome.result import Result
from intrabar.engine.run import Progress
from intrabar.errors import ConfigError, IntrabarError, NotFoundError, RunError
from intrabar.model.values import Bounds, asked, shown, whole
from intrabar.research.sweep.ledger import LEDGER, Ledger
from intrabar.research.sweep.sweep import SweepResult
from intrabar.research.sweep.trial import Trial
from intrabar.research.validate.check import Validation
from intrabar.research.validate.nulls import RUNS
from intrabar.research.validate.of_a_sweep import Trials, longest_days
from intrabar.research.validate.validate import (
    MOST_RUNS,
    MOST_TRIED,
    require_counts,
    validate_run,
    validate_sweep,
)


def validate(
    of: Result | SweepResult,
    *,
    tried: int | None = None,
    runs: int = RUNS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Validation:
    """Ask whether a result is real.

    Of a run with a learned exit its scorecard is a part: a look, which the ledger of the folder
    `runs` notes.

    Parameters
    ----------
    of : Result or SweepResult
        Of a sweep, its best trial is asked about.
    tried : int, optional
        Variants that were ever tried on these bars; those of the sweep and its ledger, or one.
    runs : int
        Runs without skill that each null makes.
    seed : int
        Of everything that is drawn.
    progress : callable, optional
        Called with the tests done and the tests there are.

    Returns
    -------
    Validation
        `sentence`, `mark`, `checks`, `findings` and `intervals`.

    Raises
    ------
    ConfigError
        `tried` or `runs` is below 1, or the sweep has no best trial.
    """
    if not isinstance(of, Result | SweepResult):
        raise ConfigError(f"of: is {shown(of)}, must be a Result or a SweepResult")
    tried = None if tried is None else whole("tried:", tried, Bounds(1, MOST_TRIED, whole=True))
    runs = whole("runs:", runs, Bounds(1, MOST_RUNS, whole=True))
    seed = whole("seed:", seed, Bounds(whole=True))
    asked("progress:", progress)
    if isinstance(of, Result):
        found = validate_run(of, tried=tried or 1, runs=runs, seed=seed, progress=progress)
        return with_scorecards(found, of, None, Path("runs"), seed)
    if of.best is None:
        raise ConfigError(f"no trial of the sweep has a {of.metric}: there is nothing to validate")
    best = of.run(of.best.number)
    column = [o.trial.number for o in of.outcomes].index(of.best.number)
    known = of.tried_on(of.outcomes[column].trial)
    trials = Trials(of.days, of.returns, column, max(tried or 0, known, len(of)))
    return validate_sweep(with_best(trials, best), best, runs=runs, seed=seed, progress=progress)


def with_best(trials: Trials, best: Result) -> Trials:
    """The trials with what the run of the best tells: days in a year, how long positions last."""
    bars = best.campaigns["bars"].to_numpy().astype(np.float64)
    horizon = longest_days(bars, best.market.period)
    return trials._replace(year=best.periods_per_year, horizon=horizon)


def find_stored(home: Path, name: str) -> StoredRun | StoredSweep:
    """A run or a sweep by its folder, its id, the beginning or end of it, or `last`.

    Raises
    ------
    NotFoundError, RunError
        There is none, or more than one.
    """
    if (Path(name) / MANIFEST).is_file():
        return read_run(Path(name))
    if (Path(name) / SWEEP_MANIFEST).is_file():
        return read_sweep(Path(name))
    runs = run_folders(home)
    sweeps = sorted(p.parent for p in home.glob(f"[!.]*/{SWEEP_MANIFEST}"))
    if not runs and not sweeps:
        raise RunError(
            f"there is no run and no sweep in {home.absolute()}; make one (intrabar demo), or name "
            "the folder that has them (--out)"
        )
    if name == "last":
        newest = max([*runs, *sweeps], key=lambda folder: folder.name)
        return read_sweep(newest) if newest in sweeps else read_run(newest)
    ids = [f.name for f in sweeps if f.name.startswith(name) or f.name.endswith(name)]
    if ids:
        return find_sweep(home, name)
    try:
        return find_run(home, name)
    except NotFoundError:
        raise NotFoundError("run or sweep", name, [f.name for f in [*runs, *sweeps]]) from None


def validate_stored_run(
    stored: StoredRun,
    home: Path,
    *,
    tried: int | None = None,
    runs: int = RUNS,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Validation, Result]:
    """Make a stored run again and validate it, with the trials that its ledger knows.

    Parameters
    ----------
    stored : StoredRun
    home : path
        Folder of runs, where the ledger is.
    tried, runs, seed, progress
        As `validate`.
    """
    require_counts(tried, runs)
    again = remade(stored)
    known, spread = _known(stored, home)
    found = validate_run(
        again.result,
        tried=max(tried or 1, known),
        spread=spread,
        runs=runs,
        seed=seed,
        progress=progress,
    )
    found = replace(found, notes=[*again.notes, *found.notes])
    recipe = Recipe.of_config(config_of(stored))
    return with_scorecards(found, again.result, recipe, home, seed), again.result


def _known(stored: StoredRun, home: Path) -> tuple[int, float | None]:
    """Variants that a ledger has of the bars of a run, and the variance of their Sharpe ratios."""
    if not (home / LEDGER).is_file():
        return 1, None
    config = validated(Config, stored.manifest["config"], "manifest.config.")
    contents = {one["symbol"]: one["content"] for one in stored.manifest["data"]}
    data = data_hash({symbol: contents[symbol] for symbol in config.traded})
    with Ledger(home / LEDGER) as ledger:
        ratios = ledger.sharpes_on(data)
        spread = float(np.var(ratios, ddof=1)) if len(ratios) > 1 else None
        return max(1, ledger.tried_on(data)), spread


def validate_stored_sweep(
    stored: StoredSweep,
    home: Path,
    *,
    tried: int | None = None,
    runs: int = RUNS,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Validation, Result | None]:
    """Validate the best of a stored sweep; its run is made again where that is possible.

    Raises
    ------
    RunError
        The sweep has no best trial, or its tables cannot be read.
    """
    require_counts(tried, runs)
    best = stored.manifest["best"]
    if best is None:
        metric = stored.manifest["metric"]
        name = stored.folder.name
        raise RunError(f"no trial of {name} has a {metric}: there is nothing to validate")
    try:
        table, days, returns = stored.table, stored.days, stored.returns
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
        raise RunError(f"{stored.folder}: cannot be read: {error}") from None
    column = table["number"].to_list().index(best["number"])
    known = _known_of_sweep(stored, home)
    trials = Trials(days, returns, column, max(tried or 0, known, returns.shape[1]))
    notes = []
    result: Result | None = None
    try:
        plan = planned(None, None, {}, {"config": stored.manifest["config"]})
        result = plan.work.result(Trial(best["number"], best["parameters"]))
    except IntrabarError as error:
        notes.append(f"the best trial: {error}")
    if result is not None:
        trials = with_best(trials, result)
        if result.digest != table["digest"][column]:
            notes.append("the best trial has another result now: its code or its bars changed")
    found = validate_sweep(trials, result, runs=runs, seed=seed, progress=progress)
    return replace(found, notes=[*notes, *found.notes]), result


def _known_of_sweep(stored: StoredSweep, home: Path) -> int:
    """Variants that the ledger has of the bars of a sweep; of several bars, of the most tried."""
    if not (home / LEDGER).is_file():
        return 0
    with Ledger(home / LEDGER) as ledger:
        return max(ledger.tried_on(bars["hash"]) for bars in stored.manifest["data"])
