"""A progress bar for people, on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from intrabar.compiling import watched

Shown = Callable[[int, int], None] | None


@contextmanager
def bar(stream: TextIO, counted: str = "bars") -> Iterator[Shown]:
    """Something to call with how many are done, and of how many; None where nobody watches."""
    if not stream.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(file=stream), transient=True) as shown:
        task = shown.add_task(counted, total=None)

        def compiled(done: int, total: int) -> None:
            shown.update(task, description="compiling", completed=done, total=total)

        def went_on(done: int, total: int) -> None:
            shown.update(task, description=counted, completed=done, total=total)

        with watched(compiled):
            yield went_on
