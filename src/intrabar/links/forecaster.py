"""What predicts returns: the protocol that ours, those of libraries and one's own keep."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NEEDS = ("features", "raw", "bars")
GIVES = ("atrs", "return", "price")


class Output(NamedTuple):
    """One of the numbers that a forecaster gives for a window.

    Parameters
    ----------
    horizon : bars, >= 1
        Real bars ahead.
    quantile : probability or None
        None: what is expected.
    """

    horizon: int
    quantile: float | None = None


class Rows(NamedTuple):
    """What a forecaster learns from, or is checked on.

    Parameters
    ----------
    windows : (n, L, F) float64
    targets : (n, Q) float64, ATRs
        Of each output the return that came, over its horizon, by `atr(14) / close`.
    weights : (n,) float64
    """

    windows: Floats
    targets: Floats
    weights: Floats


class Forecaster(Protocol):
    """What predicts returns from windows of the last `window` real bars.

    Parameters
    ----------
    needs : {"features", "raw", "bars"}
        What its windows hold: normalised features; features as they are; or open, high, low,
        close and volume in the prices of the window's last bar, (n, L, 5).
    gives : {"atrs", "return", "price"}
        What its numbers are; what is trained here learns returns in ATRs.
    suffix : {"npz", "onnx", "pickle"}
        Of the file that it is kept in.
    window : real bars
    horizons : tuple of bars
    outputs : tuple of Output
    """

    window: int
    horizons: tuple[int, ...]
    outputs: tuple[Output, ...]

    @property
    def needs(self) -> str: ...  # noqa: D102
    @property
    def gives(self) -> str: ...  # noqa: D102
    @property
    def suffix(self) -> str: ...  # noqa: D102

    def fit(
        self, windows: Floats, targets: Floats, weights: Floats, valid: Rows | None, seed: int
    ) -> None:
        """Learn, from fresh weights; `valid` are later rows, none of which it is fitted to."""

    def predict(self, windows: Floats) -> Floats:
        """(n, Q) float64 of windows (n, L, F); given one window at a time where bits matter."""

    def save(self, path: Path) -> None:
        """Write what was learned to a file."""

    def load(self, path: Path) -> None:
        """Read it again."""
