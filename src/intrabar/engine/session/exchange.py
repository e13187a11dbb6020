"""The sessions of one calendar, as a session on live bars asks for them: instant by instant."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import chain

import numpy as np

from intrabar.data.calendars import own_day, sessions
from intrabar.data.clock import stretches
from intrabar.data.schedules import ALWAYS
from intrabar.model.bars import DAY_NS

_BACK, _AHEAD = 40 * DAY_NS, 400 * DAY_NS


class Exchange:
    """When an exchange is open, when its sessions close, and which date an instant belongs to.

    Parameters
    ----------
    calendar : str
        "" for days of UTC.
    period : int, ns
        Of the bars: a day round the clock closes on its own date, as its daily bar does.
    """

    def __init__(self, calendar: str, period: int) -> None:
        self.calendar, self._period = calendar or ALWAYS, period
        self._from = self._to = 0
        self._dates: list[int] = []
        self._begins: list[int] = []
        self._closes: list[int] = []
        self._opens: list[int] = []
        self._shuts: list[int] = []
        self._until: list[int] = []
        self._dated: list[int] = []

    def is_open(self, at: int) -> bool:
        """Whether it is open at an instant, breaks are not."""
        self._look(at)
        row = bisect_right(self._opens, at) - 1
        return row >= 0 and at < self._shuts[row]

    def is_open_within(self, after: int, until: int) -> bool:
        """Whether it is open at an instant with `after <= instant < until`."""
        self._look(after)
        return bisect_right(self._shuts, after) < bisect_left(self._opens, until)

    def is_shut_from(self, at: int) -> bool:
        """Whether it shuts at an instant, for a break too."""
        self._look(at)
        row = bisect_left(self._shuts, at)
        return row < len(self._shuts) and self._shuts[row] == at

    def open_since(self, at: int) -> int:
        """When it opened last, after a break too; `at` itself where it is shut."""
        self._look(at)
        row = bisect_right(self._opens, at) - 1
        return self._opens[row] if row >= 0 and at < self._shuts[row] else at

    def next_open(self, after: int) -> int:
        """When it opens next, after a break too; later than an instant."""
        self._look(after)
        return self._opens[bisect_right(self._opens, after)]

    def next_close(self, after: int) -> int:
        """The next scheduled close of a session, later than an instant."""
        self._look(after)
        return self._closes[bisect_right(self._closes, after)]

    def session(self, at: int) -> tuple[int, int, int]:
        """Date, open and close of the session that is open at an instant, or else the next one."""
        self._look(at)
        row = bisect_right(self._closes, at)
        return self._dates[row], self._begins[row], self._closes[row]

    def session_before(self, at: int) -> tuple[int, int]:
        """Open and close of the last session that was over by an instant."""
        self._look(at)
        row = bisect_right(self._closes, at) - 1
        return self._begins[row], self._closes[row]

    def sessions_before(self, day: int, count: int) -> list[tuple[int, int, int]]:
        """Date, open and close of the last sessions before a date (days since 1970)."""
        self._look(day * DAY_NS)
        row = bisect_left(self._dates, day)
        rows = range(max(row - count, 0), row)
        return [(self._dates[i], self._begins[i], self._closes[i]) for i in rows]

    def date(self, opened: int) -> int:
        """The trade date of a bar that opens at an instant, days since 1970."""
        self._look(opened)
        return self._dated[bisect_right(self._until, opened)]

    def daily(self, close: int) -> tuple[int, int] | None:
        """Date and open of the daily bar that closes at an instant; None where none does."""
        self._look(close)
        row = bisect_left(self._closes, close)
        if row == len(self._closes) or self._closes[row] != close:
            return None
        return self._dates[row], self._begins[row]

    def _look(self, at: int) -> None:
        """Have the sessions around an instant at hand."""
        if self._from <= at < self._to:
            return
        low, high = at - _BACK, at + _AHEAD
        known = sessions(self.calendar, low // DAY_NS, high // DAY_NS)
        close = own_day(self.calendar, known.close) if self._period >= DAY_NS else known.close
        self._dates, self._begins = known.date.tolist(), known.open.tolist()
        self._closes = close.tolist()
        pauses = known.break_end > known.break_start
        edges = zip(
            known.open.tolist(),
            np.where(pauses, known.break_start, close).tolist(),
            np.where(pauses, known.break_end, close).tolist(),
            self._closes,
            strict=True,
        )
        spans = [
            (a, b)
            for a, b in chain.from_iterable(((o, p), (r, c)) for o, p, r, c in edges)
            if a < b
        ]
        self._opens, self._shuts = [a for a, _ in spans], [b for _, b in spans]
        dated = stretches(self.calendar, low, high)
        self._until = dated.until.tolist()
        self._dated = dated.date.tolist()
        # A month less on each side: a question looks beyond its instant.
        self._from, self._to = at - _BACK // 4, at + _AHEAD - _BACK
