"""When positions are closed by the calendar: before each close, and before a contract ends."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from intrabar.data.periods import parse_period
from intrabar.engine.session.clocks import SECOND_NS
from intrabar.engine.session.exchange import Exchange
from intrabar.errors import ConfigError
from intrabar.model.values import shown

MINUTE_NS = 60 * SECOND_NS
BEFORE = 3 * MINUTE_NS
"""Before the close of a session in which a time of day does not lie, as on a half day."""
LAST = 15 * MINUTE_NS
"""Before the last close ahead of a contract's end."""


class Flatten(NamedTuple):
    """When positions are closed in each session.

    Parameters
    ----------
    before : int, ns
        So long before its scheduled close.
    at : time or None
        At this time of day instead, where it lies inside the session.
    zone : ZoneInfo or None
    """

    before: int = BEFORE
    at: time | None = None
    zone: ZoneInfo | None = None

    def start(self, opening: int, close: int) -> int:
        """When a session's positions are closed (ns UTC), from its open and scheduled close."""
        if self.at is not None and self.zone is not None:
            day = datetime.fromtimestamp(close // SECOND_NS, self.zone).date()
            for back in range(3):
                local = datetime.combine(day - timedelta(days=back), self.at, self.zone)
                instant = round(local.astimezone(UTC).timestamp()) * SECOND_NS
                if opening < instant < close:
                    return instant
        return max(opening, close - self.before)


def flatten_of(text: str) -> Flatten:
    """`live.flatten` as it is written: "-3m", or "15:57 America/New_York".

    Raises
    ------
    ConfigError
    """
    wrong = ConfigError(
        f"live.flatten: is {shown(text)}, must be a length before each scheduled close, '-3m', or "
        "a time of day with its zone, '15:57 America/New_York'"
    )
    if not isinstance(text, str):
        raise wrong
    if text.strip().startswith("-"):
        try:
            return Flatten(parse_period(text.strip()[1:]))
        except ConfigError:
            raise wrong from None
    clock, _, zone = text.strip().partition(" ")
    try:
        at = time.fromisoformat(clock)
        named = ZoneInfo(zone.strip())
    except (ValueError, ZoneInfoNotFoundError, OSError):
        raise wrong from None
    if at.tzinfo is not None or at.microsecond:
        raise wrong
    return Flatten(at=at, zone=named)


def closing(flatten: Flatten, exchange: Exchange, now: int) -> tuple[int, int] | None:
    """The span (ns UTC) around an instant in which positions are closed and none is opened.

    It begins before the close of a session and ends with the next open; None: outside of any.
    """
    _, opening, close = exchange.session(now)
    last = exchange.session_before(opening)
    for begin, end in (last, (opening, close)):
        start = flatten.start(begin, end)
        until = exchange.next_open(start)
        if start <= now < until:
            return start, until
    return None


def next_closing(flatten: Flatten, exchange: Exchange, now: int) -> int:
    """When the next such span begins, later than an instant."""
    _, opening, close = exchange.session(now)
    start = flatten.start(opening, close)
    while start <= now:
        _, opening, close = exchange.session(close)
        start = flatten.start(opening, close)
    return start


class Expiry(NamedTuple):
    """The end of a contract (ns UTC): from when nothing is opened, and when it is flattened."""

    no_entries: int
    flatten: int


def expiry(exchange: Exchange, ends: int, sessions: int = 2) -> Expiry:
    """When a contract is left.

    Parameters
    ----------
    exchange : Exchange
    ends : int
        The earlier of first notice and last trade, days since 1970.
    sessions : int, 0 to 20
        Before it, in which nothing is opened (`live.expire_days`).

    Raises
    ------
    ConfigError
    """
    if isinstance(sessions, bool) or not isinstance(sessions, int) or not 0 <= sessions <= 20:
        raise ConfigError(f"live.expire_days: is {shown(sessions)}, must be 0 to 20 sessions")
    ahead = exchange.sessions_before(ends, max(sessions, 1))
    _, opening, close = ahead[-1]
    flatten = max(opening, close - LAST)
    return Expiry(ahead[0][1] if sessions else flatten, flatten)
