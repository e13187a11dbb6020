"""Section `risk`: in a file, in a call, in a sweep, in a stored run; its mistakes."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import intrabar as ib
from intrabar.app.compose.recipe import Recipe
from intrabar.app.compose.session import recorded_session
from intrabar.app.config.file import read_config, validated
from intrabar.app.config.model import Config
from intrabar.errors import ConfigError
from intrabar.risk.limits import KEYS, Limits
from tests.app.runs_of_it import config_in, said

FILE = """
risk: {RISK}
data: [{symbol: AAA, file: AAA.csv}]
strategies:
  - {name: MovingAverageCrossover, params: {fast: 5, slow: 20}}
report: false
"""


def written(folder: Path, risk: str) -> Path:
    config_in(folder)
    path = folder / "limits.yaml"
    path.write_text(FILE.replace("{RISK}", risk) + f"out: {folder / 'runs'}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("risk", "told"),
    [
        ("{max_position_size_pct: 0}", "risk.max_position_size_pct: is 0, must be above 0"),
        ("{max_daily_loss_pct: -5}", "risk.max_daily_loss_pct: is -5, must be above 0 and up to"),
        ("{max_daily_loss_pct: .nan}", "risk.max_daily_loss_pct: is nan, must be a finite number"),
        ("{max_daily_loss_pct: 200}", "risk.max_daily_loss_pct: is 200, must be above 0 and up to"),
        ("{max_daily_loss_pct: true}", "risk.max_daily_loss_pct: is true, must be a number"),
        ("{max_daily_loss_pc: 5}", "risk.max_daily_loss_pc: unknown key; did you mean"),
        ("{allowed_symbols: AAA}", "risk.allowed_symbols: is 'AAA', must be a list of symbols"),
        ("{max_positions: 1.5}", "risk.max_positions: is 1.5, must be a whole number"),
        ("{on_daily_loss: sell}", "risk.on_daily_loss: is 'sell', must be 'flatten' or 'reduce'"),
        ("{day: noon}", "risk.day: is 'noon', must be a time and a zone"),
        ("5", "risk: is 5, must be a mapping of names to values"),
    ],
)
def test_a_mistake_in_the_section_is_told_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], risk: str, told: str
) -> None:
    code, _, err = said(capsys, "backtest", written(tmp_path, risk))
    assert code == 2
    assert told.lower() in err.lower()


def test_a_file_and_a_call_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, "{max_position_size_pct: 5, orders_per_minute: '50'}")
    assert said(capsys, "backtest", path)[0] == 0
    manifest = json.loads(said(capsys, "runs", "show", "--json", "--out", tmp_path / "runs")[1])
    by_file = ib.backtest(config=path)
    (tmp_path / "bare").mkdir()
    bare = written(tmp_path / "bare", "null")
    limits = {"max_position_size_pct": 5, "orders_per_minute": 50}
    by_call = ib.backtest(config=bare, risk=limits)
    assert by_file.digest == by_call.digest == manifest["digest"]
    assert by_file.risk.limits == limits
    assert manifest["risk"] == {"breaker": "trading", "refused": by_call.risk.counts}
    assert by_call.risk.counts["max_position_size_pct"] > 0
    assert ib.backtest(config=bare).risk is None
    over = ib.backtest(config=path, risk={"max_position_size_pct": 1e6})
    assert over.risk.limits == {"max_position_size_pct": 1e6, "orders_per_minute": 50}
    whole = ib.backtest(config=path, risk=Limits.of({"max_order_qty": 1e9}))
    assert whole.risk.limits == {"max_order_qty": 1e9}


@pytest.mark.parametrize(
    ("risk", "told"),
    [
        ({"max_order_qty": 0}, r"risk\.max_order_qty: is 0, must be above 0"),
        ({"max_ordre_qty": 5}, r"risk\.max_ordre_qty: unknown key; did you mean 'max_order_qty'"),
        (0.01, r"risk: is 0\.01, must be a mapping of names to values"),
    ],
)
def test_a_mistake_in_a_call_is_the_sentence_of_the_file(
    tmp_path: Path, risk: Any, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        ib.backtest(config=written(tmp_path, "null"), risk=risk)


def test_a_section_without_a_limit_has_the_limits_that_nobody_need_say(tmp_path: Path) -> None:
    assert ib.backtest(config=written(tmp_path, "{}")).risk is not None
    assert read_config(written(tmp_path, "{allow_short: false}"))[0].limits == Limits(
        allow_short=False
    )


def test_every_key_is_one_of_the_section() -> None:
    assert tuple(type(validated(Config, {"risk": {}}).risk).model_fields) == KEYS


def test_a_stored_run_is_made_again_under_its_limits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = ib.backtest(config=written(tmp_path, "null"), risk={"max_daily_loss_pct": 0.5})
    assert result.risk.state == "halted"
    folder = result.save(tmp_path / "saved", report=False)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["config"]["risk"] == {"max_daily_loss_pct": 0.5}
    assert manifest["lost"] == ""
    kept = {name: pl.read_parquet(folder / f"{name}.parquet") for name in ("refusals", "breaker")}
    assert kept["refusals"].equals(result.risk.refusals)
    assert kept["breaker"].equals(result.risk.breaker)
    assert (folder / "refusals.csv").is_file()
    assert said(capsys, "runs", "rerun", folder.name, "--out", tmp_path / "saved")[0] == 0


def test_a_sweep_tries_limits_and_knows_its_trials_by_them(tmp_path: Path) -> None:
    path = written(tmp_path, "{max_daily_loss_pct: 50}")
    sizes = [5.0, 1e6]
    sweep = ib.sweep(
        config=path,
        parameters={"risk.max_position_size_pct": sizes},
        out=tmp_path / "sweep",
        workers=1,
    )
    table = sweep.table
    alone = [ib.backtest(config=path, risk={"max_position_size_pct": s}).digest for s in sizes]
    assert len(set(alone)) == 2
    found = {row["risk.max_position_size_pct"]: row["digest"] for row in table.rows(named=True)}
    assert [found[s] for s in sizes] == alone


def test_a_run_in_chunks_has_them_too(tmp_path: Path) -> None:
    path = written(tmp_path, "{max_position_size_pct: 5}")
    whole = ib.backtest(config=path)
    chunked = ib.backtest(config=path, chunk=50, out=tmp_path / "tables")
    assert chunked.digest == whole.digest
    assert chunked.risk.counts == whole.risk.counts
    assert any("max_position_size_pct refused" in w for w in chunked.warnings)
    rejected = chunked.table("orders").filter(pl.col("reject") == "risk").collect()
    assert rejected.height == whole.risk.refusals.height


def test_a_file_that_names_no_symbols_trades_those_that_it_allows(tmp_path: Path) -> None:
    path = tmp_path / "allowed.yaml"
    text = "risk: {allowed_symbols: [AAPL, MSFT]}\nstrategies: [MovingAverageCrossover]\n"
    path.write_text(text, encoding="utf-8")
    assert read_config(path)[0].symbols == ["AAPL", "MSFT"]
    path.write_text(text + "symbols: [IBM]\n", encoding="utf-8")
    assert read_config(path)[0].symbols == ["IBM"]
    path.write_text(text + "data: [{symbol: IBM, sample: true}]\n", encoding="utf-8")
    assert read_config(path)[0].traded == ["IBM"]


def test_rows_before_trading_begins_wake_nobody_whole_in_chunks_and_in_a_sweep(
    tmp_path: Path,
) -> None:
    path = config_in(tmp_path, trade_from="2020-06-01")
    whole = ib.backtest(config=path)
    assert str(whole.fills["time"].min())[:10] >= "2020-06-01"
    assert whole.market.time[0] < whole.setup.trade_from
    free = ib.backtest(config=config_in(tmp_path))
    assert str(free.fills["time"].min())[:10] < "2020-06-01"
    assert ib.backtest(config=config_in(tmp_path), trade_from="2020-06-01").digest == whole.digest
    pieces = ib.backtest(
        config=config_in(tmp_path, trade_from="2020-06-01"), chunk=37, out=tmp_path / "t"
    )
    assert pieces.digest == whole.digest
    sweep = ib.sweep(
        config=config_in(tmp_path, trade_from="2020-06-01"),
        parameters={"fast": [5]},
        out=tmp_path / "sweep",
        workers=1,
    )
    assert sweep.table["digest"].to_list() == [whole.digest]
    folder = whole.save(tmp_path / "saved", report=False)
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["lost"] == ""


def test_one_configuration_refuses_and_fills_the_same_in_a_backtest_and_on_paper(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    limits = {"max_position_size_pct": 14, "max_drawdown_pct": 1.5}
    path = config_in(tmp_path, trade_from="2020-05-01", risk=limits, calendar="24/7")
    assert said(capsys, "backtest", path)[0] == 0
    code, _, err = said(capsys, "paper", path, "--recorded", "data", "--name", "same")
    assert code in (0, 3), err
    run, session = next((tmp_path / "runs").glob("*")), tmp_path / "sessions" / "same"
    shared = ["bar", "symbol", "side", "qty", "price", "cost", "reason"]
    mine, theirs = (pl.read_csv(f / "fills.csv").select(shared) for f in (run, session))
    assert mine.equals(theirs)
    assert mine.height > 0
    with closing(sqlite3.connect(session / "journal.db")) as journal:
        rows = journal.execute("select kind, body from journal order by seq").fetchall()
    for kind, table in (("refused", "refusals"), ("breaker", "breaker")):
        told = [json.loads(body)["text"] for name, body in rows if name == kind]
        assert told == pl.read_csv(run / f"{table}.csv")["text"].to_list()
        assert told


def test_what_a_session_does_not_have_of_the_limits_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "{max_spread_pct: 1, resume: next_day, max_daily_loss_pct: 5}")
    config, remarks = read_config(path, "paper")
    setup = recorded_session(Recipe.of_config(config, remarks), "limited")
    assert setup.plan.limits.resume is None  # else no person would be asked
    assert setup.config.limits is not None
    assert setup.config.limits.resume is None  # by which its backtest is made
    assert setup.plan.limits.max_daily_loss_pct == 5.0
    told = " ".join(setup.remarks)
    assert "risk.max_spread_pct is not checked" in told
    assert "risk.resume: next_day is of backtests alone" in told
