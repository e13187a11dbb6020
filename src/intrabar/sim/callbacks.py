"""Python functions as hooks: addresses that the loop can call."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple

from intrabar.sim.hook import FAILED, GO_ON

HOOK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


class Hooks(NamedTuple):
    """Addresses that the loop calls for one strategy, 0 for none, and what they are given.

    `reads` is the address of `reads_count` addresses of (t, n) float64 that `on_close` will read:
    a hint to the loop.
    """

    on_open: int = 0
    on_close: int = 0
    on_notice: int = 0
    context: int = 0
    reads: int = 0
    reads_count: int = 0


class Callbacks:
    """The Python functions that a machine calls, and what one of them has raised."""

    def __init__(self) -> None:
        self._alive: list[Any] = []
        self._raised: BaseException | None = None
        self.running: tuple[object, int] | None = None
        """The call that has not returned yet: another object for each."""

    def address(self, function: Callable[[int], None] | None) -> int:
        """Where the loop can call a function with a bar (or a notice's index); 0 for none."""
        if function is None:
            return 0

        def hook(_: int, i: int) -> int:
            self.running = function, i
            try:
                function(i)
            except BaseException as e:
                self._raised = e
                return FAILED
            finally:
                self.running = None
            return GO_ON

        callback = HOOK(hook)
        self._alive.append(callback)
        # Not by `ctypes.cast`, which leaves a cycle of references behind.
        return ctypes.c_void_p.from_buffer(callback).value or 0

    def take(self) -> BaseException | None:
        """What was raised, once: it holds the frames of the run."""
        raised, self._raised = self._raised, None
        return raised

    def clear(self) -> None:
        """Let go of the functions; their addresses must not be called any more."""
        self._alive.clear()
