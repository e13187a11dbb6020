"""The network of the PPO exit: two hidden layers, a logit per arm; as a policy keeps it."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.exits.network import DENSE, NONE, TANH, Plan, Weights

UNITS = (32, 32)
Layers = list[tuple[NDArray[np.float32], NDArray[np.float32]]]


def layers_of(policy: Any) -> Layers:
    """Weights (out, in) and biases of the actor of a policy of stable-baselines3, copied."""
    modules = [m for m in policy.mlp_extractor.policy_net if hasattr(m, "weight")]
    return [
        tuple(x.detach().cpu().numpy().copy() for x in (m.weight, m.bias))
        for m in (*modules, policy.action_net)
    ]


def flat(layers: Layers) -> tuple[Plan, Weights]:
    """Plan and weights of `exits.network`: dense layers with tanh but for the last, input-major."""
    plan, parts, place = [], [], 0
    for k, (weight, bias) in enumerate(layers):
        out, size = weight.shape
        activation = NONE if k == len(layers) - 1 else TANH
        plan.append((DENSE, size, out, place, activation))
        parts += [np.ascontiguousarray(weight.T).ravel(), bias]
        place += out * (size + 1)
    return np.array(plan, np.int64), np.concatenate(parts).astype(np.float32)


@cache
def _kind() -> Any:
    from torch import Tensor, nn

    class Net(nn.Module):
        def __init__(self, sizes: tuple[int, ...]) -> None:
            super().__init__()
            parts: list[nn.Module] = []
            for size, out in pairwise(sizes):
                parts += [nn.Linear(size, out), nn.Tanh()]
            self.layers = nn.Sequential(*parts[:-1])

        def forward(self, x: Tensor) -> Tensor:
            made: Tensor = self.layers(x[:, 0])
            return made

    return Net


def module_of(layers: Layers) -> Any:
    """The same as a module of torch: (B, 1, inputs) to logits (B, K)."""
    from torch import from_numpy

    sizes = (layers[0][0].shape[1], *(weight.shape[0] for weight, _ in layers))
    module = _kind()(sizes)
    own = [part for part in module.layers if hasattr(part, "weight")]
    for part, (weight, bias) in zip(own, layers, strict=True):
        part.weight.data, part.bias.data = from_numpy(weight.copy()), from_numpy(bias.copy())
    return module
