"""Copies of a session's journal: a while after each close of its exchanges, and at each stop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from intrabar.app.workers.hook_watch import Notify
from intrabar.app.workers.one_thread import OneThread
from intrabar.engine.session.exchange import Exchange
from intrabar.engine.session.turn import Notice
from intrabar.errors import IntrabarError
from intrabar.journal.backup import BACKUPS, NAME, backup
from intrabar.links.clock import SECOND_NS, Clock
from intrabar.store.engine import Store

AFTER = 900 * SECOND_NS
"""How long after a close."""

_LOOKS = 60.0  # seconds between two looks at the clock, which may be set
_WITHIN = 60.0  # seconds that a copy waits for one that is being made
_TIME = "%Y%m%dT%H%M%SZ"  # the name of a manifest begins with it


class Backups:
    """Those in a session's folder; without one the session goes on, and ends, all the same.

    Parameters
    ----------
    store : Store
        Of its journal.
    folder : Path
        The session's.
    notify : callable
        Tells a person that there is none, and why.
    """

    def __init__(self, store: Store, folder: Path, notify: Notify) -> None:
        self._store, self._folder, self._notify = store, folder, notify
        self._one = threading.Lock()

    def make(self, now: int) -> None:
        """Make one (ns UTC)."""
        if not self._one.acquire(timeout=_WITHIN):
            self._tell(f"one that was begun has not ended for {_WITHIN:g} s")
            return
        try:
            backup(self._store, self._folder / BACKUPS, now)
        except IntrabarError as error:
            self._tell(str(error))
        except Exception as error:
            self._tell(f"a bug: {type(error).__name__}: {error}")
        finally:
            self._one.release()

    def _tell(self, why: str) -> None:
        self._notify(Notice("alarm", "backup", f"the journal could not be backed up: {why}"))


async def after_closes(
    exchanges: Sequence[Exchange], clock: Clock, make: Callable[[int], None]
) -> None:
    """Make a copy a quarter of an hour after each scheduled close, in a thread of its own.

    Parameters
    ----------
    exchanges : sequence of Exchange
    clock : Clock
    make : callable
        Of the time, ns UTC; raises nothing. Closes that pass while it works are one.
    """
    thread, loop = OneThread("backups"), asyncio.get_running_loop()
    seen = clock.now() - AFTER
    while True:
        due = min(exchange.next_close(seen) for exchange in exchanges) + AFTER
        while (left := due - clock.now()) > 0:
            await clock.sleep(min(left / SECOND_NS, _LOOKS))
        await loop.run_in_executor(thread, make, clock.now())
        seen = max(due, clock.now()) - AFTER


def backup_age(folder: Path, now: int) -> float:
    """Seconds since the last copy in a session's folder was made; NaN where there is none."""
    made = (p.name for p in (folder / BACKUPS / BACKUPS).glob("*.json") if NAME.fullmatch(p.name))
    last = max(made, default=None)
    if last is None:
        return float("nan")
    then = datetime.strptime(last.partition("-")[0], _TIME).replace(tzinfo=UTC)
    return now / SECOND_NS - then.timestamp()
