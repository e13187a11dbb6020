"""What works beside a session: a bug that ends it is told, the session goes on."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from intrabar.app.workers.hook_watch import Notify
from intrabar.engine.session.turn import Notice


async def beside(what: str, work: Coroutine[Any, Any, None], notify: Notify) -> None:
    """Do some work; what it raises is a bug, and costs the session that work alone.

    Parameters
    ----------
    what : str
        What nobody does any more after it: "nobody looks for the file KILL".
    work : coroutine
    notify : callable
        Tells a person.
    """
    try:
        await work
    except Exception as error:
        text = f"{what} until it is started again: a bug, {type(error).__name__}: {error}"
        notify(Notice("page", f"beside {what}", text))
