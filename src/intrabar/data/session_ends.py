"""Where sessions end on a timeline: by the calendar, not by the last bar.

A session ends at the first row at or after its scheduled close, whether the instrument has a bar
there or not. So does it in a session on live bars, which does not know what comes next.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from intrabar.data.calendars import own_day, sessions
from intrabar.model.bars import DAY_NS, Times

SessionEnd = Literal["bars", "calendar"]
"""What ends the session of stored bars: the last bar of a trade date, or the scheduled close."""


def scheduled_closes(calendar: str, period: int, after: int, until: int) -> Times:
    """Closes of the sessions of a calendar, `after < close <= until`, ns UTC.

    Parameters
    ----------
    calendar : str
    period : int, ns
        Of the bars: a day round the clock closes on its own date, as its daily bar does.
    after, until : int, ns UTC
    """
    close = sessions(calendar, after // DAY_NS - 3, until // DAY_NS + 3).close
    if period >= DAY_NS:
        close = own_day(calendar, close)
    return close[(close > after) & (close <= until)]


def ends_on(calendar: str, period: int, time: Times, since: int) -> NDArray[np.uint8]:
    """1 on the rows of a timeline that end a session of a calendar, (t,).

    Parameters
    ----------
    calendar : str
    period : int, ns
    time : (t,) int64, ns UTC
    since : int, ns UTC
        The row before them; where there is none, when the first of them opened.
    """
    found = np.zeros(time.shape, np.uint8)
    found[np.searchsorted(time, scheduled_closes(calendar, period, since, int(time[-1])))] = 1
    return found
