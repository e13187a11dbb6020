"""A run is stored whole, and can be listed, shown, compared and repeated bit for bit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from intrabar.app.folders.run_folder import TABLES
from intrabar.app.folders.runs import find_run
from intrabar.app.provenance import parameters
from intrabar.strategy.signals import Signals
from tests.app.runs_of_it import config_in, said, write_bars
from tests.engine.replay.replays import Busy
from tests.own_process import python


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    code, out, err = said(capsys, "backtest", config_in(tmp_path), "--json")
    assert (code, err) == (0, "")
    given = json.loads(out)
    assert given["status"] == "finished"
    assert set(given["band"]) == {"worst", "shortest", "best"}
    return tmp_path / "runs"


def test_a_run_folder_is_complete(home: Path) -> None:
    (folder,) = home.iterdir()
    names = {p.name for p in folder.iterdir()}
    assert names == {f"{t}.{e}" for t in TABLES for e in ("csv", "parquet")} | {
        "manifest.json",
        "config.yaml",
    }
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["data"][0]["bars"] == 400
    assert manifest["id"] == folder.name
    assert pl.read_parquet(folder / "equity.parquet").height == 400


def test_repeating_a_run_gives_the_same_bits(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = said(capsys, "runs", "rerun", "last", "--out", home)
    assert code == 0
    assert "identical" in out


def test_changed_data_are_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_bars(home.parent / "AAA.csv", seed=2)
    code, out, _ = said(capsys, "runs", "rerun", "--out", home)
    assert code == 1
    assert "data of AAA changed" in out
    assert "AAA.csv" in out
    assert "table fills" in out


def test_runs_are_listed_shown_and_compared(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = home.parent / "config.yaml"
    assert said(capsys, "backtest", config, "--param", "slow=30")[0] == 0
    _, out, _ = said(capsys, "runs", "list", "--out", home)
    header, *rows, place = out.splitlines()
    assert header.split() == ["run", "return", "Sharpe", "from", "to", "what"]
    assert place == f"in {home}"
    first, second = (line.split()[0] for line in rows)
    assert all(" 2020-01-01 " in line and "MovingAverageCrossover on AAA" in line for line in rows)
    _, out, _ = said(capsys, "runs", "show", second[-6:], "--out", home)
    assert out.startswith(second)
    assert "slow=30" in out
    _, out, _ = said(capsys, "runs", "compare", first, second, "--out", home)
    assert "config.strategies[0].params.slow" in out
    assert said(capsys, "runs", "compare", first, first, "--out", home)[1].endswith(
        "do not differ\n"
    )


def test_an_unknown_run_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "runs", "show", "zzz", "--out", home)
    assert code == 2
    assert "unknown run 'zzz'" in err
    code, _, err = said(capsys, "runs", "show", "--out", home.parent / "none")
    assert code == 1
    assert f"there is no run in {home.parent / 'none'}; make one (intrabar demo)" in err


def test_the_older_dialect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config_in(tmp_path)
    text = f"""
trading: {{mode: simulation, initial_capital: 50000, symbols: [AAA]}}
brokerage: {{provider: public, credentials: {{api_key: "${{NO_SUCH_KEY}}"}}}}
backtesting: {{start_date: 2020-02-01, end_date: 2020-12-31}}
risk: {{max_position_size_pct: 10.0, max_daily_loss_pct: 5.0}}
data: [{{symbol: AAA, file: "${{BARS_OF_IT:-AAA.csv}}"}}]
strategies:
  - {{name: MovingAverageCrossover, enabled: true, params: {{fast_period: 5, slow_period: 20}}}}
report: false
out: {tmp_path / "runs"}
"""
    (tmp_path / "older.yaml").write_text(text, encoding="utf-8")
    assert said(capsys, "backtest", tmp_path / "older.yaml")[0] == 0
    _, out, _ = said(capsys, "runs", "show", "--json", "--out", tmp_path / "runs")
    manifest = json.loads(out)
    assert manifest["config"]["account"]["cash"] == 50_000
    assert manifest["data"][0]["first"].startswith("2020-02-0")
    limits = {"max_position_size_pct": 10.0, "max_daily_loss_pct": 5.0}
    assert manifest["config"]["risk"] == limits
    assert "daily_loss=0.0" in manifest["strategies"]["MovingAverageCrossover"]["parameters"]
    assert manifest["risk"]["refused"]["max_position_size_pct"] > 0
    assert any("risk: max_position_size_pct refused" in r for r in manifest["remarks"])
    assert any("brokerage is not read: a backtest sends no order" in r for r in manifest["remarks"])
    assert said(capsys, "runs", "rerun", "--out", tmp_path / "runs")[0] == 0
    assert "api_key" not in out


def test_the_demo_repeats_bit_for_bit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "demo", "--no-report", "--out", tmp_path)
    assert code == 0
    assert "intrabar runs rerun" in out
    assert said(capsys, "runs", "rerun", "--out", tmp_path)[0] == 0
    manifest = json.loads(next(tmp_path.glob("*/manifest.json")).read_text(encoding="utf-8"))
    assert {d["symbol"] for d in manifest["data"]} == {"AAPL", "FB", "GOOG", "IBM", "MSFT"}
    assert any("raw series contain splits" in r for r in manifest["remarks"])


def test_a_run_of_other_strategies_or_bars_is_not_called_as_the_file_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_in(tmp_path, name="Crossover on ACME")
    home = tmp_path / "runs"
    titles = []
    for more in (
        [],
        ["--param", "slow=30"],
        ["--strategy", "tests.app.rules:EveryFew"],
        ["--name", "mine", "--strategy", "CoinFlip"],
    ):
        assert said(capsys, "backtest", config, *more)[0] == 0
        titles.append(find_run(home, "last").manifest["title"])
    assert titles == ["Crossover on ACME", "Crossover on ACME", "EveryFew on AAA", "mine"]
    _, out, _ = said(capsys, "runs", "list", "--out", home)
    assert "Crossover on ACME: MovingAverageCrossover on AAA" in out
    assert "mine: CoinFlip on AAA" in out


def test_what_a_strategy_is_made_of_has_no_addresses_and_no_arrays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_in(tmp_path, strategies=[{"name": "tests.app.rules:EveryFew"}])
    home = tmp_path / "runs"
    assert said(capsys, "backtest", config, "--param", "every=7")[0] == 0
    _, out, _ = said(capsys, "runs", "show", "--out", home)
    assert "EveryFew: EveryFew(every=7, part=0.97)" in out
    assert "object at" not in out
    assert parameters(Signals(np.ones(400), qty=[1.0] * 400)).startswith(
        "Signals(side=ndarray of 400, qty="
    )
    round_about = Busy()  # a part of it points back to it
    assert "part=Part(owner=Busy(...), seen=[])" in parameters(round_about)


def test_warming_leaves_nothing_where_it_is_started(tmp_path: Path) -> None:
    assert python("-P", "-m", "intrabar", "warm", folder=tmp_path).startswith("compiled: ")
    assert list(tmp_path.iterdir()) == []
