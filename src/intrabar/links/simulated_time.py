"""An event loop whose time jumps to the next timer when nothing is ready.

Recorded sessions and tests run under it: what waits a day takes no time, and takes place in the
order in which a day would have had it. Sockets and worker threads are real: while one may still
answer, time stands still.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

_T = TypeVar("_T")
_STUCK = 5.0  # real seconds without a timer, an answer or a worker: nobody will wake us


class _Jumping(selectors.DefaultSelector):
    """Waits for nothing: it moves the loop's time on instead."""

    loop: SimLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if found or timeout == 0:
            return found
        if self.loop.at_work or timeout is None:
            found = super().select(0.05 if self.loop.at_work else _STUCK)
            if not found and timeout is None and not self.loop.at_work:
                raise RuntimeError("the simulated loop waits for nothing: no timer, no answer")
            return found
        self.loop.elapsed += timeout
        return []


class SimLoop(asyncio.SelectorEventLoop):
    """An asyncio loop in virtual time; `time()` begins at 0."""

    def __init__(self) -> None:
        self.elapsed, self.at_work = 0.0, 0
        selector = _Jumping()
        selector.loop = self
        super().__init__(selector)
        self._clock_resolution = 1e-6  # more than a float of a hundred years can be off

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self.elapsed

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., _T], *args: Any
    ) -> asyncio.Future[_T]:
        """As asyncio's; while a worker is at work, time stands still."""
        self.at_work += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: asyncio.Future[Any]) -> None:
        self.at_work -= 1


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=SimLoop) as runner:
        return runner.run(main)
