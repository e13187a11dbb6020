"""One instrument: what was configured, its bars, what a fill in it costs, and its position.

Part of the slow second market; the numbers in brackets are sections of the fill model.
Quantities are whole numbers of lots, so that flat is exactly flat. Money is in the currency of
the instrument; `rate` is what one unit of it is worth in the currency of the account.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from tests.oracles.naive_prices import Bar, mean_true_range, same, slipped

DEFAULTS = {
    "tick_size": 0.01,
    "point_value": 1,
    "lot": 1,
    "commission_per_contract": 0,
    "fee_per_trade": 0,
    "commission_rate": 0,
    "commission_min": 0,
    "commission_max": 0,
    "maker_rate": None,
    "tiers": (),
    "slippage_ticks": 0,
    "slippage_pct": 0,
    "slippage_volatility": 0,
    "slippage_impact": 0,
    "limit_through_ticks": 0,
    "max_volume_share": 0,
    "initial_margin": 0,
    "maintenance_margin": 0,
    "initial_margin_rate": 0,
    "maintenance_margin_rate": 0,
    "borrow_rate": 0,
    "swap_long": 0,
    "swap_short": 0,
}


@dataclass(frozen=True)
class Position:
    lots: int = 0  # negative: short
    average: float = 0.0
    basis: float = 0.0  # where its profit counts from: the average, or its last settlement (5)

    def closes(self, side: int, lots: int) -> int:
        """How many of these lots would reduce the position."""
        return min(lots, abs(self.lots)) if self.lots * side < 0 else 0

    def after(self, side: int, lots: int, price: float) -> Position:
        """Increase: averages in. Reduce: average stays. Flip: opens at the fill price (5)."""
        now = self.lots + side * lots
        if now == 0:
            return Position()
        if self.lots == 0 or self.lots * now < 0:
            return Position(now, price, price)
        if self.closes(side, lots):
            return Position(now, self.average, self.basis)
        held = abs(self.lots)

        def averaged(before: float) -> float:
            return (held * before + lots * price) / (held + lots)

        return Position(now, averaged(self.average), averaged(self.basis))


class Instrument:
    """What belongs to one symbol of a scenario."""

    def __init__(self, index: int, configured: dict, scenario: dict) -> None:
        self.index = index
        self.symbol = configured["symbol"]
        for name, default in DEFAULTS.items():
            setattr(self, name, configured.get(name, default))
        account = scenario.get("account", {})
        self.is_cash_account = account.get("type") == "cash"
        home = account.get("currency", "USD")
        currency = configured.get("currency", home)
        self.bars = [None if b is None else Bar(*b) for b in scenario["bars"][self.symbol]]
        self.rates = [1.0] * len(self.bars)
        if currency != home:
            self.rates = scenario["fx"][currency]
        self.rate = self.rates[0]
        self.detail = [
            [Bar(*b) for b in lower or []]
            for lower in scenario.get("detail", {}).get(self.symbol, [None] * len(self.bars))
        ]
        self.mark: float | None = None  # None: it has never had a bar (1)
        self.position = Position()
        self.taken = 0  # lots that orders have got from this bar
        self.month: object = None
        self.traded: Counter = Counter()  # quantity by month

    def lower_bars(self, at: int) -> list[Bar]:
        """The bars inside a bar; none where they are not those of this bar (2)."""
        lower, bar, tick = self.detail[at], self.bars[at], self.tick_size
        if (
            lower
            and same(lower[0].open, bar.open, tick)
            and same(max(max(b.open, b.high, b.low, b.close) for b in lower), bar.high, tick)
            and same(min(min(b.open, b.high, b.low, b.close) for b in lower), bar.low, tick)
            and same(lower[-1].close, bar.close, tick)
        ):
            return lower
        return []

    def volume_left(self, at: int) -> float:
        """Lots that this bar has left for fills (4)."""
        if self.max_volume_share <= 0:
            return math.inf
        bar = self.bars[at]
        return math.floor(self.max_volume_share * bar.volume / self.lot + 1e-9) - self.taken

    def slipped(self, price: float, side: int, lots: int, at: int) -> float:
        """What the market gives for this many lots at this price (3)."""
        bar = self.bars[at]
        volume = bar.volume if bar else 0
        share = lots * self.lot / volume if volume > 0 else 1
        usual = mean_true_range(self.bars, at)
        slippage = self.slippage_ticks * self.tick_size + self.slippage_pct * price
        slippage += self.slippage_volatility * usual
        slippage += self.slippage_impact * usual * math.sqrt(share)
        return slipped(price, side, slippage, self.tick_size)

    def worth(self, lots: int, price: float) -> float:
        """Notional of a holding, long or short."""
        return abs(lots) * self.lot * abs(price) * self.point_value

    def margin(self, kind: str, lots: int, price: float) -> float:
        """Margin of a holding: an amount per contract and a rate of its notional (5)."""
        quantity = abs(lots) * self.lot
        amount = getattr(self, f"{kind}_margin")
        rate = getattr(self, f"{kind}_margin_rate")
        if kind == "initial" and self.is_cash_account:
            rate = max(rate, 1)
        return amount * quantity + rate * quantity * abs(price) * self.point_value

    def cost(self, lots: int, price: float, maker: bool) -> float:
        """Costs of one fill, with its least and its most (5)."""
        quantity = lots * self.lot
        per_contract, rate = self.commission_per_contract, self.commission_rate
        for from_quantity, tier_per_contract, tier_rate in self.tiers:
            if self.traded[self.month] >= from_quantity - 1e-9 * self.lot:
                per_contract, rate = tier_per_contract, tier_rate
        if maker and self.maker_rate is not None:
            rate = self.maker_rate
        cost = per_contract * quantity + self.fee_per_trade
        cost += rate * quantity * abs(price) * self.point_value
        if self.commission_min > 0:
            cost = max(cost, self.commission_min)
        return min(cost, self.commission_max) if self.commission_max > 0 else cost

    def open_profit(self, position: Position, price: float) -> float:
        if position.lots == 0:
            return 0.0
        return position.lots * self.lot * (price - position.basis) * self.point_value
