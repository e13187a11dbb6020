"""Bars and quotes of Public.com, over the wire, in virtual time."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from intrabar.brokers.fakes.faults import Faults
from intrabar.data.live.conformance import Case, SourceConformance
from intrabar.data.live.polling import Polled
from intrabar.data.live.public import PublicBars
from intrabar.errors import BadAnswer, DataError, NotFoundError
from intrabar.links.clock import LoopClock
from intrabar.links.simulated_time import run
from intrabar.model.bars import DAY_NS
from intrabar.model.facts import BarClosed
from tests.brokers.public.places import ACCOUNT, FakeAccount, fake, login
from tests.data.live.samples import MINUTE, ns, rows

NOW = ns("2026-03-02T15:30:20")
START = ns("2026-03-02T14:30")
SYMBOLS = ("IBM", "MSFT")
TLS = tuple[ssl.SSLContext, ssl.SSLContext]
MINUTES = tuple(
    (r.stamp, r.open, r.high, r.low, r.close, r.volume) for r in rows("2026-03-02", MINUTE, 390)
)


def place(tls: TLS, clock: LoopClock, **given: Any) -> Any:
    table = {(symbol, 60): MINUTES for symbol in SYMBOLS}
    account = FakeAccount(ACCOUNT, {}, now=clock.now)
    return fake(tls[0], account=account, **{"bars": table, **given})


def asked(
    tls: TLS, test: Callable[[PublicBars, LoopClock], Coroutine[Any, Any, Any]], **given: Any
) -> Any:
    """What a test makes of the source, in the loop that also has the vendor."""

    async def main() -> Any:
        clock = LoopClock(NOW)
        vendor = place(tls, clock, **given)
        await vendor.server.start()
        source = PublicBars(login(vendor, tls[1], clock), clock)
        try:
            return await test(source, clock)
        finally:
            await source.close()
            await vendor.server.stop()

    return run(main())


class TestPublic(SourceConformance):
    make: Callable[[], Case]
    run: Callable[[Coroutine[Any, Any, None]], None]

    @pytest.fixture(autouse=True)
    def _served(self, tls: TLS) -> None:
        clock = LoopClock(NOW)
        vendor = place(tls, clock)

        def make() -> Case:
            source = Polled(PublicBars(login(vendor, tls[1], clock), clock), clock)
            return Case(source, clock, SYMBOLS, MINUTE, START, unknown="AAPL")

        async def served(test: Coroutine[Any, Any, None]) -> None:
            await vendor.server.start()
            try:
                await test
            finally:
                await vendor.server.stop()

        self.make = make
        self.run = lambda test: run(served(test))


def test_stamps_of_the_end_of_a_bar_are_seen_and_moved(tls: TLS) -> None:
    async def test(source: PublicBars, clock: LoopClock) -> None:
        clock.start = ns("2026-03-02T21:05")
        late = await source.bars("IBM", MINUTE, START, clock.now())
        assert late.label == "end"
        assert late.rows[0].stamp == START + MINUTE
        assert Polled(source, clock).grid("IBM", MINUTE).placed(late, "IBM").open_time[0] == START

    asked(tls, test, label=60)


def test_no_bar_is_taken_before_its_edge_is_seen(tls: TLS) -> None:
    async def test(source: PublicBars, clock: LoopClock) -> None:
        with pytest.raises(BadAnswer, match="none is stamped 09:30 or 16:00"):
            await source.bars("IBM", MINUTE, START, clock.now())

    asked(tls, test, label=60)


@pytest.mark.parametrize("apart", [30, 90, 300])
def test_bars_of_another_size_than_was_asked_for_are_refused(tls: TLS, apart: int) -> None:
    second = 10**9
    odd = tuple((START + i * apart * second, *MINUTES[0][1:]) for i in range(30))

    async def test(source: PublicBars, clock: LoopClock) -> None:
        with pytest.raises(BadAnswer, match="asked for bars of 1 min"):
            await source.bars("IBM", MINUTE, START, clock.now())

    asked(tls, test, bars={("IBM", 60): odd})


def test_days_are_those_of_new_york(tls: TLS) -> None:
    days = tuple((ns(f"2026-02-{d}T05:00"), 1.0, 2.0, 0.5, 1.5, 9.0) for d in (23, 24, 25, 26, 27))

    async def test(source: PublicBars, clock: LoopClock) -> None:
        told = await source.bars("IBM", DAY_NS, ns("2026-02-24"), clock.now())
        assert [row.stamp for row in told.rows] == [ns(f"2026-02-{d}") for d in (24, 25, 26, 27)]

    asked(tls, test, bars={("IBM", 86_400): days})


def test_a_quote_is_of_now_and_of_the_account(tls: TLS) -> None:
    async def test(source: PublicBars, clock: LoopClock) -> None:
        quote = await source.quote("IBM")
        assert (quote.price, quote.bid, quote.ask, quote.volume) == (100.0, 99.99, 100.01, 1000.0)
        with pytest.raises(NotFoundError, match="not found"):
            await source.quote("NONE")

    asked(tls, test)


def test_a_period_that_the_vendor_refuses_is_no_unknown_symbol(tls: TLS) -> None:
    async def test(source: PublicBars, clock: LoopClock) -> None:
        with pytest.raises((DataError, NotFoundError)):
            await source.bars("IBM", DAY_NS, START, clock.now())

    asked(tls, test)


@pytest.mark.parametrize("fault", ["lose_request", "lose_answer", "drop", "429", "500", "garbage"])
def test_a_fault_on_the_way_makes_no_bar_wrong(tls: TLS, fault: str) -> None:
    async def test(source: PublicBars, clock: LoopClock) -> list[BarClosed]:
        found: list[BarClosed] = []
        async for fact in Polled(source, clock).events(("IBM",), MINUTE):
            if isinstance(fact, BarClosed):
                found.append(fact)
            if clock.now() > NOW + 5 * MINUTE:
                return found
        raise AssertionError

    told = asked(tls, test, faults=Faults([(("bars", n), fault) for n in (1, 2)]))
    truth = {at + MINUTE: values for at, *values in MINUTES}
    for bar in told:
        assert [bar.open, bar.high, bar.low, bar.close, bar.volume] == truth[bar.time]
    assert [bar.time for bar in told] == sorted({bar.time for bar in told})
    assert len(told) >= 4
