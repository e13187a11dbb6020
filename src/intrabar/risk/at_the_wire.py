"""The second look at an order that adds: what may have changed between the decision and the wire.

The same `check` as on the inbox, with the limits that do not hang on the rest of the book; the
rates are counted anew, by what really leaves.
"""

from __future__ import annotations

from typing import NamedTuple

from intrabar.risk.breaker import Breaker
from intrabar.risk.check import check
from intrabar.risk.limits import SECOND_NS, Limits
from intrabar.risk.records import Book, Refusal, Request, View, Working
from intrabar.risk.windows import MINUTE_NS, Windows

AGAIN = (
    "allowed_symbols",
    "max_order_qty",
    "max_order_value",
    "orders_per_minute",
    "orders_per_minute_of_symbol",
    "orders_per_day",
)


class Standing(NamedTuple):
    """What is known when something is about to leave."""

    breaker: Breaker
    equity: float
    view: View
    point_values: dict[str, float]
    lots: dict[str, float]


class AtTheWire:
    """Looks at what adds, and counts what leaves.

    Parameters
    ----------
    limits : Limits
        Filled in.
    act_within : int, ns
        How old an entry may be.
    """

    def __init__(self, limits: Limits, act_within: int) -> None:
        said = {name: getattr(limits, name) for name in AGAIN}
        self._limits, self._act_within = Limits(**said), act_within
        self._windows = Windows(keep=MINUTE_NS)

    def refusal(self, order: Working, made: int, at: Standing, now: int) -> Refusal | None:
        """Why an order may not leave; None where it may, and it is counted.

        Parameters
        ----------
        order : Working
        made : int, ns UTC
            When it was asked for, or the moment that it was held for.
        at : Standing
        now : int, ns UTC
        """
        if now - made > self._act_within:
            old, most = (now - made) / SECOND_NS, self._act_within / SECOND_NS
            text = f"late {order.symbol}: {old:.0f} s after it was decided, at most {most:.0f} s"
            return Refusal("late", order.symbol, old, most, text)
        self._windows = self._windows.on(now // (24 * 60 * MINUTE_NS))
        book = Book(
            at.equity,
            point_values=at.point_values,
            lots=at.lots,
            breaker=at.breaker,
            windows=self._windows,
        )
        place = (-1, -1, self._windows.today)
        found = check(Request("submit", order, place), book, at.view, self._limits, now)
        if found is None:
            key = (order.strategy, order.symbol, order.side, order.qty, order.type, ())
            self._windows = self._windows.after(now, order.symbol, key, place)
        return found
