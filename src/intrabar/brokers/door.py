"""The door between a book and a broker: what leaves for it, and how what comes back enters.

It holds the tickets. Rows of the book are what is wanted; `plan` says what is missing at the
broker; facts change tickets by the order table, and what that books enters the machine as reports.
It reads no clock and sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from intrabar.brokers import reports
from intrabar.brokers.blotter import Blotter
from intrabar.brokers.names import PROTECTS, Name, Part
from intrabar.brokers.order_table import Step, take
from intrabar.brokers.plan import Intent, Plan, Row, Rules, again, plan
from intrabar.brokers.reconcile import Absence, Action, Book, Known, LookUp, Stands, Tell, is_absent
from intrabar.brokers.sending import (
    Sending,
    answer_of,
    children_of,
    ref_of,
    rows_of,
    status_of,
    ticket_of,
)
from intrabar.brokers.tickets import (
    ALIVE,
    OPEN,
    Absent,
    Asked,
    Booking,
    ChangeRefused,
    Event,
    Filled,
    Found,
    NoAnswer,
    Replaced,
    State,
    Terms,
    Ticket,
    Total,
    same,
)
from intrabar.model.broker_facts import (
    Accepted,
    CashFact,
    Change,
    FillFact,
    OrderFact,
    Outcome,
    Ref,
    Refused,
    Request,
)
from intrabar.model.enums import OrderType, Role
from intrabar.sim import state
from intrabar.sim.inbox import take_out, waiting
from intrabar.sim.machine import Machine


class Door:
    """The tickets of one book.

    Parameters
    ----------
    machine : Machine
        It trades outside from here on.
    strategies : sequence of str
        By their rows.
    rules : Rules
    has_ids : bool
        Whether ids of fills prove something (`order_table.take`).
    absence_after : int, ns
        From the end of a call on, before what it sent may count as absent.
    """

    def __init__(
        self,
        machine: Machine,
        strategies: Sequence[str],
        rules: Rules,
        has_ids: bool = True,
        absence_after: int = 30_000_000_000,
    ) -> None:
        machine.trade_outside()
        self.machine, self.rules, self.has_ids = machine, rules, has_ids
        self.strategies = tuple(strategies)
        self.symbols = tuple(x.symbol for x in machine.instruments)
        self.blotter = Blotter(machine)
        self.tickets: Mapping[str, Ticket] = self.blotter.tickets
        self.absence_after = absence_after
        self.doubts: set[str] = set()  # tickets that are to be looked up
        self.booked: set[str] = set()  # fills of nobody's orders
        self._missed: dict[str, tuple[int, ...]] = {}  # looks that did not have a ticket
        self._made: dict[int, int] = {}  # by order: when it was first seen

    @property
    def positions(self) -> dict[tuple[str, str], float]:
        """Signed, of the sleeves that are not flat."""
        qty, n = self.machine.book.sleeves["qty"], len(self.symbols)
        held = np.flatnonzero(qty).tolist()
        return {(self.strategies[k // n], self.symbols[k % n]): float(qty[k]) for k in held}

    def held(self, symbol: str) -> float:
        """What the sleeves have of a symbol in all, signed."""
        return sum(qty for (_, name), qty in self.positions.items() if name == symbol)

    def ref(self, name: str) -> Ref:
        """An order that was sent, as an adapter is told of it."""
        ticket = self.tickets[name]
        known = () if ticket.vendor_ids else self.tickets.values()
        others = tuple(x for other in known for x in other.vendor_ids)
        return ref_of(ticket, self.held(ticket.symbol), others)

    def take_wishes(self) -> None:
        """Let a cancel of an order with a living ticket be a wish: the broker ends it, not we."""
        commands = waiting(self.machine.book)
        gone = np.zeros(len(commands), bool)
        for place, command in enumerate(commands):
            if command["kind"] != state.CANCEL:
                continue
            for ticket in self.blotter.of_row(int(command["id"])):
                if ticket.state in OPEN:
                    self.blotter.change(ticket.name, wished=True)
                    gone[place] = True
        if gone.any():
            take_out(self.machine.book, gone)

    def plan(self, now: int) -> Plan:
        """What the broker lacks of what the book wants."""
        return plan(
            rows_of(self.machine, self.strategies, self._made, now),
            self.tickets.values(),
            self.positions,
            self.rules,
            now,
        )

    def commit(self, found: Plan, now: int) -> list[Sending]:
        """Note what leaves, before it does; orders that are too late to enter end."""
        for number in found.late:
            self.machine.report(reports.ended(number, State.REFUSED, True))
        rows = {row.order: row for row in rows_of(self.machine, self.strategies, self._made, now)}
        return [self._sending(intent, rows, now) for intent in found.intents]

    def answered(self, sending: Sending, outcomes: Sequence[Outcome], now: int) -> list[Step]:
        """Take in what a request was answered."""
        if sending.group:
            pairs = zip(sending.group, outcomes, strict=True)
            return [self.hear(x.client_id, answer_of(one), now) for x, one in pairs]
        (outcome,) = outcomes
        ticket = self.tickets[sending.ticket]
        event: Event
        if isinstance(outcome, Refused):
            event = ChangeRefused(outcome.text)
        elif not isinstance(outcome, Accepted):
            event = NoAnswer(outcome.text)
        elif sending.change is not None and ticket.wanted is not None:
            event = Replaced(ticket.wanted, outcome.vendor_id)
        else:
            return []
        return [self.hear(sending.ticket, event, now)]

    def told(self, fact: OrderFact | FillFact | CashFact, now: int) -> list[Step]:
        """Take in what the broker's stream tells; of an order that is nobody's, nothing."""
        if isinstance(fact, CashFact):
            self._book_cash(fact)
            return []
        name = self.blotter.name_of(fact)
        if name is None and isinstance(fact, OrderFact) and fact.parent in self.tickets:
            name = self._adopt(fact, now)
        if name is None:
            return []
        if isinstance(fact, FillFact):
            event = Filled(fact.id, fact.qty, fact.price, fact.cost, fact.total)
            return [self.hear(name, event, now)]
        steps = []
        if fact.filled > self.tickets[name].booked:
            steps.append(self.hear(name, Total(fact.filled, fact.average), now))
        steps.append(self.hear(name, status_of(fact), now))
        self._confirm(name, Terms(fact.qty, fact.limit_price, fact.stop_price))
        return steps

    def looked_up(self, name: str, fact: OrderFact | None, now: int) -> list[Step]:
        """Take in what a look-up says of an order; None: the broker says that there is none.

        A change of which nobody knew whether it arrived is settled by it: it stands, or it is
        asked for again.
        """
        ticket = self.tickets[name]
        self.doubts.discard(name)
        if fact is None:
            looks = (*self._missed.get(name, ()), now)
            self._missed[name] = looks
            if is_absent(Absence(ticket.sent, looks, True, True), self.absence_after):
                return [self.hear(name, Absent(), now)]
            if ticket.state in OPEN:
                self.doubts.add(name)
            return []
        self._missed.pop(name, None)
        steps, terms = [], Terms(fact.qty, fact.limit_price, fact.stop_price)
        if fact.filled != ticket.booked:
            total = Total(fact.filled, fact.average, in_look=True)
            steps.append(self.hear(name, total, now))
        if ticket.wanted is not None and same(terms, ticket.wanted.over(terms)):
            steps.append(self.hear(name, Replaced(terms, fact.vendor_id), now))
        elif self.tickets[name].asked is not Asked.NONE:
            self.blotter.change(name, asked=Asked.NONE, wanted=None)
        steps.append(self.hear(name, Found(State(fact.state), fact.vendor_id), now))
        if State(fact.state) is State.UNKNOWN:
            self.doubts.add(name)
        self._confirm(name, terms)
        return steps

    def attempt(self, row: Row, now: int) -> Sending:
        """Note a new attempt of a stop or target, which the ladder asks for, before it leaves."""
        intent = again(row, self.tickets.values(), self.positions, self.rules)
        return self._sending(intent, {row.order: row}, now)

    def known(self, equity: float, gap: float) -> Known:
        """What a look is held against."""
        held: dict[str, float] = {}
        for (_, symbol), qty in self.positions.items():
            held[symbol] = held.get(symbol, 0.0) + qty
        lots = {x.symbol: float(x.lot) for x in self.machine.instruments}
        return Known(
            tuple(self.tickets.values()),
            held,
            lots,
            frozenset({self.rules.code}),
            booked=frozenset(self.booked),
            equity=equity,
            gap=gap,
            has_ids=self.has_ids,
        )

    def carry_out(self, actions: Sequence[Action], now: int) -> list[Step]:
        """Do what reconciliation asks of the book; the rest is the session's."""
        steps = []
        for action in actions:
            if isinstance(action, LookUp):
                self.doubts.add(action.ticket)
            elif isinstance(action, Stands):
                self._stand(action.ticket, action.terms)
            elif isinstance(action, Tell):
                steps.append(self.hear(action.ticket, action.event, now))
            elif isinstance(action, Book):
                self._book_foreign(action)
        return steps

    def hear(self, name: str, event: Event, now: int) -> Step:
        """Let the order table make of a ticket what an event makes of it, and book what that is."""
        before = self.tickets[name]
        step = take(before, event, now, self.has_ids)
        self.blotter.keep(step.ticket)
        if step.looks_up:
            self.doubts.add(name)
        rows = [self._report_of(step.ticket, booking) for booking in step.bookings]
        if rows:
            self.machine.report(np.concatenate(rows))
            self._follow(step.ticket.symbol)
        after = step.ticket
        if step.sets:
            self.machine.report(reports.changed(self.blotter.row_of(after), after.terms))
        if before.state in OPEN and after.state in reports.ENDS:
            number = self.blotter.row_of(after)
            self.machine.report(reports.ended(number, after.state, after.wished))
        return step

    # The book's side

    def _sending(self, intent: Intent, rows: dict[int, Row], now: int) -> Sending:
        if intent.kind == "cancel":
            self.blotter.change(intent.ticket, asked=Asked.CANCEL)
            return Sending(intent.ticket, ref=self.ref(intent.ticket))
        assert intent.terms is not None
        if intent.kind == "replace":
            ref, terms = self.ref(intent.ticket), intent.terms
            self.blotter.change(intent.ticket, asked=Asked.REPLACE, wanted=terms)
            name = intent.name if intent.name != intent.ticket else ""
            change = Change(terms.qty, terms.limit_price, terms.stop_price, name)
            return Sending(intent.ticket, change=change, ref=ref)
        row = rows[intent.order]
        group = [self._request(row, intent)]
        if self.rules.native:
            group += children_of(group[0], row)
        for request in group:
            self.blotter.keep(ticket_of(request, row, now))
        return Sending(intent.name, tuple(group))

    def _request(self, row: Row, intent: Intent) -> Request:
        assert intent.terms is not None
        partners = [t.name for t in self.blotter.of_row(row.oco) if t.state in OPEN]
        return Request(
            intent.name,
            row.symbol,
            row.side,
            row.type,
            intent.terms.qty,
            intent.terms.limit_price,
            intent.terms.stop_price,
            row.tif,
            row.until,
            row.reduce_only,
            oco=partners[-1] if partners else "",
            position=self.held(row.symbol),
        )

    def _adopt(self, fact: OrderFact, now: int) -> str:
        """A child that the broker has made itself: it is the next of its kind."""
        parent = self.tickets[fact.parent]
        part = Part.TARGET if fact.type == OrderType.LIMIT.word else Part.STOP
        attempt = self.blotter.next_attempt(parent.order)
        name = str(Name(self.rules.code, parent.order, attempt, part))
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

    # What enters

    def _report_of(self, ticket: Ticket, booking: Booking) -> NDArray[Any]:
        j = self.symbols.index(ticket.symbol)
        place = self.blotter.row_of(ticket), self.strategies.index(ticket.strategy), j
        value = float(self.machine.book.instruments["point_value"][j])
        return reports.booked(ticket, booking, place, value)

    def _book_foreign(self, fill: Book) -> None:
        """A fill of nobody's order, on the sleeve of its symbol that it makes smaller."""
        smaller = [
            self.strategies.index(strategy)
            for (strategy, symbol), qty in self.positions.items()
            if symbol == fill.symbol and qty * fill.side < 0.0
        ]
        self.booked.add(fill.key)
        place = smaller[0] if smaller else 0, self.symbols.index(fill.symbol)
        self.machine.report(reports.foreign(fill.side, fill.qty, fill.price, place))

    def _book_cash(self, fact: CashFact) -> None:
        if fact.id not in self.booked:
            self.booked.add(fact.id)
            j = self.symbols.index(fact.symbol) if fact.symbol else -1
            self.machine.report(reports.transfer(fact.amount, j))

    def _stand(self, name: str, terms: Terms) -> None:
        """Take over what was made there, but of what protects: that is put back."""
        self._confirm(name, terms)
        number = self.blotter.row_of(self.tickets[name])
        orders = self.machine.book.orders[self.machine.working()]
        roles = orders["role"][orders["id"] == number]
        if len(roles) and roles[0] > Role.TARGET:
            self.machine.report(reports.changed(number, terms))

    def _follow(self, symbol: str) -> None:
        """Native children grow and shrink at the broker as they do in the book, untold."""
        orders, j = self.machine.book.orders[self.machine.working()], self.symbols.index(symbol)
        for row in orders[(orders["instrument"] == j) & (orders["role"] <= Role.TARGET)]:
            for ticket in self.blotter.of_row(int(row["id"])):
                if ticket.state in OPEN and ticket.name[-1:] in PROTECTS:
                    qty = round(float(row["qty"] - row["filled"]) + ticket.booked, 9)
                    terms = msgspec.structs.replace(ticket.terms, qty=qty)
                    self.blotter.change(ticket.name, terms=terms)

    def _confirm(self, name: str, terms: Terms) -> None:
        """Keep what the broker says that an order is, where no change of ours is on its way."""
        ticket = self.tickets[name]
        if ticket.state in ALIVE and ticket.asked is Asked.NONE and not same(terms, ticket.terms):
            self.blotter.change(name, terms=terms)
