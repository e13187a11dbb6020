"""Compare the engine with the oracle many times: `compare_many.py N [SEED]`.

The oracle walks every bar, and so does the engine here; that the bars which the engine passes when
no strategy wants them leave the same bits is compared beside it.

Stops at the first difference, makes the scenario small, and prints what differs and the
scenario as one line of a scenario file. Exit status 1 where there was a difference.
"""

from __future__ import annotations

import random
import sys
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from intrabar.engine.scenario.scenario import run_scenario
from tests.generators import random_scenario
from tests.oracles.comparing import as_line, oracle_differs
from tests.oracles.shrinking import shrink
from tests.properties.test_resumable import at_one_go, quiet


def differences(scenario: dict) -> list[str]:
    found = oracle_differs(scenario, run_scenario)
    if not found and quiet(scenario) != at_one_go(scenario):
        return ["bars that are passed leave another digest than bars that are walked"]
    return found


def fails(found: list[str]) -> bool:
    return bool(found) and found[0].startswith("it failed")


def differs_as(scenario: dict, failed: bool) -> bool:
    """Whether it differs, and not only because a scenario taken apart is refused."""
    found = differences(scenario)
    return bool(found) and fails(found) == failed


def main(amount: int, seed: int) -> int:
    started = time.perf_counter()
    for n in range(amount):
        scenario = random_scenario(random.Random(f"{seed}/{n}"))
        found = differences(scenario)
        if not found:
            continue
        small = shrink(scenario, partial(differs_as, failed=fails(found)))
        print(f"scenario {n} of seed {seed} differs; made small:")
        print("\n".join(differences(small)))
        print(as_line(small))
        return 1
    print(f"{amount} scenarios of seed {seed} agree ({time.perf_counter() - started:.0f} s)")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
