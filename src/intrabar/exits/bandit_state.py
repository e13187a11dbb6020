"""The state of a bandit as a value, and its file: old or new whatever stops the writer.

It is JSON with the SHA-256 of its content and floats in the fewest digits that give them back, so
what is read has the bits of what was written. The file before it stays as `.bak`.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.errors import ConfigError, FileError, RunError
from intrabar.exits.bandit import MOST_CONTEXT, factor
from intrabar.exits.sealed import sealed, unsealed
from intrabar.indicators.indicator import Floats
from intrabar.model.instant import instant_ns, instant_text

FORMAT = "intrabar-bandit-1"
ADVICE = "start without a state, or restore the file"


@dataclass(frozen=True)
class Slot:
    """A decision whose campaign is not over.

    Parameters
    ----------
    arm : int
    propensity, prior, budget : float
        At the decision: the probability of the arm, its `q`, and what its score is divided by.
    context : tuple of d float
    gross, costs : float
        Of the fills so far, in the account's currency.
    is_open : bool
        Whether the entry has filled.
    """

    arm: int
    propensity: float
    prior: float
    budget: float
    context: tuple[float, ...]
    gross: float = 0.0
    costs: float = 0.0
    is_open: bool = False


@dataclass(frozen=True, eq=False)
class BanditState:
    """All that a bandit of one strategy and symbol knows.

    Parameters
    ----------
    strategy, symbol : str
    arms : tuple of K float
        ATR multiples.
    features : str
        Hash of the features.
    prior : str
        Hash of the prior's policies; "" for none.
    mean, scale : tuple of (d - 1) float
        Of the features; fixed at its start.
    alpha, n0 : float
    n : int
        Campaigns that it has learned from.
    learned_until : int, ns UTC
        The latest of the last campaign's close, the prior's instant and the statistics'.
    last_campaign : int
        -1 before the first.
    bandit : (K, d + 1, d) float64
        Per arm `A`, and `b` in the last row.
    slot : Slot or None

    Raises
    ------
    ConfigError
        More features than a bandit can have.
    RunError
        A shape or a number that no bandit has.
    """

    strategy: str
    symbol: str
    arms: tuple[float, ...]
    features: str
    prior: str
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    alpha: float
    n0: float
    n: int
    learned_until: int
    last_campaign: int
    bandit: Floats
    slot: Slot | None = None

    def __post_init__(self) -> None:
        texts = (self.strategy, self.symbol, self.features, self.prior)
        counts = (self.n, self.last_campaign, self.learned_until)
        if not all(isinstance(x, str) for x in texts) or not all(type(x) is int for x in counts):
            raise RunError("a name, a hash or a count of it is of another type")
        own = np.array(self.bandit, np.float64, order="C")
        own.setflags(write=False)
        object.__setattr__(self, "bandit", own)
        d = len(self.mean) + 1
        require_context(d)
        if own.shape != (len(self.arms), d + 1, d) or len(self.scale) != d - 1:
            raise RunError(
                f"A and b have the shape {own.shape}; expected {(len(self.arms), d + 1, d)} for "
                f"{len(self.arms)} arms and {d - 1} features"
            )
        numbers = np.array([*self.mean, *self.scale, *self.arms, self.alpha, self.n0])
        if not (np.isfinite(own).all() and np.isfinite(numbers).all()):
            raise RunError("a number of it is NaN or infinite")
        if self.n0 <= 0.0 or min((*self.scale, *self.arms)) <= 0.0:
            raise RunError("n0, a scale or an arm is not above 0")
        if self.slot is not None and (
            len(self.slot.context) != d or not 0 <= self.slot.arm < len(self.arms)
        ):
            raise RunError(f"its open decision is none of {len(self.arms)} arms and {d} numbers")
        self.factors()

    def factors(self) -> Floats:
        """What the kernels read beside `bandit`, (K, d + 1, d) float64.

        Raises
        ------
        RunError
            An `A` is not positive definite: no sum of contexts is that.
        """
        out = np.zeros(self.bandit.shape)
        for a in range(len(self.arms)):
            # A copy: kernels are compiled anew for arrays that cannot be written to.
            if not factor(self.bandit[a].copy(), out[a]):
                raise RunError(f"A of arm {a} is not positive definite")
        return out


def require_context(d: int) -> None:
    """Refuse more numbers of context than a bandit learns from.

    Raises
    ------
    ConfigError
        `d`, 1 and the features, is above 32.
    """
    if d > MOST_CONTEXT:
        raise ConfigError(
            f"{d - 1} features make a context of {d} numbers, and a bandit takes at most "
            f"{MOST_CONTEXT}: name fewer features"
        )


def require_same(
    state: BanditState,
    name: str,
    *,
    strategy: str,
    symbol: str,
    arms: tuple[float, ...],
    features: str,
    prior: str,
    n0: float,
) -> None:
    """Refuse a state of another bandit than the exit is.

    Parameters
    ----------
    state : BanditState
    name : str
        What the user calls it, the file.
    strategy, symbol, arms, features, prior, n0
        Of the exit.

    Raises
    ------
    ConfigError
        With what each of them has.
    """
    exit_has: dict[str, Any] = {"strategy": strategy, "symbol": symbol, "arms": arms}
    exit_has |= {"features": features, "prior": prior, "n0": n0}
    for field, value in exit_has.items():
        found = getattr(state, field)
        if found != value:
            raise ConfigError(
                f"{name}: its {field} {_shown(found)}, and the exit's {_shown(value)}: give the "
                "exit the state's, or start without a state"
            )


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"are {list(value)}"
    return "is none" if value == "" else f"is {value}"


def write_state(state: BanditState, path: Path) -> None:
    """Write a state; at every instant the file or its `.bak` is a whole one.

    Raises
    ------
    RunError
        It cannot be written; what stood there stands there still.
    """
    part, before = _beside(path, ".part"), _beside(path, ".bak")
    content = sealed(_told(state))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        there = _content(path)
        if there is not None and _is_json(there):  # a torn one is not to take the good one's place
            os.replace(path, before)
        os.replace(part, path)
        _sync(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RunError(f"{path} cannot be written: {error.strerror or error}") from error


def read_state(path: Path) -> tuple[BanditState, str]:
    """Read a state; where the file is torn or gone, the one before it.

    One that is whole and was changed is refused: it was no accident of a writer.

    Returns
    -------
    state : BanditState
    told : str
        A sentence where the one before it was taken, else "".

    Raises
    ------
    FileError
        Neither is there, or one cannot be read.
    RunError
        It was changed, or is no state.
    """
    before = _beside(path, ".bak")
    try:
        content, old = _content(path), _content(before)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from None
    if content is None and old is None:
        raise FileError(f"{path} is not there; without `state:` a bandit starts from nothing")
    if content is not None and (old is None or _is_json(content)):
        return _read(content, path), ""
    assert old is not None
    state = _read(old, before)
    return state, (
        f"{path} is {'missing' if content is None else 'cut short'}, so {before.name} was read: it "
        f"knows {state.n:,} campaigns, until {instant_text(state.learned_until)}, and lacks what "
        "came after"
    )


def _read(content: bytes, path: Path) -> BanditState:
    told = unsealed(content, path, FORMAT, ADVICE)
    try:
        given = {
            x: told[x] for x in ("strategy", "symbol", "features", "prior", "n", "alpha", "n0")
        }
        slot = told["slot"]
        if slot is not None:
            slot = Slot(**{**slot, "context": tuple(slot["context"])})
        a, b = (np.array(told[x], np.float64) for x in ("A", "b"))
        return BanditState(
            **given,
            arms=tuple(told["arms"]),
            mean=tuple(told["mean"]),
            scale=tuple(told["scale"]),
            learned_until=instant_ns(told["learned_until"]),
            last_campaign=told["last_campaign"],
            bandit=np.concatenate([a, b[:, None, :]], axis=1),
            slot=slot,
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise RunError(f"{path}: {error} is missing or wrong: {ADVICE}") from None
    except (RunError, ConfigError) as error:
        raise type(error)(f"{path}: {error}: {ADVICE}") from None


def _told(state: BanditState) -> dict[str, Any]:
    fields = ("strategy", "symbol", "features", "prior", "alpha", "n0", "n", "last_campaign")
    return {
        "format": FORMAT,
        **{x: getattr(state, x) for x in fields},
        **{x: list(getattr(state, x)) for x in ("arms", "mean", "scale")},
        "learned_until": instant_text(state.learned_until),
        "slot": None if state.slot is None else asdict(state.slot),
        "A": state.bandit[:, :-1].tolist(),
        "b": state.bandit[:, -1].tolist(),
    }


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _sync(folder: Path) -> None:
    """Make renamed files stay renamed; Windows has no such call, and needs none."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
