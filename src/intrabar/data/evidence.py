"""What all rows of a file say of period, zone, label and calendar, gathered piece by piece."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from intrabar.data import calendars, periods
from intrabar.data.reading.clock_changes import ClockSigns, wide_steps
from intrabar.data.reading.lines import NotPlainError
from intrabar.data.reading.placing import (
    Place,
    Placed,
    ask_label,
    begin_with_sessions,
    outside_by,
)
from intrabar.data.stamps import Stamps
from intrabar.errors import DataError
from intrabar.model.bars import DAY_NS, Times

_DOUBT = 0.001
"""Shares this near to their limit are not decided piece by piece."""


class Evidence:
    """Holds what the first rows said against all rows.

    Parameters
    ----------
    how : Place
        What was known before.
    placed : Placed
        What the first rows said.
    """

    def __init__(self, how: Place, placed: Placed) -> None:
        self._how, self._placed = how, placed
        self._walls, self._instants = periods.Steps(), periods.Steps()
        self._dates_only = True
        self._signs: list[tuple[Times, Times, Times]] = []
        self._first_wall: int | None = None
        self._last_wall = 0
        self._days: list[Times] = []
        self._openings: list[Times] = []
        self._rows = self._outside = self._open = 0
        self._spans: set[bool] = set()
        self._range: list[int] = []
        self._naive = False

    def take(self, stamps: Stamps, utc: Times, opening: Times, session: Times) -> None:
        """Look at the next rows, of later days; `utc` as the stamps say it."""
        ok = stamps.readable
        if not ok.any():
            return
        wall, utc, opening, session = stamps.wall[ok], utc[ok], opening[ok], session[ok]
        self._naive = self._naive or not stamps.aware[ok].all()
        ordered = wall if bool((wall[1:] > wall[:-1]).all()) else np.sort(wall)
        if self._first_wall is not None and ordered[0] // DAY_NS <= self._last_wall // DAY_NS:
            raise NotPlainError
        self._dates_only = self._dates_only and bool((wall % DAY_NS == 0).all())
        self._take_signs(ordered)
        self._walls.take(ordered)
        self._instants.take(utc)
        self._rows += wall.size
        begins = np.flatnonzero(np.append(True, session[1:] != session[:-1]))
        self._days.append(session[begins])
        self._openings.append(opening[begins])
        self._range += [int(opening[0]), int(opening[-1])]
        if self._placed.calendar:
            self._spans.add(_spans(self._placed.calendar, int(opening[0]), int(opening[-1])))
        if self._asks_bars == "sessions":
            self._outside += outside_by(self._by_assumed(opening), session, *self._own)
        if self._asks_bars == "hours":
            period = self._placed.period
            inside = utc - (period // 2 if self._how.label == "end" else -(period // 2))
            self._open += int(np.count_nonzero(calendars.is_open("NYSE", inside)))

    @property
    def bears_out(self) -> bool:
        """Whether all rows together say what the first ones said."""
        try:
            return self._bears_out()
        except DataError:
            return False

    def _bears_out(self) -> bool:
        given, placed = self._how.period, self._placed
        if self._walls.are_of_two_periods(given):
            return False
        if periods.is_daily(self._walls, self._dates_only, given):
            return False
        if (given or periods.infer_period(self._instants)) != placed.period:
            return False
        if len(self._spans) > 1 or (
            self._spans
            and self._spans != {_spans(placed.calendar, self._range[0], self._range[-1])}
        ):
            return False
        days, openings = np.concatenate(self._days), np.concatenate(self._openings)
        if not self._how.label_known and not placed.lacking:
            ask_label(openings, days, placed.period, placed.calendar)
        if self._asks_bars == "clocks":
            return not self._clocks_change()
        if self._asks_bars == "sessions":
            share = self._outside / self._rows
            if abs(share - 0.02) < _DOUBT:
                return False
            kept = share <= 0.02 and begin_with_sessions(
                days, self._by_assumed(openings), *self._own
            )
            return kept
        if self._asks_bars == "hours":
            share = self._open / self._rows
            return abs(share - 0.9) >= _DOUBT and (share >= 0.9) == (placed.calendar == "NYSE")
        return True

    @property
    def _own(self) -> tuple[int, Place]:
        return self._placed.period, replace(self._how, calendar=self._placed.calendar)

    def _by_assumed(self, opening: Times) -> Times:
        """Openings by the label that was assumed, which the bars are held against."""
        moved = self._placed.lacking
        if self._how.label != self._placed.label:
            moved -= self._placed.period
        return opening - moved

    @property
    def _asks_bars(self) -> str:
        """What the bars themselves have to tell: "", "clocks", "sessions" or "hours"."""
        how = self._how
        may_be_share = how.suggested and re.fullmatch(r"[A-Z]{1,5}", how.symbol) is not None
        told = bool(how.zone or how.told_zone) or not self._naive
        if not how.calendar:
            if not may_be_share:
                return ""
            return "hours" if told else "sessions"
        if told or not how.suggested:
            return ""
        return "clocks" if calendars.canonical(how.calendar) == "24/7" else "sessions"

    def _take_signs(self, wall: Times) -> None:
        around = wall if self._first_wall is None else np.append(self._last_wall, wall)
        before, after = wide_steps(around)
        again = wall[1:][wall[1:] == wall[:-1]]
        self._signs.append((again, before, after))
        if self._first_wall is None:
            self._first_wall = int(wall[0])
        self._last_wall = int(wall[-1])

    def _clocks_change(self) -> bool:
        twice, before, after = (np.concatenate([s[i] for s in self._signs]) for i in range(3))
        period = int(self._walls.median) if self._walls.count else 0
        first = self._first_wall or 0
        return ClockSigns(twice, before, after, first, self._last_wall, period).change


def _spans(calendar: str, first: int, last: int) -> bool:
    low, high = first // DAY_NS - 10, last // DAY_NS + 10
    return calendars.spans_midnight(calendars.sessions(calendar, low, high))
