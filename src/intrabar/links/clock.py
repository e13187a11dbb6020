"""The time by which links work: an argument everywhere, so that a test can have its own."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

SECOND_NS = 1_000_000_000


class Clock(Protocol):
    """What time it is, and a way to wait."""

    def now(self) -> int:
        """Wall clock, ns since 1970 UTC."""

    def tick(self) -> float:
        """Seconds that only go forward, for durations."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class WallClock:
    """The time of the machine."""

    def now(self) -> int:  # noqa: D102
        return time.time_ns()

    def tick(self) -> float:  # noqa: D102
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:  # noqa: D102
        await asyncio.sleep(seconds)


class LoopClock:
    """The time of the loop that first asks, counted from an instant: virtual under a `SimLoop`.

    Parameters
    ----------
    start : int, ns since 1970 UTC
        When the loop's own time was 0.
    """

    def __init__(self, start: int) -> None:
        self.start = start
        self._loop: asyncio.AbstractEventLoop | None = None

    def now(self) -> int:  # noqa: D102
        return self.start + round(self.tick() * 1e9)

    def tick(self) -> float:  # noqa: D102
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:  # noqa: D102
        await asyncio.sleep(seconds)
