"""What comes to a session: bars of its source, words of its broker, requests, its end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from intrabar.errors import IntrabarError, LinkError, StateError
from intrabar.model.entry import Entry
from intrabar.model.facts import Fact

WAITING = 10_000  # facts that wait while the journal is away; the source waits with more
NO_MORE_BARS = "the bars have ended"


@dataclass(frozen=True)
class Asked:
    """A command of a person, and where its answer goes."""

    body: dict[str, Any]
    answer: asyncio.Future[list[Entry]]


@dataclass(frozen=True)
class Told:
    """What the broker, or its line, has told: kind and body of an event."""

    kind: str
    body: dict[str, Any]


@dataclass(frozen=True)
class End:
    """The session is to end.

    Parameters
    ----------
    why : str
    cancels_entries : bool
        A person has stopped it: no entry works on.
    error : IntrabarError, optional
        What the source, or the lease, has come to.
    """

    why: str
    cancels_entries: bool = False
    error: IntrabarError | None = None


class Intake:
    """Persons come before the end, that before the broker, and all of them before bars that wait.

    What a broker tells is never dropped and never waited with; a source waits while much does.

    Attributes
    ----------
    wanted : End or None
        It is to end before its next row.
    """

    def __init__(self) -> None:
        self.wanted: End | None = None
        self._facts: asyncio.Queue[Fact | End] = asyncio.Queue(WAITING)
        self._persons: deque[Asked] = deque()
        self._broker: deque[Told] = deque()
        self._news = asyncio.Event()
        self._is_closed = False

    def __len__(self) -> int:
        return self._facts.qsize() + len(self._persons) + len(self._broker)

    async def listen(self, facts: AsyncIterator[Fact]) -> None:
        """Take in the facts of a source; one that raises has ended, whatever it raises."""
        try:
            async for fact in facts:
                await self._put(fact)
            end = End(NO_MORE_BARS)
        except IntrabarError as error:
            end = End(f"the source has ended: {error}", error=error)
        except Exception as error:
            text = f"the source has a fault: {type(error).__name__}: {error}"
            end = End(text, error=LinkError(text))
        await self._put(end)

    async def ask(self, body: dict[str, Any]) -> list[Entry]:
        """Let the session do what a person asks for; the records of it.

        Raises
        ------
        StateError
            It has ended, and has not done it.
        """
        asked = Asked(body, asyncio.get_running_loop().create_future())
        if self._is_closed:
            _refuse(asked)
        self._persons.append(asked)
        self._news.set()
        return await asked.answer

    def tell(self, told: Told) -> None:
        """Take in what the broker has told."""
        self._broker.append(told)
        self._news.set()

    def untold(self) -> list[Told]:
        """What the broker has told, and nobody has taken yet."""
        told = list(self._broker)
        self._broker.clear()
        return told

    def end(self, end: End) -> None:
        """End before the next row."""
        self.wanted = self.wanted or end
        self._news.set()

    async def next(self, seconds: float | None) -> Fact | Asked | Told | End | None:
        """What comes next; None: nothing has come for so many seconds."""
        while True:
            if (first := self.urgent()) is not None:
                return first
            if not self._facts.empty():
                return self._facts.get_nowait()
            self._news.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                return None

    def urgent(self) -> Asked | Told | End | None:
        """What does not wait for bars."""
        if self._persons:
            return self._persons.popleft()
        if self.wanted is not None or not self._broker:
            return self.wanted
        return self._broker.popleft()

    def close(self) -> None:
        """Nothing is taken in any more; who waits for an answer is told so."""
        self._is_closed = True
        while self._persons:
            _refuse(self._persons.popleft())

    async def _put(self, what: Fact | End) -> None:
        await self._facts.put(what)
        self._news.set()


def _refuse(asked: Asked) -> None:
    error = StateError("the session has ended, and has not done it; intrabar paper goes on with it")
    if not asked.answer.done():
        asked.answer.set_exception(error)
