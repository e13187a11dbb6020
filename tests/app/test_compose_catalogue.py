"""Runs on the catalogue's bars, and what is told about bars that were set aside."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.app.runs_of_it import config_in, said, write_bars


def test_a_run_on_the_catalogue_repeats_from_another_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INTRABAR_CATALOGUE", raising=False)
    write_bars(tmp_path / "AAA.csv")
    assert said(capsys, "data", "import", "AAA.csv", "--calendar", "none")[0] == 0
    arguments = ["backtest", "--symbol", "AAA", "--strategy", "CoinFlip", "--no-report"]
    assert said(capsys, *arguments)[0] == 0
    os.chdir("/")
    assert said(capsys, "runs", "rerun", "--out", tmp_path / "runs")[0] == 0
    folder = next((tmp_path / "runs").iterdir())
    assert said(capsys, "backtest", folder / "config.yaml", "--out", tmp_path / "b")[0] == 0


def test_an_empty_catalogue_says_how_to_fill_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INTRABAR_CATALOGUE", raising=False)
    code, _, err = said(capsys, "backtest", "--symbol", "AAA", "--strategy", "CoinFlip")
    assert code == 1
    assert "intrabar data import FILE" in err


def test_bars_that_were_set_aside_and_splits_are_remarks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_bars(tmp_path / "AAA.csv")
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[5] = lines[4]
    lines[9:] = [
        ",".join([d, *(f"{float(x) / 2:.4f}" for x in prices), "1000"])
        for d, *prices, _ in (line.split(",") for line in lines[9:])
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert said(capsys, "backtest", config_in(tmp_path))[0] == 0
    _, out, _ = said(capsys, "runs", "show", "--json", "--out", tmp_path / "runs")
    remarks = json.loads(out)["remarks"]
    assert any("1 rows set aside: a bar of this time was there before" in r for r in remarks)
    assert any("the close of 2020-01-09 is -5" in r and "split" in r for r in remarks)
