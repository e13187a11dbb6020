"""One engine in a process of its own, told what to do line by line.

The runner writes a JSON line, the engine answers with one: `{"prepare": "W1", "size": 1000000,
"rules": ""}` makes the bars, brings them into the engine's own form and runs once, so that what
must be compiled is compiled; `{"run": "W1"}` runs once more and says how long it took.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """What an engine did, to be compared before its time is looked at."""

    fills: int
    equity: float  # at the last close; of W3 summed over the runs


Task = Callable[[], Outcome]


def serve(package: str, workloads: dict[str, Callable[..., Task]]) -> None:
    """Answer the runner until it closes the pipe.

    Parameters
    ----------
    package : str
        Whose version is reported; "" for none.
    workloads : mapping of name to function
        Called with the size and the rules asked for; returns what is measured.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not come between the answers
    answers.write(json.dumps({"version": version(package) if package else ""}) + "\n")
    answers.flush()
    tasks: dict[str, Task] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if "prepare" in asked:
                name = asked["prepare"]
                tasks[name] = workloads[name](asked["size"], asked["rules"])
            answer = measured(tasks[asked.get("prepare") or asked["run"]])
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def measured(task: Task) -> dict[str, Any]:
    """Run once: CPU and wall seconds, and what came out."""
    wall, cpu = time.perf_counter(), time.process_time()
    outcome = task()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    fills, equity = int(outcome.fills), float(outcome.equity)
    return {"cpu": cpu, "wall": wall, "fills": fills, "equity": equity}
