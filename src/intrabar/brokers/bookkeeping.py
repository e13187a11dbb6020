"""What a broker says, taken into the book: tickets by the order table, bookings as reports."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from intrabar.brokers import reports
from intrabar.brokers.blotter import Blotter
from intrabar.brokers.counting import cost_of_all
from intrabar.brokers.names import PROTECTS, Name, Part, name_of
from intrabar.brokers.order_table import Step, take
from intrabar.brokers.reconcile import Book
from intrabar.brokers.tickets import (
    ALIVE,
    OPEN,
    Asked,
    Booking,
    Event,
    State,
    Terms,
    Ticket,
    child_of,
    same,
)
from intrabar.model.broker_facts import CashFact, OrderFact
from intrabar.model.enums import OrderType, Role
from intrabar.sim.machine import Machine

DUST = 1e-9  # what floats leave of adding costs is no cost


class Bookkeeping:
    """A book whose facts come from a broker.

    Parameters
    ----------
    machine : Machine
    strategies : sequence of str
        By their rows.
    has_ids : bool
        Whether ids of fills prove something (`order_table.take`).

    Attributes
    ----------
    leaving : set of int
        Orders that leave by an exit chain: one that is refused begins again, and ends no order.
    """

    def __init__(self, machine: Machine, strategies: Sequence[str], has_ids: bool) -> None:
        self.machine, self.strategies, self.has_ids = machine, tuple(strategies), has_ids
        self.symbols = tuple(x.symbol for x in machine.instruments)
        self.blotter = Blotter(machine)
        self.doubts: dict[str, None] = {}  # tickets that are to be looked up
        self.booked: set[str] = set()  # fills of nobody's orders, and cash
        self.leaving: set[int] = set()
        self.steps: list[tuple[str, Step]] = []  # by event's name, those that tell something

    @property
    def positions(self) -> dict[tuple[str, str], float]:
        """Signed, of the sleeves that are not flat."""
        qty, n = self.machine.book.sleeves["qty"], len(self.symbols)
        held = np.flatnonzero(qty).tolist()
        return {(self.strategies[k // n], self.symbols[k % n]): float(qty[k]) for k in held}

    def hear(self, name: str, event: Event, now: int) -> Step:
        """Let the order table make of a ticket what an event makes of it, and book what that is."""
        before = self.blotter.tickets[name]
        step = take(before, event, now, self.has_ids)
        after = step.ticket
        self.blotter.keep(after)
        if step.looks_up:
            self.doubts[name] = None
        if step.bookings:
            self._book(after, step.bookings)
            self._follow(after.symbol)
        if (cost := self._cost_due(name, event)) is not None:
            self._book(after, (cost,))
            step = msgspec.structs.replace(step, bookings=(*step.bookings, cost))
        if step.sets:
            self.machine.report(reports.changed(self.blotter.row_of(after), after.terms))
        if before.state in OPEN and after.state in reports.ENDS:
            self._end(after)
        if step.bookings or step.anomaly or before.state is not after.state:
            self.steps.append((type(event).__name__, step))
        return step

    def end(self, order: int, how: State) -> None:
        """End an order of ours that never was at the broker, or is no more."""
        self.machine.report(reports.ended(order, how, True))

    def book_foreign(self, fill: Book) -> None:
        """A fill of nobody's order, on the sleeve of its symbol that it makes smaller."""
        self.booked.add(fill.key)
        smaller = [
            self.strategies.index(strategy)
            for (strategy, symbol), qty in self.positions.items()
            if symbol == fill.symbol and qty * fill.side < 0.0
        ]
        self.move(smaller[0] if smaller else 0, fill.symbol, fill.side * fill.qty, fill.price)

    def move(self, strategy: int, symbol: str, qty: float, price: float) -> None:
        """Take a position into the book, or out of it, that none of our orders has made."""
        place, side = (strategy, self.symbols.index(symbol)), 1 if qty > 0.0 else -1
        self.machine.report(reports.foreign(side, abs(qty), price, place))

    def book_cash(self, fact: CashFact) -> bool:
        """Money that came or went; whether it was not known before."""
        if fact.id in self.booked:
            return False
        self.booked.add(fact.id)
        j = self.symbols.index(fact.symbol) if fact.symbol in self.symbols else -1
        self.machine.report(reports.transfer(fact.amount, j))
        return True

    def adopt(self, fact: OrderFact, code: str, now: int) -> str:
        """A child that the broker names by its entry alone: the one that left, or one it made."""
        left = child_of(self.blotter.tickets, fact)
        if left is not None:
            self.blotter.change(left.name, vendor_ids=(fact.vendor_id,))
            return left.name
        parent = self.blotter.tickets[fact.parent]
        part = Part.TARGET if fact.type == OrderType.LIMIT.word else Part.STOP
        attempt = self.blotter.next_attempt(parent.order)
        name = str(Name(code, parent.order, attempt, part))
        terms = Terms(fact.qty, fact.limit_price, fact.stop_price)
        adopted = Ticket(
            name,
            parent.order,
            parent.strategy,
            parent.symbol,
            fact.side,
            fact.type,
            terms,
            now,
            state=State.WORKING,
            vendor_ids=(fact.vendor_id,),
        )
        self.blotter.keep(adopted)
        return name

    def stand(self, name: str, terms: Terms) -> None:
        """Take over what was made there, but of what protects: that is put back."""
        self.confirm(name, terms)
        number = self.blotter.row_of(self.blotter.tickets[name])
        orders = self.machine.book.orders[self.machine.working()]
        roles = orders["role"][orders["id"] == number]
        if len(roles) and roles[0] > Role.TARGET:
            self.machine.report(reports.changed(number, terms))

    def confirm(self, name: str, terms: Terms) -> None:
        """Keep what the broker says that an order is, where no change of ours is on its way."""
        ticket = self.blotter.tickets[name]
        if ticket.state in ALIVE and ticket.asked is Asked.NONE and not same(terms, ticket.terms):
            self.blotter.change(name, terms=terms)

    def _end(self, ticket: Ticket) -> None:
        """An order is over at the broker, and with it the row, if nothing else stands for it."""
        number, how = self.blotter.row_of(ticket), ticket.state
        if number in self.leaving and not ticket.wished:
            return
        name = name_of(ticket.name)
        if name is not None and name.part is Part.OPENING:
            how = State.CANCELLED  # it has closed what it was to close
        self.machine.report(reports.ended(number, how, ticket.wished))

    def _book(self, ticket: Ticket, bookings: Sequence[Booking]) -> None:
        """Let bookings enter the book; the ticket keeps what they were booked to have cost."""
        before = len(self.machine.fills())
        self.machine.report(np.concatenate([self._report_of(ticket, x) for x in bookings]))
        costs = [x.cost for x in bookings if x.is_fix and math.isfinite(x.cost)]
        costs += self.machine.fills()["cost"][before:].tolist()
        booked = self.blotter.tickets[ticket.name].cost
        self.blotter.change(ticket.name, cost=math.fsum([booked, *costs]))

    def _cost_due(self, name: str, event: Event) -> Booking | None:
        """What an order has cost beyond what was booked, when its broker has told all of it."""
        ticket = self.blotter.tickets[name]
        due = cost_of_all(ticket) - ticket.cost
        if not abs(due) > DUST:
            return None
        return Booking(f"cost:{getattr(event, 'id', name)}", 0.0, 0.0, due, is_fix=True)

    def _report_of(self, ticket: Ticket, booking: Booking) -> NDArray[Any]:
        j = self.symbols.index(ticket.symbol)
        place = self.blotter.row_of(ticket), self.strategies.index(ticket.strategy), j
        value = float(self.machine.book.instruments["point_value"][j])
        return reports.booked(ticket, booking, place, value)

    def _follow(self, symbol: str) -> None:
        """Native children grow and shrink at the broker as they do in the book, untold."""
        orders, j = self.machine.book.orders[self.machine.working()], self.symbols.index(symbol)
        for row in orders[(orders["instrument"] == j) & (orders["role"] <= Role.TARGET)]:
            for ticket in self.blotter.of_row(int(row["id"])):
                if ticket.state in OPEN and ticket.name[-1:] in PROTECTS:
                    qty = round(float(row["qty"] - row["filled"]) + ticket.booked, 9)
                    terms = msgspec.structs.replace(ticket.terms, qty=qty)
                    self.blotter.change(ticket.name, terms=terms)
