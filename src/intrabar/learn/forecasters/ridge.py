"""Ridge regression on the flattened window: the rival with a brain."""

from __future__ import annotations

import numpy as np

from intrabar.errors import ConfigError
from intrabar.exits.network import DENSE, NONE
from intrabar.indicators.indicator import Floats
from intrabar.learn.forecasters.compiled import Compiled
from intrabar.links.forecaster import Output, Rows
from intrabar.model.values import Bounds, number

PENALTIES = tuple(10.0**k for k in range(-3, 3))  # per row of the train
LARGEST = 1e6


class Ridge(Compiled):
    """Least squares with a penalty on the weights, in closed form.

    Parameters
    ----------
    window : real bars
    outputs : tuple of Output
        Without quantiles.
    l2 : float, optional
        Penalty per training row. Not given: the one of `PENALTIES` with the smallest error on the
        validation rows, 1 where there are none.

    Raises
    ------
    ConfigError
        Quantiles are asked for.
    """

    def __init__(self, window: int, outputs: tuple[Output, ...], l2: float | None = None) -> None:
        super().__init__(window, outputs)
        if any(x.quantile is not None for x in outputs):
            raise ConfigError(
                "quantiles: ridge has none; leave them out, or take another forecaster"
            )
        self.l2 = None if l2 is None else number("l2", l2, Bounds(high=LARGEST))

    def fit(
        self, windows: Floats, targets: Floats, weights: Floats, valid: Rows | None, seed: int
    ) -> None:
        """Solve; the same at any seed."""
        n = len(windows)
        x = windows.reshape(n, -1)
        share = weights / weights.sum()
        middle, level = share @ x, share @ targets
        root = np.sqrt(share * n)[:, None]
        a, b = (x - middle) * root, (targets - level) * root
        asked = (self.l2,) if self.l2 is not None else PENALTIES if valid is not None else (1.0,)
        solved = _solved(a, b, np.array(asked) * n)
        best = solved[0]
        if valid is not None:
            ahead = valid.windows.reshape(len(valid.windows), -1) - middle
            errors = [float(np.mean((valid.targets - level - ahead @ w) ** 2)) for w in solved]
            best = solved[int(np.argmin(errors))]
        intercept = level - middle @ best
        plan = np.array([[DENSE, x.shape[1], targets.shape[1], 0, NONE]], np.int64)
        flat = np.concatenate([best.ravel(), intercept]).astype(np.float32)
        self.take(plan, flat, windows.shape[2])


def _solved(a: Floats, b: Floats, penalties: Floats) -> list[Floats]:
    """The slopes of each penalty, by one decomposition of the smaller side."""
    if a.shape[0] < a.shape[1]:
        values, vectors = np.linalg.eigh(a @ a.T)
        turned = vectors.T @ b
        return [a.T @ (vectors @ (turned / (values + p)[:, None])) for p in penalties]
    values, vectors = np.linalg.eigh(a.T @ a)
    turned = vectors.T @ (a.T @ b)
    return [vectors @ (turned / (values + p)[:, None]) for p in penalties]
