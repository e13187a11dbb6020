"""Rounding to the tick, slippage, and what a fill costs (fill model, sections 3 and 5)."""

from __future__ import annotations

import math
from typing import Any

from intrabar.kernel import kernel

TOLERANCE = 1e-9  # ticks: a price this close to the grid is on it


@kernel
def round_up(price: float, tick: float) -> float:
    """The whole number of ticks at or above a price, times the tick."""
    return math.ceil(price / tick - TOLERANCE) * tick


@kernel
def round_down(price: float, tick: float) -> float:
    """The whole number of ticks at or below a price, times the tick."""
    return math.floor(price / tick + TOLERANCE) * tick


@kernel
def in_lots(qty: float, lot: float) -> float:
    """A quantity without the dust of adding fractions: a whole number of lots, times the lot."""
    return round(qty / lot) * lot


@kernel
def slipped(instrument: Any, side: int, price: float) -> float:
    """The price that a market, stop or closing order gets: worse by the slippage, on the grid.

    Not clamped to the bar's range.
    """
    distance = instrument.slippage_ticks * instrument.tick_size + instrument.slippage_pct * price
    if side > 0:
        return round_up(price + distance, instrument.tick_size)
    return round_down(price - distance, instrument.tick_size)


@kernel
def cost_of(instrument: Any, qty: float, price: float) -> float:
    """Commission and fees of one fill of `qty` contracts (unsigned), account currency."""
    notional = qty * abs(price) * instrument.point_value
    cost = (
        instrument.commission_per_contract * qty
        + instrument.fee_per_trade
        + instrument.commission_rate * notional
    )
    cost = max(cost, instrument.commission_min)
    if instrument.commission_max > 0.0:
        cost = min(cost, instrument.commission_max)
    return cost
