"""A policy: features, window, arms, normalisation, network and weights of an exit."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import RunError
from intrabar.exits.network import Network, check_plan, forward, highest, work_size
from intrabar.indicators.indicator import Floats

POSITION = 4  # numbers of the own position, where it decides at each bar
PROBE_BARS, PROBES = 256, 64
DECIDES = ("entry", "bar")
LOSSES = ("score", "label", "ppo")
OF_A_PROBE = 1e-5  # how far a pass may be from the framework's, in float32

BAR = np.dtype([("time", "<i8"), *((x, "<f8") for x in ("open", "high", "low", "close", "volume"))])


class Probes(NamedTuple):
    """What a policy is known again by, and what is held against the code that reads it.

    Attributes
    ----------
    bars : (256,) of `BAR`
    features : (256, F) float64
        Of these bars, for a long; NaN while warming up.
    inputs : (64, window, inputs) float64
        Windows as the network reads them: normalised.
    outputs : (64, K) float64
        What the framework that trained the network makes of them.
    """

    bars: NDArray[Any]
    features: Floats
    inputs: Floats
    outputs: Floats


@dataclass(frozen=True, eq=False)
class Policy:
    """What a learned exit trades: a frozen value, known by its `hash`.

    Parameters
    ----------
    features : str
        Their canonical text.
    features_hash : str
        SHA-256 of it.
    window : bars
        Real bars that are read, 1 to 512.
    when : {"entry", "bar"}
        "entry" decides at the signal's close; "bar" at each close while held as well, and reads
        four numbers of its position beside the features, with a window of 1.
    loss : {"score", "label", "ppo"}
        What the network was trained on, so what its numbers are.
    net : Network
    arms : (K,) float64
        Rising ATR multiples.
    arm_means : (K,) float64
        Mean score of each over the training rows.
    calibration : float
        The slope of scores, or the temperature of a label's numbers.
    deciles : (9, F) float64
        Of each feature over the training rows.
    psi_limit : float
        Population stability index above which the features have drifted.
    probes : Probes
    trained_until : ns UTC
        The last instant that anything of it was learned from.
    declared : bool
        That instant was told by a person, not witnessed.

    Raises
    ------
    RunError
        `when` or `loss` is none that is known; an array has another type or shape than the plan
        needs, or a value that cannot be.
    """

    features: str
    features_hash: str
    window: int
    when: str
    loss: str
    net: Network
    arms: Floats
    arm_means: Floats
    calibration: float
    deciles: Floats
    psi_limit: float
    probes: Probes
    trained_until: int
    declared: bool = False

    def __post_init__(self) -> None:
        known = (("when", DECIDES), ("loss", LOSSES))
        for name, words in known:
            if getattr(self, name) not in words:
                raise RunError(f"{name} is {getattr(self, name)!r}; expected {' or '.join(words)}")
        if self.when == "bar" and self.window != 1:
            raise RunError(f"window is {self.window} bars; expected 1 where it decides at each bar")
        own = {name: _own(array) for name, array in self.arrays.items()}
        _check_shapes(self, own)
        _check_values(self, own)
        object.__setattr__(self, "net", Network(*(own[x] for x in Network._fields)))
        object.__setattr__(self, "probes", Probes(*(own[f"probe_{x}"] for x in SHORT)))
        for name in ("arms", "arm_means", "deciles"):
            object.__setattr__(self, name, own[name])

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays by their names in `policy.npz`."""
        probes = {f"probe_{short}": part for short, part in zip(SHORT, self.probes, strict=True)}
        scalars = {x: np.array(float(getattr(self, x))) for x in ("calibration", "psi_limit")}
        rest = {x: getattr(self, x) for x in ("arms", "arm_means", "deciles")}
        return {**self.net._asdict(), **rest, **scalars, **probes}

    @property
    def told(self) -> dict[str, Any]:
        """What it is beside its arrays."""
        plain = [f.name for f in fields(self) if f.type in ("str", "int", "bool")]
        return {name: getattr(self, name) for name in plain}

    @cached_property
    def hash(self) -> str:
        """SHA-256 of all that decides what it trades, 64 hexadecimal digits."""
        digest = hashlib.sha256(json.dumps(self.told, sort_keys=True).encode())
        for name, array in sorted(self.arrays.items()):
            digest.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    @property
    def position(self) -> int:
        """How many numbers of its position it reads."""
        return POSITION if self.when == "bar" else 0

    @property
    def static_arm(self) -> int:
        """The arm of the highest mean over the training rows."""
        return int(highest(self.arm_means))

    def pass_over(self, inputs: Floats) -> Floats:
        """What the compiled network gives for one window as it reads it, (K,) float64.

        NaN where it gives no number.
        """
        n = len(self.net.mean)
        plain = self.net._replace(signs=np.zeros(n, np.int8), mean=np.zeros(n), scale=np.ones(n))
        past, own = np.ascontiguousarray(inputs[:, :n]), np.ascontiguousarray(inputs[-1, n:])
        out = np.empty(len(self.arms))
        work = np.empty(work_size(self.net.plan, len(past), inputs.shape[1]))
        known = forward(plain, past, 1, own, out, work)
        return out if known else np.full(len(out), math.nan)


SHORT = ("bars", "features", "in", "out")


def _own(array: Any) -> NDArray[Any]:
    """A contiguous copy that nobody can write to."""
    own = np.array(array, order="C")
    own.setflags(write=False)
    return own


def _check_shapes(policy: Policy, own: dict[str, NDArray[Any]]) -> None:
    """Refuse arrays of other types or shapes than the plan needs."""
    features, arms = own["mean"].shape[0] if own["mean"].ndim else 0, own["arms"].size
    inputs = features + policy.position
    f8, rows = np.dtype("<f8"), own["plan"].shape[:1] or (0,)
    expected: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {
        "plan": (np.dtype("<i8"), (*rows, 5)),
        "weights": (np.dtype("<f4"), (own["weights"].size,)),
        "signs": (np.dtype("i1"), (features,)),
        "mean": (f8, (features,)),
        "scale": (f8, (features,)),
        "arms": (f8, (arms,)),
        "arm_means": (f8, (arms,)),
        "calibration": (f8, ()),
        "deciles": (f8, (9, features)),
        "psi_limit": (f8, ()),
        "probe_bars": (BAR, (PROBE_BARS,)),
        "probe_features": (f8, (PROBE_BARS, features)),
        "probe_in": (f8, (PROBES, policy.window, inputs)),
        "probe_out": (f8, (PROBES, arms)),
    }
    for name, (kind, shape) in expected.items():
        array = own[name]
        if array.dtype != kind or array.shape != shape:
            raise RunError(
                f"{name}: {array.dtype} of shape {array.shape}; expected {kind} of shape {shape}"
            )
    if not features or not arms:
        raise RunError(f"mean, arms: {features} features, {arms} arms; expected 1 or more")
    check_plan(own["plan"], own["weights"].size, policy.window, inputs, arms)


def _check_values(policy: Policy, own: dict[str, NDArray[Any]]) -> None:
    """Refuse values that no policy can have."""
    for name, array in own.items():
        if array.dtype.names or name == "probe_features":  # unknown while warming up
            continue
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):
            place = f"[{', '.join(map(str, bad[0]))}]" if array.ndim else ""
            raise RunError(f"{name}{place} is {array[tuple(bad[0])]}; expected a finite number")
    for name, array in (("scale", own["scale"]), ("arms", own["arms"][:1])):
        low = np.flatnonzero(array <= 0.0)
        if len(low):
            raise RunError(f"{name}[{low[0]}] is {array[low[0]]:g}; expected a number above 0")
    falls = np.flatnonzero(np.diff(own["arms"]) <= 0.0)
    if len(falls):
        raise RunError(f"arms are {own['arms'].tolist()}; expected rising, none twice")
    wrong = np.flatnonzero((own["signs"] != 0) & (own["signs"] != 1))
    if len(wrong):
        raise RunError(f"signs[{wrong[0]}] is {own['signs'][wrong[0]]}; expected 0 or 1")
    if policy.loss == "label" and policy.calibration <= 0.0:
        raise RunError(f"calibration is {policy.calibration:g}; expected a temperature above 0")
