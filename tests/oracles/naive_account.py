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
    ties: list[str] = field(default_factory=list)

    def less(self, a: float, b: float, gross: float, what: str) -> bool:
        """`a < b`, and not equal: within 1e-9 of the larger one and the gross value held (3).

        Notes a tie, and when the two are so nearly one that the order of additions decides.
        """
        apart = abs(a - b) / (max(abs(a), abs(b), gross) or 1)
        # Nothing held, and nothing left but for rounding: the order of additions says which side.
        dust = not gross and max(abs(a), abs(b)) < 1e-9
        if 0.9e-9 < apart < 1.1e-9 or dust:
            self.ties.append(f"knife edge: {what}")
        elif apart <= 1e-9:
            self.ties.append(f"equal money: {what}")
        return a < b and apart > 1e-9

    def gross(self) -> float:
        """The worth of all that is held, at the marks."""
        return sum(i.worth(i.position.lots, i.mark) * i.rate for i in self.held())

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
        needed = gross = 0.0
        for i in self.instruments:
            mine = i is instrument
            position = i.position.after(side, lots, price) if mine else i.position
            if position.lots == 0:
                continue
            mark = price if mine else i.mark
            equity += i.open_profit(position, mark) * i.rate
            needed += i.margin("initial", position.lots, mark) * i.rate
            gross += i.worth(position.lots, mark) * i.rate
        return not self.less(equity, needed, gross, "entry check")

    def book(
        self, instrument: Instrument, side: int, lots: int, price: float, maker: bool
    ) -> float:
        """Take a fill into the books; returns its cost."""
        cost = instrument.cost(lots, price, maker) * instrument.rate
        self.cash += self.realised(instrument, side, lots, price) - cost
        instrument.position = instrument.position.after(side, lots, price)
        instrument.traded[instrument.month] += lots * instrument.lot  # for the tier
        return cost

    def worst_equity(self, at: int) -> tuple[float, float]:
        """Equity and gross value with every instrument at its worst price of the bar (2.9)."""
        equity, gross = self.cash, 0.0
        for i in self.held():
            bar = i.bars[at]
            worst = i.mark
            if bar is not None:
                worst = bar.low if i.position.lots > 0 else bar.high
            equity += i.open_profit(i.position, worst) * i.rate
            gross += i.worth(i.position.lots, worst) * i.rate
        return equity, gross

    def maintenance(self, instruments: list[Instrument]) -> float:
        return sum(
            i.margin("maintenance", i.position.lots, i.mark) * i.rate
            for i in instruments
            if i.position.lots
        )
