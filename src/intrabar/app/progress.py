"""A progress bar for people, on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from intrabar.kernel import NOT_KEPT, is_warm

Shown = Callable[[int, int], None] | None


@contextmanager
def bar(stream: TextIO, counted: str = "bars") -> Iterator[Shown]:
    """Something to call with how many are done, and of how many; None where nobody watches."""
    if NOT_KEPT:
        told = f"compiling the market for this run alone: {NOT_KEPT}; set INTRABAR_CACHE"
        print(f"{told} to a folder that can be written", file=stream, flush=True)
    elif not is_warm():
        print("compiling the market once (about half a minute) ...", file=stream, flush=True)
    if not stream.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(file=stream), transient=True) as shown:
        task = shown.add_task(counted, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
