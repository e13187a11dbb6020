"""Our clock held against a server's, and against one that only goes forward."""

from __future__ import annotations

from collections import deque
from statistics import median_low

SECOND_NS = 1_000_000_000
WARNS = SECOND_NS
"""Skew from which on it is told."""
_SAMPLES = 20
_APART = 2 * SECOND_NS


def blocks_from(period: int) -> int:
    """The skew (ns) beyond which no entry is made on bars of a period."""
    return min(5 * SECOND_NS, period // 4)


class Skew:
    """How far a server's clock is ahead of ours: the median of the last 20 samples."""

    def __init__(self) -> None:
        self._samples: deque[int] = deque(maxlen=_SAMPLES)

    def take(self, server: int, asked: int, trip: int = 0) -> None:
        """A time that a server showed.

        Parameters
        ----------
        server : int, ns UTC
        asked : int, ns UTC
            Our wall clock when it was asked; when it told us, where nobody asked.
        trip : int, ns
            From question to answer.
        """
        self._samples.append(server - asked - trip // 2)

    @property
    def ns(self) -> int:
        """0 where no server shows a time."""
        return median_low(self._samples) if self._samples else 0


class Pace:
    """Whether wall clock and ticks go on alike from timer to timer.

    Ticks may stand still while the machine sleeps, and the wall clock may be set: which of the two
    it was cannot be told.
    """

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None

    def moved(self, wall: int, tick: int) -> int:
        """Ns by which the wall clock went further than the ticks, 0 up to 2 s.

        Parameters
        ----------
        wall : int, ns UTC
        tick : int, ns
            Of a clock that only goes forward.
        """
        last, self._last = self._last, (wall, tick)
        if last is None:
            return 0
        apart = (wall - last[0]) - (tick - last[1])
        return apart if abs(apart) > _APART else 0
