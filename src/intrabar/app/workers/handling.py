"""Where a session handles its events: a thread of its own, which is watched."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from intrabar.app.workers.hook_watch import HookWatch, Log, Notify, tell_slow
from intrabar.app.workers.one_thread import OneThread
from intrabar.engine.session.calling import Calling, calling
from intrabar.engine.session.session import Session
from intrabar.engine.session.turn import Turn
from intrabar.model.entry import Entry


class Handling:
    """Runs `Session.handle` beside the loop that makes it; one event at a time.

    Parameters
    ----------
    session : Session
    limit : float
        Seconds that a hook may take.
    notify, log : callable
        Told of hooks that take long.
    """

    def __init__(self, session: Session, limit: float, notify: Notify, log: Log) -> None:
        self._session, self._limit, self._notify, self._log = session, limit, notify, log
        self._loop = asyncio.get_running_loop()
        self._thread = OneThread("hooks")
        self._watch = HookWatch(lambda: calling(session), limit, self._seen)
        self._at_work: asyncio.Future[Turn] | None = None
        self._hung: Calling | None = None

    async def turn(self, event: Entry) -> Turn | Calling:
        """What comes of an event; the hook that did not return in time, if one did not."""
        work = self._loop.run_in_executor(self._thread, self._session.handle, event)
        self._at_work = work
        try:
            return await work
        except asyncio.CancelledError:
            if self._hung is None:
                raise
            return self._hung
        finally:
            self._at_work = None

    def close(self) -> None:
        """Watch no more; a hook that hangs is left behind."""
        self._watch.close()
        self._thread.shutdown()

    def _seen(self, hook: Calling, seconds: float) -> None:
        """What the watch calls, in its own thread."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._slow, hook, seconds)

    def _slow(self, hook: Calling, seconds: float) -> None:
        """Tell of a hook that takes long; one that has passed its limit is waited for no more."""
        if seconds < self._limit:
            tell_slow(hook, seconds, self._notify, self._log)
        elif self._at_work is not None:
            self._hung = hook
            self._at_work.cancel()
