"""`intrabar.learn`: datasets of single campaigns, from a configuration."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.analysis.splits.walk_forward import require_spans
from intrabar.app.compose.recipe import Recipe
from intrabar.app.config.file import validated
from intrabar.app.config.learning import LearnConfig
from intrabar.app.folders.places import require_new
from intrabar.app.processors import threads_of
from intrabar.app.progress import bar
from intrabar.errors import ConfigError
from intrabar.indicators.features import features_of
from intrabar.learn.dataset_folder import Dataset
from intrabar.learn.datasets import bot_named, make_dataset
from intrabar.learn.terms import Terms
from intrabar.model.values import path, shown, truth

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)


def dataset(
    config: str | Path | Mapping[str, Any],
    *,
    bot: str | None = None,
    features: str | Sequence[str] | None = None,
    window: int | None = None,
    arms: Sequence[float] | None = None,
    exit: str | None = None,  # noqa: A002
    max_bars: int | None = None,
    name: str | None = None,
    csv: bool = False,
    out: str | Path = "datasets",
    threads: int | None = None,
    progress: bool = False,
) -> Dataset:
    """Simulate a campaign from every bar, both sides, every arm, and store what came of it.

    Parameters
    ----------
    config : path or mapping
        A configuration; what is not given here is that of its section `learn`.
    bot : str, optional
        Which of its strategies; the only bot among them.
    features : str or sequence of str
        A set, "exit/1", or features such as "signed trend = close / ema(50) - 1".
    window : real bars, >= 1
        That must be known before a decision.
    arms : sequence of ATR multiples, rising
    exit : {"trailing", "fixed"}
        How a position goes on: `TrailingATR`, or `FixedRatio` with its reward.
    max_bars : bars, >= 1
        Held bars after which a position leaves.
    name : str, optional
        Of the dataset; that of the configuration's file.
    csv : bool
        The rows as CSV too.
    out : folder
        Of datasets, relative to the configuration.
    threads : int, optional
        1 to 256; as many as there are processors. The rows are the same.
    progress : bool
        Show a progress bar on stderr.

    Returns
    -------
    Dataset
        `rows`, `manifest`, `folder`.

    Raises
    ------
    UsageError
        An argument or the configuration is wrong, or there would be no row.
    DataError, RunError
    """
    csv, progress = truth("csv:", csv), truth("progress:", progress)
    threads = threads_of(threads)
    recipe = Recipe.of_call(None, None, {"config": config})
    values = {
        "features": features,
        "window": window,
        "arms": arms.tolist() if isinstance(arms, np.ndarray) else arms,
        "exit": exit,
        "max_bars": max_bars,
    }
    over = {key: value for key, value in values.items() if value is not None}
    section = recipe.config.learn or LearnConfig()
    asked = validated(LearnConfig, {**section.model_dump(), **over}, "learn.")
    require_spans({"learn.train": asked.train, "learn.test": asked.test})
    terms = Terms(
        features_of(asked.features, asked.window), tuple(asked.arms), asked.exit, asked.max_bars
    )
    home = Path() if isinstance(config, Mapping) else Path(config).parent
    folder = home / path("out:", out) / named(default_name(config) if name is None else name)
    require_new(folder, "dataset")
    composed = recipe.whole()
    told = {
        "command": "learn dataset",
        "config": recipe.config.model_dump(mode="json", by_alias=True, exclude_unset=True),
        "sources": [origin.as_json() for origin in composed.origins],
        "remarks": composed.remarks,
    }
    with bar(sys.stderr) if progress else nullcontext() as watched:
        return make_dataset(
            composed.setup,
            bot_named(composed.setup, bot),
            terms,
            folder,
            told,
            csv=csv,
            threads=threads,
            progress=watched,
        )


def default_name(config: str | Path | Mapping[str, Any]) -> str:
    """What a folder is called that is made of a configuration."""
    return "dataset" if isinstance(config, Mapping) else Path(config).stem


def named(name: Any) -> str:
    """A name that a folder can have.

    Raises
    ------
    ConfigError
        It is none.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError(f"name: {shown(name)} is no name of a folder, such as trend-1")
    return name
