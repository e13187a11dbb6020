"""One's own forecaster, in a file beside the configuration."""

from __future__ import annotations

import hashlib
import inspect
import re
import sys
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from intrabar.errors import ConfigError, FileError, IntrabarError, StrategyError, at_fault
from intrabar.links.forecaster import NEEDS, Output

ASKED = ("fit", "predict", "save", "load")
SUFFIX = re.compile(r"npz|onnx|pickle")


def own_forecaster(
    name: str, home: Path, window: int, outputs: tuple[Output, ...], params: Mapping[str, Any]
) -> Any:
    """A forecaster of "module:Class", which keeps the protocol of `links/forecaster.py`.

    It is made with `window`, `outputs` and the hyperparameters; what it leaves out of `needs`,
    `suffix`, `window`, `horizons` and `outputs` is filled in. `source` is the SHA-256 of its file.

    Raises
    ------
    FileError
        There is no such file.
    StrategyError
        Its file raises.
    ConfigError
        It has no such class, or that keeps another protocol.
    """
    module, _, kind = name.partition(":")
    path = home / f"{module.replace('.', '/')}.py"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"forecaster: {name}: {path} cannot be read: {error.strerror}") from None
    found = _loaded(path, hashlib.sha256(content).hexdigest())
    own: Any = getattr(found, kind, None)
    if not inspect.isclass(own):
        raise ConfigError(f"forecaster: {path} has no class {kind!r}")
    missing = [x for x in ASKED if not callable(getattr(own, x, None))]
    if missing:
        raise ConfigError(
            f"forecaster: {name} has no {', '.join(missing)}; a forecaster has "
            "fit(windows, targets, weights, valid, seed), predict(windows), save(path), load(path)"
        )
    try:
        made: Any = own(**{**params, "window": window, "outputs": outputs})
    except IntrabarError:
        raise
    except Exception as error:
        raise ConfigError(f"forecaster: {name}: {at_fault(error)}") from None
    defaults = {
        "needs": "features",
        "gives": "atrs",
        "suffix": "pickle",
        "window": window,
        "outputs": outputs,
        "horizons": tuple(dict.fromkeys(x.horizon for x in outputs)),
        "source": hashlib.sha256(content).hexdigest(),
    }
    for key, value in defaults.items():
        if not hasattr(made, key) or key == "source":
            setattr(made, key, value)
    if made.needs not in NEEDS or made.gives != "atrs" or not SUFFIX.fullmatch(str(made.suffix)):
        raise ConfigError(
            f"forecaster: {name}: needs is {made.needs!r}, gives {made.gives!r}, suffix "
            f"{made.suffix!r}; must be one of {', '.join(NEEDS)}; atrs; npz, onnx or pickle"
        )
    if (made.window, tuple(made.outputs)) != (window, outputs):
        raise ConfigError(
            f"forecaster: {name} has another window or other outputs than predict: says "
            f"({window} bars, {len(outputs)} outputs)"
        )
    return made


def _loaded(path: Path, digest: str) -> Any:
    """The module, run once for each text of it; pickles of its classes find it by that name."""
    name = f"intrabar_forecaster_{path.stem}_{digest[:12]}"
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(path):
        return known
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, Exception):
            raise StrategyError(f"forecaster: {at_fault(error)}") from error
        raise
    return module
