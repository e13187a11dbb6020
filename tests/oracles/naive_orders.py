"""An order as a trader writes it down, and the commands of a scenario that make or change one.

Part of the slow second market; the numbers in brackets are sections of the fill model.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.oracles.naive_account import Instrument
from tests.oracles.naive_prices import limit_on_grid, stop_on_grid

SIDES = {"buy": 1, "sell": -1}
NEEDS_LIMIT = ("limit", "stop_limit")
NEEDS_STOP = ("stop", "stop_limit")


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
    tif: str = "gtc"
    until: int | None = None
    reduce_only: bool = False
    stop_loss: float | None = None
    take_profit: float | None = None
    role: str = "plain"  # or stop, target, liquidation, end_of_data
    wants_partner: str | None = None
    partner: Order | None = None
    triggered: bool = False  # a stop limit whose stop was reached is a limit from then on
    filled: int = 0
    status: str = "working"
    reason: str = ""

    @property
    def works(self) -> bool:
        return self.status == "working"

    @property
    def remaining(self) -> int:
        return self.lots - self.filled

    @property
    def acts_as(self) -> str:
        return "limit" if self.type == "stop_limit" and self.triggered else self.type

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
    if order.type in NEEDS_LIMIT:
        order.limit = limit_price(written.get("limit_price"), side, tick)
    if order.type in NEEDS_STOP:
        order.stop = stop_price(written.get("stop_price"), side, tick)
    if instrument.mark is None:
        order.end("rejected", "no_market")
    elif lots is None or lots <= 0:
        order.end("rejected", "invalid_quantity")
    elif (order.type in NEEDS_LIMIT and order.limit is None) or (
        order.type in NEEDS_STOP and order.stop is None
    ):
        order.end("rejected", "invalid_price")
    return order


def modify(order: Order, written: dict) -> None:
    """Change prices or the total quantity of a working order; it keeps its place.

    A change that could not be accepted as an order (a price not above zero, a part of a lot)
    changes nothing at all. A triggered stop limit has no stop any more.
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
        if written["qty"] <= order.filled * order.instrument.lot:
            order.end("cancelled")
            return
        lots = whole_lots(written["qty"], order.instrument.lot)
        if lots is None:
            return
    order.limit, order.stop, order.lots = limit, stop, lots


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
