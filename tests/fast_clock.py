"""A clock that runs faster than the machine's, for sources that are served over sockets."""

from __future__ import annotations

import asyncio


class FastClock:
    """The time of the running loop, so many times as fast.

    Parameters
    ----------
    start : int, ns UTC
        When it is first asked.
    speed : float
    """

    def __init__(self, start: int, speed: float) -> None:
        self._start, self._speed, self._began = start, speed, -1.0

    def tick(self) -> float:
        now = asyncio.get_running_loop().time()
        if self._began < 0.0:
            self._began = now
        return (now - self._began) * self._speed

    def now(self) -> int:
        return self._start + round(self.tick() * 1e9)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)
