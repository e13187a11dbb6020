"""A trained forecaster, with all that it takes to ask it: features, normalisation, outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from intrabar.errors import IntrabarError, RunError, at_fault
from intrabar.exits.network import FARTHEST
from intrabar.indicators.features import Features
from intrabar.learn.forecasters.compiled import Compiled
from intrabar.links.forecaster import Forecaster
from intrabar.model.bars import Floats, Times

LEAST = -1.0  # of a return: no price falls by more than all of itself


@dataclass(frozen=True, eq=False)
class Model:
    """A forecaster that has learned.

    Parameters
    ----------
    forecaster : Forecaster
    features : Features
        Those of the rival where it reads bars.
    mean, scale : (F,) float64 or None
        Of its training rows; None of a finished model, which is given its features as they are.
    hash : str
        Of all that decides what it says.
    trained_until, made_at : int, ns UTC
        The last instant that anything of it has seen, and when it was registered.
    is_declared : bool
        `trained_until` was told, not witnessed here.
    lag : int, ns
        What training takes: bars that close by then are not predicted by it.
    rival : Forecaster or None
        The ridge regression that was trained beside it.
    drift : (H,) float64, ATRs
        Mean of the training targets of each horizon.
    """

    forecaster: Forecaster
    features: Features
    mean: Floats | None
    scale: Floats | None
    hash: str
    trained_until: int
    made_at: int
    is_declared: bool = False
    lag: int = 0
    rival: Forecaster | None = None
    drift: Floats | None = None

    def returns(self, windows: Floats, close: Floats, unit: Floats) -> Floats:
        """What it expects.

        Parameters
        ----------
        windows : (n, L, F) float64
            As the feature table, or where it needs them the bars, have them.
        close, unit : (n,) float64
            Of each window's last bar: its price, and one ATR as a return.

        Returns
        -------
        (n, Q) float64, return
            NaN where a window or what comes of it is no number, or a return below -1.

        Raises
        ------
        RunError
            The forecaster raises, or gives another shape.
        """
        return _asked(self.forecaster, self._seen(self.forecaster, windows), close, unit)

    def rival_returns(self, windows: Floats, close: Floats, unit: Floats) -> Floats | None:
        """What the ridge regression beside it expects of features, (n, H); None without one."""
        if self.rival is None:
            return None
        return _asked(self.rival, self._seen(self.rival, windows), close, unit)

    def _seen(self, forecaster: Forecaster, windows: Floats) -> Floats:
        if forecaster.needs != "features" or self.mean is None or self.scale is None:
            return windows
        return normalised(windows, self.mean, self.scale)


def normalised(windows: Floats, mean: Floats, scale: Floats) -> Floats:
    """Windows as a forecaster reads them; the bits of `normalise` in `exits/network.py`."""
    return np.asarray(np.clip((windows - mean) / scale, -FARTHEST, FARTHEST))


def _asked(forecaster: Forecaster, windows: Floats, close: Floats, unit: Floats) -> Floats:
    out = np.full((len(windows), len(forecaster.outputs)), np.nan)
    known = np.flatnonzero(np.isfinite(windows).all(axis=(1, 2)) & np.isfinite(unit))
    out[known] = one_by_one(forecaster, windows[known])
    if forecaster.gives == "atrs":
        out *= unit[:, None]
    elif forecaster.gives == "price":
        out = out / close[:, None] - 1.0
    out[~(np.isfinite(out).all(axis=1) & (out > LEAST).all(axis=1))] = np.nan
    return out


def one_by_one(forecaster: Forecaster, windows: Floats) -> Floats:
    """What it gives for windows, asked one at a time: libraries choose kernels by the batch."""
    if isinstance(forecaster, Compiled):  # the pass itself goes from one to the next
        found: Floats = forecaster.predict(windows)
        return found
    made = np.empty((len(windows), len(forecaster.outputs)))
    for k in range(len(windows)):
        made[k] = checked(forecaster.predict, windows[k : k + 1], made.shape[1])
    return made


def checked(predict: Callable[[Floats], Floats], window: Floats, outputs: int) -> Floats:
    """What a forecaster of others gives for one window; raises as `Model.returns`."""
    with blamed("predict"):
        found = np.asarray(predict(window), np.float64)
    if found.shape != (1, outputs):
        raise RunError(
            f"the forecaster's predict gives the shape {found.shape} for one window, must be "
            f"(1, {outputs}): a number per output"
        )
    return np.asarray(found[0])


@contextmanager
def blamed(method: str) -> Iterator[None]:
    """Code of others runs: what it raises is a RunError that says where."""
    try:
        yield
    except IntrabarError:
        raise
    except Exception as error:
        raise RunError(f"the forecaster's {method} raised: {at_fault(error)}") from error


def newest(models: list[Model], close_time: Times) -> Times:
    """Which model predicts at each close: the newest whose `trained_until + lag` is before it.

    Parameters
    ----------
    models : list of Model
        By rising `trained_until`.
    close_time : (n,) int64, ns UTC

    Returns
    -------
    (n,) int64
        -1 before the first.
    """
    known = np.array([one.trained_until + one.lag for one in models], np.int64)
    return np.asarray(np.searchsorted(known, close_time, side="left") - 1)
