"""Calls that block, in threads that nobody waits for at the end.

A call that outlives its deadline is left alone: it holds up neither the loop nor the end of the
process, as the threads of an executor would.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from intrabar.links.simulated_time import SimLoop

_T = TypeVar("_T")


@contextlib.contextmanager
def outside() -> Iterator[None]:
    """A wait for somebody else on a socket: the time of a `SimLoop` stands still meanwhile."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, SimLoop):
        yield
        return
    loop.at_work += 1
    try:
        yield
    finally:
        loop.at_work -= 1


async def in_thread(call: Callable[[], _T]) -> _T:
    """What a blocking call returns or raises; the time of a `SimLoop` stands still meanwhile."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()

    def settle(result: _T | None, error: BaseException | None) -> None:
        if isinstance(loop, SimLoop):
            loop.at_work -= 1
        if future.done():  # given up
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def work() -> None:
        result, error = None, None
        try:
            result = call()
        except BaseException as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, error)

    if isinstance(loop, SimLoop):
        loop.at_work += 1
    threading.Thread(target=work, daemon=True).start()
    return await future
