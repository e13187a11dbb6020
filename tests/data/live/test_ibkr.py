"""TWS as a source: the suite over the wire in virtual time; gaps, a mute stream, refusals."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from intrabar.brokers.fakes.account import FakeAccount
from intrabar.brokers.fakes.ibkr.server import FakeTws
from intrabar.data.live.conformance import Case, SourceConformance
from intrabar.data.live.ibkr import IbkrBars
from intrabar.data.live.ibkr_stream import IbkrSource
from intrabar.links.clock import LoopClock
from intrabar.links.ibkr.settings import Settings
from intrabar.links.simulated_time import SimLoop
from intrabar.model.facts import BarClosed, Fact
from tests.data.live.samples import MINUTE, ns

NOW = ns("2026-03-02T15:30:20")  # an hour after NYSE opened
START = ns("2026-03-02T14:30")
CLOSE = ns("2026-03-02T21:00")


class _Patient(SimLoop):
    """Virtual time that gives sockets of this machine a moment before it moves on."""

    _selector: Any

    def __init__(self) -> None:
        super().__init__()
        jump, look = self._selector.select, selectors.DefaultSelector.select

        def select(timeout: float | None = None) -> Any:
            found = look(self._selector, 0 if timeout == 0 else 0.002)
            return found or jump(timeout)

        self._selector.select = select


def run(main: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=_Patient) as runner:
        return runner.run(main)


def asked(
    test: Callable[[IbkrSource, FakeTws, LoopClock], Awaitable[Any]],
    now: int = NOW,
    calendars: dict[str, str] | None = None,
) -> Any:
    """What a test makes of a source whose TWS lives as long."""

    async def main() -> Any:
        clock = LoopClock(now)
        tws = FakeTws(FakeAccount("DU1234567", now=clock.now), clock=clock)
        await tws.start()
        source = IbkrSource(IbkrBars(Settings(port=tws.port), clock), calendars)
        try:
            return await test(source, tws, clock)
        finally:
            await source.close()
            await tws.stop()

    return run(main())


async def told(
    source: IbkrSource, clock: LoopClock, until: int, period: int = MINUTE, symbol: str = "AAPL"
) -> list[Fact]:
    """The facts of one symbol until an instant."""
    found: list[Fact] = []
    events = source.events((symbol,), period)
    async for fact in events:
        found.append(fact)
        if clock.now() >= until:
            break
    await events.aclose()  # type: ignore[attr-defined]
    return found


def closed(facts: list[Fact]) -> list[BarClosed]:
    return [fact for fact in facts if isinstance(fact, BarClosed)]


class TestIbkr(SourceConformance):
    run = staticmethod(run)

    def _with(self, test: Callable[[Case], Coroutine[Any, Any, None]]) -> None:
        async def on(source: IbkrSource, tws: FakeTws, clock: LoopClock) -> None:
            await test(Case(source, clock, ("AAPL", "MSFT"), MINUTE, START, unknown="IBM"))

        asked(on)
