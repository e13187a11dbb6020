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
from intrabar.model.enums import Phase

Floats = NDArray[np.float64]

OPEN, CLOSE = int(Phase.OPEN), int(Phase.CLOSE)

CAMPAIGN = np.dtype(
    [
        ("sleeve", np.int64),
        ("side", np.int64),  # +1 or -1
        ("start_row", np.int64),  # rows of the fills table
        ("end_row", np.int64),  # -1 while open
        ("start_bar", np.int64),
        ("start_order", np.int64),
        ("first_whole", np.bool_),  # it lived the whole bar on which it started
        ("end_bar", np.int64),  # -1 while open
        ("qty", np.float64),
        ("bought", np.float64),  # quantity that entered
        ("entry", np.float64),
        ("sold", np.float64),  # quantity that left
        ("exit", np.float64),
        ("gross", np.float64),
        ("costs", np.float64),
        ("stop", np.float64),  # its first
        ("risk", np.float64),
        ("mae", np.float64),
        ("mfe", np.float64),
        ("reason", np.int64),
        ("ambiguous", np.bool_),
        ("settled", np.bool_),
    ]
)


@kernel
def touch(campaign: Any, price: float, average: float) -> None:
    """Widen the excursions of a campaign by one price."""
    ran = campaign.side * (price - average)
    campaign.mfe = max(campaign.mfe, ran)
    campaign.mae = max(campaign.mae, -ran)


@kernel
def touch_bar(campaign: Any, bar: int, average: float, high: Floats, low: Floats) -> None:
    """Widen the excursions by the extremes of a bar; one that is not there has none."""
    if not math.isnan(high[bar]):
        touch(campaign, high[bar], average)
        touch(campaign, low[bar], average)


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
    """Let a campaign live through bars to their close."""
    if first_bar == campaign.start_bar and first_bar <= last_bar and not campaign.first_whole:
        touch(campaign, close[first_bar], average)
        first_bar += 1
    # The highest high alone widens as all do: a difference to the average keeps their order.
    highest, lowest = -np.inf, np.inf
    for bar in range(first_bar, last_bar + 1):
        highest = high[bar] if high[bar] > highest else highest  # a bar that is not there: NaN
        lowest = low[bar] if low[bar] < lowest else lowest
    if highest >= lowest:
        touch(campaign, highest, average)
        touch(campaign, lowest, average)


@kernel
def rescale(campaign: Any, ratio: float) -> None:
    """Put a campaign into the scale after a split; money stays as it is."""
    for_one = 1.0 / ratio
    campaign.qty *= ratio
    campaign.bought *= ratio
    campaign.sold *= ratio
    campaign.entry *= for_one
    campaign.exit *= for_one
    campaign.stop *= for_one
    campaign.mae *= for_one
    campaign.mfe *= for_one


@kernel
def begin(campaign: Any, fill: Any, sleeve: int) -> None:
    """Start a campaign with the part of a fill that opens."""
    campaign.sleeve = sleeve
    campaign.side = 1 if fill.qty > 0 else -1
    campaign.start_row = fill.row
    campaign.start_bar = fill.bar
    campaign.start_order = fill.order
    campaign.first_whole = fill.phase == OPEN
    campaign.end_row = -1
    campaign.end_bar = -1
    campaign.stop = fill.stop


@kernel
def enter(campaign: Any, fill: Any, opened: float) -> None:
    """Average an opened quantity into the entry; parts of the first order share its risk."""
    total = campaign.bought + opened
    campaign.entry += (fill.price - campaign.entry) * (opened / total)
    campaign.bought = total
    campaign.costs += fill.cost * (opened / abs(fill.qty))
    campaign.qty = max(campaign.qty, abs(fill.position))
    if fill.row == campaign.start_row or (fill.order >= 0 and fill.order == campaign.start_order):
        campaign.risk += abs(fill.price - campaign.stop) * fill.point_value * opened
    take_marks(campaign, fill)


@kernel
def leave(campaign: Any, fill: Any, closed: float) -> None:
    """Average a closed quantity into the exit; what the fill realized is this campaign's."""
    total = campaign.sold + closed
    campaign.exit += (fill.price - campaign.exit) * (closed / total)
    campaign.sold = total
    campaign.gross += fill.realized
    campaign.costs += fill.cost * (closed / abs(fill.qty))
    campaign.reason = fill.reason
    take_marks(campaign, fill)


@kernel
def take_marks(campaign: Any, fill: Any) -> None:
    """What the bar of a fill did not tell is said of its campaign."""
    campaign.ambiguous = campaign.ambiguous or fill.ambiguous
    campaign.settled = campaign.settled or fill.settled


@kernel
def end(
    campaign: Any,
    fill: Any,
    average: float,
    carried: float,
    open_: Floats,
    high: Floats,
    low: Floats,
) -> None:
    """End a campaign, with what it certainly saw of its last bar.

    `average` is that at the end, `carried` that with which it came through the OPEN of the bar.
    """
    campaign.end_row = fill.row
    campaign.end_bar = fill.bar
    came_in = fill.bar > campaign.start_bar
    if came_in and fill.phase != OPEN and not math.isnan(open_[fill.bar]):
        touch(campaign, open_[fill.bar], carried)
    if fill.phase == CLOSE and (came_in or campaign.first_whole):
        touch_bar(campaign, fill.bar, average, high, low)


@kernel
def trace_sleeve(
    fills: Any,
    sleeve: int,
    worth: float,
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    out: Any,
    count: int,
) -> int:
    """Write the campaigns of one sleeve from `out[count]` on; the number written so far.

    `open_` to `close` are the columns of its instrument, `fills` its fills.
    """
    held = 0.0
    average = 0.0
    carried = 0.0  # the average after the OPEN of the bar
    bar = -1  # of the fill before
    unlived = 0  # first bar that the running campaign has not lived through yet
    for i in range(fills.shape[0]):
        fill = fills[i]
        after = fill.position
        size = abs(fill.qty)
        if held != 0.0:
            live(out[count - 1], average, unlived, fill.bar - 1, high, low, close)
            unlived = max(unlived, fill.bar)
        if fill.qty == 0.0:
            rescale(out[count - 1], fill.price)
            average /= fill.price
        elif held != 0.0:
            touch(out[count - 1], fill.price, average)
        if fill.bar != bar or fill.phase == OPEN:
            carried = average
        flips = held * after < 0.0
        opened = size if held * fill.qty >= 0.0 else (abs(after) if flips else 0.0)
        if opened < size:
            leave(out[count - 1], fill, size - opened)
        if held != 0.0 and (after == 0.0 or flips):
            end(out[count - 1], fill, average, carried, open_, high, low)
        if opened > 0.0:
            if held == 0.0 or flips:
                begin(out[count], fill, sleeve)
                count += 1
                unlived = fill.bar
                average = fill.price
            else:
                average += (fill.price - average) * (opened / (abs(held) + opened))
            enter(out[count - 1], fill, opened)
            if fill.phase == OPEN:
                carried = average
        bar = fill.bar
        held = after
    if held != 0.0:
        campaign = out[count - 1]
        last = close.shape[0] - 1
        live(campaign, average, unlived, last, high, low, close)
        campaign.gross += held * (close[last] - average) * worth
    return count


@kernel
def trace(
    fills: Any,
    first: NDArray[np.int64],
    column: NDArray[np.int64],
    worth: Floats,
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    out: Any,
) -> int:
    """Write the campaigns of all sleeves to `out`; their number.

    Parameters
    ----------
    fills, first
        As in `sleeves.Sleeves`.
    column : (k,) int64
        The market's column of each sleeve.
    worth : (k,) float64, account currency
        Of a move of 1.0 in price at the last close.
    open_, high, low, close : (t, n) float64, price
        The market.
    out : (n,) CAMPAIGN
        Zeroed; a fill starts at most one campaign.
    """
    count = 0
    for s in range(first.shape[0] - 1):
        c = column[s]
        own = fills[first[s] : first[s + 1]]
        o, h, x, p = open_[:, c], high[:, c], low[:, c], close[:, c]
        count = trace_sleeve(own, s, worth[s], o, h, x, p, out, count)
    return count
