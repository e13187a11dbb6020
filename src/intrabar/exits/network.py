"""The forward pass of a small network over flat weights: what a learned exit trades.

A plan has a row per layer: what it is, how many numbers go in and come out, where its weights
begin, and what is done to what comes out. Plan and weights are numbers of the run: another
network needs no compiling. Sums run in the order of the inputs, in float64, with our own `exp`
and `tanh` (`indicators.elementary`), so compiled and interpreted passes have equal bits.

`LSTM` rows come first: each reads a row of numbers per bar and gives one (Hochreiter and
Schmidhuber, Neural Computation 9, 1997), from a state of zeros at the window's first bar. The
first `DENSE` row reads the last of them; without one, the whole window, oldest bar first.

Weights lie input-major: all weights of the first input, then those of the second. A `DENSE` row
has (in, out) of them and `out` biases; an `LSTM` row (in, 4 out), (out, 4 out) and twice 4 out
biases, with the gates of torch in the order i, f, g, o.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import RunError
from intrabar.indicators.elementary import exp, tanh
from intrabar.indicators.indicator import Floats
from intrabar.kernel import inlined, kernel

DENSE, LSTM = 0, 1
NONE, TANH, RELU = 0, 1, 2
OP, IN, OUT, OFFSET, ACTIVATION = range(5)  # the columns of a plan

MOST_ROWS, MOST_WIDTH, MOST_WINDOW = 8, 256, 512
FARTHEST = 5.0  # an input, in standard deviations

Weights = NDArray[np.float32]
Plan = NDArray[np.int64]


class Network(NamedTuple):
    """The arrays of a network that a kernel reads.

    Attributes
    ----------
    plan : (k, 5) int64
        Rows of (op, in, out, offset, activation).
    weights : (n,) float32
    signs : (F,) int8
        1 for a feature that is multiplied by the side, else 0.
    mean, scale : (F,) float64
        Of the features, after the side; of the training rows alone.
    """

    plan: Plan
    weights: Weights
    signs: NDArray[np.int8]
    mean: Floats
    scale: Floats


def weights_of(op: int, inputs: int, outputs: int) -> int:
    """How many weights a layer has."""
    return 4 * outputs * (inputs + outputs + 2) if op == LSTM else outputs * (inputs + 1)


def work_size(plan: Plan, window: int, inputs: int) -> int:
    """How many float64 numbers of scratch `forward` needs."""
    widest = max(inputs, int(plan[:, OUT].max()))
    return (2 * window + 5) * widest


def check_plan(plan: Plan, weights: int, window: int, inputs: int, outputs: int) -> None:
    """Refuse a plan that `forward` cannot walk.

    Parameters
    ----------
    plan : (k, 5) int64
    weights : int
        How many there are.
    window : bars
    inputs : int
        Numbers per bar: the features, and those of the position.
    outputs : int
        Numbers that come out: one per arm.

    Raises
    ------
    RunError
        Names the array, the row and what was expected.
    """
    beyond = ""
    if not 1 <= len(plan) <= MOST_ROWS:
        beyond = f"plan has {len(plan)} rows; expected 1 to {MOST_ROWS}"
    elif not 1 <= window <= MOST_WINDOW:
        beyond = f"window is {window} bars; expected 1 to {MOST_WINDOW}"
    elif max(inputs, *plan[:, OUT].tolist()) > MOST_WIDTH:
        beyond = f"plan is {max(inputs, *plan[:, OUT].tolist())} wide; at most {MOST_WIDTH}"
    if beyond:
        raise RunError(beyond)
    known, sequence, place = inputs, True, 0
    for number, (op, size, out, offset, activation) in enumerate(plan.tolist()):
        row = f"plan row {number}"
        if op not in (DENSE, LSTM) or (op == LSTM and not sequence):
            raise RunError(f"{row}: op {op}; expected {DENSE} (dense), or {LSTM} (LSTM) before it")
        if activation not in ((NONE,) if op == LSTM else (NONE, TANH, RELU)):
            raise RunError(
                f"{row}: activation {activation}; expected {NONE} (none), or of a dense layer "
                f"{TANH} (tanh) or {RELU} (relu)"
            )
        flat = number == 0 and op == DENSE
        expected = known * window if flat else known
        if size != expected or out < 1:
            raise RunError(f"{row}: {size} numbers in, {out} out; expected {expected} in, 1 out")
        if offset != place:
            raise RunError(f"{row}: its weights begin at {offset}; expected {place}")
        place += weights_of(op, size, out)
        known, sequence = out, op == LSTM
    if known != outputs:
        raise RunError(f"plan: {known} numbers come out; expected {outputs}, one per arm")
    if weights != place:
        raise RunError(f"weights: {weights} numbers; expected {place}, as the plan needs")


@inlined
def sigmoid(x: float) -> float:
    """The logistic function."""
    return 1.0 / (1.0 + exp(-x))


@inlined
def clipped(x: float) -> float:
    """A number within `FARTHEST`; NaN stays."""
    x = FARTHEST if x > FARTHEST else x
    return -FARTHEST if x < -FARTHEST else x


@kernel
def add_products(weights: Weights, start: int, x: Floats, out: Floats) -> None:
    """Add to each of `out` the products of `x` and its weights, in the order of `x`."""
    n = out.shape[0]
    for i in range(x.shape[0]):
        one, row = x[i], weights[start + i * n : start + (i + 1) * n]
        for j in range(n):
            out[j] += one * np.float64(row[j])


@kernel
def dense(weights: Weights, start: int, activation: int, x: Floats, out: Floats) -> None:
    """One dense layer."""
    n = out.shape[0]
    biases = weights[start + x.shape[0] * n : start + (x.shape[0] + 1) * n]
    for j in range(n):
        out[j] = np.float64(biases[j])
    add_products(weights, start, x, out)
    if activation == TANH:
        for j in range(n):
            out[j] = tanh(out[j])
    elif activation == RELU:
        for j in range(n):
            out[j] = 0.0 if out[j] < 0.0 else out[j]


@kernel
def lstm(weights: Weights, start: int, x: Floats, states: Floats, work: Floats) -> None:
    """One LSTM layer over a window.

    Parameters
    ----------
    weights, start
        All weights, and where this layer's begin.
    x : (L, in)
    states : (L, out)
        Written: what comes out at each bar.
    work : (5 out,)
        Scratch: the gates, and the cell.
    """
    size, n = x.shape[1], states.shape[1]
    recurrent = start + 4 * n * size
    first = weights[recurrent + 4 * n * n : recurrent + 4 * n * (n + 1)]
    second = weights[recurrent + 4 * n * (n + 1) : recurrent + 4 * n * (n + 2)]
    gates, cell = work[: 4 * n], work[4 * n : 5 * n]
    cell[:] = 0.0
    for t in range(x.shape[0]):
        for j in range(4 * n):
            gates[j] = np.float64(first[j]) + np.float64(second[j])
        add_products(weights, start, x[t], gates)
        if t > 0:
            add_products(weights, recurrent, states[t - 1], gates)
        state = states[t]
        for j in range(n):
            kept = sigmoid(gates[n + j]) * cell[j]
            cell[j] = kept + sigmoid(gates[j]) * tanh(gates[2 * n + j])
            state[j] = sigmoid(gates[3 * n + j]) * tanh(cell[j])


@kernel
def normalise(net: Any, past: Floats, side: int, position: Floats, out: Floats) -> bool:
    """The inputs of a pass, and whether each is a number.

    Parameters
    ----------
    net : Network
    past : (L, F)
        Rows of the feature table.
    side : 1 or -1
    position : (0,) or (4,)
        What is known of the own position; clipped, not normalised.
    out : (L, F + len(position))
        Written: `clip((x - mean) / scale, -5, 5)`, with x times the side where it is signed.
    """
    features = past.shape[1]
    known = True
    for t in range(past.shape[0]):
        for f in range(features):
            x = past[t, f]
            known = known and math.isfinite(x)
            x = side * x if net.signs[f] != 0 else x
            out[t, f] = clipped((x - net.mean[f]) / net.scale[f])
        for f in range(position.shape[0]):
            known = known and math.isfinite(position[f])
            out[t, features + f] = clipped(position[f])
    return known


@kernel
def forward(net: Any, past: Floats, side: int, position: Floats, out: Floats, work: Floats) -> bool:
    """One pass: a number per arm, and whether they are numbers to decide by.

    Parameters
    ----------
    net : Network
        Checked by `check_plan`.
    past : (L, F)
        The last `window` rows of the feature table, the decision's bar last.
    side : 1 or -1
    position : (0,) or (4,)
    out : (K,)
        Written: what the last layer gives.
    work : (work_size(...),)
        Scratch.

    Returns
    -------
    bool
        False where an input is NaN or infinite, or what comes out is: no decision.
    """
    window, size = past.shape[0], past.shape[1] + position.shape[0]
    widest = max(size, np.max(net.plan[:, OUT]))
    room = window * widest
    here, there, rest = work[:room], work[room : 2 * room], work[2 * room :]
    if not normalise(net, past, side, position, here[: window * size].reshape(window, size)):
        return False
    begin, count = 0, window * size  # where what comes into the next layer lies
    for k in range(net.plan.shape[0]):
        n, start = net.plan[k, OUT], net.plan[k, OFFSET]
        if net.plan[k, OP] == LSTM:
            x = here[: window * size].reshape(window, size)
            lstm(net.weights, start, x, there[: window * n].reshape(window, n), rest)
            begin, count = (window - 1) * n, n
        else:
            x = here[begin : begin + count]
            dense(net.weights, start, net.plan[k, ACTIVATION], x, there[:n])
            begin, count = 0, n
        here, there, size = there, here, n
    known = True
    for j in range(count):
        out[j] = here[begin + j]
        known = known and math.isfinite(out[j])
    return known


@kernel
def highest(scores: Floats) -> int:
    """The place of the highest score; of equal ones, the first."""
    best = 0
    for a in range(1, scores.shape[0]):
        if scores[a] > scores[best]:
            best = a
    return best
