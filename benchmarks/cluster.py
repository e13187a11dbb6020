"""What a sweep costs on a Ray cluster, and a model of 10 million runs on 100 machines.

Every figure of the model is measured here: a run, the pickled bars, the start of a worker, a task,
an outcome on its way back. They are CPU seconds where it says so, so that a busy machine does not
make them larger. The sweep on the cluster is compared with the one on a thread before anything is
printed.

Usage: cluster.py [TRIALS]
"""

from __future__ import annotations

import pickle
import platform
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path

import bars
import polars as pl

from intrabar.app.calls.sweep import Plan, planned
from intrabar.research.sweep import cluster
from intrabar.research.sweep.cluster import Cluster
from intrabar.research.sweep.ledger import Ledger
from intrabar.research.sweep.sweep import carry_out
from intrabar.research.sweep.threads import Threads
from intrabar.research.sweep.trial import Outcome, Trial, Work

HOURS = 17_500
RUNS, MACHINES, PROCESSORS = 10_000_000, 100, 16  # of the model
NETWORK = 125e6  # bytes a second: a gigabit
TASKS = 2_000
BARRIER = cluster.AHEAD * 2  # tasks before the processes of two workers are warm


@dataclass
class Given:
    """A work, and a pool, that give the outcomes of another time."""

    outcomes: Sequence[Outcome]

    def key(self, trial: Trial) -> str:
        return self.outcomes[trial.number % len(self.outcomes)].key

    def run(self, trials: Sequence[Trial]) -> list[Outcome]:
        some = islice(cycle(self.outcomes), len(trials))
        return [replace(o, trial=t) for o, t in zip(some, trials, strict=True)]

    def map(self, work: Work, batches: Iterable[Sequence[Trial]]) -> Iterator[list[Outcome]]:
        for batch in batches:
            yield [replace(o, key=work.key(o.trial)) for o in self.run(batch)]


@dataclass(frozen=True)
class Figures:
    """What was measured; seconds and bytes."""

    run: float  # CPU of a worker, a trial
    work: int  # bytes of the pickled work
    worker: float  # a worker from its start to its first outcomes, wall
    task: float  # CPU of the driver, a task
    outcome: float  # CPU of the driver, an outcome from the object store
    kept: float  # CPU of the driver, a trial: its key, its row in the ledger
    wire: float  # bytes of an outcome
    memory: float  # bytes of an outcome that is kept


def plan_of(trials: int) -> Plan:
    """Crossovers of two averages over two years of hourly bars: the bars of workload W3."""
    stamps, columns = bars.hours(HOURS)
    table = {"time": pl.Series(stamps).cast(pl.Datetime("ns")), **columns, "volume": 1e6}
    sweep = {
        "parameters": {
            "fast": {"from": 2, "to": 100},
            "slow": {"from": 101, "to": 400},
            "exit.reward": {"from": 0.5, "to": 5.0},
        },
        "sample": "random",
        "count": trials,
    }
    given = {
        "symbols": ["X"],
        "period": "1h",
        "zone": "UTC",
        "instruments": {"X": {"tick_size": 1e-6}},
    }
    return planned("MovingAverageCrossover", pl.DataFrame(table), sweep, given)


def measured(trials: int) -> Figures:
    """All figures, from sweeps of so many trials."""
    plan = plan_of(trials)
    carry_out(plan.work, islice(plan.space, 20), Threads(1))  # compiled before the clock runs
    near = carry_out(plan.work, plan.space, Threads(1))
    run = sum(o.seconds for o in near.outcomes) / trials
    with Cluster(workers=2) as pool:
        began = time.perf_counter()
        parts = pool.map(plan.work, [[t] for t in plan.space])
        next(parts)
        started = time.perf_counter() - began
        for _ in parts:
            pass
        far = carry_out(plan.work, plan.space, pool)
        assert far.digest == near.digest, "the cluster gives other results"
        task, outcome = overheads(pool, near.outcomes)
    wire = len(pickle.dumps(cluster.with_days_once(near.outcomes), protocol=5)) / trials
    kept, memory = keeping(plan, near.outcomes, trials)
    work = len(pickle.dumps(plan.work, protocol=5))
    return Figures(run, work, started, task, outcome, kept, wire, memory)


def overheads(pool: Cluster, outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """CPU of the driver for a task, and for an outcome, beside what either holds."""
    given = Given(outcomes)
    trials = [Trial(n, {}) for n in range(TASKS)]
    cluster.SECONDS, cluster.STARTS, usual = 1e-9, 1e12, (cluster.SECONDS, cluster.STARTS)
    alone = cpu_of(pool, given, trials)
    cluster.SECONDS, cluster.STARTS = usual
    many = [Trial(n, {}) for n in range(20 * TASKS)]
    together = cpu_of(pool, given, many) / len(many)
    return alone / TASKS - together, together


def cpu_of(pool: Cluster, work: Work, trials: Sequence[Trial]) -> float:
    """CPU of this process while a cluster runs trials."""
    for _ in pool.map(work, [trials[:BARRIER]]):
        pass
    began = time.process_time()
    for _ in pool.map(work, [trials]):
        pass
    return time.process_time() - began


def keeping(plan: Plan, outcomes: Sequence[Outcome], trials: int) -> tuple[float, float]:
    """CPU of key, ledger and gathering for a trial, and the bytes that stay in memory."""
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder) / "trials.sqlite") as ledger:
        began = time.process_time()
        carry_out(plan.work, plan.space, Given(outcomes), ledger=ledger)
        seconds = time.process_time() - began
    tracemalloc.start()
    kept = pickle.loads(
        pickle.dumps([replace(o, returns=o.returns[:0], days=o.days[:0]) for o in outcomes])
    )
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(kept) == trials
    return seconds / trials, size / trials


def told(f: Figures) -> Iterator[str]:
    """The figures, and the model for runs of several lengths."""
    yield f"a run                        {f.run * 1e3:8.2f} ms CPU"
    yield f"the work, pickled            {f.work / 1e6:8.2f} MB"
    yield f"a worker to its first run    {f.worker:8.1f} s"
    yield f"a task                       {f.task * 1e3:8.2f} ms CPU of the driver"
    yield f"an outcome, received         {f.outcome * 1e6:8.0f} us CPU of the driver"
    yield f"key, ledger, gathering       {f.kept * 1e6:8.0f} us CPU of the driver, a trial"
    yield f"an outcome on its way        {f.wire / 1e3:8.1f} kB"
    yield f"an outcome in memory         {f.memory / 1e3:8.1f} kB"
    yield f"\n{RUNS:,} runs on {MACHINES} machines of {PROCESSORS} processors:"
    yield "| a run takes | trials a task | workers | network | driver | the whole |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for run in (f.run, 0.01, 0.1, 1.0, 10.0):
        yield model(f, run)
    slots = MACHINES * PROCESSORS
    trial = f.outcome + f.kept
    yield f"\nthe driver takes {1 / trial:,.0f} trials a second"
    yield f"the driver keeps {RUNS * f.memory / 1e9:,.0f} GB"
    yield f"{slots:,} processors keep it busy with runs of {slots * trial * 1e3:,.0f} ms or less"
    yield f"{f.run / trial:.0f} processors keep it busy with the runs that were measured"


def model(f: Figures, run: float) -> str:
    """What the whole takes where a run takes so many seconds."""
    slots = MACHINES * PROCESSORS
    size = max(1.0, max(cluster.SECONDS, slots / cluster.STARTS) // run)
    workers = RUNS * run / slots
    network = (MACHINES * f.work + RUNS * f.wire) / NETWORK
    driver = RUNS * (f.outcome + f.kept + f.task / size)
    whole = f.worker + max(workers, network, driver)
    cells = [f"{run * 1e3:,.1f} ms", f"{size:,.0f}", *map(span, (workers, network, driver, whole))]
    return f"| {' | '.join(cells)} |"


def span(seconds: float) -> str:
    """A time as people say it."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{seconds:,.0f} s"


def main() -> None:
    """Measure and print."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    for line in told(measured(trials)):
        print(line)


if __name__ == "__main__":
    main()
