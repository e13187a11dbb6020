"""Forecasters by name: ours, and those of libraries, of files, and of one's own."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from intrabar.errors import ConfigError, IntrabarError, NotFoundError
from intrabar.links.forecaster import Forecaster, Output
from intrabar.model.values import Bounds, number, shown, whole

OURS = ("lstm", "ridge")
KNOWN = (*OURS, "sklearn:package.Class", "onnx:FILE", "module:Class")
FARTHEST = 10_000  # bars


def outputs_of(horizons: Sequence[Any], quantiles: Sequence[Any] = ()) -> tuple[Output, ...]:
    """What is expected over each horizon, and its quantiles.

    Raises
    ------
    ConfigError
        None, one twice, or one that is none.
    """
    bars = [whole("horizons", h, Bounds(1, FARTHEST, whole=True)) for h in horizons]
    if not bars or sorted(set(bars)) != bars:
        raise ConfigError(f"horizons: is {shown(horizons)}, must be bars that rise, such as [1, 5]")
    bounds = Bounds(high=1.0, above=True, below=True)
    shares = [number("quantiles", q, bounds) for q in quantiles]
    if sorted(set(shares)) != shares or any(round(q, 4) != q for q in shares):
        raise ConfigError(
            f"quantiles: is {shown(quantiles)}, must be probabilities that rise, of at most 4 "
            "decimals, such as [0.05, 0.5, 0.95]"
        )
    return tuple(Output(h, q) for h in bars for q in (None, *shares))


def forecaster_of(
    name: str,
    window: int,
    outputs: tuple[Output, ...],
    params: Mapping[str, Any],
    home: Path = Path(),
) -> Forecaster:
    """A forecaster that has learned nothing yet; of a finished one, what it has.

    Parameters
    ----------
    name : str
        "ridge", "lstm", "sklearn:package.Class", "onnx:FILE" or "module:Class".
    window : real bars
    outputs : tuple of Output
    params : mapping
        Its hyperparameters.
    home : Path
        Of the configuration, for FILE and module.

    Raises
    ------
    ConfigError, NotFoundError, UsageError
        It is none that is known, or a hyperparameter is wrong.
    """
    made: Any
    if name == "ridge":
        from intrabar.learn.forecasters.ridge import Ridge

        made = _made(Ridge, name, window, outputs, params)
    elif name == "lstm":
        from intrabar.learn.forecasters.lstm import Lstm

        made = _made(Lstm, name, window, outputs, params)
    elif name.startswith("sklearn:"):
        from intrabar.learn.forecasters.sklearn import Estimators

        made = Estimators(window, outputs, name.removeprefix("sklearn:"), params)
    elif name.startswith("onnx:"):
        from intrabar.learn.forecasters.onnx import Finished

        made = Finished(window, outputs, home / name.removeprefix("onnx:"), params)
    elif ":" in name:
        from intrabar.learn.forecasters.module import own_forecaster

        made = own_forecaster(name, home, window, outputs, params)
    else:
        raise NotFoundError("forecaster", name, KNOWN)
    found: Forecaster = made
    return found


def _made(
    kind: Any, name: str, window: int, outputs: tuple[Output, ...], params: Mapping[str, Any]
) -> Any:
    known = [x for x in inspect.signature(kind).parameters if x not in ("window", "outputs")]
    for key in params:
        if key not in known:
            raise NotFoundError(f"hyperparameter of {name}", key, known)
    try:
        return kind(window, outputs, **params)
    except IntrabarError:
        raise
    except TypeError as error:
        raise ConfigError(f"{name}: {error}") from None
