"""Closes that move so far that a split may not have been adjusted, nor told."""

from __future__ import annotations

import numpy as np

from intrabar.app.compose.series import Series
from intrabar.data.adjust import factors
from intrabar.model.remark import Remark

JUMP = 0.4
"""A close that moves by more than this fraction may be an unadjusted split."""


def jumps(series: Series) -> list[Remark]:
    """Closes that move so far that a split may not have been adjusted, nor told."""
    bars, close = series.bars, series.bars.close
    if series.actions is not None:
        told = series.actions.placed(bars, bars.close_time, 0)
        close = close * factors(told, bars.open, close)[0]
    moves = close[1:] / close[:-1] - 1.0
    far = np.flatnonzero(np.abs(moves) > JUMP)
    if not far.size:
        return []
    at = int(far[0]) + 1
    day = str(np.datetime64(int(bars.session[at]), "D"))
    more = f" and {far.size - 1} more like it" if far.size > 1 else ""
    move = f"{bars.symbol}: the close of {day} is {moves[at - 1]:+.0%} from the one before{more}"
    if series.adjustment != "raw":
        return [Remark(f"{move}: no split, as the bars are adjusted; it happened, or is an error")]
    why = "if that is a split, the bars are not adjusted and the result means nothing"
    return [Remark(f"{move}; {why}", severe=True)]
