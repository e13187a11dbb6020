"""What a configuration asks of forecasters: their settings, their registry, and its bars."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from intrabar.analysis.splits.walk_forward import require_spans
from intrabar.app.compose.predictions import REGISTRY
from intrabar.app.compose.recipe import Recipe, TradedMarket
from intrabar.app.config.learning import PredictConfig
from intrabar.app.config.model import Config
from intrabar.app.folders.forecasts import note
from intrabar.errors import ConfigError
from intrabar.indicators.features import Features, features_of
from intrabar.learn.adopted import notes_features
from intrabar.learn.forecasters import outputs_of
from intrabar.learn.hyperparameters import hyperparameters_of
from intrabar.learn.refits import Schedule, lag_of
from intrabar.learn.registry import Registry
from intrabar.learn.samples import Samples, market_samples
from intrabar.learn.settings import Settings
from intrabar.model.values import SEEDS, shown, whole
from intrabar.model.values import path as path_of

NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)
"""What folders and files here may be called."""

Given = str | Path | Mapping[str, Any]


class Asked(NamedTuple):
    """A configuration that names a forecaster, with its bars.

    Parameters
    ----------
    config : Config
    settings : Settings
    registry : Registry
    base : TradedMarket
    """

    config: Config
    settings: Settings
    registry: Registry
    base: TradedMarket

    def noted(
        self, params: Mapping[str, Any], skill: float | None, data: Mapping[str, Any]
    ) -> None:
        """Note a model in the ledger."""
        note(self.settings, self.out, "train", params, skill, data)

    @property
    def out(self) -> Path:
        """The folder of the ledger."""
        return self.settings.home / self.config.out

    def samples(self, features: Features, horizons: tuple[int, ...]) -> Samples:
        """The rows of its bars."""
        calendars = [x.calendar for x in self.base.instruments]
        return market_samples(self.base.market, calendars, features, features.window, horizons)


def asked(
    config: Given,
    name: str | None = None,
    seed: int | None = None,
    place: str = "name",
    searches: bool = False,
) -> Asked:
    """What a configuration asks for; raises as `train`.

    What `searches` for hyperparameters does not read the file that it will write.
    """
    folder = named(name, config, place)
    recipe = Recipe.of_call({}, None, {"config": config})
    section = recipe.config.predict or PredictConfig()
    if searches and isinstance(section.hyperparameters, str):
        section = section.model_copy(update={"hyperparameters": None})
    home = Path() if isinstance(config, Mapping) else path_of("config", config).parent
    return Asked(
        recipe.config,
        settings_of(section, home, seed),
        Registry(home / REGISTRY / folder),
        recipe.traded_market(),
    )


def settings_of(section: PredictConfig, home: Path, seed: int | None = None) -> Settings:
    """The settings of a section `predict`.

    Raises
    ------
    UsageError
        A value of it is wrong.
    """
    features = features_of(section.features, section.window)
    outputs = outputs_of(section.horizons, section.quantiles)
    if section.forecaster.startswith("onnx:"):
        features, outputs = notes_features(home / section.forecaster.removeprefix("onnx:"))
    found = hyperparameters_of(section.hyperparameters, home)
    require_spans({"predict.train": section.train, "predict.refit": section.refit})
    schedule = Schedule(section.train, section.refit, lag_of(section.refit_lag), section.anchored)
    settings = Settings(
        section.forecaster,
        features,
        outputs,
        schedule,
        whole("seed", section.seed if seed is None else seed, SEEDS),
        found.params,
        found.search_until,
        found.told,
        home,
    )
    settings.make()  # what is wrong in it is told before any bars are read
    return settings


def named(name: str | None, config: Given, place: str) -> str:
    """The name of a registry: as given, or that of the configuration's file."""
    if name is None:
        name = "forecast" if isinstance(config, Mapping) else path_of("config", config).stem
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigError(f"{place}: {shown(name)} is no name of a folder, such as nvda-1")
    return name
