"""Bars that a vendor tells now over those that it told before."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from intrabar.data.verdicts import SHOWN, Finding, broken_rules, utc_text
from intrabar.links.vendor import Row
from intrabar.model.bars import DAY_NS, Bars

SAME = 1e-6
"""Relative difference below which a price is the same: vendors round after a split."""


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """Rows of two answers, one after the other, and how they differ.

    Parameters
    ----------
    rows : list of Row
        Rising.
    added : int
        New ones.
    changes : tuple of str
        Of those that the newer answer tells otherwise: when, what they were and are.
    gone : int
        Old ones, among the new, that the newer answer has no more; they are among `rows`.
    """

    rows: list[Row]
    added: int
    changes: tuple[str, ...]
    gone: int


def merged(old: Bars | None, new: list[Row], period: int) -> Merged:
    """The rows of a vendor over those that were stored; a bar that cannot be replaces none."""
    if old is None:
        return Merged(new, len(new), (), 0)
    stamps = old.session * DAY_NS if period == DAY_NS else old.open_time
    columns = (old.open, old.high, old.low, old.close, old.volume)
    have = {
        int(stamp): Row(int(stamp), *(float(v) for v in values))
        for stamp, *values in zip(stamps, *columns, strict=True)
    }
    first, last = new[0].stamp, new[-1].stamp
    told = {row.stamp: row for row in new}
    gone = sum(first <= stamp <= last and stamp not in told for stamp in have)
    changes = []
    for stamp, row in told.items():
        before = have.get(stamp)
        if before is None:
            continue
        if _is_same(before, row) or not _is_sound(row):
            told[stamp] = before
        else:
            changes.append(f"{utc_text(stamp)}: {_difference(before, row)}")
    added = sum(stamp not in have for stamp in told)
    whole = have | told
    return Merged([whole[stamp] for stamp in sorted(whole)], added, tuple(changes), gone)


def _is_same(a: Row, b: Row) -> bool:
    pairs = zip(msgspec.structs.astuple(a)[1:], msgspec.structs.astuple(b)[1:], strict=True)
    return all(x == y or abs(x - y) <= SAME * max(abs(x), abs(y)) for x, y in pairs)


def _is_sound(row: Row) -> bool:
    prices = np.array([[row.open, row.high, row.low, row.close]])
    readable = np.ones(1, np.bool_)
    return not broken_rules(prices, np.array([row.volume]), readable, ~readable).any()


def _difference(a: Row, b: Row) -> str:
    names = ("open", "high", "low", "close", "volume")
    pairs = ((n, getattr(a, n), getattr(b, n)) for n in names)
    return ", ".join(f"{n} {x:.10g} is now {y:.10g}" for n, x, y in pairs if x != y)


def told_otherwise(merged: Merged) -> Finding:
    """The verdict on bars that were stored and are told otherwise now."""
    count = len(merged.changes)
    text = f"{count} bars that were stored are told otherwise by the vendor now"
    return Finding("refresh", "warning", count, text, merged.changes[:SHOWN])
