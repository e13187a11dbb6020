"""The blotter: the tickets of one book, and what they are found by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from numpy.typing import NDArray

from intrabar.brokers.names import PROTECTS, Part, name_of
from intrabar.brokers.tickets import OPEN, Ticket
from intrabar.model.broker_facts import FillFact, OrderFact
from intrabar.sim.machine import Machine


class Blotter:
    """Tickets by name, by the vendor's id, and by the row of the book that they are of.

    Parameters
    ----------
    machine : Machine
        Whose orders they are of.
    """

    def __init__(self, machine: Machine) -> None:
        self.tickets: dict[str, Ticket] = {}
        self._machine = machine
        self._of: dict[int, list[str]] = {}  # by order: names, native children's with their entry
        self._by_vendor: dict[str, str] = {}
        self._also: dict[str, str] = {}  # later names of tickets
        self._rows: dict[str, int] = {}  # of native children
        self._open: dict[str, None] = {}  # names of those that may still fill
        self._before: dict[str, Ticket | None] = {}  # as those were that have changed

    def keep(self, ticket: Ticket) -> None:
        """Keep a ticket that is new, or as it is now."""
        before = self.tickets.get(ticket.name)
        if before is None:
            self._of.setdefault(ticket.order, []).append(ticket.name)
        for vendor_id in ticket.vendor_ids:
            self._by_vendor.setdefault(vendor_id, ticket.name)
        for name in ticket.also:
            self._also[name] = ticket.name
        if ticket.state in OPEN:
            self._open[ticket.name] = None
        else:
            self._open.pop(ticket.name, None)
        if ticket is not before:
            self._before.setdefault(ticket.name, before)
        self.tickets[ticket.name] = ticket

    def change(self, name: str, **values: Any) -> None:
        """Let fields of a ticket have other values."""
        self.keep(msgspec.structs.replace(self.tickets[name], **values))

    @property
    def open(self) -> list[Ticket]:
        """Those that may still fill, the older first."""
        return [self.tickets[name] for name in self._open]

    def changed(self) -> list[tuple[Ticket | None, Ticket]]:
        """What has changed since the last call: as it was, and as it is."""
        found = [(before, self.tickets[name]) for name, before in self._before.items()]
        self._before.clear()
        return found

    def beside(self, orders: Iterable[tuple[int, int]]) -> list[Ticket]:
        """The tickets of orders and of their parents, by number, and all that may still fill."""
        names = dict(self._open)
        for numbers in orders:
            for number in numbers:
                names |= dict.fromkeys(self._of.get(number, ()))
        return [self.tickets[name] for name in names]

    def name_of(self, fact: OrderFact | FillFact) -> str | None:
        """The name of the ticket that a fact is of; None: it is nobody's."""
        if fact.client_id in self.tickets:
            return fact.client_id
        return self._also.get(fact.client_id) or self._by_vendor.get(fact.vendor_id)

    def next_attempt(self, order: int) -> int:
        """The attempt after all that the names of an order and of its children tell."""
        tickets = [self.tickets[name] for name in self._of[order]]
        names = [name_of(name) for ticket in tickets for name in (ticket.name, *ticket.also)]
        return 1 + max(n.attempt for n in names if n is not None)

    def of_row(self, number: int) -> list[Ticket]:
        """The tickets of a row of the book by its number, the older first; none below 0."""
        if number < 0:
            return []
        orders = self._orders()
        parents = orders["parent"][orders["id"] == number].tolist()
        names = [name for order in (*parents, number) for name in self._of.get(order, ())]
        tickets = [self.tickets[name] for name in names]
        return [ticket for ticket in tickets if self.row_of(ticket) == number]

    def row_of(self, ticket: Ticket) -> int:
        """The book's number of the row that a ticket is of; -1 of a child whose entry waits."""
        letter = ticket.name[-1:]
        if letter not in PROTECTS:
            return ticket.order
        if ticket.name not in self._rows and ticket.state in OPEN:
            orders = self._orders()
            mine = (orders["parent"] == ticket.order) & (orders["role"] == PROTECTS[Part(letter)])
            taken = {self._rows.get(name) for name in self._of[ticket.order]}
            free = [number for number in orders["id"][mine].tolist() if number not in taken]
            if free:
                self._rows[ticket.name] = free[0]
        return self._rows.get(ticket.name, -1)

    def _orders(self) -> NDArray[Any]:
        return self._machine.book.orders[: int(self._machine.book.account["orders"][0])]
