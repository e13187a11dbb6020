"""Verdicts on the bars of a file by the sessions of its exchange, whole or piece by piece.

A piece is looked at session by session: the rows of its last one wait for the next piece. Where
a rule needs what most of the bars do, the first piece says it, and `holds` whether it was so.
"""

from __future__ import annotations

import numpy as np

from intrabar.data import calendars, gaps
from intrabar.data.verdicts import SHOWN, Finding, found, utc_text
from intrabar.model.bars import DAY_NS, Times

_REACH = 5  # days around a piece of which a bar may lie in a session
_SECOND = 1_000_000_000


class SessionVerdicts:
    """What the rows of a file tell, held against a calendar.

    Parameters
    ----------
    calendar : str
        "" for none: nothing is told.
    period : int, ns
    """

    def __init__(self, calendar: str, period: int) -> None:
        self._calendar, self._period = calendar, period
        self._waiting: list[gaps.Spans] = []
        self._days: list[Times] = []
        self._ends: list[gaps.Spans] = []
        self._rows = self._outside = self._absent = self._holes = 0
        self._moved = np.zeros(len(gaps.SHIFTS), np.int64)
        self._outside_times: list[str] = []
        self._phases: dict[int, tuple[int, Times]] = {}
        self._seconds: dict[int, int] = {}
        self._grid: int | None = None
        self._first: int | None = None
        self._before: Times = np.zeros(0, np.int64)

    def take(self, open_time: Times, close_time: Times, session: Times) -> None:
        """Look at rows, in the order of time, each time once."""
        if not self._calendar or not open_time.size:
            return
        rows = gaps.Spans(open_time, close_time, session, self._period)
        if self._first is None:
            self._first = int(open_time[0])
        if self._waiting:
            before = _joined(self._waiting)
            goes_on = before.session[-1] == session[0]
            cut = int(np.searchsorted(before.session, session[0], "left"))
            if cut:
                after = before.open_time[cut] if goes_on else open_time[0]
                self._look(_some(before, 0, cut), after)
            self._waiting = [_some(before, cut, None)] if goes_on else []
        self._waiting.append(rows)

    def findings(self) -> list[Finding]:
        """The verdicts on all rows; nothing without a calendar."""
        if not self._calendar or not self._waiting:
            return []
        rows, self._waiting = _joined(self._waiting), []
        self._look(rows, None)
        days = np.concatenate(self._days)
        known = calendars.sessions(self._calendar, int(days[0]), int(days[-1]))
        missing, extra = np.setdiff1d(known.date, days), np.setdiff1d(days, known.date)
        name = self._calendar
        told = [
            _dates("missing sessions", missing, f"{{}} sessions of {name} without a bar"),
            _dates("dates outside", extra, f"{{}} dates that are no session of {name}"),
        ]
        if self._period >= DAY_NS:
            return told
        share = 100 * self._outside / self._rows
        outside = f"{self._outside} bars outside the sessions of {name} ({share:.1f} %)"
        absent = f"{self._absent} bars missing inside sessions, in {self._holes} holes"
        count, times = self._off_grid()
        told += [
            found("missing bars", self._absent, absent),
            found("bars outside", self._outside, outside, self._outside_times),
            found("off the grid", count, f"{count} bars off the grid of their period", times),
        ]
        if (wrong := gaps.label_doubt(_joined(self._ends), known)) is not None:
            told.append(Finding("label", "warning", 1, wrong))
        if (wrong := gaps.zone_doubt(self._outside, self._moved, self._rows)) is not None:
            told.append(Finding("zone", "warning", 1, wrong))
        return told

    @property
    def holds(self) -> bool:
        """Whether all rows have the grid that the first of them had."""
        return self._grid is None or self._grid == self._usual_second()

    def _look(self, rows: gaps.Spans, after: int | np.int64 | None) -> None:
        """Look at whole sessions; the next one begins at `after`."""
        begins = np.flatnonzero(np.append(True, rows.session[1:] != rows.session[:-1]))
        self._days.append(rows.session[begins])
        self._rows += rows.session.size
        if self._period >= DAY_NS:
            return
        ends = np.unique(np.append(begins, np.append(begins[1:], rows.session.size) - 1))
        self._ends.append(_some(rows, ends))
        low = max(int(rows.session[0]) - _REACH, int(self._days[0][0]))
        high = int(rows.session[-1]) + (0 if after is None else _REACH)
        known = calendars.sessions(self._calendar, low, high)
        hit = gaps.outside(rows, known)
        count = int(np.count_nonzero(hit))
        if count:
            self._outside += count
            shown = rows.close_time[np.flatnonzero(hit)[: SHOWN - len(self._outside_times)]]
            self._outside_times += [utc_text(t) for t in shown]
        self._moved += [gaps.count_outside(rows, known, hours) for hours in gaps.SHIFTS]
        self._take_phases(rows, gaps.from_grid(rows, known))
        for second, size in _sizes(np.mod(rows.open_time, self._period) // _SECOND):
            self._seconds[second] = self._seconds.get(second, 0) + size
        if self._grid is None:
            self._grid = self._usual_second()
        # A slot at a session's edge may hold the last bar before it, or the first after it.
        behind = np.array([] if after is None else [after], np.int64)
        opened = np.concatenate((self._before, rows.open_time, behind))
        absent, holes = gaps.missing_bars(
            opened, rows.session[begins], self._period, known, self._grid, self._first or 0
        )
        self._absent, self._holes = self._absent + absent, self._holes + holes
        self._before = rows.open_time[-1:]

    def _take_phases(self, rows: gaps.Spans, phases: Times) -> None:
        if (phases == phases[0]).all():
            groups = [(int(phases[0]), phases.size, rows.close_time[:SHOWN])]
        else:
            values, inverse, counts = np.unique(phases, return_inverse=True, return_counts=True)
            order = np.argsort(inverse, kind="stable")
            edges = np.append(0, np.cumsum(counts))
            groups = [
                (int(v), int(n), rows.close_time[order[a : min(a + SHOWN, b)]])
                for v, n, a, b in zip(values, counts, edges[:-1], edges[1:], strict=True)
            ]
        for value, size, times in groups:
            before, shown = self._phases.get(value, (0, times[:0]))
            self._phases[value] = before + size, np.append(shown, times)[:SHOWN]

    def _off_grid(self) -> tuple[int, list[str]]:
        most = max(sorted(self._phases), key=lambda p: self._phases[p][0])
        others = [one for phase, one in self._phases.items() if phase != most]
        times = np.sort(np.concatenate([np.zeros(0, np.int64), *(t for _, t in others)]))
        return sum(n for n, _ in others), [utc_text(t) for t in times[:SHOWN]]

    def _usual_second(self) -> int:
        return max(sorted(self._seconds), key=lambda s: self._seconds[s])


def _sizes(values: Times) -> list[tuple[int, int]]:
    if (values == values[0]).all():
        return [(int(values[0]), values.size)]
    one, sizes = np.unique(values, return_counts=True)
    return list(zip(one.tolist(), sizes.tolist(), strict=True))


def _some(rows: gaps.Spans, first: int | Times, end: int | None = None) -> gaps.Spans:
    at = slice(first, end) if isinstance(first, int) else first
    return gaps.Spans(rows.open_time[at], rows.close_time[at], rows.session[at], rows.period)


def _joined(parts: list[gaps.Spans]) -> gaps.Spans:
    if len(parts) == 1:
        return parts[0]
    return gaps.Spans(
        np.concatenate([p.open_time for p in parts]),
        np.concatenate([p.close_time for p in parts]),
        np.concatenate([p.session for p in parts]),
        parts[0].period,
    )


def _dates(rule: str, days: Times, text: str) -> Finding:
    shown = [str(d) for d in days[:SHOWN].astype("datetime64[D]")]
    return found(rule, int(days.size), text.format(days.size), shown)
