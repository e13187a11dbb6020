"""Compiling is said: one line on stderr, on a terminal a line that says how far it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import event

FUNCTIONS = 200  # that the first run of one kind compiles, about
SENTENCE = "compiling the market, once for this machine (about half a minute)"

Watch = Callable[[int, int], None]
"""Called with how many functions are compiled, and of about how many."""


class Compiling(event.Listener):
    """Hears of every function of this package that is compiled and was in no cache.

    Parameters
    ----------
    sentence : str
        Said before the first of them.
    """

    def __init__(self, sentence: str = SENTENCE) -> None:
        self.sentence = sentence
        self.watch: Watch | None = None
        self._count = self._depth = 0
        self._since = 0.0

    def on_start(self, event: Any) -> None:
        """Count a function that begins to be compiled."""
        if not _is_ours(event):
            return
        if self._count == 0:
            self._since = time.monotonic()
            print(f"{self.sentence} ...", file=sys.stderr, flush=True)
        self._count += 1
        self._depth += 1
        if self.watch is not None:
            self.watch(self._count, max(FUNCTIONS, self._count))
        elif sys.stderr.isatty():
            done = min(99, 100 * self._count // FUNCTIONS)
            passed = time.monotonic() - self._since
            print(f"\rcompiled: {done} %, {passed:.0f} s ", end="", file=sys.stderr, flush=True)

    def on_end(self, event: Any) -> None:
        """Take the line away when nothing is being compiled."""
        if not _is_ours(event):
            return
        self._depth -= 1
        if self._depth == 0 and self.watch is None and sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _is_ours(event: Any) -> bool:
    module: str = event.data["dispatcher"].py_func.__module__
    return module.startswith("intrabar.")


COMPILING = Compiling()
event.register("numba:compile", COMPILING)  # type: ignore[no-untyped-call]


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Let something else than a line of its own show how far compiling is."""
    COMPILING.watch = watch
    try:
        yield
    finally:
        COMPILING.watch = None
