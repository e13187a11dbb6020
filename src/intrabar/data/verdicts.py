"""Verdicts on the bars of a file, whole or piece by piece: the same ones either way.

Pieces come in the order of time. What a rule needs of the pieces before is kept: a count, the
last bar, the first few examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.data.periods import period_text
from intrabar.model.bars import DAY_NS, Bars, Floats, Times

# Rules that set rows aside, in the order in which a row is tested; it is told the first.
REJECTING = {
    "cells": "the row has more cells than the header",
    "stamp": "the stamp cannot be read",
    "blank": "a price or the volume is blank or no number",
    "price": "a price is 0 or less",
    "volume": "the volume is negative",
    "ohlc": "open or close outside high and low",
    "duplicate": "a bar of this time was there before",
}
SOUND = 0
CODES = {rule: code for code, rule in enumerate(REJECTING, SOUND + 1)}

JUMP = 0.4
"""A close that moves by more than this fraction may be an unadjusted split or another unit."""

SHOWN = 5

# Adjusted prices are products: a high may miss the close by the last bits of a double.
_ROUNDING = 1e-9

Codes = NDArray[np.uint8]
"""(n,) the rule of `CODES` that a row breaks, or `SOUND`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Verdict of one rule.

    Parameters
    ----------
    rule : str
    severity : {"ok", "warning", "error"}
        "error": the rows were set aside.
    count : int
    text : str
        For people.
    examples : tuple of str
        Rows or dates, the first few.
    """

    rule: str
    severity: str
    count: int
    text: str
    examples: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "examples": list(self.examples)}


def found(rule: str, count: int, text: str, examples: Sequence[str] = ()) -> Finding:
    """A warning, or that there is none."""
    if not count:
        return Finding(rule, "ok", 0, "none")
    return Finding(rule, "warning", count, text, tuple(examples))


def utc_text(ns: int | np.int64) -> str:
    """An instant as messages write it."""
    return str(np.datetime64(int(ns), "ns"))[:19] + "Z"


def broken_rules(
    prices: Floats, volume: Floats, readable: NDArray[np.bool_], long: NDArray[np.bool_]
) -> Codes:
    """The first rule that each row breaks by itself."""
    o, h, l, c = prices.T  # noqa: E741
    broken = np.zeros(volume.shape, np.uint8)

    def mark(rule: str, hit: Any) -> None:
        broken[(broken == SOUND) & hit] = CODES[rule]

    # Most files have no such row: a look at all spares a look at each.
    with np.errstate(invalid="ignore"):
        if long.any():
            mark("cells", long)
        if not readable.all():
            mark("stamp", ~readable)
        if not (np.isfinite(prices).all() and np.isfinite(volume).all()):
            mark("blank", ~np.isfinite(prices).all(axis=1) | ~np.isfinite(volume))
        if (prices <= 0).any():
            mark("price", (prices <= 0).any(axis=1))
        if (volume < 0).any():
            mark("volume", volume < 0)
        unsound = np.asarray(np.maximum(o, c) - h > _ROUNDING * h)
        unsound |= (l - np.minimum(o, c) > _ROUNDING * l) | (l - h > _ROUNDING * h)
        if unsound.any():
            mark("ohlc", unsound)
    return broken


def rounded(prices: Floats) -> tuple[Floats, int]:
    """Prices whose extremes hold open and close, and in how many rows one was moved."""
    # The market walks from the low to the high and relies on both: move the extreme, and say so.
    exact = prices.copy()
    exact[:, 1] = np.maximum(np.maximum(prices[:, 0], prices[:, 1]), prices[:, 3])
    exact[:, 2] = np.minimum(np.minimum(prices[:, 0], prices[:, 2]), prices[:, 3])
    moved = (exact[:, 1] != prices[:, 1]) | (exact[:, 2] != prices[:, 2])
    return exact, int(np.count_nonzero(moved))


class Verdicts:
    """What the rows of a file and the bars made of them tell, all but their sessions."""

    def __init__(self) -> None:
        self.rows = self.used = self.differing = 0
        self._broken = dict.fromkeys(REJECTING, 0)
        self._examples: dict[str, list[str]] = {rule: [] for rule in REJECTING}
        self._difference = ""
        self._differing_rows: list[str] = []
        self._moved = self._overlaps = self._zeros = self._far = 0
        self._overlap_times: list[str] = []
        self._zero_times: list[str] = []
        self._jump: tuple[float, str] = (1.0, "")
        self._last: tuple[int, float] | None = None
        self._period = 0

    def count(self, *rules: str) -> int:
        """How many rows broke one of these rules."""
        return sum(self._broken[rule] for rule in rules)

    def take_rows(self, rows: Times, broken: Codes) -> None:
        """Count the rows that were set aside."""
        self.rows += rows.size
        self.used += int(np.count_nonzero(broken == SOUND))
        if self.rows == self.used:
            return
        for rule, code in CODES.items():
            hit = rows[broken == code]
            self._broken[rule] += hit.size
            _more(self._examples[rule], [f"row {r}" for r in hit[:SHOWN]])

    def take_differing(
        self, rows: Times, before: Times, closes: Floats, closes_before: Floats
    ) -> None:
        """Count the rows of a time that was there `before` with other values."""
        if not rows.size:
            return
        if not self.differing:
            self._difference = (
                f"close {closes_before[0]:g} of row {before[0]}, not {closes[0]:g} of row {rows[0]}"
            )
        self.differing += rows.size
        _more(self._differing_rows, [f"row {r}" for r in rows[:SHOWN]])

    def take_bars(self, bars: Bars, moved: int) -> None:
        """Look at the bars that are used, of which some extremes were moved."""
        self._moved += moved
        self._period = bars.period
        close, closed = bars.close, bars.close_time
        before = (int(bars.open_time[0]), float(close[0])) if self._last is None else self._last
        if bars.period < DAY_NS:
            hit = bars.open_time < np.append(np.int64(before[0]), closed[:-1])
            self._overlaps += _count(hit, closed, self._overlap_times)
        self._zeros += _count(bars.volume == 0, closed, self._zero_times)
        moves = close / np.append(before[1], close[:-1])
        far = np.flatnonzero((moves > 1 + JUMP) | (moves < 1 - JUMP))
        if far.size and not self._far:
            day = str(np.datetime64(int(bars.session[far[0]]), "D"))
            self._jump = float(moves[far[0]]), day
        self._far += far.size
        self._last = int(closed[-1]), float(close[-1])

    def rejecting(self) -> list[Finding]:
        """The rules that set rows aside."""
        return [
            Finding(
                rule,
                "error",
                count,
                f"{count} rows set aside: {REJECTING[rule]}",
                tuple(self._examples[rule]),
            )
            if count
            else Finding(rule, "ok", 0, "none")
            for rule, count in self._broken.items()
        ]

    def findings(self, order: Finding, has_volume: bool) -> list[Finding]:
        """All others but those of the calendar; `order` says whether rows were put in order."""
        differing = (
            f"{self.differing} rows have the time of an earlier row and other values; the earlier "
            f"one is kept: {self._difference}"
        )
        rounding = (
            f"{self._moved} bars whose high or low missed open or close by a rounding error "
            f"(less than {_ROUNDING:g} of the price); it was set to it"
        )
        overlap = (
            f"{self._overlaps} bars start before the one before them ends: another period among "
            f"the {period_text(self._period)} bars, or bars that were cut short"
        )
        zeros = f"{self._zeros} bars with volume 0"
        none = "the source has no volume; it is written as 0"
        return [
            found("differing duplicate", self.differing, differing, self._differing_rows),
            found("rounding", self._moved, rounding),
            order,
            found("overlap", self._overlaps, overlap, self._overlap_times),
            found("zero volume", self._zeros, zeros, self._zero_times)
            if has_volume
            else Finding("zero volume", "warning", 0, none),
            self._jumps(),
        ]

    def _jumps(self) -> Finding:
        ratio, day = self._jump
        size = max(ratio, 1 / ratio)
        like = "another unit" if size > 30 else f"a split of {size:.3g} to 1 that is not adjusted"
        text = (
            f"{self._far} closes move by more than {JUMP:.0%}, the first by {ratio - 1:+.0%} on "
            f"{day}: is that {like}?"
        )
        return found("jump", self._far, text, (day,))


def _count(hit: NDArray[np.bool_], closed: Times, times: list[str]) -> int:
    count = int(np.count_nonzero(hit))
    if count and len(times) < SHOWN:
        _more(times, [utc_text(t) for t in closed[np.flatnonzero(hit)[:SHOWN]]])
    return count


def _more(shown: list[str], more: list[str]) -> None:
    shown += more[: SHOWN - len(shown)]
