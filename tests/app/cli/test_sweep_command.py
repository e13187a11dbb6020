"""`intrabar sweep` and `intrabar trials`: what a person sees, and a program."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from intrabar.app.cli.main import run
from intrabar.app.cli.sweep import values_of
from intrabar.app.folders.sweep_folder import find_sweep
from tests.app.sweeps_of_it import bars

CONFIG = """
report: false
data: [{symbol: A, file: a.csv, zone: UTC}]
strategies: [{name: MovingAverageCrossover}]
sweep:
  parameters: {fast: [3, 5], slow: {from: 20, to: 30, step: 10}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    bars(400).write_csv(tmp_path / "a.csv")
    (tmp_path / "c.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(arguments) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_a_sweep_tells_its_best_with_what_is_left_of_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = said(capsys, "sweep", "c.yaml")
    assert out.startswith("4 trials: 4 run, 0 known from before")
    best = next(line for line in out.splitlines() if line.startswith("best: "))
    assert "Sharpe " in best
    assert "% likely above 0" in best
    assert "4 variants were tried on these bars" in out
    assert "4 trials: 0 run, 4 known" in said(capsys, "sweep", "c.yaml")
    more = said(capsys, "sweep", "c.yaml", "--vary", "fast=4", "--constraint", "slow > 20")
    assert more.startswith("1 trials: 1 run")
    assert "5 variants were tried on these bars" in more


def test_a_program_gets_json_and_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(said(capsys, "sweep", "c.yaml", "--json", "--workers", "1"))
    assert (told["trials"], told["failed"], told["found"], told["tried"]) == (4, 0, 0, 4)
    assert 0.0 <= told["best"]["deflated_sharpe"] <= 1.0
    stored = find_sweep(Path("runs"), "last")
    assert stored.manifest["digest"] == told["digest"]
    assert stored.table.height == 4
    assert stored.returns.shape == (len(stored.days), 4)
    assert stored.table["digest"][told["best"]["number"]]
    lines = said(capsys, "trials", "--json").splitlines()
    assert {json.loads(line)["digest"] for line in lines} == set(stored.table["digest"])
    assert said(capsys, "trials", "--json", "--limit", "3").count("\n") == 3
    assert said(capsys, "trials", "--json", "--data", "B") == ""


def test_the_list_of_trials(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "sweep", "c.yaml", "--vary", "fast=3,50")
    table = said(capsys, "trials").splitlines()
    assert table[1].split()[:5] == ["2", "2", "A", "400", "2024-01-01"]
    assert "MovingAverageCrossover" in table[1]
    assert len(said(capsys, "trials", "--each", "--limit", "2").splitlines()) >= 3


def test_failed_trials_are_told_and_all_of_them_are_an_error(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = said(capsys, "sweep", "c.yaml", "--vary", "fast=3,50")
    assert out.startswith("4 trials: 4 run, 0 known from before, 2 failed")
    assert "failed: 2, the first at fast = 50, slow = 20: MovingAverageCrossover: fast is 50" in out
    assert run(["sweep", "c.yaml", "--vary", "fast=50,60"]) == 1
    assert "all 4 trials failed; the first: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said_"),
    [
        (["sweep", "none.yaml"], "no such file"),
        (["sweep", "c.yaml", "--vary", "fsat=3"], "did you mean 'fast'"),
        (["sweep", "c.yaml", "--vary", "fast"], "must be PLACE=VALUES"),
        (["sweep", "c.yaml", "--metric", "profit"], "unknown metric 'profit'"),
        (["sweep", "c.yaml", "--sample", "grdi"], "must be one of 'grid'"),
        (["sweep", "c.yaml", "--constraint", "fast > 99"], "exclude every point"),
        (["sweep", "c.yaml", "--constraint", "import os"], "cannot be read"),
        (["sweep", "c.yaml", "--workers", "0"], "workers: is 0"),
        (["sweep", "c.yaml", "--out", "a.csv"], "a.csv"),
        (["sweep", "--data", "a.csv", "--strategy", "CoinFlip"], "nothing to sweep"),
        (["trials", "--out", "nowhere"], "nowhere; the first sweep makes one"),
    ],
)
def test_bad_input_is_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said_: str
) -> None:
    assert run(arguments) in (1, 2)
    told = capsys.readouterr()
    assert said_ in told.err
    assert told.out == ""


def test_a_damaged_ledger_is_told_and_nothing_is_lost(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "runs").mkdir()
    (folder / "runs" / "trials.sqlite").write_text("no database" * 100)
    assert run(["sweep", "c.yaml"]) == 1
    assert "the ledger is damaged" in capsys.readouterr().err
    assert (folder / "runs" / "trials.sqlite").read_text() == "no database" * 100


def test_values_on_the_command_line() -> None:
    assert values_of("fast=5,10") == ("fast", [5, 10])
    assert values_of("a.b=1.5:3:0.5") == ("a.b", {"from": 1.5, "to": 3, "step": 0.5})
    assert values_of("account.path_policy=worst,best")[1] == ["worst", "best"]
    assert values_of("start=2024-01-05")[1] == [date(2024, 1, 5)]


def test_the_example_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    example = Path(__file__).parents[3] / "examples" / "sweep.yaml"
    out = said(capsys, "sweep", str(example), "--out", str(tmp_path), "--no-report")
    assert out.startswith("74 trials: 74 run")
    assert pl.read_parquet(find_sweep(tmp_path, "last").folder / "trials.parquet").height == 74
