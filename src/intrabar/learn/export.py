"""A trained network in the formats of other tools, held against each other before it is saved."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np

from intrabar.errors import RunError
from intrabar.exits.policy_file import OF_A_PROBE
from intrabar.model.bars import Floats

EXAMPLE = 2  # windows: one alone would be taken for a constant


def torchscript(torch: Any, module: Any, window: int, features: int) -> bytes:
    """The module as TorchScript: normalised windows (B, L, F) float32 to numbers (B, K).

    Traced: a script names the constants of its modules in an order that differs by process. Torch
    counts the types that a process has traced, and the count stands in the file.
    """
    out, example = io.BytesIO(), _example(torch, window, features)
    with _told_before():
        torch.jit.save(torch.jit.trace(module.eval(), example), out)
    return out.getvalue()


def onnx(torch: Any, module: Any, window: int, features: int) -> bytes:
    """The same as ONNX, input `windows`, output `numbers`, for any number of windows."""
    out, example = io.BytesIO(), _example(torch, window, features)
    with _told_before():
        torch.onnx.export(
            module.eval(),
            (example,),
            out,
            dynamo=False,  # the newer exporter needs seconds, and writes to the console
            input_names=["windows"],
            output_names=["numbers"],
            dynamic_axes={"windows": {0: "batch"}, "numbers": {0: "batch"}},
        )
    return out.getvalue()


def _example(torch: Any, window: int, features: int) -> Any:
    return torch.zeros((EXAMPLE, window, features), dtype=torch.float32)


def _told_before() -> Any:
    """Without the warnings that both formats are deprecated: they are what is asked for."""
    return warnings.catch_warnings(action="ignore")


def parity_of(torch: Any, module: Any, files: dict[str, bytes], inputs: Floats) -> dict[str, Any]:
    """Hold the files of a network against the network.

    Parameters
    ----------
    torch
    module
    files : dict
        `torchscript` and `onnx`.
    inputs : (k, L, F) float64
        Normalised windows.

    Returns
    -------
    dict
        The largest difference of each.

    Raises
    ------
    RunError
        One gives other numbers by more than 1e-5, or another arm where the best two differ by more.
    """
    import onnxruntime

    given = np.ascontiguousarray(inputs, np.float32)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with torch.no_grad(), _told_before():
        own = module(torch.from_numpy(given)).numpy()
        script = torch.jit.load(io.BytesIO(files["torchscript"]))(torch.from_numpy(given)).numpy()
    session = onnxruntime.InferenceSession(
        files["onnx"], options, providers=["CPUExecutionProvider"]
    )
    others = {"torchscript": script, "onnx": session.run(None, {"windows": given})[0]}
    return {name: require_near(name, other, own) for name, other in others.items()}


def require_near(name: str, found: Any, expected: Any) -> float:
    """The largest difference of two (k, K); raises as `parity_of`."""
    apart = float(np.abs(found - expected).max())
    best = np.sort(expected, axis=1)
    clear = np.ones(len(best), bool)
    if expected.shape[1] > 1:
        clear = best[:, -1] - best[:, -2] > OF_A_PROBE
    other = clear & (found.argmax(axis=1) != expected.argmax(axis=1))
    if not apart <= OF_A_PROBE or other.any():
        raise RunError(
            f"{name} gives other numbers than the network that was trained, by {apart:g} (at most "
            f"{OF_A_PROBE:g}), another arm in {int(other.sum())} of {len(best)} windows: nothing "
            "was saved"
        )
    return apart
