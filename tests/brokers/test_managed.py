"""What leaves through the one handle of a broker, and what does not leave any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from intrabar.brokers.managed import Committed, RiskManagedBroker
from intrabar.brokers.sending import Sending
from intrabar.errors import BadAnswer, LinkError, OrderError, Timeout
from intrabar.links.clock import SECOND_NS, LoopClock
from intrabar.links.simulated_time import run
from intrabar.links.worker import in_thread
from intrabar.model.broker_facts import Accepted, Change, OrderFact, Ref, Refused, Request, Unknown
from intrabar.model.facts import LinkFact

START = 1_700_000_000 * SECOND_NS
ORDER = Sending("0a1b2c-0-0", (Request("0a1b2c-0-0", "A", 1, "market", 1.0),))
REF = Ref(ORDER.group[0])
CANCEL = Sending("0a1b2c-0-0", ref=REF)
CHANGE = Sending("0a1b2c-0-0", change=Change(2.0), ref=REF)


class Wire:
    """A broker that notes what reaches it, and does with it what it is told."""

    def __init__(self, does: Callable[[], Coroutine[Any, Any, Any]] | None = None) -> None:
        self.does, self.reached, self.asked = does, 0, 0

    async def submit(self, group: tuple[Request, ...]) -> Any:
        self.reached += 1
        return tuple(Accepted("1") for _ in group) if self.does is None else await self.does()

    async def replace(self, ref: Ref, change: Change) -> Any:
        return (await self.submit(ORDER.group))[0]

    async def cancel(self, ref: Ref) -> Any:
        return (await self.submit(ORDER.group))[0]

    async def find(self, ref: Ref) -> OrderFact | None:
        self.asked += 1
        if self.asked < 3:
            raise LinkError("gone")
        return None


class World:
    """A wire, its handle, and a clock of its own."""

    def __init__(self, wire: Wire, until: int = START + 30 * SECOND_NS) -> None:
        self.wire, self.clock, self.until = wire, LoopClock(START), until
        self.told: list[LinkFact] = []
        lease = lambda: self.until  # noqa: E731
        self.broker = RiskManagedBroker(wire, self.clock, lease, self.told.append)  # type: ignore[arg-type]

    @property
    def now(self) -> Committed:
        return Committed(self.clock.now(), self.clock.tick())

    async def send(self, sending: Sending = ORDER, **more: Any) -> Any:
        (outcome,) = await self.broker.send(sending, more.pop("committed", self.now), **more)
        return outcome


def passes(now: int) -> None:
    return None


async def raising(error: Exception) -> Any:
    raise error


def test_what_may_leave_leaves() -> None:
    async def main() -> None:
        world = World(Wire())
        for sending in (ORDER, CANCEL, CHANGE):
            assert await world.send(sending) == Accepted("1")
        assert world.wire.reached == 3

    run(main())


@pytest.mark.parametrize(
    ("wall", "tick"),
    [(-4.0, 0.0), (0.0, -4.0), (4.0, 0.0)],
    ids=["the clock was set", "the machine was slow", "the clock was put back"],
)
@pytest.mark.parametrize("sending", [ORDER, CANCEL, CHANGE])
def test_what_comes_late_to_the_wire_does_not_leave(
    sending: Sending, wall: float, tick: float
) -> None:
    async def main() -> None:
        world = World(Wire())
        at = world.now
        late = Committed(at.wall + int(wall * SECOND_NS), at.tick + tick)
        outcome = await world.send(sending, committed=late)
        assert isinstance(outcome, Refused)
        assert outcome.not_sent
        assert world.wire.reached == 0

    run(main())


def test_at_three_seconds_it_still_leaves_and_later_not() -> None:
    async def main() -> None:
        world = World(Wire())
        at = world.now
        edge = Committed(at.wall - 3 * SECOND_NS, at.tick - 3.0)
        assert await world.send(committed=edge) == Accepted("1")
        beyond = Committed(at.wall - 3 * SECOND_NS - 1, at.tick - 3.0)
        assert (await world.send(committed=beyond)).not_sent

    run(main())


def test_without_ten_seconds_of_lease_nothing_leaves_but_an_emergency() -> None:
    async def main() -> None:
        world = World(Wire(), START + 10 * SECOND_NS - 1)
        assert (await world.send()).not_sent
        assert await world.send(holds_lease=False) == Accepted("1")
        world.until += 1
        assert await world.send() == Accepted("1")

    run(main())


def test_the_second_look_is_at_what_adds_alone() -> None:
    async def main() -> None:
        world = World(Wire())
        no = Refused("breaker")
        assert await world.send(refuse=lambda now: no) == no
        assert world.wire.reached == 0
        assert await world.send(refuse=passes) == Accepted("1")
        assert await world.send() == Accepted("1")

    run(main())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Timeout("x"), Unknown),
        (BadAnswer("x"), Unknown),
        (KeyError("status"), Unknown),
        (OrderError("off the tick"), Refused),
    ],
)
def test_what_goes_wrong_on_the_wire_is_unknown(error: Exception, kind: type) -> None:
    async def main() -> None:
        world = World(Wire(lambda: raising(error)))
        for sending in (ORDER, CANCEL, CHANGE):
            outcome = await world.send(sending)
            assert isinstance(outcome, kind)
            assert str(error).strip("'") in outcome.text

    run(main())


def test_too_few_answers_are_none() -> None:
    async def nothing() -> Any:
        return ()

    async def main() -> None:
        world = World(Wire(nothing))
        assert isinstance(await world.send(), Unknown)

    run(main())


def test_a_call_that_ends_when_it_is_given_up_is_unknown() -> None:
    async def hang() -> Any:
        await asyncio.sleep(100)

    async def main() -> None:
        world = World(Wire(hang))
        assert isinstance(await world.send(), Unknown)
        assert 10.0 <= world.clock.tick() < 10.2
        assert not world.broker.is_stuck
        assert not world.told

    run(main())


def test_a_call_that_does_not_return_keeps_entries_back_and_nothing_else() -> None:
    done = asyncio.Event()

    async def deaf() -> Any:
        while not done.is_set():
            try:
                await done.wait()
            except asyncio.CancelledError:
                continue
        return (Accepted("late"),)

    async def main() -> None:
        world = World(Wire(deaf))
        assert isinstance(await world.send(), Unknown)
        assert world.broker.is_stuck
        assert [fact.state for fact in world.told] == ["degraded"]
        world.wire.does = None
        world.until += 100 * SECOND_NS
        assert (await world.send(refuse=passes)).not_sent
        assert await world.send(CANCEL) == Accepted("1")
        done.set()
        await asyncio.sleep(1)
        assert not world.broker.is_stuck
        assert [fact.state for fact in world.told] == ["degraded", "syncing"]
        assert await world.send(refuse=passes) == Accepted("1")

    run(main())


def test_a_thread_that_hangs_is_seen() -> None:
    """What cannot be cancelled is waited for by its adapter: it says so by not ending."""

    async def work() -> Any:
        call = asyncio.ensure_future(in_thread(lambda: None))
        try:
            await asyncio.sleep(11)
        except asyncio.CancelledError:
            await asyncio.sleep(1)
        await call
        return (Accepted("late"),)

    async def main() -> None:
        world = World(Wire(work))
        assert isinstance(await world.send(), Unknown)
        assert world.broker.is_stuck

    run(main())


def test_five_failures_hold_entries_back_and_an_exit_is_the_probe() -> None:
    async def main() -> None:
        world = World(Wire(lambda: raising(Timeout("x"))), START + 1000 * SECOND_NS)
        for _ in range(5):
            await world.send(refuse=passes)
        outcome = await world.send(refuse=passes)
        assert outcome.not_sent
        assert "broker_down" in outcome.text
        assert world.wire.reached == 5
        world.wire.does = None
        assert await world.send() == Accepted("1")
        assert await world.send(refuse=passes) == Accepted("1")

    run(main())


def test_a_read_is_tried_again() -> None:
    async def main() -> None:
        world = World(Wire())
        assert await world.broker.find(REF) is None
        assert world.wire.asked == 3

    run(main())
