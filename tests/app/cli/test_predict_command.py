"""`intrabar predict`: files are checked, shown, and written so that they can be read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import intrabar as ib
from intrabar.app.cli.main import run
from intrabar.data.prediction_file import read_predictions
from intrabar.errors import DataError, UsageError


@pytest.fixture(autouse=True)
def bars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pl.DataFrame:
    """AAA.csv of 300 days in the working folder."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    close = np.round(100.0 * np.exp(np.cumsum(draw.normal(0.0, 0.01, 300))), 2)
    days = np.arange(np.datetime64("2023-01-02"), np.datetime64("2024-12-31"))
    days = days[np.is_busday(days)][:300]
    made = pl.DataFrame(
        {
            "date": days.astype(str),
            "open": close,
            "high": close + 0.5,
            "low": close - 0.5,
            "close": close,
            "volume": np.full(300, 1e6),
        }
    )
    made.write_csv("AAA.csv")
    return made


def predictions(bars: pl.DataFrame) -> pl.DataFrame:
    said = np.round(np.random.default_rng(1).normal(0.0, 0.001, 300), 5)
    return pl.DataFrame(
        {
            "Time": bars["date"],
            "predicted_price": (bars["close"] * (1.0 + said)).round(4),
            "predicted_return": said,
        }
    )[100:]


def test_a_file_is_checked_against_bars(
    bars: pl.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions(bars).write_csv("p.csv")
    assert run(["predict", "check", "p.csv", "--data", "AAA.csv"]) == 0
    text = capsys.readouterr().out
    assert "AAA, 1 ahead: no better" in text
    assert "unknown training" in text
    assert "the bars before the first prediction" in text
    assert run(["predict", "check", "p.csv", "--data", "AAA.csv", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["judged"][0]["verdict"] == "no better"
    assert told["judged"][0]["in_atrs"]["rows"] == 199
    assert told["time_is"] == "made"


def test_a_configuration_names_the_bars(
    bars: pl.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("sub").mkdir()
    predictions(bars).write_csv("sub/p.csv")
    config = "data: [{symbol: AAA, file: ../AAA.csv}]\nstrategies:\n"
    config += (
        "  - {name: PredictionThreshold, params: {predictions: p.csv, qty: 10, enter: 0.0005}}\n"
    )
    Path("sub/config.yaml").write_text(config)
    assert run(["predict", "check", "sub/p.csv", "sub/config.yaml"]) == 0
    assert "AAA, 1 ahead" in capsys.readouterr().out
    # The path of the predictions is relative to the configuration, and the run is stored.
    assert run(["backtest", "sub/config.yaml", "--no-report", "--json"]) == 0
    stored = json.loads(capsys.readouterr().out)
    assert run(["runs", "rerun", stored["id"]]) == 0
    # Other predictions under the same name are told.
    capsys.readouterr()
    other = predictions(bars)
    other.with_columns(predicted_return=0.0, predicted_price=bars["close"][100:]).write_csv(
        "sub/p.csv"
    )
    assert run(["runs", "rerun", stored["id"]]) == 1
    assert re.search(r"predictions.*p\.csv: [0-9a-f]{64} is now", capsys.readouterr().out)


def test_what_cannot_be_checked_is_a_sentence(
    bars: pl.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions(bars).write_csv("p.csv")
    for arguments, told in (
        (["check", "none.csv"], "there are no predictions of that name"),
        (["check", "p.csv"], "names no symbol"),
        (["check", "AAA.csv", "--data", "AAA.csv"], "no column predicted_return"),
        (["check", "p.csv", "--data", "AAA.csv", "--horizon", "9"], "horizon: is 9"),
        (["check", "p.csv", "--data", "AAA.csv", "--seed", "-1"], "seed: is -1"),
        (["check", "p.csv", "--data", "AAA.csv", "--time-is", "target"], "contradict"),
        (["show", "none"], "there are no predictions of that name"),
        (["show", "AAA.csv"], "no column predicted_return"),
    ):
        assert run(["predict", *arguments]) == 2
        assert told in capsys.readouterr().err


def test_a_file_is_written_and_shown(
    bars: pl.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    made = predictions(bars)
    for name in ("other", "mine.csv"):
        path = ib.predict.write(made, name)
        read = read_predictions(path)
        assert read.predicted_return.tolist() == made["predicted_return"].to_list()
        assert run(["predict", "show", name.removesuffix(".csv")]) == 0
        assert "200 rows, 0 without a prediction" in capsys.readouterr().out
        assert run(["predict", "show", name, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["files"] == {path.name: read.sha256}
        assert (told["horizons"], told["trained_until_is"]) == ([1], "unknown")
    path.write_text(path.read_text() + "2030-01-01,1,0\n")
    assert run(["predict", "show", "predictions/mine.csv"]) == 2
    assert "has changed since mine.json" in capsys.readouterr().err


def test_frames_of_pandas_are_written_by_their_index(bars: pl.DataFrame) -> None:
    made = predictions(bars).to_pandas().set_index("Time")
    made.index = pd.to_datetime(made.index)
    path = ib.predict.write(made, "mine", folder="elsewhere")
    assert path == Path("elsewhere/mine.parquet")
    assert read_predictions(path).time.dates_only


def test_what_no_run_could_read_is_not_written(bars: pl.DataFrame) -> None:
    made = predictions(bars)
    with pytest.raises(DataError, match="out of order"):
        ib.predict.write(made[::-1], "mine")
    with pytest.raises(UsageError, match="must be the name of a file"):
        ib.predict.write(made, "../mine")
    assert not Path("predictions").exists()
    ib.predict.write(made, "mine")
    with pytest.raises(UsageError, match=r"mine.parquet is there"):
        ib.predict.write(made, "mine.csv")
