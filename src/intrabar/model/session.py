"""Where an instant stands in the session of its exchange."""

from __future__ import annotations

from datetime import date, tzinfo
from typing import NamedTuple, Protocol

CLOCK_FIELDS = ("minutes_since_open", "minutes_to_close", "hour", "minute", "weekday")
"""What a compiled rule reads of the clock, beside the bar: as of the close of its bar."""


class Session(NamedTuple):
    """The session that a bar belongs to, seen from an instant of that bar.

    Parameters
    ----------
    date : date
        Trade date; an evening session has that of the next day.
    minutes_since_open : minutes
        Since the session opened, breaks included; below 0 before it.
    minutes_to_close : minutes
        Until it closes, on a half day early; below 0 after it.
    """

    date: date
    minutes_since_open: float
    minutes_to_close: float


class Clock(Protocol):
    """The local time and the sessions of the instruments of a run, by column."""

    def zone(self, column: int) -> tzinfo:
        """Time zone of the exchange; UTC without a calendar."""

    def session(self, column: int, of: int, at: int) -> Session:
        """The session to which a bar that opens at `of` belongs, seen at `at` (ns UTC)."""
