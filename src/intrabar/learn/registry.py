"""The registry of forecasters: a folder for each refit, and an index of what was made here.

A pickle runs code, so that one is read only if its hash stands in the index of this registry.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.durable import write_durably
from intrabar.errors import ConfigError, FileError, RunError, UsageError
from intrabar.exits.sealed import sealed, unsealed
from intrabar.indicators.features import features_from_text
from intrabar.learn.forecasters import forecaster_of, outputs_of
from intrabar.learn.forecasters.ridge import Ridge
from intrabar.learn.model import Model, blamed
from intrabar.learn.settings import hash_of
from intrabar.links.forecaster import Forecaster, Output
from intrabar.model.instant import instant_ns, instant_text

INDEX, MANIFEST, METRICS = "index.json", "manifest.json", "metrics.json"
FORMAT_INDEX, FORMAT = "models/1", "model/1"
MODEL, RIVAL = "model", "ridge.npz"
ANEW = "train anew: intrabar predict train"


class Registry:
    """The models of one name.

    Parameters
    ----------
    folder : Path
        `models/registry/NAME`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def name(self) -> str:
        """That of the folder."""
        return self.folder.name

    @property
    def home(self) -> Path:
        """The folder of the configuration, where one's own forecasters are."""
        return self.folder.parent.parent.parent

    def index(self) -> dict[str, Any]:
        """What was made here; empty where nothing was.

        Raises
        ------
        RunError
            The index was changed, or cut short.
        """
        path = self.folder / INDEX
        try:
            return unsealed(path.read_bytes(), path, FORMAT_INDEX, ANEW)
        except FileNotFoundError:
            return {"format": FORMAT_INDEX, "name": self.name, "models": []}
        except OSError as error:
            raise FileError(f"{path} cannot be read: {error.strerror or error}") from None

    def require_settings(self, settings_hash: str) -> None:
        """Refuse to put models of other settings beside those that are there.

        Raises
        ------
        UsageError
        """
        known = self.index().get("settings")
        if known is not None and known != settings_hash:
            raise UsageError(
                f"{self.folder} holds models of other settings (features, horizons, schedule, "
                "hyperparameters, seed or symbols); give another name (--name), or remove that "
                "folder"
            )

    def of_rows(self, rows: str) -> bool:
        """Whether a model was trained on rows with this hash."""
        return any(one["rows"] == rows for one in self.index()["models"])

    def add(
        self,
        settings_hash: str,
        manifest: Mapping[str, Any],
        metrics: Mapping[str, Any],
        forecaster: Forecaster,
        rival: Ridge | None,
        rows: str = "",
    ) -> Path:
        """Write a model to its folder, and its hashes into the index.

        Raises
        ------
        RunError
            It cannot be written; nothing is left behind.
        """
        part = self.folder / ".new.part"
        try:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            with blamed("save"):
                forecaster.save(part / f"{MODEL}.{forecaster.suffix}")
            if rival is not None:
                rival.save(part / RIVAL)
            files = {x.name: _sha256(x) for x in sorted(part.iterdir())}
            decides = {k: manifest[k] for k in DECIDE}
            told = {**manifest, "hash": hash_of([decides, files]), "files": files}
            told["made_at"] = instant_text(time.time_ns())
            (part / METRICS).write_text(json.dumps(metrics, indent=2) + "\n")
            (part / MANIFEST).write_bytes(sealed({"format": FORMAT, **told}))
            folder = self.folder / f"{told['trained_until'][:10]}-{told['hash'][:8]}"
            if folder.exists():  # of a train that was ended before it stood in the index
                shutil.rmtree(folder)
            own = {
                "folder": folder.name,
                "hash": told["hash"],
                "trained_until": told["trained_until"],
                "made_at": told["made_at"],
                "rows": rows,
                "files": {**files, MANIFEST: _sha256(part / MANIFEST)},
            }
            os.rename(part, folder)
            index = self.index()
            others = [one for one in index["models"] if one["folder"] != folder.name]
            models = sorted([*others, own], key=lambda x: (x["trained_until"], x["made_at"]))
            index |= {"settings": settings_hash, "models": models}
            index.pop("sha256", None)
            write_durably(self.folder / INDEX, sealed(index))
        except (OSError, TypeError, ValueError) as error:
            raise RunError(f"{self.folder}: a model was not written: {error}") from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return folder

    def models(self, home: Path = Path()) -> list[Model]:
        """All of them, by rising `trained_until`.

        Parameters
        ----------
        home : Path
            Of the configuration, for one's own forecasters.

        Raises
        ------
        FileError
            There is none.
        RunError
            A file is not the one that was made here.
        """
        entries = self.index()["models"]
        if not entries:
            raise FileError(
                f"{self.folder} holds no model; make one: intrabar predict train CONFIG"
            )
        return [self.read(one, home) for one in entries]

    def read(self, entry: Mapping[str, Any], home: Path = Path()) -> Model:
        """A model of the index; raises as `models`."""
        folder = self.folder / entry["folder"]
        for name, expected in entry["files"].items():
            found = _sha256(folder / name)
            if found != expected:
                raise RunError(
                    f"{folder / name} is not the file that was made here: SHA-256 {found}, the "
                    f"index says {expected}; nothing of it was read. {ANEW}"
                )
        try:
            return _model_of(folder, self.manifest(entry), home)
        except KeyError as error:
            raise RunError(f"{folder / MANIFEST}: {error} is missing; {ANEW}") from None

    def manifest(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """What a model of the index was made of and by.

        Raises
        ------
        RunError
            It was changed, or cut short.
        """
        path = self.folder / entry["folder"] / MANIFEST
        return unsealed(path.read_bytes(), path, FORMAT, ANEW)


DECIDE = ("forecaster", "features", "window", "horizons", "quantiles", "mean", "scale",
          "hyperparameters", "source_sha256", "trained_until", "drift")  # fmt: skip
"""Of a manifest, what a model's hash is of, beside its files."""


def _model_of(folder: Path, told: Mapping[str, Any], home: Path) -> Model:
    features = features_from_text(told["features"]["text"])
    if features.hash != told["features"]["hash"]:
        raise ConfigError(
            f"{folder}: the features have the hash {features.hash}, expected "
            f"{told['features']['hash']}; {ANEW}, or install the version that made it"
        )
    outputs = outputs_of(told["horizons"], told["quantiles"])
    forecaster = forecaster_of(
        told["forecaster"], told["window"], outputs, told["hyperparameters"], home
    )
    source = getattr(forecaster, "source", None)
    if source != told["source_sha256"]:
        raise RunError(
            f"{folder}: {told['forecaster']} has changed since this was trained: SHA-256 of its "
            f"source {source}, expected {told['source_sha256']}; {ANEW}"
        )
    with blamed("load"):
        forecaster.load(folder / f"{MODEL}.{forecaster.suffix}")
    rival = None
    if RIVAL in told["files"]:
        rival = Ridge(told["window"], tuple(Output(h) for h in told["horizons"]))
        rival.load(folder / RIVAL)
    arrays = [None if told[x] is None else np.array(told[x]) for x in ("mean", "scale", "drift")]
    return Model(
        forecaster,
        features,
        arrays[0],
        arrays[1],
        told["hash"],
        instant_ns(told["trained_until"]),
        instant_ns(told["made_at"]),
        told["trained_until_is"] == "declared",
        told["schedule"]["refit_lag"],
        rival,
        arrays[2],
    )


def _sha256(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise RunError(f"{path} is missing; {ANEW}") from None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from None
