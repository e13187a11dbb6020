"""`ib.predict.search`: hyperparameters, by bars before the first that is predicted."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from intrabar.app.calls.forecast_settings import Given, asked
from intrabar.app.folders.forecasts import note
from intrabar.app.progress import bar
from intrabar.learn.hyperparameters import BEST
from intrabar.learn.search import Tried, folds_of, space_of
from intrabar.learn.search import search as search_all
from intrabar.model.instant import instant_text
from intrabar.model.values import Bounds, truth, whole


class Searched(NamedTuple):
    """What came of a search.

    Parameters
    ----------
    file : Path
        `best_hyperparameters.json`.
    best : dict
        What it says.
    """

    file: Path
    best: dict[str, Any]


def search(
    config: Given,
    *,
    trials: int = 50,
    name: str | None = None,
    seed: int | None = None,
    progress: bool = False,
) -> Searched:
    """Search for hyperparameters, and write the best beside the models of a registry.

    A search that was broken off goes on. No bar of a test is read.

    Parameters
    ----------
    config : path or mapping
        With a section `predict`; its `search` says what is tried.
    trials : int, >= 1
        Those of a search that goes on among them.
    name : str, optional
        Of the registry; that of the configuration's file.
    seed : int, optional
        Of the proposals, and of each training; that of the section.
    progress : bool

    Raises
    ------
    UsageError, DataError, RunError
        Nothing to search, a history that is too short, or each trial failed.
    """
    trials = whole("trials", trials, Bounds(1, 100_000, whole=True))
    progress = truth("progress:", progress)
    given = asked(config, name, seed, searches=True)
    settings, base = given.settings, given.base
    section = given.config.predict
    space = space_of(settings, None if section is None else section.search)
    samples = given.samples(settings.features, settings.horizons)
    folds = folds_of(samples, base.market.time, settings)
    rows = np.concatenate([x for fold in folds.rows for x in fold])
    told: dict[str, Any] = {
        "data": {
            "hash": samples.hash_of(rows),
            "symbols": list(base.market.symbols),
            "span": [instant_text(int(samples.time.min())), instant_text(folds.until)],
        },
        "horizons": list(settings.horizons),
    }

    def noted(tried: Tried) -> None:
        more = tried.error, tried.seconds
        note(settings, given.out, "search", tried.params, tried.score, told["data"], *more)

    with bar(sys.stderr, "trials") if progress else nullcontext() as watched:
        best = search_all(
            samples, folds, settings, space, trials, given.registry.folder, told, noted, watched
        )
    return Searched(given.registry.folder / BEST, best)
