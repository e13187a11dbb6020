"""Requests to TWS that wait for their answer: rows, and a frame that ends them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from intrabar.errors import BadAnswer, LinkError
from intrabar.links.ibkr import raw
from intrabar.links.lines import within

REMARKS = frozenset({165, 10167, *range(2100, 2200)})
"""Codes about a request that refuse nothing: its answer is still to come."""
OF_ALL = frozenset({100, 322, 504})
"""Codes that TWS may say without a number, of a request that has none."""
_COMMISSION = 59


class RefusedError(LinkError):
    """What TWS answers to a request instead of an answer.

    Parameters
    ----------
    code : int
        Of its table of errors.
    """

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        super().__init__(f"TWS answers {code}: {text}")

    def __reduce__(self) -> tuple[Any, ...]:
        return LinkError, (str(self),)


class Ask:
    """One request.

    Parameters
    ----------
    frames : tuple of int
        Kinds of frames that its answer is made of.
    """

    def __init__(self, frames: tuple[int, ...]) -> None:
        self.frames = frames
        self.rows: list[Any] = []
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.broken = ""  # why what has come of it is not whole


class Asks:
    """The requests of one connection, by their numbers or names."""

    def __init__(self) -> None:
        self._open: dict[int | str, Ask] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    def turn(self, name: str) -> asyncio.Lock:
        """Held while a request without a number waits: its rows say not whose they are."""
        return self._turns.setdefault(name, asyncio.Lock())

    async def asked(
        self,
        key: int | str,
        send: Callable[[], None],
        what: str,
        frames: tuple[int, ...],
        seconds: float,
    ) -> list[Any]:
        """Send a request and wait for all rows of its answer.

        Raises
        ------
        RefusedError
            TWS says no.
        BadAnswer
            A part of it cannot be read.
        Timeout, LinkError
        """
        ask = self._open[key] = Ask(frames)
        try:
            send()
            await within(seconds, ask.end, f"TWS: {what}")
        finally:
            del self._open[key]
            if ask.end.done() and not ask.end.cancelled():
                ask.end.exception()
        if ask.broken:
            raise BadAnswer(f"TWS: {what}: {ask.broken}; nothing of it is taken")
        return ask.rows

    def take(self, fact: raw.Fact) -> None:
        """Put a fact to the requests that it answers."""
        key: int | str | None = None
        match fact:
            case raw.Order() | raw.Status():
                key = "orders"
            case raw.Completed():
                key = "completed"
            case raw.Held():
                key = "positions"
            case raw.Execution() | raw.Value() | raw.Details() | raw.Bar() | raw.Tick():
                key = fact.request
            case raw.Commission():  # it says not which question it answers
                for ask in self._open.values():
                    if _COMMISSION in ask.frames:
                        ask.rows.append(fact)
            case raw.Notice():
                self._refuse(fact)
            case raw.Garbage():
                for ask in self._open.values():
                    if fact.kind in ask.frames or not fact.kind:
                        ask.broken = f"a frame of its answer ({fact.kind}) cannot be read"
        if key in self._open:
            self._open[key].rows.append(fact)

    def end(self, key: int | str) -> None:
        """An answer is whole."""
        ask = self._open.get(key)
        if ask is not None and not ask.end.done():
            ask.end.set_result(None)

    def fail(self, why: str) -> None:
        """Nobody will answer any more."""
        for ask in self._open.values():
            if not ask.end.done():
                ask.end.set_exception(LinkError(f"TWS: {why}"))

    def _refuse(self, notice: raw.Notice) -> None:
        if notice.code in REMARKS:
            return
        asks = [self._open[notice.id]] if notice.id in self._open else []
        if notice.id == -1 and notice.code in OF_ALL:
            asks = [ask for key, ask in self._open.items() if isinstance(key, str)]
        for ask in asks:
            if not ask.end.done():
                ask.end.set_exception(RefusedError(notice.code, notice.text))


class Watches:
    """Who waits for what is said of orders, by their numbers."""

    def __init__(self) -> None:
        self._news: dict[int, asyncio.Queue[raw.Fact]] = {}

    def __contains__(self, number: int) -> bool:
        return number in self._news

    @contextlib.contextmanager
    def over(self, *numbers: int) -> Iterator[asyncio.Queue[raw.Fact]]:
        """What is said of orders, as long as the block lasts; that the line is lost too."""
        news: asyncio.Queue[raw.Fact] = asyncio.Queue()
        self._news |= dict.fromkeys(numbers, news)
        try:
            yield news
        finally:
            for number in numbers:
                if self._news.get(number) is news:
                    del self._news[number]

    def tell(self, number: int, fact: raw.Fact) -> None:
        """Tell who waits for an order."""
        if number in self._news:
            self._news[number].put_nowait(fact)

    def tell_all(self, fact: raw.Fact) -> None:
        """Tell everybody who waits."""
        for news in self._news.values():
            news.put_nowait(fact)
