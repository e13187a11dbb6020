"""Campaigns of one sleeve the slow way: bar after bar over the whole life, with lists."""

from __future__ import annotations

import math
from typing import NamedTuple


class Life(NamedTuple):
    """One campaign; `end` is None while it is open."""

    start: int
    end: int | None
    largest: float
    entry: float
    mae: float
    mfe: float


def lives(
    deals: list[tuple[int, float, float]], high: list[float], low: list[float], close: list[float]
) -> list[Life]:
    """Campaigns of `(bar, signed quantity, price)` in order of time."""
    # Split every deal that goes through flat into one that closes and one that opens.
    steps: list[tuple[int, float, float]] = []
    held = 0.0
    for bar, qty, price in deals:
        if held * qty < 0 and abs(qty) > abs(held) + 1e-9:
            steps += [(bar, -held, price), (bar, qty + held, price)]
        else:
            steps.append((bar, qty, price))
        held = 0.0 if abs(held + qty) < 1e-9 else held + qty
    groups: list[list[tuple[int, float, float]]] = [[]]
    held = 0.0
    for step in steps:
        groups[-1].append(step)
        held += step[1]
        if abs(held) < 1e-9:
            held = 0.0
            groups.append([])
    return [_life(g, high, low, close) for g in groups if g]


def _life(
    steps: list[tuple[int, float, float]], high: list[float], low: list[float], close: list[float]
) -> Life:
    side = 1 if steps[0][1] > 0 else -1
    ended = abs(sum(q for _, q, _ in steps)) < 1e-9
    first, last = steps[0][0], steps[-1][0] if ended else len(close)
    qty = average = largest = worst = best = 0.0
    for bar in range(first, last + (1 if ended else 0)):
        for _, q, price in [s for s in steps if s[0] == bar]:
            if qty:
                best = max(best, side * (price - average))
                worst = max(worst, -side * (price - average))
            if q * side > 0:
                average = (average * qty + price * abs(q)) / (qty + abs(q))
            qty += q * side
            largest = max(largest, qty)
        seen: list[float] = []
        if bar == first and bar != last:
            seen = [close[bar]]
        elif first < bar < last and not math.isnan(high[bar]):
            seen = [high[bar], low[bar]]
        for price in seen:
            best = max(best, side * (price - average))
            worst = max(worst, -side * (price - average))
    entered = [(abs(q), p) for _, q, p in steps if q * side > 0]
    entry = sum(q * p for q, p in entered) / sum(q for q, _ in entered)
    return Life(first, last if ended else None, largest, entry, worst, best)
