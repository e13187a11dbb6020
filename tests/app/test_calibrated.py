from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.app.runs_of_it import config_in, said


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """A path truth of AAA's daily bars, as a file that somebody may have edited."""
    tally = {"right": 60, "told": 100}
    none = {"right": 0, "told": 0}
    rules = dict.fromkeys(("shortest", "shortest_ties", "nearest", "nearest_ties"), none)
    pairs = {"stop": 0.25, "target": 0.5, "pairs": 100, "untold": 0}
    length = {
        "period": "1d",
        "extremes": {"bars": 100, "flat": 0, "untold": 0, **rules},
        "pairs": [{**pairs, "stop_first": none, "shortest": tally, "nearest": none}],
    }
    given = {"symbol": "AAA", "detail": "1h", "first": "", "last": "", "lengths": [length]}
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(given))
    return path


BOT = {"name": "CoinFlip", "params": {"exit": {"name": "FixedRatio", "atr_multiple": 0.2}}}


def test_the_expected_result_is_told_beside_the_band(
    tmp_path: Path, truth: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = config_in(tmp_path, calibrated="truth.json", strategies=[BOT], report=True)
    monkeypatch.chdir("/")  # the truth is looked for beside the configuration
    code, out, _ = said(capsys, "backtest", file, "--json")
    assert code == 0
    found = json.loads(out)
    outlook = found["calibrated"]
    assert outlook["trust"] == 0.6
    assert outlook["runs"] == 100
    assert outlook["band"] == found["band"]
    assert found["band"]["worst"] < outlook["low"] < outlook["high"] < found["band"]["best"]
    assert "shortest path is trusted with 60.0%" in Path(found["report"]).read_text()

    code, out, _ = said(capsys, "backtest", file)
    assert code == 0
    line = next(line for line in out.splitlines() if line.startswith("  expected"))
    assert f"{outlook['mean']:.2%} {outlook['low']:.2%} to {outlook['high']:.2%}" in line
    code, out, _ = said(capsys, "runs", "rerun", found["id"], "--out", tmp_path / "runs")
    assert (code, "identical" in out) == (0, True)


def test_without_a_truth_nothing_is_expected(tmp_path: Path, capsys: Any) -> None:
    _, out, _ = said(capsys, "backtest", config_in(tmp_path), "--json")
    assert json.loads(out)["calibrated"] is None


def test_a_truth_that_is_not_there_stops_before_the_run(tmp_path: Path, capsys: Any) -> None:
    code, _, err = said(capsys, "backtest", config_in(tmp_path, calibrated="none.json"))
    assert (code, "none.json holds no path truth" in err) == (1, True)
    assert not (tmp_path / "runs").exists()
