"""What changes before the open: splits, dividends, margins, and rolls to the next contract.

Part of the slow second market; the numbers in brackets are sections of the fill model.
"""

from __future__ import annotations

import math

from tests.oracles.naive_execution import Execution
from tests.oracles.naive_instrument import Instrument, Position
from tests.oracles.naive_margin import closing_order
from tests.oracles.naive_orders import Order, reprice

MARGINS = (
    "initial_margin",
    "maintenance_margin",
    "initial_margin_rate",
    "maintenance_margin_rate",
)


def take_effect(market: Execution) -> None:
    """The actions of this timestamp in the order of the list (2.1)."""
    for action in market.actions:
        if action["at"] != market.at:
            continue
        i = market.by_symbol[action["symbol"]]
        if "split" in action:
            split(market, i, action["split"])
        elif "dividend" in action:
            quantity = i.position.lots * i.lot
            market.enter("dividend", i, quantity * action["dividend"] * i.point_value * i.rate)
        elif "roll_from" in action:
            roll(market, i, action["roll_from"])
        for name in MARGINS:
            if name in action:
                market.notes["margins change"] += 1
                setattr(i, name, action[name])
    close_delisted(market)


def close_delisted(market: Execution) -> None:
    """An instrument whose bars have ended: nothing works on, it closes at its last close (5)."""
    for i in market.instruments:
        traded = [at for at, bar in enumerate(i.bars) if bar]
        if market.close_delisted and traded and market.at == traded[-1] + 1:
            for order in market.working(i):
                order.end("cancelled")
            if i.position.lots:
                market.notes["closed when delisted"] += 1
                order = closing_order(market, i, "end_of_data")
                market.execute(order, i.mark, standing=None, slips=True)


def split(market: Execution, i: Instrument, ratio: float) -> None:
    """`ratio` new shares for one old one (5)."""
    market.notes["split" if ratio > 1 else "reverse split"] += 1
    old = i.position
    shares = abs(old.lots) * ratio
    whole = math.floor(shares + 1e-9)
    way = 1 if old.lots > 0 else -1
    i.position = Position(way * whole, old.average / ratio, old.basis / ratio)
    for order in market.working(i):
        split_order(market, order, ratio)
    if shares - whole > 1e-9:
        sell_fraction(market, i, way, shares - whole, old.basis / ratio)
    if whole == 0:
        i.position = Position()
        if old.lots:
            market.notes["nothing left after a split"] += 1
            market.cancel_protection(i)


def split_order(market: Execution, order: Order, ratio: float) -> None:
    market.notes[f"split of a working {order.role} order"] += 1
    order.filled *= ratio
    order.lots = math.floor(order.lots * ratio + 1e-9)
    if order.role == "liquidation":  # it is always for all that is held
        order.lots = order.filled + abs(order.instrument.position.lots)
    if order.trail is not None:
        order.trail /= ratio
    reprice(order, lambda price: price / ratio)
    if order.remaining <= 0:
        order.end("cancelled")
    if not order.works:
        market.notes["a split leaves nothing of an order"] += 1


def sell_fraction(market: Execution, i: Instrument, way: int, lots: float, basis: float) -> None:
    """What is not a whole lot goes at the open, without slippage and cost."""
    price = i.bars[market.at].open
    market.account.cash += way * lots * i.lot * (price - basis) * i.point_value * i.rate
    i.traded[i.month] += lots * i.lot
    market.record("split", i, -way, lots, price, 0.0, "split")


def roll(market: Execution, i: Instrument, old_price: float) -> None:
    """Out of the old contract and into the new one; orders move with the price (5)."""
    new_price = i.bars[market.at].open
    lots = abs(i.position.lots)
    way = 1 if i.position.lots > 0 else -1
    for side, price in ((-way, old_price), (way, new_price)) if lots else ():
        price = i.slipped(price, side, lots, market.at)
        cost = market.account.book(i, side, lots, price, maker=False)
        market.record("roll", i, side, lots, price, cost, "roll")
    for order in market.working(i):
        market.notes[f"roll of a working {order.role} order"] += 1
        reprice(order, lambda price: price + (new_price - old_price))
        if not order.works:
            market.notes["a roll leaves an order without a price"] += 1
