"""A bandit's state among processes: one writer, and what is left of one that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import intrabar
from intrabar.errors import RunError
from intrabar.exits.bandit_file import read_state
from intrabar.exits.state_lock import held_state

HOLDS = """
import sys
from pathlib import Path
from intrabar.exits.state_lock import held_state
with held_state(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""

WRITES = """
import sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from intrabar.exits.bandit_file import write_state
from intrabar.exits.bandit_state import BanditState
n, bandit = int(sys.argv[2]), np.stack([np.vstack([np.eye(8), np.zeros(8)])] * 8)
arms, mean, scale = tuple(range(1, 9)), (0.0,) * 7, (1.0,) * 7
state = BanditState("T", "ES", arms, "", "", mean, scale, 0.1, 1.0, n, 0, n, bandit)
while True:
    n += 1
    write_state(replace(state, n=n, last_campaign=n), Path(sys.argv[1]))
    print(n, flush=True)
"""


@contextmanager
def running(code: str, *given: str) -> Iterator[subprocess.Popen[str]]:
    package = str(Path(intrabar.__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, "-c", code, *given],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": package},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_session_is_refused_with_the_process_that_holds_the_state(tmp_path: Path) -> None:
    path = tmp_path / "state" / "Trend" / "ES.json"
    with running(HOLDS, str(path)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(RunError) as error, held_state(path):
            pass
        assert f"{path} is held by the process {process.pid}: stop that session" in str(error.value)
        with held_state(path.with_name("NQ.json")):  # another symbol's is free
            pass
    with held_state(path):  # it ends with the process
        pass
    with held_state(path):
        pass


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"), held_state(tmp_path / "file" / "ES"):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("after", [1, 2, 5])
def test_a_killed_writer_leaves_what_it_had_told_or_the_next(tmp_path: Path, after: int) -> None:
    path, n = tmp_path / "ES.json", 0
    for _ in range(3):
        with running(WRITES, str(path), str(n)) as process:
            assert process.stdout is not None
            told = [int(process.stdout.readline()) for _ in range(after)]
            process.send_signal(signal.SIGKILL)
            told += [int(x) for x in process.communicate()[0].split()]
        n = read_state(path)[0].n
        assert n in (told[-1], told[-1] + 1)
