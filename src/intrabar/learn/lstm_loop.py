"""The loop in which an LSTM is trained: one seed, epoch by epoch, from any epoch on."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from intrabar.learn.lstm_net import arrays_of, module_of, put_into
from intrabar.learn.watch import Watch
from intrabar.model.bars import Floats

CHECKED = 8_192  # windows in one pass without gradients
Arrays = dict[str, NDArray[np.float32]]


class Pace(Protocol):
    """How it is trained, whatever on: `LstmSettings` has it."""

    @property
    def units(self) -> int: ...  # noqa: D102
    @property
    def rate(self) -> float: ...  # noqa: D102
    @property
    def batch(self) -> int: ...  # noqa: D102
    @property
    def epochs(self) -> int: ...  # noqa: D102
    @property
    def patience(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Task:
    """What is learned.

    Parameters
    ----------
    inputs, outputs : int
        Numbers per bar, and numbers that come out.
    train, validation : (n,) int64
        Rows.
    cut : callable
        The windows of some rows, (k, L, F) float32.
    weight : (n,) float64
        Of each row.
    target : (n, ...) array
    loss : callable
        Of (torch, numbers, targets): the loss of each row.
    check : callable
        Of the numbers of the validation rows: what the curve says of them, `score` among it.
    """

    inputs: int
    outputs: int
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    cut: Callable[[NDArray[np.int64]], NDArray[np.float32]]
    weight: Floats
    target: NDArray[Any]
    loss: Callable[[Any, Any, Any], Any]
    check: Callable[[Floats], dict[str, Any]]


@dataclass(eq=False)
class Seed:
    """A seed that is trained, or was.

    Parameters
    ----------
    seed : int
    epoch : int
        Epochs done.
    score : float
        The highest of its checks; -inf before a check.
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


def train(torch: Any, task: Task, s: Pace, seed: Seed, watch: Watch | None = None) -> None:
    """Train a seed to its end; a `KeyboardInterrupt` leaves it as the last whole epoch did.

    Parameters
    ----------
    torch
        Inside `exact`.
    task : Task
    s : Pace
    seed : Seed
        Changed.
    watch : callable or None
    """
    torch.manual_seed(seed.seed)
    module = module_of(task.inputs, s.units, task.outputs)
    adam = torch.optim.Adam(module.parameters(), lr=s.rate)
    order = np.random.default_rng(seed.seed)
    if seed.going:
        put_into(module, seed.going["weights"])
        adam.load_state_dict(seed.going["adam"])
        order.bit_generator.state = seed.going["order"]
    rows = task.train
    while not seed.stopped:
        shuffled = rows[order.permutation(len(rows))]
        loss, steps = _epoch(torch, module, adam, task, s.batch, shuffled)
        if not math.isfinite(loss):
            step = math.ceil(len(rows) / s.batch) * seed.epoch + steps
            seed.stopped = f"the loss is not finite at step {step:,} of seed {seed.seed}"
            return
        _check(torch, module, task, s, seed, loss)
        seed.going = {
            "weights": arrays_of(module),
            "adam": deepcopy(adam.state_dict()),  # the next epoch changes it
            "order": order.bit_generator.state,
        }
        if watch is not None:
            watch(seed.epoch * len(rows), s.epochs * len(rows))


def _epoch(
    torch: Any, module: Any, adam: Any, task: Task, batch: int, rows: NDArray[np.int64]
) -> tuple[float, int]:
    """Each row once: the mean loss, NaN at once where one is not finite, and the steps made."""
    module.train()
    total, steps = 0.0, 0
    for at in range(0, len(rows), batch):
        part = rows[at : at + batch]
        made = module(torch.from_numpy(task.cut(part)))
        each = task.loss(torch, made, torch.from_numpy(task.target[part]))
        weighs = torch.from_numpy(task.weight[part]).float()
        loss = (weighs * each).sum() / weighs.sum().clamp(min=1e-12)
        value, steps = float(loss.detach()), steps + 1
        if not math.isfinite(value):
            return math.nan, steps
        adam.zero_grad()
        loss.backward()
        adam.step()
        total += value * len(part)
    return total / len(rows), steps


def _check(torch: Any, module: Any, task: Task, s: Pace, seed: Seed, loss: float) -> None:
    """Score the validation rows, and keep the weights of the best check."""
    told = task.check(numbers_of(torch, module, task.cut, task.validation))
    seed.epoch += 1
    score = float(told["score"])
    seed.curve.append({"seed": seed.seed, "step": seed.epoch, "loss": loss, **told})
    if score > seed.score:
        seed.score, seed.best = score, arrays_of(module)
    best_at = max(range(len(seed.curve)), key=lambda k: (seed.curve[k]["score"], -k))
    if seed.epoch - 1 - best_at >= s.patience:
        seed.stopped = f"{s.patience} epochs without a higher score"
    elif seed.epoch >= s.epochs:
        seed.stopped = f"{s.epochs} epochs"


def numbers_of(
    torch: Any,
    module: Any,
    cut: Callable[[NDArray[np.int64]], NDArray[np.float32]],
    rows: NDArray[np.int64],
) -> Floats:
    """What the module gives for some rows, (k, K) float64."""
    module.eval()
    parts = []
    with torch.no_grad():
        for at in range(0, len(rows), CHECKED):
            made = module(torch.from_numpy(cut(rows[at : at + CHECKED])))
            parts.append(made.numpy().astype(np.float64))
    return np.concatenate(parts)
