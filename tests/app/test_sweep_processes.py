"""Sweeps in processes of their own: killed, sent to others, and many at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import intrabar as ib
from tests.app.sweeps_of_it import bars
from tests.own_process import python

STRATEGY = '''
import os, signal
from dataclasses import dataclass
from pathlib import Path
import intrabar as ib

@dataclass
class Deadly(ib.Strategy):
    """Buys every so many bars; in its process the run of `dies_at` is the last."""
    every: int = 3

    def on_start(self):
        with open("begun.txt", "a") as file:
            file.write(f"{self.every} {os.getpid()}\\n")
        if Path("deadly.txt").exists() and self.every == int(Path("deadly.txt").read_text()):
            os.kill(os.getpid(), signal.SIGKILL)

    def on_close(self, now):
        if now.bar % self.every == 0:
            (now.buy if now.is_flat else now.sell)(1)
'''

SWEEP = """
import intrabar as ib
from deadly import Deadly
from tests.app.sweeps_of_it import bars

ib.sweep(Deadly, bars(200), parameters={"every": range(2, 52)}, workers=1, out="runs")
"""

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with the strategy in it."""
    (tmp_path / "deadly.py").write_text(STRATEGY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("deadly", None)


def sweep(**how: Any) -> ib.SweepResult:
    given = {"parameters": {"every": range(2, 52)}, "workers": 1, "on": "threads", **how}
    return ib.sweep(import_module("deadly").Deadly, bars(200), **given)


def begun(folder: Path) -> list[list[int]]:
    """The parameter and the process of each run that began, and forget them."""
    lines = (folder / "begun.txt").read_text().splitlines()
    (folder / "begun.txt").unlink()
    return [[int(x) for x in line.split()] for line in lines]


def test_a_killed_sweep_goes_on_where_it_stopped(folder: Path) -> None:
    expected = sweep(keep=False)
    begun(folder)
    (folder / "deadly.txt").write_text("40")
    killed = subprocess.run(
        [sys.executable, "-c", SWEEP],
        cwd=folder,
        timeout=240,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}:{folder}"},
    )
    assert killed.returncode == -signal.SIGKILL
    assert [every for every, _ in begun(folder)] == list(range(2, 41))
    (folder / "deadly.txt").unlink()
    again = sweep(out="runs")
    # What was run of the batch in which it died runs again, and nothing else.
    assert again.found > 0
    assert [every for every, _ in begun(folder)] == list(range(2 + again.found, 52))
    assert again.failed == 0
    assert again.digest == expected.digest
    assert again.returns.tobytes() == expected.returns.tobytes()
    assert sweep(out="runs").found == 50
    assert not (folder / "begun.txt").exists()


def test_processes_give_what_threads_give(folder: Path) -> None:
    expected = sweep(keep=False)
    begun(folder)
    found = sweep(on="processes", workers=2, out="runs")
    assert found.digest == expected.digest
    assert found.returns.tobytes() == expected.returns.tobytes()
    ran = begun(folder)
    assert sorted(every for every, _ in ran) == list(range(2, 52))
    assert os.getpid() not in {process for _, process in ran}
    assert list(Path("/dev/shm").glob("psm_*")) == []  # nothing is left behind


def test_a_worker_that_is_killed_costs_no_finished_trial(folder: Path) -> None:
    expected = sweep(keep=False)
    (folder / "deadly.txt").write_text("51")
    with pytest.raises(ib.RunError, match="a worker process has ended"):
        sweep(on="processes", workers=1, out="runs")
    (folder / "deadly.txt").unlink()
    again = sweep(out="runs")
    assert again.digest == expected.digest
    assert again.found > 0


def test_what_cannot_be_sent_runs_here_and_says_so(folder: Path) -> None:
    class Local(import_module("deadly").Deadly):  # type: ignore[misc]
        """Known in this function only."""

    found = ib.sweep(
        Local, bars(200), parameters={"every": [2, 3]}, on="processes", workers=2, keep=False
    )
    assert found.failed == 0
    assert "cannot be sent to other processes" in found.remarks[0]


MEMORY = """
import intrabar as ib
from tests.app.sweeps_of_it import bars

FRAME = bars(1000)

def run(count, fast):
    made = ib.sweep("MovingAverageCrossover", FRAME, workers=1, out="runs", parameters={
        "fast": [fast], "slow": range(9, 109), "exit.reward": [1 + k for k in range(count // 100)]})
    assert (made.failed, made.found, len(made)) == (0, 0, count)

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

after = [run(500, fast) or resident() for fast in range(2, 9)]
print("rise", (after[-1] - after[-5]) / 2000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_2000_runs_leave_nothing_behind(tmp_path: Path) -> None:
    here = f"import sys; sys.path.insert(0, {str(ROOT)!r})"
    said = python("-c", f"{here}\n{MEMORY}", folder=tmp_path)
    # The equity of a run alone is 8,000 bytes.
    assert float(said.split("rise")[1]) < 800, said
