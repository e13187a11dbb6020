"""A policy: features, window, arms, normalisation, network and weights of an exit."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import RunError
from intrabar.exits.fixed_ratio import FixedRatio
from intrabar.exits.network import Network, forward, highest, work_size
from intrabar.exits.policy_arrays import PARTS, Probes, check_arrays
from intrabar.exits.trailing_atr import TrailingATR
from intrabar.indicators.features import Features
from intrabar.indicators.indicator import Floats

DECIDES = ("entry", "bar")
LOSSES = ("score", "label", "ppo")


@dataclass(frozen=True, slots=True)
class Course:
    """How a position goes on under an arm, and when it ends at the latest.

    Parameters
    ----------
    exit : {"trailing", "fixed"}
    atr_period : bars
    reward : R multiple
        Of a fixed exit; 0 of a trailing one.
    max_bars : bars
    """

    exit: str
    atr_period: int
    reward: float
    max_bars: int

    @classmethod
    def of(cls, rule: TrailingATR | FixedRatio, max_bars: int) -> Course:
        """Of the exit that places the levels."""
        if isinstance(rule, TrailingATR):
            return cls("trailing", rule.atr_period, 0.0, max_bars)
        return cls("fixed", rule.atr_period, rule.reward, max_bars)

    def __str__(self) -> str:
        reward = f", reward: {self.reward:g}" if self.exit == "fixed" else ""
        return (
            f"exit: {self.exit}, atr_period: {self.atr_period}{reward}, max_bars: {self.max_bars}"
        )


@dataclass(frozen=True, eq=False)
class Policy:
    """What a learned exit trades: a frozen value, known by its `hash`.

    Parameters
    ----------
    features : Features
        Their window is how many real bars are read, 1 to 512.
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
    course : Course or None
        Of the campaigns that it was trained on, and so of those that it is to trade; None where
        nobody has told.

    Raises
    ------
    RunError
        `when` or `loss` is none that is known; an array has another type or shape than the plan
        needs, or a value that cannot be.
    """

    features: Features
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
    course: Course | None = None

    def __post_init__(self) -> None:
        known = (("when", DECIDES), ("loss", LOSSES))
        for name, words in known:
            if getattr(self, name) not in words:
                raise RunError(f"{name} is {getattr(self, name)!r}; expected {' or '.join(words)}")
        own = {name: _own(array) for name, array in self.arrays.items()}
        check_arrays(own, self.window, self.when)
        self._check_features()
        if self.loss != "score" and self.calibration <= 0.0:
            raise RunError(f"calibration is {self.calibration:g}; expected a temperature above 0")
        object.__setattr__(self, "net", Network(*(own[x] for x in Network._fields)))
        object.__setattr__(self, "probes", Probes(*(own[f"probe_{x}"] for x in PARTS)))
        for name in ("arms", "arm_means", "deciles"):
            object.__setattr__(self, name, own[name])

    def _check_features(self) -> None:
        """Refuse arrays that are not of these features."""
        names, signs = self.features.names, self.features.signs
        if len(self.net.mean) != len(names):
            raise RunError(
                f"mean: of {len(self.net.mean)} features; expected {len(names)}: {names}"
            )
        if self.net.signs.tolist() != signs.tolist():
            raise RunError(
                f"signs are {self.net.signs.tolist()}; expected {signs.tolist()}, as the features "
                "say"
            )

    @property
    def window(self) -> int:
        """Real bars that are read."""
        return self.features.window

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays by their names in `policy.npz`."""
        probes = {f"probe_{short}": part for short, part in zip(PARTS, self.probes, strict=True)}
        scalars = {x: np.array(float(getattr(self, x))) for x in ("calibration", "psi_limit")}
        rest = {x: getattr(self, x) for x in ("arms", "arm_means", "deciles")}
        return {**self.net._asdict(), **rest, **scalars, **probes}

    @property
    def told(self) -> dict[str, Any]:
        """What it is beside its arrays."""
        names = ("when", "loss", "trained_until", "declared")
        course = None if self.course is None else asdict(self.course)
        own = {x: getattr(self, x) for x in names}
        return {"features": self.features.text, "course": course, **own}

    @cached_property
    def hash(self) -> str:
        """SHA-256 of all that decides what it trades, 64 hexadecimal digits."""
        digest = hashlib.sha256(json.dumps(self.told, sort_keys=True).encode())
        for name, array in sorted(self.arrays.items()):
            digest.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

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


def _own(array: Any) -> NDArray[Any]:
    """A contiguous copy that nobody can write to."""
    own = np.array(array, order="C")
    own.setflags(write=False)
    return own
