"""What came of a run can be sent to another process and back, and is the same there."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import intrabar as ib
from intrabar.app.folders.run_folder import TABLES
from tests.app.rules import EveryFew, Remembering
from tests.app.runs_of_it import write_bars

SHARE = {"calendar": "none", "instruments": {"ASSET": {"kind": "share"}}}


def sent(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bars(tmp_path_factory.mktemp("bars") / "AAA.csv")


@pytest.mark.parametrize("name", ["bot", "class", "signals", "interpreted"])
def test_a_result(name: str, file: Path) -> None:
    strategies: dict[str, Any] = {
        "bot": ib.Bot(ib.CoinFlip(1), gates=ib.Gates(daily_loss=0.001)),
        "class": {"few": EveryFew(3), "once": Remembering()},
        "signals": ib.Signals(np.sign(np.sin(np.arange(400) / 4)), stop=1.0),
        "interpreted": ib.Bot(ib.CoinFlip(2), interpreted=True),
    }
    result = ib.backtest(strategies[name], file, **SHARE)
    again = sent(sent(result))  # also what has been sent before
    assert again.digest == result.digest
    assert (again.warnings, repr(again)) == (result.warnings, repr(result))
    assert again.stats == result.stats
    for table in TABLES:
        assert getattr(again, table).equals(getattr(result, table)), table
    assert [run.end_equity for run in again.band] == [run.end_equity for run in result.band]


def test_in_another_process(file: Path, tmp_path: Path) -> None:
    result = ib.backtest(EveryFew(3), file, **SHARE)
    kept = tmp_path / "result.pickle"
    kept.write_bytes(pickle.dumps(result))
    code = f"import pickle; print(pickle.load(open({str(kept)!r}, 'rb')).digest)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == result.digest


def test_sweeps_verdicts_and_runs_in_chunks(file: Path, tmp_path: Path) -> None:
    space = {"seed": [1, 2, 3]}
    sweep = ib.sweep("CoinFlip", file, parameters=space, keep=False, **SHARE)
    assert sent(sweep).digest == sweep.digest
    assert sent(sweep).run(1).digest == sweep.outcomes[1].digest
    chunked = ib.backtest(ib.Bot(ib.CoinFlip(1)), file, chunk=100, out=tmp_path / "c", **SHARE)
    assert sent(chunked).digest == chunked.digest
    assert sent(chunked).warnings == chunked.warnings
    walked = ib.walk_forward("CoinFlip", file, parameters=space, train=120, test=60, **SHARE)
    assert sent(walked).table.equals(walked.table)
    verdict = ib.validate(sweep, runs=10)
    assert sent(verdict).as_json() == verdict.as_json()


def test_a_class_inside_a_function_is_named(file: Path) -> None:
    class Local(ib.Strategy):
        def on_close(self, now: ib.AtClose) -> None:
            now.buy(1)

    result = ib.backtest({"mine": Local()}, file, **SHARE)
    with pytest.raises(ib.RunError, match="mine: Local is a class inside a function, which pickle"):
        pickle.dumps(result)
