from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from intrabar.errors import RunError
from intrabar.ui import sweep_view as module
from intrabar.ui.sweep_input import Deflation
from intrabar.ui.sweep_view import sweep_view
from tests.ui.synthetic_sweep import grid, sweep, trials

GRID = grid(("fast", [5, 10, 20]), ("exit.multiple", [1.0, 2.5]), ("policy", ["worst", "best"]))


def test_the_table_comes_back_column_by_column() -> None:
    given = sweep({**GRID, "risk": [0.01] * 12})
    shown = sweep_view(given)
    json.dumps(shown, allow_nan=False)
    table = given.trials
    assert shown["number"] == table["number"].to_list()
    for axis in shown["axes"]:
        assert [axis["values"][code] for code in axis["codes"]] == GRID[axis["name"]]
        assert axis["edges"] == []
    assert shown["fixed"] == [{"label": "risk", "value": 0.01}]
    for metric in shown["metrics"]:
        for told, known in zip(metric["values"], table[metric["name"]].to_list(), strict=True):
            assert (told is None) == (known is None)
            assert told is None or math.isclose(told, known, rel_tol=1e-5)
    lower = {m["name"] for m in shown["metrics"] if m["lower_is_better"]}
    assert lower == {"max_drawdown"}
    status = shown["status"]
    assert [status["words"][c] for c in status["codes"]] == table["status"].to_list()
    assert [c >= 0 for c in shown["error"]["codes"]] == [i < 3 for i in range(12)]
    assert (shown["trials"], shown["failed"], shown["tried"]) == (12, 3, 252)


def test_the_best_has_both_sharpe_ratios_and_its_neighbourhood() -> None:
    shown = sweep_view(sweep(GRID))
    best, around = shown["best"], shown["around"]
    assert best is not None
    assert around is not None
    sharpe = next(m for m in shown["metrics"] if m["name"] == "sharpe")["values"]
    assert sharpe[best["row"]] == max(v for v in sharpe if v is not None)
    assert (best["deflated"], best["by_luck"], best["effective"]) == (0.71, 1.31, 38.4)
    assert best["row"] not in around["rows"]
    known = [v for row in around["rows"] if (v := sharpe[row]) is not None]
    assert around["median"] == pytest.approx(np.median(known), rel=1e-4)
    assert around["worst"] == pytest.approx(min(known), rel=1e-4)
    assert around["without"] == len(around["rows"]) - len(known)


def test_too_many_trials_are_sampled_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRIALS_PER_PAGE", 100)
    many = grid(("fast", list(range(40))), ("slow", list(range(30))))
    whole = sweep(many)
    shown = sweep_view(whole)
    best, around = shown["best"], shown["around"]
    assert best is not None
    assert around is not None
    assert 100 <= len(shown["number"]) <= 109
    assert shown["trials"] == 1_200
    assert shown["number"][best["row"]] == whole.best
    sharpe = dict(zip(whole.trials["number"], whole.trials["sharpe"], strict=True))
    near = [sharpe[shown["number"][row]] for row in around["rows"]]
    assert around["median"] == pytest.approx(np.median(near))
    assert shown["notes"][0].startswith("1,200 trials are too many for one page")
    for axis in shown["axes"]:
        assert [axis["values"][c] for c in axis["codes"]] == [
            many[axis["name"]][n] for n in shown["number"]
        ]


def test_samples_have_bins() -> None:
    rng = np.random.default_rng(2)
    given = {"x": rng.uniform(size=90).tolist(), "y": rng.integers(0, 50, 90).tolist()}
    shown = sweep_view(sweep(given, is_grid=False))
    for axis in shown["axes"]:
        assert axis["edges"] == sorted(axis["edges"])
        assert axis["edges"][0] == min(axis["values"])
        assert axis["edges"][-1] == max(axis["values"])


def test_labels_are_the_ends_that_no_other_has() -> None:
    names = [
        "strategies[0].params.fast",
        "strategies[1].params.fast",
        "exit.fast",
        "slow",
        "a.slow",
    ]
    given = {name: [1, 2] for name in names}
    shown = sweep_view(sweep(given, trials=trials(given, failed=0)))
    assert [axis["label"] for axis in shown["axes"]] == [*names[:2], "exit.fast", "slow", "a.slow"]
    alone = {"strategies[0].params.fast": [1, 2], "exit.multiple": [1, 2]}
    shown = sweep_view(sweep(alone, trials=trials(alone, failed=0)))
    assert [axis["label"] for axis in shown["axes"]] == ["fast", "multiple"]


def test_values_that_are_no_numbers() -> None:
    given = {"flat": [True, False, None, True], "n": [1, 2, 3, 4]}
    shown = sweep_view(
        sweep(
            given,
            trials=trials({"n": given["n"], "flat": [1, 0, 0, 1]}, failed=0).with_columns(
                flat=pl.Series(given["flat"])
            ),
        )
    )
    assert shown["axes"][0]["values"] == ["true", "false", "none"]


@pytest.mark.parametrize("failed", [12, 0])
def test_without_a_best(failed: int) -> None:
    table = trials(GRID, failed=failed)
    shown = sweep_view(sweep(GRID, trials=table, best=None, deflation=Deflation(reason="none")))
    assert shown["best"] is None
    assert shown["around"] is None
    json.dumps(shown, allow_nan=False)


def test_one_trial_has_no_axes() -> None:
    one = {"fast": [5]}
    table = trials({"fast": [5], "slow": [9]}, failed=0)
    shown = sweep_view(sweep(one, trials=table))
    assert shown["axes"] == []
    assert shown["around"] is None
    assert shown["best"] is not None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": ["fast", "slow"]}, "no column slow"),
        ({"metric": "luck"}, "by luck, which is none"),
        ({"best": 99}, "trial 99, the best, is in the table 0 times"),
    ],
)
def test_a_broken_sweep_is_explained(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=message):
        sweep_view(replace(sweep(GRID), **change))
