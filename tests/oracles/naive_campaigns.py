"""Campaigns of one sleeve the slow way: bar after bar over the whole life, with lists.

Everything is put into the scale of the end first (a split multiplies quantities and divides prices
that are older), so that the rest knows of no splits.
"""

from __future__ import annotations

import math
from typing import NamedTuple

SMALL = 1e-9


class Step(NamedTuple):
    """One execution, or a split: no quantity, and the ratio as its price."""

    bar: int
    phase: str
    qty: float
    price: float


class Prices(NamedTuple):
    """Bars; open, high and low are NaN where there is none."""

    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]


class Life(NamedTuple):
    """One campaign; `end` is None while it is open."""

    start: int
    end: int | None
    largest: float
    entry: float
    mae: float
    mfe: float


def lives(steps: list[Step], bars: Prices) -> list[Life]:
    """Campaigns of the steps, which are in order of time."""
    groups: list[list[Step]] = [[]]
    held = 0.0
    for step in steps:
        if step.qty == 0:
            if held:
                groups[-1].append(step)
                held *= step.price
            continue
        beyond = held + step.qty
        if held * step.qty < 0 and abs(step.qty) > abs(held) + SMALL:  # through flat
            groups[-1].append(step._replace(qty=-held))
            groups.append([step._replace(qty=beyond)])
        else:
            groups[-1].append(step)
            if abs(beyond) < SMALL:
                beyond = 0.0
                groups.append([])
        held = beyond
    return [_life(group, bars) for group in groups if group]


def _life(steps: list[Step], bars: Prices) -> Life:
    splits = [(n, s.bar, s.price) for n, s in enumerate(steps) if s.qty == 0]

    def later(place: int) -> float:
        return math.prod(ratio for n, _, ratio in splits if n > place)

    def after(bar: int) -> float:
        return math.prod(ratio for _, at, ratio in splits if at > bar)

    deals = [
        s._replace(qty=s.qty * later(n), price=s.price / later(n))
        for n, s in enumerate(steps)
        if s.qty
    ]
    scaled = Prices(*([p / after(b) for b, p in enumerate(column)] for column in bars))
    return _life_in_one_scale(deals, scaled)


def _life_in_one_scale(deals: list[Step], bars: Prices) -> Life:
    side = 1 if deals[0].qty > 0 else -1
    ended = abs(sum(d.qty for d in deals)) < SMALL
    first = deals[0].bar
    last = deals[-1].bar if ended else len(bars.close)
    qty = average = largest = worst = best = 0.0

    def see(price: float, since: float) -> None:
        nonlocal worst, best
        if not math.isnan(price):
            best = max(best, side * (price - since))
            worst = max(worst, -side * (price - since))

    for bar in range(first, last + 1 if ended else last):
        here = [d for d in deals if d.bar == bar]
        leaving = average
        for deal in here:
            if deal.phase != "open" and bar == last and bar > first:
                # It came through the OPEN of its last bar; only the first time tells the average.
                if deal is next(d for d in here if d.phase != "open"):
                    see(bars.open[bar], average)
            if qty:
                see(deal.price, average)
            if deal.qty * side > 0:
                average = (average * qty + deal.price * abs(deal.qty)) / (qty + abs(deal.qty))
            leaving = average
            qty += deal.qty * side
            largest = max(largest, qty)
        from_the_open = bar > first or here[0].phase == "open"
        to_the_close = bar < last or here[-1].phase == "close"
        if from_the_open and to_the_close:
            see(bars.high[bar], leaving)
            see(bars.low[bar], leaving)
        elif bar == first and bar < last:
            see(bars.close[bar], leaving)
    entered = [(abs(d.qty), d.price) for d in deals if d.qty * side > 0]
    entry = sum(q * p for q, p in entered) / sum(q for q, _ in entered)
    return Life(first, last if ended else None, largest, entry, worst, best)
