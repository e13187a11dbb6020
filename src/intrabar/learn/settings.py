"""What a forecaster is to be: its name, what it reads and predicts, when it is refitted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from intrabar.indicators.features import Features
from intrabar.learn.forecasters import forecaster_of
from intrabar.learn.refits import Schedule
from intrabar.links.forecaster import Forecaster, Output


@dataclass(frozen=True)
class Settings:
    """All that decides a forecaster beside the bars.

    Parameters
    ----------
    forecaster : str
    features : Features
        Their window is the forecaster's.
    outputs : tuple of Output
    schedule : Schedule
    seed : int
    hyperparameters : mapping
    search_until : int or None, ns UTC
        The last instant that a search for them has seen; None where there was none.
    search : str
        "", or what is known of the search.
    home : Path
        Of the configuration.
    """

    forecaster: str
    features: Features
    outputs: tuple[Output, ...]
    schedule: Schedule = field(default_factory=Schedule)
    seed: int = 0
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    search_until: int | None = None
    search: str = ""
    home: Path = Path()

    @property
    def horizons(self) -> tuple[int, ...]:
        """Bars, rising."""
        return tuple(dict.fromkeys(x.horizon for x in self.outputs))

    def make(self, over: Mapping[str, Any] | None = None) -> Forecaster:
        """A forecaster that has learned nothing yet; raises as `forecaster_of`."""
        params = self.hyperparameters if over is None else over
        return forecaster_of(self.forecaster, self.features.window, self.outputs, params, self.home)

    @cached_property
    def told(self) -> dict[str, Any]:
        """As a manifest has it."""
        return {
            "forecaster": self.forecaster,
            "features": {"text": self.features.text, "hash": self.features.hash},
            "window": self.features.window,
            "horizons": list(self.horizons),
            "quantiles": [x.quantile for x in self.outputs if x.quantile is not None][
                : len(self.outputs) // len(self.horizons) - 1
            ],
            "schedule": self.schedule._asdict(),
            "seed": self.seed,
            "hyperparameters": dict(self.hyperparameters),
            "hyperparameters_sha256": params_hash(self.hyperparameters),
            "source_sha256": getattr(self.make(), "source", None),
        }

    @property
    def hash(self) -> str:
        """SHA-256 of it."""
        return hash_of(self.told)


def params_hash(params: Mapping[str, Any]) -> str:
    """SHA-256 of hyperparameters in their canonical form."""
    return hash_of(dict(params))


def hash_of(value: Any) -> str:
    """SHA-256 of JSON with its keys in order."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
