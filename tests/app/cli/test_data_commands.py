from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import intrabar
from intrabar.app.cli.data import app
from intrabar.app.cli.reading_options import parse_mapping
from intrabar.data.catalogue import Catalogue
from intrabar.errors import ConfigError, DataError, NotFoundError

DAILY = "Date,Open,High,Low,Close,Volume\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("INTRABAR_CATALOGUE", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def run(*words: str) -> None:
    app(list(words), result_action="return_value")


def minutes(path: Path, count: int = 390, first: str = "2024-07-05T13:30") -> Path:
    at = np.datetime64(first) + np.arange(count)
    rows = [f"{t}:00Z,{100 + i},{102 + i},{99 + i},{101 + i},10" for i, t in enumerate(at)]
    path.write_text("Time,Open,High,Low,Close,Volume\n" + "\n".join(rows) + "\n")
    return path


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def printed_json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_import_list_show_verify_resample(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    minutes(folder / "nvda_1m.csv")
    run("import", "nvda_1m.csv")
    said = printed(capsys)
    assert "NVDA 1m: 390 bars from nvda_1m.csv" in said
    assert "stamps mark the start of a bar, zone America/New_York, calendar NYSE" in said
    assert "NVDA: a share, calendar NYSE" in said
    assert "checks passed" in said
    assert (folder / "catalogue" / "NVDA" / "1m" / "manifest.json").exists()

    run("resample", "NVDA", "1h")
    assert "7 bars NVDA 1h of 390 bars 1m" in printed(capsys)
    run("resample", "NVDA", "1d", "--from", "1m", "--json")
    assert printed_json(capsys)["rows"] == 1
    assert Catalogue().read("NVDA", "1d").volume.tolist() == [3900]

    run("list")
    lines = printed(capsys).splitlines()
    assert lines[-1] == f"in {Catalogue().root.absolute()}"
    assert max(map(len, lines[:-1])) <= 80
    assert [line.split()[:3] for line in lines[1:-1]] == [
        ["NVDA", "1m", "390"],
        ["NVDA", "1h", "7"],
        ["NVDA", "1d", "1"],
    ]
    run("list", "--json")
    assert [m["period"] for m in printed_json(capsys)] == ["1m", "1h", "1d"]

    run("show", "NVDA")
    assert "content_sha256" in printed(capsys)
    run("show", "NVDA", "--json")
    assert printed_json(capsys)[0]["checks"][0]["severity"] == "ok"

    run("verify")
    assert printed(capsys).count("sound") == 3


def test_what_was_set_aside_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["2024-07-01,1,1,1,1,1", "2024-07-02,1,1,1,9,1", "2024-07-03,1,1,1,1,1"]
    (folder / "x.csv").write_text(DAILY + "\n".join(rows) + "\n")
    run("import", "x.csv", "--symbol", "ABC", "--adjustment", "split")
    said = printed(capsys)
    assert "1 rows set aside: open or close outside high and low" in said
    assert "row 3" in said
    run("import", "x.csv", "--symbol", "ABC", "--json")
    told = printed_json(capsys)
    assert (told["rejected"], told["adjustment"]) == (1, "raw")
    assert Path(told["rejected_path"]).read_text().startswith("row,rule,Date")


def test_options_reach_the_reader(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "When,O,H,L,C,V\n05/07/2024 09:35,1,2,1,2,3\n05/07/2024 09:30,1,2,1,2,3\n"
    (folder / "x.csv").write_text(text)
    words = ["import", "x.csv", "--symbol", "ABC", "--calendar", "none", "--json"]
    words += ["--map", "time=When,open=O,high=H,low=L,close=C,volume=V", "--label", "end"]
    words += ["--zone", "Europe/Berlin", "--time-format", "%d/%m/%Y %H:%M", "--period", "5m"]
    with pytest.raises(DataError, match="--sort"):
        run(*words)
    run(*words, "--sort")
    told = printed_json(capsys)
    assert told["first"] == "2024-07-05T07:30:00Z"
    assert (told["label"], told["calendar"], told["format"]) == ("end", "", "mapping")


def test_damage_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("import", str(minutes(folder / "nvda_1m.csv")))
    next(folder.glob("catalogue/NVDA/1m/*/*/bars.parquet")).write_bytes(b"junk")
    with pytest.raises(DataError, match="damaged in the catalogue: NVDA 1m"):
        run("verify", "NVDA", "--json")
    assert "cannot be read" in capsys.readouterr().out


def test_errors_of_the_family(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("list")
    assert "is empty" in printed(capsys)
    with pytest.raises(DataError, match="there is no such file"):
        run("import", "none.csv")
    with pytest.raises(
        NotFoundError, match=r"the catalogue .* is empty; fill it with: intrabar data import"
    ):
        run("show", "NVDA")
    run("import", str(minutes(folder / "nvda_1m.csv")))
    with pytest.raises(NotFoundError, match="did you mean 'NVDA'"):
        run("verify", "NVDAA")
    with pytest.raises(DataError, match="NVDA has bars of 1m; 90s bars cannot be made"):
        run("resample", "NVDA", "90s")


@pytest.mark.parametrize("text", ["open", "open=", "=Open", "open=A,open=B", ""])
def test_a_wrong_mapping(text: str) -> None:
    with pytest.raises(ConfigError, match="--map"):
        parse_mapping(text)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, intrabar.app.cli.data as c;"
        "c.app(['--help'], result_action='return_value');"
        "assert not {'polars', 'pandas', 'numba'} & set(sys.modules)"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(intrabar.__file__).parents[1])}
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=env)
    for word in ("import", "list", "show", "verify", "resample"):
        assert word in done.stdout
