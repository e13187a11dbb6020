"""K-lines of Moomoo, pushed by the fake: a minute of the exchange takes a tenth of a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from intrabar.brokers.fakes.account import FakeAccount
from intrabar.brokers.fakes.faults import Faults
from intrabar.brokers.fakes.moomoo import FakeOpenD
from intrabar.data.live.conformance import Case, SourceConformance
from intrabar.data.live.moomoo import MoomooSource, make
from intrabar.errors import ConfigError, LinkError
from intrabar.model.bars import DAY_NS
from intrabar.model.facts import BarClosed, BarOpened, LinkFact
from tests.data.live.samples import MINUTE, ns, rows

NOW = ns("2026-03-02T15:30:20")
START = ns("2026-03-02T14:30")
SYMBOLS = ("IBM", "MSFT")
MINUTES = rows("2026-03-02", MINUTE, 390)


class Fast:
    """A clock whose time goes on where it is pushed, and whose waits are 600 times as short."""

    RATE = 600.0

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> int:
        return self.time

    def tick(self) -> float:
        return time.monotonic() * self.RATE

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.RATE)


def gateway(clock: Fast, faults: Faults | None = None) -> FakeOpenD:
    """OpenD with minutes, the last of which grows."""

    def bars(code: str, seconds: int) -> list[tuple[float, ...]] | None:
        if code not in SYMBOLS:
            return None
        now, found = clock.now(), []
        for r in MINUTES if seconds == 60 else ():
            if r.stamp >= now:
                break
            whole = (r.open, r.high, r.low, r.close, r.volume)
            first = (r.open, r.open, r.open, r.open, 1.0)
            found.append((r.stamp + MINUTE, *(whole if r.stamp + MINUTE <= now else first)))
        if seconds == 86_400:
            return [(ns(f"2026-02-{d}T21:00"), 1.0, 2.0, 0.5, 1.5, 9.0) for d in (24, 25, 26, 27)]
        return found

    return FakeOpenD(FakeAccount("1", {}, now=clock.now), faults=faults, bars=bars)


async def pushing(opend: FakeOpenD, clock: Fast) -> None:
    """Time goes on, and the K-lines are pushed, while somebody listens."""
    while True:
        await asyncio.sleep(0.02)
        if opend.quotes.subscribed:
            clock.time += 12 * 10**9
            opend.push_bars()


def at(test: Callable[[MoomooSource, FakeOpenD, Fast], Coroutine[Any, Any, None]]) -> None:
    """A test at a gateway that listens and pushes."""

    async def main() -> None:
        clock = Fast()
        opend = gateway(clock)
        await opend.start()
        task = asyncio.ensure_future(pushing(opend, clock))
        source = MoomooSource(clock, port=opend.port, seconds=1.0, login=2.0)
        try:
            await test(source, opend, clock)
        finally:
            await source.close()
            task.cancel()
            await opend.stop()

    asyncio.run(main())


class TestMoomoo(SourceConformance):
    make: Callable[[], Case]
    run: Callable[[Coroutine[Any, Any, None]], None]

    @pytest.fixture(autouse=True)
    def _served(self) -> None:
        clock = Fast()
        opend = gateway(clock)

        def case() -> Case:
            source = MoomooSource(clock, port=opend.port, seconds=1.0, login=2.0)
            return Case(source, clock, SYMBOLS, MINUTE, START, unknown="AAPL")

        async def served(test: Coroutine[Any, Any, None]) -> None:
            await opend.start()
            task = asyncio.ensure_future(pushing(opend, clock))
            try:
                await test
            finally:
                task.cancel()
                await opend.stop()

        self.make = case
        self.run = lambda test: asyncio.run(served(test))


def test_history_comes_in_pages_raw_and_by_the_end_of_its_bars() -> None:
    async def test(source: MoomooSource, opend: FakeOpenD, clock: Fast) -> None:
        opend.quotes.page = 7
        bars = await source.history("IBM", MINUTE, START, NOW)
        assert bars.close_time[0] == START + MINUTE
        assert len(bars) == 60
        assert (bars.open[0], bars.close[0]) == (MINUTES[0].open, MINUTES[0].close)
        days = await source.history("IBM", DAY_NS, ns("2026-02-25"), NOW)
        assert days.close_time.tolist() == [ns(f"2026-02-{d}T21:00") for d in (25, 26, 27)]

    at(test)


def test_a_quote_is_of_new_york_s_time() -> None:
    async def test(source: MoomooSource, opend: FakeOpenD, clock: Fast) -> None:
        quote = await source.quote("IBM")
        assert (quote.price, quote.bid, quote.ask) == (100.0, 99.99, 100.01)
        assert NOW <= quote.time <= clock.now()

    at(test)


def test_bars_of_a_gap_come_later_in_their_order() -> None:
    async def test(source: MoomooSource, opend: FakeOpenD, clock: Fast) -> None:
        told: list[BarClosed] = []
        gaps = 0
        async for fact in source.events(("IBM",), MINUTE):
            if isinstance(fact, LinkFact) and fact.state == "down":
                gaps += 1
            if isinstance(fact, BarClosed):
                told.append(fact)
                if len(told) == 2 and not gaps:
                    opend.cut()
            if len(told) >= 8:
                break
        assert gaps >= 1
        times = [bar.time for bar in told]
        assert times == list(range(times[0], times[0] + 8 * MINUTE, MINUTE))
        truth = {r.stamp + MINUTE: r for r in MINUTES}
        for bar in told:
            row = truth[bar.time]
            assert (bar.open, bar.high, bar.low, bar.close) == (
                row.open,
                row.high,
                row.low,
                row.close,
            )

    at(test)


def test_an_open_is_the_first_print_of_its_bar() -> None:
    async def test(source: MoomooSource, opend: FakeOpenD, clock: Fast) -> None:
        async for fact in source.events(("IBM",), MINUTE):
            if isinstance(fact, BarOpened):
                row = {r.stamp + MINUTE: r for r in MINUTES}[fact.time]
                assert fact.open == row.open
                return

    at(test)


def test_a_gateway_that_is_away_is_said_to_be() -> None:
    async def main() -> None:
        source = MoomooSource(Fast(), port=1, seconds=0.5, login=0.5)
        with pytest.raises(LinkError, match=r"OpenD is not at 127\.0\.0\.1:1; start it"):
            await source.history("IBM", MINUTE, START, NOW)
        await source.close()

    asyncio.run(main())


def test_credentials_that_are_not_known_are_refused() -> None:
    with pytest.raises(ConfigError, match="'key' is not known; there are: port"):
        make({"key": "x"}, None)
    with pytest.raises(ConfigError, match="'x' is no port of OpenD; write 11111"):
        make({"port": "x"}, None)
