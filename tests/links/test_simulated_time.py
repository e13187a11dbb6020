"""The simulated loop: a day takes no time, and order is that of the day."""

from __future__ import annotations

import asyncio
import time

import pytest

from intrabar.links.clock import LoopClock
from intrabar.links.simulated_time import SimLoop, run


def test_a_day_of_waiting_takes_no_time_and_keeps_its_order() -> None:
    told: list[tuple[str, float]] = []

    async def wait(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        told.append((name, asyncio.get_running_loop().time()))

    async def main() -> int:
        clock = LoopClock(10**18)
        await asyncio.gather(wait("day", 86_400.0), wait("hour", 3600.0), wait("second", 1.0))
        return clock.now()

    started = time.monotonic()
    assert run(main()) == 10**18 + 86_400 * 10**9
    assert told == [("second", 1.0), ("hour", 3600.0), ("day", 86_400.0)]
    assert time.monotonic() - started < 5.0


def test_a_timer_after_a_year_comes() -> None:
    # A float of 17 million seconds is coarser than a nanosecond.
    async def main() -> float:
        for _ in range(400):
            await asyncio.sleep(86_400.1)
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx(400 * 86_400.1)


def test_time_stands_still_while_a_worker_is_at_work() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        asyncio.get_running_loop().call_later(3600.0, done.set)
        await asyncio.to_thread(sum, range(300_000))
        assert not done.is_set()
        return loop.time()

    assert run(main()) == 0.0


def test_a_deadline_of_an_hour_is_met_at_once() -> None:
    async def main() -> None:
        await asyncio.wait_for(asyncio.Event().wait(), 3600.0)

    with pytest.raises(TimeoutError):
        run(main())


def test_a_socket_answers_before_time_goes_on() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    async def main() -> tuple[bytes, float]:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"ping\n")
        line = await reader.readline()
        writer.close()
        server.close()
        return line, asyncio.get_running_loop().time()

    assert run(main()) == (b"ping\n", 0.0)


def test_nothing_to_wait_for_is_told_not_hung(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intrabar.links.simulated_time._STUCK", 0.01)
    loop = SimLoop()
    with pytest.raises(RuntimeError, match="waits for nothing"):
        loop.run_until_complete(asyncio.Event().wait())
    loop.close()
