"""The money of an account as a trader keeps it: cash, open profit, margins.

Part of the slow second market; the numbers in brackets are sections of the fill model.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.oracles.naive_instrument import Instrument


@dataclass
class Account:
    """Everything here is in the currency of the account."""

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

    def held(self) -> list[Instrument]:
        return [i for i in self.instruments if i.position.lots]

    def equity(self) -> float:
        """Cash and the open profit at the marks (5)."""
        return self.cash + sum(i.open_profit(i.position, i.mark) * i.rate for i in self.held())

    def realised(self, instrument: Instrument, side: int, lots: float, price: float) -> float:
        """What the part of a fill that closes brings to cash (5)."""
        position = instrument.position
        closed = position.closes(side, lots) * instrument.lot
        sign = 1 if position.lots > 0 else -1
        profit = sign * (price - position.basis) * closed * instrument.point_value
        return profit * instrument.rate

    def passes(
        self, instrument: Instrument, side: int, lots: int, price: float, maker: bool
    ) -> bool:
        """The entry check: equity after the fill and its costs covers the initial margin (5).

        This instrument is marked at the fill price, the others at their present marks.
        """
        equity = self.cash + self.realised(instrument, side, lots, price)
        equity -= instrument.cost(lots, price, maker) * instrument.rate
        needed = 0.0
        for i in self.instruments:
            mine = i is instrument
            position = i.position.after(side, lots, price) if mine else i.position
            if position.lots == 0:
                continue
            mark = price if mine else i.mark
            equity += i.open_profit(position, mark) * i.rate
            needed += i.margin("initial", position.lots, mark) * i.rate
        return not self.less(equity, needed, "entry check")

    def book(
        self, instrument: Instrument, side: int, lots: int, price: float, maker: bool
    ) -> float:
        """Take a fill into the books; returns its cost."""
        cost = instrument.cost(lots, price, maker) * instrument.rate
        self.cash += self.realised(instrument, side, lots, price) - cost
        instrument.position = instrument.position.after(side, lots, price)
        instrument.traded[instrument.month] += lots * instrument.lot  # for the tier
        return cost

    def worst_equity(self, at: int) -> float:
        """Equity if every instrument stood at its worst price of the bar (2.9)."""
        equity = self.cash
        for i in self.held():
            bar = i.bars[at]
            worst = i.mark
            if bar is not None:
                worst = bar.low if i.position.lots > 0 else bar.high
            equity += i.open_profit(i.position, worst) * i.rate
        return equity

    def maintenance(self, instruments: list[Instrument]) -> float:
        return sum(
            i.margin("maintenance", i.position.lots, i.mark) * i.rate
            for i in instruments
            if i.position.lots
        )
