"""What learned exits cost: the marks of a forward pass, in CPU time, on one thread.

Each pass is over another window. The networks have weights at random: a pass costs the same
whatever they are.

Usage: learning.py
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from intrabar.exits.network import DENSE, LSTM, NONE, TANH, Network, forward, weights_of, work_size
from intrabar.kernel import kernel

WINDOWS, ROUNDS, ARMS = 2_000, 5, 8

Layers = tuple[tuple[int, int, int, int], ...]  # op, in, out, activation
MLP: Layers = ((DENSE, 5, 32, TANH), (DENSE, 32, 32, TANH), (DENSE, 32, ARMS, NONE))
RECURRENT: Layers = ((LSTM, 8, 32, NONE), (DENSE, 32, ARMS, NONE))
MARKS = (("MLP 32x32, 5 features", 1, MLP, 1.5), ("LSTM 32 units, 32 bars", 32, RECURRENT, 40.0))


@kernel
def all_windows(net: Any, table: Any, window: int, position: Any, out: Any, work: Any) -> float:
    total = 0.0
    for i in range(table.shape[0] - window):
        forward(net, table[i : i + window], 1, position, out, work)
        total += out[0]
    return total


def network(layers: Layers, rng: np.random.Generator) -> Network:
    plan, place = [], 0
    for op, size, out, activation in layers:
        plan.append((op, size, out, place, activation))
        place += weights_of(op, size, out)
    features = layers[0][1]
    return Network(
        np.array(plan, np.int64),
        rng.normal(0.0, 0.3, place).astype(np.float32),
        np.ones(features, np.int8),
        np.zeros(features),
        np.ones(features),
    )


def microseconds(window: int, layers: Layers) -> float:
    """The best of `ROUNDS`, of one pass."""
    rng = np.random.default_rng(0)
    net, features = network(layers, rng), layers[0][1]
    table, alone, out = rng.normal(size=(WINDOWS + window, features)), np.empty(0), np.empty(ARMS)
    work = np.empty(work_size(net.plan, window, features))
    all_windows(net, table[: window + 1], window, alone, out, work)
    rounds = []
    for _ in range(ROUNDS):
        before = time.process_time()
        all_windows(net, table, window, alone, out, work)
        rounds.append(time.process_time() - before)
    return min(rounds) / WINDOWS * 1e6


if __name__ == "__main__":
    for name, window, layers, bound in MARKS:
        print(f"{name}: {microseconds(window, layers):.2f} us a pass, bound {bound} us")
