"""Random worlds for the limits, as the oracle and as the check read them."""

from __future__ import annotations

import math
from random import Random

from intrabar.risk.limits import Limits
from intrabar.risk.records import Book, Refusal, Request, Seen, Sleeve, Working

NOW = 1_700_000_000_000_000_000
SYMBOLS, STRATEGIES = ("AA", "BB", "CC"), ("one", "two")


def world_from(rng: Random) -> dict:
    """Positions, working orders, prices in cents, and an equity."""
    lot = {s: rng.choice((1, 1, 0.1, 10)) for s in SYMBOLS}
    marks = {s: round(rng.uniform(1, 300), rng.choice((0, 1, 2))) + 0.5 for s in SYMBOLS}
    positions, stops = {}, {}
    for strategy in STRATEGIES:
        for symbol in SYMBOLS:
            if rng.random() < 0.4:
                qty = float(rng.randint(-20, 20) * lot[symbol])
                if qty:
                    positions[strategy, symbol] = qty
                    if rng.random() < 0.7:
                        stops[strategy, symbol] = round(marks[symbol] * rng.uniform(0.9, 1.1), 2)
    return {
        "lot": lot,
        "marks": marks,
        "worth": {s: rng.choice((1, 1, 50, 0.1)) for s in SYMBOLS},
        "positions": positions,
        "stops": stops,
        "orders": [order_from(rng, lot, marks) for _ in range(rng.randint(0, 4))],
        "x": float(rng.randint(5_000, 200_000)),
        "x0": float(rng.randint(5_000, 200_000)),
    }


def order_from(rng: Random, lot: dict, marks: dict) -> dict:
    symbol = rng.choice(SYMBOLS)
    order = {
        "strategy": rng.choice(STRATEGIES),
        "symbol": symbol,
        "side": rng.choice((1, -1)),
        "qty": float(rng.randint(1, 30) * lot[symbol]),
    }
    if rng.random() < 0.2:
        order["reduce_only"] = True
    if rng.random() < 0.6:
        order["stop"] = round(marks[symbol] * (1 - 0.05 * order["side"]), 2)
    if rng.random() < 0.3:
        order["limit"] = round(marks[symbol] * (1 - 0.01 * order["side"]), 2)
    return order


def working(order: dict, number: int) -> Working:
    return Working(
        id=number,
        strategy=order["strategy"],
        symbol=order["symbol"],
        side=order["side"],
        qty=order["qty"],
        type="limit" if "limit" in order else "market",
        limit_price=order.get("limit", math.nan),
        stop=order.get("stop", math.nan),
        reduce_only=order.get("reduce_only", False),
    )


def book_of(world: dict, **more: object) -> Book:
    sleeves = tuple(
        Sleeve(*key, qty, world["stops"].get(key, math.nan))
        for key, qty in world["positions"].items()
    )
    known = {
        "equity": world["x"],
        "start": world["x0"],
        "sleeves": sleeves,
        "working": tuple(working(o, n) for n, o in enumerate(world["orders"])),
        "marks": world["marks"],
        "point_values": world["worth"],
        "lots": world["lot"],
    }
    return Book(**{**known, **more})  # type: ignore[arg-type]


def view_of(world: dict) -> dict[str, Seen]:
    return {s: Seen(mark) for s, mark in world["marks"].items()}


def asked(order: dict) -> Request:
    return Request("submit", working(order, 99), place=(7, 2, 0))


def limits(**said: object) -> Limits:
    return Limits.of(said)


def rule_of(refusal: Refusal | None) -> str | None:
    return None if refusal is None else refusal.rule
