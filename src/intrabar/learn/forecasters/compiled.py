"""Forecasters that our own compiled pass runs: plain arrays, no framework."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from intrabar.errors import RunError
from intrabar.exits.network import Network, Plan, Weights, check_plan, forward, work_size
from intrabar.indicators.indicator import Floats
from intrabar.kernel import kernel
from intrabar.links.forecaster import Output

NOWHERE = np.zeros(0)  # a forecast has no position


@kernel
def passes(net: Any, windows: Floats, out: Floats, work: Floats) -> None:
    """A pass for each window, one after the other; NaN where one gives no numbers."""
    nowhere = np.zeros(0)
    for i in range(windows.shape[0]):
        if not forward(net, windows[i], 1, nowhere, out[i], work):
            out[i, :] = np.nan


class Compiled:
    """A network of plan and weights; what it learns by is another's.

    Parameters
    ----------
    window : real bars
    outputs : tuple of Output
    """

    needs: ClassVar[str] = "features"
    gives: ClassVar[str] = "atrs"
    suffix: ClassVar[str] = "npz"

    def __init__(self, window: int, outputs: tuple[Output, ...]) -> None:
        self.window, self.outputs = window, outputs
        self.horizons = tuple(dict.fromkeys(x.horizon for x in outputs))
        self._net: Network | None = None
        self._inputs = 0

    def take(self, plan: Plan, weights: Weights, inputs: int) -> None:
        """The network from here on, with so many numbers per bar.

        Raises
        ------
        RunError
            The plan cannot be walked.
        """
        check_plan(plan, len(weights), self.window, inputs, len(self.outputs))
        if not np.isfinite(weights).all():
            raise RunError("weights are NaN or infinite; train with other settings")
        # Windows come normalised: by a mean of 0 and a scale of 1 they stay what they are.
        self._net = Network(
            plan, weights, np.zeros(inputs, np.int8), np.zeros(inputs), np.ones(inputs)
        )
        self._inputs = inputs

    def predict(self, windows: Floats) -> Floats:
        """(n, Q) float64, ATRs, of normalised windows (n, L, F)."""
        assert self._net is not None
        out = np.empty((len(windows), len(self.outputs)))
        work = np.empty(work_size(self._net.plan, self.window, self._inputs))
        passes(self._net, np.ascontiguousarray(windows, np.float64), out, work)
        return out

    def save(self, path: Path) -> None:
        """Plan and weights, without a pickle."""
        assert self._net is not None
        content = io.BytesIO()
        inputs = np.int64(self._inputs)
        np.savez(
            content,
            allow_pickle=False,
            plan=self._net.plan,
            weights=self._net.weights,
            inputs=inputs,
        )
        path.write_bytes(content.getvalue())

    def load(self, path: Path) -> None:
        """Read them again.

        Raises
        ------
        RunError
            The file holds something else.
        """
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                plan, weights, inputs = file["plan"], file["weights"], int(file["inputs"])
        except Exception as error:  # whatever readers of archives come upon in wrong bytes
            raise RunError(f"{path} is no file of plain arrays ({error}); train anew") from None
        if plan.dtype != np.int64 or plan.ndim != 2 or plan.shape[1] != 5:
            raise RunError(f"{path}: plan is {plan.dtype} {plan.shape}, expected int64 (k, 5)")
        if weights.dtype != np.float32 or weights.ndim != 1:
            raise RunError(f"{path}: weights are {weights.dtype} {weights.shape}, expected float32")
        self.take(plan, weights, inputs)
