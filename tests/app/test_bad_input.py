"""Whatever is wrong with a request is one sentence with its place, and an exit code."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from tests.app.runs_of_it import config_in, said, write_bars

STRATEGY = [{"name": "MovingAverageCrossover", "params": {"fast": 5, "slow": 20}}]
CHANGES: dict[str, tuple[dict[str, Any], int, list[str]]] = {
    "unknown strategy": (
        {"strategies": [{"name": "MovingAverageCrosover"}]},
        2,
        ["strategies[0].name", "did you mean 'MovingAverageCrossover'"],
    ),
    "unknown parameter": (
        {"strategies": [*STRATEGY, {"name": "TrendFollowing", "params": {"fats": 3}}]},
        2,
        ["strategies[1].params.fats", "did you mean 'fast'"],
    ),
    "parameter out of range": (
        {"strategies": [{"name": "MovingAverageCrossover", "params": {"fast": 50, "slow": 20}}]},
        2,
        ["strategies[0].params.fast", "is 50, must be below slow, 20"],
    ),
    "parameter of the wrong kind": (
        {"strategies": [{"name": "MovingAverageCrossover", "params": {"fast": "many"}}]},
        2,
        ["strategies[0].params.fast", "'many'", "must be a whole number"],
    ),
    "warm-up below 0": (
        {"strategies": [{"name": "CoinFlip", "params": {"warm_up": -5}}]},
        2,
        ["strategies[0].params.warm_up", "warm_up is -5, must be from 0 to 1000000000"],
    ),
    "unknown key": (
        {"acount": {"cash": 5}},
        2,
        ["acount: unknown key; did you mean 'account'?"],
    ),
    "unknown key inside": (
        {"strategies": [{"name": "CoinFlip", "parms": {}}]},
        2,
        ["strategies[0].parms: unknown key; did you mean 'params'?"],
    ),
    "wrong type": (
        {"account": {"cash": "much"}},
        2,
        ["account.cash: is 'much', must be a number"],
    ),
    "neither of two kinds": (
        {"predict": {"hyperparameters": 3}},
        2,
        ["predict.hyperparameters: is 3, must be text or a mapping of names to values"],
    ),
    "inside one of two kinds": (
        {"predict": {"features": ["a = close", 3]}},
        2,
        ["config.yaml: predict.features[1]: is 3, must be text"],
    ),
    "no such word": (
        {"account": {"path_policy": "kindest"}},
        2,
        ["account.path_policy: is 'kindest', must be one of 'worst'"],
    ),
    "bad date": (
        {"start": "soon"},
        2,
        ["start: is 'soon', must be a date such as 2020-01-31"],
    ),
    "a number for a date": ({"start": 20200131}, 2, ["start: is 20200131, must be a date"]),
    "a date that has no place": ({"end": "9999-01-01"}, 2, ["9999-01-01: dates go from 1700"]),
    "same name twice": (
        {"strategies": STRATEGY * 2},
        2,
        ["strategies[1]", "there twice", "'as: another name'"],
    ),
    "nothing enabled": (
        {"strategies": [{"name": "CoinFlip", "enabled": False}]},
        2,
        ["there is no strategy to run; enable at least one"],
    ),
    "unknown symbol": ({"symbols": ["AAB"]}, 2, ["unknown symbol 'AAB'", "did you mean 'AAA'"]),
    "instrument that is not traded": (
        {"instruments": {"AAB": {"tick_size": 1}}},
        2,
        ["unknown symbol in instruments 'AAB'", "'AAA'"],
    ),
    "unknown instrument parameter": (
        {"instruments": {"AAA": {"tik_size": 1}}},
        2,
        ["instruments.AAA", "'tick_size'"],
    ),
    "no bars between the dates": (
        {"start": "2030-01-01"},
        2,
        ["AAA: no bars between 2030-01-01", "the bars run from 2020-01-0"],
    ),
    "no such file of bars": (
        {"data": [{"symbol": "AAA", "file": "none.csv"}]},
        2,
        ["none.csv", "no such file"],
    ),
    "indicator longer than the data": (
        {"strategies": [{"name": "MovingAverageCrossover", "params": {"fast": 5, "slow": 500}}]},
        2,
        ["needs", "bars, AAA has 400"],
    ),
    "infinite cash": ({"account": {"cash": float("inf")}}, 2, ["account.cash: is inf", "finite"]),
    "no cash in an older file": (
        {"trading": {"initial_capital": -5}},
        2,
        ["trading.initial_capital: is -5, must be above 0"],
    ),
    "seed below 0": ({"account": {"seed": -1}}, 2, ["account.seed: is -1, must be from 0 to"]),
    "a zone that counts for nothing": ({"zone": "Mars/Olympus"}, 2, ["unknown time zone"]),
    "a period that counts for nothing": ({"period": "5 parsecs"}, 2, ["write it like 30s, 5m"]),
    "a calendar that counts for nothing": ({"calendar": "MARS"}, 2, ["unknown calendar 'MARS'"]),
    "end before start": (
        {"start": "2021-01-01", "end": "2020-01-01"},
        2,
        ["AAA: the start 2021-01-01T00:00:00Z is after the end"],
    ),
    "a name without a module": (
        {"strategies": [{"name": ":"}]},
        2,
        ["strategies[0]: strategy ':': must be a name, or package.module:Name"],
    ),
    "a module for a strategy": (
        {"strategies": [{"name": "os:path"}]},
        2,
        ["os:path is neither a strategy"],
    ),
    "a module that fails": (
        {"strategies": [{"name": "tests.app.failing:Any"}]},
        1,
        ["importing 'tests.app.failing': ", "failing.py:3 (BROKEN = 1 / 0): ZeroDivisionError"],
    ),
    "a strategy that cannot be made": (
        {"strategies": [{"name": "tests.app.rules:Unmakeable"}]},
        1,
        ["making it failed", "rules.py:", "ValueError: never"],
    ),
    "live": (
        {"trading": {"mode": "live"}},
        2,
        ["trading.mode: 'live' is no backtest"],
    ),
    "environment": (
        {"name": "${NOT_THERE_AT_ALL}"},
        2,
        ["name: the environment variable NOT_THERE_AT_ALL is not set"],
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_wrong_configuration_is_told_with_its_place(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, expected, words = CHANGES[what]
    code, out, err = said(capsys, "backtest", config_in(tmp_path, **changes))
    assert (code, out) == (expected, "")
    told = [line for line in err.splitlines() if not line.startswith("compiling the market")]
    assert told[0].startswith("error: ")
    for word in words:
        assert word in err
    assert not list((tmp_path / "runs").glob("*"))


def test_wrong_options_of_an_audit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option, words in (("--cuts", "cuts is -1"), ("--seed", "seed is -1")):
        code, _, err = said(capsys, "audit", config_in(tmp_path), option, "-1")
        assert code == 2
        assert words in err


def test_missing_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "backtest", tmp_path / "none.yaml")
    assert code == 2
    assert "none.yaml: no such file" in err


def test_yaml_syntax_names_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.yaml").write_text("name: a\nsymbols: [A, B\nout: x\n", encoding="utf-8")
    code, _, err = said(capsys, "backtest", tmp_path / "c.yaml")
    assert code == 2
    assert "c.yaml:3:" in err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("out: a\nname: b\nout: c\n", "c.yaml:3: the key 'out' is there twice"),
        ("data: [{symbol: A, symbol: B}]\n", "c.yaml:1: the key 'symbol' is there twice"),
        ("a: &a [*a]\n", "c.yaml: holds itself"),
        ("a: " + 2000 * "[" + 2000 * "]", "c.yaml:"),  # PyYAML 6.0.4 has a limit of its own
        ("- a\n", "c.yaml: holds no mapping"),
        ("", "c.yaml: holds no mapping"),
    ],
)
def test_yaml_that_is_no_configuration(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    code, _, err = said(capsys, "backtest", tmp_path / "c.yaml")
    assert code == 2
    assert words in err


def test_a_folder_that_takes_no_runs_is_told_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intrabar.app.cli.backtest.Run", None)  # a run that begins fails the test
    home = tmp_path / "file"
    home.write_text("", encoding="utf-8")
    code, _, err = said(capsys, "backtest", config_in(tmp_path, out=str(home)))
    assert code == 1
    assert "no run can be stored in" in err


def test_a_folder_of_runs_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = said(capsys, "runs", "list", "--out", tmp_path / "none")
    assert (code, out) == (1, "")
    assert "none: no such folder of runs" in err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read: Expecting"),
        ("[1]", "is damaged"),
        ("{}", "is damaged: title: is missing"),
        ('{"metrics": 5}', "metrics: is 5, must be a mapping"),
        ('{"data": [{"symbol": 5}]}', "data[0].symbol: is 5, must be text"),
    ],
)
def test_a_damaged_run_is_told_and_the_others_are_listed(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "runs"
    assert said(capsys, "backtest", config_in(tmp_path))[0] == 0
    sound = next(home.iterdir()).name
    (home / "2020-damaged").mkdir()
    (home / "2020-damaged" / "manifest.json").write_text(text, encoding="utf-8")
    code, out, err = said(capsys, "runs", "list", "--out", home)
    assert code == 1
    assert sound in out
    assert words in err
    for command in ("show", "compare", "rerun"):
        code, out, err = said(capsys, "runs", command, "2020-damaged", "--out", home)
        assert (code, out) == (1, "")
        assert words in err


def test_a_catalogue_that_is_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTRABAR_CATALOGUE", str(write_bars(tmp_path / "AAA.csv")))
    code, _, err = said(capsys, "data", "list")
    assert code == 1
    assert "AAA.csv is a file; name a folder" in err


def test_wrong_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_bars(tmp_path / "AAA.csv", header="Date,First,High,Low,Close,Volume")
    code, _, err = said(capsys, "backtest", config_in(tmp_path))
    assert code == 2
    assert "AAA.csv: the columns fit no known format; found: 'Date', 'First'" in err


def test_unsorted_bars(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_bars(tmp_path / "AAA.csv")
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[10], lines[11] = lines[11], lines[10]
    path.write_text("\n".join(lines), encoding="utf-8")
    code, _, err = said(capsys, "backtest", config_in(tmp_path))
    assert code == 2
    assert "AAA.csv: the rows are not in the order of time: row 12" in err


def test_a_strategy_that_raises_is_told_by_bar_phase_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_in(tmp_path, strategies=[{"name": "tests.app.rules:Clumsy"}])
    code, _, err = said(capsys, "backtest", config)
    assert code == 1
    assert "Clumsy failed at CLOSE of bar 7 (2020-01-" in err
    assert "rules.py:" in err
    assert "ZeroDivisionError" in err
    assert not list((tmp_path / "runs").glob("*"))


@pytest.mark.parametrize("name", ["write_parquet", "write_csv"])
def test_a_full_disk_leaves_no_run(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(f"polars.DataFrame.{name}", full)
    code, _, err = said(capsys, "backtest", config_in(tmp_path))
    assert code == 1
    assert "No space left on device" in err
    assert list((tmp_path / "runs").glob("*")) == []
    code, out, _ = said(capsys, "runs", "list", "--out", tmp_path / "runs")
    assert (code, out.startswith("There is no run in ")) == (0, True)


def test_an_interrupted_run_is_not_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("intrabar.app.folders.run_folder.os.rename", interrupt)
    code, _, err = said(capsys, "backtest", config_in(tmp_path))
    assert (code, err.splitlines()[-1]) == (130, "error: interrupted")
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--param", "fast"], "--param 'fast': must be NAME=VALUE"),
        (["--param", "Other.fast=3"], "no strategy of MovingAverageCrossover has it"),
        (["--param", "fast=[1"], "--param 'fast=[1': '[1' is no YAML value"),
        (["--data", "="], "--data '=': must be FILE or SYMBOL=FILE"),
        (["--cash", "inf"], "account.cash: is inf, must be a finite number"),
        (["--cash", "-1"], "account.cash: is -1.0, must be above 0"),
        (["--start", "x"], "start: is 'x', must be a date"),
    ],
)
def test_wrong_options(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = said(capsys, "backtest", config_in(tmp_path), *arguments)
    assert code == 2
    assert words in err


def test_a_misspelt_parameter_of_several_strategies_is_told_the_nearest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two = [{"name": "MovingAverageCrossover"}, {"name": "TrendFollowing"}]
    code, _, err = said(
        capsys, "backtest", config_in(tmp_path, strategies=two), "--param", "slwo=9"
    )
    assert code == 2
    assert "unknown parameter of --param 'slwo': did you mean 'slow'" in err
