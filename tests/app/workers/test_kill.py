"""The file KILL and the signal: each kills once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from intrabar.app.workers.kill import KILL, OBEYED, on_kill_signal, watch_kill
from intrabar.errors import StateError
from intrabar.links.clock import LoopClock
from intrabar.links.simulated_time import run as in_virtual_time


def killed(folder: Path, script: Callable[[LoopClock], Awaitable[None]]) -> list[str]:
    told: list[str] = []

    async def kill(text: str) -> None:
        told.append(text)

    async def main() -> None:
        clock = LoopClock(0)
        watch = asyncio.create_task(watch_kill(folder, clock, kill))
        await script(clock)
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)

    in_virtual_time(main())
    return told


def test_a_file_kills_within_a_second_and_once(tmp_path: Path) -> None:
    async def script(clock: LoopClock) -> None:
        await clock.sleep(10.5)
        (tmp_path / KILL).touch()
        await clock.sleep(1.0)
        assert not (tmp_path / KILL).exists()
        await clock.sleep(10.0)
        (tmp_path / KILL).write_text("too hot\n")
        await clock.sleep(5.0)

    assert killed(tmp_path, script) == ["the file KILL", "too hot"]
    assert (tmp_path / OBEYED).read_text() == "too hot\n"


def test_a_file_that_cannot_be_set_aside_kills_once(tmp_path: Path) -> None:
    (tmp_path / OBEYED / "full").mkdir(parents=True)  # nothing can take its place
    (tmp_path / KILL).write_text("now")

    async def script(clock: LoopClock) -> None:
        await clock.sleep(5.0)
        (tmp_path / KILL).write_text("again")
        await clock.sleep(5.0)

    assert killed(tmp_path, script) == ["now", "again"]


def test_a_file_that_comes_when_it_has_ended_waits_for_the_next_start(tmp_path: Path) -> None:
    (tmp_path / KILL).touch()

    async def kill(text: str) -> None:
        raise StateError("it has ended")

    in_virtual_time(watch_kill(tmp_path, LoopClock(0), kill))
    assert (tmp_path / KILL).exists()


def test_recorded_bars_look_once(tmp_path: Path) -> None:
    async def kill(text: str) -> None:
        raise AssertionError("there is no file")

    in_virtual_time(watch_kill(tmp_path, LoopClock(0), kill, once=True))


def test_in_another_thread_nobody_hears_a_signal() -> None:
    async def main() -> None:
        on_kill_signal(lambda: None)()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, main()).result(10)


def test_a_signal_kills() -> None:
    async def main() -> None:
        killed = asyncio.Event()
        undo = on_kill_signal(killed.set)
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.wait_for(killed.wait(), 5)
        undo()

    asyncio.run(main())
