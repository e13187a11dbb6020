"""An order as a trader writes it down, and the commands of a scenario that make or change one.

Part of the slow second market; the numbers in brackets are sections of the fill model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tests.oracles.naive_instrument import Instrument
from tests.oracles.naive_prices import limit_on_grid, stop_on_grid

SIDES = {"buy": 1, "sell": -1}
NEEDS_LIMIT = ("limit", "stop_limit")
NEEDS_STOP = ("stop", "stop_limit", "trailing_stop")


@dataclass(eq=False)
class Order:
    id: str
    number: int  # its place in the order of acceptance
    instrument: Instrument
    side: int
    lots: int
    type: str
    limit: float | None = None
    stop: float | None = None
    trail: float | None = None
    tif: str = "gtc"
    until: int | None = None
    reduce_only: bool = False
    stop_loss: float | None = None
    take_profit: float | None = None
    role: str = "plain"  # or stop, target, liquidation, end_of_data
    wants_partner: str | None = None
    partner: Order | None = None
    triggered: bool = False  # its stop was reached: from then on a limit, or a market order
    fresh: bool = True  # it has not met the market since it was made or changed
    filled: float = 0  # lots; after a split perhaps a part of one
    status: str = "working"
    reason: str = ""
    children: list[Order] = field(default_factory=list)  # the last that its fills made

    @property
    def works(self) -> bool:
        return self.status == "working"

    @property
    def state(self) -> str:
        """The status as a result names it (4)."""
        return "partially_filled" if self.works and self.filled else self.status

    @property
    def remaining(self) -> int:
        return math.floor(self.lots - self.filled + 1e-9)

    @property
    def acts_as(self) -> str:
        if self.type == "stop_limit":
            return "limit" if self.triggered else "stop_limit"
        if self.type in ("stop", "trailing_stop"):
            return "market" if self.triggered else "stop"
        return self.type

    @property
    def rank(self) -> tuple[int, int]:
        """Who goes first at one price: stop, target, the others as accepted (2.4)."""
        return ({"stop": 0, "target": 1}.get(self.role, 2), self.number)

    def end(self, status: str, reason: str = "") -> None:
        if self.works:
            self.status, self.reason = status, reason


def whole_lots(quantity: float, lot: float) -> int | None:
    """The number of lots; None where the quantity is not a multiple of the lot."""
    lots = round(quantity / lot)
    return lots if abs(quantity / lot - lots) <= 1e-9 else None


def limit_price(price: float | None, side: int, tick: float) -> float | None:
    """The limit on its grid; None where there is none, or not above zero."""
    rounded = 0 if price is None else limit_on_grid(price, side, tick)
    return rounded if rounded > 0 else None


def stop_price(price: float | None, side: int, tick: float) -> float | None:
    rounded = 0 if price is None else stop_on_grid(price, side, tick)
    return rounded if rounded > 0 else None


def accept(written: dict, number: int, instrument: Instrument) -> Order:
    """Accept or reject an order at the moment in which it is submitted (1, 3)."""
    side, tick = SIDES[written["side"]], instrument.tick_size
    lots = whole_lots(written["qty"], instrument.lot)
    order = Order(
        id=written["id"],
        number=number,
        instrument=instrument,
        side=side,
        lots=lots or 0,
        type=written["type"],
        tif=written.get("tif", "gtc"),
        until=written.get("until"),
        reduce_only=bool(written.get("reduce_only", False)),
        stop_loss=written.get("stop_loss"),
        take_profit=written.get("take_profit"),
        wants_partner=written.get("oco"),
    )
    if instrument.mark is None:
        order.end("rejected", "no_market")
        return order
    asked = written.get("stop_price")
    if order.type == "trailing_stop":
        order.trail = written.get("trail") or 0
        if asked is None:  # the first level (4)
            asked = instrument.mark + side * order.trail
    if order.type in NEEDS_LIMIT:
        order.limit = limit_price(written.get("limit_price"), side, tick)
    if order.type in NEEDS_STOP:
        order.stop = stop_price(asked, side, tick)
    if lots is None or lots <= 0:
        order.end("rejected", "invalid_quantity")
    elif (
        (order.type in NEEDS_LIMIT and order.limit is None)
        or (order.type in NEEDS_STOP and order.stop is None)
        or (order.type == "trailing_stop" and order.trail <= 0)
    ):
        order.end("rejected", "invalid_price")
    return order


def modify(order: Order, written: dict) -> None:
    """Change prices or the total quantity of a working order; it keeps its place.

    A change that could not be accepted as an order (a price not above zero, a part of a lot)
    changes nothing at all. A stop that was triggered can no longer be changed.
    """
    side, tick = order.side, order.instrument.tick_size
    limit, stop, lots = order.limit, order.stop, order.lots
    if "limit_price" in written and order.type in NEEDS_LIMIT:
        limit = limit_price(written["limit_price"], side, tick)
        if limit is None:
            return
    if "stop_price" in written and order.type in NEEDS_STOP and not order.triggered:
        stop = stop_price(written["stop_price"], side, tick)
        if stop is None:
            return
    if "qty" in written:
        if written["qty"] / order.instrument.lot < order.filled + 1 - 1e-9:
            order.end("cancelled")
            return
        lots = whole_lots(written["qty"], order.instrument.lot)
        if lots is None:
            return
    order.limit, order.stop, order.lots = limit, stop, lots
    order.fresh = True


def follow(order: Order, high: float, low: float) -> bool:
    """Move the level of a trailing stop after a bar, if that makes it tighter (4)."""
    best = high if order.side < 0 else low
    level = stop_on_grid(best + order.side * order.trail, order.side, order.instrument.tick_size)
    if (level - order.stop) * -order.side <= 0:
        return False
    order.stop = level
    return True


def reprice(order: Order, new_price: object) -> None:
    """Give every price of a working order its new value, rounded as at acceptance (5).

    Levels of children to be are rounded when the child is made. What was triggered has no stop.
    """
    side, tick = order.side, order.instrument.tick_size
    if order.acts_as in ("stop", "stop_limit"):
        order.stop = stop_price(new_price(order.stop), side, tick)
        if order.stop is None:
            order.end("cancelled")
    if order.limit is not None:
        order.limit = limit_price(new_price(order.limit), side, tick)
        if order.limit is None:
            order.end("cancelled")
    if order.stop_loss is not None:
        order.stop_loss = new_price(order.stop_loss)
    if order.take_profit is not None:
        order.take_profit = new_price(order.take_profit)


def make_partners(new: Order, orders: list[Order]) -> None:
    """One cancels the other: whichever came first in the list names the pair (4).

    A pair is two working orders; who has a partner already takes no second one.
    """
    for old in orders:
        named = old.id == new.wants_partner or old.wants_partner == new.id
        if not named or old is new or old.role in ("liquidation", "end_of_data"):
            continue
        if old.works and new.works and old.partner is None and new.partner is None:
            old.partner, new.partner = new, old
