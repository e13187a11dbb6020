"""The network of the LSTM exit: LSTM, last state, dense; and its weights as a policy keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.exits.network import DENSE, LSTM, NONE, Plan, Weights, weights_of


@cache
def _kind() -> Any:
    """The class; one alone, so that its TorchScript has the same bytes each time."""
    from torch import Tensor, nn

    class Net(nn.Module):
        def __init__(self, features: int, units: int, arms: int) -> None:
            super().__init__()
            self.lstm = nn.LSTM(features, units, batch_first=True)
            self.dense = nn.Linear(units, arms)

        def forward(self, x: Tensor) -> Tensor:
            made: Tensor = self.dense(self.lstm(x)[0][:, -1])
            return made

    return Net


def module_of(features: int, units: int, arms: int) -> Any:
    """A module of torch: windows (B, L, F) float32 to numbers (B, K), weights at random."""
    return _kind()(features, units, arms)


def arrays_of(module: Any) -> dict[str, NDArray[np.float32]]:
    """Its weights by torch's names, copied."""
    return {name: x.detach().cpu().numpy().copy() for name, x in module.state_dict().items()}


def put_into(module: Any, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Give a module weights."""
    from torch import from_numpy

    module.load_state_dict({name: from_numpy(x.copy()) for name, x in arrays.items()})


def flat(arrays: Mapping[str, NDArray[np.float32]]) -> tuple[Plan, Weights]:
    """Plan and weights of `exits.network`: input-major, the gates in torch's order i, f, g, o."""
    first = arrays["lstm.weight_ih_l0"]
    units, features = first.shape[0] // 4, first.shape[1]
    arms = arrays["dense.bias"].shape[0]
    plan = [
        (LSTM, features, units, 0, NONE),
        (DENSE, units, arms, weights_of(LSTM, features, units), NONE),
    ]
    parts = (
        first.T,
        arrays["lstm.weight_hh_l0"].T,
        arrays["lstm.bias_ih_l0"],
        arrays["lstm.bias_hh_l0"],
        arrays["dense.weight"].T,
        arrays["dense.bias"],
    )
    weights = np.concatenate([np.ascontiguousarray(x, np.float32).ravel() for x in parts])
    return np.array(plan, np.int64), weights
