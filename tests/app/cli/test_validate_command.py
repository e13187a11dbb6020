"""`intrabar validate` and `intrabar walk-forward`: words, JSON, pages, and what cannot be done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.app.runs_of_it import config_in, said, write_bars

SWEEP = {"parameters": {"fast": [3, 5, 8], "slow": [20, 30]}}
QUICK = ("--runs", "9")


@pytest.fixture
def home(tmp_path: Path, capsys: Any) -> Path:
    """A folder with a configuration, a run and a sweep in its `runs`."""
    config = config_in(tmp_path, sweep=SWEEP)
    for command in ("backtest", "sweep"):
        code, _, err = said(capsys, command, config)
        assert code == 0, err
    return tmp_path / "runs"


def folder(home: Path, manifest: str) -> Path:
    return next(iter(home.glob(f"*/{manifest}"))).parent


def test_a_run_is_validated_with_the_trials_of_its_ledger(home: Path, capsys: Any) -> None:
    run = folder(home, "manifest.json")
    code, out, err = said(capsys, "validate", run, "--out", home, *QUICK)
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0] == "MovingAverageCrossover on AAA"
    assert lines[2].startswith(("Not real", "It may be", "There is nothing", "Nothing that"))
    assert "deflated Sharpe ratio" in out
    assert "6 variants were tried on these bars" in " ".join(out.split())
    assert "critique: " in out
    assert out.count("Assumes: ") >= 8


def test_the_best_of_a_sweep_is_validated(home: Path, capsys: Any) -> None:
    code, out, err = said(capsys, "validate", "last", "--out", home, "--json", *QUICK)
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert told["subject"] == "sweep"
    assert told["notes"] == []
    names = [one["name"] for one in told["checks"]]
    assert names[0] == "deflated Sharpe ratio"
    assert "probability of backtest overfitting" in names
    assert "random entry" in names
    assert told["verdict"]["mark"] in ("pass", "doubt", "fail")
    assert set(told["intervals"]["sharpe"]) == {"value", "low", "high"}
    page = Path(told["page"]).read_text(encoding="utf-8")
    assert told["verdict"]["sentence"] in page
    assert f"sharpe ({told['checks'][0]['figure']})" in page.lower()
    assert all(one["name"] in page for one in told["checks"])
    assert all(one["title"] in page for one in told["findings"])


def test_the_page_goes_where_it_is_wanted(home: Path, capsys: Any) -> None:
    run = folder(home, "manifest.json")
    wanted = home.parent / "pages" / "mine.html"
    code, out, err = said(capsys, "validate", run, "--out", home, "--page", wanted, *QUICK)
    assert code == 0, err
    assert f"page: {wanted}" in out
    assert wanted.stat().st_size > 10_000
    assert not (run / "validation.html").exists()
    (home.parent / "file").write_text("")
    unwritable = home.parent / "file" / "x.html"
    code, _, err = said(capsys, "validate", run, "--out", home, "--page", unwritable, *QUICK)
    assert code == 1
    assert "was not written" in err


def test_more_variants_than_the_ledger_knows_may_be_said(home: Path, capsys: Any) -> None:
    run = folder(home, "manifest.json")
    _, out, _ = said(capsys, "validate", run, "--out", home, "--tried", "500", "--json", *QUICK)
    told = {one["name"]: one for one in json.loads(out)["checks"]}
    assert told["deflated Sharpe ratio"]["figures"]["tried"] == 500.0


def test_what_is_wrong_is_one_line(home: Path, capsys: Any) -> None:
    for arguments, words in (
        (("nothing",), "unknown run or sweep 'nothing'"),
        (("last", "--tried", "0"), "tried: is 0"),
        (("last", "--runs", "0"), "runs: is 0"),
    ):
        code, out, err = said(capsys, "validate", *arguments, "--out", home)
        assert (code, out) == (2, "")
        assert words in err.splitlines()[-1]
    code, _, err = said(capsys, "validate", "--out", home / "none")
    assert code == 1
    assert "there is no run and no sweep" in err


def test_a_sweep_whose_bars_are_gone_is_validated_by_its_returns(home: Path, capsys: Any) -> None:
    (home.parent / "AAA.csv").unlink()
    sweep = folder(home, "sweep.json")
    code, out, err = said(capsys, "validate", sweep, "--out", home, *QUICK)
    assert code == 0, err
    assert "note: the best trial: " in out
    assert "AAA.csv" in out
    assert "probability of backtest overfitting" in out
    run = folder(home, "manifest.json")
    code, out, err = said(capsys, "validate", run, "--out", home)
    assert (code != 0, out) == (True, "")
    assert "AAA.csv" in err
    assert "Traceback" not in err


def test_a_damaged_sweep_is_one_line(home: Path, capsys: Any) -> None:
    sweep = folder(home, "sweep.json")
    (sweep / "returns.npz").write_bytes(b"no returns")
    code, _, err = said(capsys, "validate", sweep, "--out", home)
    assert code == 1
    assert "cannot be read" in err
    assert "Traceback" not in err


def test_bars_that_changed_are_told(home: Path, capsys: Any) -> None:
    write_bars(home.parent / "AAA.csv", seed=7)
    _, out, _ = said(capsys, "validate", folder(home, "sweep.json"), "--out", home, *QUICK)
    assert "note: the best trial has another result now" in out
    _, out, _ = said(capsys, "validate", folder(home, "manifest.json"), "--out", home, *QUICK)
    assert "note: data of AAA changed" in out


WINDOWS = {"train": "6m", "test": "2m"}


def test_walk_forward_tells_and_stores_its_windows(tmp_path: Path, capsys: Any) -> None:
    config = config_in(tmp_path, sweep=SWEEP, walk_forward=WINDOWS)
    code, out, err = said(capsys, "walk-forward", config, "--workers", "1")
    assert code == 0, err
    assert "tests, one after the other: return" in out
    assert "drift: another value than in the window before: fast in" in out
    assert "closed at its last bar" in out
    stored = folder(tmp_path / "runs", "walk_forward.json")
    told = json.loads((stored / "walk_forward.json").read_text())
    windows = pl.read_csv(stored / "windows.csv")
    assert windows.height == len(told["windows"]) == 4
    equity = pl.read_csv(stored / "equity.csv")
    assert equity["equity"][-1] == pytest.approx(1.0 + told["figures"]["total_return"])
    code, out, err = said(capsys, "walk-forward", config, "--workers", "2", "--json")
    again = json.loads(out)
    assert (code, err) == (0, "")
    assert again["windows"] == told["windows"]


def test_walk_forward_takes_bars_by_option(tmp_path: Path, capsys: Any) -> None:
    config = config_in(tmp_path, sweep=SWEEP, walk_forward=WINDOWS)
    options = ("--train", "150", "--test", "50", "--anchored", "--workers", "1", "--json")
    code, out, err = said(capsys, "walk-forward", config, *options)
    assert code == 0, err
    windows = json.loads(out)["windows"]
    assert len(windows) == 5
    assert len({one["train_first"] for one in windows}) == 1


def test_walk_forward_that_does_not_fit_is_one_line(tmp_path: Path, capsys: Any) -> None:
    config = config_in(tmp_path, sweep=SWEEP, walk_forward={"train": "5y", "test": "1y"})
    for arguments, words in (
        ((), "no window fits: a train of 5y and a test of 1y in a history of 400 bars"),
        (("--train", "soon"), "'soon' is no stretch of the calendar"),
        (("--train", "100"), "give all in bars, or all as stretches"),
        (("--metric", "beauty"), "unknown metric 'beauty'"),
    ):
        code, out, err = said(capsys, "walk-forward", config, "--workers", "1", *arguments)
        assert (code, out) == (2, "")
        assert words in err.splitlines()[-1]
    code, _, err = said(capsys, "walk-forward", config_in(tmp_path, walk_forward={"trian": "1y"}))
    assert code == 2
    assert "trian" in err
