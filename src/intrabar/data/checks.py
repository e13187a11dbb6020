"""Checks on import: what is wrong with the rows of a file, rule by rule.

A row that cannot be used (an error) is set aside with its number and its rule, and the rest
goes on; nothing is repaired. What only looks odd (a warning) stays in and is reported: missing
sessions and bars, dates and bars outside the sessions of the exchange. A bad tick inside a
sound bar is not found.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from intrabar.data.readers import RawBars
from intrabar.data.session_verdicts import SessionVerdicts
from intrabar.data.verdicts import (
    CODES,
    JUMP,
    REJECTING,
    SOUND,
    Codes,
    Finding,
    Verdicts,
    broken_rules,
    found,
    rounded,
    utc_text,
)
from intrabar.errors import DataError
from intrabar.model.bars import Bars, Times

__all__ = ["JUMP", "REJECTING", "Checked", "Finding", "check", "rejected_rows", "write_rejected"]


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
    verdicts = Verdicts()
    broken = _with_duplicates(raw)
    verdicts.take_rows(raw.rows, broken)
    used = np.flatnonzero(broken == SOUND)
    if 2 * np.count_nonzero((broken != SOUND) & (broken != CODES["duplicate"])) > broken.size:
        which = "no row can" if not used.size else f"only {used.size} of {broken.size} rows can"
        told = "; ".join(f.text for f in verdicts.rejecting() if f.severity == "error")
        raise DataError(f"{which} be used: {told}{_column_of_zeros(raw)}")
    again, first = _differing(raw, broken)
    verdicts.take_differing(
        raw.rows[again], raw.rows[first], raw.prices[again, 3], raw.prices[first, 3]
    )
    used, order = _in_order(raw, used, sort)
    bars, moved = bars_of(raw, used, symbol)
    verdicts.take_bars(bars, moved)
    # Rows that were set aside count as present: their own rule has reported them.
    sessions = SessionVerdicts(raw.calendar, raw.period)
    closed, at = np.unique(raw.close_time[raw.readable], return_index=True)
    sessions.take(raw.open_time[raw.readable][at], closed, raw.session[raw.readable][at])
    findings = [
        *verdicts.rejecting(),
        *verdicts.findings(order, raw.has_volume),
        *sessions.findings(),
        *(Finding("reading", "warning", 1, note) for note in raw.notes),
    ]
    return Checked(bars, tuple(findings), rejected_rows(raw.original, raw.rows, broken))


def bars_of(raw: RawBars, used: Times | slice, symbol: str) -> tuple[Bars, int]:
    """Bars of some rows, and how many extremes missed open or close by a rounding error."""
    prices, moved = rounded(raw.prices[used])
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
    return bars, moved


def rejected_rows(original: pl.DataFrame, rows: Times, broken: Codes) -> pl.DataFrame:
    """Rows that were set aside, with their rule."""
    hit = np.flatnonzero(broken != SOUND)
    rules = ["", *REJECTING]
    own = pl.DataFrame({"row": rows[hit], "rule": [rules[code] for code in broken[hit]]})
    clash = {c: f"{c}_in_file" for c in original.columns if c in ("row", "rule")}
    return own.hstack(original[hit].rename(clash))


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


def _with_duplicates(raw: RawBars) -> Codes:
    broken = broken_rules(raw.prices, raw.volume, raw.readable, raw.long)
    # A row is a duplicate only of a row that is used: a broken one must not push out a sound one.
    sound = np.flatnonzero(broken == SOUND)
    closed = raw.close_time[sound]
    if (closed[1:] <= closed[:-1]).any():
        _, first = np.unique(closed, return_index=True)
        again = np.ones(sound.size, np.bool_)
        again[first] = False
        broken[sound[again]] = CODES["duplicate"]
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


def _differing(raw: RawBars, broken: Codes) -> tuple[Times, Times]:
    """Rows of a time that was there before with other values, and the rows that were there.

    Most of a file is no accident: it is refused.
    """
    again = np.flatnonzero(broken == CODES["duplicate"])
    if not again.size:
        return again, again
    used = np.flatnonzero(broken == SOUND)
    order = used[np.argsort(raw.close_time[used], kind="stable")]
    first = order[np.searchsorted(raw.close_time[order], raw.close_time[again])]
    figures = np.column_stack([raw.prices, raw.volume])
    other = (figures[again] != figures[first]).any(axis=1)
    again, first = again[other], first[other]
    if 3 * again.size >= used.size + again.size and again.size > 1:
        at, before = again[0], first[0]
        raise DataError(
            f"{again.size} rows have the time of another row and other prices, such as rows "
            f"{raw.rows[before]} and {raw.rows[at]} ({utc_text(raw.close_time[at])}): the stamp is "
            "in other columns too, or the rows are of several instruments; name the columns, --map "
            "time=..., or pick rows, --only COLUMN=VALUE. The columns are "
            + ", ".join(map(repr, raw.original.columns))
        )
    return again, first


IN_ORDER = Finding("order", "ok", 0, "in the order of time")


def _in_order(raw: RawBars, used: Times, sort: bool) -> tuple[Times, Finding]:
    back = np.flatnonzero(raw.close_time[used][1:] <= raw.close_time[used][:-1]) + 1
    if back.size == 0:
        return used, IN_ORDER
    at, before = int(used[back[0]]), int(used[back[0] - 1])
    where = (
        f"row {raw.rows[at]} ({utc_text(raw.close_time[at])}) is earlier than the row before it "
        f"({utc_text(raw.close_time[before])})"
    )
    if not sort:
        raise DataError(
            f"the rows are not in the order of time: {where}; {back.size} such places. "
            "--sort puts them in order"
        )
    ordered = used[np.argsort(raw.close_time[used], kind="stable")]
    text = f"put in order: {where}; {back.size} such places"
    return ordered, found("order", int(back.size), text)
