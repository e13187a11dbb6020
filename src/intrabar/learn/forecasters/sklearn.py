"""Regressors of scikit-learn, and of what follows its rules: LightGBM, XGBoost."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from intrabar.errors import ConfigError, RunError, UsageError, install_line
from intrabar.indicators.indicator import Floats
from intrabar.learn.extra import is_there
from intrabar.links.forecaster import Output, Rows

QUIET = {"n_jobs": 1, "nthread": 1, "verbosity": -1}  # of LightGBM and XGBoost
LOSSES = {"loss": "quantile", "objective": "quantile"}


class Estimators:
    """A clone of a regressor for each output, on the flattened window.

    Parameters
    ----------
    window : real bars
    outputs : tuple of Output
    name : str
        "package.Class", such as "linear_model.Ridge" or "lightgbm.LGBMRegressor".
    params : mapping
        Of the class.

    Raises
    ------
    UsageError
        scikit-learn is not installed.
    ConfigError
        There is no such class, it is no regressor, a parameter is wrong, or it has no quantiles and
        they are asked for.

    Notes
    -----
    Its seed is `random_state` where it has one. It is kept as a pickle, which is read only by the
    hash that the registry has of it.
    """

    needs: ClassVar[str] = "features"
    gives: ClassVar[str] = "atrs"
    suffix: ClassVar[str] = "pickle"

    def __init__(
        self, window: int, outputs: tuple[Output, ...], name: str, params: Mapping[str, Any]
    ) -> None:
        self.window, self.outputs = window, outputs
        self.horizons = tuple(dict.fromkeys(x.horizon for x in outputs))
        self._name = name
        self._blank = [_made(_class(name), name, params, x.quantile) for x in outputs]
        self._fitted: list[Any] = []

    def fit(
        self, windows: Floats, targets: Floats, weights: Floats, valid: Rows | None, seed: int
    ) -> None:
        """Fit the clones, one after the other."""
        flat = windows.reshape(len(windows), -1)
        self._fitted = []
        for k, blank in enumerate(self._blank):
            one = _class("base.clone")(blank)
            if "random_state" in one.get_params():
                one.set_params(random_state=seed)
            takes = "sample_weight" in inspect.signature(one.fit).parameters
            try:
                with _one_thread():
                    one.fit(flat, targets[:, k], **({"sample_weight": weights} if takes else {}))
            except (ValueError, TypeError) as error:
                raise ConfigError(f"sklearn:{self._name} cannot be fitted: {error}") from error
            self._fitted.append(one)

    def predict(self, windows: Floats) -> Floats:
        """(n, Q) float64, ATRs, of normalised windows (n, L, F)."""
        flat = windows.reshape(len(windows), -1)
        with _one_thread():
            said = [np.asarray(one.predict(flat), np.float64).reshape(-1) for one in self._fitted]
        return np.column_stack(said)

    def save(self, path: Path) -> None:
        """A pickle."""
        path.write_bytes(pickle.dumps(self._fitted))

    def load(self, path: Path) -> None:
        """Read a pickle of which whoever calls knows the hash.

        Raises
        ------
        RunError
            It does not fit the versions that are installed.
        """
        try:
            self._fitted = pickle.loads(path.read_bytes())
        except Exception as error:
            raise RunError(
                f"{path}: is not read by the versions installed here ({error}); train anew"
            ) from None
        for one in self._fitted:
            if one.get_params().get("n_jobs", 1) not in (1, None):
                one.set_params(n_jobs=1)


def _class(name: str) -> Any:
    if not is_there("sklearn"):
        raise UsageError(f"sklearn:{name} needs scikit-learn: {install_line('ml')}")
    module, _, last = name.rpartition(".")
    tried = [module] if module.partition(".")[0] == "sklearn" else [f"sklearn.{module}", module]
    for place in tried:
        try:
            return getattr(import_module(place), last)
        except (ImportError, AttributeError, ValueError):
            continue
    raise ConfigError(
        f"sklearn:{name}: there is no such class; write sklearn:package.Class, such as "
        "sklearn:linear_model.Ridge or sklearn:lightgbm.LGBMRegressor"
    )


def _made(kind: Any, name: str, params: Mapping[str, Any], quantile: float | None) -> Any:
    if not all(hasattr(kind, x) for x in ("fit", "predict", "get_params")):
        raise ConfigError(f"sklearn:{name}: it is no regressor with fit, predict and get_params")
    try:
        one = kind(**params)
        known = one.get_params()
        if quantile is not None:
            one.set_params(**_quantile(name, known, quantile))
        quiet = {k: v for k, v in QUIET.items() if k in known and k not in params}
        one.set_params(**quiet)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"sklearn:{name}: {error}") from None
    if not _is_regressor(one):
        raise ConfigError(
            f"sklearn:{name}: it is no regressor, and predicts no returns; take one such as "
            "sklearn:linear_model.Ridge"
        )
    return one


def _is_regressor(one: Any) -> bool:
    """What clusters or classifies has a `predict` too, of numbers that are no returns."""
    try:
        return bool(_class("base.is_regressor")(one))
    except AttributeError:  # it does not say what it is
        return False


def _quantile(name: str, known: Mapping[str, Any], quantile: float) -> dict[str, Any]:
    """What makes a regressor one of a quantile; `alpha` of a ridge is a penalty."""
    loss = {"loss": "quantile"} if "loss" in known else {}
    if "quantile" in known:
        return {"quantile": quantile, **loss}
    if "objective" in known:  # LightGBM takes what get_params does not tell
        return {"objective": "quantile", "alpha": quantile}
    if "alpha" in known and loss:
        return {"alpha": quantile, **loss}
    raise ConfigError(
        f"quantiles: sklearn:{name} has none: it has no parameter quantile, and no loss with "
        "alpha; leave them out, or take such as sklearn:ensemble.GradientBoostingRegressor"
    )


def _one_thread() -> Any:
    """One thread: several sum in another order, and bits differ."""
    return import_module("threadpoolctl").threadpool_limits(1)
