"""`intrabar learn lstm`, `adopt` and `check`: training, and whether trainers are to be believed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intrabar.app.calls.adopt import adopt as take
from intrabar.app.calls.learn import default_name
from intrabar.app.calls.train import EPOCHS, dataset_for, training_of
from intrabar.app.calls.train import lstm as train
from intrabar.app.cli.output import Json, numbers, print_table
from intrabar.exits.policy_file import TOLD, read_told
from intrabar.learn.canaries import CANARIES, check_canaries


def lstm(
    config: Path,
    /,
    *,
    dataset: Path | None = None,
    walk_forward: bool = False,
    loss: str | None = None,
    epochs: int = EPOCHS,
    seed: int | None = None,
    name: str | None = None,
    out: Path = Path("policies"),
    runs: Path = Path("runs"),
    resume: bool = False,
    as_json: Json = False,
) -> int:
    """Train an exit that chooses its arm by the last bars, and store it as a policy.

    Parameters
    ----------
    config : path
        A configuration file; its dataset is made where it is not there yet.
    dataset : path
        Folder of another dataset, or its name in datasets/ beside the configuration.
    walk_forward : bool
        A policy for each window of learn.train and learn.test.
    loss : str
        score: what each arm earns; or label: which was best in hindsight.
    epochs : int
        At most so many.
    seed : int
        Of everything that is drawn.
    name : str
        Of the policy; that of the file where it is not given.
    out : path
        Folder of policies, relative to the configuration.
    runs : path
        Folder of runs, whose ledger notes each seed.
    resume : bool
        Go on with what was interrupted.
    as_json : bool
        Print what policy.json says as JSON, nothing else.
    """
    name, folder = name or default_name(config), config.parent / out
    data = dataset_for(config, dataset, progress=not as_json)
    given = {"seed": seed, "loss": loss}
    asked = {**training_of(config), **{k: v for k, v in given.items() if v is not None}}
    train(
        data,
        **asked,
        epochs=epochs,
        walk_forward=walk_forward,
        name=name,
        out=folder,
        runs=runs,
        resume=resume,
        progress=not as_json,
    )
    told = read_told(folder / name / TOLD)
    if as_json:
        print(json.dumps({"folder": str(folder / name), **told}))
        return 0
    tell_trained(*each_told(folder / name, told))
    page = folder / name / "report.html"
    print(page if page.exists() else folder / name)
    return 0


def each_told(folder: Path, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is told of the policy of a folder, or of each of its windows."""
    if "windows" not in told:
        return [dict(told)]
    return [read_told(folder / window["folder"] / TOLD) for window in told["windows"]]


def tell_trained(*policies: Mapping[str, Any]) -> None:
    """Print what came of the seeds of policies, and what is to be known about them, once."""
    notes: dict[str, list[str]] = {}
    for told in policies:
        _tell_seeds(told)
        for remark in told["remarks"]:
            notes.setdefault(remark, []).append(told["name"])
    for remark, names in notes.items():
        of = f"{', '.join(names)}: " if len(names) < len(policies) else ""
        print(f"note: {of}{remark}")


def _tell_seeds(told: Mapping[str, Any]) -> None:
    metrics, counts = told["metrics"], told["rows"]
    print(
        f"{told['name']}: {counts['train']:,} rows to train on, {counts['validation']:,} to "
        f"validate on, {counts['purged']:,} left out between; trained until "
        f"{told['trained_until']}"
    )
    rows = [
        (str(seed), f"{score:.4f}", "saved" if seed == told["seed"] else "")
        for seed, score in zip(told["seeds"], metrics["validation_scores"], strict=True)
    ]
    rows.append((f"arm {metrics['static_arm']:g} always", f"{metrics['static_score']:.4f}", ""))
    print_table(("seed", "mean score", ""), rows, right=("mean score",))
    names = ("slope", "temperature", "log_loss", "brier", "calibration_error")
    figures = [f"{x.replace('_', ' ')} {metrics[x]:.3f}" for x in names if x in metrics]
    if figures:
        print(", ".join(figures))


def check(*, seed: int = 0, canary: str | None = None, as_json: Json = False) -> int:
    """Ask the canaries of each trainer: worlds in which one that cheats is found out.

    Parameters
    ----------
    seed : int
        Of the worlds.
    canary : str
        One of them alone.
    as_json : bool
        Print the verdicts as JSON, nothing else.
    """
    verdicts = check_canaries(seed, CANARIES if canary is None else (canary,))
    if as_json:
        print(json.dumps([one._asdict() for one in verdicts]))
    else:
        rows = [(one.name, "holds" if one.holds else "FAILS", one.told) for one in verdicts]
        print_table(("canary", "", "found"), rows)
    return 0 if all(one.holds for one in verdicts) else 1


def adopt(
    file: Path,
    /,
    *,
    trained_until: str,
    features: str | None = None,
    arms: str | None = None,
    normal: Path | None = None,
    name: str | None = None,
    out: Path = Path("policies"),
    as_json: Json = False,
) -> int:
    """Make a policy of a network that was trained elsewhere; nothing of it is executed.

    Parameters
    ----------
    file : path
        A .zip of stable-baselines3's PPO, or a .pt of TorchScript with its .meta.json.
    trained_until : str
        The last time that anything of it was learned from, such as 2020-01-31.
    features : str
        The set that it was trained with, where the file does not tell it.
    arms : str
        ATR multiples, such as 0.5,1,2,3, where the file does not tell them.
    normal : path
        An .npz with mean and var of a VecNormalize.
    name : str
        Of the policy; that of the file where it is not given.
    out : path
        Folder of policies.
    as_json : bool
        Print what policy.json says as JSON, nothing else.
    """
    chosen = None if arms is None else numbers(arms)
    take(
        file,
        trained_until=trained_until,
        features=features,
        arms=chosen,
        normal=normal,
        name=name,
        out=out,
    )
    folder = out / (name or file.stem)
    told = read_told(folder / TOLD)
    if as_json:
        print(json.dumps({"folder": str(folder), **told}))
        return 0
    print(f"{told['name']}: arms {told['arms']}, declared as trained until {told['trained_until']}")
    for remark in told["remarks"]:
        print(f"note: {remark}")
    print(folder)
    return 0
