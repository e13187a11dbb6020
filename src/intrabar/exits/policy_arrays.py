"""The arrays of a policy: names, types, shapes, and what their numbers may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import RunError
from intrabar.exits.network import Network, check_plan
from intrabar.indicators.indicator import Floats

POSITION = 4  # numbers of the own position, where it decides at each bar
PROBE_BARS, PROBES = 256, 64

BAR = np.dtype([("time", "<i8"), *((x, "<f8") for x in ("open", "high", "low", "close", "volume"))])


class Probes(NamedTuple):
    """What a policy is known again by, and what is held against the code that reads it.

    Attributes
    ----------
    bars : (256,) of `BAR`
    features : (256, F) float64
        Of these bars, for a long; NaN while warming up.
    inputs : (64, window, inputs) float64
        Windows as the network reads them: normalised.
    outputs : (64, K) float64
        What the framework that trained the network makes of them.
    """

    bars: NDArray[Any]
    features: Floats
    inputs: Floats
    outputs: Floats


PARTS = ("bars", "features", "in", "out")
"""What the parts of `Probes` are called in a file, after `probe_`."""

MEMBERS = (
    *(*Network._fields, "arms", "arm_means", "deciles", "calibration", "psi_limit"),
    *(f"probe_{part}" for part in PARTS),
)


def check_arrays(own: Mapping[str, NDArray[Any]], window: int, when: str) -> None:
    """Refuse arrays that no policy has: first by types and shapes, then by values.

    Parameters
    ----------
    own : mapping of name to array
    window : bars
    when : {"entry", "bar"}

    Raises
    ------
    RunError
        Names the array, what was found and what was expected.
    """
    if when == "bar" and window != 1:
        raise RunError(f"window is {window} bars; expected 1 where it decides at each bar")
    _check_shapes(own, window, POSITION if when == "bar" else 0)
    _check_values(own)


def _check_shapes(own: Mapping[str, NDArray[Any]], window: int, position: int) -> None:
    features, arms = own["mean"].shape[0] if own["mean"].ndim else 0, own["arms"].size
    inputs = features + position
    f8, rows = np.dtype("<f8"), own["plan"].shape[:1] or (0,)
    expected: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {
        "plan": (np.dtype("<i8"), (*rows, 5)),
        "weights": (np.dtype("<f4"), (own["weights"].size,)),
        "signs": (np.dtype("i1"), (features,)),
        "mean": (f8, (features,)),
        "scale": (f8, (features,)),
        "arms": (f8, (arms,)),
        "arm_means": (f8, (arms,)),
        "calibration": (f8, ()),
        "deciles": (f8, (9, features)),
        "psi_limit": (f8, ()),
        "probe_bars": (BAR, (PROBE_BARS,)),
        "probe_features": (f8, (PROBE_BARS, features)),
        "probe_in": (f8, (PROBES, window, inputs)),
        "probe_out": (f8, (PROBES, arms)),
    }
    for name, (kind, shape) in expected.items():
        array = own[name]
        if array.dtype != kind or array.shape != shape:
            raise RunError(
                f"{name}: {array.dtype} of shape {array.shape}; expected {kind} of shape {shape}"
            )
    if not features or not arms:
        raise RunError(f"mean, arms: {features} features, {arms} arms; expected 1 or more")
    check_plan(own["plan"], own["weights"].size, window, inputs, arms)


def _check_values(own: Mapping[str, NDArray[Any]]) -> None:
    for name, array in own.items():
        if array.dtype.names or name == "probe_features":  # unknown while warming up
            continue
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):
            place = f"[{', '.join(map(str, bad[0]))}]" if array.ndim else ""
            raise RunError(f"{name}{place} is {array[tuple(bad[0])]}; expected a finite number")
    for name, array in (("scale", own["scale"]), ("arms", own["arms"][:1])):
        low = np.flatnonzero(array <= 0.0)
        if len(low):
            raise RunError(f"{name}[{low[0]}] is {array[low[0]]:g}; expected a number above 0")
    falls = np.flatnonzero(np.diff(own["arms"]) <= 0.0)
    if len(falls):
        raise RunError(f"arms are {own['arms'].tolist()}; expected rising, none twice")
    fallen = np.argwhere(np.diff(own["deciles"], axis=0) < 0.0)
    if len(fallen):
        row, column = fallen[0]
        raise RunError(
            f"deciles[:, {column}] fall from {own['deciles'][row, column]:g} to "
            f"{own['deciles'][row + 1, column]:g}; expected none that falls"
        )
    if own["psi_limit"] <= 0.0:
        raise RunError(f"psi_limit is {own['psi_limit']:g}; expected a number above 0")
