"""What is cancelled and closed because a person or the calendar ends it, apart from the breaker."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from intrabar.engine.session.row import ClosedRow
from intrabar.risk.flatten import Duty, cancel_entries, closing
from intrabar.risk.records import Book
from intrabar.sim.state import STEP_END, STEP_NEW


class WindDown:
    """What a session gives up by itself.

    Attributes
    ----------
    ending : str
        Why nothing is entered any more, and the session ends when it is flat; "": it goes on.
    """

    def __init__(self) -> None:
        self.ending = ""
        self._leaving: set[str] = set()  # symbols to be closed
        self._stopped: int | None = None  # when a person stopped it, until that is done

    def leave(self, symbols: Iterable[str]) -> None:
        """Close what is held in them, at the end of a row."""
        self._leaving.update(symbols)

    def stop_when_flat(self) -> None:
        """Enter nothing any more, until it has stopped flat or a person resumes it."""
        self.ending = "stopping"

    def resume(self) -> bool:
        """Enter again; whether it was to end when flat."""
        was, self.ending = self.ending, ""
        return bool(was)

    def stop(self, at: int, cancels_entries: bool, is_flat: bool) -> None:
        """The session has stopped (ns UTC); who stops it may want no entry to work on.

        There is nobody to cancel it then: that takes effect with the next row, after the restart.
        Whatever stopped it, a signal as the machine goes down say, one that was to end when flat
        and is not goes on without entries.
        """
        if is_flat:
            self.ending = ""
        if cancels_entries:
            self._stopped = at

    def taken(self) -> set[str]:
        """Symbols to be closed, each told once."""
        leaving, self._leaving = self._leaving, set()
        return leaving

    def at_once(self, book: Callable[[], Book]) -> list[Duty]:
        """What a stop cancels, where no step has to be waited for."""
        if self._stopped is None:
            return []
        self._stopped = None
        return list(cancel_entries(book()))

    def duties(self, step: int, row: ClosedRow, book: Callable[[], Book]) -> list[Duty]:
        """What is cancelled and closed at a step of a row."""
        duties: list[Duty] = []
        if self._stopped is not None and acts(self._stopped, step, row):
            duties += cancel_entries(book())
            self._stopped = None
        if self._leaving and step == STEP_END:
            duties += closing(book(), self._leaving)
            self._leaving = set()
        return duties


def acts(asked: int, step: int, row: ClosedRow) -> bool:
    """Whether what was asked for at an instant (ns UTC) acts at a step: no price before it counts.

    A bar that had opened by then is over before it acts.
    """
    return step == STEP_END or (step == STEP_NEW and asked <= row.first_open)
