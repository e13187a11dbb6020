"""Which orders add and which only reduce, and what would be held if they were filled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from intrabar.risk.exact import beyond, in_lots
from intrabar.risk.records import Book, Working

Adds = tuple[Working, ...]
"""The other working orders that add."""


def reduces(order: Working, book: Book) -> bool:
    """Whether an order only takes away from its sleeve, exits on their way taken off before."""
    if order.protective or order.reduce_only:
        return True  # the market cuts it at the position
    before = [w for w in book.working if is_exit_beside(w, order)]
    return _is_within(order, before, held_by(book, order), book)


def adding(book: Book) -> tuple[Working, ...]:
    """The working orders that add, by the rule of `reduces`, in order of acceptance."""
    held = {s[:2]: s.qty for s in book.sleeves}
    gone: dict[tuple[str, str, int], list[Working]] = {}
    found = []
    for order in book.working:
        if order.protective:
            continue
        before = gone.setdefault((order.strategy, order.symbol, order.side), [])
        has = held.get((order.strategy, order.symbol), 0.0)
        if not order.reduce_only and not _is_within(order, before, has, book):
            found.append(order)
        before.append(order)
    return tuple(found)


def _is_within(order: Working, before: Sequence[Working], held: float, book: Book) -> bool:
    """Whether an order and those before it take no more than what is held."""
    if held * order.side >= 0.0:
        return False
    lot = book.lots.get(order.symbol, 0.0)

    def left(number: Any) -> Any:
        gone = sum(in_lots(w.open, lot)(number) for w in before)
        return gone + in_lots(order.open, lot)(number) - abs(in_lots(held, lot)(number))

    return beyond(left, 0.0) is None


def is_exit_beside(working: Working, order: Working) -> bool:
    """Whether another order takes from the same sleeve on the same side."""
    return (
        working.id != order.id
        and not working.protective
        and (working.strategy, working.symbol, working.side)
        == (order.strategy, order.symbol, order.side)
    )


def held_by(book: Book, order: Working) -> float:
    """The position of the sleeve that an order belongs to."""
    own = (order.strategy, order.symbol)
    return next((s.qty for s in book.sleeves if s[:2] == own), 0.0)


def position_after(order: Working, book: Book, adds: Adds, number: Any) -> Any:
    """The symbol's position on the order's side, if it and all that add on its side were filled.

    Exits of its own sleeve on that side are filled before it: what they leave it adds to.
    """
    lot, side = book.lots.get(order.symbol, 0.0), order.side
    net = sum(in_lots(s.qty, lot)(number) for s in book.sleeves if s.symbol == order.symbol)
    waits = {w.id: w for w in adds if (w.symbol, w.side) == (order.symbol, side)}
    waits |= {w.id: w for w in book.working if is_exit_beside(w, order)}
    pending = sum(in_lots(w.open, lot)(number) for w in waits.values())
    return side * net + pending + in_lots(order.open, lot)(number)


def gross(order: Working, book: Book, adds: Adds, number: Any) -> Any:
    """Worth of all positions after the order; another symbol counts by its larger side."""
    total = 0
    for symbol in {s.symbol for s in book.sleeves} | {w.symbol for w in adds} | {order.symbol}:
        lot = book.lots.get(symbol, 0.0)
        if symbol == order.symbol:
            after = max(position_after(order, book, adds, number), 0)
        else:
            net = sum(in_lots(s.qty, lot)(number) for s in book.sleeves if s.symbol == symbol)
            sides = [abs(net)]
            for side in (1, -1):
                waits = [w for w in adds if (w.symbol, w.side) == (symbol, side)]
                sides.append(abs(net + side * sum(in_lots(w.open, lot)(number) for w in waits)))
            after = max(sides)
        total += after * abs(number(book.marks[symbol])) * number(book.point_values[symbol])
    return total
