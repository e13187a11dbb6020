"""Two ways to kill a session without its socket: a file in its folder, and a signal."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from intrabar.errors import StateError
from intrabar.links.clock import Clock

KILL = "KILL"
OBEYED = "KILL.obeyed"


def kill_file(folder: Path) -> str | None:
    """What the file `KILL` of a session's folder says, "" where it is empty; None: no such file."""
    try:
        with open(folder / KILL, "rb") as file:
            return file.read(1_000).decode(errors="replace").strip()
    except FileNotFoundError:
        return None
    except OSError:
        return ""  # it is there, and that counts


def set_aside(folder: Path) -> None:
    """Set the file `KILL` aside when its kill is committed, so that it counts once."""
    with suppress(OSError):  # it stays where the folder cannot be written: kill once more
        os.replace(folder / KILL, folder / OBEYED)


async def watch_kill(
    folder: Path, clock: Clock, kill: Callable[[str], Awaitable[object]], once: bool = False
) -> None:
    """Look each second whether there is a file `KILL`; `kill` is given its text, and commits.

    `once` is for recorded bars, whose seconds are none: the file counts at the start.
    """
    seen = None
    while True:
        text = kill_file(folder)
        if text is not None and text != seen:
            try:
                await kill(text or "the file KILL")
            except StateError:
                return  # it has ended meanwhile: the file counts at the next start
            set_aside(folder)
            seen = kill_file(folder)  # None, but where it could not be set aside
        elif text is None:
            seen = None
        if once:
            return
        await clock.sleep(1.0)


def on_kill_signal(kill: Callable[[], object]) -> Callable[[], None]:
    """Call `kill` in the running loop at SIGUSR1; to undo it, call what this returns.

    Only the main thread of a process hears signals, and not every system has this one: elsewhere
    nothing happens, and the socket and the file KILL remain.
    """
    number = getattr(signal, "SIGUSR1", None)
    loop = asyncio.get_running_loop()
    if number is None or threading.current_thread() is not threading.main_thread():
        return lambda: None
    loop.add_signal_handler(number, kill)

    def undo() -> None:
        loop.remove_signal_handler(number)

    return undo
