"""A policy per window of a walk-forward: written and read whole, the newest decides."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from intrabar.errors import ConfigError, FileError, RunError
from intrabar.exits.policy import Policy
from intrabar.exits.policy_file import write_policy
from intrabar.exits.policy_windows import load_policies, model_of, write_policies
from intrabar.indicators.features import features_of
from tests.exits import networks, policies
from tests.exits.policies import UNTIL, features_at

DAY = 86_400_000_000_000


def windows(count: int = 3) -> list[Policy]:
    return [
        policies.policy(
            net=networks.recurrent(k, 2, 6, 3)._replace(signs=policies.FEATURES.signs),
            trained_until=UNTIL + 90 * k * DAY,
        )
        for k in range(count)
    ]


def test_windows_are_read_in_their_order(tmp_path: Path) -> None:
    made = windows()
    write_policies(made, tmp_path / "trend", {"seeds": [1]})
    read = load_policies(tmp_path / "trend", features_at)
    assert [x.hash for x in read] == [x.hash for x in made]
    names = sorted(p.name for p in (tmp_path / "trend").iterdir())
    assert names == ["policy.json", "w000", "w001", "w002"]
    assert [p.name for p in tmp_path.iterdir()] == ["trend"]


def test_a_single_policy_is_one_window(tmp_path: Path) -> None:
    (made,) = windows(1)
    write_policy(made, tmp_path / "trend", {})
    assert [x.hash for x in load_policies(tmp_path / "trend", features_at)] == [made.hash]
    with pytest.raises(FileError, match="holds no policy"):
        load_policies(tmp_path / "none", features_at)


def test_windows_that_were_exchanged_or_are_missing_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "trend"
    write_policies(windows(), folder, {})
    (folder / "w000").rename(folder / "other")
    with pytest.raises(FileError, match="w000 holds no policy"):
        load_policies(folder, features_at)
    shutil.copytree(folder / "w002", folder / "w000")
    with pytest.raises(RunError, match=r"w000: hash .*, expected"):
        load_policies(folder, features_at)


def test_windows_of_other_folders_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "trend"
    write_policies(windows(), folder, {})
    told = json.loads((folder / "policy.json").read_text())
    del told["sha256"]
    told["windows"][0]["folder"] = "../secret"
    told["sha256"] = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    (folder / "policy.json").write_text(json.dumps(told))
    with pytest.raises(RunError, match="secret is no window of this folder"):
        load_policies(folder, features_at)


def test_windows_that_do_not_fit_each_other_are_refused(tmp_path: Path) -> None:
    first, second, _ = windows()
    other = features_of(["gain = close - open", "signed span = high - close"], 4)
    wrong = [
        ([], "no windows; expected one or more"),
        ([second, first], "window 1 is trained until 2024-01-31T21:00:00Z, and the one before"),
        ([first, first], "expected later"),
        (
            [first, policies.policy(arms=np.array([1.0, 2.0, 3.0]), trained_until=UNTIL + 1)],
            "arms of window 1",
        ),
        ([first, policies.policy(loss="label", trained_until=UNTIL + 1)], "loss of window 1"),
        ([first, policies.policy(features=other, trained_until=UNTIL + 1)], "other features"),
    ]
    for made, says in wrong:
        with pytest.raises(ConfigError, match=says):
            write_policies(made, tmp_path / "trend", {})
    assert list(tmp_path.iterdir()) == []


def test_the_newest_that_could_have_been_trained_decides() -> None:
    made, ready = windows(2), UNTIL + DAY
    time = np.array([UNTIL, ready - 1, ready, ready + 1, ready + 90 * DAY, ready + 90 * DAY + 1])
    assert model_of(made, time, DAY).tolist() == [-1, -1, -1, 0, 0, 1]
    assert model_of(made, time, DAY).dtype == np.int32
