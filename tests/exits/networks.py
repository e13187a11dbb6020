"""Networks with weights at random, and their forward pass in plain NumPy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from intrabar.exits.network import DENSE, LSTM, NONE, RELU, TANH, Network, weights_of

Array = NDArray[np.float64]


def network(seed: int, features: int, *layers: tuple[int, int, int, int]) -> Network:
    """Weights at random for layers of (op, in, out, activation)."""
    rng = np.random.default_rng(seed)
    counts = [weights_of(op, size, n) for op, size, n, _ in layers]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    plan = [
        (op, size, n, offset, activation)
        for (op, size, n, activation), offset in zip(layers, offsets[:-1].tolist(), strict=True)
    ]
    return Network(
        np.array(plan, dtype=np.int64),
        rng.normal(0.0, 0.4, int(offsets[-1])).astype(np.float32),
        (np.arange(features) % 2).astype(np.int8),
        rng.normal(0.0, 0.2, features),
        rng.uniform(0.5, 2.0, features),
    )


def perceptron(seed: int, features: int, *widths: int, activation: int = TANH) -> Network:
    """Dense layers; the last without an activation."""
    inner = [(DENSE, a, b, activation) for a, b in pairwise((features, *widths[:-1]))]
    return network(seed, features, *inner, (DENSE, widths[-2], widths[-1], NONE))


def recurrent(seed: int, features: int, units: int, arms: int) -> Network:
    """An LSTM, and a dense layer on its last state."""
    return network(seed, features, (LSTM, features, units, NONE), (DENSE, units, arms, NONE))


def forward(net: Network, past: Array, side: int, position: Array) -> Array:
    """The pass in matrices: other code, other order of sums."""
    signed = np.where(net.signs == 1, side * past, past)
    rows = np.clip((signed - net.mean) / net.scale, -5.0, 5.0)
    x = np.hstack([rows, np.tile(np.clip(position, -5.0, 5.0), (len(rows), 1))])
    for number, (op, size, n, offset, activation) in enumerate(net.plan.tolist()):
        parts = net.weights[offset : offset + weights_of(op, size, n)].astype(np.float64)
        if op == LSTM:
            x = lstm(parts, x, size, n)
            continue
        x = x.reshape(-1) if number == 0 else x if x.ndim == 1 else x[-1]
        x = x @ parts[: size * n].reshape(size, n) + parts[size * n :]
        x = {NONE: x, TANH: np.tanh(x), RELU: np.maximum(x, 0.0)}[activation]
    return x if x.ndim == 1 else x[-1]


def lstm(parts: Array, x: Array, size: int, n: int) -> Array:
    """The equations of torch.nn.LSTM."""
    inward, parts = parts[: 4 * size * n].reshape(size, 4 * n), parts[4 * size * n :]
    onward, biases = parts[: 4 * n * n].reshape(n, 4 * n), parts[4 * n * n :].reshape(2, 4 * n)
    h, c, states = np.zeros(n), np.zeros(n), []
    for row in x:
        i, f, g, o = np.split(row @ inward + h @ onward + biases.sum(axis=0), 4)
        c = 1.0 / (1.0 + np.exp(-f)) * c + 1.0 / (1.0 + np.exp(-i)) * np.tanh(g)
        h = 1.0 / (1.0 + np.exp(-o)) * np.tanh(c)
        states.append(h)
    return np.array(states)
