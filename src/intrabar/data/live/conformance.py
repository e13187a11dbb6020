"""Tests that every source of bars passes: inherit them, and name a maker.

::

    class TestMine(SourceConformance):
        make = staticmethod(my_case)

`my_case()` returns a `Case`; it is called anew for each test, inside the loop that the test runs
in (`links.simulated_time.run`, unless `run` is another).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar

from intrabar.errors import DataError, LinkError, NotFoundError
from intrabar.links.clock import Clock
from intrabar.links.simulated_time import run
from intrabar.links.source import BarSource
from intrabar.model.bars import DAY_NS, Bars
from intrabar.model.facts import BarClosed, BarOpened, Fact, LinkFact

__all__ = ["Case", "SourceConformance"]


@dataclass(frozen=True)
class Case:
    """A source to test, and what it has.

    Parameters
    ----------
    source : BarSource
    clock : Clock
        The source's own.
    symbols : tuple of str
        Two or more that it knows.
    period : int, ns
        One that it has.
    start : int, ns UTC
        At least three bars of each symbol close between it and now, and three of each later.
    unknown : str
        A symbol that it does not know.
    """

    source: BarSource
    clock: Clock
    symbols: tuple[str, ...]
    period: int
    start: int
    unknown: str = "NO-SUCH-SYMBOL"


class SourceConformance:
    """What a source promises; `make` is the only thing to give."""

    make: ClassVar[Any]  # () -> Case
    run: ClassVar[Any] = staticmethod(run)  # runs a coroutine to its end

    def _with(self, test: Callable[[Case], Coroutine[Any, Any, None]]) -> None:
        async def main() -> None:
            case = self.make()
            try:
                await test(case)
            finally:
                await case.source.close()

        self.run(main())

    def test_it_says_what_it_can(self) -> None:  # noqa: D102
        async def test(case: Case) -> None:
            can = case.source.can
            assert can.opens in ("forming", "prints", "none")
            assert can.lag >= 0.0
            assert all(0 < p <= DAY_NS for p in can.periods)
            assert not can.periods or case.period in can.periods
            assert case.source.can == can

        self._with(test)

    def test_history_is_what_closed_in_time(self) -> None:  # noqa: D102
        async def test(case: Case) -> None:
            now = case.clock.now()
            for symbol in case.symbols:
                bars = await _history(case, symbol)
                assert bars.symbol == symbol
                assert bars.period == case.period
                assert len(bars) >= 3
                assert case.start <= bars.close_time[0]
                assert bars.close_time[-1] <= now
                assert (bars.close_time[1:] > bars.close_time[:-1]).all()
                if case.period < DAY_NS:
                    assert (bars.close_time - bars.open_time == case.period).all()

        self._with(test)

    def test_history_keeps_to_its_ends_both_included(self) -> None:  # noqa: D102
        async def test(case: Case) -> None:
            symbol = case.symbols[0]
            bars = await _history(case, symbol)
            first, last = int(bars.close_time[1]), int(bars.close_time[-1])
            part = await case.source.history(symbol, case.period, first, last)
            assert part.close_time.tolist() == bars.close_time[1:].tolist()
            less = await case.source.history(symbol, case.period, first + 1, last - 1)
            assert less.close_time.tolist() == bars.close_time[2:-1].tolist()

        self._with(test)

    def test_history_knows_nothing_of_the_future(self) -> None:  # noqa: D102
        async def test(case: Case) -> None:
            now = case.clock.now()
            far = now + 3650 * DAY_NS
            bars = await case.source.history(case.symbols[0], case.period, case.start, far)
            assert bars.close_time[-1] <= case.clock.now()
            await _raises(
                DataError,
                case.source.history(case.symbols[0], case.period, far, far + case.period),
            )

        self._with(test)

    def test_an_unknown_symbol_is_said_to_be_unknown(self) -> None:  # noqa: D102
        async def test(case: Case) -> None:
            source, period = case.source, case.period
            now = case.clock.now()
            await _raises(NotFoundError, source.history(case.unknown, period, case.start, now))
            await _raises(NotFoundError, source.quote(case.unknown))
            await _raises(NotFoundError, _first(source.events((case.unknown,), period), 9))

        self._with(test)

    def test_a_period_that_it_lacks_is_refused(self) -> None:  # noqa: D102
        async def test(case: Case) -> None:
            if not case.source.can.periods:
                return
            odd = 7_777_777_777
            now = case.clock.now()
            symbol = case.symbols[0]
            await _raises(DataError, case.source.history(symbol, odd, case.start, now))
            await _raises(DataError, _first(case.source.events((symbol,), odd), 9))

        self._with(test)

    def test_bars_come_when_they_are_over_and_in_order(self) -> None:  # noqa: D102
        async def test(case: Case) -> None:
            newest = dict.fromkeys(case.symbols, 0)
            for fact, at in await _bars(case, 3):
                if isinstance(fact, BarClosed) and not fact.corrected:
                    assert fact.symbol in newest
                    assert fact.time <= at
                    assert fact.time > newest[fact.symbol]
                    newest[fact.symbol] = fact.time

        self._with(test)

    def test_bars_are_those_of_history(self) -> None:  # noqa: D102
        async def test(case: Case) -> None:
            told = {
                (fact.symbol, fact.time): fact
                for fact, _ in await _bars(case, 3)
                if isinstance(fact, BarClosed)
            }
            for symbol in case.symbols:
                bars = await _history(case, symbol)
                rows = {int(t): i for i, t in enumerate(bars.close_time)}
                mine = [fact for (name, _), fact in told.items() if name == symbol]
                assert mine
                for fact in mine:
                    i = rows[fact.time]
                    have = (fact.open, fact.high, fact.low, fact.close, fact.volume)
                    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
                    assert have == tuple(float(c[i]) for c in columns)

        self._with(test)

    def test_the_stream_overlaps_what_history_has_at_its_start(self) -> None:  # noqa: D102
        async def test(case: Case) -> None:
            before = {s: int((await _history(case, s)).close_time[-1]) for s in case.symbols}
            first: dict[str, int] = {}
            for fact, _ in await _bars(case, 2):
                if isinstance(fact, BarClosed):
                    first.setdefault(fact.symbol, fact.time)
            for symbol in case.symbols:
                if first[symbol] <= before[symbol]:
                    continue
                later = await case.source.history(
                    symbol, case.period, before[symbol], first[symbol]
                )
                # No bar lies between: the stream begins with the last one, or with the next.
                assert len(later) <= 2

        self._with(test)

    def test_opens_come_before_their_bars_where_it_has_them(self) -> None:  # noqa: D102
        async def test(case: Case) -> None:
            opened: dict[tuple[str, int], float] = {}
            seen = set()
            for fact, at in await _bars(case, 3):
                if isinstance(fact, BarOpened):
                    assert (fact.symbol, fact.time) not in seen
                    assert at <= fact.time
                    opened[fact.symbol, fact.time] = fact.open
                elif isinstance(fact, BarClosed):
                    seen.add((fact.symbol, fact.time))
                    if (fact.symbol, fact.time) in opened:
                        assert opened[fact.symbol, fact.time] == fact.open
            assert bool(opened) == (case.source.can.opens != "none")

        self._with(test)

    def test_the_stream_says_that_it_is_up_before_the_first_bar(self) -> None:  # noqa: D102
        async def test(case: Case) -> None:
            for fact, _ in await _bars(case, 1):
                if isinstance(fact, LinkFact) and fact.state == "up":
                    return
                assert not isinstance(fact, BarClosed | BarOpened)

        self._with(test)

    def test_a_quote_is_of_the_past_and_finite(self) -> None:  # noqa: D102
        async def test(case: Case) -> None:
            if not case.source.can.quotes:
                await _raises(NotFoundError, case.source.quote(case.symbols[0]))
                return
            quote = await case.source.quote(case.symbols[0])
            assert quote.symbol == case.symbols[0]
            assert 0 < quote.time <= case.clock.now()
            for value in (quote.price, quote.bid, quote.ask):
                assert value is None or (math.isfinite(value) and value > 0.0)
            assert quote.volume is None or quote.volume >= 0.0

        self._with(test)

    def test_it_can_be_closed_twice(self) -> None:  # noqa: D102
        async def test(case: Case) -> None:
            await case.source.close()

        self._with(test)

    def test_a_stream_ends_within_two_bars_of_the_close(self) -> None:  # noqa: D102
        async def test(case: Case) -> None:
            closed = 0
            async for fact in case.source.events(case.symbols, case.period):
                if isinstance(fact, BarClosed) and not closed:
                    await case.source.close()
                    closed = case.clock.now()
                assert not closed or case.clock.now() <= closed + 2 * case.period
            assert closed

        self._with(test)


async def _history(case: Case, symbol: str) -> Bars:
    return await case.source.history(symbol, case.period, case.start, case.clock.now())


async def _first(events: Any, count: int) -> list[Fact]:
    found: list[Fact] = []
    async for fact in events:
        found.append(fact)
        if len(found) == count:
            break
    return found


async def _bars(case: Case, each: int) -> list[tuple[Fact, int]]:
    """Facts and when they came, until there are so many bars of each symbol."""
    found: list[tuple[Fact, int]] = []
    left = dict.fromkeys(case.symbols, each)
    events = case.source.events(case.symbols, case.period)
    async for fact in events:
        found.append((fact, case.clock.now()))
        if isinstance(fact, BarClosed) and fact.symbol in left:
            left[fact.symbol] -= 1
        if all(n <= 0 for n in left.values()):
            break
    await events.aclose()  # type: ignore[attr-defined]
    return found


async def _raises(kind: type[Exception], call: Coroutine[Any, Any, Any]) -> None:
    try:
        await call
    except kind as error:
        if not str(error):
            raise AssertionError(f"{kind.__name__} says nothing") from error
        return
    except LinkError as error:
        raise AssertionError(f"{kind.__name__} was due, not {error!r}") from error
    raise AssertionError(f"{kind.__name__} was due")
