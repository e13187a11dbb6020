"""Several sources: the next is listened to where one is down, and no row is of two."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest

from intrabar.data.live.conformance import Case, SourceConformance
from intrabar.data.live.in_turn import InTurn
from intrabar.data.live.polling import Polled
from intrabar.data.live.recorded import Fault, Recorded
from intrabar.errors import AuthError, ConfigError, LinkError, NotFoundError
from intrabar.links.clock import LoopClock
from intrabar.links.simulated_time import run
from intrabar.links.vendor import Row
from intrabar.model.facts import BarClosed, BarOpened, Fact, LinkFact
from tests.data.live.samples import MINUTE, Scripted, minutes, ns, rows

OPEN = ns("2026-03-02T14:30")
FIRST = rows("2026-03-02", MINUTE, 390)
SECOND_ = rows("2026-03-02", MINUTE, 390, 1000.0)
Change = Callable[[str, int, tuple[Row, ...]], Iterable[Row]]


def case() -> Case:
    clock = LoopClock(ns("2026-03-02T15:30:20"))
    table = dict.fromkeys(("IBM", "MSFT"), FIRST)
    sources = [(n, Polled(Scripted(clock, table, name=n), clock)) for n in ("one", "two")]
    return Case(InTurn(sources, clock), clock, ("IBM", "MSFT"), MINUTE, OPEN, unknown="AAPL")


class TestInTurn(SourceConformance):
    make = staticmethod(case)


def lived(one: Change | None, two: Change | None, minutes: float) -> list[tuple[float, Fact]]:
    async def main() -> list[tuple[float, Fact]]:
        clock = LoopClock(OPEN + 5 * MINUTE)
        pairs = (("one", FIRST, one), ("two", SECOND_, two))
        sources = [
            (name, Polled(Scripted(clock, {"IBM": table}, change, name=name), clock))
            for name, table, change in pairs
        ]
        found: list[tuple[float, Fact]] = []

        async def take() -> None:
            async for fact in InTurn(sources, clock).events(("IBM",), MINUTE):
                found.append((clock.tick(), fact))  # noqa: PERF401

        task = asyncio.create_task(take())
        await asyncio.sleep(minutes * 60.0)
        if task.done():
            task.result()
        task.cancel()
        return found

    return run(main())


def down_from(minute: float) -> Change:
    def change(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        if now > OPEN + minute * MINUTE:
            raise LinkError("not reached")
        return told

    return change


def owners(told: list[tuple[float, Fact]]) -> list[tuple[int, str]]:
    """Minutes of the session, and whose their bars are."""
    return [
        ((f.time - OPEN) // MINUTE, "two" if f.close > 900.0 else "one")
        for _, f in told
        if isinstance(f, BarClosed)
    ]


def test_the_next_is_listened_to_after_a_minute_and_no_bar_is_told_twice() -> None:
    told = lived(down_from(7.5), None, 9.0)
    # What was missed meanwhile is of the next source, and comes late.
    assert owners(told) == [
        *((n, "one") for n in (4, 5, 6, 7)),
        *((n, "two") for n in range(8, 14)),
    ]
    states = [(f.state, f.reason) for _, f in told if isinstance(f, LinkFact)]
    assert [s for s, _ in states] == ["up", "down", "syncing", "up"]
    assert states[2][1] == "one is down (not reached); two is listened to"


def test_a_short_outage_changes_nothing() -> None:
    def short(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        if OPEN + 7 * MINUTE < now < OPEN + 7.6 * MINUTE:
            raise LinkError("not reached")
        return told

    told = lived(short, None, 6.0)
    assert {who for _, who in owners(told)} == {"one"}


def test_a_correction_of_the_next_source_is_none_of_the_first_ones_bars() -> None:
    def corrected(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        return [msgspec.structs.replace(r, volume=float(now % 997)) for r in told]

    told = lived(down_from(7.5), corrected, 9.0)
    again = [f for _, f in told if isinstance(f, BarClosed) and f.corrected]
    assert again
    assert all((f.time - OPEN) // MINUTE >= 8 for f in again)


def test_when_the_second_is_down_too_the_first_is_listened_to_again() -> None:
    def down(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        raise LinkError("not reached")

    def back(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        if OPEN + 7.5 * MINUTE < now < OPEN + 10 * MINUTE:
            raise LinkError("not reached")
        return told

    told = lived(back, down, 12.0)
    assert owners(told)[-1] == (16, "one")
    assert [n for n, _ in owners(told)] == list(range(4, 17))


def test_a_refused_key_goes_to_the_next_and_all_refused_end_it() -> None:
    def refused(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        raise AuthError("the key was refused")

    told = lived(refused, None, 3.0)
    assert {who for _, who in owners(told)} == {"two"}
    with pytest.raises(AuthError):
        lived(refused, refused, 3.0)


def test_a_refused_key_does_not_end_it_while_the_other_is_down_for_a_while() -> None:
    def refused(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        raise AuthError("the key was refused")

    def back(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        if now < OPEN + 10 * MINUTE:
            raise LinkError("not reached")
        return told

    told = lived(refused, back, 9.0)
    assert {who for _, who in owners(told)} == {"two"}


def test_a_bar_whose_open_one_has_told_is_not_closed_by_the_other() -> None:
    async def main() -> list[Fact]:
        clock = LoopClock(ns("2026-03-02T10:00"))
        one = [minutes("ACME", "2026-03-02T10:00", 6)]
        two = [minutes("ACME", "2026-03-02T10:00", 6, 1000.0)]
        down = Fault(1, "ACME", "down", seconds=3600.0)
        sources = [
            ("one", Recorded(one, clock, opens=True, faults=[down])),
            ("two", Recorded(two, clock, opens=True)),
        ]
        return [f async for f in InTurn(sources, clock).events(("ACME",), MINUTE)]

    told = run(main())
    opens = {f.time: f.open for f in told if isinstance(f, BarOpened)}
    closes = {f.time: f for f in told if isinstance(f, BarClosed)}
    assert closes
    for at, bar in closes.items():
        assert opens.get(at, bar.open) == bar.open


def test_history_and_quotes_come_from_the_first_that_answers() -> None:
    async def main() -> None:
        clock = LoopClock(OPEN + 60 * MINUTE)

        def down(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
            raise LinkError("not reached")

        one = Scripted(clock, {"IBM": FIRST}, down)

        async def away(symbol: str) -> Any:
            raise LinkError("not reached")

        one.quote = away  # type: ignore[method-assign]
        two = Scripted(clock, {"IBM": SECOND_})
        source = InTurn([("one", Polled(one, clock)), ("two", Polled(two, clock))], clock)
        bars = await source.history("IBM", MINUTE, OPEN, clock.now())
        assert bars.close[0] > 900.0
        assert (await source.quote("IBM")).price > 900.0
        with pytest.raises(NotFoundError):
            await source.quote("AAPL")

    run(main())


def test_sources_without_a_common_period_or_none_at_all_are_refused() -> None:
    clock = LoopClock(OPEN)
    one = Polled(Scripted(clock, {}, periods=(MINUTE,)), clock)
    two = Polled(Scripted(clock, {}, periods=(5 * MINUTE,)), clock)
    with pytest.raises(ConfigError, match="one, two have no period in common"):
        InTurn([("one", one), ("two", two)], clock)
    with pytest.raises(ConfigError, match="there is none"):
        InTurn([], clock)
