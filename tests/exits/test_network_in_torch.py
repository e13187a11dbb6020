"""The forward pass against torch's own layers, in float64 and in float32."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from intrabar.exits.network import DENSE, LSTM, NONE, RELU, TANH, Network, forward, work_size

Array = NDArray[np.float64]
CLEAR = 1e-5  # between the best two, in float32


def weights(part: torch.Tensor) -> Array:
    return part.detach().numpy().astype(np.float64)


def as_network(module: nn.Module, plan: list[tuple[int, ...]], parts: list[Array]) -> Network:
    """Our arrays of torch's: input-major, biases last."""
    flat = np.concatenate([part.ravel() for part in parts]).astype(np.float32)
    features = plan[0][1]
    ones, none = np.ones(features), np.zeros(features)
    return Network(np.array(plan, np.int64), flat, np.zeros(features, np.int8), none, ones)


def perceptron(
    seed: int, widths: tuple[int, ...], activation: int
) -> tuple[nn.Sequential, Network]:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    plan, parts, offset = [], [], 0
    for number, (a, b) in enumerate(pairwise(widths)):
        one, is_last = nn.Linear(a, b), number == len(widths) - 2
        layers.append(one)
        if not is_last:
            layers.append(nn.Tanh() if activation == TANH else nn.ReLU())
        plan.append((DENSE, a, b, offset, NONE if is_last else activation))
        parts += [weights(one.weight).T, weights(one.bias)]
        offset += a * b + b
    module = nn.Sequential(*layers)
    return module, as_network(module, plan, parts)


class Recurrent(nn.Module):
    def __init__(self, features: int, units: int, arms: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(features, units, batch_first=True)
        self.out = nn.Linear(units, arms)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states, _ = self.lstm(x)
        return self.out(states[:, -1])  # type: ignore[no-any-return]


def recurrent(seed: int, features: int, units: int, arms: int) -> tuple[Recurrent, Network]:
    torch.manual_seed(seed)
    module = Recurrent(features, units, arms)
    lstm = module.lstm
    first = 4 * units * (features + units + 2)
    plan = [(LSTM, features, units, 0, NONE), (DENSE, units, arms, first, NONE)]
    parts = [
        weights(lstm.weight_ih_l0).T,
        weights(lstm.weight_hh_l0).T,
        weights(lstm.bias_ih_l0),
        weights(lstm.bias_hh_l0),
        weights(module.out.weight).T,
        weights(module.out.bias),
    ]
    return module, as_network(module, plan, parts)


CASES = {
    "32x32 of tanh": (perceptron(1, (5, 32, 32, 8), TANH), 1),
    "64 of relu over a window": (perceptron(2, (4 * 5, 64, 4), RELU), 4),
    "an LSTM of 32": (recurrent(3, 8, 32, 8), 32),
    "an LSTM of 7": (recurrent(4, 3, 7, 2), 11),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_torch(name: str) -> None:
    (module, net), window = CASES[name]
    rng, torch_threads = np.random.default_rng(7), torch.get_num_threads()
    torch.set_num_threads(1)
    recurs = isinstance(module, Recurrent)
    features = int(net.plan[0, 1]) if recurs else int(net.plan[0, 1]) // window
    net = net._replace(
        signs=np.zeros(features, np.int8), mean=np.zeros(features), scale=np.ones(features)
    )
    arms = int(net.plan[-1, 2])
    # Within +-5, as they are clipped, and the extremes.
    x = np.clip(rng.normal(0.0, 2.0, (10_000, window, features)), -5.0, 5.0)
    x[:3] = np.array([5.0, -5.0, 0.0])[:, None, None]
    ours = np.empty((len(x), arms))
    work = np.empty(work_size(net.plan, window, features))
    for past, out in zip(x, ours, strict=True):
        assert forward(net, past, 1, np.empty(0), out, work)
    inputs = torch.from_numpy(x if recurs else x.reshape(len(x), -1))
    with torch.no_grad():
        wide = module.double()(inputs).numpy()
        narrow = module.float()(inputs.float()).numpy().astype(np.float64)
    torch.set_num_threads(torch_threads)
    np.testing.assert_allclose(ours, wide, rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(ours, narrow, rtol=0.0, atol=1e-5)
    best = np.sort(narrow, axis=1)
    clear = best[:, -1] - best[:, -2] > CLEAR
    assert clear.mean() > 0.99
    assert (ours.argmax(axis=1) == narrow.argmax(axis=1))[clear].all()
    assert math.isfinite(float(np.abs(ours).max()))
