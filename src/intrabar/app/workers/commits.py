"""The journal of a session that lives: what is given is on disk, or nothing is decided any more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from intrabar.app.workers.beside import beside
from intrabar.app.workers.hook_watch import Notify
from intrabar.app.workers.intake import End
from intrabar.brokers.managed import Committed
from intrabar.engine.session.turn import Notice
from intrabar.errors import IntegrityError, StoreError
from intrabar.journal.emergency import Emergency
from intrabar.journal.journal import Journal
from intrabar.links.clock import Clock
from intrabar.model.entry import Entry

AGAIN = 2.0  # seconds between two questions whether the journal is back
PAUSE = 0.2  # of real seconds, where the clock is the bars' own


@dataclass(eq=False)
class Commits:
    """Who writes.

    Parameters
    ----------
    journal : Journal
    clock : Clock
    emergency : Emergency
    notify : callable
    is_recorded : bool
    end : callable
        Why the session is to end, if it is.
    guard : callable, optional
        What goes on while the journal is away.
    """

    journal: Journal
    clock: Clock
    emergency: Emergency
    notify: Notify
    is_recorded: bool
    end: Callable[[], End | None]
    guard: Callable[[], Coroutine[Any, Any, None]] | None = None
    is_away: bool = field(default=False, init=False)
    last: Committed = field(default=Committed(0, 0.0), init=False)

    def __post_init__(self) -> None:
        self._writer = ThreadPoolExecutor(1, "journal")

    async def write(self, entries: list[Entry]) -> str:
        """Append them; why the journal was away meanwhile, "" where it was not.

        Raises
        ------
        IntegrityError
            Another process has the session, or its chain is not ours.
        StoreError
            A person stopped it while the journal was away.
        """
        loop = asyncio.get_running_loop()
        wall, tick = self.clock.now(), self.clock.tick()
        try:
            await loop.run_in_executor(self._writer, self.journal.append, entries)
        except IntegrityError:
            raise
        except StoreError as error:
            await self._wait(str(error))
            return str(error)
        finally:
            self.last = Committed(wall, tick)
        return ""

    async def renew(self) -> None:
        """Keep the lease; raises as `Journal.renew`."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writer, self.journal.renew, self.clock.now())

    def close(self) -> None:
        """End when what waits is written."""
        self._writer.shutdown(wait=True)

    async def _wait(self, why: str) -> None:
        """Decide nothing until the journal is back; what comes waits in the queue."""
        self.is_away = True
        written = self.emergency.halt(self.clock.now(), why)
        without = "" if written else "; the emergency file cannot be written either"
        text = f"the journal is away, nothing is decided: {why}{without}"
        self.notify(Notice("page", "journal", text))
        guarding = None
        if self.guard is not None:
            work = beside("nobody guards what is held", self.guard(), self.notify)
            guarding = asyncio.ensure_future(work)
        try:
            await self._until_back(text)
        finally:
            if guarding is not None:
                guarding.cancel()
                await asyncio.gather(guarding, return_exceptions=True)

    async def _until_back(self, text: str) -> None:
        loop = asyncio.get_running_loop()
        while self.is_away:
            if (end := self.end()) is not None:
                if end.error is not None:
                    raise end.error
                raise StoreError(f"it was stopped while {text}; what was open comes again")
            if self.is_recorded:  # its clock jumps, a database does not
                await asyncio.to_thread(time.sleep, PAUSE)
            else:
                await self.clock.sleep(AGAIN)
            try:
                await loop.run_in_executor(self._writer, self.journal.reconcile_last)
                self.is_away = False
            except IntegrityError:
                raise
            except StoreError:
                continue
