"""An account at a fake, as no vendor in particular has it: orders, fills, positions, money.

It is what is true there. A vendor's fake puts it into the vendor's words; the test moves it, and
nothing fills by itself. What changes is told to whoever watches, as a copy, in its order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

NAN = float("nan")
PLACES = 9
Status = Literal[
    "held", "accepted", "working", "filled", "cancelled", "expired", "rejected", "replaced"
]
ALIVE = frozenset({"held", "accepted", "working"})
"""A child whose entry has not filled, an order that is not at the venue yet, one that is."""


@dataclass
class Order:
    """An order at the fake.

    Parameters
    ----------
    parent : str
        Id of the entry whose child it is.
    group : str
        Of the orders of which one ends the others; "" where it has none.
    word : str
        The vendor's status word, where a test wants one that `status` does not give.
    money : float
        Quantity times price of its fills.
    """

    id: str
    client_id: str
    symbol: str
    side: int
    type: str
    qty: float
    limit_price: float = NAN
    stop_price: float = NAN
    tif: str = "gtc"
    until: int = 0
    opens: bool = True
    parent: str = ""
    group: str = ""
    status: Status = "accepted"
    word: str = ""
    filled: float = 0.0
    money: float = 0.0
    text: str = ""
    replaces: str = ""
    replaced_by: str = ""
    created: int = 0
    changed: int = 0

    @property
    def average(self) -> float:
        """Price of its fills; NaN without one."""
        return self.money / self.filled if self.filled else NAN

    @property
    def rest(self) -> float:
        """What of it may still fill."""
        return round(self.qty - self.filled, PLACES) if self.status in ALIVE else 0.0


@dataclass(frozen=True)
class Fill:
    """A fill at the fake; `total` is the cumulative quantity of its order after it."""

    id: str
    order: str
    symbol: str
    side: int
    qty: float
    price: float
    total: float
    time: int


@dataclass(frozen=True)
class News:
    """What has changed: an order, by a fill where there is one, or the money."""

    what: str
    order: Order | None = None
    fill: Fill | None = None
    amount: float = 0.0


class Impossible(Exception):  # noqa: N818 a refusal, in the vendor's words by its fake
    """What an account does not do; `code` as `broker_facts.Code` has it."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


@dataclass
class FakeAccount:
    """One account.

    Parameters
    ----------
    symbols : dict
        What may be traded, and its last price.
    activates : "any" or "whole"
        Children work after any fill of their entry, for what has filled; or once it is full.
    changes_make_new : bool
        A changed order is a new one (`Can.replace`).
    unique : bool
        A client id is taken once.
    holds : bool
        Shares that a resting exit may sell are held: a second exit is refused.
    fee : float
        What each fill costs, in cash.
    names : callable
        Of the n-th order: its vendor id.
    now : callable
        ns UTC.
    """

    id: str = "PAPER1"
    symbols: dict[str, float] = field(default_factory=lambda: {"AAPL": 100.0, "MSFT": 200.0})
    cash: float = 100_000.0
    activates: Literal["any", "whole"] = "any"
    changes_make_new: bool = False
    unique: bool = True
    holds: bool = False
    fee: float = 0.0
    names: Callable[[int], str] = str
    now: Callable[[], int] = time.time_ns
    orders: dict[str, Order] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    positions: dict[str, tuple[float, float]] = field(default_factory=dict)
    watchers: list[Callable[[News], None]] = field(default_factory=list)
    submitted: list[str] = field(default_factory=list)  # client ids, each time one was taken
    _numbers: count[int] = field(default_factory=lambda: count(1))

    # What a vendor's wire asks for

    def place(self, orders: Iterable[Order], *, works: bool = True) -> list[Order]:
        """Take orders that leave together, whole or not at all: an entry before its children.

        Their `parent` and `group` name each other by client id where that is all they know.

        Raises
        ------
        Impossible
        """
        taken = [copy(order) for order in orders]
        for order in taken:
            self._require_possible(order)
        ids: dict[str, str] = {}
        for order in taken:
            order.id = order.id or self.names(next(self._numbers))
            ids[order.client_id] = order.id
            order.created = order.changed = self.now()
            order.parent = ids.get(order.parent, order.parent) if order.parent else ""
            order.status = "held" if order.parent else "working" if works else "accepted"
            self.orders[order.id] = order
            self.submitted.append(order.client_id)
        for order in taken:
            self._tell("placed", order)
        return taken

    def change(
        self,
        id: str,  # noqa: A002
        *,
        qty: float = NAN,
        limit_price: float = NAN,
        stop_price: float = NAN,
        client_id: str = "",
    ) -> Order:
        """Change an order, or put a new one into its place; NaN leaves a value alone.

        Raises
        ------
        Impossible
        """
        order = self._alive(id)
        if qty == qty and qty <= order.filled:
            raise Impossible("invalid_quantity", f"{qty:g} is not above what has filled")
        changed = order
        if self.changes_make_new:
            changed = copy(order)
            changed.id, changed.client_id = self.names(next(self._numbers)), client_id
            changed.replaces, changed.created = order.id, self.now()
            changed.filled = changed.money = 0.0
            changed.qty = order.rest
            if qty == qty:
                qty = round(qty - order.filled, PLACES)
            order.replaced_by = changed.id
            self.orders[changed.id] = changed
            self.submitted.append(client_id)
        changed.qty = qty if qty == qty else changed.qty
        changed.limit_price = limit_price if limit_price == limit_price else changed.limit_price
        changed.stop_price = stop_price if stop_price == stop_price else changed.stop_price
        if changed is not order:
            self._end(order, "replaced")
        changed.changed = self.now()
        self._tell("changed", changed)
        return changed

    def cancel(self, id: str) -> Order:  # noqa: A002
        """End an order as its owner asks.

        Raises
        ------
        Impossible
        """
        order = self._alive(id)
        self._end(order, "cancelled")
        return order

    def by_client_id(self, client_id: str) -> Order | None:
        """The newest order with that name; None: there is none."""
        found = [x for x in self.orders.values() if x.client_id == client_id]
        return found[-1] if found else None

    @property
    def equity(self) -> float:
        """Money and what the positions are worth."""
        return self.cash + sum(
            qty * self.symbols.get(symbol, average)
            for symbol, (qty, average) in self.positions.items()
        )

    # What the market, the venue and others do

    def fill(self, id: str, qty: float, price: float) -> Fill:  # noqa: A002
        """Fill an order by so much; its children begin to work, its alternatives shrink."""
        order = self._alive(id)
        order.filled = round(order.filled + qty, PLACES)
        order.money += qty * price
        order.status = "filled" if order.filled >= order.qty else "working"
        order.changed = self.now()
        fill = Fill(
            f"F{len(self.fills) + 1}",
            order.id,
            order.symbol,
            order.side,
            qty,
            price,
            order.filled,
            self.now(),
        )
        self.fills.append(fill)
        self._move(order.symbol, order.side * qty, price)
        self._tell("filled", order, fill)
        if self.activates == "any" or order.status == "filled":
            self._wake(order)
        self._shrink(order, qty)
        return fill

    def end(
        self,
        id: str,  # noqa: A002
        status: Literal["cancelled", "expired", "rejected"],
        text: str = "",
    ) -> None:
        """End an order as the venue does, unasked."""
        order = self._alive(id)
        order.text = text
        self._end(order, status)

    def show(self, id: str, word: str) -> None:  # noqa: A002
        """Give an order a status word of the vendor's."""
        self.orders[id].word = word
        self._tell("shown", self.orders[id])

    def works(self, id: str) -> None:  # noqa: A002
        """Let the venue have an order that was only accepted."""
        order = self._alive(id)
        order.status = "working"
        self._tell("works", order)

    def trade(self, symbol: str, side: int, qty: float, price: float) -> Fill:
        """Trade elsewhere, by hand: an order and a fill that are nobody's here."""
        (order,) = self.place([Order("", "", symbol, side, "market", qty)])
        return self.fill(order.id, qty, price)

    def pay(self, amount: float) -> None:
        """Money that comes or goes without a fill."""
        self.cash += amount
        self._tell("paid", amount=amount)

    # Inside

    def _require_possible(self, order: Order) -> None:
        if order.symbol not in self.symbols:
            raise Impossible("unknown_symbol", f"no instrument {order.symbol}")
        if self.unique and order.client_id and order.client_id in self.submitted:
            raise Impossible("id_clash", f"client id {order.client_id} must be unique")
        held = self.positions.get(order.symbol, (0.0, 0.0))[0]
        if self.holds and not order.parent and order.side * held < 0.0:
            resting = {
                x.group or x.id: x.rest
                for x in self.orders.values()
                if x.symbol == order.symbol and x.side == order.side and x.rest
            }
            if sum(resting.values()) + order.qty > abs(held) and order.group not in resting:
                raise Impossible("held", "insufficient quantity available for the order")

    def _alive(self, id: str) -> Order:  # noqa: A002
        order = self.orders.get(id)
        if order is None:
            raise Impossible("not_open", f"no order {id}")
        if order.status not in ALIVE:
            raise Impossible("not_open", f"order {id} is not open: {order.status}")
        return order

    def _end(self, order: Order, status: Status) -> None:
        order.status, order.word, order.changed = status, "", self.now()
        self._tell("ended", order)
        if order.filled:
            self._wake(order)
        else:
            for child in self._children(order):
                if status == "replaced":
                    child.parent = order.replaced_by
                elif child.status in ALIVE:
                    self._end(child, "cancelled")

    def _children(self, order: Order) -> list[Order]:
        return [x for x in self.orders.values() if x.parent and x.parent == order.id]

    def _wake(self, entry: Order) -> None:
        for child in self._children(entry):
            if child.status == "held" or (child.status == "working" and not child.filled):
                child.status, child.qty = "working", entry.filled
                self._tell("works", child)

    def _shrink(self, order: Order, qty: float) -> None:
        """An alternative that fills takes as much from the others."""
        for other in list(self.orders.values()):
            if order.group and other.group == order.group and other is not order and other.rest:
                other.qty = round(other.qty - qty, PLACES)
                if other.qty <= other.filled:
                    self._end(other, "cancelled")
                else:
                    self._tell("changed", other)

    def _move(self, symbol: str, signed: float, price: float) -> None:
        held, average = self.positions.get(symbol, (0.0, 0.0))
        after = round(held + signed, PLACES)
        self.cash -= signed * price + self.fee
        if held * signed < 0.0:
            average = price if held * after < 0.0 else average
        elif after:
            average = (abs(held) * average + abs(signed) * price) / abs(after)
        self.positions.pop(symbol, None)
        if after:
            self.positions[symbol] = after, average

    def _tell(
        self, what: str, order: Order | None = None, fill: Fill | None = None, amount: float = 0.0
    ) -> None:
        news = News(what, copy(order) if order is not None else None, fill, amount)
        for watcher in list(self.watchers):
            watcher(news)
