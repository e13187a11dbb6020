"""A thread that watches how long a strategy's hook takes, by real time.

Nothing can stop a hook that does not return: it is warned of, a person is told, and at last the
process ends; at the next start the strategy is called no more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from intrabar.engine.session.calling import Calling
from intrabar.engine.session.turn import Notice

WARNED = 1.0
"""Seconds after which a hook stands in the log."""

PAGED = 10.0
"""Seconds after which a person is told."""

LIMIT = 60.0
"""`live.hook_limit`: seconds after which the process ends."""

_LOOKS = 4  # in the shortest of these times
_OFTEN = 0.25  # seconds between two looks at most

Notify = Callable[[Notice], None]
Log = Callable[..., None]  # an event, and its fields
Slow = Callable[[Calling, float], None]
"""Called with the hook, and the seconds (of the three) that it has passed."""


def tell_slow(hook: Calling, seconds: float, notify: Notify, log: Log) -> None:
    """Warn of a hook that takes long; at last tell a person."""
    if seconds >= PAGED:
        text = f"{hook.strategy}: its hook has not returned for {seconds:g} s"
        notify(Notice("page", f"hook {hook.strategy}", text))
    else:
        log("hook.slow", strategy=hook.strategy, seconds=seconds, place=[hook.bar, hook.step])


def told_at_last(hook: Calling, limit: float) -> str:
    """What is said of one that is left behind."""
    return (
        f"{hook.strategy}: its hook at bar {hook.bar} has not returned for {limit:g} s "
        "(live.hook_limit); the session has ended, and at its next start the strategy is called "
        "no more"
    )


class HookWatch:
    """Looks at the hooks of a session until it is closed.

    Parameters
    ----------
    calling : callable
        The hook that is being called now; None: none.
    limit : float
        Seconds that a hook may take.
    slow : callable
        Called in the thread of the watch, once for each time that is passed.
    """

    def __init__(self, calling: Callable[[], Calling | None], limit: float, slow: Slow) -> None:
        self._calling, self._slow = calling, slow
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
            now, found = time.monotonic(), self._calling()
            if found is None or found.call is not call:
                call, since, passed = None if found is None else found.call, now, 0
                continue
            while passed < len(self._times) and now - since >= self._times[passed]:
                self._slow(found, self._times[passed])
                passed += 1
