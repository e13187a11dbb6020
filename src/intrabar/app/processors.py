"""How many processors there are to work with."""

from __future__ import annotations

import os


def processors(most: int) -> int:
    """Processors that this process may use, but no more than `most`."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        count = os.cpu_count() or 1
    return min(count, most)
