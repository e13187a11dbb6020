"""The price walks through a bar, and meets the orders on its way.

Part of the slow second market; the numbers in brackets are sections of the fill model.
"""

from __future__ import annotations

from itertools import pairwise

from tests.oracles.naive_execution import Execution
from tests.oracles.naive_instrument import Instrument
from tests.oracles.naive_orders import Order
from tests.oracles.naive_prices import (
    Bar,
    at_or_above,
    at_or_below,
    corners,
    goes_low_first,
    mixed,
    same,
)


def walk(market: Execution, instrument: Instrument) -> None:
    """Walk the path of the present bar of an instrument (2.3, 2.4)."""
    lower = instrument.lower_bars(market.at) if market.policy == "detail" else []
    if lower:
        market.notes["a bar with detail"] += 1
        walk_lower(market, instrument, lower)
        return
    if market.policy == "detail":
        market.notes["a bar without detail"] += 1
    bar = instrument.bars[market.at]
    drawn = mixed(market.seed, instrument.index, market.at)
    danger = danger_of(market, instrument)
    low_first = goes_low_first(
        market.policy, bar, instrument.tick_size, danger, drawn, market.trust
    )
    walk_corners(market, instrument, bar, low_first)


def walk_lower(market: Execution, instrument: Instrument, lower: list[Bar]) -> None:
    """One lower bar after the other, each on its shortest path; between them a jump (2)."""
    tick = instrument.tick_size
    last = lower[0].open
    for bar in lower:
        market.lower = bar
        if not same(bar.open, last, tick):
            market.notes["a jump between lower bars"] += 1
            for order in market.working(instrument):
                market.test(order, bar.open, market_orders=False)
        low_first = goes_low_first("shortest", bar, tick, "", 0, 1)
        walk_corners(market, instrument, bar, low_first)
        last = bar.close
    market.lower = None


def danger_of(market: Execution, instrument: Instrument) -> str:
    """The extreme that hurts the position; when flat, the only side that could open (2.3)."""
    if instrument.position.lots:
        return "low" if instrument.position.lots > 0 else "high"
    entries = [o for o in market.working(instrument) if not o.reduce_only]
    on_the_path = [o for o in entries if o.acts_as in ("stop", "limit", "stop_limit")]
    sides = {o.side for o in on_the_path}
    if len(sides) == 1 and sides != {o.side for o in entries}:
        market.notes["an order that cannot fill on the path has no say in it"] += 1
    if len(sides) == 1:
        market.notes["path decided by the side of the orders"] += 1
    return {(-1,): "low", (1,): "high"}.get(tuple(sides), "")


def walk_corners(market: Execution, instrument: Instrument, bar: Bar, low_first: bool) -> None:
    for start, end in pairwise(corners(bar, low_first)):
        if start != end:
            walk_leg(market, instrument, start, end)


def walk_leg(market: Execution, instrument: Instrument, start: float, end: float) -> None:
    """Set off the orders between two prices, the nearest first (2.4)."""
    way, tick = (1 if end > start else -1), instrument.tick_size
    reached = at_or_above if way > 0 else at_or_below
    met: set[tuple[Order, str]] = set()  # who could not get all is not met again on this leg
    while True:
        levels = {
            o: trigger_level(o, way)
            for o in market.working(instrument)
            if (o, o.acts_as) not in met and not rests(market, o)
        }
        ahead = {o: p for o, p in levels.items() if p is not None and reached(end, p, tick)}
        if not ahead:
            return
        nearest = min(ahead.values(), key=lambda p: p * way)
        tied = [o for o, p in ahead.items() if same(p, nearest, tick)]
        first = min(tied, key=lambda o: o.rank)
        if len(tied) > 1:
            market.notes["several orders at one price"] += 1
            if first is not min(tied, key=lambda o: o.number):
                market.notes["child before an earlier order at one price"] += 1
        met.add((first, first.acts_as))
        trigger(market, first, ahead[first])


def rests(market: Execution, order: Order) -> bool:
    """A limit is not met where the bar has nothing left to fill it with (4)."""
    return order.acts_as == "limit" and order.instrument.volume_left(market.at) == 0


def trigger_level(order: Order, way: int) -> float | None:
    """The price at which a leg going up (1) or down (-1) sets the order off, if any."""
    i = order.instrument
    if order.acts_as in ("stop", "stop_limit") and order.side == way:
        return order.stop
    if order.acts_as == "limit" and order.side == -way:
        return order.limit - order.side * i.limit_through_ticks * i.tick_size
    return None


def trigger(market: Execution, order: Order, level: float) -> None:
    """Column "on a leg": the price has reached the order."""
    market.notes[f"{order.type} on a leg"] += 1
    if order.acts_as == "stop":
        order.triggered = True
        market.execute(order, level, standing=level, slips=True)
    elif order.acts_as == "limit":
        market.execute(order, order.limit, standing=level, slips=False, maker=True)
    else:
        order.triggered = True
        tick = order.instrument.tick_size
        cheap_enough = at_or_below if order.side > 0 else at_or_above
        if cheap_enough(level, order.limit, tick):
            market.execute(order, level, standing=level, slips=False)
        else:
            market.notes["stop limit triggered, not marketable"] += 1
