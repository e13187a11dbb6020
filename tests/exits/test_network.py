"""The forward pass against matrices written apart, and against itself as plain Python."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from intrabar.errors import RunError
from intrabar.exits import network as module
from intrabar.exits.network import (
    DENSE,
    LSTM,
    NONE,
    RELU,
    TANH,
    Network,
    check_plan,
    forward,
    highest,
    work_size,
)
from intrabar.kernel import plain
from tests.assembly import FUSED, assembly
from tests.exits import networks

ALONE = np.empty(0)
CASES: list[tuple[Network, int, int, int, int]] = [  # net, window, features, of position, arms
    (networks.perceptron(1, 5, 32, 32, 8), 1, 5, 0, 8),
    (networks.perceptron(2, 9, 16, 4, activation=RELU), 1, 5, 4, 4),
    (networks.network(3, 7, (DENSE, 84, 3, NONE)), 12, 7, 0, 3),
    (networks.recurrent(4, 8, 32, 8), 32, 8, 0, 8),
    (networks.recurrent(5, 1, 1, 2), 1, 1, 0, 2),
    (
        networks.network(6, 4, (LSTM, 4, 9, NONE), (LSTM, 9, 5, NONE), (DENSE, 5, 2, TANH)),
        6,
        4,
        0,
        2,
    ),
    (networks.network(7, 3, (LSTM, 3, 4, NONE)), 5, 3, 0, 4),
]


def cut(net: Network, features: int) -> Network:
    """The statistics of the features alone: the numbers of a position have none."""
    return net._replace(
        signs=net.signs[:features], mean=net.mean[:features], scale=net.scale[:features]
    )


def passed(
    run: Any, net: Network, past: NDArray[np.float64], side: int, position: NDArray[np.float64]
) -> tuple[bool, NDArray[np.float64]]:
    out = np.full(int(net.plan[-1, 2]), 99.0)
    work = np.full(work_size(net.plan, len(past), past.shape[1] + len(position)), math.nan)
    return bool(run(net, past, side, position, out, work)), out


@pytest.mark.parametrize(("net", "window", "features", "of_position", "arms"), CASES)
def test_as_matrices_give_it(
    net: Network, window: int, features: int, of_position: int, arms: int
) -> None:
    net, rng = cut(net, features), np.random.default_rng(11)
    check_plan(net.plan, len(net.weights), window, features + of_position, arms)
    for k in range(200):
        past = rng.normal(0.0, 2.0 if k % 2 else 30.0, (window, features))
        position, side = rng.normal(0.0, 4.0, of_position), 1 - 2 * (k % 2)
        known, out = passed(forward, net, past, side, position)
        assert known
        np.testing.assert_allclose(
            out, networks.forward(net, past, side, position), rtol=1e-12, atol=1e-12
        )


@pytest.mark.parametrize(("net", "window", "features", "of_position", "arms"), CASES)
def test_plain_python_has_the_bits_of_the_compiled_pass(
    net: Network,
    window: int,
    features: int,
    of_position: int,
    arms: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net, rng = cut(net, features), np.random.default_rng(12)
    past, position = rng.normal(0.0, 3.0, (window, features)), rng.normal(0.0, 3.0, of_position)
    compiled = passed(forward, net, past, -1, position)
    for name in ("sigmoid", "clipped", "add_products", "dense", "lstm", "normalise", "exp", "tanh"):
        monkeypatch.setattr(module, name, plain(getattr(module, name)))
    plainly = passed(plain(forward), net, past, -1, position)
    assert plainly[0] == compiled[0]
    assert plainly[1].tobytes() == compiled[1].tobytes()


CODE = """
import numpy as np
from intrabar.exits import network as n
from tests.assembly import FUSED, assembly
from tests.exits import networks
net = networks.recurrent(1, 5, 32, 8)
n.forward(net, np.zeros((4, 5)), 1, np.empty(0), np.empty(8), np.empty(n.work_size(net.plan, 4, 5)))
show(n.forward, n.lstm, n.dense, n.add_products, n.normalise)
"""


def test_no_fused_multiply_add_in_the_pass(tmp_path: Path) -> None:
    text = assembly(CODE, tmp_path)
    assert len(text) > 10_000
    assert FUSED.search(text) is None


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_nothing_is_decided_by_what_is_no_number(bad: float) -> None:
    net, window, features, of_position, _ = CASES[3]
    past = np.ones((window, features))
    assert passed(forward, net, past, 1, ALONE)[0]
    past[0, 3] = bad
    assert not passed(forward, net, past, 1, ALONE)[0]
    net, window, features, of_position, _ = CASES[1]
    position = np.ones(of_position)
    position[2] = bad
    assert not passed(forward, cut(net, features), np.ones((1, features)), 1, position)[0]


def test_nothing_is_decided_by_what_overflows() -> None:
    net = networks.perceptron(1, 2, *[256] * 7, 2, activation=NONE)
    net = net._replace(weights=np.full(len(net.weights), 3e38, np.float32))
    check_plan(net.plan, len(net.weights), 1, 2, 2)
    huge = net._replace(mean=np.zeros(2), scale=np.ones(2), signs=np.zeros(2, np.int8))
    known, out = passed(forward, huge, np.full((1, 2), 4.0), 1, ALONE)
    assert not known
    assert not np.isfinite(out).all()


def test_of_equal_scores_the_first() -> None:
    assert highest(np.array([1.0, 3.0, 3.0])) == 1
    assert highest(np.array([0.0, -0.0, 0.0])) == 0
    assert highest(np.array([-2.0])) == 0


GOOD = networks.recurrent(4, 8, 32, 8)


@pytest.mark.parametrize(
    ("row", "column", "value", "says"),
    [
        (0, 0, 2, "plan row 0: op 2; expected 0"),
        (0, 1, 9, "plan row 0: 9 numbers in, 32 out; expected 8 in"),
        (0, 2, 300, "plan is 300 wide; at most 256"),
        (0, 4, 1, "plan row 0: activation 1; expected 0"),
        (0, 3, -1, "plan row 0: its weights begin at -1; expected 0"),
        (1, 0, 1, "weights: 5640 numbers; expected 6720, as the plan needs"),
        (1, 2, 7, "plan: 7 numbers come out; expected 8, one per arm"),
        (1, 2, 0, "plan row 1: 32 numbers in, 0 out"),
        (1, 3, 5000, "plan row 1: its weights begin at 5000; expected 5376"),
        (1, 4, 3, "plan row 1: activation 3"),
    ],
)
def test_a_plan_that_cannot_be_walked_is_refused(
    row: int, column: int, value: int, says: str
) -> None:
    plan = GOOD.plan.copy()
    check_plan(plan, len(GOOD.weights), 32, 8, 8)
    plan[row, column] = value
    with pytest.raises(RunError) as refused:
        check_plan(plan, len(GOOD.weights), 32, 8, 8)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("plan", "window", "says"),
    [
        (GOOD.plan[:0], 32, "plan has 0 rows; expected 1 to 8"),
        (np.repeat(GOOD.plan, 5, axis=0), 32, "plan has 10 rows; expected 1 to 8"),
        (GOOD.plan, 513, "window is 513 bars; expected 1 to 512"),
        (GOOD.plan[::-1], 32, "plan row 0: 32 numbers in, 8 out; expected 256 in"),
    ],
)
def test_limits(plan: NDArray[np.int64], window: int, says: str) -> None:
    with pytest.raises(RunError) as refused:
        check_plan(plan, len(GOOD.weights), window, 8, 8)
    assert says in str(refused.value)


def test_an_lstm_after_a_dense_layer_is_refused() -> None:
    net = networks.network(1, 4, (DENSE, 4, 4, NONE), (LSTM, 4, 2, NONE))
    with pytest.raises(RunError, match="plan row 1: op 1"):
        check_plan(net.plan, len(net.weights), 1, 4, 2)


def test_one_weight_too_few_is_refused() -> None:
    with pytest.raises(RunError, match="weights: 5639 numbers; expected 5640"):
        check_plan(GOOD.plan, len(GOOD.weights) - 1, 32, 8, 8)
