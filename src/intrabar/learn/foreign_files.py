"""Policies of others: networks that were trained elsewhere, as the arrays that trade.

Nothing that is a pickle is ever executed. Of an archive of stable-baselines3 only the weights are
read, and the plain text of its settings; TorchScript is read by its own reader.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.errors import FileError, RunError, UsageError
from intrabar.exits.network import DENSE, FARTHEST, LSTM, NONE, RELU, TANH
from intrabar.exits.policy import Policy
from intrabar.exits.policy_arrays import POSITION
from intrabar.indicators.features import Features, features_from_text, features_of
from intrabar.learn.exact import exact
from intrabar.learn.foreign_arrays import FREE, Clipped, Layer, Trades, policy_of

SB3_CLIP, SB3_EPSILON = 10.0, 1e-8  # of VecNormalize
OF_LSTM = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
ACTIVATIONS = {"Tanh": TANH, "ReLU": RELU}
SB3_ACTIVATION = "Tanh"  # where an archive names none


@dataclass(frozen=True)
class Asked:
    """What is told of a file that does not tell it itself.

    Parameters
    ----------
    features : Features or None
        With a window of 1; None: the file tells them.
    trained_until : int, ns UTC
    arms : sequence of ATR multiples or None
    normal : Path or None
        An `.npz` with `mean` and `var` of a VecNormalize.
    """

    features: Features | None
    trained_until: int
    arms: Sequence[float] | None = None
    normal: Path | None = None


def adopted(file: Path, asked: Asked) -> tuple[Policy, dict[str, Any]]:
    """A policy of a file, and what is told of it.

    Parameters
    ----------
    file : Path
        `.zip` of stable-baselines3's PPO, or `.pt` of TorchScript with its `.meta.json`.
    asked : Asked

    Raises
    ------
    FileError
        It cannot be read.
    UsageError
        Something is not told.
    RunError
        It is none of these, or its network is none that trades here.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise FileError(f"{file} cannot be read: {error.strerror or error}") from None
    readers = {".zip": _of_sb3, ".pt": _of_torchscript}
    if file.suffix not in readers:
        raise UsageError(
            f"{file}: a policy is adopted from a .zip of stable-baselines3 or a .pt of "
            "TorchScript; a pickle is not read"
        )
    with exact() as torch, warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        policy = readers[file.suffix](torch, file, content, asked)
    told = {"file": file.name, "sha256": hashlib.sha256(content).hexdigest()}
    remarks = [
        f"trained_until is declared: nobody here has seen what {file.name} was trained on",
        "its deciles and the mean scores of its arms are not known: no drift is told, and its "
        "static arm is the smallest",
    ]
    return policy, {"adopted": told, "seeds": [], "remarks": remarks}


def _of_sb3(torch: Any, file: Path, content: bytes, asked: Asked) -> Policy:
    if asked.features is None or asked.arms is None:
        raise UsageError(f"{file} tells no features and no arms: give --features and --arms")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            settings = json.loads(archive.read("data"))
            weights = torch.load(
                io.BytesIO(archive.read("policy.pth")), map_location="cpu", weights_only=True
            )
        state = {name: x.numpy() for name, x in weights.items()}
    except Exception as error:  # whatever readers come upon in wrong bytes
        raise RunError(
            f"{file} is no archive of stable-baselines3 with plain weights: {error}"
        ) from None
    activation = _activation(file, settings)
    own = {k: v for k, v in state.items() if "value_net" not in k}
    layers = [
        Layer(DENSE, {x: own.pop(f"{name}.{x}") for x in ("weight", "bias")}, activation)
        for name in sorted({k.rsplit(".", 1)[0] for k in own if "policy_net" in k}, key=_number)
    ]
    if "action_net.weight" not in own:
        raise RunError(f"{file}: its policy has no action_net: expected PPO with a MlpPolicy")
    last = {"weight": own.pop("action_net.weight"), "bias": own.pop("action_net.bias")}
    if own:
        raise RunError(
            f"{file}: its policy has {', '.join(sorted(own))} beside an MLP: expected a MlpPolicy "
            "with Discrete actions"
        )
    layers.append(Layer(DENSE, last, NONE))
    names = asked.features.names
    size = layers[0].weights["weight"].shape[1]
    if size not in (len(names), len(names) + POSITION):
        raise RunError(
            f"{file} reads {size} numbers, the features are {len(names)} ({', '.join(names)}), or "
            f"{len(names) + POSITION} with those of the position: give the features that it was "
            "trained with"
        )
    when = "entry" if size == len(names) else "bar"
    features, arms = features_of(asked.features, 1), np.array(asked.arms, np.float64)
    trades = Trades(features, arms, "ppo", when, 1.0, asked.trained_until)
    normal = _sb3_normal(asked.normal, len(names))
    return policy_of(torch, file, layers, normal, trades, _mlp(torch, layers))


def _number(name: str) -> int:
    tail = name.rsplit(".", 1)[-1]
    return int(tail) if tail.isdigit() else -1


def _activation(file: Path, settings: Any) -> int:
    """The activation that the plain text of the settings names."""
    kwargs = settings.get("policy_kwargs") if isinstance(settings, dict) else None
    if not isinstance(kwargs, dict):
        raise RunError(f"{file}: its settings have no policy_kwargs: its activation is not known")
    named = str(kwargs.get("activation_fn", SB3_ACTIVATION)).rstrip("'>").rsplit(".", 1)[-1]
    if named not in ACTIVATIONS or "features_extractor_class" in kwargs:
        raise RunError(
            f"{file}: its activation is {named}; expected tanh or relu, and plain features"
        )
    return ACTIVATIONS[named]


def _sb3_normal(file: Path | None, features: int) -> Clipped:
    """Mean, scale and clip of a VecNormalize; without one, features as they are."""
    if file is None:
        return Clipped(np.zeros(features), np.ones(features), FREE)
    if file.suffix != ".npz":
        raise UsageError(
            f"{file}: a pickled VecNormalize is not read; store what it has: np.savez('normal.npz',"
            " mean=vec.obs_rms.mean, var=vec.obs_rms.var), and give that"
        )
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as stored:
            mean, var = (np.asarray(stored[x], np.float64) for x in ("mean", "var"))
            clip = float(stored["clip_obs"]) if "clip_obs" in stored.files else SB3_CLIP
            epsilon = float(stored["epsilon"]) if "epsilon" in stored.files else SB3_EPSILON
    except Exception as error:  # whatever readers come upon in wrong bytes
        raise FileError(f"{file} holds no mean and var: {error}") from None
    if mean.shape != (features,) or var.shape != (features,):
        raise RunError(f"{file}: mean {mean.shape}, var {var.shape}; expected ({features},) each")
    return Clipped(mean, np.sqrt(var + epsilon), clip)


def _mlp(torch: Any, layers: Sequence[Layer]) -> Any:
    """The same layers in torch."""
    kinds = {TANH: torch.nn.Tanh, RELU: torch.nn.ReLU}
    made = [torch.nn.Flatten()]
    for _, weights, activation in layers:
        one = torch.nn.Linear(weights["weight"].shape[1], weights["weight"].shape[0])
        one.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in weights.items()})
        made += [one] if activation == NONE else [one, kinds[activation]()]
    return torch.nn.Sequential(*made)


def _of_torchscript(torch: Any, file: Path, content: bytes, asked: Asked) -> Policy:
    if sys.version_info >= (3, 14):
        raise UsageError(f"{file}: TorchScript is not read from Python 3.14 on: adopt with 3.13")
    told = _meta(file, content)
    try:
        module = torch.jit.load(io.BytesIO(content), map_location="cpu").eval()
        state = {name: x.detach().numpy() for name, x in module.state_dict().items()}
    except Exception as error:  # whatever torch comes upon in wrong bytes
        raise RunError(f"{file} is no TorchScript: {error}") from None
    features = _told_features(file, told, asked)
    arms = told.get("arms", told.get("sl_multiples")) if asked.arms is None else asked.arms
    mean, scale = told.get("mean"), told.get("scale", told.get("std"))
    lacking = [k for k, v in (("arms", arms), ("mean", mean), ("scale", scale)) if v is None]
    if lacking:
        raise UsageError(f"{file.with_suffix('.meta.json')} lacks {', '.join(lacking)}")
    most = FARTHEST if "features_hash" in told else FREE
    normal = Clipped(np.asarray(mean, np.float64), np.asarray(scale, np.float64), most)
    loss = told.get("loss", "label")
    if loss not in ("score", "label"):
        raise RunError(f"{file}: loss is {loss!r}; expected score or label")
    calibration = float(told.get("calibration", 1.0))
    trades = Trades(
        features, np.array(arms, np.float64), loss, "entry", calibration, asked.trained_until
    )
    first = None
    for activation in (NONE, RELU, TANH):  # of dense layers before the last: which gives the same
        try:
            layers = _layers_of(file, state, activation)
            return policy_of(torch, file, layers, normal, trades, module)
        except RunError as error:
            first = first or error
    assert first is not None
    raise first


def _meta(file: Path, content: bytes) -> dict[str, Any]:
    path = file.with_suffix(".meta.json")
    try:
        told = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise FileError(
            f"{path} is missing: it tells features, window, arms, mean and scale of {file.name}"
        ) from None
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read: {error}") from None
    if not isinstance(told, dict):
        raise FileError(f"{path} is no mapping of names to values")
    digest = hashlib.sha256(content).hexdigest()
    if told.get("sha256", digest) != digest:
        raise RunError(f"{file}: SHA-256 {digest}, expected {told['sha256']} of {path.name}")
    return told


def _told_features(file: Path, told: Mapping[str, Any], asked: Asked) -> Features:
    """The features of a `.meta.json`, or those that are asked for where it has their names."""
    text, window = told.get("features"), told.get("window", told.get("seq_len"))
    if isinstance(text, str) and asked.features is None:
        return features_from_text(text)
    if asked.features is None:
        raise UsageError(f"{file}: its features are names only: give --features")
    if not isinstance(window, int):
        raise UsageError(f"{file.with_suffix('.meta.json')} lacks window, real bars")
    features = features_of(asked.features, window)
    names = features_from_text(text).names if isinstance(text, str) else tuple(text or ())
    if names != features.names:
        raise RunError(
            f"{file} was trained with the features {list(names)}, asked for are "
            f"{list(features.names)}: their order and names must be the same"
        )
    return features


def _layers_of(file: Path, state: Mapping[str, Any], activation: int) -> list[Layer]:
    """LSTM rows, then dense ones, from the names of their weights."""
    layers: list[Layer] = []
    used: set[str] = set()
    for name in (x for x in state if ".weight_ih_l" in x or x.startswith("weight_ih_l")):
        stem, number = name.split("weight_ih_l")
        parts = {
            k: f"{stem}{k}_l{number}" for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        }
        if number.isdigit() and all(x in state for x in parts.values()):
            layers.append(Layer(LSTM, {k: state[x] for k, x in parts.items()}, NONE))
            used |= set(parts.values())
    for name in (x for x in state if x.endswith("weight") and x not in used):
        parts = {"weight": name, "bias": name.removesuffix("weight") + "bias"}
        if parts["bias"] in state and state[name].ndim == 2:
            layers.append(Layer(DENSE, {k: state[x] for k, x in parts.items()}, activation))
            used |= set(parts.values())
    rest = sorted(set(state) - used)
    if rest or not layers or layers[-1].op == LSTM:
        raise RunError(
            f"{file}: its weights are {', '.join(sorted(state))}: expected LSTM layers with biases "
            f"and dense ones after them{f', not {rest[0]}' if rest else ''}"
        )
    return [*layers[:-1], layers[-1]._replace(activation=NONE)]
