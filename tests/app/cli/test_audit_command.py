"""`intrabar audit` and `intrabar.audit`: exit codes, words and JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import intrabar as ib
from tests.app.runs_of_it import config_in, said, write_bars

LEAKY = [{"name": "tests.research.look_ahead.planted_leaks:ReachesIn"}]


def test_a_clean_configuration_ends_with_0(tmp_path: Path, capsys: Any) -> None:
    code, out, err = said(capsys, "audit", config_in(tmp_path), "--cuts", "4")
    assert code == 0, err
    assert out.startswith("Clean: 44 other futures at 4 bars")
    assert "volume" in out
    assert "cross(ema(5), ema(20))" in out


def test_a_leak_ends_with_1_and_names_the_line(tmp_path: Path, capsys: Any) -> None:
    config = config_in(tmp_path, strategies=LEAKY)
    code, out, _ = said(capsys, "audit", config)
    assert code == 1
    assert out.startswith("Leak: on_close of ReachesIn knows what comes later")
    assert "planted_leaks.py:" in out
    assert "buy qty=1 market" in out


def test_json_is_one_object(tmp_path: Path, capsys: Any) -> None:
    config = config_in(tmp_path, strategies=LEAKY)
    code, out, err = said(capsys, "audit", config, "--json", "--cuts", "6")
    told = json.loads(out)
    assert code == 1
    assert err == ""
    assert told["clean"] is False
    assert told["leaks"][0]["name"] == "on_close"
    assert told["trials"] == sum(one["trials"] for one in told["tried"])


def test_what_is_wrong_is_one_line(tmp_path: Path, capsys: Any) -> None:
    code, out, err = said(capsys, "audit", config_in(tmp_path), "--cuts", "0")
    assert (code, out) == (2, "")
    # With an empty kernel cache a line about compiling comes before it.
    assert err.splitlines()[-1] == "error: cuts is 0, must be 1 or more"
    code, _, err = said(capsys, "audit", tmp_path / "none.yaml")
    assert code == 2
    assert "no such file" in err
    code, _, err = said(
        capsys, "audit", config_in(tmp_path, strategies=[{"name": "tests.app.rules:Clumsy"}])
    )
    assert code == 1
    assert err.splitlines()[-1].startswith("error: Clumsy failed at CLOSE of bar 7")


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(write_bars(tmp_path / "AAA.csv"))


def tomorrow(market: Any) -> ib.Signals:
    close = market.close[:, 0]
    return ib.Signals(np.where(np.append(close[1:], close[-1]) > close, 1, 0))


def test_python_takes_functions_of_the_market_beside_strategies(file: str) -> None:
    report = ib.audit(tomorrow, file, cuts=6)
    assert not report.is_clean
    assert report.leaks[0].kind == "signals"
    both = {"leaky": tomorrow, "named": "CoinFlip", "made": ib.Bot(ib.CoinFlip(2))}
    report = ib.audit(both, file, cuts=6)
    assert {leak.strategy for leak in report.leaks} == {"leaky"}
    assert ib.audit("MovingAverageCrossover", file, params={"fast": 5, "slow": 20}, cuts=3).is_clean


def test_python_takes_a_configuration(tmp_path: Path) -> None:
    assert ib.audit(config=config_in(tmp_path), cuts=3).is_clean


def test_what_a_function_makes_must_be_a_strategy(file: str) -> None:
    with pytest.raises(ib.ConfigError, match="a Bot, a Strategy, Signals, Weights or a name"):
        ib.audit(lambda market: 42, file)
