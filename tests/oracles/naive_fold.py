"""Orders, positions and cash of an account as its journal alone tells them, record by record.

A second reader of the journal, which knows no code of ours: only the words and numbers of the
records. Money is in the currency of the account.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OVER = ("filled", "cancelled", "rejected", "expired")


@dataclass
class Position:
    """What a strategy holds of a symbol.

    Parameters
    ----------
    lots : float
        Signed.
    average : float
        Price of what is held.
    basis : float
        Price from which profit is not in cash yet: the average, or that of a settlement.
    """

    lots: float = 0.0
    average: float = 0.0
    basis: float = 0.0


@dataclass
class Fold:
    """The account so far.

    Parameters
    ----------
    cash : float
        At the start.
    symbols : tuple of str
        By their columns in rows.
    """

    cash: float
    symbols: tuple[str, ...]
    positions: dict[tuple[str, str], Position] = field(default_factory=dict)
    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    closes: dict[str, float] = field(default_factory=dict)

    def take(self, kind: str, body: Mapping[str, Any]) -> None:
        """Take one row of the journal in."""
        if kind == "row.closed":
            for bar in body["bars"]:
                self.closes[self.symbols[bar[0]]] = bar[4]
        elif kind == "history":
            for row in body["rows"]:
                self.take("row.closed", row)
        elif kind == "order":
            self._order(body)
        elif kind == "cash":
            self.cash += body["amount"]
            if body["kind"] == "settlement":
                held = self.positions[body["strategy"], body["symbol"]]
                held.basis = self.closes[body["symbol"]]
        elif kind == "fill":
            held = self.positions.setdefault((body["strategy"], body["symbol"]), Position())
            self._fill(held, body)

    def _order(self, body: Mapping[str, Any]) -> None:
        if body["status"] in OVER:
            self.orders.pop(body["order"], None)
        else:
            self.orders[body["order"]] = dict(body)

    def _fill(self, held: Position, body: Mapping[str, Any]) -> None:
        if body["reason"] == "split" and body["qty"] == 0.0:
            held.lots *= body["price"]
            held.average /= body["price"]
            held.basis /= body["price"]
            return
        signed = body["qty"] if body["side"] == "buy" else -body["qty"]
        price, before = body["price"], held.lots
        after = 0.0 if math.isclose(before, -signed, rel_tol=1e-9) else before + signed
        if before * signed < 0.0:
            closed = math.copysign(min(abs(before), abs(signed)), before)
            self.cash += closed * (price - held.basis) * body["point_value"]
            if after == 0.0:
                held.average = held.basis = 0.0
            elif after * before < 0.0:
                held.average = held.basis = price
        else:
            for name in ("average", "basis"):
                so_far = getattr(held, name) * abs(before)
                setattr(held, name, (so_far + price * abs(signed)) / abs(after))
        held.lots = after
        self.cash -= body["cost"]
