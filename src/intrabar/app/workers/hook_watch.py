"""A thread that watches how long a strategy's hook takes, by real time.

Nothing can stop a hook that does not return: it is warned of, a person is told, and at last the
process ends; at the next start the strategy is called no more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from intrabar.engine.session.calling import Calling, calling
from intrabar.engine.session.session import Session

WARNED = 1.0
"""Seconds after which a hook stands in the log."""

PAGED = 10.0
"""Seconds after which a person is told."""

LIMIT = 60.0
"""`live.hook_limit`: seconds after which the process ends."""

_LOOKS = 4  # in the shortest of these times
_OFTEN = 0.25  # seconds between two looks at most

Slow = Callable[[Calling, float], None]
"""Called with the hook, and the seconds (of the three) that it has passed."""


class HookWatch:
    """Looks at a session until it is closed.

    Parameters
    ----------
    session : Session
    limit : float
        Seconds that a hook may take.
    slow : callable
        Called in the thread of the watch, once for each time that is passed.
    """

    def __init__(self, session: Session, limit: float, slow: Slow) -> None:
        self._session, self._slow = session, slow
        self._times = sorted({*(x for x in (WARNED, PAGED) if x < limit), limit})
        self._end = threading.Event()
        threading.Thread(target=self._look, name="hook watch", daemon=True).start()

    def close(self) -> None:
        """Look no more."""
        self._end.set()

    def _look(self) -> None:
        call: object | None = None
        since, passed = 0.0, 0
        while not self._end.wait(min(self._times[0] / _LOOKS, _OFTEN)):
            now, found = time.monotonic(), calling(self._session)
            if found is None or found.call is not call:
                call, since, passed = None if found is None else found.call, now, 0
                continue
            while passed < len(self._times) and now - since >= self._times[passed]:
                self._slow(found, self._times[passed])
                passed += 1
