"""What keeps a link civil: retries with jitter, a circuit, a bucket of calls, deadlines.

Nothing here reads a clock or sleeps by itself: both are arguments (`links/clock.py`).
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from intrabar.errors import AuthError, IntrabarError, LinkError, RateLimited, Timeout
from intrabar.links.clock import Clock

_T = TypeVar("_T")

LONGEST = 60.0
"""Seconds that a retry waits at most; who is told to wait longer gets the error."""


def delay(attempt: int, chance: random.Random) -> float:
    """Seconds before a retry: 0.5 s, doubled each time, at most 60 s, less up to a half."""
    return min(LONGEST, 0.5 * 2.0 ** min(attempt, 10)) * chance.uniform(0.5, 1.0)


async def within(seconds: float, call: Awaitable[_T], what: str) -> _T:
    """The answer of a call, in time.

    Raises
    ------
    Timeout
        There was none.
    """
    try:
        async with asyncio.timeout(seconds):  # `wait_for` may swallow that it is cancelled
            return await call
    except TimeoutError:
        raise Timeout(f"{what}: no answer in {seconds:g} s") from None


class Circuit:
    """Calls stop for 30 s after 5 failures in a row, or half of the last 20; then one goes first.

    Parameters
    ----------
    name : str
        Whose it is, for messages.
    clock : Clock
    """

    IN_A_ROW, OF, PAUSE = 5, 20, 30.0

    def __init__(self, name: str, clock: Clock) -> None:
        self.name, self._clock = name, clock
        self._row = 0
        self._last: deque[bool] = deque(maxlen=self.OF)  # True: failed
        self._opened: float | None = None
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether calls are held back."""
        return self._opened is not None

    def enter(self) -> None:
        """Ask whether a call may go.

        Raises
        ------
        LinkError
            It may not yet.
        """
        if self._opened is None:
            return
        waited = self._clock.tick() - self._opened
        if waited < self.PAUSE or self._probing:
            raise LinkError(
                f"{self.name} failed {sum(self._last)} of {len(self._last)} times and is not "
                f"asked; the next attempt is in {max(self.PAUSE - waited, 0.0):.0f} s"
            )
        self._probing = True

    def succeeded(self) -> None:
        """Take note of an answer."""
        if self._opened is not None:
            self._last.clear()
        self._row, self._opened, self._probing = 0, None, False
        self._last.append(False)

    def abandoned(self) -> None:
        """A call was given up before it was answered: the next one may be the first."""
        self._probing = False

    def failed(self) -> None:
        """Take note of a failure."""
        self._row += 1
        self._last.append(True)
        half = len(self._last) == self.OF and 2 * sum(self._last) >= self.OF
        if self._probing or self._row >= self.IN_A_ROW or half:
            self._opened, self._probing = self._clock.tick(), False


class Bucket:
    """At most `calls` in any `seconds`, and no two within `apart` seconds.

    Parameters
    ----------
    calls : int
    seconds : float
    clock : Clock
    apart : float
    """

    def __init__(self, calls: int, seconds: float, clock: Clock, apart: float = 0.0) -> None:
        self._calls, self._seconds, self._clock, self._apart = calls, seconds, clock, apart
        self._taken: deque[float] = deque(maxlen=calls)
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Wait until a call may go."""
        async with self._turn:
            left = self.left()
            if left > 0.0:
                await self._clock.sleep(left)
            self._taken.append(self._clock.tick())

    def left(self) -> float:
        """Seconds until a call may go, by those that have gone."""
        if not self._taken:
            return 0.0
        free = self._taken[-1] + self._apart
        if len(self._taken) == self._calls:
            free = max(free, self._taken[0] + self._seconds)
        return free - self._clock.tick()


class Line:
    """One vendor's line: each call through the bucket and the circuit, in time, tried again.

    Parameters
    ----------
    name : str
    clock : Clock
    bucket : Bucket
    seconds : float
        Deadline of one attempt.
    tries : int
        Of a call that only reads.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        bucket: Bucket,
        *,
        seconds: float = 10.0,
        tries: int = 5,
    ) -> None:
        self.circuit = Circuit(name, clock)
        self._name, self._clock, self._bucket = name, clock, bucket
        self._seconds, self._tries = seconds, tries
        self._chance = random.Random(0)

    async def read(self, call: Callable[[], Awaitable[_T]], what: str) -> _T:
        """The answer of a call that may be repeated.

        Raises
        ------
        LinkError
            That of the last attempt. A refused login, and a wait longer than a minute, are not
            tried again; where our own bucket would wait so long, nothing is asked.
        """
        for attempt in range(self._tries):
            if (left := self._bucket.left()) > LONGEST:
                raise RateLimited(
                    f"{self._name}: {what}: the calls that it allows are used up; the next may go "
                    f"in {left:.0f} s",
                    left,
                )
            self.circuit.enter()
            try:
                await self._bucket.take()
                found = await within(self._seconds, call(), f"{self._name}: {what}")
            except LinkError as error:
                self.circuit.failed()
                wait = delay(attempt, self._chance)
                if isinstance(error, RateLimited):
                    wait = max(error.after, wait)
                last = attempt == self._tries - 1 or self.circuit.is_open
                if last or isinstance(error, AuthError) or wait > LONGEST:
                    raise
                await self._clock.sleep(wait)
            except IntrabarError:  # an answer, though not the one that was hoped for
                self.circuit.succeeded()
                raise
            except BaseException:
                self.circuit.abandoned()
                raise
            else:
                self.circuit.succeeded()
                return found
        raise AssertionError("unreachable")
