"""A policy's value, its folder, and each way in which a folder is refused."""

from __future__ import annotations

import hashlib
import io
import json
import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intrabar.errors import ConfigError, FileError, IntrabarError, RunError
from intrabar.exits.known_bars import refuse_known_bars
from intrabar.exits.network import DENSE, NONE, TANH
from intrabar.exits.policy import Course, Policy
from intrabar.exits.policy_arrays import MEMBERS
from intrabar.exits.policy_file import load_policy, write_policy
from intrabar.indicators.features import features_of
from tests.exits import networks, policies
from tests.exits.policies import ARMS, FEATURES, UNTIL, features_at

Arrays = dict[str, Any]


def load(folder: Path) -> Policy:
    return load_policy(folder, features_at)


def written(folder: Path, **changed: Any) -> Path:
    write_policy(policies.policy(**changed), folder, {"seeds": [1, 2, 3]})
    return folder


def sealed(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change what is told, and make its hash fit again: what a forger would do."""
    told = json.loads((folder / "policy.json").read_text())
    change(told)
    rest = {k: v for k, v in told.items() if k != "sha256"}
    told["sha256"] = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
    (folder / "policy.json").write_text(json.dumps(told))


def with_file(folder: Path, content: bytes) -> None:
    (folder / "policy.npz").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    sealed(folder, lambda told: told["files"].update({"policy.npz": digest}))


def with_arrays(folder: Path, change: Callable[[Arrays], Any]) -> None:
    with np.load(folder / "policy.npz") as file:
        arrays = dict(file)
    change(arrays)
    content = io.BytesIO()
    np.savez(content, **arrays)
    with_file(folder, content.getvalue())


def refused(folder: Path, kind: type[IntrabarError], *says: str) -> None:
    with pytest.raises(IntrabarError) as error:
        load(folder)
    assert type(error.value) is kind
    for each in (str(folder), *says):
        assert each in str(error.value)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"loss": "label", "declared": True},
        {"course": Course("fixed", 7, 1.5, 90)},
        {
            "when": "bar",
            "loss": "ppo",
            "net": networks.network(1, 6, (DENSE, 6, 8, TANH), (DENSE, 8, 3, NONE))._replace(
                signs=FEATURES.signs, mean=np.zeros(2), scale=np.ones(2)
            ),
        },
    ],
)
def test_what_is_written_is_read(tmp_path: Path, changed: dict[str, Any]) -> None:
    made = policies.policy(**changed)
    write_policy(made, tmp_path / "a" / "trend", {"seeds": [1, 2, 3], "name": "other"})
    read = load(tmp_path / "a" / "trend")
    assert read.hash == made.hash
    assert read.told == made.told
    for name, array in made.arrays.items():
        assert read.arrays[name].tobytes() == array.tobytes()
    told = json.loads((tmp_path / "a" / "trend" / "policy.json").read_text())
    assert (told["name"], told["seeds"]) == ("trend", [1, 2, 3])
    assert told["trained_until"] == "2024-01-31T21:00:00Z"
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["trend"]


def test_the_same_policy_is_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        written(tmp_path / name)
    one, two = ((tmp_path / name / "policy.npz").read_bytes() for name in ("one", "two"))
    assert one == two


def test_the_hash_knows_all_that_trades() -> None:
    first = policies.policy()
    net = networks.recurrent(3, 2, 6, 3)
    weights = net.weights.copy()
    weights[7] = np.nextafter(weights[7], np.float32(9.0))
    others = [
        policies.policy(loss="label"),
        policies.policy(trained_until=UNTIL + 1),
        policies.policy(declared=True),
        policies.policy(calibration=0.81),
        policies.policy(course=Course("trailing", 14, 0.0, 250)),
        policies.policy(course=Course("trailing", 14, 0.0, 100)),
        policies.policy(arms=np.array([0.5, 1.0, 2.1])),
        policies.policy(net=net._replace(weights=weights)),
        policies.policy(features=features_of(["gain = close - open", "signed span = high"], 4)),
    ]
    assert policies.policy().hash == first.hash
    assert len({first.hash, *(x.hash for x in others)}) == 1 + len(others)


def test_a_policy_is_frozen() -> None:
    arms = ARMS.copy()
    made = policies.policy(arms=arms)
    before = made.hash
    arms[0] = 0.1
    assert made.arms[0] == 0.5
    with pytest.raises(ValueError, match="read-only"):
        made.net.weights[0] = 1.0
    assert policies.policy().hash == before
    assert made.static_arm == 1


def test_a_folder_that_exists_is_not_written_over(tmp_path: Path) -> None:
    folder = written(tmp_path / "trend")
    before = (folder / "policy.json").read_bytes()
    with pytest.raises(RunError, match="exists: give the policy another name"):
        written(folder)
    assert (folder / "policy.json").read_bytes() == before


def test_nothing_is_left_of_a_policy_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="was not written"):
        write_policy(policies.policy(), tmp_path / "trend", {}, {"policy.npz/place": b""})
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_that_json_cannot_say_is_refused(tmp_path: Path) -> None:
    for wrong in (math.nan, object()):
        with pytest.raises(RunError, match=r"the policy trend was not written: .* in its manifest"):
            write_policy(policies.policy(), tmp_path / "trend", {"metrics": {"mean": wrong}})
    assert list(tmp_path.iterdir()) == []


def test_files_beside_it_are_known_too(tmp_path: Path) -> None:
    folder = tmp_path / "trend"
    write_policy(policies.policy(), folder, {}, {"curves.parquet": b"curves"})
    load(folder)
    (folder / "curves.parquet").write_bytes(b"curvy")
    refused(folder, RunError, "curves.parquet was changed or cut short: SHA-256")
    (folder / "curves.parquet").unlink()
    refused(folder, RunError, "curves.parquet is missing, expected SHA-256")


# -- refused: files ---------------------------------------------------------------------------


def test_no_such_folder(tmp_path: Path) -> None:
    refused(tmp_path / "none", FileError, "holds no policy.json: name the folder of a policy")


@pytest.mark.parametrize("left", [0, 1, 100, -1])
def test_a_file_cut_short(tmp_path: Path, left: int) -> None:
    folder = written(tmp_path / "trend")
    whole = (folder / "policy.npz").read_bytes()
    (folder / "policy.npz").write_bytes(whole[:left])
    expected = hashlib.sha256(whole).hexdigest()
    found = hashlib.sha256(whole[:left]).hexdigest()
    refused(folder, RunError, "policy.npz", found, f"expected {expected}", "copy the folder again")


def test_one_byte_changed(tmp_path: Path) -> None:
    folder = written(tmp_path / "trend")
    content = bytearray((folder / "policy.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "policy.npz").write_bytes(content)
    refused(folder, RunError, "policy.npz was changed or cut short: SHA-256")


def test_an_earlier_trained_until_written_by_hand(tmp_path: Path) -> None:
    folder = written(tmp_path / "trend")
    text = (folder / "policy.json").read_text()
    (folder / "policy.json").write_text(text.replace("2024-01-31T21", "2019-01-31T21"))
    refused(folder, RunError, "policy.json was changed: SHA-256", "expected")
    # With its own hash made to fit, the policy's does not.
    folder = written(tmp_path / "forged")
    sealed(folder, lambda told: told.update(trained_until="2019-01-31T21:00:00Z"))
    refused(folder, RunError, "the policy's hash is")


@pytest.mark.parametrize("text", ["", "{", '{"format": "intrabar-pol', "\xff\xfe"])
def test_what_is_told_is_no_json(tmp_path: Path, text: str) -> None:
    folder = written(tmp_path / "trend")
    (folder / "policy.json").write_bytes(text.encode("latin-1"))
    refused(folder, RunError, "policy.json is no JSON", "copy the folder again, or train anew")


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": "intrabar-policy-9"}'])
def test_another_format(tmp_path: Path, text: str) -> None:
    folder = written(tmp_path / "trend")
    (folder / "policy.json").write_text(text)
    refused(folder, RunError, "expected 'intrabar-policy-1'", "install the version that made it")


@pytest.mark.parametrize("key", ["features", "window", "trained_until", "trained_until_is"])
def test_what_is_told_lacks_something(tmp_path: Path, key: str) -> None:
    folder = written(tmp_path / "trend")
    sealed(folder, lambda told: told.pop(key))
    refused(folder, RunError, f"policy.json: '{key}' is missing or wrong")


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("kind", "dataset", "policy.json: kind 'dataset', expected 'policy'"),
        ("arms", [0.5, 1.0, 3.0], "arms are [0.5, 1.0, 2.0], expected [0.5, 1.0, 3.0]"),
        ("trained_until", 1.5, "is missing or wrong"),
        ("window", "4", "expected"),
        ("when", None, "when is None; expected entry or bar"),
    ],
)
def test_what_is_told_says_something_else(tmp_path: Path, key: str, value: Any, says: str) -> None:
    folder = written(tmp_path / "trend")
    sealed(folder, lambda told: told.update({key: value}))
    refused(folder, RunError, says)


def test_files_of_other_folders_are_not_read(tmp_path: Path) -> None:
    folder = written(tmp_path / "trend")
    sealed(folder, lambda told: told["files"].update({"../secret": "0"}))
    refused(folder, RunError, "'../secret' is no file of this folder")
    sealed(folder, lambda told: told.update(files={}))
    refused(folder, RunError, "files name no policy.npz")


class Bomb:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path(self.path),))

    def __init__(self, path: str) -> None:
        self.path = path


def test_a_pickle_inside_is_not_executed(tmp_path: Path) -> None:
    folder, touched = written(tmp_path / "trend"), tmp_path / "touched"
    bomb = np.empty((), object)
    bomb[()] = Bomb(str(touched))
    # Beside its hash, which is another; and with all hashes made to fit.
    content = io.BytesIO()
    np.savez(content, weights=bomb)
    (folder / "policy.npz").write_bytes(content.getvalue())
    refused(folder, RunError, "was changed or cut short")
    folder = written(tmp_path / "fitting")
    with_arrays(folder, lambda arrays: arrays.update(weights=bomb))
    refused(folder, RunError, "is no file of plain arrays", "allow_pickle=False")
    with_file(folder, pickle.dumps(Bomb(str(touched))))
    refused(folder, RunError, "is no file of plain arrays")
    assert not touched.exists()
    pickle.loads(pickle.dumps(Bomb(str(touched))))
    assert touched.exists()  # it would have been


def test_a_header_that_no_parser_reads(tmp_path: Path) -> None:
    folder = written(tmp_path / "trend")
    content = (folder / "policy.npz").read_bytes()
    with_file(folder, content.replace(b"'descr'", b"'descr\\", 1))
    refused(folder, RunError, "is no file of plain arrays")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"nothing"])
def test_a_file_that_is_no_archive(tmp_path: Path, content: bytes) -> None:
    folder = written(tmp_path / "trend")
    with_file(folder, content)
    refused(folder, RunError, "policy.npz")


def test_a_single_array_is_no_archive(tmp_path: Path) -> None:
    folder, content = written(tmp_path / "trend"), io.BytesIO()
    np.save(content, np.zeros(3))
    with_file(folder, content.getvalue())
    refused(folder, RunError, "policy.npz")


# -- refused: arrays --------------------------------------------------------------------------


@pytest.mark.parametrize("name", MEMBERS)
def test_a_missing_member(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path / "trend")
    with_arrays(folder, lambda arrays: arrays.pop(name))
    refused(folder, RunError, "policy.npz holds [", f"'{name}'", "copy the folder again")


def test_a_member_more(tmp_path: Path) -> None:
    folder = written(tmp_path / "trend")
    with_arrays(folder, lambda arrays: arrays.update(more=np.zeros(1)))
    refused(folder, RunError, "'more'", "expected ['arm_means', 'arms'")


def poked(name: str, place: Any, value: float) -> Callable[[Arrays], None]:
    def change(arrays: Arrays) -> None:
        array = arrays[name].copy()
        array[place] = value
        arrays[name] = array

    return change


def cast(name: str, kind: Any) -> Callable[[Arrays], None]:
    return lambda arrays: arrays.update({name: arrays[name].astype(kind)})


def cut(name: str) -> Callable[[Arrays], None]:
    return lambda arrays: arrays.update({name: arrays[name][:-1]})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (cast("weights", np.float64), "weights: float64 of shape (261,); expected float32"),
        (cast("mean", np.float32), "mean: float32 of shape (2,); expected float64"),
        (cast("calibration", np.float32), "calibration: float32 of shape (); expected float64"),
        (cut("weights"), "weights: 260 numbers; expected 261, as the plan needs"),
        (cut("arms"), "arm_means: float64 of shape (3,); expected float64 of shape (2,)"),
        (cut("scale"), "scale: float64 of shape (1,); expected float64 of shape (2,)"),
        (cut("signs"), "signs: int8 of shape (1,)"),
        (cut("deciles"), "deciles: float64 of shape (8, 2); expected float64 of shape (9, 2)"),
        (cut("probe_in"), "probe_in: float64 of shape (63, 4, 2); expected"),
        (cut("probe_bars"), "probe_bars: "),
        (poked("plan", (0, 2), 300), "plan is 300 wide; at most 256"),
        (poked("plan", (0, 1), 3), "plan row 0: 3 numbers in, 6 out; expected 2 in"),
        (poked("weights", 5, np.nan), "weights[5] is nan; expected a finite number"),
        (poked("mean", 1, np.inf), "mean[1] is inf; expected a finite number"),
        (poked("deciles", (3, 1), np.nan), "deciles[3, 1] is nan"),
        (poked("probe_out", (9, 0), np.nan), "probe_out[9, 0] is nan"),
        (poked("scale", 1, 0.0), "scale[1] is 0; expected a number above 0"),
        (poked("scale", 0, -1.0), "scale[0] is -1; expected a number above 0"),
        (poked("arms", 2, 1.0), "arms are [0.5, 1.0, 1.0]; expected rising, none twice"),
        (poked("arms", 0, 3.0), "arms are [3.0, 1.0, 2.0]; expected rising, none twice"),
        (poked("arms", 0, 0.0), "arms[0] is 0; expected a number above 0"),
        (poked("deciles", (8, 1), -1.0), "deciles[:, 1] fall from 0 to -1; expected none that"),
        (poked("psi_limit", (), 0.0), "psi_limit is 0; expected a number above 0"),
        (poked("psi_limit", (), -0.1), "psi_limit is -0.1; expected a number above 0"),
        (poked("signs", 0, 1), "signs are [1, 1]; expected [0, 1], as the features say"),
    ],
)
def test_arrays_that_no_policy_has(
    tmp_path: Path, change: Callable[[Arrays], None], says: str
) -> None:
    folder = written(tmp_path / "trend")
    with_arrays(folder, change)
    refused(folder, RunError, "policy.npz: ", says)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (
            {"features": features_of(["gain = close"], 4)},
            "mean: of 2 features; expected 1: ('gain',)",
        ),
        (
            {"features": replace(FEATURES, window=5)},
            "probe_in: float64 of shape (64, 4, 2); expected",
        ),
        ({"when": "never"}, "when is 'never'; expected entry or bar"),
        ({"loss": "profit"}, "loss is 'profit'; expected score or label or ppo"),
        (
            {"when": "bar", "features": FEATURES},
            "window is 4 bars; expected 1 where it decides at each bar",
        ),
        ({"loss": "label", "calibration": 0.0}, "calibration is 0; expected a temperature"),
        ({"loss": "ppo", "calibration": -1.0}, "calibration is -1; expected a temperature"),
    ],
)
def test_values_that_no_policy_has(changed: dict[str, Any], says: str) -> None:
    probes = policies.policy().probes
    with pytest.raises(RunError) as error:
        policies.policy(probes=probes, **changed)
    assert says in str(error.value)


# -- refused: features, probes, the bars of the run -------------------------------------------


def with_text(folder: Path, text: str) -> None:
    """Features as another version wrote them, with every hash made to fit."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    sealed(folder, lambda told: told.update(features={"text": text, "hash": digest}))


def test_features_that_are_read_otherwise_now(tmp_path: Path) -> None:
    folder = written(tmp_path / "trend")
    with_text(folder, FEATURES.text.replace("high - low", "high-low"))
    refused(folder, ConfigError, "the features have the hash", FEATURES.hash)
    with pytest.raises(ConfigError) as error:
        load(folder)
    said = str(error.value)
    assert "signed span = high-low " in said
    assert " ! signed span = high - low\n" in said
    assert " | gain = close - open\n" in said
    assert "train anew, or install the version that made it" in said


def test_features_that_are_not_known_now(tmp_path: Path) -> None:
    folder = written(tmp_path / "trend")
    with_text(folder, FEATURES.text.replace("close - open", "hurst(9)"))
    refused(folder, ConfigError, "not known here:", "hurst", "train anew, or install")
    with_text(folder, "something else")
    refused(folder, ConfigError, "not known here:", "no text of features")


@pytest.mark.parametrize("by", [1.0 + 1e-8, np.nan])
def test_an_indicator_whose_code_has_changed(tmp_path: Path, by: float) -> None:
    def changed(text: str, bars: Any) -> Any:
        out = features_at(text, bars)
        out[200, 1] *= by
        return out

    folder = written(tmp_path / "trend")
    with pytest.raises(ConfigError) as error:
        load_policy(folder, changed)
    assert "feature span at bar 200 of 256 probe bars" in str(error.value)
    assert "1 of 512 differ" in str(error.value)
    assert "trained with" in str(error.value)


def test_a_last_bit_of_a_feature_is_no_change(tmp_path: Path) -> None:
    folder = written(tmp_path / "trend")
    load_policy(folder, lambda text, bars: features_at(text, bars) * (1.0 + 1e-12))


def test_infinite_features_are_the_same_and_no_other_number_is(tmp_path: Path) -> None:
    def divided(text: str, bars: Any, by: float = np.inf) -> Any:
        out = features_at(text, bars)
        out[7, 1], out[8, 0] = by, -by
        return out

    probes = policies.policy().probes
    probes = probes._replace(features=divided("", probes.bars))
    folder = written(tmp_path / "trend", probes=probes)
    load_policy(folder, divided)
    for other in (-np.inf, 3.0, np.nan):
        with pytest.raises(ConfigError, match="2 of 512 differ"):
            load_policy(folder, lambda text, bars, x=other: divided(text, bars, x))


def test_probes_that_the_framework_answered_otherwise(tmp_path: Path) -> None:
    folder = written(tmp_path / "trend")
    with np.load(folder / "policy.npz") as file:
        answer = float(file["probe_out"][3, 1])
    rehashed(folder, poked("probe_out", (3, 1), answer + 2e-5))
    refused(folder, RunError, "probe 3 gives [", "as the framework that trained it")
    folder = written(tmp_path / "near")
    rehashed(folder, poked("probe_out", (3, 1), answer + 0.9e-5))
    load(folder)


def rehashed(folder: Path, change: Callable[[Arrays], None]) -> None:
    """Other arrays with every hash made to fit, the policy's as well."""
    with_arrays(folder, change)
    with pytest.raises(RunError) as error:
        load(folder)
    found = str(error.value).split("the policy's hash is ")[1][:64]
    sealed(folder, lambda told: told.update(hash=found))


def test_bars_that_it_was_trained_on() -> None:
    day, made = 86_400_000_000_000, policies.policy()
    time = UNTIL + day * np.arange(-2, 3)

    def refuse(bars: Any) -> None:
        refuse_known_bars("policy policies/trend", "trained_until", made.trained_until, bars)

    with pytest.raises(ConfigError) as error:
        refuse(time)
    said = str(error.value)
    assert "policies/trend: trained_until is 2024-01-31T21:00:00Z, and the first bar" in said
    assert "is 2024-01-29T21:00:00Z: it knows 3 of 5 bars" in said
    assert "Write start: '2024-02-01T21:00:00Z', or in_sample: true" in said
    with pytest.raises(ConfigError, match="start: a later time"):
        refuse(time[:3])
    refuse(time[3:])
    refuse(time[:0])
