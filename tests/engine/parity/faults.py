"""Journals whose fills are not what the market gave, and the money that this was worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from intrabar.model.bars import Market
from intrabar.model.entry import Entry

TICK = 0.01


@dataclass(frozen=True)
class Faulty:
    """A journal with a fault in one fill, the part that it belongs to, and the money it made."""

    journal: list[Entry]
    part: str
    money: float


def orders_filled(journal: Sequence[Entry], market: Market) -> list[int]:
    """Places of the fills, each the only one of its order, that have a later bar of their own."""
    fills = [k for k, e in enumerate(journal) if e.kind == "fill" and e.body["order"] >= 0]
    of_order: dict[int, int] = {}
    for k in fills:
        of_order[journal[k].body["order"]] = of_order.get(journal[k].body["order"], 0) + 1
    return [k for k in fills if of_order[journal[k].body["order"]] == 1]


def with_fault(journal: Sequence[Entry], k: int, fault: str, market: Market) -> Faulty:
    """Change the fill at a place of a journal."""
    fill = journal[k].body
    side = 1 if fill["side"] == "buy" else -1
    column = market.symbols.index(fill["symbol"])
    last = float(market.close[-1, column])
    qty, price, cost = fill["qty"], fill["price"], fill["cost"]
    worth = side * qty * (last - price) - cost
    body: dict[str, Any] | None = dict(fill)
    more: list[Entry] = []
    match fault:
        case "a tick worse":
            body["price"] = price + side * TICK
            part, money = "price", -qty * TICK
        case "dearer":
            body["cost"] = cost + 5.0
            part, money = "cost", -5.0
        case "half filled":
            body["qty"] = qty / 2.0
            part, money = "size", -side * qty / 2.0 * (last - price)
        case "refused":
            body = None
            part, money = "reject", -worth
        case "by hand":
            sold = fill | {
                "index": 10**6, "order": -1, "qty": 3.0, "price": last + 1.0, "side": "sell",
                "cost": 2.0, "reason": "outside",
            }  # fmt: skip
            more = [replace_body(journal[k], sold)]
            part, money = "manual", 3.0 * 1.0 - 2.0
        case "a bar late":
            row = fill["row"]
            later = next(i for i in range(row + 1, len(market)) if market.open[i, column] > 0)
            moved = float(market.open[later, column] - market.open[row, column])
            body |= {"row": later, "price": price + moved}
            part, money = "timing", -side * qty * moved
        case _:
            raise AssertionError(fault)
    changed = list(journal)
    changed[k : k + 1] = ([] if body is None else [replace_body(journal[k], body)]) + more
    told = [*changed[:k], *(richer(e, money) for e in changed[k:])]
    return Faulty(told, part, money)


def replace_body(entry: Entry, body: dict[str, Any]) -> Entry:
    return Entry(entry.at, entry.bar, entry.step, entry.kind, body)


def richer(entry: Entry, money: float) -> Entry:
    """The end of a row with other money."""
    if entry.kind != "row":
        return entry
    equity = math.fsum((entry.body["equity"], money))
    return replace_body(entry, entry.body | {"equity": equity})


def total(found: Any) -> float:
    """All that the parts explain between the session and its forced twin."""
    outer = ("decisions", "data")
    return math.fsum(v for name, v in found.parts.items() if name not in outer)


__all__ = ["Faulty", "orders_filled", "replace", "total", "with_fault"]
