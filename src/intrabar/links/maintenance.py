"""When a vendor takes its systems down, as it has announced: that is no fault of the link."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from intrabar.errors import ConfigError
from intrabar.links.clock import SECOND_NS
from intrabar.model.values import shown

AHEAD = 120 * SECOND_NS
"""Before it begins, in which nothing is entered any more."""
_FORM = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d) (\S+)")


class Window(NamedTuple):
    """A stretch of each day, in the time of a zone; it may go over midnight."""

    begin: time
    end: time
    zone: ZoneInfo

    def covers(self, now: int, ahead: int = 0) -> bool:
        """Whether an instant (ns UTC) lies in it, or up to `ahead` (ns) before it."""
        local = datetime.fromtimestamp(now // SECOND_NS, self.zone)
        for days in (-1, 0, 1):
            day = local.date() + timedelta(days=days)
            last = day if self.end > self.begin else day + timedelta(days=1)
            first, until = (
                round(datetime.combine(d, t, self.zone).astimezone(UTC).timestamp()) * SECOND_NS
                for d, t in ((day, self.begin), (last, self.end))
            )
            if first - ahead <= now < until:
                return True
        return False


def window_of(text: str) -> Window:
    """A window as it is written: "23:45-00:45 America/New_York".

    Raises
    ------
    ConfigError
    """
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    try:
        if found is not None:
            begin, end = (time(int(found[k]), int(found[k + 1])) for k in (1, 3))
            if begin != end:
                return Window(begin, end, ZoneInfo(found[5]))
    except (KeyError, ValueError, OSError):  # of a zone that is none
        pass
    raise ConfigError(
        f"is {shown(text)}, must be two times of day and a zone: '23:45-00:45 America/New_York'"
    )


def is_down(windows: Iterable[Window], now: int, ahead: int = 0) -> bool:
    """Whether any of several covers an instant."""
    return any(window.covers(now, ahead) for window in windows)
