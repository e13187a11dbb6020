"""Windows that walk forward: train on the past, test on what follows, move on."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np

from intrabar.analysis.splits.labels import Rows, Split, label_ends, purge
from intrabar.errors import UsageError
from intrabar.model.bars import DAY_NS, Times
from intrabar.model.values import shown

Span = str | int
"""Bars, or a stretch of the calendar: "2y", "6m", "4w", "10d"."""

EPOCH = date(1970, 1, 1)
LONGEST = {"d": 9999, "w": 9999, "m": 9999, "y": 999}  # so that no date runs over


def walk_forward(
    time: Times,
    train: Span,
    test: Span,
    step: Span | None = None,
    anchored: bool = False,
    ends: Rows | None = None,
    embargo: int = 0,
) -> list[Split]:
    """Windows in order of time.

    Parameters
    ----------
    time : (t,) int64, ns since 1970 UTC, rising
        Instants at which the bars are known.
    train, test, step : int, bars, or str
        A stretch of the calendar such as "2y", "6m", "4w", "10d"; all three of one kind. `step`
        None is the length of the test, so that the tests follow each other.
    anchored : bool
        Every train starts at the first row instead of moving along.
    ends : (t,) int64 or None
        Row on which the label of each row ends (`labels`). A train row whose label reaches its
        test is purged. None: each ends on its own row.
    embargo : int, bars
        Rows right before the test that are left out whatever their labels.

    Returns
    -------
    list of Split
        The last test may be shorter by calendar, where the data end in it; never by bars.

    Raises
    ------
    UsageError
        A span that cannot be read, or a history that is too short: says how much there is.
    """
    step = test if step is None else step
    require_spans({"train": train, "test": test, "step": step})
    if isinstance(train, str):
        edges = _by_calendar(time, train, str(test), str(step))
    else:
        edges = _by_bars(time.shape[0], int(train), int(test), int(step))
    if not edges:
        raise UsageError(
            f"no window fits: a train of {train} and a test of {test} in {_history(time)}"
        )
    ends = label_ends(time.shape[0]) if ends is None else ends
    return [_split(0 if anchored else a, b, c, ends, embargo) for a, b, c in edges]


def require_spans(spans: Mapping[str, Span]) -> None:
    """Refuse spans that no window can be made of.

    Parameters
    ----------
    spans : mapping of place to Span
        Those of one walk.

    Raises
    ------
    UsageError
        One cannot be read, or is none; or they are of two kinds.
    """
    if len({isinstance(span, str) for span in spans.values()}) > 1:
        told = ", ".join(f"{place} {shown(span)}" for place, span in spans.items())
        raise UsageError(
            f"{told}: give all in bars, or all as stretches of the calendar such as '6m'"
        )
    for place, span in spans.items():
        if isinstance(span, str):
            _parsed(place, span)
        elif span < 1:
            raise UsageError(f"{place}: is {span} bars, must be 1 or more")


def _split(first: int, cut: int, end: int, ends: Rows, embargo: int) -> Split:
    test = np.arange(cut, end, dtype=np.int64)
    train = np.arange(first, max(cut - embargo, first), dtype=np.int64)
    left = purge(train, test, ends)
    if not left.shape[0]:
        raise UsageError(
            f"purge and embargo leave nothing to train on before row {cut}: "
            "take a longer train, shorter labels or a smaller embargo"
        )
    return Split(left, test)


def _by_bars(rows: int, train: int, test: int, step: int) -> list[tuple[int, int, int]]:
    starts = range(0, rows - train - test + 1, step)
    return [(a, a + train, a + train + test) for a in starts]


def _by_calendar(time: Times, train: str, test: str, step: str) -> list[tuple[int, int, int]]:
    """Edges as rows; the first train starts on the day of the first bar, at midnight UTC."""
    length, proof, ahead = _parsed("train", train), _parsed("test", test), _parsed("step", step)
    if not time.shape[0]:
        return []
    origin = EPOCH + timedelta(days=int((time[0] - 1) // DAY_NS))
    edges = []
    for k in range(_most(time, ahead)):
        start = (k * ahead[0], k * ahead[1])
        cut = (start[0] + length[0], start[1] + length[1])
        end = (cut[0] + proof[0], cut[1] + proof[1])
        days = [(_later(origin, *span) - EPOCH).days for span in (start, cut, end)]
        # A bar belongs to the day in which it ends; at midnight it ends the day before.
        a, b, c = np.searchsorted(time, np.array(days) * DAY_NS, side="right").tolist()
        if b >= time.shape[0]:
            break
        if a < b < c:  # a hole in the data makes no window
            edges.append((a, b, c))
    return edges


def _most(time: Times, ahead: tuple[int, int]) -> int:
    """More steps than the history holds."""
    days = int((time[-1] - time[0]) // DAY_NS) + 2
    return days // (ahead[0] * 28 + ahead[1]) + 2


def _parsed(place: str, span: str) -> tuple[int, int]:
    """Months and days of what stands at a place."""
    found = re.fullmatch(r"\s*(\d{1,4})\s*([dwmy])\s*", span)
    count = int(found[1]) if found else 0
    if not found or not 1 <= count <= LONGEST[found[2]]:
        raise UsageError(
            f"{place}: {shown(span)} is no stretch of the calendar: write '2y', '6m', '4w', '10d'"
        )
    return {"d": (0, count), "w": (0, 7 * count), "m": (count, 0), "y": (12 * count, 0)}[found[2]]


def _later(day: date, months: int, days: int) -> date:
    """A later day; the 31st becomes the last of a shorter month.

    All edges are counted from the first day, so that a short month does not shift those after it.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last)) + timedelta(days=days)


def _history(time: Times) -> str:
    if not time.shape[0]:
        return "a history without bars"
    first, last = np.array([time[0], time[-1]], dtype="datetime64[ns]").astype("datetime64[D]")
    return f"a history of {time.shape[0]:,} bars from {first} to {last}"
