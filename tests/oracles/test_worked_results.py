"""The worked results of the specification and the documentation, on both markets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intrabar.engine.scenario.scenario import run_scenario
from tests.oracles.naive_market import run

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "tests/golden/scenarios.jsonl", *sorted((ROOT / "docs/scenarios").glob("*.jsonl"))]
WORKED = [
    json.loads(line) for file in FILES for line in file.read_text().splitlines() if line.strip()
]


def agree(expected: object, actual: object) -> bool:
    """Equal to 1e-9 (the worked figures are decimal), in every field that was worked out."""
    if isinstance(expected, dict):
        return all(agree(value, actual[name]) for name, value in expected.items())
    if isinstance(expected, list):
        return len(expected) == len(actual) and all(map(agree, expected, actual))
    if isinstance(expected, (int, float)):
        return actual == pytest.approx(expected, rel=1e-9, abs=1e-9)
    return expected == actual


@pytest.mark.parametrize("worked", WORKED, ids=lambda w: w["name"])
def test_oracle_gives_the_worked_result(worked: dict) -> None:
    given = {name: value for name, value in worked.items() if name != "expect"}
    result = run(given)
    assert agree(worked["expect"], result), result


@pytest.mark.parametrize("worked", WORKED, ids=lambda w: w["name"])
def test_engine_gives_the_worked_result(worked: dict) -> None:
    given = {name: value for name, value in worked.items() if name != "expect"}
    result = run_scenario(given)
    assert agree(worked["expect"], result), result
