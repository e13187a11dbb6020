"""Alpaca as a source: the suite over the wire in virtual time, corrections, gaps, refusals."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from intrabar.brokers.fakes.alpaca_prices import Bar, FakePrices
from intrabar.brokers.fakes.alpaca_words import KEY, SECRET
from intrabar.brokers.fakes.faults import Faults
from intrabar.data.live.alpaca import HALF_HOUR, HOUR, AlpacaBars, alpaca_bars
from intrabar.data.live.alpaca_stream import AlpacaSource
from intrabar.data.live.conformance import Case, SourceConformance
from intrabar.errors import AuthError, ConfigError, DataError, NotFoundError
from intrabar.links.alpaca.hosts import Keys
from intrabar.links.alpaca.streams import Limits
from intrabar.links.clock import LoopClock
from intrabar.links.simulated_time import SimLoop
from intrabar.model.bars import DAY_NS
from intrabar.model.facts import BarClosed, Fact, LinkFact, Quote
from intrabar.model.secret import Secret
from tests.data.live.samples import MINUTE, SECOND, ns, rows

NOW = ns("2026-03-02T15:30:20")  # an hour after NYSE opened
START = ns("2026-03-02T14:30")
MINUTES = tuple(
    Bar(row.stamp, row.open, row.high, row.low, row.close, row.volume)
    for row in rows("2026-03-02", MINUTE, 390)
)


class _Patient(SimLoop):
    """Virtual time that gives sockets of this machine a moment before it moves on."""

    def __init__(self) -> None:
        super().__init__()
        jump, look = self._selector.select, selectors.DefaultSelector.select

        def select(timeout: float | None = None) -> Any:
            found = look(self._selector, 0 if timeout == 0 else 0.002)
            return found or jump(timeout)

        self._selector.select = select  # type: ignore[method-assign]

    _selector: Any


def run(main: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=_Patient) as runner:
        return runner.run(main)


def table(*symbols: str) -> dict[str, dict[str, tuple[Bar, ...]]]:
    return {symbol: {"1Min": MINUTES} for symbol in symbols}


def source(fake: FakePrices, clock: LoopClock, key: str = KEY, feed: str = "iex") -> AlpacaSource:
    keys = Keys(Secret(key), Secret(SECRET))
    bars = AlpacaBars(keys, clock, hosts=fake.hosts, feed=feed)
    return AlpacaSource(bars, Limits(5.0, 10.0))


def asked(
    test: Callable[[AlpacaSource, FakePrices, LoopClock], Awaitable[Any]],
    prepare: Callable[[FakePrices], None] = lambda fake: None,
    now: int = NOW,
    **how: str,
) -> Any:
    """What a test makes of a source whose server lives as long."""

    async def main() -> Any:
        clock = LoopClock(now)
        fake = FakePrices(clock, table("IBM", "MSFT"))
        prepare(fake)
        await fake.server.start()
        made = source(fake, clock, **how)
        try:
            return await test(made, fake, clock)
        finally:
            await made.close()
            await fake.server.stop()

    return run(main())


async def told(
    made: AlpacaSource, until: int, clock: LoopClock, period: int = MINUTE
) -> list[Fact]:
    """The facts of one symbol until an instant."""
    found: list[Fact] = []
    events = made.events(("IBM",), period)
    async for fact in events:
        found.append(fact)
        if clock.now() >= until:
            break
    await events.aclose()  # type: ignore[attr-defined]
    return found


class TestAlpaca(SourceConformance):
    run = staticmethod(run)

    def _with(self, test: Callable[[Case], Coroutine[Any, Any, None]]) -> None:
        async def main() -> None:
            clock = LoopClock(NOW)
            fake = FakePrices(clock, table("IBM", "MSFT"))
            await fake.server.start()
            made = source(fake, clock)
            try:
                await test(Case(made, clock, ("IBM", "MSFT"), MINUTE, START, unknown="AAPL"))
            finally:
                await made.close()
                await fake.server.stop()

        run(main())


def bars_of(facts: list[Fact]) -> list[BarClosed]:
    return [fact for fact in facts if isinstance(fact, BarClosed)]


def require_true(told: list[BarClosed], period: int = MINUTE) -> None:
    """Of each bar what was told last is what there was."""
    last = {bar.time: bar for bar in told}
    for bar in last.values():
        part = [row for row in MINUTES if bar.time - period <= row.stamp < bar.time]
        assert bar.open == part[0].open
        assert bar.high == max(row.high for row in part)
        assert bar.low == min(row.low for row in part)
        assert (bar.close, bar.volume) == (part[-1].close, sum(row.volume for row in part))
    times = sorted(bar.time for bar in told if not bar.corrected)
    assert times == list(range(times[0], times[-1] + period, period))


def test_a_minute_that_was_wrong_is_told_again() -> None:
    at = ns("2026-03-02T15:31")

    def prepare(fake: FakePrices) -> None:
        true = next(row for row in MINUTES if row.stamp == at)
        fake.corrected = {"IBM": {at: true._replace(high=true.high + 5.0, volume=1.0)}}

    facts = bars_of(asked(lambda s, f, c: told(s, NOW + 4 * MINUTE, c), prepare))
    again = [bar for bar in facts if bar.corrected]
    assert [bar.time for bar in again] == [at + MINUTE]
    require_true(facts)


@pytest.mark.parametrize("period", [5 * MINUTE, 15 * MINUTE])
def test_longer_bars_are_built_of_minutes_and_corrected_with_them(period: int) -> None:
    at = ns("2026-03-02T15:34")  # the last of its five

    def prepare(fake: FakePrices) -> None:
        true = next(row for row in MINUTES if row.stamp == at)
        fake.corrected = {"IBM": {at: true._replace(close=true.close + 1.0)}}

    facts = asked(lambda s, f, c: told(s, NOW + 40 * MINUTE, c, period), prepare)
    found = bars_of(facts)
    assert {bar.period for bar in found} == {period}
    assert any(bar.corrected for bar in found) == (period == 5 * MINUTE)
    require_true(found, period)


def test_a_bar_whose_last_minute_nobody_traded_is_told_when_it_is_due() -> None:
    at = ns("2026-03-02T15:34")

    def prepare(fake: FakePrices) -> None:
        fake.table = {"IBM": {"1Min": tuple(row for row in MINUTES if row.stamp != at)}}

    async def test(made: AlpacaSource, fake: FakePrices, clock: LoopClock) -> list[int]:
        events, found = made.events(("IBM",), 5 * MINUTE), []
        async for fact in events:
            if isinstance(fact, BarClosed) and fact.time == at + MINUTE:
                found.append(clock.now() - fact.time)
                break
        await events.aclose()  # type: ignore[attr-defined]
        return found

    (late,) = asked(test, prepare)
    assert 0 < late <= 4 * SECOND


def test_what_the_stream_was_silent_of_comes_by_request() -> None:
    def prepare(fake: FakePrices) -> None:
        fake.hidden = {row.stamp for row in MINUTES if row.stamp < ns("2026-03-02T15:36")}

    facts = asked(lambda s, f, c: told(s, NOW + 9 * MINUTE, c), prepare)
    require_true(bars_of(facts))
    downs = [f for f in facts if isinstance(f, LinkFact) and f.state == "down"]
    assert "mute" in downs[0].reason


@pytest.mark.parametrize("fault", ["drop", "garbage", "lose_event", "duplicate", "reorder"])
@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_fault_of_the_stream_makes_no_bar_wrong(fault: str, at: int) -> None:
    def prepare(fake: FakePrices) -> None:
        fake.faults = fake.server.faults = Faults([(("event", at), fault)])

    facts = asked(lambda s, f, c: told(s, NOW + 12 * MINUTE, c), prepare)
    found = bars_of(facts)
    if fault == "lose_event":  # nobody can know it of one that stands alone
        assert len(found) >= 11
        return
    require_true(found)


@pytest.mark.parametrize("fault", ["lose_request", "lose_answer", "drop", "429", "500", "garbage"])
@pytest.mark.parametrize("point", [("connect", 0), ("look", 0), ("look", 1)])
def test_a_fault_of_a_request_makes_no_bar_wrong(fault: str, point: tuple[str, int]) -> None:
    def prepare(fake: FakePrices) -> None:
        fake.faults = fake.server.faults = Faults([(point, fault)])

    facts = asked(lambda s, f, c: told(s, NOW + 4 * MINUTE, c), prepare)
    require_true(bars_of(facts))


def test_a_second_connection_waits_until_the_first_has_gone() -> None:
    async def test(made: AlpacaSource, fake: FakePrices, clock: LoopClock) -> list[Fact]:
        fake.open_sockets = 1
        return await told(made, NOW + MINUTE, clock)

    facts = asked(test)
    assert [f.state for f in facts if isinstance(f, LinkFact)][:2] == ["connecting", "down"]
    assert "another connection" in next(
        f.reason for f in facts if isinstance(f, LinkFact) and f.reason
    )


def test_a_vendor_that_is_away_at_the_start_is_waited_for() -> None:
    def prepare(fake: FakePrices) -> None:
        fake.faults = fake.server.faults = Faults([(("connect", n), "500") for n in range(7)])

    facts = asked(lambda s, f, c: told(s, NOW + 3 * MINUTE, c), prepare)
    states = [fact.state for fact in facts if isinstance(fact, LinkFact)]
    assert states[:3] == ["connecting", "down", "connecting"]
    assert states[-1] == "up"
    require_true(bars_of(facts))


def test_keys_that_are_refused_end_the_stream() -> None:
    with pytest.raises(AuthError, match="keys are refused"):
        asked(lambda s, f, c: told(s, NOW + MINUTE, c), key="PKANOTHERKEY12345678")


def test_a_feed_that_the_keys_lack_is_told_with_the_one_to_name() -> None:
    with pytest.raises(DataError, match="name feed: iex"):
        asked(lambda s, f, c: s.history("IBM", MINUTE, START, NOW), feed="sip")
    with pytest.raises(AuthError, match="name feed: iex"):
        asked(lambda s, f, c: told(s, NOW + MINUTE, c), feed="sip")
    with pytest.raises(ConfigError, match="iex or sip"):
        AlpacaBars(Keys(Secret(KEY), Secret(SECRET)), feed="otc")


def test_credentials_that_nobody_reads_are_refused() -> None:
    with pytest.raises(ConfigError, match="'secret' is not known"):
        alpaca_bars({"api_key": Secret(KEY), "secret": Secret(SECRET)}, None)


def test_bars_of_an_hour_are_those_of_the_session() -> None:
    halves = tuple(
        Bar(START + n * HALF_HOUR - HOUR, 100.0 + n, 110.0 + n, 90.0 - n, 101.0 + n, 10.0)
        for n in range(18)  # two half hours before the session, three after it
    )

    def prepare(fake: FakePrices) -> None:
        fake.table = {"IBM": {"30Min": halves}}

    later = NOW + DAY_NS
    bars = asked(lambda s, f, c: s.history("IBM", HOUR, START, later), prepare, now=later)
    assert bars.open_time.tolist() == [START + n * HOUR for n in range(7)]
    assert bars.open.tolist() == [100.0 + 2 + 2 * n for n in range(7)]
    assert bars.high.tolist() == [113.0 + 2 * n for n in range(6)] + [124.0]
    assert bars.close.tolist() == [104.0 + 2 * n for n in range(6)] + [115.0]
    assert bars.volume.tolist() == [20.0] * 6 + [10.0]


def test_days_are_those_of_new_york_with_splits_and_dividends() -> None:
    days = [ns(f"2026-02-{day:02}T05:00") for day in (24, 25, 26, 27)]

    def prepare(fake: FakePrices) -> None:
        fake.table = {"IBM": {"1Day": tuple(Bar(at, 100, 101, 99, 100, 5e6) for at in days)}}
        fake.actions = {
            "forward_splits": [
                {"symbol": "IBM", "new_rate": 4, "old_rate": 1, "ex_date": "2026-02-25"}
            ],
            "reverse_splits": [
                {"symbol": "IBM", "new_rate": 1, "old_rate": 10, "ex_date": "2026-02-26"}
            ],
            "cash_dividends": [{"symbol": "IBM", "rate": 0.24, "ex_date": "2026-02-24"}],
        }

    start = ns("2026-02-24")
    answer = asked(lambda s, f, c: s.vendor.bars("IBM", DAY_NS, start, NOW, actions=True), prepare)
    assert [row.stamp for row in answer.rows] == [ns(f"2026-02-{d}") for d in (24, 25, 26, 27)]
    first = start // DAY_NS
    assert answer.splits == ((first + 1, 4.0), (first + 2, 0.1))
    assert answer.dividends == ((first, 0.24),)


def test_bars_of_another_symbol_and_pages_without_an_end_are_refused() -> None:
    def renamed(told: dict[str, Any]) -> dict[str, Any]:
        return {**told, "bars": {"MSFT": told["bars"].get("IBM", [])}}

    for change, match in (
        (renamed, "asked for bars of IBM"),
        (lambda told: {**told, "next_page_token": "7"}, "circle"),
        (lambda told: {**told, "bars": {"IBM": [{"t": "2026-03-02T14:30:00Z"}]}}, "not whole"),
    ):

        def prepare(fake: FakePrices, change: Any = change) -> None:
            fake.change = change

        with pytest.raises(DataError.__mro__[1], match=match):
            asked(lambda s, f, c: s.history("IBM", MINUTE, START, NOW), prepare)


def test_quotes_are_pushed_one_a_second_at_most() -> None:
    facts = asked(lambda s, f, c: told(s, NOW + 4 * MINUTE, c))
    quotes = [fact for fact in facts if isinstance(fact, Quote)]
    assert len(quotes) == 4
    assert all(q.bid is not None and q.ask is not None and q.bid < q.ask for q in quotes)


def test_an_unknown_symbol_is_asked_for_by_name() -> None:
    with pytest.raises(NotFoundError, match="asset not found for AAPL"):
        asked(lambda s, f, c: s.history("AAPL", MINUTE, START, NOW))
    with pytest.raises(NotFoundError, match="unknown symbol"):
        asked(lambda s, f, c: s.quote("IBM/../x?y#z"))
