"""Trials on processes, for strategies that hold the interpreter's lock.

The work is pickled once. Its arrays (the bars above all) lie in one block of shared memory that
every process reads in place; only outcomes travel back.
"""

from __future__ import annotations

import pickle
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.shared_memory import SharedMemory
from typing import NamedTuple

from intrabar.errors import RunError
from intrabar.research.sweep.threads import AHEAD, Batches, run_on
from intrabar.research.sweep.trial import Outcome, Trial, Work

ALIGNED = 64  # bytes


class Packed(NamedTuple):
    """A pickled work whose arrays lie in shared memory."""

    pickled: bytes
    block: str
    spans: list[tuple[int, int]]  # first and last byte of each array


@dataclass(frozen=True, slots=True)
class Processes:
    """A pool of processes on this machine.

    Parameters
    ----------
    workers : int, >= 1
    """

    workers: int

    def map(self, work: Work, batches: Batches) -> Iterator[list[Outcome]]:
        """The outcomes of each batch, in the order in which batches end.

        Raises
        ------
        RunError
            A process ended. What was yielded before is good.
        """
        block, packed = pack(work)
        try:
            with ProcessPoolExecutor(
                self.workers, get_context("spawn"), initializer=_begin, initargs=(packed,)
            ) as executor:
                yield from run_on(executor, _Remote(), batches, AHEAD * self.workers)
        except BrokenProcessPool:
            raise RunError(
                "a worker process has ended. Run the same again: finished trials are kept. If it "
                'ends at its start, put the sweep of your script under `if __name__ == "__main__":`'
            ) from None
        finally:
            block.close()
            block.unlink()


def can_be_sent(work: Work) -> bool:
    """Whether other processes can be given this work."""
    try:
        pickle.dumps(work, protocol=5, buffer_callback=lambda _: None)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True


def pack(work: Work) -> tuple[SharedMemory, Packed]:
    """Lay the arrays of a work into shared memory; the caller unlinks the block."""
    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(work, protocol=5, buffer_callback=buffers.append)
    spans, end = [], 0
    for buffer in buffers:
        first = -(-end // ALIGNED) * ALIGNED
        end = first + buffer.raw().nbytes
        spans.append((first, end))
    block = SharedMemory(create=True, size=max(end, 1))
    assert block.buf is not None
    for (first, last), buffer in zip(spans, buffers, strict=True):
        block.buf[first:last] = buffer.raw()
    return block, Packed(pickled, block.name, spans)


def unpack(packed: Packed) -> tuple[SharedMemory, Work]:
    """The work of a block; its arrays live as long as the block, and nobody writes to them."""
    block = SharedMemory(packed.block)
    whole = block.buf
    assert whole is not None
    work: Work = pickle.loads(packed.pickled, buffers=[whole[a:b] for a, b in packed.spans])
    return block, work


_given: tuple[SharedMemory, Work] | None = None  # of this process, which serves one sweep


def _begin(packed: Packed) -> None:
    global _given
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    _given = unpack(packed)


class _Remote:
    """Stands for the work that a process was given."""

    def key(self, trial: Trial) -> str:
        assert _given is not None
        return _given[1].key(trial)

    def run(self, trials: Sequence[Trial]) -> list[Outcome]:
        assert _given is not None
        return _given[1].run(trials)
