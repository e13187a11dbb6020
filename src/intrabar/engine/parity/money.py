"""What each fill of a session made, beside the fill that its twin had, in the account's currency.

A fill contributes `side * qty * point_value * (last - price) - cost`, `last` being the last close:
these, and what moved cash without a fill, are the profit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from intrabar.engine.parity.traded import OUTSIDE, Fill, Key, Traded
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.row import ClosedRow, RowBar
from intrabar.model.enums import ActionKind

PARTS = ("timing", "price", "size", "cost", "reject", "manual", "carry", "fx")
CARRIED = ("dividend", "borrow", "swap", "interest")
AT_THEIR_PRICE = ("limit", "stop_limit")
NO_ORDER = ("split", "roll")


class Scaled(NamedTuple):
    """A fill in the units of the end: what splits made of its quantity and its prices."""

    fill: Fill
    qty: float
    price: float
    model: float  # the model's price before slippage in the row of the fill


@dataclass
class OrderLine:
    """An order of a session beside that of its twin.

    Parameters
    ----------
    key : Key
    strategy, symbol, type : str
    session, twin : int or None
        Their numbers.
    fills, twin_fills : list of Scaled
    parts : dict of part to money
    reason : str
        Why the session has no fill where the twin has one.
    """

    key: Key
    strategy: str
    symbol: str
    type: str = ""
    session: int | None = None
    twin: int | None = None
    fills: list[Scaled] = field(default_factory=list)
    twin_fills: list[Scaled] = field(default_factory=list)
    parts: dict[str, float] = field(default_factory=dict)
    reason: str = ""


class Prices:
    """Where the market stood, row by row, and what a point of each symbol is worth.

    Parameters
    ----------
    plan : Plan
    rows : sequence of ClosedRow
        All, up to the one at whose end the money is counted.
    """

    def __init__(self, plan: Plan, rows: Sequence[ClosedRow]) -> None:
        self.symbols = plan.symbols
        self.ticks = {x.symbol: x.tick_size for x in plan.instruments}
        self.has_rates = any(row.fx for row in rows)
        self._rows = rows
        rates = rows[-1].fx if rows and rows[-1].fx else (1.0,) * len(plan.instruments)
        self.worth = {
            x.symbol: x.point_value * rate for x, rate in zip(plan.instruments, rates, strict=True)
        }
        self.last = dict.fromkeys(self.symbols, math.nan)
        self._bars: dict[tuple[int, str], RowBar] = {}
        self._splits: dict[str, list[tuple[int, float]]] = {x: [] for x in self.symbols}
        for i, row in enumerate(rows):
            for bar in row.bars:
                self.last[self.symbols[bar.column]] = bar.close
                self._bars[i, self.symbols[bar.column]] = bar
            for action in row.actions:
                if action.kind == ActionKind.SPLIT and action.value:
                    self._splits[self.symbols[action.column]].append((i, action.value))

    def time_of(self, row: int) -> int | None:
        """The close time of a row, ns UTC; None where there is none."""
        return self._rows[row].time if 0 <= row < len(self._rows) else None

    def scaled(self, fill: Fill, order: Mapping[str, Any] | None, parent: Scaled | None) -> Scaled:
        """A fill in the units of the end."""
        ratio = math.prod(value for row, value in self._splits[fill.symbol] if row > fill.row)
        model = self.model(fill, order, parent)
        return Scaled(fill, fill.qty * ratio, fill.price / ratio, model / ratio)

    def model(self, fill: Fill, order: Mapping[str, Any] | None, parent: Scaled | None) -> float:
        """What the market model gives in the row of a fill before slippage."""
        bar = self._bars.get((fill.row, fill.symbol))
        if bar is None or fill.reason in NO_ORDER or fill.reason == OUTSIDE or order is None:
            return fill.price
        if order["type"] in AT_THEIR_PRICE:
            return fill.price
        if fill.phase == "open":
            return bar.open
        level = float(order["stop_price"])
        if fill.phase == "close" or math.isnan(level):
            return bar.close
        at = parent.fill if parent is not None else None
        if at is not None and parent is not None and (at.row, at.phase) == (fill.row, fill.phase):
            # A stop that its entry's price has passed already is filled where the market stands.
            return min(level, parent.model) if fill.side < 0 else max(level, parent.model)
        return level

    def contribution(self, one: Scaled) -> float:
        """What a fill adds to the profit, at the last close."""
        return self._gross(one, one.qty) - one.fill.cost

    def _gross(self, one: Scaled, qty: float) -> float:
        fill = one.fill
        far = self.last[fill.symbol] - one.price
        return fill.side * qty * self.worth[fill.symbol] * far if qty else 0.0

    def pair(self, line: OrderLine) -> None:
        """Split the difference of two orders' fills into timing, price, size and cost."""
        for ours, theirs, qty, twin_qty in _pieces(line.fills, line.twin_fills):
            if ours is not None and theirs is not None:
                both = min(qty, twin_qty)
                scale = -ours.fill.side * both * self.worth[line.symbol]
                timing = 0.0
                if ours.fill.row != theirs.fill.row:
                    timing = scale * (ours.model - theirs.model)
                add(line, "timing", timing)
                add(line, "price", scale * (ours.price - theirs.price) - timing)
                size = self._gross(ours, qty - both) - self._gross(theirs, twin_qty - both)
            else:
                size = self._gross(ours, qty) if ours is not None else 0.0
                size -= self._gross(theirs, twin_qty) if theirs is not None else 0.0
            add(line, "size", size)
        costs = [math.fsum(x.fill.cost for x in fills) for fills in (line.fills, line.twin_fills)]
        add(line, "cost", costs[1] - costs[0])

    def exchange(self, traded: Traded, fills: Sequence[Scaled]) -> float:
        """What rates of exchange made: the profit by the rates of each day, less that by the last.

        Daily settlement moves profit into cash at the rate of its day.
        """
        if not self.has_rates:
            return 0.0
        held: dict[tuple[str, str], tuple[float, float]] = {}  # quantity, basis
        made: list[float] = []
        settled = [x for x in traded.lines if x["kind"] == "settlement"]
        lines = iter(sorted(settled, key=lambda x: int(x["row"])))
        line = next(lines, None)
        for one in sorted(fills, key=lambda x: x.fill.row):
            while line is not None and int(line["row"]) < one.fill.row:
                made.append(self._settle(held, line))
                line = next(lines, None)
            owner = one.fill.strategy, one.fill.symbol
            qty, basis = held.get(owner, (0.0, 0.0))
            signed = one.fill.side * one.qty
            left = qty + signed
            if qty * signed >= 0.0:
                basis = (basis * abs(qty) + one.price * abs(signed)) / abs(left) if left else 0.0
            else:
                closed = math.copysign(min(abs(qty), abs(signed)), qty)
                made.append(closed * (one.price - basis) * one.fill.point_value)
                basis = one.price if qty * left < 0.0 else basis
            held[owner] = (left, basis)
        while line is not None:
            made.append(self._settle(held, line))
            line = next(lines, None)
        for (_, symbol), (qty, basis) in held.items():
            if qty:
                made.append(qty * (self.last[symbol] - basis) * self.worth[symbol])
        return math.fsum(made) - math.fsum(self._gross(one, one.qty) for one in fills)

    def _settle(
        self, held: dict[tuple[str, str], tuple[float, float]], line: Mapping[str, Any]
    ) -> float:
        """Take a settlement in: its position goes on from the close of the row."""
        owner, row = (line["strategy"], line["symbol"]), int(line["row"])
        bar = self._bars.get((row, line["symbol"]))
        while bar is None and row > 0:
            row -= 1
            bar = self._bars.get((row, line["symbol"]))
        if owner in held and bar is not None:
            ratio = math.prod(v for at, v in self._splits[line["symbol"]] if at > int(line["row"]))
            held[owner] = (held[owner][0], bar.close / ratio)
        return float(line["amount"])


def add(line: OrderLine, part: str, money: float) -> None:
    """Add money to a part; what is nothing is not named."""
    if money != 0.0:
        line.parts[part] = line.parts.get(part, 0.0) + money


def _pieces(
    ours: Sequence[Scaled], theirs: Sequence[Scaled]
) -> list[tuple[Scaled | None, Scaled | None, float, float]]:
    """Fills side by side, first with first; the last one takes what the other side has more."""
    made: list[tuple[Scaled | None, Scaled | None, float, float]] = []
    a = [(one, one.qty) for one in ours]
    b = [(one, one.qty) for one in theirs]
    while a and b:
        (one, qty), (other, twin_qty) = a[0], b[0]
        both = min(qty, twin_qty)
        made.append((one, other, both, both))
        a = [(one, qty - both), *a[1:]] if qty > both else a[1:]
        b = [(other, twin_qty - both), *b[1:]] if twin_qty > both else b[1:]
    made += [(one, None, qty, 0.0) for one, qty in a]
    made += [(None, other, 0.0, qty) for other, qty in b]
    return made
