"""Sweeps in processes of their own: killed, sent to others, and many at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

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

SWEEP = '''
import sys
import intrabar as ib
from tests.app.sweeps_of_it import bars
from deadly import Deadly

if __name__ == "__main__":
    on, workers, out = sys.argv[1:]
    result = ib.sweep(
        Deadly, bars(200), parameters={"every": range(2, 52)}, on=on, workers=int(workers),
        keep=out != "-", out=out,
    )
    print(result.found, result.failed, result.digest)
'''

ROOT = Path(__file__).parents[2]


def prepared(folder: Path) -> Path:
    (folder / "deadly.py").write_text(STRATEGY)
    (folder / "run.py").write_text(SWEEP)
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "run.py", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=240,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}:{folder}"},
    )


def begun(folder: Path) -> list[int]:
    return [int(line.split()[0]) for line in (folder / "begun.txt").read_text().splitlines()]


def test_a_killed_sweep_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole = prepared(tmp_path)
    expected = run(whole, "threads", "1", "-").stdout.split()[2]
    (whole / "begun.txt").unlink()
    (whole / "deadly.txt").write_text("40")
    killed = run(whole, "threads", "1", "runs")
    assert killed.returncode == -signal.SIGKILL
    first = begun(whole)
    assert first == list(range(2, 41))
    (whole / "deadly.txt").unlink()
    (whole / "begun.txt").unlink()
    again = run(whole, "threads", "1", "runs")
    found, failed, digest = again.stdout.split()
    # Two batches of 16 were whole; what was run of the third runs again, and nothing else.
    assert begun(whole) == list(range(34, 52))
    assert (int(found), int(failed)) == (32, 0)
    assert digest == expected
    (whole / "begun.txt").unlink()
    assert run(whole, "threads", "1", "runs").stdout.split() == ["50", "0", expected]
    assert not (whole / "begun.txt").exists()


def test_processes_give_what_threads_give(tmp_path: Path) -> None:
    folder = prepared(tmp_path)
    threads = run(folder, "threads", "2", "-")
    processes = run(folder, "processes", "2", "runs")
    assert processes.stdout == threads.stdout, processes.stderr
    helpers = {line.split()[1] for line in (folder / "begun.txt").read_text().splitlines()}
    assert len(helpers) == 3  # this one, and two that were sent the work
    assert sorted(begun(folder)) == sorted([*range(2, 52)] * 2)
    assert list(Path("/dev/shm").glob("psm_*")) == []  # nothing is left behind


def test_a_worker_that_is_killed_costs_no_finished_trial(tmp_path: Path) -> None:
    folder = prepared(tmp_path)
    expected = run(folder, "threads", "1", "-").stdout.split()[2]
    (folder / "deadly.txt").write_text("48")
    broken = run(folder, "processes", "2", "runs")
    assert broken.returncode != 0
    assert "RunError: a worker process has ended. Run the same again" in broken.stderr
    (folder / "deadly.txt").unlink()
    found, failed, digest = run(folder, "threads", "1", "runs").stdout.split()
    assert (failed, digest) == ("0", expected)
    assert int(found) > 0


MEMORY = """
import sys
import intrabar as ib
from tests.app.sweeps_of_it import bars

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

def run(count):
    made = ib.sweep(
        "MovingAverageCrossover", bars(120), workers=1, out="runs",
        parameters={"fast": [3], "slow": range(9, 109), "exit.reward": {"from": 1, "to": 9.0,
        "count": count // 100}})
    assert made.failed == 0 and len(made) == count
    return resident()

run(100)
a, b = run(400), run(2400)
print("rise", (b - a) / 2000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_2000_runs_more_take_the_memory_of_their_rows(tmp_path: Path) -> None:
    said = python("-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{MEMORY}", folder=tmp_path)
    # A row of the result with its figures is a few KB; the records of a run are many times that.
    assert float(said.split("rise")[1]) < 8_000, said
