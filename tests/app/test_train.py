"""`intrabar learn lstm`, `learn check`, `ib.learn.windows` and `ib.learn.lstm`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import intrabar as ib
import intrabar.app.calls.train as calls
import intrabar.app.calls.train_ppo as train_ppo
import intrabar.engine.prepared as prepared
from intrabar.app.cli.main import run
from intrabar.engine.tables.feature_table import FeatureTables, feature_tables, probe_features
from intrabar.exits.policy_file import load_policy
from intrabar.exits.policy_windows import load_policies
from intrabar.learn.canaries import Verdict
from intrabar.learn.dataset_folder import Dataset
from intrabar.learn.exact import seeds_of
from intrabar.model.instant import instant_ns
from intrabar.research.sweep.ledger import LEDGER, Ledger
from tests.strategy.markets import walk

TEXT = """
data: [{symbol: ACME, file: acme.csv}]
calendar: none
strategies: [{name: TrendFollowing, params: {exit: {name: TrailingATR, atr_period: 7}}}]
learn: {features: ["up = rsi(5) / 50 - 1"], window: 4, arms: [1, 2], max_bars: 20,
  train: 4w, test: 1w}
"""


@pytest.fixture(autouse=True)
def _no_hindsight(monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary of noise costs seconds, and has its test in `tests/learn`."""
    monkeypatch.setattr(calls, "hindsight", lambda: Verdict("hindsight", True, "told"))


def bars(folder: Path, count: int = 1_000, seed: int = 4) -> None:
    market = walk(count, seed, period=3_600_000_000_000)
    columns = {k: getattr(market, k)[:, 0] for k in ("open", "high", "low", "close", "volume")}
    time = pl.Series(market.time).cast(pl.Datetime("ns", "UTC")).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    pl.DataFrame({"timestamp": time, **columns}).write_csv(folder / "acme.csv")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    bars(tmp_path)
    (tmp_path / "trend.yaml").write_text(TEXT)
    return tmp_path / "trend.yaml"


def dataset(config: Path) -> Dataset:
    return ib.learn.dataset(config)


def trained(config: Path, *options: str) -> int:
    short = () if "--epochs" in options else ("--epochs", "2")
    return run(["learn", "lstm", str(config), *short, *options])


def test_a_command_goes_from_a_configuration_to_a_policy(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained(config) == 0
    folder = config.parent / "policies" / "trend"
    assert {x.name for x in folder.iterdir()} >= {
        *("policy.npz", "policy.json", "curves.parquet"),
        *("trend.pt", "trend.meta.json", "trend.onnx"),
    }
    told = json.loads((folder / "policy.json").read_text())
    policy = load_policy(folder, probe_features)
    assert told["command"] == "learn lstm"
    assert [x["name"] for x in told["canaries"]] == ["causal", "hindsight"]
    assert told["trained_until_is"] == "witnessed"
    needed = "kind name command config seeds data features dataset spans trained_until arms loss "
    needed += "hyperparameters hyperparameters_hash files parity metrics prior versions threads cpu"
    assert set(needed.split()) <= told.keys()
    out = capsys.readouterr().out
    assert f"trained until {told['trained_until']}" in out
    assert f"arm {told['metrics']['static_arm']:g} always" in out
    assert str(folder) in out
    with Ledger(config.parent / "runs" / LEDGER) as ledger:
        trials = list(ledger.trials())
    assert sorted(x["parameters"]["seed"] for x in trials) == sorted(told["seeds"])
    assert {x["digest"] for x in trials} == {"", policy.hash}


def test_json_is_all_that_is_printed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trained(config, "--seed", "3", "--name", "x", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], Path(told["folder"])) == ("x", config.parent / "policies" / "x")


def test_the_call_gives_the_policy_of_the_command(config: Path) -> None:
    assert trained(config, "--seed", "3") == 0
    stored = load_policy(config.parent / "policies" / "trend", probe_features)
    policy = ib.learn.lstm(config.parent / "datasets" / "trend", seed=3, epochs=2)
    assert policy.hash == stored.hash


def test_the_arrays_are_as_they_are_trained_on(config: Path) -> None:
    data = dataset(config)
    X, y, rows = ib.learn.windows(data)
    assert (X.shape, y.shape, len(rows)) == ((len(y), 4, 1), (len(y), 2), len(data.rows))
    assert set(rows["split"].unique()) == {"train", "validation", "purged"}
    assert abs(X[rows["split"].to_numpy() == "train", -1].mean()) < 1e-4
    labels = ib.learn.windows(data, loss="label").y
    ordered = data.rows.sort("time", "symbol", "side", descending=[False, False, True])
    assert labels.tolist() == ordered["label"].to_list()


def test_a_policy_per_window_decides_only_after_its_train(config: Path) -> None:
    assert trained(config, "--walk-forward") == 0
    folder = config.parent / "policies" / "trend"
    policies = load_policies(folder, probe_features)
    told = json.loads((folder / "policy.json").read_text())
    assert len(policies) == len(told["windows"]) >= 2
    assert len({x.net.mean.tobytes() for x in policies}) == len(policies)  # own normalisation
    rows = dataset_rows(config)
    first = rows["time"].cast(pl.Int64).min()
    for k, policy in enumerate(policies):
        day = np.datetime64(first, "ns").astype("datetime64[D]") + np.timedelta64(28 + 7 * k, "D")
        assert policy.trained_until < int(day.astype("datetime64[ns]").astype(np.int64))
        own = json.loads((folder / f"w{k:03d}" / "policy.json").read_text())
        assert instant_ns(own["spans"]["validation"][1]) == policy.trained_until


def dataset_rows(config: Path) -> pl.DataFrame:
    return pl.read_parquet(config.parent / "datasets" / "trend" / "rows.parquet")


def of_the_next_bar(*given: Any) -> FeatureTables:
    """What a trainer would read that knows a bar too much."""
    tables = feature_tables(*given)
    later = tuple(np.concatenate([x[1:], x[-1:]]) for x in tables.tables)
    return replace(tables, tables=later, row_of=tables.row_of.copy())


def test_features_of_the_next_bar_leave_no_policy(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prepared, "feature_tables", of_the_next_bar)
    assert trained(config) == 1
    error = capsys.readouterr().err
    assert "nothing of this LSTM may be saved: canary causal: feature up of ACME" in error
    assert not (config.parent / "policies").exists()
    assert not (config.parent / "runs").exists()


def test_a_canary_that_does_not_hold_leaves_no_policy(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(calls, "hindsight", lambda: Verdict("hindsight", False, "-0.2 of 0.3"))
    assert trained(config) == 1
    assert "canary hindsight: -0.2 of 0.3" in capsys.readouterr().err
    assert not (config.parent / "policies").exists()


def test_other_bars_than_the_dataset_s_are_refused(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset(config)
    bars(config.parent, seed=5)
    assert trained(config) == 1
    assert "ACME: content" in (error := capsys.readouterr().err)
    assert "make the dataset anew" in error


def test_another_configuration_than_the_dataset_s_is_refused(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset(config)
    config.write_text(TEXT.replace("max_bars: 20", "max_bars: 30, seed: 4"))
    assert trained(config) == 2
    error = capsys.readouterr().err
    assert "learn.max_bars: 20 then, 30 now" in error
    assert "seed" not in error  # of training: no part of a dataset
    config.write_text(TEXT.replace("max_bars: 20", "max_bars: 20, seed: 4"))
    assert trained(config) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--loss", "profit"], "learn.loss: is 'profit'"),
        (["--epochs", "0"], "epochs"),
        (["--seed", "-1"], "seed"),
        (["--dataset", "tred"], "did you mean 'trend'?"),
        (["--dataset", "nowhere/trend"], "unknown dataset 'nowhere/trend'"),
        (["--name", "../x"], "name: '../x'"),
    ],
)
def test_what_cannot_be_is_told(
    config: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset(config)
    assert trained(config, *options) == 2
    assert words in capsys.readouterr().err


def test_a_stretch_that_is_none_is_refused_by_its_place(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(TEXT.replace("train: 4w", "train: soon"))
    assert trained(config, "--walk-forward") == 2
    assert "learn.train: 'soon' is no stretch of the calendar" in capsys.readouterr().err


def test_a_dataset_is_named_or_is_a_folder(config: Path) -> None:
    dataset(config)
    for k, given in enumerate(("trend", str(config.parent / "datasets" / "trend"))):
        assert trained(config, "--dataset", given, "--name", f"x{k}") == 0
        assert run(["learn", "show", f"x{k}", "--importance", "--dataset", given]) == 0


def test_a_dataset_that_is_there_is_refused_before_bars_are_read(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset(config)
    (config.parent / "acme.csv").unlink()
    assert run(["learn", "dataset", str(config)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_too_few_rows_are_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bars(config.parent, 300)
    assert trained(config) == 2
    assert "rows to learn from, it takes 1,000" in capsys.readouterr().err
    bars(config.parent)
    config.write_text(TEXT.replace("train: 4w", "train: 2w"))
    assert run(["learn", "dataset", str(config), "--name", "two"]) == 0
    assert trained(config, "--walk-forward", "--dataset", "two") == 2
    assert "window 1 of" in capsys.readouterr().err


def test_a_policy_that_is_there_is_not_trained_again(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained(config) == 0
    assert trained(config) == 2
    assert "is there already" in capsys.readouterr().err


def test_what_was_interrupted_goes_on(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = dataset(config)
    expected = ib.learn.lstm(data, epochs=2)
    real, asked = calls.train_lstm, []

    def interrupted(w: Any, s: Any, seeds: Any, watch: Any) -> Any:
        def stop(done: int, total: int) -> None:
            asked.append(done)
            if len(asked) == 3:
                raise KeyboardInterrupt

        return real(w, s, seeds, stop)

    monkeypatch.setattr(calls, "train_lstm", interrupted)
    assert trained(config) == 130
    assert "go on with --resume" in capsys.readouterr().err
    assert trained(config, "--resume", "--seed", "9") == 2
    assert "is of a training on other data, settings, versions or seed" in capsys.readouterr().err
    assert trained(config, "--resume", "--name", "typo") == 2
    assert "resume: nothing of typo is kept" in capsys.readouterr().err
    monkeypatch.setattr(calls, "train_lstm", real)
    assert trained(config, "--resume") == 0
    folder = config.parent / "policies"
    assert load_policy(folder / "trend", probe_features).hash == expected.hash
    assert [x.name for x in folder.iterdir()] == ["trend"]


@pytest.mark.parametrize("option", ["--out", "--runs"])
@pytest.mark.parametrize("trainer", ["lstm", "ppo"])
def test_what_could_not_be_stored_is_not_trained(
    config: Path,
    trainer: str,
    option: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def trained_in_vain(*_: Any) -> Any:
        raise AssertionError("hours were spent")

    monkeypatch.setattr(calls, "causal", trained_in_vain)
    monkeypatch.setattr(train_ppo, "causal", trained_in_vain)
    assert run(["learn", trainer, str(config), option, "acme.csv/x", "--name", "new"]) == 1
    assert "acme.csv is no folder that can be written" in capsys.readouterr().err
    damaged = config.parent / "damaged"
    damaged.mkdir()
    (damaged / LEDGER).write_text("no ledger")
    assert run(["learn", trainer, str(config), "--runs", "damaged", "--name", "new"]) == 1
    assert LEDGER in capsys.readouterr().err


def test_check_asks_canaries_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["learn", "check", "--seed", "-1"]) == 2
    assert "seed: is -1, must be from 0 to" in capsys.readouterr().err
    assert run(["learn", "check", "--canary", "hindsigt"]) == 2
    assert "did you mean 'hindsight'?" in capsys.readouterr().err
    verdict = Verdict("hindsight", False, "told")
    monkeypatch.setattr("intrabar.learn.hindsight.hindsight", lambda seed: verdict)
    assert run(["learn", "check", "--canary", "hindsight", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["holds"] is False


def test_what_was_exported_is_taken_again(config: Path) -> None:
    assert trained(config, "--seed", "3") == 0
    folder = config.parent / "policies" / "trend"
    stored = load_policy(folder, probe_features)
    policy = ib.learn.adopt(folder / "trend.pt", trained_until="2024-01-31", name="again")
    assert policy.features == stored.features
    assert (policy.net.weights == stored.net.weights).all()
    assert (policy.net.scale == stored.net.scale).all()
    assert policy.calibration == stored.calibration


def test_show_tells_a_policy_and_what_its_features_are_worth(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained(config) == 0
    assert trained(config, "--walk-forward", "--name", "windows") == 0
    page = config.parent / "policies" / "trend" / "report.html"
    assert "arm 2 always" in page.read_text()
    assert '"x_unit":"epochs"' in page.read_text()
    saved = json.loads((page.parent / "policy.json").read_text())["seed"]
    assert page.read_text().count(f"seed {saved}, saved") >= 2  # of the curves and of the bars
    assert (config.parent / "policies" / "windows" / "w001" / "report.html").exists()
    capsys.readouterr()
    assert run(["learn", "show", "trend", "--importance"]) == 0
    out = capsys.readouterr().out
    assert run(["learn", "show", "trend", "--importance", "--seed", "-1"]) == 2
    assert "seed: is -1, must be from 0 to" in capsys.readouterr().err
    assert "up = rsi(5) / 50.0 - 1.0" in out or "up = " in out
    assert "score lost" in out
    assert run(["learn", "show", "windows", "--importance", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [x[0]["feature"] for x in told["importance"]] == ["up"] * len(told["windows"])
    assert run(["learn", "show", "trnd"]) == 2
    assert "did you mean 'trend'?" in capsys.readouterr().err
    ib.learn.dataset(config, name="other", arms=[1, 3])
    options = ["--importance", "--dataset", str(config.parent / "datasets" / "other")]
    assert run(["learn", "show", "trend", *options]) == 2
    assert "is another dataset than" in capsys.readouterr().err


def test_training_is_as_the_configuration_says_now(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The dataset was made when it said otherwise; only what is of a dataset is held to that."""
    dataset(config)
    config.write_text(TEXT.replace("train: 4w, test: 1w", "train: 3w, test: 10d, seed: 5"))
    assert trained(config, "--walk-forward") == 2  # three weeks are too few: no longer four
    assert "window 1 of" in capsys.readouterr().err
    now = "train: 4w, test: 5d, seed: 5, loss: label"
    config.write_text(TEXT.replace("train: 4w, test: 1w", now))
    assert trained(config, "--walk-forward") == 0
    out = capsys.readouterr().out
    assert out.count("no drift is told") == 1  # once, not once per window
    told = json.loads((config.parent / "policies" / "trend" / "policy.json").read_text())
    assert len(told["windows"]) == 3
    assert told["config"]["learn"]["seed"] == 5
    assert told["seeds"] == seeds_of(5)
    own = json.loads((config.parent / "policies" / "trend" / "w000" / "policy.json").read_text())
    assert own["loss"] == "label"
    data = config.parent / "datasets" / "trend"
    called = ib.learn.lstm(
        data, epochs=2, walk_forward=True, train="4w", test="5d", seed=5, loss="label"
    )
    assert [x.hash for x in called] == [x["hash"] for x in told["windows"]]
