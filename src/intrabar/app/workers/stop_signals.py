"""SIGINT and SIGTERM: the first ends a session in order, a second one soon after it at once."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

SOON = 5.0
"""Seconds within which a second signal does not wait any more."""

TERMINATED = 143
"""The exit code of a second SIGTERM."""


class StopSignals:
    """Hears the signals in the running loop, for the task that makes it, until it is closed.

    Only the main thread of a process hears signals: elsewhere nothing happens.

    Parameters
    ----------
    stop : callable
        Given why; ends the session in order.
    """

    def __init__(self, stop: Callable[[str], None]) -> None:
        self._stop, self._first = stop, -SOON
        self._task, self._loop = asyncio.current_task(), asyncio.get_running_loop()
        self._at_once: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}
        for number in (signal.SIGINT, signal.SIGTERM):
            before = signal.getsignal(number)
            with suppress(NotImplementedError, RuntimeError, ValueError):  # not in this thread
                self._loop.add_signal_handler(number, self._heard, number)
                self._before[number] = before

    def require_order(self) -> None:
        """Raise what a process ends with that is not to wait; what is committed is kept.

        Raises
        ------
        KeyboardInterrupt
            A second SIGINT was heard.
        SystemExit
            A second SIGTERM, with its exit code.
        """
        if self._at_once is signal.SIGINT:
            raise KeyboardInterrupt
        if self._at_once is not None:
            raise SystemExit(TERMINATED)

    def close(self) -> None:
        """Hear no more; who heard them before hears them again."""
        for number, before in self._before.items():
            self._loop.remove_signal_handler(number)
            signal.signal(number, before)

    def _heard(self, number: signal.Signals) -> None:
        now = time.monotonic()
        if now - self._first < SOON and self._task is not None:
            self._at_once = number
            self._task.cancel()
            return
        self._first = now
        self._stop(f"stopped by {number.name}")


@contextmanager
def terminates() -> Iterator[None]:
    """Let SIGTERM end what is inside as an exception does, so that what is held is let go.

    For the start of a session and for what comes after its end, which no loop hears: while one
    runs, `StopSignals` hears it. Only the main thread of a process hears signals.

    Raises
    ------
    SystemExit
        It came, with its exit code.
    """

    def heard(number: int, frame: Any) -> None:
        raise SystemExit(TERMINATED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
