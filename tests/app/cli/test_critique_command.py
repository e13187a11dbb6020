"""`intrabar critique`: words, JSON, and runs that cannot be made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import intrabar as ib
from tests.app.runs_of_it import config_in, said, write_bars


def stored(folder: Path, capsys: Any, **changes: Any) -> str:
    code, out, err = said(capsys, "backtest", config_in(folder, **changes), "--json")
    assert code == 0, err
    name: str = json.loads(out)["folder"]
    return name


def test_a_run_is_told_what_speaks_against_it(tmp_path: Path, capsys: Any) -> None:
    run = stored(tmp_path, capsys)
    code, out, err = said(capsys, "critique", run)
    assert code == 0, err
    first, *rest = out.splitlines()
    assert first.startswith("MovingAverageCrossover on AAA: ")
    assert "fail" in first
    assert any(line.startswith("FAIL    There are too few campaigns") for line in rest)
    assert any(line.strip().startswith("-> ") for line in rest)
    assert "note:" not in out


def test_json_is_one_object(tmp_path: Path, capsys: Any) -> None:
    run = stored(tmp_path, capsys)
    code, out, err = said(capsys, "critique", run, "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert told["id"] == Path(run).name
    names = {one["name"] for one in told["findings"]}
    assert {"profit", "campaigns", "cost sensitivity", "path dependence"} <= names
    assert all(one["mark"] in ("fail", "doubt", "unknown", "pass") for one in told["findings"])
    assert all(one["what_to_do"] for one in told["findings"] if one["mark"] == "fail")


def test_bars_that_changed_are_told(tmp_path: Path, capsys: Any) -> None:
    run = stored(tmp_path, capsys)
    write_bars(tmp_path / "AAA.csv", seed=2)
    code, out, _ = said(capsys, "critique", run)
    assert code == 0
    assert "note: data of AAA changed" in out
    assert "note: the result is not that of the stored run" in out


def test_a_run_whose_data_are_gone_is_one_line(tmp_path: Path, capsys: Any) -> None:
    run = stored(tmp_path, capsys)
    (tmp_path / "AAA.csv").unlink()
    code, out, err = said(capsys, "critique", run)
    assert (code != 0, out) == (True, "")
    assert err.splitlines()[-1].startswith("error: ")
    assert "AAA.csv" in err
    assert "Traceback" not in err


def test_no_such_run_and_runs_in_chunks_are_one_line(tmp_path: Path, capsys: Any) -> None:
    code, _, err = said(capsys, "critique", "--out", tmp_path / "none")
    assert code == 1
    assert "there is no run" in err
    run = stored(tmp_path, capsys, chunk=100)
    code, _, err = said(capsys, "critique", run)
    assert code == 1
    assert "was run in chunks" in err


def test_python_takes_a_result(tmp_path: Path) -> None:
    result = ib.backtest(config=config_in(tmp_path))
    findings = ib.critique(result)
    assert all(isinstance(one, ib.Finding) for one in findings)
    assert findings[0].mark == "fail"
