"""Retry, circuit, bucket and deadline, in virtual time."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest

from intrabar.errors import AuthError, LinkError, NotFoundError, RateLimited, Timeout
from intrabar.links.clock import LoopClock
from intrabar.links.lines import Bucket, Circuit, Line, delay, within
from intrabar.links.simulated_time import run
from intrabar.links.worker import in_thread
from tests.own_process import python


def line(**given: object) -> Line:
    clock = LoopClock(0)
    return Line("vendor", clock, Bucket(1000, 1.0, clock), **given)  # type: ignore[arg-type]


def failing(times: int, error: Exception) -> tuple[list[float], Callable[[], Awaitable[str]]]:
    """A call that fails so many times, and when it was made."""
    asked: list[float] = []

    async def call() -> str:
        asked.append(asyncio.get_running_loop().time())
        if len(asked) <= times:
            raise error
        return "answer"

    return asked, call


def test_the_delay_doubles_with_less_up_to_a_half_and_ends_at_a_minute() -> None:
    chance = random.Random(1)
    for attempt in range(40):
        least = min(60.0, 0.5 * 2.0**attempt) / 2.0
        assert least <= delay(attempt, chance) <= 2.0 * least
    assert delay(3, random.Random(7)) == delay(3, random.Random(7))


def test_a_read_is_tried_again_four_times() -> None:
    asked, call = failing(4, LinkError("away"))

    async def main() -> str:
        return await line().read(call, "bars")

    assert run(main()) == "answer"
    assert len(asked) == 5
    steps = [b - a for a, b in pairwise(asked)]
    assert all(0.25 * 2**n <= s <= 0.5 * 2**n + 1e-9 for n, s in enumerate(steps))


@pytest.mark.parametrize(
    "error", [AuthError("the key was refused"), RateLimited("25 a day", 3600.0)]
)
def test_what_no_retry_can_cure_is_not_tried_again(error: LinkError) -> None:
    asked, call = failing(9, error)

    async def main() -> None:
        await line().read(call, "bars")

    with pytest.raises(type(error)):
        run(main())
    assert len(asked) == 1


def test_a_vendor_says_how_long_to_wait() -> None:
    asked, call = failing(1, RateLimited("5 a minute", 42.0))

    async def main() -> str:
        return await line().read(call, "bars")

    assert run(main()) == "answer"
    assert asked == [0.0, 42.0]


def test_nobody_waits_longer_than_a_minute_for_a_call_of_his_own_budget() -> None:
    asked, call = failing(0, LinkError(""))

    async def main() -> None:
        clock = LoopClock(0)
        made = Line("vendor", clock, Bucket(2, 300.0, clock))
        await made.read(call, "bars")
        await clock.sleep(250.0)
        await made.read(call, "bars")
        await made.read(call, "bars")  # after 50 s
        with pytest.raises(RateLimited, match=r"vendor: bars: .* used up; .* in 250 s") as error:
            await made.read(call, "bars")
        assert error.value.after == 250.0
        assert not made.circuit.is_open

    run(main())
    assert asked == [0.0, 250.0, 300.0]


def test_an_answer_has_a_deadline() -> None:
    async def never() -> str:
        await asyncio.Event().wait()
        return ""

    async def main() -> None:
        await line(seconds=10.0, tries=1).read(never, "bars of ACME")

    with pytest.raises(Timeout, match="vendor: bars of ACME: no answer in 10 s"):
        run(main())


def test_a_circuit_opens_after_five_failures_and_lets_one_probe_pass_after_30_s() -> None:
    async def main() -> None:
        clock = LoopClock(0)
        circuit = Circuit("vendor", clock)
        for _ in range(5):
            circuit.enter()
            circuit.failed()
        with pytest.raises(LinkError, match="failed 5 of 5 times and is not asked"):
            circuit.enter()
        await clock.sleep(30.0)
        circuit.enter()  # the probe
        with pytest.raises(LinkError):
            circuit.enter()  # one only
        circuit.failed()
        await clock.sleep(29.0)
        with pytest.raises(LinkError):
            circuit.enter()
        await clock.sleep(1.0)
        circuit.enter()
        circuit.succeeded()
        circuit.enter()
        assert not circuit.is_open

    run(main())


def test_a_circuit_opens_where_half_of_twenty_fail() -> None:
    async def main() -> None:
        circuit = Circuit("vendor", LoopClock(0))
        for at in range(20):
            assert not circuit.is_open
            circuit.enter()
            (circuit.failed, circuit.succeeded)[at % 2]()
        circuit.failed()
        with pytest.raises(LinkError, match="failed 10 of 20 times and is not asked"):
            circuit.enter()

    run(main())


def test_a_bucket_never_lets_more_pass_than_it_may() -> None:
    passed: list[float] = []

    async def main() -> None:
        clock = LoopClock(0)
        bucket = Bucket(5, 60.0, clock)

        async def one() -> None:
            await bucket.take()
            passed.append(clock.tick())

        await asyncio.gather(*(one() for _ in range(17)))

    run(main())
    assert len(passed) == 17
    assert all(b - a >= 60.0 for a, b in zip(passed, passed[5:], strict=False))
    assert passed[4] == 0.0
    assert passed[16] == 180.0


def test_a_probe_that_is_answered_with_a_refusal_closes_the_circuit() -> None:
    async def main() -> None:
        clock = LoopClock(0)
        made = Line("vendor", clock, Bucket(1000, 1.0, clock), tries=1)
        answers: list[Exception] = [LinkError("away")] * 5 + [NotFoundError("symbol", "X", ())]

        async def call() -> str:
            if answers:
                raise answers.pop(0)
            return "answer"

        for _ in range(5):
            with pytest.raises(LinkError, match="away"):
                await made.read(call, "bars")
        await clock.sleep(30.0)
        with pytest.raises(NotFoundError):
            await made.read(call, "bars")
        assert not made.circuit.is_open
        assert await made.read(call, "bars") == "answer"

    run(main())


def test_a_probe_that_is_given_up_leaves_room_for_the_next() -> None:
    async def main() -> None:
        clock = LoopClock(0)
        made = Line("vendor", clock, Bucket(1000, 1.0, clock), tries=1)

        async def away() -> str:
            raise LinkError("away")

        async def never() -> str:
            await asyncio.Event().wait()
            return ""

        async def answer() -> str:
            return "answer"

        for _ in range(5):
            with pytest.raises(LinkError):
                await made.read(away, "bars")
        await clock.sleep(30.0)
        probe = asyncio.create_task(made.read(never, "bars"))
        await clock.sleep(1.0)
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        assert await made.read(answer, "bars") == "answer"

    run(main())


def test_a_thread_that_hangs_holds_up_neither_the_call_nor_the_end() -> None:
    """In real time: 5 s that nobody waits for."""
    hung = threading.Event()
    started = time.monotonic()

    async def main() -> None:
        with pytest.raises(Timeout):
            await within(0.05, in_thread(lambda: hung.wait(5.0)), "vendor: bars")

    asyncio.run(main())
    assert time.monotonic() - started < 2.0
    hung.set()


def test_what_a_thread_raises_is_raised() -> None:
    with pytest.raises(LinkError, match="away"):
        run(in_thread(lambda: (_ for _ in ()).throw(LinkError("away"))))


def test_the_time_of_a_simulated_loop_stands_still_while_a_thread_is_at_work() -> None:
    async def main() -> float:
        late: list[bool] = []
        asyncio.get_running_loop().call_later(3600.0, late.append, True)
        await in_thread(lambda: sum(range(300_000)))
        assert not late
        return asyncio.get_running_loop().time()

    assert run(main()) == 0.0


def test_a_process_ends_though_a_thread_hangs(tmp_path: Path) -> None:
    code = (
        "import asyncio, threading\n"
        "from intrabar.errors import Timeout\n"
        "from intrabar.links.lines import within\n"
        "from intrabar.links.worker import in_thread\n"
        "try:\n"
        "    asyncio.run(within(0.05, in_thread(lambda: threading.Event().wait(600.0)), 'bars'))\n"
        "except Timeout:\n"
        "    print('ended')\n"
    )
    assert python("-c", code, folder=tmp_path) == "ended\n"


def test_who_is_cancelled_as_the_answer_comes_ends() -> None:
    """`asyncio.wait_for` of Python 3.11 gives the answer, and what was cancelled goes on."""

    async def main() -> None:
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        asking = asyncio.ensure_future(within(5.0, answer, "it"))
        await asyncio.sleep(0)
        answer.set_result(1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(main())
