"""How often random scenarios bring each rule to bear: `count_rules.py [N] [SEED]`."""

from __future__ import annotations

import random
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.generators import random_scenario
from tests.oracles.naive_market import run_with_notes


def count(scenarios: int, seed: int) -> tuple[Counter, Counter]:
    """Times that each rule came to bear, and the scenarios in which it did."""
    times: Counter = Counter()
    in_scenarios: Counter = Counter()
    for n in range(scenarios):
        _, notes = run_with_notes(random_scenario(random.Random(f"{seed}/{n}")))
        times.update(notes)
        in_scenarios.update(notes.keys())
    return times, in_scenarios


if __name__ == "__main__":
    amount = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    times, in_scenarios = count(amount, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    for rule in sorted(times):
        print(f"{times[rule]:7} times in {in_scenarios[rule]:6} scenarios  {rule}")
