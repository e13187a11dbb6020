"""Closes that move so far that a split may not have been adjusted, nor told."""

from __future__ import annotations

import numpy as np

from intrabar.data.actions import Actions
from intrabar.data.adjust import factors
from intrabar.model.bars import Bars
from intrabar.model.remark import Remark

JUMP = 0.4
"""A close that moves by more than this fraction may be an unadjusted split."""


def jumps(bars: Bars, actions: Actions | None, adjustment: str) -> list[Remark]:
    """Closes that move so far that a split may not have been adjusted, nor told.

    Parameters
    ----------
    bars : Bars
    actions : Actions or None
        Splits and dividends that are known.
    adjustment : {"raw", "split", "all"}
        What was done to the prices.
    """
    close = bars.close
    if actions is not None:
        told = actions.placed(bars, bars.close_time, 0)
        close = close * factors(told, bars.open, close)[0]
    moves = close[1:] / close[:-1] - 1.0
    far = np.flatnonzero(np.abs(moves) > JUMP)
    if not far.size:
        return []
    at = int(far[0]) + 1
    day = str(np.datetime64(int(bars.session[at]), "D"))
    more = f" and {far.size - 1} more like it" if far.size > 1 else ""
    move = f"{bars.symbol}: the close of {day} is {moves[at - 1]:+.0%} from the one before{more}"
    if adjustment != "raw":
        return [Remark(f"{move}: no split, as the bars are adjusted; it happened, or is an error")]
    why = "if that is a split, the bars are not adjusted and the result means nothing"
    return [Remark(f"{move}; {why}", severe=True)]
