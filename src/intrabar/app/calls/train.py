"""`ib.learn.windows` and `ib.learn.lstm`: from a dataset to a policy."""

from __future__ import annotations

import platform
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.analysis.splits.walk_forward import require_spans
from intrabar.analysis.splits.walk_forward import walk_forward as windows_forward
from intrabar.app.calls.learn import dataset, default_name, named
from intrabar.app.compose.behind import Behind, require_same_config
from intrabar.app.compose.recipe import Recipe
from intrabar.app.config.file import validated
from intrabar.app.config.learning import LearnConfig
from intrabar.app.folders.places import folder_of
from intrabar.app.folders.policies import note_seeds, require_place, store
from intrabar.app.progress import bar
from intrabar.errors import UsageError
from intrabar.exits.policy import Policy
from intrabar.learn.canaries import require
from intrabar.learn.causal import causal
from intrabar.learn.dataset_folder import MANIFEST, Dataset, read_dataset
from intrabar.learn.extra import require_ml
from intrabar.learn.hindsight import hindsight
from intrabar.learn.lstm_loop import Seed
from intrabar.learn.lstm_policy import learning_versions, seeds_to_train, train_lstm
from intrabar.learn.lstm_training import LstmSettings
from intrabar.learn.resume import keep_seeds, kept_seeds, resume_file
from intrabar.learn.settings import hash_of
from intrabar.learn.watch import part_of
from intrabar.learn.window_arrays import Decisions, Windows, windows_of
from intrabar.model.values import SEEDS, choice, path, truth, whole
from intrabar.sources import versions

EPOCHS = LstmSettings().epochs


class Arrays(NamedTuple):
    """What a network is trained on.

    Attributes
    ----------
    X : (n, L, F) float32
        Windows, normalised, the oldest bar first.
    y : (n, K) float64, or (n,) int64
        Scores within 5 less the mean of their row, NaN where an arm has no campaign; or labels.
    rows : DataFrame
        `time, symbol, side, end_time, split` (train, validation or purged) and `uniqueness`.
    """

    X: NDArray[np.float32]
    y: NDArray[Any]
    rows: pl.DataFrame


def windows(data: Dataset | str | Path, *, loss: str = "score") -> Arrays:
    """The arrays of a dataset as `lstm` trains on them.

    Parameters
    ----------
    data : Dataset, or its folder
    loss : {"score", "label"}
        What `y` is.

    Raises
    ------
    UsageError
        There is too little to train on.
    RunError, DataError
        The bars are others than the dataset was made of.
    """
    choice("loss:", loss, ("score", "label"))
    w = windows_of(Behind.of(data).decisions)
    every = np.arange(len(w.of))
    return Arrays(w.cut(every), w.of.label if loss == "label" else w.targets, w.rows)


def lstm(
    data: Dataset | str | Path,
    *,
    seed: int | None = None,
    loss: str | None = None,
    epochs: int = EPOCHS,
    walk_forward: bool = False,
    train: str | None = None,
    test: str | None = None,
    name: str | None = None,
    out: str | Path = "policies",
    runs: str | Path = "runs",
    resume: bool = False,
    progress: bool = False,
) -> Policy | tuple[Policy, ...]:
    """Train an exit that chooses its arm by the last bars: three seeds, and the median is kept.

    Parameters
    ----------
    data : Dataset, or its folder
    seed : int, optional
        Of everything; that of the section `learn`, 0.
    loss : {"score", "label"}, optional
        What each arm earns, or which was best in hindsight; that of the section, "score".
    epochs : int
        At most so many.
    walk_forward : bool
        A policy for each window of `train` and `test`.
    train, test : stretches of the calendar, optional
        "2y", "6m"; those of the section `learn` that the dataset was made with.
    name : str, optional
        Of the folder that is written; None: none is.
    out : folder
        Of policies.
    runs : folder
        Of runs, whose ledger notes each seed.
    resume : bool
        Go on with what was interrupted under this name.
    progress : bool
        Show a progress bar on stderr.

    Returns
    -------
    Policy, or a tuple of them by `trained_until`

    Raises
    ------
    UsageError
        The extra `ml` is missing, or there is too little to train on.
    RunError, DataError
        A canary does not hold, a seed has no finite check, or the bars are others than the dataset
        was made of. Nothing is saved.
    """
    require_ml()
    walk_forward, resume = truth("walk_forward:", walk_forward), truth("resume:", resume)
    progress = truth("progress:", progress)
    behind = Behind.of(data)
    given = {"seed": seed, "loss": loss, "train": train, "test": test}
    over = {key: value for key, value in given.items() if value is not None}
    asked = validated(LearnConfig, {**behind.section.model_dump(), **over}, "learn.")
    require_spans({"learn.train": asked.train, "learn.test": asked.test})
    seed = whole("seed:", asked.seed, SEEDS)
    settings = LstmSettings(loss=asked.loss, epochs=epochs)
    runs = path("runs:", runs)
    folder = None if name is None else path("out:", out) / named(name)
    require_place(folder, runs, resume)
    d = behind.decisions
    parts = _parts(d, asked) if walk_forward else [d]
    each = [_windows(part, k, len(parts)) for k, part in enumerate(parts)]
    verdicts = require([causal(d.tables, d.market, d.calendars, d.bar, seed), hindsight()], "LSTM")
    asked_for = {**behind.told, "seed": seed, "settings": repr(settings), **_versions()}
    keys = [hash_of({**asked_for, "window": k}) for k in range(len(each))]
    kept = [None if folder is None else resume_file(folder, k) for k in range(len(each))]
    seeds = [
        (kept_seeds(file, key, Seed) if resume and file is not None else None)
        or seeds_to_train(seed)
        for file, key in zip(kept, keys, strict=True)
    ]
    made = []
    with bar(sys.stderr, "windows") if progress else nullcontext() as watched:
        try:
            for k, w in enumerate(each):
                made.append(train_lstm(w, settings, seeds[k], part_of(watched, k, len(each))))
        except KeyboardInterrupt:
            for file, key, own in zip(kept, keys, seeds, strict=True):
                if file is not None and any(one.epoch for one in own):
                    keep_seeds(file, key, own)
                    print(f"{file} has the best so far; go on with --resume", file=sys.stderr)
            raise
    config = {**behind.told["config"], "learn": asked.model_dump(mode="json")}
    told = {
        **behind.told,
        "config": config,
        "command": "learn lstm",
        "canaries": verdicts,
        **_versions(),
    }
    told |= {"prior": None, "threads": 1, "cpu": platform.machine()}
    note_seeds(runs, made, told)
    if folder is not None:
        store(folder, made, told, walk_forward)
        for file in kept:
            if file is not None:
                file.unlink(missing_ok=True)
    return tuple(one.policy for one in made) if walk_forward else made[0].policy


def _parts(d: Decisions, asked: LearnConfig) -> list[Decisions]:
    """The decisions of each window's train whose labels are over before its test begins."""
    time = d.market.time
    parts = []
    for split in windows_forward(time, asked.train, asked.test):
        begin, end = time[split.train[0]], time[split.test[0]]
        parts.append(d.part((d.time >= begin) & (d.end_time < end)))
    return parts


def _windows(d: Decisions, k: int, of: int) -> Windows:
    try:
        return windows_of(d)
    except UsageError as error:
        if of > 1:
            raise UsageError(f"window {k + 1} of {of}: {error}") from None
        raise


def _versions() -> dict[str, Any]:
    return {"versions": {**versions(), **learning_versions()}}


def training_of(config: Path) -> dict[str, Any]:
    """What a configuration, as it is now, says of training on its dataset."""
    section = Recipe.of_call(None, None, {"config": config}).config.learn or LearnConfig()
    return {name: getattr(section, name) for name in ("seed", "loss", "train", "test")}


def dataset_for(config: Path, given: Path | None = None, *, progress: bool = False) -> Dataset:
    """The dataset of a configuration: the one that is there, else it is made.

    Parameters
    ----------
    config : path
    given : Path, optional
        Folder of a dataset that is there, or its name in `datasets/` beside the configuration;
        None: that of the configuration's file.
    progress : bool
        Show a progress bar on stderr where it is made.

    Raises
    ------
    NotFoundError
        There is none of that name.
    UsageError
        It was made of another configuration than is there now.
    """
    home = config.parent / "datasets"
    if given is not None:
        folder = folder_of(given, [home], MANIFEST, "dataset", "intrabar learn dataset CONFIG")
    elif not (folder := home / named(default_name(config))).exists():
        return dataset(config, progress=progress)
    data = read_dataset(folder)
    require_same_config(data, Recipe.of_call(None, None, {"config": config}).config)
    return data
