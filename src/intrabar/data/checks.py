"""Checks on import: what is wrong with the rows of a file, rule by rule.

A row that cannot be used (an error) is set aside with its number and its rule, and the rest
goes on; nothing is repaired. What only looks odd (a warning) stays in and is reported: missing
sessions and bars, dates and bars outside the sessions of the exchange. A bad tick inside a
sound bar is not found.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.data import calendars, gaps
from intrabar.data.periods import period_text
from intrabar.data.readers import RawBars
from intrabar.errors import DataError
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


JUMP = 0.4
"""A close that moves by more than this fraction may be an unadjusted split or another unit."""

# Adjusted prices are products: a high may miss the close by the last bits of a double.
_ROUNDING = 1e-9


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


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """Bars that can be used, what was set aside, and the verdict of every rule.

    Parameters
    ----------
    bars : Bars
    findings : tuple of Finding
        One per rule that was applied, sound ones included.
    rejected : DataFrame
        Columns `row`, `rule` and those of the file, as text where the file was.
    """

    bars: Bars
    findings: tuple[Finding, ...]
    rejected: pl.DataFrame

    def count(self, rule: str) -> int:
        """How often a rule was broken."""
        return next((f.count for f in self.findings if f.rule == rule), 0)


def check(raw: RawBars, symbol: str, *, sort: bool = False) -> Checked:
    """Test the rows of a file and make bars of those that can be used.

    Parameters
    ----------
    raw : RawBars
    symbol : str
    sort : bool
        Put rows that are out of order in order, instead of refusing the file.

    Raises
    ------
    DataError
        The rows are not in the order of time and `sort` is off, or no row can be used.
    """
    _refuse_below_zero(raw)
    broken = _first_broken_rule(raw)
    used = np.flatnonzero(broken == "")
    findings = [_rejecting(raw, broken, rule) for rule in REJECTING]
    if 2 * np.count_nonzero((broken != "") & (broken != "duplicate")) > broken.size:
        which = "no row can" if not used.size else f"only {used.size} of {broken.size} rows can"
        raise DataError(f"{which} be used: {_verdicts(findings)}{_column_of_zeros(raw)}")
    other = _differing(raw, broken)
    used, order = _in_order(raw, used, sort)
    prices, rounding = _rounded(raw.prices[used])
    open_, high, low, close = (np.ascontiguousarray(p) for p in prices.T)
    bars = Bars(
        symbol,
        raw.close_time[used],
        open_,
        high,
        low,
        close,
        raw.volume[used],
        raw.period,
        raw.open_time[used],
        raw.session[used],
    )
    findings += [other, rounding, order, _overlap(bars), _volume(raw, bars), _jumps(bars)]
    findings += calendar_findings(raw)
    findings += [Finding("reading", "warning", 1, note) for note in raw.notes]
    return Checked(bars, tuple(findings), _rejected(raw, broken))


def calendar_findings(raw: RawBars) -> list[Finding]:
    """Hold rows against the sessions of the exchange; nothing where no calendar is known.

    Rows that were set aside count as present: their own rule has reported them.
    """
    calendar = raw.calendar
    if not calendar:
        return []
    close_time, first = np.unique(raw.close_time[raw.readable], return_index=True)
    opened, session = raw.open_time[raw.readable][first], raw.session[raw.readable][first]
    bars = gaps.Spans(opened, close_time, session, raw.period)
    days = np.unique(session, return_index=True)[0]  # sorts, which is quicker than hashing here
    known = calendars.sessions(calendar, int(days[0]), int(days[-1]))
    missing = np.setdiff1d(known.date, days)
    extra = np.setdiff1d(days, known.date)
    found = [
        _dates("missing sessions", missing, f"{{}} sessions of {calendar} without a bar"),
        _dates("dates outside", extra, f"{{}} dates that are no session of {calendar}"),
    ]
    if bars.period >= DAY_NS:
        return found
    absent, holes = gaps.missing_bars(bars, known)
    text = f"{absent} bars missing inside sessions, in {holes} holes"
    found.append(_finding("missing bars", absent, text))
    outside = gaps.outside(bars, known)
    share = 100 * outside.mean()
    text = f"{int(outside.sum())} bars outside the sessions of {calendar} ({share:.1f} %)"
    found.append(_finding("bars outside", int(outside.sum()), text, _times(bars, outside)))
    off = gaps.off_grid(bars, known)
    text = f"{int(off.sum())} bars off the grid of their period"
    found.append(_finding("off the grid", int(off.sum()), text, _times(bars, off)))
    if (wrong := gaps.label_doubt(bars, known)) is not None:
        found.append(Finding("label", "warning", 1, wrong))
    if (wrong := gaps.zone_doubt(bars, known)) is not None:
        found.append(Finding("zone", "warning", 1, wrong))
    return found


def write_rejected(checked: Checked, path: Path) -> Path | None:
    """Write what was set aside, `row` and `rule` first; nothing if nothing was.

    Raises
    ------
    DataError
        The file cannot be written.
    """
    if checked.rejected.height == 0:
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(checked.rejected.write_csv().encode())
    except OSError as error:
        raise DataError(f"cannot write the rejected rows to {path}: {error}") from error
    return path


def _first_broken_rule(raw: RawBars) -> NDArray[np.str_]:
    o, h, l, c = raw.prices.T  # noqa: E741
    blank = ~np.isfinite(raw.prices).all(axis=1) | ~np.isfinite(raw.volume)
    with np.errstate(invalid="ignore"):
        tests = {
            "cells": raw.long,
            "stamp": ~raw.readable,
            "blank": blank,
            "price": (raw.prices <= 0).any(axis=1),
            "volume": raw.volume < 0,
            "ohlc": np.maximum(o, c) - h > _ROUNDING * h,
        }
        tests["ohlc"] |= (l - np.minimum(o, c) > _ROUNDING * l) | (l - h > _ROUNDING * h)
    broken = np.full(raw.rows.shape, "", dtype="U9")
    for rule, hit in tests.items():
        broken[(broken == "") & hit] = rule
    # A row is a duplicate only of a row that is used: a broken one must not push out a sound one.
    sound = np.flatnonzero(broken == "")
    _, first = np.unique(raw.close_time[sound], return_index=True)
    again = np.ones(sound.size, np.bool_)
    again[first] = False
    broken[sound[again]] = "duplicate"
    return broken


def _refuse_below_zero(raw: RawBars) -> None:
    """Refuse prices that went through zero; a stray cell of 0 or -0.0001 is set aside later."""
    o, h, l, c = raw.prices.T  # noqa: E741
    with np.errstate(invalid="ignore"):
        sound = (h >= np.maximum(o, c)) & (l <= np.minimum(o, c))
        size = np.nanmedian(np.abs(raw.prices)) if np.isfinite(raw.prices).any() else 0.0
        through = sound & (h > l) & (np.minimum(o, c) < -0.01 * size)
        below = np.flatnonzero(raw.readable & through)
    if not below.size:
        return
    days = np.unique(raw.session[below]).astype("datetime64[D]")
    shown = ", ".join(str(d) for d in days[:5]) + (", ..." if days.size > 5 else "")
    raise DataError(
        f"prices of zero or less cannot be traded here; {below.size} rows have them, on {shown}: "
        "cut the file before or after them, or add a constant to all prices"
    )


def _column_of_zeros(raw: RawBars) -> str:
    names = ("open", "high", "low", "close")
    zero = [
        n for n, p in zip(names, raw.prices.T, strict=True) if (p[raw.readable] == 0).mean() > 0.5
    ]
    return f"; the {' and the '.join(zero)} is 0 in most rows" if zero else ""


def _differing(raw: RawBars, broken: NDArray[np.str_]) -> Finding:
    """Rows of a time that was there before with other values; most of a file is no accident."""
    again = np.flatnonzero(broken == "duplicate")
    if not again.size:
        return Finding("differing duplicate", "ok", 0, "none")
    used = np.flatnonzero(broken == "")
    order = used[np.argsort(raw.close_time[used], kind="stable")]
    first = order[np.searchsorted(raw.close_time[order], raw.close_time[again])]
    figures = np.column_stack([raw.prices, raw.volume])
    other = (figures[again] != figures[first]).any(axis=1)
    again, first = again[other], first[other]
    if not again.size:
        return Finding("differing duplicate", "ok", 0, "none")
    at, before = again[0], first[0]
    if 3 * again.size >= used.size + again.size and again.size > 1:
        raise DataError(
            f"{again.size} rows have the time of another row and other prices, such as rows "
            f"{raw.rows[before]} and {raw.rows[at]} ({_utc(raw.close_time[at])}): the stamp is in "
            "other columns too, or the rows are of several instruments; name the columns, --map "
            "time=..., or pick rows, --only COLUMN=VALUE. The columns are "
            + ", ".join(map(repr, raw.original.columns))
        )
    text = (
        f"{again.size} rows have the time of an earlier row and other values; the earlier one is "
        f"kept: close {raw.prices[before, 3]:g} of row {raw.rows[before]}, not "
        f"{raw.prices[at, 3]:g} of row {raw.rows[at]}"
    )
    return Finding(
        "differing duplicate",
        "warning",
        int(again.size),
        text,
        tuple(f"row {raw.rows[i]}" for i in again[:5]),
    )


def _jumps(bars: Bars) -> Finding:
    """Closes that move so far that a split or another unit is likelier than the market."""
    moves = bars.close[1:] / bars.close[:-1]
    far = np.flatnonzero((moves > 1 + JUMP) | (moves < 1 - JUMP))
    if not far.size:
        return Finding("jump", "ok", 0, "none")
    ratio = float(moves[far[0]])
    size = max(ratio, 1 / ratio)
    day = str(np.datetime64(int(bars.session[far[0] + 1]), "D"))
    like = "another unit" if size > 30 else f"a split of {size:.3g} to 1 that is not adjusted"
    text = (
        f"{far.size} closes move by more than {JUMP:.0%}, the first by {ratio - 1:+.0%} on {day}: "
        f"is that {like}?"
    )
    return Finding("jump", "warning", int(far.size), text, (day,))


def _rounded(prices: Floats) -> tuple[Floats, Finding]:
    # The market walks from the low to the high and relies on both: move the extreme, and say so.
    exact = prices.copy()
    exact[:, 1] = prices[:, [0, 1, 3]].max(axis=1)
    exact[:, 2] = prices[:, [0, 2, 3]].min(axis=1)
    moved = int((exact != prices).any(axis=1).sum())
    text = (
        f"{moved} bars whose high or low missed open or close by a rounding error "
        f"(less than {_ROUNDING:g} of the price); it was set to it"
    )
    return exact, _finding("rounding", moved, text)


def _in_order(raw: RawBars, used: Times, sort: bool) -> tuple[Times, Finding]:
    back = np.flatnonzero(np.diff(raw.close_time[used]) <= 0) + 1
    if back.size == 0:
        return used, Finding("order", "ok", 0, "in the order of time")
    at, before = int(used[back[0]]), int(used[back[0] - 1])
    where = (
        f"row {raw.rows[at]} ({_utc(raw.close_time[at])}) is earlier than the row before it "
        f"({_utc(raw.close_time[before])})"
    )
    if not sort:
        raise DataError(
            f"the rows are not in the order of time: {where}; {back.size} such places. "
            "--sort puts them in order"
        )
    ordered = used[np.argsort(raw.close_time[used], kind="stable")]
    text = f"put in order: {where}; {back.size} such places"
    return ordered, Finding("order", "warning", int(back.size), text)


def _rejecting(raw: RawBars, broken: NDArray[np.str_], rule: str) -> Finding:
    rows = raw.rows[broken == rule]
    if rows.size == 0:
        return Finding(rule, "ok", 0, "none")
    text = f"{rows.size} rows set aside: {REJECTING[rule]}"
    return Finding(rule, "error", int(rows.size), text, tuple(f"row {r}" for r in rows[:5]))


def _overlap(bars: Bars) -> Finding:
    if bars.period >= DAY_NS:
        return Finding("overlap", "ok", 0, "none")
    hit = gaps.overlapping(gaps.Spans(bars.open_time, bars.close_time, bars.session, bars.period))
    text = (
        f"{int(hit.sum())} bars start before the one before them ends: another period among the "
        f"{period_text(bars.period)} bars, or bars that were cut short"
    )
    return _finding("overlap", int(hit.sum()), text, _times(bars, hit))


def _volume(raw: RawBars, bars: Bars) -> Finding:
    if not raw.has_volume:
        return Finding("zero volume", "warning", 0, "the source has no volume; it is written as 0")
    zero = bars.volume == 0
    text = f"{int(zero.sum())} bars with volume 0"
    return _finding("zero volume", int(zero.sum()), text, _times(bars, zero))


def _finding(rule: str, count: int, text: str, examples: tuple[str, ...] = ()) -> Finding:
    if not count:
        return Finding(rule, "ok", 0, "none")
    return Finding(rule, "warning", count, text, examples)


def _dates(rule: str, days: Times, text: str) -> Finding:
    shown = tuple(str(d) for d in days[:5].astype("datetime64[D]"))
    return _finding(rule, int(days.size), text.format(days.size), shown)


def _times(bars: Bars | gaps.Spans, hit: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(_utc(t) for t in bars.close_time[hit][:5])


def _rejected(raw: RawBars, broken: NDArray[np.str_]) -> pl.DataFrame:
    hit = np.flatnonzero(broken != "")
    own = pl.DataFrame({"row": raw.rows[hit], "rule": [str(r) for r in broken[hit]]})
    original = raw.original[hit]
    clash = {c: f"{c}_in_file" for c in original.columns if c in ("row", "rule")}
    return own.hstack(original.rename(clash))


def _verdicts(findings: list[Finding]) -> str:
    return "; ".join(f.text for f in findings if f.severity == "error")


def _utc(ns: int | np.int64) -> str:
    return str(np.datetime64(int(ns), "ns"))[:19] + "Z"
