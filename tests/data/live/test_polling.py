"""Bars that are asked for: when they are over, and what a wrong answer comes to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from intrabar.data.live.polling import Polled
from intrabar.errors import AuthError, BadAnswer, ConfigError, DataError, LinkError, RateLimited
from intrabar.links.clock import LoopClock
from intrabar.links.simulated_time import run
from intrabar.links.vendor import Answer, Row
from intrabar.model.bars import DAY_NS
from intrabar.model.facts import BarClosed, Fact, Heartbeat, LinkFact
from tests.data.live.samples import MINUTE, SECOND, Scripted, ns, rows

OPEN = ns("2026-03-02T14:30")  # of NYSE
TABLE = {"IBM": rows("2026-03-02", MINUTE, 390)}
Change = Callable[[str, int, tuple[Row, ...]], Iterable[Row]]


def lived(
    minutes: float,
    change: Change | None = None,
    *,
    start: int = OPEN + 5 * MINUTE,
    period: int = MINUTE,
    symbols: tuple[str, ...] = ("IBM",),
    pause: float | None = None,
    **vendor: Any,
) -> tuple[list[tuple[float, Fact]], Scripted]:
    """What comes in so many minutes, with the seconds since the start, and the vendor."""
    made: list[Scripted] = []

    async def main() -> list[tuple[float, Fact]]:
        clock = LoopClock(start)
        vendor.setdefault("table", TABLE)
        made.append(Scripted(clock, change=change, **vendor))
        source = Polled(made[0], clock, pause=pause)
        found: list[tuple[float, Fact]] = []

        async def take() -> None:
            async for fact in source.events(symbols, period):
                found.append((clock.tick(), fact))  # noqa: PERF401

        task = asyncio.create_task(take())
        await asyncio.sleep(minutes * 60.0)
        if task.done():
            task.result()
        task.cancel()
        return found

    return run(main()), made[0]


def closed(told: list[tuple[float, Fact]]) -> list[tuple[float, int]]:
    """When bars were told, and which minute of the session they end."""
    return [(at, (f.time - OPEN) // MINUTE) for at, f in told if isinstance(f, BarClosed)]


def links(told: list[tuple[float, Fact]]) -> list[tuple[float, str, str]]:
    return [(at, f.state, f.reason) for at, f in told if isinstance(f, LinkFact)]


def test_a_bar_is_told_when_it_was_equal_twice_5_s_apart_after_its_lag() -> None:
    told, vendor = lived(3.0)
    # The bar in progress at the start has begun: the one before it is over.
    assert closed(told) == [(0.0, 4), (0.0, 5), (73.0, 6), (133.0, 7)]
    assert vendor.asked[0] == (0.0, "IBM")


def test_the_last_bar_of_a_session_waits_for_the_clock() -> None:
    start = OPEN + 389 * MINUTE + 30 * SECOND
    told, vendor = lived(5.0, start=start)
    assert closed(told) == [(0.0, 389), (48.0, 390)]  # 30 s, lag 13 s, asked again after 5 s
    assert [at for at, _ in vendor.asked] == [0.0, 43.0, 48.0]  # then nothing is due till tomorrow


def test_a_half_bar_that_still_grows_is_not_told_as_over() -> None:
    def growing(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        *before, last = told
        left = max(OPEN + 390 * MINUTE + 30 * SECOND - now, 0) / SECOND
        return [*before, msgspec.structs.replace(last, volume=last.volume - left)]

    start = OPEN + 389 * MINUTE + 30 * SECOND
    told, vendor = lived(5.0, growing, start=start)
    bars = [f for _, f in told if isinstance(f, BarClosed) and f.time == OPEN + 390 * MINUTE]
    assert [(f.volume, f.corrected) for f in bars] == [(TABLE["IBM"][-1].volume, False)]
    assert [at for at, _ in vendor.asked] == [0.0, 43.0, 48.0, 58.0, 78.0, 118.0]


def test_a_bar_that_does_not_come_is_asked_for_ever_less_often() -> None:
    def without_last(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        return [r for r in told if r.stamp < OPEN + 389 * MINUTE]

    start = OPEN + 389 * MINUTE + 30 * SECOND
    told, vendor = lived(60.0, without_last, start=start)
    assert closed(told) == [(5.0, 389)]
    steps = [b[0] - a[0] for a, b in zip(vendor.asked[2:], vendor.asked[3:], strict=False)]
    assert steps[:4] == [5.0, 10.0, 20.0, 40.0]
    assert max(steps) == 300.0


def test_the_pause_of_a_configuration_is_that_between_two_questions() -> None:
    def without(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        return []

    _, vendor = lived(30.0, without, start=OPEN + 390 * MINUTE - 5 * SECOND, pause=90.0)
    steps = [b[0] - a[0] for a, b in zip(vendor.asked[1:], vendor.asked[2:], strict=False)]
    assert set(steps) == {90.0}


def test_each_answer_is_a_sign_of_life() -> None:
    told, vendor = lived(3.0)
    assert sum(isinstance(f, Heartbeat) for _, f in told) == len(vendor.asked)


def test_what_was_missed_while_the_source_was_down_comes_in_order() -> None:
    def down(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        if OPEN + 6 * MINUTE < now < OPEN + 9 * MINUTE:
            raise LinkError("scripted is away")
        return told

    told, _ = lived(6.0, down)
    assert [minute for _, minute in closed(told)] == [4, 5, 6, 7, 8, 9, 10]
    assert [s for _, s, _ in links(told)] == ["up", "down", "up"]
    assert "scripted is away" in links(told)[1][2]


def test_a_bar_that_changes_after_it_was_told_is_a_correction() -> None:
    def change(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        for row in told:
            is_sixth = row.stamp == OPEN + 5 * MINUTE
            later = now > OPEN + 7 * MINUTE
            yield msgspec.structs.replace(row, volume=777.0) if is_sixth and later else row

    told, _ = lived(4.0, change)
    corrected = [f for _, f in told if isinstance(f, BarClosed) and f.corrected]
    assert [(f.time, f.volume) for f in corrected] == [(OPEN + 6 * MINUTE, 777.0)]


def test_a_last_price_in_a_row_of_its_own_is_no_bar() -> None:
    def with_price(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        return [*told, Row(now // SECOND * SECOND + 7, 9.0, 9.0, 9.0, 9.0, 0.0)]

    told, _ = lived(3.0, with_price)
    assert [minute for _, minute in closed(told)] == [4, 5, 6, 7]
    assert all(f.close != 9.0 for _, f in told if isinstance(f, BarClosed))


def test_bars_outside_the_session_are_left_out() -> None:
    def with_post(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        return [*told, Row(OPEN + 390 * MINUTE, 9.0, 9.0, 9.0, 9.0, 0.0)]

    start = OPEN + 389 * MINUTE + 30 * SECOND
    told, _ = lived(30.0, with_post, start=start)
    assert [minute for _, minute in closed(told)] == [389, 390]


def test_the_same_bar_for_ever_is_told_once() -> None:
    def stuck(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        return [r for r in told if r.stamp <= OPEN + 5 * MINUTE]

    told, _ = lived(30.0, stuck)
    assert [minute for _, minute in closed(told)] == [4, 5, 6]


def test_bars_that_cannot_be_are_told_as_they_came() -> None:
    def crossed(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        for row in told:
            bad = row.stamp == OPEN + 5 * MINUTE
            yield msgspec.structs.replace(row, high=1.0, volume=-3.0) if bad else row

    told, _ = lived(3.0, crossed)
    bad = next(f for _, f in told if isinstance(f, BarClosed) and f.time == OPEN + 6 * MINUTE)
    assert (bad.high, bad.volume) == (1.0, -3.0)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda s, now, told: [*told, Row(OPEN + 60 * MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0)],
            "is of the future",
        ),
        (lambda s, now, told: reversed(told), "comes after that of"),
    ],
)
def test_an_answer_that_cannot_be_gives_no_bar(change: Change, text: str) -> None:
    told, _ = lived(3.0, change)
    assert closed(told) == []
    assert links(told)[0][1] == "degraded"
    assert text in links(told)[0][2]


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"symbol": "AAPL"}, "asked for IBM, got bars of AAPL"),
        ({"period": 5 * MINUTE}, "asked for bars of 1m, got 5m"),
    ],
)
def test_bars_of_another_symbol_or_period_are_not_taken(wrong: dict[str, Any], text: str) -> None:
    class Mixed(Scripted):
        async def bars(self, *asked: Any, **how: Any) -> Answer:
            return msgspec.structs.replace(await super().bars(*asked, **how), **wrong)

    async def main() -> None:
        clock = LoopClock(OPEN + 5 * MINUTE)
        source = Polled(Mixed(clock, TABLE), clock)
        async for fact in source.events(("IBM",), MINUTE):
            assert isinstance(fact, LinkFact)
            assert fact.state == "degraded"
            assert text in fact.reason
            break
        with pytest.raises(BadAnswer, match=text):
            await source.history("IBM", MINUTE, OPEN, OPEN + 5 * MINUTE)

    run(main())


def test_too_many_requests_are_waited_out() -> None:
    def limited(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        if OPEN + 6 * MINUTE < now < OPEN + 8 * MINUTE:
            raise RateLimited("429, too many requests", 120.0)
        return told

    told, vendor = lived(6.0, limited)
    at = next(at for at, s, _ in links(told) if s == "down")
    assert min(a for a, _ in vendor.asked if a > at) == at + 120.0


def test_a_refused_key_ends_the_stream() -> None:
    def refused(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        raise AuthError("the key was refused")

    with pytest.raises(AuthError):
        lived(3.0, refused)


def test_history_is_the_bars_that_are_over() -> None:
    async def main() -> list[int]:
        clock = LoopClock(OPEN + 390 * MINUTE + 5 * SECOND)  # the last one within its lag
        source = Polled(Scripted(clock, TABLE), clock)
        bars = await source.history("IBM", MINUTE, OPEN, OPEN + DAY_NS)
        return [len(bars), (int(bars.close_time[-1]) - OPEN) // MINUTE]

    assert run(main()) == [389, 389]


def test_history_with_a_bar_that_cannot_be_names_it() -> None:
    def crossed(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        return [msgspec.structs.replace(told[0], high=1.0), *told[1:]]

    async def main() -> None:
        clock = LoopClock(OPEN + 60 * MINUTE)
        source = Polled(Scripted(clock, TABLE, crossed), clock)
        with pytest.raises(BadAnswer, match="high of bar 0 is 1"):
            await source.history("IBM", MINUTE, OPEN, OPEN + DAY_NS)

    run(main())


def test_daily_bars_are_told_after_the_close_not_before() -> None:
    day = ns("2026-03-02")
    table = {
        "IBM": tuple(Row(day + i * DAY_NS, 9.0, 11.0, 8.0, 10.0 + i, 5.0) for i in range(-4, 4))
    }
    close = ns("2026-03-02T21:00")
    told, _ = lived(60 * 24, start=OPEN, period=DAY_NS, table=table, length=21 * 60 * MINUTE)
    first = next(f for _, f in told if isinstance(f, BarClosed) and f.time == close)
    at = next(at for at, f in told if f is first)
    assert first.close == 10.0
    assert at * SECOND + OPEN >= close


def test_a_symbol_without_a_calendar_is_asked_about() -> None:
    with pytest.raises(
        ConfigError, match="when the exchange of the symbol 'QQQZX' is open is not known"
    ):
        lived(1.0, symbols=("QQQZX",), table={"QQQZX": ()})


def test_calls_that_a_key_does_not_have_are_refused_at_the_start() -> None:
    with pytest.raises(ConfigError, match="25 calls a day, and 1 symbols of bars 1m take 780"):
        lived(1.0, calls_a_day=25)
    told, _ = lived(1.0, calls_a_day=780)
    assert links(told)[0][1] == "up"


def test_a_vendor_without_the_period_says_which_it_has() -> None:
    async def main() -> None:
        clock = LoopClock(OPEN)
        source = Polled(replace(Scripted(clock, TABLE), periods=(MINUTE, DAY_NS)), clock)
        with pytest.raises(DataError, match="scripted has no bars of 15m; it has 1m, 1d"):
            await source.history("IBM", 15 * MINUTE, OPEN, OPEN + DAY_NS)

    run(main())


def test_two_equal_answers_within_5_s_are_not_enough() -> None:
    def stuck(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        return [r for r in told if r.stamp < OPEN + 5 * MINUTE]

    # The next bar is due 2 s after the first question.
    told, vendor = lived(1.0, stuck, start=OPEN + 6 * MINUTE + 11 * SECOND)
    assert [at for at, _ in vendor.asked[:3]] == [0.0, 2.0, 7.0]
    assert closed(told) == [(7.0, 5)]


def test_an_answer_before_the_lag_is_over_does_not_count() -> None:
    told, vendor = lived(2.0, start=OPEN + 390 * MINUTE + SECOND)
    assert [at for at, _ in vendor.asked] == [0.0, 12.0, 17.0]
    assert closed(told)[-1] == (17.0, 390)


def test_a_vendor_whose_clock_is_ahead_tells_no_bar_before_its_time() -> None:
    def ahead(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        later = next(r for r in TABLE["IBM"] if r.stamp + MINUTE > now + 2 * SECOND)
        return [r for r in TABLE["IBM"] if r.stamp <= later.stamp]

    start = OPEN + 6 * MINUTE - SECOND
    told, _ = lived(0.5, ahead, start=start)
    for at, fact in told:
        if isinstance(fact, BarClosed):
            assert fact.time <= start + at * SECOND


def test_closing_ends_a_stream_that_waits_for_tomorrow() -> None:
    async def main() -> float:
        clock = LoopClock(OPEN + 391 * MINUTE)
        source = Polled(Scripted(clock, TABLE), clock)

        async def take() -> None:
            async for _ in source.events(("IBM",), MINUTE):
                pass

        task = asyncio.create_task(take())
        await asyncio.sleep(600.0)
        await source.close()
        await task
        return clock.tick()

    assert run(main()) == 600.0


def test_a_link_is_as_bad_as_the_worst_of_its_symbols() -> None:
    def one_is_odd(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        if symbol == "MSFT" and now < OPEN + 8 * MINUTE:
            raise BadAnswer("MSFT: garbage")
        return told

    table = dict.fromkeys(("IBM", "MSFT"), TABLE["IBM"])
    told, _ = lived(6.0, one_is_odd, symbols=("IBM", "MSFT"), table=table)
    assert [s for _, s, _ in links(told)] == ["up", "degraded", "up"]
    assert links(told)[2][0] >= 180.0
