"""Rounding to the tick, slippage, and what a fill costs (fill model, sections 3 and 5)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intrabar.kernel import inlined, kernel
from intrabar.model.prices import near

DAY_NS = 86_400_000_000_000
OF_A_LOT = 1e-9  # a quantity this close to whole lots is whole


@kernel
def round_away(price: float, tick: float, side: int) -> float:
    """Round to the tick, never to the owner's favour: up for a buy, down for a sell.

    A price on the grid stays, however many ticks it has; without a grid every price does. The
    ceiling of NumPy stays a float, so that no price is too large for it.
    """
    if tick == 0.0:
        return price
    ticks = price / tick
    return side * np.ceil(side * ticks - near(ticks, ticks, 1.0)) * tick


@kernel
def round_up(price: float, tick: float) -> float:
    """The whole number of ticks at or above a price, times the tick."""
    return round_away(price, tick, 1)


@kernel
def round_down(price: float, tick: float) -> float:
    """The whole number of ticks at or below a price, times the tick."""
    return round_away(price, tick, -1)


@kernel
def lots_up(qty: float, lot: float) -> float:
    """The whole number of lots at or above a quantity, times the lot."""
    return np.ceil(qty / lot - OF_A_LOT) * lot


@kernel
def lots_down(qty: float, lot: float) -> float:
    """The whole number of lots at or below a quantity, times the lot."""
    return np.floor(qty / lot + OF_A_LOT) * lot


@kernel
def in_lots(qty: float, lot: float) -> float:
    """A quantity without the dust of adding fractions: a whole number of lots, times the lot."""
    return np.rint(qty / lot) * lot


@inlined
def slipped(instrument: Any, side: int, price: float, qty: float) -> float:
    """The price that a market, stop or closing order gets: worse by the slippage, on the grid.

    Not clamped to the bar's range. `qty` matters to the square-root impact only (Almgren, Thum,
    Hauptmann, Li 2005, Direct Estimation of Equity Market Impact).
    """
    distance = instrument.slippage_ticks * instrument.tick_size + instrument.slippage_pct * price
    if instrument.slippage_volatility > 0.0 or instrument.slippage_impact > 0.0:
        share = qty / instrument.volume if instrument.volume > 0.0 else 1.0
        distance += instrument.mean_range * (
            instrument.slippage_volatility + instrument.slippage_impact * math.sqrt(share)
        )
    return round_away(price + side * distance, instrument.tick_size, side)


@inlined
def cost_of(instrument: Any, qty: float, price: float, per_contract: float, rate: float) -> float:
    """Commission and fees of one fill of `qty` contracts (unsigned), account currency.

    `per_contract` and `rate` are those that apply to the fill (`rates_of`).
    """
    cost = (
        per_contract * qty
        + instrument.fee_per_trade
        + rate * (qty * abs(price) * instrument.unit_value)
    )
    if instrument.commission_min > 0.0:
        cost = max(cost, instrument.commission_min)
    if instrument.commission_max > 0.0:
        cost = min(cost, instrument.commission_max)
    return cost * instrument.fx


@inlined
def rates_of(instrument: Any, tiers: Any, rests: bool) -> tuple[float, float]:
    """Commission per contract and on the notional: the tier's, or the maker's."""
    per_contract, rate = instrument.commission_per_contract, instrument.commission_rate
    for t in range(instrument.first_tier, instrument.first_tier + instrument.tiers):
        if tiers[t].from_qty <= instrument.traded + OF_A_LOT * instrument.lot:
            per_contract, rate = tiers[t].commission_per_contract, tiers[t].commission_rate
    if rests and not math.isnan(instrument.maker_rate):
        rate = instrument.maker_rate
    return per_contract, rate


@kernel
def month_of(day: int) -> int:
    """Months since the year 0 of a day since 1970.

    Days to civil dates after Howard Hinnant, chrono-compatible low-level date algorithms.
    """
    shifted = day + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153  # 0 is March
    return (year + era * 400) * 12 + month
