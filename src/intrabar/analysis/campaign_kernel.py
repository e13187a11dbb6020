"""The life of each sleeve, bar by bar: where campaigns start and end, and how far they ran.

One pass over the fills and over the bars on which a position is open. The rules of the averages
and of MAE and MFE stand in `campaigns`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.kernel import kernel

Floats = NDArray[np.float64]

CAMPAIGN = np.dtype(
    [
        ("sleeve", np.int64),
        ("side", np.int64),  # +1 or -1
        ("start_row", np.int64),  # rows of the fills table
        ("end_row", np.int64),  # -1 while open
        ("start_bar", np.int64),
        ("end_bar", np.int64),  # -1 while open
        ("qty", np.float64),
        ("bought", np.float64),  # quantity that entered
        ("entry", np.float64),
        ("sold", np.float64),  # quantity that left
        ("exit", np.float64),
        ("gross", np.float64),
        ("costs", np.float64),
        ("risk", np.float64),
        ("mae", np.float64),
        ("mfe", np.float64),
        ("reason", np.int64),
        ("ambiguous", np.bool_),
    ]
)


@kernel
def touch(campaign: Any, price: float, average: float) -> None:
    """Widen the excursions of a campaign by one price."""
    ran = campaign.side * (price - average)
    campaign.mfe = max(campaign.mfe, ran)
    campaign.mae = max(campaign.mae, -ran)


@kernel
def live(
    campaign: Any,
    average: float,
    first_bar: int,
    last_bar: int,
    high: Floats,
    low: Floats,
    close: Floats,
) -> None:
    """Let a campaign live through whole bars; of the bar on which it started, only the close."""
    for bar in range(first_bar, last_bar + 1):
        if bar == campaign.start_bar:
            touch(campaign, close[bar], average)
        elif not math.isnan(high[bar]):
            touch(campaign, high[bar], average)
            touch(campaign, low[bar], average)


@kernel
def begin(campaign: Any, fill: Any, sleeve: int, opened: float, point_value: float) -> None:
    """Start a campaign with the part of a fill that opens."""
    campaign.sleeve = sleeve
    campaign.side = 1 if fill.qty > 0 else -1
    campaign.start_row = fill.row
    campaign.start_bar = fill.bar
    campaign.end_row = -1
    campaign.end_bar = -1
    campaign.risk = abs(fill.price - fill.stop) * point_value * opened


@kernel
def enter(campaign: Any, fill: Any, opened: float) -> None:
    """Average an opened quantity into the entry."""
    total = campaign.bought + opened
    campaign.entry += (fill.price - campaign.entry) * (opened / total)
    campaign.bought = total
    campaign.costs += fill.cost * (opened / abs(fill.qty))
    campaign.qty = max(campaign.qty, abs(fill.position))
    campaign.ambiguous = campaign.ambiguous or fill.ambiguous


@kernel
def leave(campaign: Any, fill: Any, closed: float) -> None:
    """Average a closed quantity into the exit; what the fill realized is this campaign's."""
    total = campaign.sold + closed
    campaign.exit += (fill.price - campaign.exit) * (closed / total)
    campaign.sold = total
    campaign.gross += fill.realized
    campaign.costs += fill.cost * (closed / abs(fill.qty))
    campaign.ambiguous = campaign.ambiguous or fill.ambiguous
    campaign.reason = fill.reason


@kernel
def trace_sleeve(
    fills: Any,
    sleeve: int,
    point_value: float,
    high: Floats,
    low: Floats,
    close: Floats,
    out: Any,
    count: int,
) -> int:
    """Write the campaigns of one sleeve from `out[count]` on; the number written so far.

    `high`, `low`, `close` are the columns of its instrument, `fills` its fills.
    """
    held = 0.0
    average = 0.0
    unlived = 0  # first bar that the running campaign has not lived through yet
    for i in range(fills.shape[0]):
        fill = fills[i]
        after = fill.position
        size = abs(fill.qty)
        if held != 0.0:
            campaign = out[count - 1]
            live(campaign, average, unlived, fill.bar - 1, high, low, close)
            unlived = max(unlived, fill.bar)
            touch(campaign, fill.price, average)
        flips = held * after < 0.0
        opened = size if held * fill.qty >= 0.0 else (abs(after) if flips else 0.0)
        if opened < size:
            leave(out[count - 1], fill, size - opened)
        if held != 0.0 and (after == 0.0 or flips):
            out[count - 1].end_row = fill.row
            out[count - 1].end_bar = fill.bar
        if opened > 0.0:
            if held == 0.0 or flips:
                begin(out[count], fill, sleeve, opened, point_value)
                count += 1
                unlived = fill.bar
                average = fill.price
            else:
                average += (fill.price - average) * (opened / (abs(held) + opened))
            enter(out[count - 1], fill, opened)
        held = after
    if held != 0.0:
        campaign = out[count - 1]
        last = close.shape[0] - 1
        live(campaign, average, unlived, last, high, low, close)
        campaign.gross += held * (close[last] - average) * point_value
    return count


@kernel
def trace(
    fills: Any,
    first: NDArray[np.int64],
    column: NDArray[np.int64],
    point_value: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    out: Any,
) -> int:
    """Write the campaigns of all sleeves to `out`; their number.

    Parameters
    ----------
    fills, first, point_value
        As in `sleeves.Sleeves`.
    column : (k,) int64
        The market's column of each sleeve.
    high, low, close : (t, n) float64, price
        The market.
    out : (n,) CAMPAIGN
        Zeroed; a fill starts at most one campaign.
    """
    count = 0
    for s in range(first.shape[0] - 1):
        c = column[s]
        own = fills[first[s] : first[s + 1]]
        count = trace_sleeve(own, s, point_value[s], high[:, c], low[:, c], close[:, c], out, count)
    return count
