"""Bars and quotes that TradeStation pushes, from its fake, by a clock that runs fast."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from intrabar.brokers.fakes.faults import Faults
from intrabar.brokers.fakes.tradestation import FakeTradeStation
from intrabar.brokers.fakes.tradestation_data import FakeMarket
from intrabar.data.catalogue import Catalogue
from intrabar.data.live.answers import Answers
from intrabar.data.live.conformance import Case, SourceConformance
from intrabar.data.live.fetching import fetch
from intrabar.data.live.tradestation import TradeStationBars
from intrabar.data.live.vendors import source_named, vendor_named
from intrabar.errors import DataError, NotFoundError
from intrabar.links.clock import SECOND_NS
from intrabar.links.tradestation.market_data import MarketData
from intrabar.model.bars import DAY_NS
from intrabar.model.facts import BarClosed, BarOpened, Fact, LinkFact, Quote
from tests.brokers.tradestation.served import client_of, served
from tests.data.live.samples import MINUTE, ns
from tests.fast_clock import FastClock

SPEED = 400.0  # a minute in 0.15 s
PRICES = {"ACME": 100.0, "BETA": 50.0}
NYSE = (14 * 3600 + 1800, 21 * 3600)  # its hours in March, before the clocks change


def with_source(
    start: str,
    folder: Path,
    test: Callable[[FakeTradeStation, TradeStationBars, FastClock], Coroutine[Any, Any, Any]],
    hours: tuple[int, int] = (0, 86_400),
    faults: Faults | None = None,
) -> Any:
    """What a test makes of a source whose fake is there."""

    async def whole() -> Any:
        clock = FastClock(ns(start), SPEED)
        fake = FakeTradeStation(faults, market=FakeMarket(PRICES, clock, hours))
        fake.lifetime = 500_000
        await fake.start()
        calendar = "NYSE" if hours == NYSE else "24/7"
        wire = MarketData(client_of(fake, folder, clock), clock)
        source = TradeStationBars(wire, clock, dict.fromkeys(PRICES, calendar))
        try:
            return await asyncio.wait_for(test(fake, source, clock), 20.0)
        finally:
            await source.close()
            await fake.stop()

    return asyncio.run(whole())


class TestTradeStation(SourceConformance):
    """What every source promises."""

    here: FakeTradeStation
    folder: Path

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        TestTradeStation.folder = tmp_path

    @staticmethod
    def run(main: Coroutine[Any, Any, None]) -> None:
        def make() -> FakeTradeStation:
            TestTradeStation.clock = FastClock(ns("2026-03-02T15:30:02"), 120.0)
            fake = FakeTradeStation(market=FakeMarket(PRICES, TestTradeStation.clock))
            fake.lifetime = 500_000
            TestTradeStation.here = fake
            return fake

        served(make, lambda _: main)

    @staticmethod
    def make() -> Case:
        clock, fake = TestTradeStation.clock, TestTradeStation.here
        wire = MarketData(client_of(fake, TestTradeStation.folder, clock), clock)
        calendars = {**dict.fromkeys(PRICES, "24/7"), "NO-SUCH-SYMBOL": "24/7"}
        source = TradeStationBars(wire, clock, calendars)
        return Case(source, clock, tuple(PRICES), MINUTE, ns("2026-03-02T15:20"))


async def listened(
    source: TradeStationBars, clock: FastClock, symbols: tuple[str, ...], period: int, until: int
) -> list[tuple[Fact, int]]:
    """What is told until a bar closes at `until` or later."""
    found: list[tuple[Fact, int]] = []
    events = source.events(symbols, period)
    async for fact in events:
        found.append((fact, clock.now()))
        if isinstance(fact, BarClosed) and fact.time >= until:
            break
    await events.aclose()  # type: ignore[attr-defined]
    return found


def closed(found: list[tuple[Fact, int]]) -> list[BarClosed]:
    return [fact for fact, _ in found if isinstance(fact, BarClosed)]


def test_what_changes_of_a_quote_is_laid_over_what_was_told(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation, source: TradeStationBars, clock: FastClock) -> None:
        found = await listened(source, clock, ("ACME",), MINUTE, clock.now() + 2 * 60 * SECOND_NS)
        quotes = [fact for fact, _ in found if isinstance(fact, Quote)]
        assert len(quotes) > 3
        assert {q.symbol for q in quotes} == {"ACME"}  # the stream writes changes in lower case
        assert {q.price for q in quotes} == {100.0}
        assert {q.ask for q in quotes} == {100.01}
        assert {q.bid for q in quotes} == {99.99, 99.98}
        assert {q.volume for q in quotes} == {12345.0}
        assert quotes[-1].time > quotes[0].time

    with_source("2026-03-02T15:30:20", tmp_path, test)


def test_the_short_last_bar_of_a_session_has_its_own_begin(tmp_path: Path) -> None:
    hour = 60 * MINUTE

    async def test(fake: FakeTradeStation, source: TradeStationBars, clock: FastClock) -> None:
        bars = await source.history("ACME", hour, ns("2026-03-02T14:30"), clock.now())
        assert bars.open_time[0] == ns("2026-03-02T14:30")
        assert bars.open_time[-1] == ns("2026-03-02T20:30")  # of half an hour, to 21:00
        assert bars.close_time[-1] == ns("2026-03-02T21:30")
        assert len(bars) == 7

    with_source("2026-03-02T22:00", tmp_path, test, NYSE)


def test_a_short_last_bar_is_not_told_before_its_time(tmp_path: Path) -> None:
    hour = 60 * MINUTE
    end = ns("2026-03-02T21:30")

    async def test(fake: FakeTradeStation, source: TradeStationBars, clock: FastClock) -> None:
        found = await listened(source, clock, ("ACME",), hour, end)
        assert found[-1][1] >= end
        assert closed(found)[-1].close == pytest.approx(100.0 + fake_step("20:30", hour) + 0.02)

    with_source("2026-03-02T20:58", tmp_path, test, NYSE)


def fake_step(begun: str, period: int) -> float:
    return ns(f"2026-03-02T{begun}") // period % 40 * 0.05


def test_a_bar_that_is_never_said_to_be_over_is_asked_for_twice(tmp_path: Path) -> None:
    end = ns("2026-03-02T21:00")

    async def test(fake: FakeTradeStation, source: TradeStationBars, clock: FastClock) -> None:
        fake.market.never_closes = True
        found = await listened(source, clock, ("ACME",), MINUTE, end)
        told = closed(found)[-1]
        assert told.time == end
        assert told.volume > 1000.0 - 1.0  # the whole bar, not what the stream showed of it
        assert found[-1][1] >= end + 5 * SECOND_NS
        asked = [c for c in fake.server.calls if c.path.endswith("/marketdata/barcharts/ACME")]
        assert len(asked) == 2

    with_source("2026-03-02T20:58:30", tmp_path, test, NYSE)


@pytest.mark.parametrize("fault", ["drop", "mute", "garbage", "lose_event", "duplicate", "reorder"])
def test_no_bar_is_lost_or_told_twice_where_a_stream_fails(fault: str, tmp_path: Path) -> None:
    begin = ns("2026-03-02T15:30:20")

    async def test(fake: FakeTradeStation, source: TradeStationBars, clock: FastClock) -> None:
        until = begin // MINUTE * MINUTE + 8 * MINUTE
        times = [
            bar.time for bar in closed(await listened(source, clock, ("ACME",), MINUTE, until))
        ]
        assert fake.faults.met
        first = begin // MINUTE * MINUTE
        assert times == [first + n * MINUTE for n in range(len(times))]

    faults = Faults([(("data_event", n), fault) for n in (5, 9, 17)])
    with_source("2026-03-02T15:30:20", tmp_path, test, faults=faults)


def test_a_link_that_is_lost_is_told_and_comes_back(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation, source: TradeStationBars, clock: FastClock) -> None:
        states: list[str] = []
        async for fact in source.events(("ACME", "BETA"), MINUTE):
            if isinstance(fact, LinkFact):
                states.append(fact.state)
                if fact.state == "down":
                    assert "tradestation" in fact.reason
            if states == ["up"]:
                fake.server.cut()
            if states[-1:] == ["up"] and "down" in states:
                break
        assert states[0] == "up"

    with_source("2026-03-02T15:30:20", tmp_path, test)


def test_quotes_that_are_delayed_are_no_quotes(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation, source: TradeStationBars, clock: FastClock) -> None:
        fake.market.is_delayed = True
        found = await listened(source, clock, ("ACME",), MINUTE, clock.now() + MINUTE)
        assert not [fact for fact, _ in found if isinstance(fact, Quote)]
        links = [fact for fact, _ in found if isinstance(fact, LinkFact)]
        assert links[-1].state == "degraded"
        assert "delayed" in links[-1].reason

    with_source("2026-03-02T15:30:20", tmp_path, test)


def test_a_long_history_is_asked_for_in_parts(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation, source: TradeStationBars, clock: FastClock) -> None:
        now = clock.now()
        bars = await source.history("ACME", 30 * MINUTE, now - 2_500 * DAY_NS, now - 2_490 * DAY_NS)
        assert len(bars) == 480
        asked = [c.query for c in fake.server.calls if "barcharts" in c.path]
        assert len(asked) == 1
        daily = await source.history("ACME", DAY_NS, now - 1_200 * DAY_NS, now)
        assert len(daily) == 1_200
        assert len([c for c in fake.server.calls if "barcharts" in c.path]) == 3

    with_source("2026-03-02T15:30:20", tmp_path, test)


def test_no_quotes_of_a_symbol_is_said(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation, source: TradeStationBars, clock: FastClock) -> None:
        with pytest.raises(NotFoundError, match="EX_INVALID_SYMBOL"):
            await source.quote("NOPE")
        with pytest.raises(DataError, match="7m"):
            await source.history("ACME", 7 * MINUTE, 0, clock.now())

    with_source("2026-03-02T15:30:20", tmp_path, test)


def test_an_open_is_the_first_print_and_comes_before_its_bar_is_over(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation, source: TradeStationBars, clock: FastClock) -> None:
        found = await listened(source, clock, ("ACME",), MINUTE, clock.now() + 3 * MINUTE)
        opens = {f.time: (f.open, at) for f, at in found if isinstance(f, BarOpened)}
        bars = {bar.time: bar for bar in closed(found)}
        both = opens.keys() & bars.keys()
        assert len(both) >= 2
        for time in both:
            assert opens[time][0] == bars[time].open
            assert opens[time][1] < time

    with_source("2026-03-02T15:30:20", tmp_path, test)


def test_it_is_listened_to_and_may_be_asked_as_a_vendor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADESTATION_CLIENT_ID", "an-api-key")
    monkeypatch.delenv("TRADESTATION_CLIENT_SECRET", raising=False)
    credentials = {"refresh_token": f"file:{tmp_path / 'token'}"}
    source = source_named("tradestation", credentials, calendars={"ZZ": "XETR"})
    assert isinstance(source, TradeStationBars)  # it is not polled
    assert source.calendars == {"ZZ": "XETR"}
    assert source.can.streams
    assert vendor_named("tradestation", credentials).periods == source.can.periods


def test_history_is_kept_as_adjusted_for_splits(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation, source: TradeStationBars, clock: FastClock) -> None:
        answers = Answers(source.vendor, None, clock)
        catalogue = Catalogue(tmp_path / "catalogue")
        start = ns("2026-03-02T14:30")
        done = await fetch(answers, catalogue, "ACME", MINUTE, start, calendar="NYSE")
        assert done.manifest.adjustment == "split"
        assert done.added == 390
        assert any("splits" in note for note in done.notes)

    with_source("2026-03-02T21:30", tmp_path, test, NYSE)
