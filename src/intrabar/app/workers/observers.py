"""Who is told of everything that a session commits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from intrabar.engine.session.session import Session
from intrabar.engine.session.turn import Notice
from intrabar.model.entry import Entry


class Observer(Protocol):
    """Is told of everything that is committed; `app/workers/signs.py` keeps the folder."""

    def take(self, entries: Sequence[Entry], session: Session) -> None: ...  # noqa: D102


def tell_observers(
    observers: Sequence[Observer], entries: Sequence[Entry], session: Session
) -> list[Notice]:
    """Tell them; what one of them raises is a bug, and costs the session nothing but a notice."""
    notices = []
    for observer in observers:
        try:
            observer.take(entries, session)
        except Exception as error:
            text = f"{type(observer).__name__}: {type(error).__name__}: {error}"
            notices.append(Notice("alarm", f"observer {type(observer).__name__}", text))
    return notices
