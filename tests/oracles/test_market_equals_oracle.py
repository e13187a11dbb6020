"""The engine and the second market give the same fills, orders, equity and status.

A failure prints the scenario as one line of a scenario file; `compare_many.py` makes it small.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings

from intrabar.engine.scenario.scenario import run_scenario, scenario_machine
from tests.generators import random_scenario, scenarios
from tests.oracles.comparing import as_line, oracle_differs
from tests.oracles.naive_market import Market


def check(scenario: dict) -> None:
    found = oracle_differs(scenario, run_scenario)
    if found:
        pytest.fail("\n".join([*found, as_line(scenario)]), pytrace=False)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(scenarios())
def test_engine_and_oracle_agree(scenario: dict) -> None:
    check(scenario)


@pytest.mark.parametrize("block", range(10))
def test_engine_and_oracle_agree_on_seeded_scenarios(block: int) -> None:
    """Two hundred each: fast, and the same on every machine."""
    for n in range(200):
        check(random_scenario(random.Random(f"seeded/{block}/{n}")))


def test_both_say_alike_what_a_bar_leaves_open() -> None:
    """Of every fill: ambiguous, settled by detail, or neither. Splits leave parts of lots."""
    words = {0: "", 1: "ambiguous", 2: "settled"}
    seen = set()
    for n in range(600):
        scenario = random_scenario(random.Random(f"open/{n}"))
        if any("split" in action for action in scenario.get("actions", [])):
            continue
        oracle = Market(scenario)
        oracle.run()
        machine, script = scenario_machine(scenario)
        machine.advance()
        assert script.ids is not None  # the hooks live as long as the script
        marks = [words[int(mark)] for mark in machine.fills()["ambiguous"]]
        assert marks == oracle.certainty, as_line(scenario)
        seen.update(marks)
    assert seen == set(words.values())
