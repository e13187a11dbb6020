"""Torch as it is trained with here: one thread, the same bits each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from intrabar.learn.extra import require_ml

SEEDS = 3


@contextmanager
def exact() -> Iterator[Any]:
    """Torch with one thread and deterministic algorithms; what was set before comes back.

    Raises
    ------
    UsageError
        The extra `ml` is not installed.
    """
    require_ml()
    import torch

    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        with torch.random.fork_rng(devices=[]):
            yield torch
    finally:
        torch.use_deterministic_algorithms(strict)
        torch.set_num_threads(threads)


def seeds_of(seed: int, count: int = SEEDS) -> list[int]:
    """The seeds that are trained: what NumPy, torch and the order of rows are fed with."""
    spawned = np.random.SeedSequence(seed).spawn(count)
    return [int(one.generate_state(1)[0]) for one in spawned]


def median_of(scores: list[float]) -> int:
    """The place of the median score, of an even number the lower one; of equal ones the first."""
    order = sorted(range(len(scores)), key=lambda k: (scores[k], k))
    return order[(len(order) - 1) // 2]
