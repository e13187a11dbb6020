"""Yahoo and Alpha Vantage as sources: the suite, over the wire, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from intrabar.data.live.conformance import Case, SourceConformance
from intrabar.data.live.polling import Polled
from intrabar.links.alpha_vantage import AlphaVantage
from intrabar.links.clock import Clock, LoopClock
from intrabar.links.simulated_time import run
from intrabar.links.yahoo import Yahoo
from intrabar.model.facts import BarClosed
from intrabar.model.secret import Secret
from tests.data.live.samples import MINUTE, rows
from tests.links.fakes.alpha_vantage import FakeAlphaVantage
from tests.links.fakes.asking import NOW, START
from tests.links.fakes.server import served
from tests.links.fakes.yahoo import FakeYahoo, session

SYMBOLS = ("IBM", "MSFT")
MINUTES = rows("2026-03-02", MINUTE, 390)


def alpha_vantage(url: str, clock: Clock) -> AlphaVantage:
    return AlphaVantage(
        Secret(FakeAlphaVantage.key),
        clock,
        calls_a_day=None,
        calls_a_minute=600,
        url=f"{url}/query",
    )


class TestYahoo(SourceConformance):
    make: Callable[[], Case]

    @pytest.fixture(autouse=True)
    def _served(self) -> Iterator[None]:
        clock = LoopClock(NOW)
        vendor = FakeYahoo(clock.now, {s: {"1m": MINUTES} for s in SYMBOLS})
        with served(vendor.answer) as server:
            source = Polled(Yahoo(clock, session(server.url)), clock)
            case = Case(source, clock, SYMBOLS, MINUTE, START, unknown="AAPL")
            self.make = lambda: case
            yield


class TestAlphaVantage(SourceConformance):
    make: Callable[[], Case]

    @pytest.fixture(autouse=True)
    def _served(self) -> Iterator[None]:
        clock = LoopClock(NOW)
        vendor = FakeAlphaVantage(clock.now, {s: {"1min": MINUTES} for s in SYMBOLS}, free=False)
        with served(vendor.answer) as server:
            wire = alpha_vantage(server.url, clock)
            case = Case(Polled(wire, clock), clock, SYMBOLS, MINUTE, START, unknown="AAPL")
            self.make = lambda: case
            yield


FAULTS = ("html", "empty", "nothing", "list", "cut", "429", "500", "503", "drop")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at", [0, 1, 2, 5])
@pytest.mark.parametrize("vendor", ["yfinance", "alpha_vantage"])
def test_a_fault_on_the_way_makes_no_bar_wrong(vendor: str, at: int, fault: str) -> None:
    clock = LoopClock(NOW)
    table = {"IBM": {"1m": MINUTES, "1min": MINUTES}}
    yahoo = FakeYahoo(clock.now, table)
    alpha = FakeAlphaVantage(clock.now, table, free=False)
    with served(yahoo.answer if vendor == "yfinance" else alpha.answer) as server:
        server.faults = [""] * at + [fault] * 2 + [""]

        async def main() -> list[BarClosed]:
            wire = (
                Yahoo(clock, session(server.url))
                if vendor == "yfinance"
                else alpha_vantage(server.url, clock)
            )
            source = Polled(wire, clock)
            found: list[BarClosed] = []
            async for fact in source.events(("IBM",), MINUTE):
                if isinstance(fact, BarClosed):
                    assert fact.time <= clock.now()
                    found.append(fact)
                if clock.now() > NOW + 5 * MINUTE:
                    break
            await source.close()
            return found

        told = run(main())
    truth = {r.stamp + MINUTE: r for r in MINUTES}
    for bar in told:
        row = truth[bar.time]
        have = (bar.open, bar.high, bar.low, bar.close, bar.volume)
        assert have == (row.open, row.high, row.low, row.close, row.volume)
    assert [bar.time for bar in told] == sorted({bar.time for bar in told})
    assert len(told) >= 4
