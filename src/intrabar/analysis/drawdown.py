"""How far and how long equity lay under its highest value so far.

A spell under water lasts from a peak to the first value that reaches it again. Of all that have
been only the deepest and the longest are kept, so an equity may come piece by piece.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.kernel import kernel
from intrabar.model.bars import DAY_NS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SPELL = np.dtype(
    [
        ("first", np.int64),  # row under water; -1: there is none
        ("since", np.int64),  # time of the row before it, the peak
        ("depth", np.float64),  # fraction of the peak
        ("trough", np.int64),  # time of the deepest row
        ("end", np.int64),  # row that reached the peak, or the last one
        ("until", np.int64),  # its time
        ("is_over", np.bool_),
    ]
)
GOING, DEEPEST, LONGEST = 0, 1, 2
WATER = np.dtype([("rows", np.int64), ("peak", np.float64), ("time", np.int64)])


@kernel
def dry(initial: float) -> tuple[Any, Any]:
    """Before the first row: where the water stands, (1,) WATER, and no spell yet, (3,) SPELL."""
    water, spells = np.zeros(1, WATER), np.zeros(3, SPELL)
    water["peak"][:] = initial
    spells["first"][:] = -1
    return water, spells


def drawdown_series(equity: Floats, initial: float) -> Floats:
    """Share of the highest value so far (the initial one included) that is lost, >= 0.

    Parameters
    ----------
    equity : (t,) float64, account currency
    initial : account currency, > 0
    """
    return 1.0 - equity / np.maximum(np.maximum.accumulate(equity), initial)


@kernel
def take(equity: Floats, time: Ints, water: Any, spells: Any) -> None:
    """Take in the next rows.

    Parameters
    ----------
    equity : (k,) float64, account currency
    time : (>= k,) int64, ns UTC
    water : (1,) WATER
    spells : (3,) SPELL
        GOING is the one that is not over, DEEPEST and LONGEST are of those that are.
    """
    n, peak, rows, before = equity.shape[0], water[0].peak, water[0].rows, water[0].time
    going = spells[GOING]
    first, depth, trough = going.first, going.depth, going.trough
    for i in range(n):
        peak = max(peak, equity[i])
        lost = 1.0 - equity[i] / peak
        if lost > 0.0:
            if first < 0:
                first, depth = rows + i, 0.0
                going.since = before if first else time[i]
            if lost > depth:
                depth, trough = lost, time[i]
        elif first >= 0:
            note(going, first, depth, trough, rows + i, time[i], True)
            spells[DEEPEST] = spells[deepest_of(spells)]
            spells[LONGEST] = spells[longest_of(spells)]
            first = -1
        before = time[i]
    water[0].peak, water[0].rows, water[0].time = peak, rows + n, before
    note(going, first, depth, trough, rows + n - 1, before, False)


@kernel
def note(
    spell: Any, first: int, depth: float, trough: int, end: int, until: int, is_over: bool
) -> None:
    """Write what is known of a spell."""
    spell.first, spell.depth, spell.trough = first, depth, trough
    spell.end, spell.until, spell.is_over = end, until, is_over


@kernel
def deepest_of(spells: Any) -> int:
    """The deepest spell, that which goes on among them; of equal ones the first."""
    going, other = spells[GOING], spells[DEEPEST]
    is_it = going.first >= 0 and (other.first < 0 or going.depth > other.depth)
    return GOING if is_it else DEEPEST


@kernel
def longest_of(spells: Any) -> int:
    """The longest spell, that which goes on among them; of equal ones the first."""
    going, other = spells[GOING], spells[LONGEST]
    is_longer = going.until - going.since > other.until - other.since
    return GOING if going.first >= 0 and (other.first < 0 or is_longer) else LONGEST


@kernel
def figures_of_spells(spells: Any, out: Any) -> None:
    """Depth, length and recovery of the deepest spell and of the longest."""
    deepest, longest = spells[deepest_of(spells)], spells[longest_of(spells)]
    if deepest.first < 0:
        out.max_drawdown = out.max_drawdown_bars = out.max_drawdown_days = 0.0
        out.longest_drawdown_bars = out.longest_drawdown_days = 0.0
        return
    out.max_drawdown = deepest.depth
    out.max_drawdown_bars = deepest.end - (deepest.first - 1)
    out.max_drawdown_days = (deepest.until - deepest.since) / DAY_NS
    if deepest.is_over:
        out.max_drawdown_recovery_days = (deepest.until - deepest.trough) / DAY_NS
    out.longest_drawdown_bars = longest.end - (longest.first - 1)
    out.longest_drawdown_days = (longest.until - longest.since) / DAY_NS
