"""`intrabar learn ppo` and `ib.learn.ppo`: from a configuration to a policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import intrabar as ib
import intrabar.app.calls.train_ppo as calls
import intrabar.engine.prepared as prepared
import intrabar.learn.ppo_policy as ppo_policy
from intrabar.app.cli.main import run
from intrabar.engine.tables.feature_table import probe_features
from intrabar.exits.policy_file import load_policy
from intrabar.learn.canaries import Verdict
from intrabar.research.sweep.ledger import LEDGER, Ledger
from tests.app.test_train import bars, of_the_next_bar
from tests.own_process import python

TEXT = """
data: [{symbol: ACME, file: acme.csv}]
calendar: none
strategies: [{name: TrendFollowing, params: {exit: {name: TrailingATR, atr_period: 7}}}]
learn: {features: ["up = rsi(5) / 50 - 1", "side = side"], arms: [1, 2], max_bars: 20, lanes: 4}
"""


@pytest.fixture(autouse=True)
def _no_canaries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those with worlds of their own cost seconds, and have their tests in `tests/learn`."""
    monkeypatch.setattr(calls, "before_training", lambda: [Verdict("null", True, "told")])


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    bars(tmp_path)
    (tmp_path / "trend.yaml").write_text(TEXT)
    return tmp_path / "trend.yaml"


def trained(config: Path, *options: str) -> int:
    return run(["learn", "ppo", str(config), "--steps", "1000", *options])


def test_a_command_goes_from_a_configuration_to_a_policy(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained(config) == 0
    folder = config.parent / "policies" / "trend"
    assert {x.name for x in folder.iterdir()} == {
        *("policy.npz", "policy.json", "curves.parquet", "report.html", "trend.zip", "trend.onnx")
    }
    page = (folder / "report.html").read_text()
    assert '"x_unit":"steps"' in page
    assert "It chose its steps" in page
    told = json.loads((folder / "policy.json").read_text())
    policy = load_policy(folder, probe_features)
    assert (told["command"], told["loss"], told["when"]) == ("learn ppo", "ppo", "bar")
    assert [x["name"] for x in told["canaries"]] == ["causal", "null"]
    assert told["trained_until_is"] == "witnessed"
    needed = "kind name command config seeds data features dataset spans trained_until arms loss "
    needed += "hyperparameters hyperparameters_hash files parity metrics prior versions threads cpu"
    assert set(needed.split()) <= told.keys()
    assert len(pl.read_parquet(folder / "curves.parquet")) == 3
    out = capsys.readouterr().out
    assert f"trained until {told['trained_until']}" in out
    assert f"arm {told['metrics']['static_arm']:g} always" in out
    assert str(folder) in out
    assert "needs max_bars: 20, atr_period: 7, as in training" in out
    metrics = told["metrics"]
    is_beaten = metrics["validation_score"] <= metrics["static_score"]
    assert ("nothing was learned beyond it" in out) == is_beaten
    with Ledger(config.parent / "runs" / LEDGER) as ledger:
        trials = list(ledger.trials())
    assert sorted(x["parameters"]["seed"] for x in trials) == sorted(told["seeds"])
    assert {x["digest"] for x in trials} == {"", policy.hash}
    assert trained(config) == 2
    assert "is there already" in capsys.readouterr().err


def test_json_is_all_that_is_printed_and_the_call_gives_the_same(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained(config, "--seed", "3", "--when", "entry", "--name", "x", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["when"]) == ("x", "entry")
    assert Path(told["folder"]) == config.parent / "policies" / "x"
    policy = ib.learn.ppo(config, seed=3, when="entry", steps=1_000)
    assert policy.hash == told["hash"]


def test_features_of_the_next_bar_leave_no_policy(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prepared, "feature_tables", of_the_next_bar)
    assert trained(config) == 1
    error = capsys.readouterr().err
    assert "nothing of this PPO may be saved: canary causal: feature up of ACME" in error
    assert not (config.parent / "policies").exists()
    assert not (config.parent / "runs").exists()


def test_a_canary_that_does_not_hold_leaves_no_policy(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(calls, "before_training", lambda: [Verdict("null", False, "12 errors")])
    assert trained(config) == 1
    assert "canary null: 12 errors" in capsys.readouterr().err
    assert not (config.parent / "policies").exists()


def test_interrupted_it_keeps_the_best_and_goes_on(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained(config, "--name", "whole") == 0
    plain, calls_made = ppo_policy.train_seed, []

    def interrupted(*given: Any) -> None:
        plain(*given)
        calls_made.append(given)
        if len(calls_made) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(ppo_policy, "train_seed", interrupted)
    assert trained(config) == 130
    assert "go on with --resume" in capsys.readouterr().err
    kept = config.parent / "policies" / ".trend.w000.resume"
    assert kept.exists()
    monkeypatch.setattr(ppo_policy, "train_seed", plain)
    assert trained(config, "--resume", "--seed", "8") == 2
    assert "other data, settings" in capsys.readouterr().err
    assert trained(config, "--resume") == 0
    assert not kept.exists()
    folder = config.parent / "policies"
    whole, resumed = (load_policy(folder / x, probe_features) for x in ("whole", "trend"))
    assert resumed.hash == whole.hash


def test_what_cannot_be_asked_is_refused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trained(config, "--entries", "bot") == 2
    assert "it takes 500" in capsys.readouterr().err
    assert trained(config, "--when", "never") == 2
    assert "when" in capsys.readouterr().err
    config.write_text(TEXT.replace("lanes: 4", "exit: fixed"))
    assert trained(config) == 2
    assert "when: entry" in capsys.readouterr().err


def test_nothing_heavy_is_imported_before_it_is_trained(tmp_path: Path) -> None:
    told = python(
        "-c",
        "import sys, intrabar.app.cli.learn_ppo, intrabar.learn.ppo_canaries\n"
        "print({'torch', 'stable_baselines3', 'gymnasium', 'onnx'} & set(sys.modules))",
        folder=tmp_path,
    )
    assert told.split() == ["set()"]
