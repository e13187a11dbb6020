"""Rounding to the tick, slippage, and what a fill costs (fill model, sections 3 and 5)."""

from __future__ import annotations

import math
from typing import Any

from intrabar.kernel import kernel

TOLERANCE = 1e-9  # ticks: a price this close to the grid is on it
DAY_NS = 86_400_000_000_000


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
    if side > 0:
        return round_up(price + distance, instrument.tick_size)
    return round_down(price - distance, instrument.tick_size)


@kernel
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


@kernel
def rates_of(instrument: Any, tiers: Any, rests: bool) -> tuple[float, float]:
    """Commission per contract and on the notional: the tier's, or the maker's."""
    per_contract, rate = instrument.commission_per_contract, instrument.commission_rate
    for t in range(instrument.first_tier, instrument.first_tier + instrument.tiers):
        if tiers[t].from_qty <= instrument.traded:
            per_contract, rate = tiers[t].commission_per_contract, tiers[t].commission_rate
    if rests and not math.isnan(instrument.maker_rate):
        rate = instrument.maker_rate
    return per_contract, rate


@kernel
def month_of(time: int) -> int:
    """Months since the year 0 of an instant, UTC.

    Days to civil dates after Howard Hinnant, chrono-compatible low-level date algorithms.
    """
    shifted = time // DAY_NS + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153  # 0 is March
    return (year + era * 400) * 12 + month
