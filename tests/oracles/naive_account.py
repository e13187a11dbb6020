"""Positions and money as a trader keeps them: whole lots, an average price, cash, margins.

Part of the slow second market; the numbers in brackets are sections of the fill model.
Quantities are whole numbers of lots, so that flat is exactly flat.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.oracles.naive_prices import Bar

DEFAULTS = {
    "tick_size": 0.01,
    "point_value": 1,
    "lot": 1,
    "commission_per_contract": 0,
    "fee_per_trade": 0,
    "commission_rate": 0,
    "commission_min": 0,
    "commission_max": 0,
    "slippage_ticks": 0,
    "slippage_pct": 0,
    "limit_through_ticks": 0,
    "initial_margin": 0,
    "maintenance_margin": 0,
    "initial_margin_rate": 0,
    "maintenance_margin_rate": 0,
}


class Instrument:
    """One instrument: what was configured, its bars, its mark and its position."""

    def __init__(self, index: int, configured: dict, bars: list) -> None:
        self.index = index
        self.symbol = configured["symbol"]
        for name, default in DEFAULTS.items():
            setattr(self, name, configured.get(name, default))
        self.bars = [None if b is None else Bar(*b) for b in bars]
        self.mark: float | None = None  # None: it has never had a bar (1)
        self.position = Position()

    def margin(self, kind: str, lots: int, price: float) -> float:
        """Margin of a holding: an amount per contract and a rate of its notional (5)."""
        quantity = abs(lots) * self.lot
        amount = getattr(self, f"{kind}_margin")
        rate = getattr(self, f"{kind}_margin_rate")
        return amount * quantity + rate * quantity * price * self.point_value

    def cost(self, lots: int, price: float) -> float:
        """Costs of one fill, with its least and its most (5)."""
        quantity = lots * self.lot
        cost = self.commission_per_contract * quantity + self.fee_per_trade
        cost += self.commission_rate * quantity * abs(price) * self.point_value
        cost = max(cost, self.commission_min)
        return min(cost, self.commission_max) if self.commission_max > 0 else cost

    def open_profit(self, position: Position, price: float) -> float:
        if position.lots == 0:
            return 0.0
        return position.lots * self.lot * (price - position.average) * self.point_value


@dataclass(frozen=True)
class Position:
    lots: int = 0  # negative: short
    average: float = 0.0

    def closes(self, side: int, lots: int) -> int:
        """How many of these lots would reduce the position."""
        return min(lots, abs(self.lots)) if self.lots * side < 0 else 0

    def after(self, side: int, lots: int, price: float) -> Position:
        """Increase: averages in. Reduce: average stays. Flip: opens at the fill price (5)."""
        now = self.lots + side * lots
        if now == 0:
            return Position()
        if self.lots == 0 or self.lots * now < 0:
            return Position(now, price)
        if self.closes(side, lots):
            return Position(now, self.average)
        held = abs(self.lots)
        return Position(now, (held * self.average + lots * price) / (held + lots))


@dataclass
class Account:
    cash: float
    instruments: list[Instrument]
    scale: float = 0.0
    knife_edges: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scale = max(1.0, abs(self.cash))

    def less(self, a: float, b: float, what: str) -> bool:
        """`a < b`, noting when the two are so close that the order of additions decides."""
        if abs(a - b) <= 1e-9 * max(self.scale, abs(a), abs(b)):
            self.knife_edges.append(what)
        return a < b

    def equity(self) -> float:
        """Cash and the open profit at the marks (5)."""
        return self.cash + sum(
            i.open_profit(i.position, i.mark) for i in self.instruments if i.position.lots
        )

    def realised(self, instrument: Instrument, side: int, lots: int, price: float) -> float:
        """Profit of the part of a fill that closes (5)."""
        position = instrument.position
        closed = position.closes(side, lots) * instrument.lot
        sign = 1 if position.lots > 0 else -1
        return sign * (price - position.average) * closed * instrument.point_value

    def passes(self, instrument: Instrument, side: int, lots: int, price: float) -> bool:
        """The entry check: equity after the fill and its costs covers the initial margin (5).

        This instrument is marked at the fill price, the others at their present marks.
        """
        equity = self.cash + self.realised(instrument, side, lots, price)
        equity -= instrument.cost(lots, price)
        needed = 0.0
        for i in self.instruments:
            mine = i is instrument
            position = i.position.after(side, lots, price) if mine else i.position
            if position.lots == 0:
                continue
            mark = price if mine else i.mark
            equity += i.open_profit(position, mark)
            needed += i.margin("initial", position.lots, mark)
        return not self.less(equity, needed, "entry check")

    def book(self, instrument: Instrument, side: int, lots: int, price: float) -> float:
        """Take a fill into the books; returns its cost."""
        cost = instrument.cost(lots, price)
        self.cash += self.realised(instrument, side, lots, price) - cost
        instrument.position = instrument.position.after(side, lots, price)
        return cost

    def worst_equity(self, at: int) -> float:
        """Equity if every instrument stood at its worst price of the bar (2.9)."""
        equity = self.cash
        for i in self.instruments:
            if i.position.lots == 0:
                continue
            bar = i.bars[at]
            worst = i.mark
            if bar is not None:
                worst = bar.low if i.position.lots > 0 else bar.high
            equity += i.open_profit(i.position, worst)
        return equity

    def maintenance(self, instruments: list[Instrument]) -> float:
        return sum(
            i.margin("maintenance", i.position.lots, i.mark) for i in instruments if i.position.lots
        )
