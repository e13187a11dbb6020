"""Sessions whose strategies read predictions: each is in the journal before its row is run."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from msgspec.structs import replace

import intrabar as ib
from intrabar.app.compose.recipe import Recipe
from intrabar.app.compose.session import live_session
from intrabar.app.config.file import read_config
from intrabar.app.config.live import LiveConfig
from intrabar.app.workers.asking import Asking
from intrabar.engine.session.predicting import Told, prediction
from intrabar.engine.session.row import ClosedRow, RowBar
from intrabar.engine.session.session import Session
from intrabar.errors import ConfigError, DataError, IntegrityError, StateError
from intrabar.indicators.given import Request
from intrabar.model.entry import Entry
from tests.learn.forecasts_of_it import write_bars, write_config

COUNTS = """
from pathlib import Path

class Counts:
    def __init__(self, window, outputs):
        self.outputs = outputs

    def fit(self, windows, targets, weights, valid, seed):
        self.mean = float(targets.mean())

    def predict(self, windows):
        with open(Path(__file__).with_name("calls"), "a") as file:
            file.write(f"{windows[0, -1, 0]!r}\\n")
        return (windows[:, -1, :1] * 0.05 + self.mean).repeat(len(self.outputs), axis=1)

    def save(self, path):
        path.write_text(repr(self.mean))

    def load(self, path):
        self.mean = float(path.read_text())
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(COUNTS)
    write_bars(tmp_path / "ACME.csv", 380)
    path = write_config(tmp_path, forecaster="mine:Counts", refit=50)
    ib.predict.train(path)
    ib.predict.run(path)
    told = yaml.safe_load(path.read_text())
    told["strategies"] = [
        {
            "name": "PredictionThreshold",
            "params": {
                "predictions": "predictions/acme.parquet",
                "enter": 0.0005,
                "short": True,
                "equity_fraction": 0.5,
            },
        }
    ]
    path.write_text(yaml.safe_dump({**told, "session_end": "calendar", "report": False}))
    return path


def without_forecaster(config: Path) -> Path:
    told = yaml.safe_load(config.read_text())
    del told["predict"]
    path = config.with_name("filed.yaml")
    path.write_text(yaml.safe_dump(told))
    return path


def lived(config: Path, name: str, **given: Any) -> Any:
    return ib.paper(config=config, name=name, folder=config.parent / "s", warm_up=260, **given)


def entries(session: Any) -> list[Entry]:
    return session._entries()  # type: ignore[no-any-return]


def said(session: Any) -> list[Any]:
    return [r for e in entries(session) if e.kind == "prediction" for r in e.body["rows"]]


def test_a_file_a_session_by_it_and_one_by_its_forecaster_have_the_same_bits(config: Path) -> None:
    filed, asked = lived(without_forecaster(config), "filed"), lived(config, "asked")
    assert filed.digest == asked.digest
    rows = pl.read_parquet(config.parent / "predictions" / "acme.parquet")
    file = dict(zip(rows["Time"].dt.epoch("ns"), rows["predicted_return"], strict=True))
    for session in (filed, asked):
        told = {t: v["predicted_return"] for _, t, v in said(session) if t in file}
        assert told == file
        assert session.result.digest == session.digest
        assert len(session.result.trades) > 3
        found = session.parity()
        assert found.is_identical, found.headline
    first = filed.setup.trade_from
    start = np.datetime64(first, "ns").astype("datetime64[us]").item()
    again = ib.backtest(config=without_forecaster(config), trade_from=start)
    assert again.digest == filed.digest


def test_each_prediction_is_before_its_row_and_each_row_knows_its_hash(config: Path) -> None:
    heard: dict[int, str] = {}
    kinds = Counter[str]()
    for entry in entries(lived(config, "asked")):
        kinds[entry.kind] += 1
        if entry.kind == "prediction":
            heard[entry.body["rows"][-1][1]] = entry.body["hash"]
        if entry.kind == "row":
            assert entry.body["predicted"] == [heard[entry.body["time"]]]
    assert kinds["model"] == 3


def test_a_session_that_goes_on_calls_no_model_again(config: Path) -> None:
    calls = config.parent / "calls"
    whole = lived(config, "whole")
    calls.unlink()
    part = lived(config, "part", end="2020-11-20")
    first = calls.read_text().splitlines()
    known = [r for r in said(part) if r[2]["predicted_return"] is not None]
    assert len(first) == len(known)
    calls.unlink()
    again = lived(config, "part")
    second = calls.read_text().splitlines()
    rest = [r for r in said(again) if r[1] > part.session.rows[-1].time]
    assert len(second) == len(rest) > 0
    assert again.digest == whole.digest
    calls.unlink()
    assert again.parity().is_identical
    assert again.result.digest == whole.digest
    assert not calls.exists()  # what was said is read from the journal


def test_what_was_said_before_a_kill_is_not_asked_again(config: Path) -> None:
    class Told_:  # noqa: N801 - a predictor that counts
        def __init__(self) -> None:
            self.asked: list[int] = []
            self.passed: list[int] = []

        def history(self, rows: Sequence[ClosedRow]) -> list[Told]:
            return []

        def resume(self, rows: Sequence[ClosedRow], models: Mapping[str, str]) -> None:
            self.passed += [row.time for row in rows]

        def row(self, row: ClosedRow) -> list[Told]:
            self.asked.append(row.time)
            return []

    one = Told_()
    asking = Asking(one, (), ("A",))
    asking.ask(closed(1), is_heard=True)
    asking.ask(closed(2), is_heard=False)
    asking.close()
    assert (one.passed, one.asked) == ([1], [2])


def closed(time: int) -> ClosedRow:
    return ClosedRow(time, (RowBar(0, 1.0, 1.0, 1.0, 1.0, 1.0),), 0)


def test_a_prediction_that_comes_too_late_is_none_and_says_so() -> None:
    request, go = Request("/p.csv"), threading.Event()

    class Slow:
        def history(self, rows: Sequence[ClosedRow]) -> list[Told]:
            return []

        def resume(self, rows: Sequence[ClosedRow], models: Mapping[str, str]) -> None: ...

        def row(self, row: ClosedRow) -> list[Told]:
            if row.time == 1:
                go.wait()
                return [("model", {"request": "r", "hash": "h"}), prediction(request, [])]
            if row.time == 4:
                raise ValueError("no")
            return [prediction(request, [["A", row.time, {"predicted_return": 0.5}]])]

    asking = Asking(Slow(), (request,), ("A",), timeout=0.01)
    (late,) = asking.ask(closed(1), is_heard=False)
    assert late[1]["rows"] == [["A", 1, {"predicted_return": None}]]
    assert late[1]["why"] == "none in 0.01 s"
    (after,) = asking.ask(closed(2), is_heard=False)
    assert after[1]["why"] == "the one before has not come yet"
    go.set()
    asking._late[-1].result()
    asking._timeout = 10.0
    model, fine = asking.ask(closed(3), is_heard=False)
    assert model[0] == "model"  # which was late, and is in use all the same
    assert "why" not in fine[1]
    (failed,) = asking.ask(closed(4), is_heard=False)
    assert failed[1]["why"] == "ValueError: no"
    asking.close()


def test_what_no_strategy_reads_or_was_changed_is_refused(config: Path) -> None:
    session = lived(config, "asked")
    own = next(e for e in entries(session) if e.kind == "prediction")
    anew = Session(session.session.plan)
    started = entries(session)[0]
    anew.handle(started)
    with pytest.raises(StateError, match="no strategy reads it"):
        anew.handle(replace_body(own, request="another"))
    with pytest.raises(IntegrityError, match="not what its hash says"):
        anew.handle(replace_body(own, rows=[["ACME", 1, {"predicted_return": 0.5}]]))


def replace_body(entry: Entry, **changed: Any) -> Entry:
    return Entry(entry.at, entry.bar, entry.step, entry.kind, {**entry.body, **changed})


def test_a_session_on_live_bars_warms_up_for_models_that_were_made_before(config: Path) -> None:
    with_models, remarks = read_config(config, "paper")
    recipe = Recipe.of_config(with_models, remarks)
    (past,) = [s.bars for s in recipe.traded_market().series]
    now = int(past.close_time[-1])
    with pytest.raises(DataError, match="the source has 380 bars up to now, 503 are asked for"):
        live_session(recipe, [past], now)
    few = with_models.model_copy(update={"live": LiveConfig(warm_up=300)})
    setup = live_session(Recipe.of_config(few, remarks), [past], now)
    assert setup.predictor is not None
    told = setup.predictor.history(setup.history)
    whys = {body.get("why") for _, body in told}
    assert whys == {"no model was trained and registered by then"}  # they were made today
    row = replace(setup.history[-1], time=time.time_ns() + 86_400 * 10**9, day=99_999)
    kinds = [kind for kind, _ in setup.predictor.row(row)]
    assert kinds == ["model", "prediction"]


def test_a_confidence_that_is_not_to_be_had_is_refused(config: Path) -> None:
    told = yaml.safe_load(config.read_text())
    told["strategies"][0]["params"]["min_confidence"] = 0.6
    config.write_text(yaml.safe_dump(told))
    with pytest.raises(ConfigError, match="have 0 quantiles"):
        lived(config, "asked")
    with pytest.raises(ConfigError, match="neither a column confidence nor two quantiles"):
        lived(without_forecaster(config), "filed")


def test_a_trading_process_imports_nothing_heavy(config: Path) -> None:
    folder = config.parent
    ridge = write_config(folder, "acme", forecaster="ridge", refit=50)
    text = yaml.safe_load(ridge.read_text())
    for name in ("models", "predictions"):
        subprocess.run(["rm", "-r", str(folder / name)], check=True)
    ib.predict.train(ridge)
    ib.predict.run(ridge)
    strategy = {"predictions": "predictions/acme.parquet", "equity_fraction": 0.5}
    text["strategies"] = [{"name": "PredictionThreshold", "params": strategy}]
    text["live"] = {"warm_up": 330, "folder": str(folder / "s")}
    ridge.write_text(yaml.safe_dump(text))
    done = subprocess.run(
        [
            sys.executable,
            "-X",
            "importtime",
            "-m",
            "intrabar",
            "paper",
            str(ridge),
            "--recorded",
            "data",
        ],
        capture_output=True,
        text=True,
        cwd=folder,
        env=dict(os.environ),
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "numpy" in names
    heavy = {"torch", "sklearn", "onnxruntime", "onnx", "optuna", "gymnasium", "stable_baselines3"}
    assert not names & heavy
