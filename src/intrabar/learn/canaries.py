"""Canaries: worlds in which a trainer that cheats, or does not learn, is found out.

Each has a name and gives a verdict. What a trainer made is saved where all of its own hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from intrabar.errors import NotFoundError, RunError
from intrabar.learn.extra import require_ml
from intrabar.model.values import SEEDS, whole

CANARIES = {
    "hindsight": "hindsight:hindsight",
    "leak": "ppo_canaries:leak",
    "late leak": "ppo_canaries:late_leak",
    "null": "ppo_canaries:null",
}
"""Those of `learn check`: each a function of a seed. `causal` asks a training's own bars."""


class Verdict(NamedTuple):
    """What a canary found.

    Attributes
    ----------
    name : str
    holds : bool
    told : str
        The figure and its bound, in words.
    """

    name: str
    holds: bool
    told: str


def require(verdicts: Sequence[Verdict], trainer: str) -> list[dict[str, Any]]:
    """Refuse to save what a trainer made where a canary of its own does not hold.

    Parameters
    ----------
    verdicts : sequence of Verdict
    trainer : str
        "LSTM", "PPO".

    Returns
    -------
    list of dict
        For the manifest.

    Raises
    ------
    RunError
        Names each canary that does not hold.
    """
    fallen = [one for one in verdicts if not one.holds]
    if fallen:
        told = "; ".join(f"canary {one.name}: {one.told}" for one in fallen)
        raise RunError(f"nothing of this {trainer} may be saved: {told}")
    return [one._asdict() for one in verdicts]


def check_canaries(seed: int, names: Iterable[str] = CANARIES) -> list[Verdict]:
    """The verdicts of canaries.

    Parameters
    ----------
    seed : int
        Of the worlds, and of what is trained in them.
    names : iterable of str

    Raises
    ------
    NotFoundError
        There is no canary of a name.
    UsageError
        The extra `ml` is not installed, or the seed is none.
    """
    require_ml()
    seed = whole("seed:", seed, SEEDS)
    verdicts = []
    for name in names:
        if name not in CANARIES:
            raise NotFoundError("canary", name, CANARIES)
        module, function = CANARIES[name].split(":")
        ask = getattr(import_module(f"intrabar.learn.{module}"), function)
        verdicts.append(ask(seed))
    return verdicts
