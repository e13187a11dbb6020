"""The day of the limits: what the account had when it began, and the most that it ever had."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from intrabar.risk.breaker import ACCOUNT
from intrabar.risk.limits import SECOND_NS

FUTURES_DAY = "17:00 America/New_York"


def day_begins(zone: str, over_midnight: bool) -> str:
    """When a day begins where nobody says it, by the exchange of the first symbol.

    Parameters
    ----------
    zone : str
    over_midnight : bool
        Whether its sessions begin on the evening before, as those of futures do.
    """
    return FUTURES_DAY if over_midnight else f"00:00 {zone}"


def day_of(time: int, begins: str) -> int:
    """Number of the day to which a row belongs; one that closes as a day begins ends the last.

    Parameters
    ----------
    time : int, ns UTC
        The close of the row.
    begins : str
        "17:00 America/New_York": that evening begins the next date.
    """
    minutes, zone = _parts(begins)
    instant = datetime.fromtimestamp((time - 1) // SECOND_NS, UTC).astimezone(zone)
    local = instant.replace(tzinfo=None) - timedelta(minutes=minutes)
    return local.date().toordinal() + (1 if minutes >= 720 else 0)


def date_of(day: int) -> str:
    """A day as a date."""
    return date.fromordinal(day).isoformat()


@lru_cache(maxsize=64)
def _parts(begins: str) -> tuple[int, ZoneInfo]:
    clock, _, zone = begins.partition(" ")
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes), ZoneInfo(zone)


@dataclass(frozen=True, slots=True)
class Broker:
    """What a broker says of the account, and how far it may be believed.

    Parameters
    ----------
    balance, kept_apart : money
        B; and G, what the account holds beside this book.
    counts : bool
        It is young enough, its link is up, and nothing foreign is tolerated.
    """

    balance: float
    kept_apart: float
    counts: bool = True


def equity_that_counts(book: float, broker: Broker | None = None) -> float:
    """X: the book's equity, or the broker's where that is less and may be believed."""
    if broker is None or not broker.counts:
        return book
    return min(book, broker.balance - broker.kept_apart)


@dataclass(frozen=True, slots=True)
class Day:
    """Equities by scope: the account, and each strategy.

    Parameters
    ----------
    number : int
        Of the day; 0 before the first row.
    last : mapping of scope to money
        On the last row.
    start, peak : mapping of scope to money
        X0: the last before the day began; the most on any row.
    """

    number: int = 0
    last: Mapping[str, float] = field(default_factory=dict)
    start: Mapping[str, float] = field(default_factory=dict)
    peak: Mapping[str, float] = field(default_factory=dict)

    @staticmethod
    def first(equity: float, strategies: tuple[str, ...]) -> Day:
        """Before the first row: everybody has what the session begins with."""
        values = dict.fromkeys((ACCOUNT, *strategies), equity)
        return Day(0, values, values, values)

    def on(self, number: int) -> Day:
        """On a day: another one begins with the last equity of the rows before it."""
        return self if number == self.number else replace(self, number=number, start=self.last)

    def measured(self, values: Mapping[str, float]) -> Day:
        """After a row; an equity that is not finite is no peak."""
        peak = {
            scope: max(self.peak[scope], value) if math.isfinite(value) else self.peak[scope]
            for scope, value in values.items()
        }
        return replace(self, last=dict(values), peak=peak)

    def transferred(self, amount: float) -> Day:
        """After money came or went: nobody has won or lost it."""
        moved = ({k: v + amount for k, v in m.items()} for m in (self.last, self.start, self.peak))
        return Day(self.number, *moved)

    def anew(self, scope: str, start: bool, peak: bool) -> Day:
        """With the day's beginning, or the peak, of a scope taken from its present equity."""
        now = {scope: self.last[scope]}
        return replace(
            self,
            start={**self.start, **now} if start else self.start,
            peak={**self.peak, **now} if peak else self.peak,
        )

    def body(self, kept_apart: float = 0.0) -> dict[str, Any]:
        """Its fields, as a journal has them; G beside them."""
        return {
            "day": date_of(self.number),
            "x0": dict(self.start),
            "peak": dict(self.peak),
            "g": kept_apart,
        }
