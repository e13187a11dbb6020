"""A finished model in ONNX, with what must be known of it in a `.meta.json` beside."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from intrabar.errors import ConfigError, FileError, MissingExtra, RunError, UsageError
from intrabar.indicators.features import Features, features_of
from intrabar.indicators.indicator import Floats
from intrabar.learn.extra import is_there
from intrabar.links.forecaster import Output, Rows
from intrabar.model.values import Bounds, number, shown

GIVES = {"return": "return", "price": "price", "scaled_price": "price"}
KNOWN = {
    *("trained_until", "output", "output_mean", "output_scale", "features", "window", "seq_len"),
    *("horizons", "quantiles", "mean", "scale", "std"),
}


class Finished:
    """A model that others have trained; it is never fitted here.

    Parameters
    ----------
    window : real bars
    outputs : tuple of Output
    path : Path
        Of the ONNX file; its notes are NAME.meta.json.
    params : mapping
        None is known.

    Raises
    ------
    MissingExtra
        onnxruntime is not installed.
    FileError, ConfigError
        A file is missing, the notes say too little or what does not fit.
    """

    suffix: ClassVar[str] = "onnx"

    def __init__(
        self, window: int, outputs: tuple[Output, ...], path: Path, params: Mapping[str, Any]
    ) -> None:
        if params:
            raise ConfigError(f"hyperparameters: {path.name} is finished, and has none")
        self.meta = notes_of(path)
        self.path, self.window, self.outputs = path, window, outputs
        self.horizons = tuple(dict.fromkeys(x.horizon for x in outputs))
        self.needs = "bars" if self.meta["features"] == "bars" else "raw"
        self.gives = GIVES[self.meta["output"]]
        self.source = hashlib.sha256(json.dumps(self.meta, sort_keys=True).encode()).hexdigest()
        self._session: Any = None

    def fit(
        self, windows: Floats, targets: Floats, weights: Floats, valid: Rows | None, seed: int
    ) -> None:
        """It is finished.

        Raises
        ------
        UsageError
        """
        raise UsageError(f"onnx:{self.path.name} is finished and cannot be trained")

    def predict(self, windows: Floats) -> Floats:
        """(n, Q) float64 returns or prices of windows (n, L, F) as they are; n is 1."""
        session = self._session or self.take(self.path.read_bytes(), str(self.path))
        inputs = session.get_inputs()[0]
        kind = np.float64 if inputs.type == "tensor(double)" else np.float32
        x = (windows - self.meta["mean"]) / self.meta["scale"]
        if len(inputs.shape) == 2:
            x = x.reshape(len(x), -1)
        found = np.asarray(session.run(None, {inputs.name: x.astype(kind)})[0], np.float64)
        found = found.reshape(len(windows), -1)
        scaled: Floats = found * self.meta["output_scale"] + self.meta["output_mean"]
        return scaled

    def save(self, path: Path) -> None:
        """The model as it was given."""
        path.write_bytes(self.path.read_bytes())

    def load(self, path: Path) -> None:
        """Read it again."""
        self.take(path.read_bytes(), str(path))

    def take(self, content: bytes, place: str) -> Any:
        """The model of these bytes from here on.

        Raises
        ------
        RunError
            It is none, or reads another shape.
        """
        if not is_there("onnxruntime"):
            raise MissingExtra("a model in ONNX", "onnx")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise RunError(f"{place} is no model in ONNX: {error}") from None
        inputs, width = session.get_inputs(), self._width()
        shapes = [self.window, width], [self.window * width]
        if len(inputs) != 1 or not any(_fits(inputs[0].shape[1:], x) for x in shapes):
            raise RunError(
                f"{place} reads {[x.shape for x in inputs]}, must read one array (n, "
                f"{self.window}, {width}) or (n, {self.window * width}): window bars of features"
            )
        self._session = session
        return session

    def _width(self) -> int:
        features = self.meta["features"]
        return 5 if features == "bars" else len(features_of(features).features)


def _fits(shape: list[Any], wanted: list[int]) -> bool:
    """Whether a shape, in which names stand for any length, may be the one that is wanted."""
    return len(shape) == len(wanted) and all(
        not isinstance(x, int) or x == y for x, y in zip(shape, wanted, strict=True)
    )


def notes_of(path: Path) -> dict[str, Any]:
    """What `NAME.meta.json` says of a finished model, whole.

    Returns
    -------
    dict
        `trained_until, output, output_mean, output_scale, features, window, horizons, quantiles,
        mean, scale`.

    Raises
    ------
    FileError
        It, or the model, is missing.
    ConfigError
        It says too little, or what cannot be.
    """
    if not path.name:
        raise ConfigError("forecaster: onnx: names no file; write such as onnx:models/nvda.onnx")
    beside = path.with_suffix(".meta.json")
    if not path.is_file():
        raise FileError(f"forecaster: onnx:{path}: there is no such file")
    try:
        told = json.loads(beside.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileError(
            f"forecaster: {beside} is missing; it says trained_until, output (return, price or "
            "scaled_price), features (a set, a list, or bars), window, horizons"
        ) from None
    except (OSError, ValueError) as error:
        raise FileError(f"forecaster: {beside} is no JSON: {error}") from None
    if not isinstance(told, dict):
        raise ConfigError(f"{beside}: must be a mapping, is {shown(told)}")
    if unknown := sorted(set(told) - KNOWN):
        raise ConfigError(
            f"{beside}: unknown {', '.join(unknown)}; known: {', '.join(sorted(KNOWN))}"
        )
    whole = {"window": told.get("window", told.get("seq_len"))}
    for key in ("trained_until", "output", "features"):
        whole[key] = told.get(key)
    if missing := [key for key, value in whole.items() if value is None]:
        raise ConfigError(f"{beside}: {', '.join(missing)} is missing; nobody else knows it")
    if whole["output"] not in GIVES:
        raise ConfigError(
            f"{beside}: output is {shown(whole['output'])}, must be {', '.join(GIVES)}"
        )
    scaled = whole["output"] == "scaled_price"
    for key, usual in (("output_mean", 0.0), ("output_scale", 1.0)):
        if scaled and key not in told:
            raise ConfigError(
                f"{beside}: {key} is missing; a scaled price needs it: price = output * "
                "output_scale + output_mean"
            )
        if not scaled and key in told:
            raise ConfigError(f"{beside}: {key} is of scaled_price, output is {whole['output']}")
        whole[key] = number(f"{beside}: {key}", told.get(key, usual), Bounds(-np.inf))
    width = 5 if whole["features"] == "bars" else len(_features(beside, whole).features)
    for key, usual in (("mean", 0.0), ("scale", 1.0)):
        given = told.get(key, told.get("std") if key == "scale" else None)
        given = [usual] * width if given is None else given
        if not isinstance(given, list) or len(given) != width:
            raise ConfigError(f"{beside}: {key} must have {width} numbers, one per feature")
        bounds = Bounds(above=True) if key == "scale" else Bounds(-np.inf)
        whole[key] = [number(f"{beside}: {key}", x, bounds) for x in given]
    whole["horizons"] = told.get("horizons", [1])
    whole["quantiles"] = told.get("quantiles", [])
    return whole


def _features(beside: Path, told: Mapping[str, Any]) -> Features:
    try:
        return features_of(told["features"], told["window"])
    except UsageError as error:
        raise ConfigError(f"{beside}: {error}") from None
