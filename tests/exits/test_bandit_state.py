"""A bandit's state: its bits after a file, old or new after a kill, refused where it must be."""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intrabar.errors import ConfigError, FileError, IntrabarError, RunError
from intrabar.exits.bandit import learn, start
from intrabar.exits.bandit_file import read_state, write_state
from intrabar.exits.bandit_log import Bandit
from intrabar.exits.bandit_state import BanditState, Slot, require_same
from intrabar.exits.known_bars import refuse_known_bars

UNTIL = int(np.datetime64("2024-03-01T21:00:00.5", "ns").astype(np.int64))


def state(campaigns: int = 30, **changed: Any) -> BanditState:
    rng = np.random.default_rng(9)
    bandit, factors = np.empty((3, 5, 4)), np.empty((3, 5, 4))
    start(bandit, factors, 200.0)
    for i in range(campaigns):
        x = np.concatenate([[1.0], rng.normal(0.0, 1.0, 3)])
        learn(bandit, factors, i % 3, x, 0.1, float(rng.normal(0.0, 1.0)))
    given: dict[str, Any] = {
        **{"strategy": "TrendFollowing", "symbol": "ES", "arms": (0.5, 1.0, 2.0)},
        **{"features": "f" * 64, "prior": "", "alpha": 0.05, "n0": 200.0, "n": campaigns},
        **{"mean": (0.1, -1 / 3, 1e-300), "scale": (1.0, 2.5, 1e300), "learned_until": UNTIL},
        **{"last_campaign": campaigns - 1, "bandit": bandit},
    }
    return BanditState(**{**given, **changed})


def sealed(path: Path, **changed: Any) -> None:
    """Change a file, and make its hash fit."""
    told = {**json.loads(path.read_text()), **changed}
    rest = {k: v for k, v in told.items() if k != "sha256"}
    told["sha256"] = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(told))


def refused(path: Path, kind: type[IntrabarError], says: str) -> None:
    with pytest.raises(IntrabarError) as error:
        read_state(path)
    assert type(error.value) is kind
    assert says in str(error.value)


SLOT = Slot(1, 0.9, 0.25, 812.5, (1.0, 0.1, -0.2, 3.0), 12.0, 0.5, True)


def with_slot(**changed: Any) -> dict[str, Any]:
    return {"slot": {**asdict(SLOT), **changed}}


@pytest.mark.parametrize("slot", [None, SLOT])
def test_what_is_written_is_read_with_the_same_bits(tmp_path: Path, slot: Slot | None) -> None:
    made, path = state(slot=slot), tmp_path / "state" / "Trend" / "ES.json"
    write_state(made, path)
    read, told = read_state(path)
    assert told == ""
    assert read.bandit.tobytes() == made.bandit.tobytes()
    assert read.factors().tobytes() == made.factors().tobytes()
    for name in ("strategy", "symbol", "arms", "features", "prior", "mean", "scale", "alpha", "n0"):
        assert getattr(read, name) == getattr(made, name)
    assert (read.n, read.last_campaign, read.learned_until) == (30, 29, UNTIL)
    assert read.slot == slot
    assert [p.name for p in path.parent.iterdir()] == ["ES.json"]


def test_learning_goes_on_from_a_file_as_without_it(tmp_path: Path) -> None:
    write_state(state(10), tmp_path / "ES.json")
    read, _ = read_state(tmp_path / "ES.json")
    ways = []
    for one in (state(10), read):
        bandit, factors = one.bandit.copy(), one.factors()
        learn(bandit, factors, 2, np.array([1.0, 0.3, -0.7, 2.0]), 0.2, 1.7)
        ways.append(bandit.tobytes() + factors.tobytes())
    assert ways[0] == ways[1]


def test_the_file_before_it_stays(tmp_path: Path) -> None:
    path = tmp_path / "ES.json"
    for n in (1, 2, 3):
        write_state(state(n), path)
    assert read_state(path)[0].n == 3
    assert read_state(tmp_path / "ES.json.bak")[0].n == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ES.json", "ES.json.bak"]


class Killed(BaseException):
    """Nothing after this ran."""


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_killed_at_each_call_the_state_is_the_old_one_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bool, torn: bool
) -> None:
    """`torn`: what was written, and not yet made safe by fsync, is lost in part."""
    names = ("fsync", "replace")
    calls = {name: getattr(os, name) for name in names}
    found = []
    for at in range(99):
        path, made = tmp_path / f"{at}" / "ES.json", [0]
        if not first:
            write_state(state(1), path)
            write_state(state(2), path)

        def counted(name: str, at: int = at, made: list[int] = made, path: Path = path) -> Any:
            def call(*given: Any) -> Any:
                if made[0] == at:
                    if torn and name == "fsync":
                        part = path.with_name("ES.json.part")
                        if part.exists():
                            part.write_bytes(part.read_bytes()[:100])
                    raise Killed
                made[0] += 1
                return calls[name](*given)

            return call

        for name in names:
            monkeypatch.setattr(os, name, counted(name))
        try:
            write_state(state(3), path)
            done = True
        except Killed:
            done = False
        for name in names:
            monkeypatch.setattr(os, name, calls[name])
        if first and not done and not path.exists():
            found.append(0)
            refused(path, FileError, "ES.json is not there")
        else:
            found.append(read_state(path)[0].n)
        write_state(state(4), path)  # and the next one goes on from there
        assert read_state(path)[0].n == 4
        if done:
            break
    old = 0 if first else 2
    assert found == sorted(found)
    assert set(found) == {old, 3}


@pytest.mark.parametrize("left", [0, 1, 200, -30])
def test_a_torn_file_gives_the_one_before_it_and_says_so(tmp_path: Path, left: int) -> None:
    path = tmp_path / "ES.json"
    write_state(state(1), path)
    write_state(state(2), path)
    path.write_bytes(path.read_bytes()[:left])
    read, told = read_state(path)
    assert read.n == 1
    assert f"{path} is cut short, so ES.json.bak was read: it knows 1 campaigns" in told
    assert "until 2024-03-01T21:00:00.5Z, and lacks what came after" in told
    write_state(state(3), path)  # the torn one does not take the place of the good one
    assert read_state(tmp_path / "ES.json.bak")[0].n == 1
    path.unlink()
    assert "is missing, so ES.json.bak was read" in read_state(path)[1]
    (tmp_path / "ES.json.bak").write_bytes(b"{")
    refused(path, RunError, "ES.json.bak is no JSON")


def test_a_torn_file_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ES.json"
    refused(path, FileError, "is not there")
    path.write_bytes(b'{"format": "intrab')
    refused(path, RunError, "is no JSON")


def test_a_file_that_was_changed_is_refused_though_there_is_one_before_it(tmp_path: Path) -> None:
    path = tmp_path / "ES.json"
    write_state(state(1), path)
    write_state(state(2), path)
    path.write_text(path.read_text().replace('"learned_until": "2024', '"learned_until": "2019'))
    refused(path, RunError, "ES.json was changed: SHA-256")
    path.write_text('{"format": "intrabar-bandit-9"}')
    refused(path, RunError, "format 'intrabar-bandit-9', expected 'intrabar-bandit-1'")


@pytest.mark.parametrize(
    ("changed", "kind", "says"),
    [
        ({"A": [[[1.0]]], "b": [[0.0]]}, RunError, "A and b have the shape (1, 2, 1); expected"),
        ({"n0": 0.0}, RunError, "n0, a scale or an arm is not above 0"),
        ({"alpha": float("nan")}, RunError, "a number of it is NaN or infinite"),
        ({"alpha": "much"}, RunError, "is missing or wrong"),
        ({"symbol": None}, RunError, "a name, a hash or a count of it is of another type"),
        ({"n": 1.5}, RunError, "a name, a hash or a count of it is of another type"),
        ({"arms": None}, RunError, "is missing or wrong"),
        ({"slot": {"arm": 9}}, RunError, "is missing or wrong"),
        (with_slot(arm=1.0), RunError, "its open decision is none of 3 arms and 4 numbers"),
        (with_slot(arm=True), RunError, "its open decision is none of 3 arms and 4 numbers"),
        (with_slot(is_open=1), RunError, "slot: is_open is 1, must be true or false"),
        (with_slot(prior=math.nan), RunError, "slot: prior is nan, must be a finite number"),
        (with_slot(gross="1"), RunError, "slot: gross is '1', must be a finite number"),
        (with_slot(costs=-math.inf), RunError, "slot: costs is -inf, must be a finite number"),
        (with_slot(context=[1, 0, None, 0]), RunError, "slot: context[2] is None, must be a"),
        (with_slot(budget=0.0), RunError, "slot: budget is 0, must be above 0"),
        (with_slot(propensity=0.0), RunError, "propensity 0, must be above 0 and at most 1"),
        (with_slot(propensity=1.5), RunError, "propensity 1.5, must be above 0 and at most 1"),
        ({"learned_until": "yesterday"}, RunError, "'yesterday'"),
        (
            {"mean": [0.0] * 32, "scale": [1.0] * 32},
            ConfigError,
            "32 features make a context of 33",
        ),
    ],
)
def test_a_file_that_is_no_state_is_refused(
    tmp_path: Path, changed: dict[str, Any], kind: type[IntrabarError], says: str
) -> None:
    path = tmp_path / "ES.json"
    write_state(state(), path)
    sealed(path, **changed)
    refused(path, kind, says)
    refused(path, kind, str(path))


def test_sums_that_no_contexts_have_are_refused() -> None:
    bandit = state().bandit.copy()
    bandit[1, 0, 0] = -1.0
    with pytest.raises(RunError, match="A of arm 1 is not positive definite"):
        state(bandit=bandit)
    with pytest.raises(RunError, match="its open decision is none of 3 arms and 4 numbers"):
        state(slot=replace(SLOT, arm=3))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"arms": (0.5, 1.0)}, "its arms are [0.5, 1.0, 2.0], and the exit's are [0.5, 1.0]"),
        ({"features": "e" * 64}, f"its features is {'f' * 64}, and the exit's is {'e' * 64}"),
        ({"prior": "p"}, "its prior is none, and the exit's is p"),
        ({"symbol": "NQ"}, "its symbol is ES, and the exit's is NQ"),
        ({"strategy": "Breakout"}, "its strategy is TrendFollowing, and the exit's is Breakout"),
        ({"n0": 1.0}, "its n0 is 200.0, and the exit's is 1.0"),
    ],
)
def test_a_state_of_another_bandit_is_refused(changed: dict[str, Any], says: str) -> None:
    names = {"strategy": "TrendFollowing", "symbol": "ES"}
    own: dict[str, Any] = {
        **names,
        "arms": (0.5, 1, 2),
        "features": "f" * 64,
        "prior": "",
        "n0": 200,
    }
    require_same(state(), "state/Trend/ES.json", **own)
    with pytest.raises(ConfigError) as error:
        require_same(state(), "state/Trend/ES.json", **{**own, **changed})
    assert f"state/Trend/ES.json: {says}" in str(error.value)


def test_bars_that_it_has_learned_from_are_refused() -> None:
    made, time = state(), UNTIL + 60_000_000_000 * np.arange(-1, 3)
    with pytest.raises(ConfigError) as error:
        refuse_known_bars("state ES.json", "learned_until", made.learned_until, time)
    assert "state ES.json: learned_until is 2024-03-01T21:00:00.5Z" in str(error.value)
    assert "it knows 2 of 4 bars" in str(error.value)


def test_a_state_that_cannot_be_written_leaves_the_one_that_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ES.json"
    write_state(state(1), path)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="cannot be written: No space left on device"):
        write_state(state(2), path)
    assert read_state(path)[0].n == 1
    assert [p.name for p in tmp_path.iterdir()] == ["ES.json"]


def test_a_bandit_is_made_of_a_state_alone() -> None:
    with pytest.raises(ConfigError, match="state: is 3"):
        Bandit(3)  # type: ignore[arg-type]
