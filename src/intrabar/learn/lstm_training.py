"""Training an LSTM exit on windows: what it learns of each, and how it is scored."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from intrabar.learn.calibrate import shares_of
from intrabar.learn.lstm_loop import Seed, Task, train
from intrabar.learn.watch import Watch
from intrabar.learn.window_arrays import Windows
from intrabar.model.bars import Floats
from intrabar.model.values import Bounds, choice, number, whole

HIGH_GAP = 0.95  # quantile at which the gap of a row counts no more


@dataclass(frozen=True)
class LstmSettings:
    """How an LSTM is trained.

    Parameters
    ----------
    loss : {"score", "label"}
        Expected scores less the row's mean, by mean squares; or the arm that was best in
        hindsight, by cross-entropy.
    units : int
    rate : float
        Of Adam.
    batch : int, rows
    epochs : int
        At most.
    patience : int
        Epochs without a higher score after which a seed stops.

    Raises
    ------
    ConfigError
    """

    loss: str = "score"
    units: int = 32
    rate: float = 1e-3
    batch: int = 512
    epochs: int = 50
    patience: int = 5

    def __post_init__(self) -> None:
        choice("loss", self.loss, ("score", "label"))
        number("rate", self.rate, Bounds(0.0, 1.0, above=True))
        for name, most in (("units", 256), ("batch", 1_000_000), ("epochs", 10_000)):
            whole(name, getattr(self, name), Bounds(1, most, whole=True))
        whole("patience", self.patience, Bounds(1, 10_000, whole=True))


def train_seed(
    torch: Any, w: Windows, s: LstmSettings, seed: Seed, watch: Watch | None = None
) -> None:
    """Train a seed to its end, as `lstm_loop.train`."""
    task = Task(
        len(w.of.features.names),
        len(w.of.arms),
        w.train,
        w.validation,
        w.cut,
        _weights(w, s.loss),
        w.of.label if s.loss == "label" else w.targets,
        _label_loss if s.loss == "label" else _score_loss,
        partial(_checked, w, s.loss),
    )
    train(torch, task, s, seed, watch)


def _weights(w: Windows, loss: str) -> Floats:
    """What each row weighs, (n,)."""
    if loss == "score":
        return w.of.uniqueness
    most = float(np.quantile(w.of.gap[w.train], HIGH_GAP))
    return w.of.uniqueness * np.minimum(w.of.gap, most)


def _label_loss(torch: Any, made: Any, wanted: Any) -> Any:
    return torch.nn.functional.cross_entropy(made, wanted, reduction="none")


def _score_loss(torch: Any, made: Any, wanted: Any) -> Any:
    known = torch.isfinite(wanted)
    apart = torch.where(known, made - torch.nan_to_num(wanted).float(), 0.0)
    return (apart * apart).sum(dim=1) / known.sum(dim=1)


def _checked(w: Windows, loss: str, numbers: Floats) -> dict[str, Any]:
    """The score of the chosen arms over the validation rows, beside the static arm's."""
    rows = w.validation
    finite = bool(np.isfinite(numbers).all())
    chosen = numbers.argmax(axis=1)
    told: dict[str, Any] = {
        "score": float(w.won[rows, chosen].mean()) if finite else -math.inf,
        "static": float(w.won[rows, int(np.argmax(w.arm_means))].mean()),
        "entropy": _entropy(shares_of(numbers)) if loss == "label" else None,
    }
    shares = np.bincount(chosen, minlength=len(w.of.arms)) / len(rows)
    for arm, share in zip(w.of.arms.tolist(), shares.tolist(), strict=True):
        told[f"chosen_{arm:g}"] = share
    return told


def _entropy(shares: Floats) -> float:
    return float(-(shares * np.log(np.maximum(shares, 1e-300))).sum(axis=1).mean())
