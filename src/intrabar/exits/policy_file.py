"""The folder of a policy: `policy.npz`, which trades, and `policy.json`, which tells what it is.

No pickle is ever read. What was changed, cut short, or made by other features is refused.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import ConfigError, FileError, IntrabarError, RunError
from intrabar.exits.network import Network
from intrabar.exits.policy import Course, Policy
from intrabar.exits.policy_arrays import MEMBERS, PARTS, Probes, check_arrays
from intrabar.exits.sealed import sealed, unsealed
from intrabar.indicators.features import Features, features_from_text
from intrabar.indicators.indicator import Floats
from intrabar.model.instant import instant_ns, instant_text

FORMAT, KIND = "intrabar-policy-1", "policy"
ARRAYS, TOLD = "policy.npz", "policy.json"
OF_A_PROBE = 1e-5  # how far a pass may be from the framework's, in float32
OF_A_FEATURE = 1e-9  # relative
ANEW = "train anew, or install the version that made it"
AGAIN = "copy the folder again, or train anew"

FeaturesAt = Callable[[str, NDArray[Any]], Floats]
"""Features (n, F) of a text at bars (n,) of `policy.BAR`, for a long."""


def write_policy(
    policy: Policy,
    folder: Path,
    manifest: Mapping[str, Any],
    others: Mapping[str, bytes] | None = None,
) -> None:
    """Write a policy to a new folder, whole or not at all.

    Parameters
    ----------
    policy : Policy
    folder : Path
        Its last name is the policy's.
    manifest : mapping
        What else is told of it in `policy.json`: command, seeds, data, spans, metrics.
    others : mapping of name to bytes
        Files that stand beside: curves, the formats of other tools.

    Raises
    ------
    RunError
        The folder exists, or cannot be written; nothing is left behind.
    """
    folder = Path(folder)
    write_folder(folder, files_of(policy, folder.name, manifest, others or {}))


def files_of(
    policy: Policy, name: str, manifest: Mapping[str, Any], others: Mapping[str, bytes]
) -> dict[str, bytes]:
    """The files of a policy's folder; raises as `write_policy`."""
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **policy.arrays)
    files = {ARRAYS: content.getvalue(), **others}
    told: dict[str, Any] = {
        **{"format": FORMAT, "kind": KIND, "name": name, "hash": policy.hash},
        "features": {"text": policy.features.text, "hash": policy.features.hash},
        **{"window": policy.window, "when": policy.when, "loss": policy.loss},
        "arms": policy.arms.tolist(),
        "course": policy.told["course"],
        "trained_until": instant_text(policy.trained_until),
        "trained_until_is": "declared" if policy.declared else "witnessed",
        "files": {name: hashlib.sha256(each).hexdigest() for name, each in files.items()},
    }
    return {**files, TOLD: told_of(told, manifest)}


def told_of(told: Mapping[str, Any], manifest: Mapping[str, Any]) -> bytes:
    """The text of `policy.json`: what is told, and what else a manifest says.

    Raises
    ------
    RunError
        The manifest holds what JSON has no word for.
    """
    try:
        return sealed({**told, **{k: v for k, v in manifest.items() if k not in told}})
    except (TypeError, ValueError) as error:
        raise RunError(
            f"the policy {told['name']} was not written: {error} in its manifest; what is not "
            "known is None"
        ) from None


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files to a new folder, all or none; raises as `write_policy`."""
    if folder.exists():
        raise RunError(f"{folder} exists: give the policy another name, or remove the folder")
    part = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for name, each in files.items():
            (part / name).parent.mkdir(exist_ok=True)
            (part / name).write_bytes(each)
        os.rename(part, folder)
    except OSError as error:
        raise RunError(f"the policy was not written to {folder}: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def load_policy(folder: Path, features_at: FeaturesAt) -> Policy:
    """Read a policy, and refuse it at the first thing that does not fit.

    In this order: the format; the SHA-256 of each file; names, types, shapes as the plan needs;
    finite, `scale` above 0, arms rising; the hash of the features as they are read now; the
    features of the probe bars; what comes out for the probes. That it has seen none of the bars
    that are traded, a run asks by `refuse_known_bars`.

    Parameters
    ----------
    folder : Path
    features_at
        How this version works out features.

    Raises
    ------
    FileError
        There is no such folder.
    RunError
        A file was changed, cut short or is missing, or an array cannot be one of a policy.
    ConfigError
        The features are others now.
    """
    folder = Path(folder)
    told = read_told(folder / TOLD)
    _check_files(folder, told)
    policy = _policy_of(folder, told)
    _check_features(folder, policy, features_at)
    _check_probes(folder / ARRAYS, policy)
    return policy


def read_told(path: Path) -> dict[str, Any]:
    """What a `policy.json` says; raises as `load_policy`."""
    try:
        return unsealed(path.read_bytes(), path, FORMAT, AGAIN)
    except FileNotFoundError:
        raise FileError(f"{path.parent} holds no {TOLD}: name the folder of a policy") from None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from None


def _check_files(folder: Path, told: Mapping[str, Any]) -> None:
    if told.get("kind") != KIND:
        raise RunError(f"{folder / TOLD}: kind {told.get('kind')!r}, expected {KIND!r}: {AGAIN}")
    files = told.get("files")
    if not isinstance(files, dict) or ARRAYS not in files:
        raise RunError(f"{folder / TOLD}: files name no {ARRAYS}: {AGAIN}")
    for name, expected in files.items():
        path = folder / name
        if path.parent != folder:
            raise RunError(f"{folder / TOLD}: {name!r} is no file of this folder: {AGAIN}")
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            raise RunError(f"{path} is missing, expected SHA-256 {expected}: {AGAIN}") from None
        except OSError as error:
            raise RunError(f"{path} cannot be read: {error.strerror or error}") from None
        if found != expected:
            raise RunError(
                f"{path} was changed or cut short: SHA-256 {found}, expected {expected}: {AGAIN}"
            )


def _policy_of(folder: Path, told: Mapping[str, Any]) -> Policy:
    path = folder / ARRAYS
    arrays = _read_arrays(path)
    try:
        check_arrays(arrays, told["window"], told["when"])
        policy = Policy(
            features=_features_now(folder, **told["features"]),
            when=told["when"],
            loss=told["loss"],
            net=Network(*(arrays[name] for name in Network._fields)),
            calibration=float(arrays["calibration"]),
            psi_limit=float(arrays["psi_limit"]),
            probes=Probes(*(arrays[f"probe_{part}"] for part in PARTS)),
            trained_until=instant_ns(told["trained_until"]),
            declared={"declared": True, "witnessed": False}[told["trained_until_is"]],
            course=None if told["course"] is None else Course(**told["course"]),
            **{name: arrays[name] for name in ("arms", "arm_means", "deciles")},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(f"{folder / TOLD}: {error} is missing or wrong: {AGAIN}") from None
    except RunError as error:
        raise RunError(f"{path}: {error}") from None
    if told.get("arms") != policy.arms.tolist():
        raise RunError(
            f"{path}: arms are {policy.arms.tolist()}, expected {told.get('arms')}: {AGAIN}"
        )
    if policy.hash != told.get("hash"):
        raise RunError(
            f"{path}: the policy's hash is {policy.hash}, expected {told.get('hash')}: {AGAIN}"
        )
    return policy


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a file, without ever reading a pickle."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if name in MEMBERS}
            names = sorted(file.files)
    except Exception as error:  # whatever readers of archives and headers come upon in wrong bytes
        raise RunError(f"{path} is no file of plain arrays ({error}): {AGAIN}") from None
    if names != sorted(MEMBERS):
        raise RunError(f"{path} holds {names}, expected {sorted(MEMBERS)}: {AGAIN}")
    return arrays


def _features_now(folder: Path, text: str, hash: str) -> Features:  # noqa: A002
    """What this version reads in the text of features, where it is what was trained with."""
    try:
        now = features_from_text(text)
    except IntrabarError as error:
        raise ConfigError(f"{folder}: its features are not known here: {error}; {ANEW}") from None
    if now.hash != hash:
        raise ConfigError(
            f"{folder}: the features have the hash {now.hash}, expected {hash}\n"
            f"{side_by_side(text, now.text)}\n{ANEW}"
        )
    return now


def _check_features(folder: Path, policy: Policy, features_at: FeaturesAt) -> None:
    text = policy.features.text
    table, stored = features_at(text, policy.probes.bars), policy.probes.features
    size = np.maximum(np.abs(stored), policy.net.scale)
    with np.errstate(invalid="ignore"):  # of equal infinities
        near = np.isfinite(stored) & (np.abs(table - stored) <= OF_A_FEATURE * size)
    same = near | (table == stored) | (np.isnan(table) & np.isnan(stored))
    if not same.all():
        row, column = np.argwhere(~same)[0]
        raise ConfigError(
            f"{folder}: feature {policy.features.names[column]} at bar {row} of {len(table)} probe "
            f"bars is {float(table[row, column])}, expected {float(stored[row, column])} "
            f"({int((~same).sum())} of {same.size} differ): an indicator works otherwise than when "
            f"it was trained\n{side_by_side(text, text)}\n{ANEW}"
        )


def side_by_side(then: str, now: str) -> str:
    """Two texts, line beside line."""
    left, right = then.splitlines(), now.splitlines()
    width = max([len("trained with"), *map(len, left)])
    count = max(len(left), len(right))
    rows = zip(
        ["trained with", *left, *[""] * (count - len(left))],
        ["read now", *right, *[""] * (count - len(right))],
        strict=True,
    )
    return "\n".join(f"  {a:<{width}} {'|' if a == b else '!'} {b}" for a, b in rows)


def _check_probes(path: Path, policy: Policy) -> None:
    expected = policy.probes.outputs
    found = np.array([policy.pass_over(x) for x in policy.probes.inputs])
    near = (np.abs(found - expected) <= OF_A_PROBE).all(axis=1)
    other = np.zeros(len(expected), np.bool_)
    if expected.shape[1] > 1:
        second, first = np.sort(expected, axis=1)[:, -2:].T
        other = (first - second > OF_A_PROBE) & (found.argmax(axis=1) != expected.argmax(axis=1))
    for k in np.flatnonzero(~near | other):
        raise RunError(
            f"{path}: probe {k} gives {found[k].tolist()}, expected {expected[k].tolist()} as the "
            f"framework that trained it: {ANEW}"
        )
