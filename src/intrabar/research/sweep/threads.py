"""Trials on threads: the compiled loop does not hold the interpreter's lock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice

from intrabar.research.sweep.trial import Outcome, Trial, Work

Batches = Iterable[Sequence[Trial]]
AHEAD = 2  # batches in flight for each worker


@dataclass(frozen=True, slots=True)
class Threads:
    """A pool of threads in this process.

    Parameters
    ----------
    workers : int, >= 1
    """

    workers: int

    def map(self, work: Work, batches: Batches) -> Iterator[list[Outcome]]:
        """The outcomes of each batch, in the order in which batches end."""
        # Also with one worker: what a thread keeps for its next run goes with the thread.
        with ThreadPoolExecutor(self.workers) as executor:
            yield from run_on(executor, work, batches, AHEAD * self.workers)


def run_on(executor: Executor, work: Work, batches: Batches, most: int) -> Iterator[list[Outcome]]:
    """Keep at most so many batches in flight, and give each when it ends."""
    waiting = iter(batches)
    running: set[Future[list[Outcome]]] = set()
    try:
        while True:
            fresh = islice(waiting, most - len(running))
            running |= {executor.submit(work.run, batch) for batch in fresh}
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        for future in running:
            future.cancel()
