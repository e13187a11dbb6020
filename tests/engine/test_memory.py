"""Memory over many runs in one process: what a run took it gives back, without the collector."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.own_process import python

SCRIPT = """
import gc
import statistics
import sys
from itertools import pairwise
sys.path.insert(0, {benchmarks!r})
from scale import runs
runs(20)
gc.collect()
gc.disable()
after = runs(200)
# The median: the allocator takes a step now and then, a leak rises all the time.
print("rise", statistics.median(b - a for a, b in pairwise(after)) / 20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_200_runs_take_no_more_memory_than_40(tmp_path: Path) -> None:
    benchmarks = str(Path(__file__).parents[2] / "benchmarks")
    said = python("-c", SCRIPT.format(benchmarks=benchmarks), folder=tmp_path)
    rise = float(said.split("rise")[1])
    # A market of 2,000 bars with its indicators and records is more than 1 MB.
    assert rise < 0.05, said
