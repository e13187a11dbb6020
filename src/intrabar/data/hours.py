"""Bars under another calendar than the one that they were read or stored under."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from intrabar.data.calendars import hours_of, trade_dates
from intrabar.data.pieces import Feed
from intrabar.data.schedules import canonical
from intrabar.model.bars import DAY_NS, Bars


def is_same(calendar: str, other: str) -> bool:
    """Whether two calendars are one under two names, or both none."""
    return (canonical(calendar) if calendar else "") == (canonical(other) if other else "")


def under(bars: Bars, own: str, calendar: str | None) -> Bars:
    """Bars with the sessions of a calendar.

    Daily bars keep their dates and get its hours; shorter ones keep their hours and get its dates.

    Parameters
    ----------
    bars : Bars
    own : str
        Calendar that they are under.
    calendar : str or None
        None leaves them as they are.
    """
    if calendar is None or is_same(own, calendar):
        return bars
    if bars.period < DAY_NS:
        return replace(bars, session=trade_dates(calendar, bars.open_time))
    opening, close = hours_of(calendar, bars.session)
    return replace(bars, open_time=opening, close_time=close)


@dataclass(frozen=True)
class UnderFeed:
    """A feed whose bars get the sessions of another calendar, as `under`."""

    feed: Feed
    own: str
    calendar: str

    @property
    def symbol(self) -> str:
        """The instrument."""
        return self.feed.symbol

    @property
    def period(self) -> int:
        """Ns."""
        return self.feed.period

    def __len__(self) -> int:
        return len(self.feed)

    def __iter__(self) -> Iterator[Bars]:
        return (under(bars, self.own, self.calendar) for bars in self.feed)
