"""Policies of a walk-forward: one per window, each trained anew, and which decides at a bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import ConfigError, RunError
from intrabar.exits.policy import Policy
from intrabar.exits.policy_file import (
    AGAIN,
    FORMAT,
    TOLD,
    FeaturesAt,
    files_of,
    load_policy,
    read_told,
    told_of,
    write_folder,
)
from intrabar.indicators.indicator import Times
from intrabar.model.instant import instant_text

KIND = "policies"
Beside = tuple[Mapping[str, Any], Mapping[str, bytes]]


def write_policies(
    policies: Sequence[Policy],
    folder: Path,
    manifest: Mapping[str, Any],
    own: Sequence[Beside] | None = None,
) -> None:
    """Write a policy per window to the folders `w000`, `w001`, ... of a new folder.

    Parameters
    ----------
    policies : sequence of Policy
        In the order of `trained_until`.
    folder : Path
    manifest : mapping
        What else is told of all of them.
    own : sequence of (manifest, others), optional
        What else is told of each, and the files that stand beside it.

    Raises
    ------
    ConfigError
        They do not fit each other.
    RunError
        The folder exists, or cannot be written; nothing is left behind.
    """
    folder = Path(folder)
    _require_alike(policies, folder)
    names = [f"w{k:03d}" for k in range(len(policies))]
    beside: Sequence[Beside] = own or [({}, {})] * len(policies)
    files = {
        f"{name}/{file}": content
        for name, policy, (told, others) in zip(names, policies, beside, strict=True)
        for file, content in files_of(policy, name, told, others).items()
    }
    windows = [
        {"folder": name, "hash": x.hash, "trained_until": instant_text(x.trained_until)}
        for name, x in zip(names, policies, strict=True)
    ]
    told = {"format": FORMAT, "kind": KIND, "name": folder.name, "windows": windows}
    write_folder(folder, {TOLD: told_of(told, manifest), **files})


def load_policies(folder: Path, features_at: FeaturesAt) -> tuple[Policy, ...]:
    """The policies of a folder, in the order of `trained_until`: one, or one per window.

    Raises
    ------
    FileError, RunError, ConfigError
        As `load_policy`; or a window is missing or another's, or they do not fit each other.
    """
    folder = Path(folder)
    told = read_told(folder / TOLD)
    if told.get("kind") != KIND:
        return (load_policy(folder, features_at),)
    try:
        windows = [(folder / each["folder"], each["hash"]) for each in told["windows"]]
    except (KeyError, TypeError) as error:
        raise RunError(f"{folder / TOLD}: {error} is missing or wrong: {AGAIN}") from None
    policies = []
    for path, expected in windows:
        if path.parent != folder:
            raise RunError(f"{folder / TOLD}: {path} is no window of this folder: {AGAIN}")
        policy = load_policy(path, features_at)
        if policy.hash != expected:
            raise RunError(f"{path}: hash {policy.hash}, expected {expected}: {AGAIN}")
        policies.append(policy)
    _require_alike(policies, folder)
    return tuple(policies)


def _require_alike(policies: Sequence[Policy], folder: Path) -> None:
    """Refuse windows that one exit cannot trade in turn."""
    if not policies:
        raise ConfigError(f"{folder}: no windows; expected one or more")
    for k, (one, next_) in enumerate(pairwise(policies)):
        if next_.trained_until <= one.trained_until:
            raise ConfigError(
                f"{folder}: window {k + 1} is trained until {instant_text(next_.trained_until)}, "
                f"and the one before it until {instant_text(one.trained_until)}; expected later"
            )
        for name in ("arms", "when", "loss", "course"):
            a, b = getattr(one, name), getattr(next_, name)
            if not np.array_equal(a, b):
                raise ConfigError(f"{folder}: {name} of window {k + 1}: {b}; of the one before {a}")
        if next_.features.hash != one.features.hash:
            raise ConfigError(f"{folder}: window {k + 1} has other features than the one before it")


def model_of(policies: Sequence[Policy], time: Times, lag: int) -> NDArray[np.int32]:
    """Which policy decides at each close: the newest that could have been trained by then.

    Parameters
    ----------
    policies : sequence of Policy
        In the order of `trained_until`.
    time : (n,) int64, ns UTC
        Closes.
    lag : int, ns
        What training takes: a policy decides after `trained_until + lag`.

    Returns
    -------
    (n,) int32
        Its place; -1 before the first.
    """
    ready = np.array([x.trained_until + lag for x in policies], np.int64)
    return (np.searchsorted(ready, time, side="left") - 1).astype(np.int32)
