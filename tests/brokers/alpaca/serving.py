"""An adapter of Alpaca and the fake that it speaks to, as long as a test lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from intrabar.brokers.alpaca.adapter import Alpaca
from intrabar.brokers.alpaca.listening import Fact
from intrabar.brokers.fakes.alpaca import FakeAlpaca
from intrabar.brokers.fakes.alpaca_words import KEY, NUMBER, SECRET
from intrabar.brokers.fakes.faults import Faults
from intrabar.links.alpaca.streams import Limits
from intrabar.links.broker import Wanted
from intrabar.links.clock import WallClock
from intrabar.model.broker_facts import Request
from intrabar.model.facts import LinkFact
from intrabar.model.secret import Secret

LIMITS = Limits(5.0, 0.3, 5.0)
ENTRY = Request("abcdef-1-0", "AAPL", 1, "limit", 10.0, 100.0)
STOP = Request(
    "abcdef-1-0s", "AAPL", -1, "stop", 10.0, stop_price=90.0, reduce_only=True,
    parent=ENTRY.client_id, position=10.0,
)  # fmt: skip
TARGET = Request(
    "abcdef-1-0t", "AAPL", -1, "limit", 10.0, 110.0, reduce_only=True, parent=ENTRY.client_id,
    position=10.0,
)  # fmt: skip
OUT = Request(
    "abcdef-2-0", "AAPL", -1, "stop", 10.0, stop_price=90.0, reduce_only=True, position=10.0
)
GAIN = Request(
    "abcdef-3-0", "AAPL", -1, "limit", 10.0, 110.0, reduce_only=True, position=10.0,
    oco=OUT.client_id,
)  # fmt: skip


class Heard:
    """What the stream of an adapter has told, and a way to wait for more."""

    def __init__(self, broker: Alpaca) -> None:
        self.facts: list[Fact] = []
        self._more = asyncio.Event()
        self._task = asyncio.ensure_future(self._listen(broker))

    async def _listen(self, broker: Alpaca) -> None:
        async for fact in broker.events():
            self.facts.append(fact)
            self._more.set()

    async def until(self, is_there: Callable[[list[Any]], bool]) -> list[Any]:
        """The facts, once they are as a test wants them."""
        async with asyncio.timeout(10.0):
            while not is_there(self.facts):
                self._more.clear()
                await self._more.wait()
        return list(self.facts)

    async def up(self, times: int = 1) -> None:
        """Wait until it has been up so often."""
        await self.until(lambda facts: sum(x == LinkFact("up") for x in facts) >= times)

    async def end(self) -> None:
        """Wait until the stream has ended."""
        async with asyncio.timeout(10.0):
            await self._task


def adapter(
    fake: FakeAlpaca, *symbols: str, key: str = KEY, account: str = NUMBER, seconds: float = 2.0
) -> Alpaca:
    return Alpaca(
        {"api_key": Secret(key), "secret_key": Secret(SECRET)},
        Wanted(account, "paper", symbols or ("AAPL", "MSFT")),
        WallClock(),
        hosts=fake.hosts,
        limits=LIMITS,
        seconds=seconds,
    )


@asynccontextmanager
async def served(faults: Faults | None = None) -> AsyncIterator[FakeAlpaca]:
    fake = FakeAlpaca(faults)
    await fake.server.start()
    try:
        yield fake
    finally:
        await fake.server.stop()


@asynccontextmanager
async def connected(
    faults: Faults | None = None, **how: Any
) -> AsyncIterator[tuple[Alpaca, FakeAlpaca, Heard]]:
    """A connected adapter whose stream is up."""
    async with served(faults) as fake:
        broker = adapter(fake, **how)
        heard = None
        try:
            await broker.connect()
            heard = Heard(broker)
            await heard.up()
            yield broker, fake, heard
        finally:
            await broker.close()
            await broker.close()
            if heard is not None:
                await heard.end()
