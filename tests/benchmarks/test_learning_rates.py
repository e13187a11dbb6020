"""The rates of the scorecard: rows that follow from their seed alone, and a page that says them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs/learning-rates.json"


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    for name in ("learning_rates", "learning_world"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import learning_rates

    return learning_rates


def test_a_row_is_made_again_by_its_world_and_seed_alone(rates: Any) -> None:
    rows = {(r["world"], r["seed"]): r for r in rates.read(FILE)}
    for world in (rates.WORLDS[5], rates.WORLDS[4]):
        assert rates.differs(rates.row_of(world, 3), rows[world.name, 3]) == []


def test_a_row_that_is_another_is_named(
    rates: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [r for r in rates.read(FILE) if r["world"] == rates.WORLDS[5].name and r["seed"] == 3]
    assert rows[0]["pairs"] == 250
    rates.write(tmp_path / "r.json", [{**rows[0], "low": rows[0]["low"] + 1e-3}])
    assert rates.again(tmp_path / "r.json", [3]) == 1
    assert "low: " in capsys.readouterr().out
    rates.write(tmp_path / "r.json", rows)
    assert rates.again(tmp_path / "r.json", [3]) == 0
    assert rates.again(tmp_path / "r.json", [4]) == 1  # nothing to hold it against


def test_the_file_counts_its_rows_and_the_page_says_what_it_says(rates: Any) -> None:
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    assert rates.told_of(stored["rows"]) == stored["rates"]
    page = (ROOT / "docs/learning.md").read_text(encoding="utf-8")
    for one in stored["rates"]:
        told = (
            f"| {one['world']} | {one['worth it']} of {one['samples']} | {one['upper_end']:.1%} |"
        )
        assert told in page, told


def test_the_upper_end_is_that_of_clopper_and_pearson(rates: Any) -> None:
    assert rates.upper_end(0, 100) == pytest.approx(1.0 - 0.05 ** (1 / 100))
    assert rates.upper_end(5, 100) == pytest.approx(0.1023, abs=1e-4)
    assert rates.upper_end(100, 100) == pytest.approx(1.0)
