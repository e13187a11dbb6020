"""How much of the time between two instants a market was in session."""

from __future__ import annotations

import numpy as np

from intrabar.data.calendars import sessions
from intrabar.model.bars import DAY_NS


def time_in_session(calendar: str, since: int, until: int, period: int) -> int:
    """The time in session, ns; of bars of a day or longer whole days, one for each close.

    Parameters
    ----------
    calendar : str
    since, until : int, ns UTC
        A close at `until` counts, one at `since` does not.
    period : int, ns
        Of the bars.
    """
    known = sessions(calendar, since // DAY_NS - 2, until // DAY_NS + 2)
    if period >= DAY_NS:
        return DAY_NS * int(np.count_nonzero((known.close > since) & (known.close <= until)))
    parts = ((known.open, known.break_start), (known.break_end, known.close))
    return sum(
        int(np.maximum(np.minimum(end, until) - np.maximum(begin, since), 0).sum())
        for begin, end in parts
    )
