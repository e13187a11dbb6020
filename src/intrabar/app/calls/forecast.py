"""`ib.predict`: forecasters trained in a registry, and what they say of the bars."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple, Unpack

import numpy as np
import polars as pl

from intrabar.app.calls.forecast_settings import NAME, Asked, Given, asked
from intrabar.app.calls.predict import FORMATS, write_file
from intrabar.app.compose.options import RunOptions
from intrabar.app.compose.recipe import Recipe
from intrabar.app.config.model import Config
from intrabar.app.progress import bar
from intrabar.errors import ConfigError
from intrabar.indicators.normalisation import normalisation_of
from intrabar.learn.adopted import adopt
from intrabar.learn.hyperparameters import UNKNOWN
from intrabar.learn.model import Model, normalised
from intrabar.learn.predicting import UTC_TIME, predictions
from intrabar.learn.refits import refits_of
from intrabar.learn.registry import Registry
from intrabar.learn.samples import market_samples
from intrabar.learn.training import train as train_all
from intrabar.model.bars import Floats
from intrabar.model.instant import instant_text
from intrabar.model.values import Bounds, shown, truth, whole
from intrabar.model.values import path as path_of
from intrabar.sources import versions

PREDICTIONS = "predictions"


class Windows(NamedTuple):
    """The arrays of one refit, as they were trained on.

    Parameters
    ----------
    X : (n, L, F) float64
        Normalised; bars as they are where the forecaster reads bars.
    y : (n, Q) float64, ATRs
    rows : DataFrame
        time, symbol, end_time, split ("train", "validation"), weight.
    """

    X: Floats
    y: Floats
    rows: pl.DataFrame


def windows(config: Given, refit: int = -1) -> Windows:
    """The arrays that a refit is trained on.

    Parameters
    ----------
    config : path or mapping
    refit : int
        Its number, by time; -1 is the last.

    Returns
    -------
    Windows
        `X, y, rows = ib.predict.windows(config)`.

    Raises
    ------
    UsageError, DataError
        As `train`; or there is no such refit.
    """
    refit = whole("refit", refit, Bounds(low=-math.inf, whole=True))
    given = asked(config)
    settings = given.settings
    samples = given.samples(settings.features, settings.horizons)
    found = refits_of(samples, given.base.market.time, settings.schedule)
    if not -len(found) <= refit < len(found):
        raise ConfigError(f"refit: is {refit}, and there are {len(found)}")
    one, forecaster = found[refit], settings.make()
    rows = np.concatenate([one.train, one.valid])
    X = samples.windows(rows, forecaster.needs)
    if forecaster.needs == "features":
        own = normalisation_of(settings.features, X[: len(one.train), -1])
        X = normalised(X, own.mean, own.scale)
    place = [samples.horizons.index(x.horizon) for x in settings.outputs]
    symbols = np.array([x.symbol for x in samples.series])
    table = pl.DataFrame(
        {
            "time": pl.Series(samples.time[rows]).cast(UTC_TIME),
            "symbol": symbols[samples.instrument[rows]],
            "end_time": pl.Series(samples.end_time[rows]).cast(UTC_TIME),
            "split": ["train"] * len(one.train) + ["validation"] * len(one.valid),
            "weight": samples.weights[rows],
        }
    )
    return Windows(X, samples.targets[rows][:, place], table)


class Trained(NamedTuple):
    """What stands in a registry after a train.

    Parameters
    ----------
    folder : Path
    models : list of dict
        Of the index: folder, hash, trained_until, made_at, files.
    remarks : list of str
    """

    folder: Path
    models: list[dict[str, Any]]
    remarks: list[str]


def train(
    config: Given, *, name: str | None = None, seed: int | None = None, progress: bool = False
) -> Trained:
    """Train every refit of a forecaster that is not in its registry yet.

    Parameters
    ----------
    config : path or mapping
        With a section `predict`.
    name : str, optional
        Of the registry, `models/registry/NAME`; that of the configuration's file.
    seed : int, optional
    progress : bool
        Show a progress bar on stderr.

    Raises
    ------
    UsageError
        A value is wrong, the history is too short, or the search has seen a test.
    DataError, RunError
    """
    progress = truth("progress:", progress)
    given = asked(config, name, seed)
    settings, registry = given.settings, given.registry
    told = {"command": "predict train", "config": _told(given.config)}
    remarks = [x.text for x in given.base.remarks]
    if settings.search == UNKNOWN:
        remarks.append("hyperparameters: of unknown search; nothing shows what bars it has seen")
    if settings.forecaster.startswith("onnx:"):
        adopt(settings, registry, told)
    else:
        samples = given.samples(settings.features, settings.horizons)
        with bar(sys.stderr, "refits") if progress else nullcontext() as watched:
            time = given.base.market.time
            remarks += train_all(samples, time, settings, registry, told, given.noted, watched)
    return Trained(registry.folder, registry.index()["models"], remarks)


def run(
    config: Given,
    *,
    model: str | None = None,
    name: str | None = None,
    progress: bool = False,
) -> Path:
    """Let the models of a registry predict every bar that they may, and write the file.

    Parameters
    ----------
    config : path or mapping
    model : str, optional
        Name of the registry; that of the configuration's file.
    name : str, optional
        Of the file, `predictions/NAME.parquet`; ends it with ".csv", CSV. That of the registry.
    progress : bool

    Returns
    -------
    path
        The file; NAME.json beside it tells its hash and what made it.

    Raises
    ------
    UsageError, DataError, RunError
        No model, one that was changed, or no bar that it may predict.
    """
    progress = truth("progress:", progress)
    given = asked(config, model, place="model")
    models = given.registry.models(given.settings.home)
    frame = predicted(given, models, progress)
    file = given.registry.name if name is None else name
    if not isinstance(file, str) or not NAME.fullmatch(file):
        raise ConfigError(f"name: {shown(file)} is no name of a file, such as nvda")
    path = given.settings.home / PREDICTIONS / file
    path = path if path.suffix in FORMATS else path.with_name(f"{path.name}.parquet")
    return write_file(frame, path, _file_told(given, models))


def predicted(given: Asked, models: list[Model], progress: bool = False) -> pl.DataFrame:
    """What models say of the bars of a configuration; raises as `run`."""
    horizons = models[0].forecaster.horizons
    samples = given.samples(models[0].features, horizons)
    with bar(sys.stderr) if progress else nullcontext() as watched:
        return predictions(samples, models, given.registry.name, watched)


def predict_future_prices(
    bars: Any, model: str | Path, steps: int, **given: Unpack[RunOptions]
) -> pl.DataFrame:
    """What the newest model that may predict the last bar expects of those to come.

    Parameters
    ----------
    bars : Bars, frame, path, list or {symbol: any of these}
        As in `backtest`.
    model : path
        Folder of a registry, `models/registry/NAME`.
    steps : real bars, >= 1
        The horizons of the model up to there. Each is an output of its own: no prediction is fed
        back.
    given : as in `backtest`
        `symbols`, `calendar`, `zone`, ...

    Returns
    -------
    DataFrame
        Time (of the last bar), symbol, horizon, predicted_price, predicted_return, quantiles,
        model, trained_until.

    Raises
    ------
    UsageError, DataError, RunError
    """
    registry = Registry(path_of("model", model))
    models = registry.models(registry.home)
    horizons = models[0].forecaster.horizons
    most = whole("steps", steps, Bounds(1, max(horizons), whole=True))
    base = Recipe.of_call({}, bars, given).traded_market()
    calendars = [x.calendar for x in base.instruments]
    features = models[0].features
    samples = market_samples(base.market, calendars, features, features.window, horizons)
    said = predictions(samples.last(), models, registry.name)
    return said.filter(pl.col("horizon") <= most).drop("made_at", "ridge", "drift", strict=False)


def _file_told(given: Asked, models: list[Model]) -> dict[str, Any]:
    """What NAME.json says of what made the rows."""
    base, index = given.base, given.registry.index()
    is_declared = any(x.is_declared for x in models)
    made = given.registry.manifest(index["models"][-1])  # all are of the same settings
    return {
        "command": "predict run",
        "config": _told(given.config),
        "seeds": [made["seed"]],
        "data": {
            "symbols": list(base.market.symbols),
            "span": [instant_text(int(t)) for t in base.market.time[[0, -1]]],
            "sources": [x.origin.as_json() for x in base.series],
        },
        "features": {"text": models[0].features.text, "hash": models[0].features.hash},
        "registry": {
            "name": given.registry.name,
            "models": [
                {k: x[k] for k in ("folder", "hash", "trained_until", "made_at")}
                for x in index["models"]
            ],
        },
        "remarks": _strangers(base.market.symbols, made.get("data", {}).get("symbols")),
        "hyperparameters": made["hyperparameters"],
        "hyperparameters_sha256": made["hyperparameters_sha256"],
        "trained_until_is": "declared" if is_declared else "witnessed",
        "versions": versions(),
    }


def _strangers(symbols: Sequence[str], known: Sequence[str] | None) -> list[str]:
    """The instruments that are predicted and that no model was trained on."""
    others = [x for x in symbols if known is not None and x not in known]
    if known is None or not others:
        return []
    return [
        f"{', '.join(others)}: predicted by models that were trained on {', '.join(known)} alone"
    ]


def _told(config: Config) -> dict[str, Any]:
    return config.model_dump(mode="json", by_alias=True, exclude_unset=True)
