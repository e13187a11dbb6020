"""The arrays of a network that was trained elsewhere, held against it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.drift import NO_LIMIT
from intrabar.engine.adjusted import sample
from intrabar.engine.tables.feature_table import probe_features
from intrabar.errors import RunError
from intrabar.exits.network import FARTHEST, LSTM, MOST_ROWS, Network, weights_of
from intrabar.exits.policy import Policy
from intrabar.exits.policy_arrays import BAR, POSITION, PROBE_BARS, PROBES, Probes
from intrabar.indicators.features import Features
from intrabar.learn.export import require_near
from intrabar.learn.passes import passes
from intrabar.model.bars import Floats

FREE = FARTHEST * 2.0**20  # standard deviations: farther than any feature; no bit is lost


class Layer(NamedTuple):
    """A layer of a network.

    Attributes
    ----------
    op : DENSE or LSTM
    weights : dict of name to array
        By torch's names.
    activation : NONE, TANH or RELU
    """

    op: int
    weights: dict[str, NDArray[np.float32]]
    activation: int


class Clipped(NamedTuple):
    """How a network was given its features: `clip((x - mean) / scale, -most, most)`.

    Attributes
    ----------
    mean, scale : (F,) float64
    most : float
        `FREE` where they were not clipped.
    """

    mean: Floats
    scale: Floats
    most: float


class Trades(NamedTuple):
    """What a policy is, beside its network.

    Attributes
    ----------
    features : Features
    arms : (K,) float64
    loss, when : str
        As those of `Policy`.
    calibration : float
    trained_until : ns UTC
    """

    features: Features
    arms: Floats
    loss: str
    when: str
    calibration: float
    trained_until: int


def policy_of(
    torch: Any, file: Path, layers: Sequence[Layer], normal: Clipped, trades: Trades, module: Any
) -> Policy:
    """A policy of layers that give what a module of torch gives, on windows at random.

    Raises
    ------
    RunError
        They do not, or its shapes are others than features and arms need.
    """
    features, arms = trades.features, trades.arms
    n, given = len(features.names), layers[-1].weights["weight"].shape[0]
    if normal.mean.shape != (n,) or normal.scale.shape != (n,):
        raise RunError(
            f"{file}: mean {normal.mean.shape}, scale {normal.scale.shape}; expected ({n},) each"
        )
    if len(layers) > MOST_ROWS or len(arms) != given:
        raise RunError(
            f"{file}: {len(layers)} layers (at most {MOST_ROWS}) that give {given} numbers; the "
            f"arms are {arms.tolist()}"
        )
    wider = normal.most / FARTHEST  # what is read is that much smaller, its weights larger
    position = POSITION if trades.when == "bar" else 0
    plan, weights = _flat(layers, n if position else None, wider)
    net = Network(plan, weights, features.signs, normal.mean, normal.scale * wider)
    inputs = np.random.default_rng(0).normal(size=(PROBES, features.window, n + position))
    inputs = np.clip(inputs, -FARTHEST, FARTHEST)
    try:
        with torch.no_grad():
            outputs = module(torch.from_numpy(inputs.astype(np.float32))).numpy()
    except RuntimeError as error:
        told = str(error).strip().splitlines()[-1]
        raise RunError(f"{file} does not read windows of {inputs.shape[1:]}: {told}") from None
    if outputs.shape != (PROBES, len(arms)):
        raise RunError(f"{file} gives {outputs.shape}, expected a number per arm for each window")
    inputs[:, :, :n] /= wider
    require_near(f"{file}, read as LSTM and dense layers,", passes(net, inputs), outputs)
    bars, known = _sample_bars(features)
    return Policy(
        features,
        trades.when,
        trades.loss,
        net,
        arms,
        np.zeros(len(arms)),
        trades.calibration,
        np.zeros((9, n)),
        NO_LIMIT,
        Probes(bars, known, inputs, outputs.astype(np.float64)),
        trades.trained_until,
        declared=True,
    )


def _flat(layers: Sequence[Layer], features: int | None, wider: float) -> tuple[Any, Any]:
    """Plan and weights; those of the first layer for features (None: for all) are multiplied."""
    plan, parts, place = [], [], 0
    for k, (op, weights, activation) in enumerate(layers):
        first = weights["weight_ih" if op == LSTM else "weight"].T.copy()
        if k == 0:
            first[:features] *= wider
        outputs = first.shape[1] // (4 if op == LSTM else 1)
        plan.append((op, len(first), outputs, place, activation))
        place += weights_of(op, len(first), outputs)
        rest = ("weight_hh", "bias_ih", "bias_hh") if op == LSTM else ("bias",)
        parts += [first, *(weights[x].T for x in rest)]
    flat = [np.ascontiguousarray(x, np.float32).ravel() for x in parts]
    return np.array(plan, np.int64), np.concatenate(flat)


def _sample_bars(features: Features) -> tuple[Any, Floats]:
    """Bars that wander, the same every time: by them the features are known again."""
    columns = sample(PROBE_BARS)
    bars = np.zeros(PROBE_BARS, BAR)
    bars["time"] = columns.close_time
    for name in ("open", "high", "low", "close", "volume"):
        bars[name] = getattr(columns, name)
    return bars, probe_features(features.text, bars)
