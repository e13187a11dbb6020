"""What a sleeve holds, fill by fill: its average price, and which fill closed which.

First in, first out, as `analysis.trades` pairs a whole run at once; a test holds them equal.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from intrabar.model.enums import Side

Row = dict[str, Any]


class Lot(msgspec.Struct):
    """What of an opening fill is still open."""

    seq: int
    bar: int
    time: int
    qty: float
    left: float
    price: float
    cost: float


class Fill(NamedTuple):
    """A fill as it counts: `qty` is signed, 0 for a split, whose ratio is the price."""

    seq: int
    bar: int
    time: int
    qty: float
    price: float
    cost: float
    realized: float
    position: float
    point_value: float | None


class Sleeve(msgspec.Struct):
    """The position of one strategy in one instrument.

    Parameters
    ----------
    qty : float
        Signed.
    average : float
        Price of what is held.
    realized, costs : float, account currency
        Of all its fills.
    lots : list of Lot
        The oldest first.
    """

    qty: float = 0.0
    average: float = 0.0
    realized: float = 0.0
    costs: float = 0.0
    time: int = 0
    seq: int = 0
    lots: list[Lot] = msgspec.field(default_factory=list)

    def add(self, fill: Fill) -> list[Row]:
        """Book a fill; the trades that it closed."""
        size = abs(fill.qty)
        flips = self.qty * fill.position < 0.0
        adds = self.qty * fill.qty >= 0.0
        opened = size if adds else (abs(fill.position) if flips else 0.0)
        closed: list[Row] = []
        if fill.qty == 0.0 and fill.price > 0.0:
            self._split(fill.price)
        elif opened < size:
            closed = self._close(fill, size - opened)
        if fill.position == 0.0 or flips:
            self.lots.clear()  # what rounding left of older lots is gone
        if opened > 0.0:
            self.lots.append(
                Lot(fill.seq, fill.bar, fill.time, size, opened, fill.price, fill.cost)
            )
        self._average(fill, flips, adds)
        self.qty, self.time, self.seq = fill.position, fill.time, fill.seq
        self.realized += fill.realized
        self.costs += fill.cost
        return closed

    def _split(self, ratio: float) -> None:
        for lot in self.lots:
            lot.qty *= ratio
            lot.left *= ratio
            lot.price /= ratio
        self.average /= ratio

    def _average(self, fill: Fill, flips: bool, adds: bool) -> None:
        if fill.position == 0.0:
            self.average = 0.0
        elif flips:
            self.average = fill.price
        elif adds and fill.qty != 0.0:
            held, size = abs(self.qty), abs(fill.qty)
            self.average = (self.average * held + fill.price * size) / (held + size)

    def _close(self, fill: Fill, closing: float) -> list[Row]:
        size = abs(fill.qty)
        dust = 1e-12 * size
        side = Side.SELL if fill.qty > 0 else Side.BUY
        trades = []
        while self.lots and closing > dust:
            lot = self.lots[0]
            taken = min(lot.left, closing)
            if taken > dust:
                trades.append(_trade(lot, fill, side, taken))
            lot.left -= taken
            closing -= taken
            if lot.left <= dust:
                self.lots.pop(0)
        return trades


def _trade(lot: Lot, fill: Fill, side: Side, taken: float) -> Row:
    costs = lot.cost * (taken / lot.qty) + fill.cost * (taken / abs(fill.qty))
    gross = None  # what a point is worth was not told
    if fill.point_value is not None:
        gross = int(side) * (fill.price - lot.price) * taken * fill.point_value
    return {
        "side": side.word,
        "open_seq": lot.seq,
        "open_bar": lot.bar,
        "close_bar": fill.bar,
        "open_time": lot.time,
        "close_time": fill.time,
        "qty": taken,
        "open_price": lot.price,
        "close_price": fill.price,
        "gross": gross,
        "costs": costs,
        "net": None if gross is None else gross - costs,
    }
