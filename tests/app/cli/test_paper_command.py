"""`intrabar paper`: from a file to a session that ends, goes on, and refuses what it must."""

from __future__ import annotations

import json
import math
import shlex
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

import intrabar as ib
from intrabar.app.cli.main import run

BARS = 400


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration with a file of daily bars; a session that lives in the folder."""
    monkeypatch.chdir(tmp_path)
    rows, close = ["time,open,high,low,close,volume"], 100.0
    for day in range(BARS):
        open_, close = close, 100.0 + (3.0 + day / 40.0) * math.sin(day / 6.0)
        stamp = 1_577_923_200 + day * 86_400
        high, low = max(open_, close) + 1, min(open_, close) - 1
        rows.append(f"{stamp},{open_:.2f},{high:.2f},{low:.2f},{close:.2f},1000")
    (tmp_path / "x.csv").write_text("\n".join(rows))
    return written(tmp_path, {})


def written(folder: Path, more: dict[str, Any]) -> Path:
    values = {
        "name": "Try",
        "data": [{"symbol": "X", "file": "x.csv", "zone": "UTC", "period": "1d"}],
        "instruments": {"X": {"tick_size": 0.01, "calendar": "24/7"}},
        "strategies": [{"name": "MovingAverageCrossover", "params": {"fast": 3, "slow": 9}}],
        "live": {"warm_up": 50},
        **more,
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def paper(config: Path, *more: str, capsys: Any) -> tuple[int, dict[str, Any]]:
    code = run(["paper", str(config), "--recorded", "data", "--json", *more])
    return code, json.loads(capsys.readouterr().out)


def test_a_recorded_session_ends_as_the_backtest_of_its_rows(config: Path, capsys: Any) -> None:
    code, told = paper(config, capsys=capsys)
    assert (code, told["ended"], told["rows"], told["breaker"]) == (
        0, "the bars have ended", BARS, "trading",
    )  # fmt: skip
    folder = Path("sessions/Try")
    names = {path.name for path in folder.iterdir()}
    assert {"journal.db", "fills.csv", "equity.csv", "status.json", "log.jsonl"} <= names
    assert json.loads((folder / "status.json").read_text())["state"] != "running"
    assert len((folder / "fills.csv").read_text().splitlines()) > 4


def test_started_again_it_has_nothing_left_to_do_and_says_the_same(
    config: Path, capsys: Any
) -> None:
    _, first = paper(config, capsys=capsys)
    code, second = paper(config, capsys=capsys)
    assert code == 0
    assert second == first


def test_a_backtest_and_a_session_obey_one_limit(config: Path, capsys: Any) -> None:
    # The same rows from the same row on, under a limit that bites: the same trades.
    limited = {"risk": {"max_order_qty": 42}}
    config = written(config.parent, limited)
    _, told = paper(config, capsys=capsys)
    refused = told["refused"]["max_order_qty"]
    assert refused > 0
    lived = ib.paper(config=config, name="again", folder=config.parent / "sessions", warm_up=50)
    result = lived.result
    assert result.digest == lived.digest == told["digest"]
    assert result.orders.filter(pl.col("reject") == "risk").height == refused


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"live": {"warm_up": 5}}, "live.warm_up: is 5 bars, an indicator needs 15"),
        ({"live": {"warm_up": 4_000}}, "and there are 400 rows of X"),
        ({"live": {"warmup": 50}}, "live.warmup: unknown key; did you mean 'warm_up'?"),
        ({"live": {"expire_day": 2}}, "live.expire_day: unknown key; did you mean 'expire_days'?"),
        ({"live": {"flatten": "soon"}}, "live.flatten: is 'soon'"),
        ({"live": {"name": "a/b", "warm_up": 50}}, "live.name: is 'a/b'"),
        ({"account": {"close_at_end": True}}, "account.close_at_end: a session has no last bar"),
        ({"trading": {"mode": "live"}}, "trading.mode: 'live' is no paper"),
        ({"risk": {"max_order_qty": 0}}, "risk.max_order_qty"),
    ],
)
def test_what_cannot_be_lived_is_refused_with_its_place(
    config: Path, capsys: Any, more: dict[str, Any], said: str
) -> None:
    path = written(config.parent, more)
    assert run(["paper", str(path), "--recorded", "data"]) == 2
    assert said in capsys.readouterr().err


def test_only_a_strategy_of_the_session_is_left_out(config: Path, capsys: Any) -> None:
    paper(config, capsys=capsys)
    assert run(["paper", str(config), "--recorded", "data", "--without", "Crossover"]) == 2
    assert "unknown strategy of --without 'Crossover': " in capsys.readouterr().err
    code, _ = paper(config, capsys=capsys)
    assert code == 0


def test_another_configuration_is_another_session(config: Path, capsys: Any) -> None:
    paper(config, capsys=capsys)
    other = written(
        config.parent,
        {"strategies": [{"name": "MovingAverageCrossover", "params": {"fast": 4, "slow": 9}}]},
    )
    assert run(["paper", str(other), "--recorded", "data"]) == 2
    assert "what decides is fixed" in capsys.readouterr().err
    assert run(["paper", str(other), "--recorded", "data", "--name", "two", "--json"]) == 0


def test_without_a_source_and_without_a_record_it_asks(config: Path, capsys: Any) -> None:
    assert run(["paper", str(config)]) == 2
    assert "live.period: is missing" in capsys.readouterr().err
    path = written(config.parent, {"live": {"period": "1d"}})
    assert run(["paper", str(path)]) == 2
    assert "live.sources: there is no source of bars" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "options"),
    [
        ({}, ""),
        ({"live": {"warm_up": 50, "folder": "./sessions"}}, ""),
        ({"live": {"warm_up": 50, "folder": "my own"}}, " --sessions 'my own'"),
        ({"store": {"url": "sqlite:///other.db"}}, " --store sqlite:///other.db"),
    ],
)
def test_what_it_says_is_next_can_be_typed_as_it_stands(
    config: Path, capsys: Any, more: dict[str, Any], options: str
) -> None:
    path = written(config.parent, {"risk": {"max_drawdown_pct": 0.1}, **more})
    assert run(["paper", str(path), "--recorded", "data"]) == 3
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["next"] == f"intrabar parity Try{options}"
    assert Path(lines["journal"].removeprefix("sqlite:///")).is_file()
    assert run(shlex.split(lines["next"])[1:]) == 0
    folder = options if "--sessions" in options else ""
    resume = f"intrabar session resume Try --reason TEXT{folder}"
    assert lines["breaker"].endswith(f"; {resume}")
    capsys.readouterr()
    assert run(shlex.split(resume)[1:]) == 2
    assert "no process has this session" in capsys.readouterr().err


def test_the_demo_deletes_nobody_elses_session(config: Path, capsys: Any) -> None:
    paper(config, "--name", "demo", capsys=capsys)
    assert run(["demo-paper"]) == 2
    assert "another session than the demo's; give --sessions" in capsys.readouterr().err
    assert run(["session", "status", "demo"]) == 0


def test_real_money_needs_its_gates(config: Path, capsys: Any) -> None:
    assert run(["live", str(config)]) == 4
    assert "trading.mode is 'simulation'; real money needs live" in capsys.readouterr().err


def test_a_file_of_the_older_dialect_is_lived_as_it_stands(config: Path, capsys: Any) -> None:
    older: dict[str, Any] = {
        "trading": {"mode": "simulation", "initial_capital": 50_000, "update_interval": 30},
        "data": {"provider": "alphaavantage", "credentials": {"api_key": "${NOT_SET_ANYWHERE}"}},
        "risk": {"allowed_symbols": ["X"]},
        "strategies": [{"name": "MovingAverageCrossover", "params": {"fast_period": 3}}],
        "instruments": {"X": {"calendar": "24/7"}},
        "live": {"warm_up": 60},
    }
    path = config.parent / "older.yaml"
    path.write_text(yaml.safe_dump(older))
    assert run(["paper", str(path), "--recorded", str(config.parent / "x.csv"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] == BARS
    assert told["equity"] != 50_000.0
    # Live, it says what the file leaves out, and what its reference does not lead to.
    assert run(["paper", str(path)]) == 2
    assert "live.period: is missing" in capsys.readouterr().err
    path.write_text(yaml.safe_dump({**older, "live": {"period": "1d"}}))
    assert run(["paper", str(path)]) == 2
    assert "NOT_SET_ANYWHERE" in capsys.readouterr().err
    del older["risk"]
    path.write_text(yaml.safe_dump(older))
    assert run(["paper", str(path)]) == 2
    assert "allowed_symbols: [AAPL]" in capsys.readouterr().err
