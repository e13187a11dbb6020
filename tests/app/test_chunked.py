"""`--chunk` from the command line and from Python, out of a catalogue of several years."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import intrabar as ib
from intrabar.app.cli import run
from intrabar.data.catalogue import Catalogue
from intrabar.errors import ConfigError
from intrabar.model.bars import Bars

DAY = 86_400_000_000_000
RECORD = {
    "source": "made", "source_sha256": "", "format": "made", "zone": "UTC", "label": "end",
    "adjustment": "raw", "calendar": "",
}  # fmt: skip


def daily(symbol: str, seed: int, n: int = 1200) -> Bars:
    draw = np.random.default_rng(seed)
    close = np.round(50.0 * np.exp(np.cumsum(draw.normal(0.0, 0.01, n))), 2)
    open_ = np.round(close * np.exp(draw.normal(0.0, 0.003, n)), 2)
    high, low = np.maximum(open_, close) + 0.2, np.minimum(open_, close) - 0.2
    days = 18_000 + np.arange(n, dtype=np.int64)
    ones = np.full(n, 1000.0)
    return Bars(symbol, (days + 1) * DAY, open_, high, low, close, ones, DAY, days * DAY, days)


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    monkeypatch.chdir(tmp_path)
    made = Catalogue(tmp_path / "catalogue")
    made.write(daily("A", 1), RECORD)
    whole = daily("B", 2)
    edges = whole.close_time[[0, 100, 101, 700]].tolist()
    parts = [
        whole.between(a, None if b is None else b - 1)
        for a, b in zip(edges, [*edges[1:], None], strict=True)
    ]
    made.write_parts(parts, RECORD)
    return made


COMMAND = ["backtest", "--symbol", "A", "--symbol", "B", "--strategy", "TrendFollowing",
           "--start", "2020-01-01", "--no-report", "--json"]  # fmt: skip


def said(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> dict[str, object]:
    assert run(arguments) == 0
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


def test_parts_and_a_whole_are_the_same_dataset(catalogue: Catalogue, tmp_path: Path) -> None:
    again = Catalogue(tmp_path / "again")
    whole = again.write(daily("B", 2), RECORD)
    (parts,) = catalogue.show("B")
    assert (parts.content_sha256, parts.rows) == (whole.content_sha256, whole.rows)
    assert catalogue.verify("B")[0][1] == ""
    np.testing.assert_array_equal(catalogue.read("B").close, again.read("B").close)


def test_a_run_in_chunks_is_stored_listed_and_repeated(
    catalogue: Catalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = said(capsys, COMMAND)
    chunked = said(capsys, [*COMMAND, "--chunk", "250"])
    assert chunked["digest"] == whole["digest"]
    fills = [pl.read_parquet(f"{told['folder']}/fills.parquet") for told in (whole, chunked)]
    assert fills[0].height > 10
    assert fills[0].equals(fills[1])
    assert run(["runs", "show", "last"]) == 0
    assert run(["runs", "rerun", str(chunked["id"])]) == 0
    assert "identical" in capsys.readouterr().out


def test_from_python(catalogue: Catalogue, tmp_path: Path) -> None:
    how = {"symbols": ["A", "B"], "params": {"fast": 5}}
    whole = ib.backtest("TrendFollowing", **how)
    result = ib.backtest("TrendFollowing", chunk=400, out=tmp_path / "tables", **how)
    assert result.digest == whole.digest
    assert result.table("equity").collect().equals(whole.equity)
    frames = {"A": daily("A", 1), "B": daily("B", 2)}
    from_bars = ib.backtest(
        "TrendFollowing", frames, chunk=77, out=tmp_path / "more", params={"fast": 5}
    )
    assert from_bars.digest == whole.digest
    with pytest.raises(ConfigError, match="not empty"):
        ib.backtest("TrendFollowing", chunk=400, out=tmp_path / "tables", **how)


def test_a_chunk_of_no_bars_is_refused(
    catalogue: Catalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*COMMAND, "--chunk", "0"]) == 2
    assert "chunk" in capsys.readouterr().err
