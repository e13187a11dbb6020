"""Guided search over surfaces whose best point is known."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intrabar.app.calls.sweep import sweep
from intrabar.errors import ConfigError, MissingExtra, RunError
from intrabar.research.sweep.guided import BATCH, search
from intrabar.research.sweep.space import Space, space
from intrabar.research.sweep.sweep import SweepResult
from intrabar.research.sweep.trial import Outcome, Trial
from tests.research.toy import walk

HILL = {
    "fast": {"from": 2, "to": 60, "step": 1},
    "slow": {"from": 2, "to": 200},
    "width": {"from": 0.01, "to": 10.0, "log": True},
    "side": ["both", "long", None],
}
NONE = np.empty(0)


def height(trial: Trial) -> float:
    """Highest, at 0, where fast is 17, slow 90, width 1 and side long."""
    p = trial.parameters
    apart = abs(float(p["fast"]) - 17) / 58 + abs(float(p["slow"]) - 90) / 198
    return -apart - abs(np.log10(float(p["width"]))) / 3 - (p["side"] != "long")


def run(trials: Sequence[Trial]) -> list[Outcome]:
    """Last first: a pool gives outcomes in any order."""
    return [outcome(trial, {"sharpe": height(trial)}) for trial in reversed(trials)]


def outcome(trial: Trial, metrics: dict[str, float | None], status: str = "finished") -> Outcome:
    return Outcome(trial, "", status, metrics, "", NONE, NONE.astype(np.int64))


def hill(count: int, seed: int = 1) -> Space:
    return space(HILL, ["fast < slow"], sample="optuna", count=count, seed=seed)


def points(batches: Iterator[list[Outcome]]) -> list[tuple[int, dict[str, object]]]:
    return [(o.trial.number, dict(o.trial.parameters)) for batch in batches for o in batch]


def test_a_seed_proposes_the_same_points_each_of_them_once_and_allowed() -> None:
    found = points(search(hill(70), run, "sharpe"))
    assert [number for number, _ in found] == list(range(70))
    assert len({str(point) for _, point in found}) == 70
    for _, point in found:
        assert list(point) == list(HILL)
        assert 2 <= point["fast"] <= 60  # type: ignore[operator]
        assert point["fast"] < point["slow"] <= 200  # type: ignore[operator]
        assert 0.01 <= point["width"] <= 10.0  # type: ignore[operator]
        assert point["side"] in HILL["side"]
        assert all(type(point[place]) is int for place in ("fast", "slow"))
    assert found == points(search(hill(70), run, "sharpe"))
    assert found != points(search(hill(70, seed=2), run, "sharpe"))


def test_it_finds_better_points_than_as_many_drawn_ones() -> None:
    for seed in range(3):
        guided = max(o.metrics["sharpe"] for b in search(hill(120, seed), run, "sharpe") for o in b)
        drawn = max(height(t) for t in space(HILL, sample="random", count=120, seed=seed))
        assert guided > drawn + 0.02, seed


def test_it_goes_down_where_lower_is_better() -> None:
    def turned(trials: Sequence[Trial]) -> list[Outcome]:
        return [outcome(trial, {"max_drawdown": -height(trial)}) for trial in trials]

    assert points(search(hill(60), turned, "max_drawdown")) == points(
        search(hill(60), run, "sharpe")
    )


@pytest.mark.parametrize("whole_batches", [1, 2])
def test_a_search_that_was_stopped_goes_on_as_if_it_had_not(
    tmp_path: Path, whole_batches: int
) -> None:
    at_once = points(search(hill(70), run, "sharpe"))
    journal = tmp_path / "searches" / "hill.journal"
    started = search(hill(70), run, "sharpe", journal)
    before = points(islice(started, whole_batches))
    assert before == at_once[: whole_batches * BATCH]
    # Killed while it wrote the next trial.
    with open(journal, "ab") as file:
        file.write(b'{"op_code":4,"work')
    assert points(search(hill(70), run, "sharpe", journal)) == at_once
    assert points(search(hill(70), run, "sharpe", journal)) == at_once  # nothing is proposed
    # One that goes further, from inside a batch on.
    assert points(search(hill(90), run, "sharpe", journal)) == points(
        search(hill(90), run, "sharpe")
    )
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    told = [line["user_attrs"]["parameters"] for line in lines if line["op_code"] == 4]
    assert told == [point for _, point in points(search(hill(90), run, "sharpe", journal))]


def test_failed_trials_and_such_without_the_metric_lead_nowhere_and_stop_nothing() -> None:
    def half(trials: Sequence[Trial]) -> list[Outcome]:
        made = []
        for trial in trials:
            if trial.parameters["side"] is None:
                made.append(outcome(trial, {}, "failed"))
            elif trial.parameters["side"] == "both":
                made.append(outcome(trial, {"sharpe": None}, "ruined"))
            else:
                made.append(outcome(trial, {"sharpe": height(trial)}))
        return made

    found = [o for batch in search(hill(100), half, "sharpe") for o in batch]
    assert len(found) == 100
    late = [o.trial.parameters["side"] for o in found[40:]]
    assert late.count("long") > 2 * late.count("both")


def test_a_sweep_that_is_guided_is_the_same_on_any_workers_and_runs_nothing_twice(
    tmp_path: Path,
) -> None:
    def swept(out: Path, **how: Any) -> SweepResult:
        return sweep(
            "MovingAverageCrossover",
            walk(300),
            parameters={"fast": {"from": 2, "to": 30}, "slow": {"from": 5, "to": 60}},
            constraints=["fast < slow"],
            sample="optuna",
            seed=4,
            metric="max_drawdown",
            out=out,
            **how,
        )

    first = swept(tmp_path / "a", count=30, workers=2, on="threads")
    assert first.table["number"].to_list() == list(range(30))
    assert (first.table["fast"] < first.table["slow"]).all()
    assert first.best is not None
    assert first.best.metrics["max_drawdown"] == first.table["max_drawdown"].min()
    longer = swept(tmp_path / "a", count=45, workers=1)
    assert longer.found == 30
    assert len(list((tmp_path / "a" / "searches").glob("*.journal"))) == 1
    assert longer.digest == swept(tmp_path / "b", count=45, workers=2, on="threads").digest


def test_a_space_of_few_points_is_tried_whole() -> None:
    few = space({"a": [3, 1, 2], "b": [True, 1]}, ["a > 1"], sample="optuna", count=50)
    flat = [p for _, p in points(search(few, lambda ts: [outcome(t, {}) for t in ts], "sharpe"))]
    assert sorted(map(str, flat)) == sorted(
        str({"a": a, "b": b}) for a in (2, 3) for b in (True, 1)
    )


def test_constraints_that_exclude_everything() -> None:
    with pytest.raises(ConfigError, match="they exclude every point"):
        list(search(space({"a": [1, 2]}, ["a > 2"], sample="optuna", count=5), run, "sharpe"))


def test_a_journal_that_cannot_be_read(tmp_path: Path) -> None:
    journal = tmp_path / "hill.journal"
    list(search(hill(20), run, "sharpe", journal))
    other = space({"other": [1, 2]}, sample="optuna", count=2)
    with pytest.raises(RunError, match="it is of another search"):
        list(search(other, run, "sharpe", journal))
    content = journal.read_bytes()
    journal.write_bytes(content[:300] + b"\n" + content[300:])
    with pytest.raises(RunError, match=r"hill.journal: cannot go on .* move the file away"):
        list(search(hill(20), run, "sharpe", journal))


def test_without_optuna_the_message_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtra, match=r"pip install 'intrabar\[research\]'"):
        list(search(hill(20), run, "sharpe"))
