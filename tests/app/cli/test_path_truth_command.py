from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from intrabar.app.cli.main import run
from intrabar.engine.outcome.path_truth import PathTruth
from intrabar.errors import DataError, NotFoundError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("INTRABAR_CATALOGUE", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    draw = np.random.default_rng(5)
    close = 1.2 + np.cumsum(draw.normal(0, 0.0002, 2000)).round(5)
    open_ = np.append(1.2, close[:-1])
    at = np.datetime64("2024-07-08T00:00") + np.arange(2000)
    rows = [
        f"{t}:00Z,{o:.5f},{max(o, c):.5f},{min(o, c):.5f},{c:.5f},1"
        for t, o, c in zip(at, open_, close, strict=True)
    ]
    text = "Time,Open,High,Low,Close,Volume\n" + "\n".join(rows) + "\n"
    (tmp_path / "eurusd_1m.csv").write_text(text)
    return tmp_path


def test_of_a_file_and_of_the_catalogue(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "path-truth", "eurusd_1m.csv", "--bars", "5m,60m", "--json"]) == 0
    of_file = json.loads(capsys.readouterr().out)
    assert [length["period"] for length in of_file["lengths"]] == ["5m", "1h"]
    extremes = of_file["lengths"][0]["extremes"]
    assert extremes["bars"] == 400
    assert extremes["shortest"]["low"] < extremes["shortest"]["share"]

    assert run(["data", "import", "eurusd_1m.csv"]) == 0
    assert run(["data", "resample", "EURUSD", "5m"]) == 0
    capsys.readouterr()
    wanted = ["--bars", "5m,60m", "--out", "truth.json"]
    assert run(["data", "path-truth", "EURUSD", *wanted]) == 0
    said = capsys.readouterr().out
    assert "EURUSD: bars made of 1m bars" in said
    assert "0.25 : 0.5" in said
    assert json.loads((folder / "truth.json").read_text()) == of_file
    truth = PathTruth.read("truth.json")
    assert truth.as_json() == of_file
    with pytest.raises(NotFoundError, match=r"path truth of EURUSD '15m': did you mean '5m'"):
        truth.of(900_000_000_000)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["eurusd_1m.csv", "--bars", "7x"], "period is '7x'"),
        (["eurusd_1m.csv", "--bars", "90s"], "90s bars cannot be made of 1m bars"),
        (["eurusd_1m.csv", "--bars", ","], "--bars names no length"),
        (["NONE"], "unknown symbol 'NONE'"),
        (["eurusd_1m.csv", "--out", "no/such/folder.json"], "cannot be written"),
    ],
)
def test_mistakes_are_a_sentence(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", "path-truth", *words]) in (1, 2)
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"lengths": [{"period": "5m"}]}'])
def test_a_file_that_holds_something_else(folder: Path, text: str) -> None:
    (folder / "other.json").write_text(text)
    with pytest.raises(DataError, match=r"other.json holds no path truth .* path-truth SYMBOL"):
        PathTruth.read("other.json")
    with pytest.raises(DataError, match="holds no path truth"):
        PathTruth.read("missing.json")
