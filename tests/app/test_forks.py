"""A process forked after a run says at once what to do, where it would hang in Polars."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.own_process import python

PROGRAM = """
import multiprocessing, sys, warnings
from concurrent.futures import ProcessPoolExecutor
import numpy as np, pandas as pd
import intrabar as ib

warnings.simplefilter("ignore")
close = 100.0 + np.arange(40)
index = pd.date_range("2024-01-02", periods=40, freq="B", name="Date")
BARS = pd.DataFrame(
    {"Open": close, "High": close + 1, "Low": close - 1, "Close": close, "Volume": 1.0}, index
)
SIDE = np.r_[np.nan, 1, np.full(38, np.nan)]
asked = {}

def one(name):
    try:
        return repr(asked[name]())
    except ib.RunError as error:
        return f"told: {error}"

def backtest():
    return ib.backtest(ib.Signals(SIDE), BARS).digest

if __name__ == "__main__":
    result = ib.backtest(ib.Signals(SIDE), BARS) if sys.argv[1] == "after" else None
    asked |= {
        "backtest": backtest,
        "sweep": lambda: ib.sweep("CoinFlip", BARS, parameters={"seed": [1, 2]}, keep=False),
        "metrics": lambda: result.metrics,
        "result": lambda: str(result),
        "critique": lambda: ib.critique(result),
        "validate": lambda: ib.validate(result, runs=1),
        "replay": lambda: ib.Replay(result.setup),
    }
    names = list(asked) if result else ["backtest"]
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(2, mp_context=fork) as pool:
        for name, said in zip(names, pool.map(one, names)):
            print(name, said)
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")


def said_by_forks(folder: Path, when: str) -> list[str]:
    (folder / "pool.py").write_text(PROGRAM)
    return python("pool.py", when, folder=folder).splitlines()


def test_a_fork_after_a_run_is_told_how_to_start_processes(tmp_path: Path) -> None:
    lines = said_by_forks(tmp_path, "after")
    assert len(lines) == 7
    assert all(" told: " in line and "get_context('spawn')" in line for line in lines), lines


def test_a_fork_before_any_run_runs(tmp_path: Path) -> None:
    assert "told" not in said_by_forks(tmp_path, "before")[0]
