"""How far a training is, for who watches it."""

from __future__ import annotations

from collections.abc import Callable

Watch = Callable[[int, int], None]
"""Called with what is done and what there may be: windows of an LSTM, steps of PPO."""


def part_of(watch: Watch | None, k: int, of: int) -> Watch | None:
    """What the k-th of several trainings of equal size tells, so that all count as one."""
    if watch is None:
        return None
    return lambda done, total: watch(k * total + min(done, total), of * total)
