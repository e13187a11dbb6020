"""How many processors there are to work with, and how many threads do the work."""

from __future__ import annotations

import os
from typing import Any

from intrabar.model.values import Bounds, whole

MOST_THREADS = 256


def processors(most: int) -> int:
    """Processors that this process may use, but no more than `most`."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        count = os.cpu_count() or 1
    return min(count, most)


def threads_of(given: Any) -> int:
    """Threads as they are asked for, 1 to 256; of None as many as there are processors.

    Raises
    ------
    ConfigError
        It is no such number.
    """
    asked = processors(MOST_THREADS) if given is None else given
    return whole("threads:", asked, Bounds(1, MOST_THREADS, whole=True))
