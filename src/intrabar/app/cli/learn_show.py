"""`intrabar learn show`: what is told of a policy, and what its features are worth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from intrabar.app.cli.learn_train import each_told, tell_trained
from intrabar.app.cli.output import Json, print_table
from intrabar.app.compose.behind import Behind
from intrabar.app.folders.places import folder_of
from intrabar.engine.tables.policies import read_policies
from intrabar.errors import RunError, UsageError
from intrabar.exits.policy import Policy
from intrabar.exits.policy_file import TOLD, read_told
from intrabar.learn.dataset_folder import MANIFEST
from intrabar.learn.importance import Importance, importance_of
from intrabar.learn.window_arrays import windows_of
from intrabar.model.instant import instant_ns

POLICIES = Path("policies")


def show(
    name: Path,
    /,
    *,
    importance: bool = False,
    dataset: Path | None = None,
    seed: int = 0,
    as_json: Json = False,
) -> int:
    """Show what is told of a policy, once it has been read whole.

    Parameters
    ----------
    name : path
        Folder of a policy, or its name in policies/.
    importance : bool
        The score that is lost on the validation rows when a feature is dealt anew.
    dataset : path
        Folder of the dataset that it was trained on, or its name in datasets/ beside the folder
        of policies, for its importance; the policy tells its name where it is not given.
    seed : int
        Of the deals.
    as_json : bool
        Print it as JSON, nothing else.
    """
    folder = folder_of(name, [POLICIES], TOLD, "policy", "intrabar learn lstm CONFIG")
    told, policies = read_told(folder / TOLD), read_policies(folder)
    each = [folder / x["folder"] for x in told["windows"]] if "windows" in told else [folder]
    found: list[list[Importance]] = []
    if importance:
        found = [
            _importance(one, path, folder, dataset, seed)
            for one, path in zip(policies, each, strict=True)
        ]
    if as_json:
        worth = [[x._asdict() for x in one] for one in found]
        print(json.dumps({"folder": str(folder), **told, "importance": worth}))
        return 0
    own = each_told(folder, told)
    if all("metrics" in one for one in own):
        tell_trained(*own)
    for k, (policy, one) in enumerate(zip(policies, own, strict=True)):
        print(
            f"{one['name']}: {one['loss']}, trained until {one['trained_until']} "
            f"({one['trained_until_is']}), hash {policy.hash[:16]}"
        )
        if found:
            rows = [(x.feature, f"{x.lost:+.4f}", f"{x.spread:.4f}") for x in found[k]]
            header = ("feature", "score lost", "spread of deals")
            print_table(header, rows, right=header[1:])
    print(f"arms {policies[0].arms.tolist()}, decides at each {policies[0].when}")
    print(policies[0].features.text.rstrip())
    print(folder)
    return 0


def _importance(
    policy: Policy, path: Path, folder: Path, dataset: Path | None, seed: int
) -> list[Importance]:
    told = read_told(path / TOLD)
    whole = read_told(folder / TOLD)
    if "dataset" not in whole or "spans" not in told:
        raise UsageError(f"{folder} was trained on no dataset: importance is of its rows")
    home = folder.parent.parent / "datasets"
    if dataset is None:
        data = home / whole["dataset"]["name"]
    else:
        data = folder_of(dataset, [home], MANIFEST, "dataset", "intrabar learn dataset CONFIG")
    behind = Behind.of(data)
    if behind.data.manifest["sha256"] != whole["dataset"]["sha256"]:
        raise UsageError(f"{behind.data.folder} is another dataset than {folder} was trained on")
    d = behind.decisions
    begin, until = instant_ns(told["spans"]["train"][0]), policy.trained_until
    w = windows_of(d.part((d.time >= begin) & (d.end_time <= until)))
    if w.parted.counts() != told["rows"]:
        raise RunError(f"{path}: its rows are {told['rows']}, found are {w.parted.counts()}")
    normal = w.normal._replace(mean=policy.net.mean, scale=policy.net.scale)
    return importance_of(policy, replace(w, normal=normal), seed)
