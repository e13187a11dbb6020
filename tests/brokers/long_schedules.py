"""Schedules of several faults through a session: `python -m tests.brokers.long_schedules 3`.

All of a length, or so many drawn from a seed; count and time are printed, and what failed.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator
from random import Random

from tests.brokers.faults import SCRIPTS, Schedule
from tests.brokers.session_faults import faults_of, through


def schedules(faults: list[tuple[int, str]], length: int, draw: Random | None, most: int
              ) -> Iterator[Schedule]:  # fmt: skip
    """Schedules with one fault a message: all, or `most` that are drawn."""
    if draw is None:
        for chosen in itertools.combinations(faults, length):
            if len({point for point, _ in chosen}) == length:
                yield dict(chosen)
        return
    for _ in range(most):
        points = draw.sample(sorted({point for point, _ in faults}), length)
        yield {p: draw.choice([f for point, f in faults if point == p]) for p in sorted(points)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("length", type=int)
    parser.add_argument("--drawn", type=int, default=0, help="how many of each script; 0: all")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for name, nets in itertools.product(SCRIPTS, (False, True)):
        draw = Random(asked.seed) if asked.drawn else None
        faults, began = faults_of(through(name, {}, nets).kinds), time.monotonic()
        count = failed = 0
        for schedule in schedules(faults, asked.length, draw, asked.drawn):
            count += 1
            try:
                through(name, schedule, nets)
            except AssertionError as error:
                failed += 1
                print(str(error)[:300], flush=True)
        seconds = time.monotonic() - began
        print(f"{name} nets={nets}: {count:,} schedules of {asked.length}, {failed} failed, "
              f"{seconds:.0f} s", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
