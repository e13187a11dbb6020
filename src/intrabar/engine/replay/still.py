"""Reading a replay between two moves of it, never during one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, get_ident


class Still:
    """One move, or one read, at a time; who waits comes before who has just been.

    A thread that moves may read meanwhile.
    """

    def __init__(self) -> None:
        self._turn, self._busy = Lock(), Lock()
        self._owner = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others from moving and reading."""
        if self._owner == get_ident():
            yield
            return
        with self._turn:
            self._busy.acquire()
        self._owner = get_ident()
        try:
            yield
        finally:
            self._owner = 0
            self._busy.release()
