"""The pace of a replay that goes on by itself: bars per second, here or in its own thread."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

from intrabar.errors import UsageError
from intrabar.model.values import Bounds, as_float, number

MOST_BEHIND = 0.1  # seconds that are caught up with after a delay


class Pace:
    """Calls for one bar after the other.

    Parameters
    ----------
    clock : callable
        Seconds.
    wait : callable or None
        Waits so many seconds; None for a wait that is cut short when something changes.
    """

    def __init__(self, clock: Callable[[], float], wait: Callable[[float], Any] | None) -> None:
        self.own_thread = False
        self.is_going = False
        self._clock = clock
        self._changed = threading.Event()
        self._wait = self._changed.wait if wait is None else wait
        self._speed = math.inf
        self._worker = 0  # the thread that is at work, 0 for none
        self._is_idle = threading.Event()
        self._is_idle.set()
        self._raised: BaseException | None = None

    @property
    def speed(self) -> float:
        """Bars per second at most."""
        return self._speed

    @speed.setter
    def speed(self, bars_per_second: float) -> None:
        found = as_float(bars_per_second)
        is_endless = found == math.inf  # as fast as it goes
        self._speed = found if is_endless else number("speed", found, Bounds(above=True))
        self._changed.set()

    @property
    def is_here(self) -> bool:
        """Whether it is this thread that is at work."""
        return self._worker == threading.get_ident()

    def begin(self, work: Callable[[], bool], own_thread: bool) -> None:
        """Call `work` for every bar until it says that there is no more, or until `stop`."""
        if self.is_going or self.is_here:
            raise UsageError("the replay goes on by itself already: pause it first")
        self.join()
        self.own_thread = own_thread
        self.is_going = True
        self._is_idle.clear()
        if own_thread:
            threading.Thread(target=self._go_alone, args=(work,), daemon=True).start()
            return
        try:
            self._go(work)
        finally:
            self._is_idle.set()

    def stop(self) -> None:
        """Stop after the present bar; returns when it is done, unless it is called from within."""
        self.is_going = False
        self._changed.set()
        if not self.is_here:
            self.join()

    def join(self) -> None:
        """Wait until nothing goes on by itself; raise what the own thread has raised, once."""
        self._is_idle.wait()
        raised, self._raised = self._raised, None
        if raised is not None:
            raise raised

    def _go_alone(self, work: Callable[[], bool]) -> None:
        try:
            self._go(work)
        except BaseException as e:
            self._raised = e
        finally:
            self._is_idle.set()

    def _go(self, work: Callable[[], bool]) -> None:
        self._worker = threading.get_ident()
        due = self._clock()
        try:
            while True:
                self._changed.clear()
                if not self.is_going:
                    break
                ahead = due - self._clock()
                if ahead > 0.0:
                    self._wait(ahead)
                    due = min(due, self._clock() + 1.0 / self._speed)
                    continue
                if not work():
                    break
                due = max(due + 1.0 / self._speed, self._clock() - MOST_BEHIND)
        finally:
            self.is_going = False
            self._worker = 0
