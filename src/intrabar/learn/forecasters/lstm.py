"""An LSTM that predicts returns: trained by the loop of the LSTM exit, run by our compiled pass."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from intrabar.errors import RunError
from intrabar.indicators.indicator import Floats
from intrabar.learn.exact import exact
from intrabar.learn.extra import require_ml
from intrabar.learn.forecasters.compiled import Compiled
from intrabar.learn.lstm_loop import Seed, Task, train
from intrabar.learn.lstm_net import flat
from intrabar.links.forecaster import Output, Rows
from intrabar.model.values import Bounds, number, whole


@dataclass(frozen=True)
class Paced:
    """How it is trained; as `LstmSettings`."""

    units: int
    rate: float
    batch: int
    epochs: int
    patience: int


class Lstm(Compiled):
    """LSTM, last state, dense: a number per output.

    Mean squares for what is expected, pinball loss for quantiles. The epoch with the smallest loss
    on the validation rows is kept.

    Parameters
    ----------
    window : real bars
    outputs : tuple of Output
    units : int
    rate : float
        Of Adam.
    batch : int, rows
    epochs : int
        At most.
    patience : int
        Epochs without a smaller loss after which it stops.

    Raises
    ------
    ConfigError
    """

    def __init__(
        self,
        window: int,
        outputs: tuple[Output, ...],
        units: int = 32,
        rate: float = 1e-3,
        batch: int = 64,
        epochs: int = 50,
        patience: int = 5,
    ) -> None:
        super().__init__(window, outputs)
        self.pace = Paced(
            whole("units", units, Bounds(1, 256, whole=True)),
            number("rate", rate, Bounds(0.0, 1.0, above=True)),
            whole("batch", batch, Bounds(1, 1_000_000, whole=True)),
            whole("epochs", epochs, Bounds(1, 10_000, whole=True)),
            whole("patience", patience, Bounds(1, 10_000, whole=True)),
        )

    def fit(
        self, windows: Floats, targets: Floats, weights: Floats, valid: Rows | None, seed: int
    ) -> None:
        """Train from fresh weights.

        Raises
        ------
        UsageError
            The extra `ml` is not installed.
        RunError
            No epoch had a loss that is finite.
        """
        require_ml()
        rows = np.arange(len(windows))
        later = rows
        if valid is not None:
            later = len(rows) + np.arange(len(valid.windows))
            windows = np.concatenate([windows, valid.windows])
            targets = np.concatenate([targets, valid.targets])
            weights = np.concatenate([weights, valid.weights])
        x = windows.astype(np.float32)
        quantiles = [x.quantile for x in self.outputs]
        task = Task(
            x.shape[2],
            len(quantiles),
            rows,
            later,
            lambda part: x[part],
            weights,
            targets,
            partial(_loss, quantiles),
            partial(_checked, quantiles, targets[later], weights[later]),
        )
        one = Seed(seed)
        with exact() as torch:
            train(torch, task, self.pace, one)
        if one.best is None:
            raise RunError(f"lstm: {one.stopped}, before any check: nothing was saved")
        self.take(*flat(one.best), x.shape[2])


def _loss(quantiles: list[float | None], torch: Any, made: Any, wanted: Any) -> Any:
    apart = wanted.float() - made
    each = [
        apart[:, k] ** 2 if q is None else torch.maximum(q * apart[:, k], (q - 1.0) * apart[:, k])
        for k, q in enumerate(quantiles)
    ]
    return torch.stack(each).sum(dim=0)


def _checked(
    quantiles: list[float | None], wanted: Floats, weights: Floats, numbers: Floats
) -> dict[str, Any]:
    """Minus the loss of the validation rows."""
    apart = wanted - numbers
    each = np.zeros(len(apart))
    for k, q in enumerate(quantiles):
        own = apart[:, k]
        each += own**2 if q is None else np.maximum(q * own, (q - 1.0) * own)
    loss = float(weights @ each / weights.sum())
    return {"score": -loss if math.isfinite(loss) else -math.inf}
