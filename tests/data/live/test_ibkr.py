"""TWS as a source: the suite over the wire in virtual time; gaps, a mute stream, refusals."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest

from intrabar.brokers.fakes.account import FakeAccount
from intrabar.brokers.fakes.ibkr import frames
from intrabar.brokers.fakes.ibkr.contracts import stock
from intrabar.brokers.fakes.ibkr.server import FakeTws
from intrabar.data.live.conformance import Case, SourceConformance
from intrabar.data.live.ibkr import IbkrBars
from intrabar.data.live.ibkr_stream import IbkrSource
from intrabar.errors import ConfigError, DataError, LinkError, NotFoundError
from intrabar.links.clock import LoopClock
from intrabar.links.ibkr.settings import Settings
from intrabar.links.simulated_time import SimLoop
from intrabar.model.bars import DAY_NS
from intrabar.model.facts import BarClosed, BarOpened, Fact, LinkFact, Quote
from tests.data.live.samples import MINUTE, SECOND, ns

NOW = ns("2026-03-02T15:30:20")  # an hour after NYSE opened
START = ns("2026-03-02T14:30")
HOUR = 60 * MINUTE
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
    begins: int = START - 30 * MINUTE,
) -> Any:
    """What a test makes of a source whose TWS lives as long."""

    async def main() -> Any:
        clock = LoopClock(now)
        tws = FakeTws(FakeAccount("DU1234567", now=clock.now), clock=clock)
        await tws.start()
        tws.market.begins = begins / 1e9
        source = IbkrSource(IbkrBars(Settings(port=tws.port), clock))
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


def require_no_gap(bars: list[BarClosed]) -> None:
    """Every bar between the first and the last, once."""
    times = [bar.time for bar in bars]
    assert times == list(range(times[0], times[-1] + 1, MINUTE))


class TestIbkr(SourceConformance):
    run = staticmethod(run)

    def _with(self, test: Callable[[Case], Coroutine[Any, Any, None]]) -> None:
        async def on(source: IbkrSource, tws: FakeTws, clock: LoopClock) -> None:
            await test(Case(source, clock, ("AAPL", "MSFT"), MINUTE, START, unknown="IBM"))

        asked(on)


@pytest.mark.parametrize("trades_later", [False, True])
def test_the_last_bar_of_a_session_is_closed_and_later_ones_are_none(trades_later: bool) -> None:
    """By the clock, or by what is traded after it."""

    async def test(source: IbkrSource, tws: FakeTws, clock: LoopClock) -> None:
        if not trades_later:
            tws.market.ends["AAPL"] = CLOSE / 1e9
        found: list[tuple[Fact, int]] = []
        events = source.events(("AAPL",), MINUTE)

        async def listen() -> None:
            async for fact in events:
                found.append((fact, clock.now()))  # noqa: PERF401

        listening = asyncio.ensure_future(listen())
        await clock.sleep(240.0)
        listening.cancel()
        last = {fact.time: at for fact, at in found if isinstance(fact, BarClosed)}
        require_no_gap([fact for fact, _ in found if isinstance(fact, BarClosed)])
        assert max(last) == CLOSE
        least, most = (5, 6) if trades_later else (15, 20)  # asked twice, 5 s apart
        assert CLOSE + least * SECOND <= last[CLOSE] <= CLOSE + most * SECOND
        assert not [f for f, _ in found if isinstance(f, BarOpened) and f.time > CLOSE]

    asked(test, CLOSE - 2 * MINUTE + 20 * SECOND, CLOSE - 30 * MINUTE)


@pytest.mark.parametrize("fault", ["mute", "cut", "data lost", "garbage"])
def test_after_each_gap_no_bar_is_missing(fault: str) -> None:
    async def test(source: IbkrSource, tws: FakeTws, clock: LoopClock) -> None:
        facts: list[Fact] = []
        events = source.events(("AAPL",), MINUTE)
        begins = clock.now()
        broken = False
        async for fact in events:
            facts.append(fact)
            if clock.now() > begins + 8 * MINUTE:
                break
            if not broken and clock.now() > begins + 2 * MINUTE:
                broken = True
                _break(tws, fault)
        await events.aclose()  # type: ignore[attr-defined]
        bars = closed(facts)
        require_no_gap(bars)
        assert len(bars) >= 6
        states = [fact.state for fact in facts if isinstance(fact, LinkFact)]
        assert states[:3] == ["connecting", "up", "down"]
        assert states[-1] == "up"

    asked(test)


def _break(tws: FakeTws, fault: str) -> None:
    if fault == "mute":  # connected, with signs of life, but no bars: as after the nightly reset
        for connection in tws.clients.values():
            for number in list(connection._kept):
                connection.drop(number)
    elif fault == "cut":
        tws.cut()
    elif fault == "data lost":
        tws.tell_all(frames.notice(-1, 1101, "Connectivity restored - data lost."))
    else:
        tws.tell_all(["90", "?", "<garbage>"])


def test_a_symbol_that_does_not_trade_is_no_fault() -> None:
    async def test(source: IbkrSource, tws: FakeTws, clock: LoopClock) -> None:
        tws.market.ends["AAPL"] = clock.now() / 1e9
        events = source.events(("AAPL", "MSFT"), MINUTE)
        facts: list[Fact] = []
        async for fact in events:
            facts.append(fact)
            if clock.now() > NOW + 6 * MINUTE:
                break
        await events.aclose()  # type: ignore[attr-defined]
        assert [f.state for f in facts if isinstance(f, LinkFact)] == ["connecting", "up"]
        assert max(f.time for f in closed(facts) if f.symbol == "AAPL") <= NOW + MINUTE
        require_no_gap([f for f in closed(facts) if f.symbol == "MSFT"])

    asked(test)


def test_pairs_are_bars_of_the_midpoint_without_volume() -> None:
    async def test(source: IbkrSource, tws: FakeTws, clock: LoopClock) -> None:
        bars = await source.history("EURUSD", MINUTE, START, clock.now())
        assert not bars.volume.any()
        assert {f[19] for f in tws.messages if f[0] == "20"} == {"MIDPOINT"}

    asked(test)


def test_days_are_of_regular_hours_and_asked_for() -> None:
    async def test(source: IbkrSource, tws: FakeTws, clock: LoopClock) -> None:
        bars = await source.history("AAPL", DAY_NS, NOW - 10 * DAY_NS, clock.now())
        assert bars.period == DAY_NS
        assert len(bars) >= 5
        assert {(f[16], f[18]) for f in tws.messages if f[0] == "20"} == {("1 day", "1")}

    asked(test, begins=NOW - 12 * DAY_NS)


def test_a_long_history_takes_as_many_requests_as_ib_asks_for() -> None:
    async def test(source: IbkrSource, tws: FakeTws, clock: LoopClock) -> None:
        bars = await source.history("AAPL", MINUTE, NOW - 7 * DAY_NS, clock.now())
        requests = [f for f in tws.messages if f[0] == "20"]
        assert {f[17] for f in requests} == {"1 D"}
        assert len(requests) == 8  # seven days and the bar before them
        assert len(bars) == 5 * 390  # of the first day the end, of the last the beginning

    asked(test, begins=NOW - 9 * DAY_NS)


def test_a_pause_in_which_nothing_is_traded_does_not_end_a_history() -> None:
    """Bars of five seconds are asked for by the hour; IB answers an empty hour with an error."""

    async def test(source: IbkrSource, tws: FakeTws, clock: LoopClock) -> None:
        tws.market.shut = [(NOW / 1e9 - 5 * 3_600, NOW / 1e9 - 3_600)]
        bars = await source.history("ESZ6", 5 * SECOND, NOW - 6 * HOUR, clock.now())
        assert len(bars) == 2 * 720
        assert bars.close_time[0] <= NOW - 6 * HOUR + 5 * SECOND

    asked(test, begins=NOW - 7 * HOUR)


def test_more_symbols_than_ib_pushes_are_refused() -> None:
    async def test(source: IbkrSource, tws: FakeTws, clock: LoopClock) -> None:
        with pytest.raises(ConfigError, match="at most 50"):
            await anext(aiter(source.events(tuple(f"S{n}" for n in range(51)), MINUTE)))

    asked(test)


def test_a_future_and_short_bars() -> None:
    async def test(source: IbkrSource, tws: FakeTws, clock: LoopClock) -> None:
        period = 5 * SECOND
        bars = await source.history("ESZ6", period, NOW - MINUTE, clock.now())
        assert len(bars) == 12
        assert sum(f[0] == "20" for f in tws.messages) == 1
        facts = await told(source, clock, clock.now() + MINUTE, period, "ESZ6")
        assert len(closed(facts)) >= 10

    asked(test)


def test_a_quote_says_what_it_has_and_one_that_may_not_be_seen_says_why() -> None:
    async def test(source: IbkrSource, tws: FakeTws, clock: LoopClock) -> None:
        quote = await source.quote("AAPL")
        assert quote.bid is not None
        assert quote.ask is not None
        assert quote.bid < quote.ask
        assert (await source.quote("EURUSD")).price is None
        tws.unquoted = {"AAPL"}
        with pytest.raises(NotFoundError, match="market data"):
            await source.quote("AAPL")

    asked(test)


def test_quotes_are_pushed_once_a_second_and_what_may_not_be_seen_is_said() -> None:
    async def test(source: IbkrSource, tws: FakeTws, clock: LoopClock) -> None:
        facts = await told(source, clock, clock.now() + 2 * MINUTE)
        quotes = [fact for fact in facts if isinstance(fact, Quote)]
        assert 20 <= len(quotes) <= 30  # TWS changes them each five seconds here
        assert all(x.bid is not None and x.ask is not None and x.bid < x.ask for x in quotes)
        times = [x.time for x in quotes]
        assert all(later - one >= SECOND for one, later in pairwise(times))

        tws.unquoted = {"AAPL"}
        facts = await told(source, clock, clock.now() + 2 * MINUTE)
        assert not [fact for fact in facts if isinstance(fact, Quote)]
        assert closed(facts)
        (said,) = [x.reason for x in facts if isinstance(x, LinkFact) and "no quotes" in x.reason]
        assert "not subscribed" in said

    asked(test)


def test_bars_that_may_not_be_seen_are_no_silence() -> None:
    async def test(source: IbkrSource, tws: FakeTws, clock: LoopClock) -> None:
        tws.unseen = {"AAPL"}
        with pytest.raises(DataError, match="No market data permissions"):
            await source.history("AAPL", MINUTE, START, clock.now())
        with pytest.raises(DataError, match="No market data permissions"):
            await told(source, clock, clock.now() + 2 * MINUTE)

    asked(test)


def test_a_tws_that_is_away_is_told_and_waited_for() -> None:
    async def test(source: IbkrSource, tws: FakeTws, clock: LoopClock) -> None:
        await source.quote("AAPL")
        await tws.stop()
        with pytest.raises(LinkError, match="nothing listens"):
            await source.quote("AAPL")
        await tws.start()
        await clock.sleep(31.0)  # the circuit
        await source.quote("AAPL")

    asked(test)


def test_an_unknown_calendar_is_asked_about() -> None:
    async def test(source: IbkrSource, tws: FakeTws, clock: LoopClock) -> None:
        tws.contracts["ZZZZ"] = stock(77, "ZZZZ")
        with pytest.raises(ConfigError, match="calendar"):
            await source.history("ZZZZ", MINUTE, START, clock.now())
        source.calendars["ZZZZ"] = "NYSE"
        assert len(await source.history("ZZZZ", MINUTE, START, clock.now())) == 60

    asked(test)
