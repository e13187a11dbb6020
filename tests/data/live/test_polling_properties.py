"""Whatever a vendor answers for a while, no wrong bar is told, and all are right in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.data.live.polling import Polled
from intrabar.errors import BadAnswer, LinkError, RateLimited
from intrabar.links.clock import LoopClock
from intrabar.links.simulated_time import run
from intrabar.links.vendor import Row
from intrabar.model.facts import BarClosed, LinkFact
from tests.data.live.samples import MINUTE, SECOND, Scripted, ns, rows

OPEN = ns("2026-03-02T14:30")
TABLE = {"IBM": rows("2026-03-02", MINUTE, 390), "MSFT": rows("2026-03-02", MINUTE, 390, 50.0)}
WAYS = (
    *("sound", "down", "bad", "limited", "empty", "old", "last price", "half", "future"),
    *("reversed", "missing", "outside"),
)


@settings(max_examples=100)
@given(
    ways=st.lists(st.sampled_from(WAYS), max_size=14),
    start=st.integers(0, 386 * 60),
    pause=st.sampled_from([None, 5.0, 20.0]),
)
def test_no_bar_is_wrong_and_none_is_lost(ways: list[str], start: int, pause: float | None) -> None:
    left = list(ways)
    first = OPEN + start * SECOND

    def change(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        way = left.pop(0) if left else "sound"
        price = told[-1].close if told else 1.0
        match way:
            case "down":
                raise LinkError("away")
            case "bad":
                raise BadAnswer("garbage")
            case "limited":
                raise RateLimited("429", 30.0)
            case "empty":
                return ()
            case "old":
                return [r for r in told if r.stamp < now - 3 * MINUTE]
            case "last price":
                return [*told, Row(now + 1, price, price, price, price, 0.0)]
            case "half":  # the newest bar still grows
                grown = float(now // SECOND % 10_000)
                return [*told[:-1], *(msgspec.structs.replace(r, volume=grown) for r in told[-1:])]
            case "future":
                return [*told, Row(now // MINUTE * MINUTE + 9 * MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0)]
            case "reversed":
                return told[::-1]
            case "missing":
                return told[:-1]
            case "outside":
                return [*told, Row(OPEN + 391 * MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0)]
        return told

    async def main() -> tuple[dict[tuple[str, int], BarClosed], list[str]]:
        clock = LoopClock(first)
        source = Polled(Scripted(clock, TABLE, change), clock, pause=pause)
        final: dict[tuple[str, int], BarClosed] = {}
        newest: dict[str, int] = {}
        states: list[str] = []

        async def take() -> None:
            async for fact in source.events(("IBM", "MSFT"), MINUTE):
                if isinstance(fact, LinkFact):
                    states.append(fact.state)
                if not isinstance(fact, BarClosed):
                    continue
                assert fact.time <= clock.now()
                assert fact.corrected == ((fact.symbol, fact.time) in final)
                if not fact.corrected:
                    assert fact.time > newest.get(fact.symbol, 0)
                    newest[fact.symbol] = fact.time
                final[fact.symbol, fact.time] = fact

        task = asyncio.create_task(take())
        await asyncio.sleep(1800.0)
        assert not task.done() or task.exception() is None
        task.cancel()
        return final, states

    final, states = run(main())
    end = first + 1800 * SECOND
    for symbol, table in TABLE.items():
        due = [
            r for r in table if first < r.stamp + MINUTE <= min(end - MINUTE, OPEN + 390 * MINUTE)
        ]
        for row in due:
            bar = final[symbol, row.stamp + MINUTE]
            assert (bar.open, bar.high, bar.low, bar.close) == (
                row.open,
                row.high,
                row.low,
                row.close,
            )
            assert bar.volume == row.volume
    assert states[-1:] in ([], ["up"])
