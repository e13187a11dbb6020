"""Trials on a Ray cluster: the only place that knows Ray.

The work is put into the object store once; every worker process unpacks it once and keeps it. A
task is a run of trials that takes seconds, whatever a trial takes. What comes back is yielded at
once, so that a cluster that is lost takes nothing with it but the tasks it was at.
"""

from __future__ import annotations

import atexit
import logging
import math
import os
import shutil
import socket
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple, Self

import numpy as np

from intrabar.errors import ConfigError, RunError
from intrabar.model.bars import Times
from intrabar.research.sweep.trial import Outcome, Trial, Work
from intrabar.sources import package_code

SECONDS = 2.0  # that a task should take
STARTS = 200.0  # tasks that the driver starts in a second, at most
GROWTH = 8  # of a task over the one whose time was taken
AHEAD = 2  # tasks in flight for each processor
TRIES = 3  # of a trial whose process dies under it
BEAT = 5.0  # seconds without news, after which the cluster is asked whether it is there
SILENCE = 30.0  # seconds without an answer, after which it is lost; Ray ends us after 60


class Task(NamedTuple):
    """Trials that a process of the cluster runs one after the other."""

    trials: Sequence[Trial]
    tries: int = 0


class Cluster:
    """A pool of the processes of a Ray cluster.

    The cluster is joined when the first trials are mapped, and left by `close`.

    Parameters
    ----------
    address : str
        `host:port` of a cluster that this machine belongs to; "" starts one on this machine and
        ends it again.
    workers : int
        Processes of the one on this machine; 0 for one per processor.
    """

    def __init__(self, address: str = "", workers: int = 0) -> None:
        self.address = address
        self.workers = workers
        self._ray: Any = None
        self._shared: tuple[Work, list[Any]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the cluster; one that was started here ends with all its processes."""
        if self._ray is not None:
            self._ray.shutdown()
            self._ray = self._shared = None

    def map(self, work: Work, batches: Iterable[Sequence[Trial]]) -> Iterator[list[Outcome]]:
        """The outcomes of tasks, in the order in which tasks end.

        A task is cut from the batches, one after the other, to take some seconds. The trials of a
        process that dies are run again, those of a machine that goes elsewhere; one under which
        a process has died `TRIES` times has failed.

        Raises
        ------
        ConfigError
            Ray is not installed, or the address is none.
        RunError
            The cluster is lost, or cannot run this work. What was yielded before is good.
        """
        ray = self._join()
        if self._shared is None or self._shared[0] is not work:
            self._shared = (work, [ray.put(own_modules()), ray.put(work)])
        flow = _Flow(ray, self._shared[1], chain.from_iterable(batches))
        # What is in flight when this ends early goes on for its seconds: Ray may end this process
        # ("tried to complete task that was not pending") where a task is cancelled as it ends.
        while flow.fill():
            for task, ended in flow.ended():
                yield from _settle(ray, work, task, ended, flow)

    def _join(self) -> Any:
        if self._ray is None:
            if self.address:
                _require_there(self.address)
            ray = _import_ray()
            if ray.is_initialized():
                raise RunError("this program uses Ray already; leave it first, by ray.shutdown()")
            try:
                _start(ray, self.address, self.workers)
            except (RuntimeError, ValueError, OSError, ray.exceptions.RayError) as error:
                ray.shutdown()
                raise RunError(_unusable(self.address, _line(error))) from None
            self._ray = ray
        return self._ray


class _Flow:
    """What is still to run, and what is in flight."""

    def __init__(self, ray: Any, shared: list[Any], trials: Iterator[Trial]) -> None:
        self._ray = ray
        self._shared = shared
        self._trials = trials
        self._next: deque[Trial] = deque()
        self._again: deque[Task] = deque()
        self._flying: dict[Any, Task] = {}
        self._size = 1
        self._run = ray.remote(max_retries=0)(run_task)
        self._slots = max(1, _processors(ray))
        self._asked = self._heard = time.monotonic()

    def fill(self) -> bool:
        """Start tasks until enough are in flight; whether any is."""
        while len(self._flying) < AHEAD * self._slots and (task := self._cut()):
            # In a list, so that a worker fetches the work only where it does not have it yet.
            ref = self._run.remote(self._shared, package_code(), task.trials)
            self._flying[ref] = task
        return bool(self._flying)

    def _cut(self) -> Task | None:
        """The next task: a smaller one where few trials are left, so that all stay busy."""
        if self._again:
            return self._again.popleft()
        enough = max(self._size, self._slots)
        self._next.extend(islice(self._trials, max(0, enough - len(self._next))))
        share = math.ceil(len(self._next) / self._slots) if len(self._next) < enough else enough
        size = min(self._size, share)
        trials = [self._next.popleft() for _ in range(size)]
        return Task(trials) if trials else None

    def again(self, *tasks: Task) -> None:
        """Run tasks once more, before any other."""
        self._again.extend(tasks)

    def took(self, seconds: float, trials: int) -> None:
        """Size the tasks to come by one that has ended."""
        wanted = max(SECONDS, self._slots / STARTS)
        fits = wanted * trials / max(seconds, 1e-9)
        self._size = max(1, int(min(fits, GROWTH * trials)))

    def ended(self) -> list[tuple[Task, Any]]:
        """Wait for tasks to end.

        Raises
        ------
        RunError
            The cluster is lost.
        """
        flying = list(self._flying)
        done, rest = self._ray.wait(flying, num_returns=1, timeout=BEAT)
        if done and rest:
            done += self._ray.wait(rest, num_returns=len(rest), timeout=0)[0]
        self._listen()
        return [(self._flying.pop(ref), ref) for ref in done]

    def _listen(self) -> None:
        """Ask now and then whether the cluster is there, and how large it is."""
        now = time.monotonic()
        if now - self._asked < BEAT:
            return
        self._asked = now
        if processors := _processors(self._ray):
            self._heard, self._slots = now, processors
        elif now - self._heard > SILENCE:
            raise lost("it does not answer, or has no processors")


def _settle(ray: Any, work: Work, task: Task, ended: Any, flow: _Flow) -> Iterator[list[Outcome]]:
    """The outcomes of a task that has ended, or what is to be done about it."""
    errors = ray.exceptions
    try:
        outcomes, seconds = ray.get(ended)
    except (errors.WorkerCrashedError, errors.OutOfMemoryError) as error:
        if len(task.trials) > 1:  # halves, until the trial that kills is alone
            middle = len(task.trials) // 2
            flow.again(Task(task.trials[:middle]), Task(task.trials[middle:]))
        elif task.tries + 1 < TRIES:
            flow.again(Task(task.trials, task.tries + 1))
        else:
            yield [_died(work, task.trials[0], error)]
    except (errors.NodeDiedError, errors.ObjectLostError):
        flow.again(task)
    except errors.LocalRayletDiedError:
        raise lost("Ray has ended on this machine") from None
    except (errors.RayError, ConnectionError) as error:
        raise RunError(f"the cluster cannot run this: {_line(error)}") from None
    else:
        flow.took(seconds, len(task.trials))
        yield outcomes


def lost(why: str) -> RunError:
    """The error of a cluster that is gone."""
    return RunError(
        f"the cluster is lost: {why}. Run the same again: finished trials are kept where there is "
        "a ledger"
    )


def _died(work: Work, trial: Trial, error: Exception) -> Outcome:
    none = np.empty(0)
    why = f"its process died {TRIES} times: {_line(error)}"
    return Outcome(trial, work.key(trial), "failed", {}, "", none, none.astype(np.int64), why)


_held: tuple[Any, Work] | None = None  # of this worker process: the work that it last had


def run_task(shared: list[Any], code: str, trials: Sequence[Trial]) -> tuple[list[Outcome], float]:
    """Run the trials of a task, on a worker.

    Parameters
    ----------
    shared : list of two references
        To the modules that the work needs, and to the work.
    code : str
        Digest of the package of who asks; another one would not give the same results.
    trials : sequence of Trial

    Returns
    -------
    outcomes : list of Outcome
    seconds : float
    """
    global _held
    import ray

    if code != package_code():
        raise RunError(
            f"{socket.gethostname()} has another version of Intrabar, Python or a package "
            f"({package_code()}, here {code}); install the same on every machine"
        )
    modules, work = shared
    if _held is None or _held[0] != work:
        take_in(ray.get(modules))
        _held = (work, ray.get(work))
    began = time.perf_counter()
    outcomes = _held[1].run(trials)
    seconds = time.perf_counter() - began
    return with_days_once(outcomes), seconds


def with_days_once(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Outcomes that share the days of their returns, where they are the same; they travel once."""
    days: dict[bytes, Times] = {}
    return [replace(o, days=days.setdefault(o.days.tobytes(), o.days)) for o in outcomes]


def _import_ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.exceptions
    except ImportError:
        raise ConfigError("Ray is not installed: pip install 'intrabar[cluster]'") from None
    return ray


def _start(ray: Any, address: str, workers: int) -> None:
    """Join a cluster or start one, without a word on stdout."""
    ray.init(
        address=address or "local",
        num_cpus=None if address else workers or os.cpu_count(),
        include_dashboard=None if address else False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    # Ray tells of dead workers on stdout, where our results go; we tell of them ourselves.
    ray._private.worker._worker_logs_enabled = False


def own_modules() -> dict[str, bytes]:
    """The sources of the working folder's modules that are loaded, by their path for imports.

    Intrabar and what is installed must be on every machine; a user's strategy file need not.
    """
    here, installed = Path.cwd(), Path(sys.prefix)
    found = {}
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "").absolute()
        if name.partition(".")[0] in ("intrabar", "__main__") or file.suffix != ".py":
            continue
        if not file.is_file():  # `torch.ops` says that it is "_ops.py"
            continue
        if file.is_relative_to(here) and not file.is_relative_to(installed):
            path = name.replace(".", "/")
            path += "/__init__.py" if file.name == "__init__.py" else ".py"
            found[path] = file.read_bytes()
    return found


def take_in(modules: dict[str, bytes]) -> None:
    """Make modules that `own_modules` found importable in this process."""
    if not modules:
        return
    folder = Path(mkdtemp(prefix="intrabar-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for path, source in modules.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(source)
    sys.path.insert(0, str(folder))


def _require_there(address: str) -> None:
    """Refuse an address at which nobody listens; Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not (port.isdecimal() and 0 < int(port) < 65_536):
        raise ConfigError(f"address: is {address!r}, must be host:port, such as 10.0.0.1:6379")
    if not _listens(host, int(port)):
        raise RunError(
            f"no cluster answers at {address}; start one there with "
            f"'ray start --head --port {port}', and join it from here with "
            f"'ray start --address {address}'"
        )


def _unusable(address: str, why: str) -> str:
    if not address:
        return f"Ray does not start on this machine: {why}"
    return (
        f"cannot join the cluster at {address}: {why}. Ray and Python must be those of the "
        "cluster, and its token must be here: copy ~/.ray/auth_token from it, and set "
        "RAY_AUTH_MODE=token"
    )


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=BEAT).close()
    except OSError:
        return False
    return True


def _processors(ray: Any) -> int:
    """How many the cluster has; 0 where its head does not answer."""
    host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
    # Of a head that is gone Ray would ask on and on, and then end this process.
    return int(ray.cluster_resources().get("CPU", 0)) if _listens(host, int(port)) else 0


def _line(error: BaseException) -> str:
    """An error of Ray in a line: of a traceback its end."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
