"""Whether a run goes in chunks, and of how many bars."""

from __future__ import annotations

import os

from intrabar.app.compose.sources import request_of, sources_of
from intrabar.app.config.model import Config
from intrabar.data.feeds import stored
from intrabar.errors import DataError, UsageError

BYTES_A_BAR = 500  # of a run at one go: 240 measured with one bot and no report, and room
COMFORTABLE = 1_000_000  # bars of all instruments together in a chunk


def chunk_for(config: Config) -> int | None:
    """How many bars a chunk should have; None where the run fits into memory as it is.

    It does where its bars need less than half of the machine's memory. Only the catalogue tells
    how many bars there are before they are read.
    """
    if config.chunk is not None:
        return config.chunk
    try:
        sources = sources_of(config)
        if not all(source.is_stored for source in sources):
            return None
        request = request_of(config)
        bars = sum(stored(source, request).manifest.rows for source in sources)
    except (UsageError, DataError):
        return None  # the run will say what is wrong
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if bars * BYTES_A_BAR <= memory // 2:
        return None
    return max(COMFORTABLE // len(sources), 1)
