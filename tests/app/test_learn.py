"""`intrabar learn dataset` and `ib.learn.dataset`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

import intrabar as ib
from intrabar.app.cli.main import run
from intrabar.learn.dataset_folder import read_dataset
from tests.strategy.markets import walk


@pytest.fixture
def config(tmp_path: Path) -> Path:
    market = walk(200, 4, period=3_600_000_000_000)
    columns = {k: getattr(market, k)[:, 0] for k in ("open", "high", "low", "close", "volume")}
    time = pl.Series(market.time).cast(pl.Datetime("ns", "UTC")).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    pl.DataFrame({"timestamp": time, **columns}).write_csv(tmp_path / "acme.csv")
    text = """
data: [{symbol: ACME, file: acme.csv}]
calendar: none
strategies: [{name: TrendFollowing, params: {exit: {name: TrailingATR, atr_period: 7}}}]
learn: {features: ["up = rsi(5) / 50 - 1"], window: 2, arms: [1, 2], max_bars: 30}
"""
    (tmp_path / "trend.yaml").write_text(text)
    return tmp_path / "trend.yaml"


def test_a_command_writes_a_dataset_beside_the_configuration(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["learn", "dataset", str(config), "--csv"]) == 0
    folder = config.parent / "datasets" / "trend"
    made = read_dataset(folder)
    out = capsys.readouterr().out
    assert f"{len(made.rows):,} rows" in out
    assert str(folder) in out
    assert {x.name for x in folder.iterdir()} == {"rows.parquet", "rows.csv", "dataset.json"}
    assert made.manifest["exit"] == "TrailingATR(atr_period=7, atr_multiple=3.0)"
    assert (made.manifest["arms"], made.manifest["max_bars"]) == ([1.0, 2.0], 30)
    assert made.manifest["features"]["names"] == ["up"]
    assert made.manifest["sources"][0]["symbol"] == "ACME"
    assert made.manifest["remarks"]  # ACME is in no table of instruments


def test_options_go_before_the_section_and_json_is_all_that_is_printed(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--arms", "1,3,4", "--max-bars", "20", "--exit", "fixed", "--name", "x"]
    assert run(["learn", "dataset", str(config), *options, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["arms"], told["max_bars"], told["name"]) == ([1.0, 3.0, 4.0], 20, "x")
    assert told["exit"].startswith("FixedRatio(")
    assert read_dataset(Path(told["folder"])).manifest["counts"] == told["counts"]


def test_the_call_and_the_command_make_the_same_rows(config: Path) -> None:
    assert run(["learn", "dataset", str(config), "--json"]) == 0
    made = ib.learn.dataset(config, name="other", threads=2)
    assert made.rows.equals(read_dataset(config.parent / "datasets" / "trend").rows)
    assert made.folder == config.parent / "datasets" / "other"


@pytest.mark.parametrize(
    ("learn", "words"),
    [
        ({"seed": -1}, "learn.seed: is -1, must be at least 0"),
        ({"train": "x"}, "learn.train: 'x' is no stretch of the calendar"),
        ({"test": "0m"}, "learn.test: '0m' is no stretch of the calendar"),
    ],
)
def test_what_a_later_training_could_not_take_is_refused_at_once(
    config: Path, learn: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump({**given, "learn": {**given["learn"], **learn}}))
    assert run(["learn", "dataset", str(config)]) == 2
    assert words in capsys.readouterr().err
    assert not (config.parent / "datasets").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--arms", "2,1"], "arms are [2.0, 1.0]"),
        (["--arms", "a"], "--arms: 'a'"),
        (["--exit", "soft"], "learn.exit: is 'soft'"),
        (["--max-bars", "0"], "max_bars"),
        (["--window", "0"], "window"),
        (["--features", "exit/9"], "'exit/9'"),
        (["--name", "../x"], "name: '../x'"),
        (["--bot", "other"], "'other'"),
        (["--threads", "0"], "threads"),
    ],
)
def test_what_cannot_be_made_is_refused(
    config: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["learn", "dataset", str(config), *options]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.err.startswith("error: ")
    assert not (config.parent / "datasets").exists()


def test_a_configuration_without_its_section_has_the_usual_terms(config: Path) -> None:
    given: dict[str, Any] = {
        "data": [{"symbol": "ACME", "file": str(config.parent / "acme.csv")}],
        "calendar": "none",
        "strategies": ["TrendFollowing"],
    }
    made = ib.learn.dataset(given, max_bars=40, out=config.parent)
    assert (made.folder.name, made.manifest["features"]["set"]) == ("dataset", "exit/1")
    assert len(made.manifest["arms"]) == 8
