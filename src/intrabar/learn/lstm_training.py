"""Training an LSTM on windows: one seed, epoch by epoch, from any epoch on."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.learn.calibrate import shares_of
from intrabar.learn.lstm_net import arrays_of, module_of, put_into
from intrabar.learn.window_arrays import Windows
from intrabar.model.bars import Floats
from intrabar.model.values import Bounds, choice, number, whole

CHECKED = 8_192  # windows in one pass without gradients
HIGH_GAP = 0.95  # quantile at which the gap of a row counts no more
Arrays = dict[str, NDArray[np.float32]]
Watch = Callable[[int, int], None]
"""Called with the windows done and the windows there may be."""


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


@dataclass(eq=False)
class Seed:
    """A seed that is trained, or was.

    Parameters
    ----------
    seed : int
    epoch : int
        Epochs done.
    score : float
        The highest mean score of the chosen arms over the validation rows; -inf before a check.
    best : dict of name to array or None
        The weights of that check.
    curve : list of dict
        A row per epoch.
    stopped : str
        Why it is done; "" while it is not.
    going : dict
        What it goes on with: weights, state of Adam, of the order of rows.
    """

    seed: int
    epoch: int = 0
    score: float = -math.inf
    best: Arrays | None = None
    curve: list[dict[str, Any]] = field(default_factory=list)
    stopped: str = ""
    going: dict[str, Any] = field(default_factory=dict)


def train_seed(
    torch: Any, w: Windows, s: LstmSettings, seed: Seed, watch: Watch | None = None
) -> None:
    """Train a seed to its end; a `KeyboardInterrupt` leaves it as the last whole epoch did.

    Parameters
    ----------
    torch
        Inside `exact`.
    w : Windows
    s : LstmSettings
    seed : Seed
        Changed.
    watch : callable or None
    """
    torch.manual_seed(seed.seed)
    module = module_of(len(w.of.features.names), s.units, len(w.of.arms))
    adam = torch.optim.Adam(module.parameters(), lr=s.rate)
    order = np.random.default_rng(seed.seed)
    if seed.going:
        put_into(module, seed.going["weights"])
        adam.load_state_dict(seed.going["adam"])
        order.bit_generator.state = seed.going["order"]
    rows, weight = w.train, _weights(w, s.loss)
    target = w.of.label if s.loss == "label" else w.targets
    while not seed.stopped:
        shuffled = rows[order.permutation(len(rows))]
        loss, steps = _epoch(torch, module, adam, w, s, shuffled, weight, target)
        if not math.isfinite(loss):
            step = math.ceil(len(rows) / s.batch) * seed.epoch + steps
            seed.stopped = f"the loss is not finite at step {step:,} of seed {seed.seed}"
            return
        _check(torch, module, w, s, seed, loss)
        seed.going = {
            "weights": arrays_of(module),
            "adam": deepcopy(adam.state_dict()),  # the next epoch changes it
            "order": order.bit_generator.state,
        }
        if watch is not None:
            watch(seed.epoch * len(rows), s.epochs * len(rows))


def _weights(w: Windows, loss: str) -> Floats:
    """What each row weighs, (n,)."""
    if loss == "score":
        return w.of.uniqueness
    most = float(np.quantile(w.of.gap[w.train], HIGH_GAP))
    return w.of.uniqueness * np.minimum(w.of.gap, most)


def _epoch(
    torch: Any, module: Any, adam: Any, w: Windows, s: LstmSettings, rows: Any, weight: Any, to: Any
) -> tuple[float, int]:
    """Each row once: the mean loss, NaN at once where one is not finite, and the steps made."""
    module.train()
    total, steps = 0.0, 0
    for at in range(0, len(rows), s.batch):
        part = rows[at : at + s.batch]
        made = module(torch.from_numpy(w.cut(part)))
        wanted = torch.from_numpy(to[part])
        weighs = torch.from_numpy(weight[part]).float()
        if s.loss == "label":
            each = torch.nn.functional.cross_entropy(made, wanted, reduction="none")
        else:
            known = torch.isfinite(wanted)
            apart = torch.where(known, made - torch.nan_to_num(wanted).float(), 0.0)
            each = (apart * apart).sum(dim=1) / known.sum(dim=1)
        loss = (weighs * each).sum() / weighs.sum().clamp(min=1e-12)
        value, steps = float(loss.detach()), steps + 1
        if not math.isfinite(value):
            return math.nan, steps
        adam.zero_grad()
        loss.backward()
        adam.step()
        total += value * len(part)
    return total / len(rows), steps


def _check(torch: Any, module: Any, w: Windows, s: LstmSettings, seed: Seed, loss: float) -> None:
    """Score the chosen arms over the validation rows, and keep the weights of the best check."""
    rows = w.validation
    numbers = numbers_of(torch, module, w, rows)
    seed.epoch += 1
    finite = bool(np.isfinite(numbers).all())
    chosen = numbers.argmax(axis=1)
    score = float(w.won[rows, chosen].mean()) if finite else -math.inf
    static = int(np.argmax(w.arm_means))
    shares = np.bincount(chosen, minlength=len(w.of.arms)) / len(rows)
    told: dict[str, Any] = {"seed": seed.seed, "step": seed.epoch, "score": score, "loss": loss}
    told["static"] = float(w.won[rows, static].mean())
    told["entropy"] = _entropy(shares_of(numbers)) if s.loss == "label" else None
    for arm, share in zip(w.of.arms.tolist(), shares.tolist(), strict=True):
        told[f"chosen_{arm:g}"] = share
    seed.curve.append(told)
    if score > seed.score:
        seed.score, seed.best = score, arrays_of(module)
    best_at = max(range(len(seed.curve)), key=lambda k: (seed.curve[k]["score"], -k))
    if seed.epoch - 1 - best_at >= s.patience:
        seed.stopped = f"{s.patience} epochs without a higher score"
    elif seed.epoch >= s.epochs:
        seed.stopped = f"{s.epochs} epochs"


def _entropy(shares: Floats) -> float:
    return float(-(shares * np.log(np.maximum(shares, 1e-300))).sum(axis=1).mean())


def numbers_of(torch: Any, module: Any, w: Windows, rows: NDArray[np.int64]) -> Floats:
    """What the module gives for some rows, (k, K) float64."""
    module.eval()
    parts = []
    with torch.no_grad():
        for at in range(0, len(rows), CHECKED):
            made = module(torch.from_numpy(w.cut(rows[at : at + CHECKED])))
            parts.append(made.numpy().astype(np.float64))
    return np.concatenate(parts)
