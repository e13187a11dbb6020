"""The bars and the bot that a dataset was made of, found again by its manifest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from intrabar.app.compose.market_cache import data_hash
from intrabar.app.compose.recipe import Composed, Recipe
from intrabar.app.config.file import validated
from intrabar.app.config.learning import LearnConfig
from intrabar.app.config.model import Config
from intrabar.errors import DataError, UsageError
from intrabar.learn.dataset_folder import Dataset, read_dataset
from intrabar.learn.window_arrays import Decisions, decisions_of
from intrabar.model import values


@dataclass(frozen=True, eq=False)
class Behind:
    """What is behind a dataset.

    Parameters
    ----------
    data : Dataset
    config : Config
        Of which it was made.
    """

    data: Dataset
    config: Config

    @classmethod
    def of(cls, data: Any) -> Behind:
        """Of a dataset, or of its folder.

        Raises
        ------
        FileError, RunError
            There is none, or it was changed.
        UsageError
            It was not made of a configuration.
        """
        if not isinstance(data, Dataset):
            data = read_dataset(values.path("data:", data))
        config = data.manifest.get("config")
        if not isinstance(config, dict):
            raise UsageError(f"{data.folder} names no configuration: make it by learn dataset")
        return cls(data, validated(Config, config))

    @property
    def section(self) -> LearnConfig:
        """What its configuration says of learning."""
        return self.config.learn or LearnConfig()

    @cached_property
    def composed(self) -> Composed:
        """The run that its configuration describes, on the same bars.

        Raises
        ------
        DataError
            They are others.
        """
        composed = Recipe.of_config(self.config).whole()
        now = {x.symbol: x.as_json() for x in composed.origins}
        then = {x["symbol"]: x for x in self.data.manifest["sources"]}
        for symbol in then.keys() | now.keys():
            one, other = then.get(symbol), now.get(symbol)
            for part in ("content", "around", "bars"):
                a, b = (x and x[part] for x in (one, other))
                if a != b:
                    raise DataError(
                        f"{symbol}: {part} {b} of {other and other['source']}, the dataset "
                        f"{self.data.folder} was made of {a}: these are other bars; make the "
                        "dataset anew"
                    )
        return composed

    @cached_property
    def decisions(self) -> Decisions:
        """Its rows, with the feature tables of these bars; raises as `composed`."""
        return decisions_of(self.data, self.composed.setup)

    @property
    def told(self) -> dict[str, Any]:
        """What a policy's manifest says of what it was trained on."""
        manifest = self.data.manifest
        contents = {x["symbol"]: x["content"] for x in manifest["sources"]}
        return {
            "data": {"hash": data_hash(contents), **manifest["data"]},
            "dataset": {
                "name": self.data.folder.name,
                "rows": manifest["files"]["rows.parquet"],
                "sha256": manifest["sha256"],
            },
            "strategy": manifest["strategy"],
            "exit": manifest["exit"],
            "max_bars": manifest["max_bars"],
            "config": manifest["config"],
        }


OF_A_DATASET = ("features", "window", "arms", "exit", "max_bars")
"""What the section `learn` says of a dataset; the rest of it is of training."""


def require_same_config(data: Dataset, config: Config) -> None:
    """Refuse a dataset that was made of another configuration than is there now.

    Raises
    ------
    UsageError
        The places that differ, with both values.
    """
    then = _flat(validated(Config, data.manifest["config"]))
    now = _flat(config)
    other = [place for place in then.keys() | now.keys() if then.get(place) != now.get(place)]
    if other:
        told = "; ".join(
            f"{place}: {then.get(place)!r} then, {now.get(place)!r} now" for place in sorted(other)
        )
        raise UsageError(
            f"{data.folder} was made of another configuration ({told}): remove it, or name another "
            "dataset"
        )


def _flat(config: Config) -> dict[str, Any]:
    """What decides a dataset, by place."""
    given = config.model_dump(mode="json", by_alias=True)
    learn = (config.learn or LearnConfig()).model_dump()
    given["learn"] = {name: learn[name] for name in OF_A_DATASET}
    return {
        f"{section}.{name}" if isinstance(part, dict) else section: value
        for section, part in given.items()
        for name, value in (part.items() if isinstance(part, dict) else [("", part)])
    }
