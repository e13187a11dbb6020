"""The door between a book and a broker: what leaves for it, and how what comes back enters.

It holds the tickets. Rows of the book are what is wanted; `plan` says what is missing at the
broker; facts change tickets by the order table, and what that books enters the machine as reports
(`bookkeeping`). It reads no clock and sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
import numpy as np

from intrabar.brokers.bookkeeping import Bookkeeping
from intrabar.brokers.counting import fill_of
from intrabar.brokers.order_table import Step
from intrabar.brokers.plan import Intent, Plan, Row, Rules, again, leaving, plan
from intrabar.brokers.reconcile import Absence, Action, Book, Known, LookUp, Stands, Tell, is_absent
from intrabar.brokers.sending import (
    Sending,
    answer_of,
    children_of,
    never_left,
    ref_of,
    rows_of,
    status_of,
    ticket_of,
)
from intrabar.brokers.tickets import (
    OPEN,
    Absent,
    Asked,
    ChangeRefused,
    Event,
    Found,
    NoAnswer,
    Replaced,
    State,
    Terms,
    Ticket,
    Total,
    replaced,
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
from intrabar.sim import state
from intrabar.sim.inbox import take_out, waiting
from intrabar.sim.machine import Machine

KEPT_BACK = 30_000_000_000
"""How long (ns) no change is asked of an order that has refused one, if no look-up is answered."""


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
    holds : callable, optional
        Given a row and the time: the same row, held until its market opens, where it must be.
    """

    def __init__(
        self,
        machine: Machine,
        strategies: Sequence[str],
        rules: Rules,
        has_ids: bool = True,
        absence_after: int = 30_000_000_000,
        holds: Callable[[Row, int], Row] = lambda row, now: row,
    ) -> None:
        machine.trade_outside()
        self.machine, self.rules = machine, rules
        self.books = Bookkeeping(machine, strategies, has_ids)
        self.blotter, self.doubts = self.books.blotter, self.books.doubts
        self.tickets: Mapping[str, Ticket] = self.blotter.tickets
        self.absence_after = absence_after
        self._holds = holds
        self.refused: dict[str, int] = {}  # tickets whose change was refused: they are looked up
        self._missed: dict[str, tuple[int, ...]] = {}  # looks that did not have a ticket
        self._made: dict[int, int] = {}  # by order: when it was first seen

    @property
    def positions(self) -> dict[tuple[str, str], float]:
        """Signed, of the sleeves that are not flat."""
        return self.books.positions

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
        """Let a cancel of an order with a living ticket be a wish: the broker ends it, not we.

        A change that leaves nothing to fill is a cancel.
        """
        commands = waiting(self.machine.book)
        gone = np.zeros(len(commands), bool)
        for place, command in enumerate(commands):
            if command["kind"] != state.CANCEL and not self._ends(command):
                continue
            for ticket in self.blotter.of_row(int(command["id"])):
                if ticket.state in OPEN:
                    self.blotter.change(ticket.name, wished=True)
                    gone[place] = True
        if gone.any():
            take_out(self.machine.book, gone)

    def rows(self, now: int) -> list[Row]:
        """What works in the book."""
        rows = rows_of(self.machine, self.books.strategies, self._made, now)
        return [self._holds(row, now) for row in rows]

    def beside(self, rows: Iterable[Row]) -> list[Ticket]:
        """The tickets that count beside rows: theirs, and all that may still fill."""
        return self.blotter.beside((row.parent, row.order) for row in rows)

    def plan(self, now: int) -> Plan:
        """What the broker lacks of what the book wants."""
        rows = self.rows(now)
        return plan(rows, self.beside(rows), self.positions, self.rules, now)

    def commit(self, found: Plan, now: int) -> list[Sending]:
        """Note what leaves, before it does; orders that are too late to enter end."""
        for number in found.late:
            self.books.end(number, State.REFUSED)
        rows = {row.order: row for row in self.rows(now)}
        return self._linked([self._sending(intent, rows, now) for intent in found.intents])

    def attempt(self, row: Row, now: int) -> Sending:
        """Note a new attempt of a stop or target, which the ladder asks for, before it leaves."""
        intent = again(row, self.beside([row]), self.positions, self.rules)
        return self._sending(intent, {row.order: row}, now)

    def leave(self, row: Row, qty: float, now: int) -> Sending:
        """Note the MARKET with which a chain leaves in the name of a row, before it does."""
        intent = leaving(row, self.beside([row]), qty, self.rules)
        side = -1 if self.positions.get(row.sleeve, 0.0) > 0.0 else 1
        own = msgspec.structs.replace(
            row, side=side, type=intent.type, tif="gtc", until=0, reduce_only=True
        )
        return self._sending(intent, {row.order: own}, now)

    def may_change(self, name: str, now: int) -> bool:
        """Whether a change may be asked for: not behind one that was refused, before a look-up."""
        return now - self.refused.get(name, -KEPT_BACK) >= KEPT_BACK

    def cancel(self, name: str) -> Sending:
        """Ask for the end of an order."""
        self.blotter.change(name, asked=Asked.CANCEL)
        return Sending(name, ref=self.ref(name))

    # What comes back

    def answer(
        self, name: str, outcome: Outcome, submits: bool, replaces: bool, now: int
    ) -> list[Step]:
        """Take in what a request was answered of one order."""
        ticket = self.tickets[name]
        if never_left(outcome):
            values = {"state": State.REFUSED} if submits and ticket.state is State.SENT else {}
            self.blotter.change(name, asked=Asked.NONE, wanted=None, **values)
            return []
        if submits:
            return [self.hear(name, answer_of(outcome), now)]
        event: Event
        if isinstance(outcome, Refused):
            self.refused[name] = now
            event = ChangeRefused(outcome.text)
        elif not isinstance(outcome, Accepted):
            event = NoAnswer(outcome.text)
        elif replaces and ticket.wanted is not None:
            event = Replaced(ticket.wanted, outcome.vendor_id)
        else:
            return []
        return [self.hear(name, event, now)]

    def told(self, fact: OrderFact | FillFact | CashFact, now: int) -> list[Step] | None:
        """Take in what the broker's stream tells; None: it is of nobody's order."""
        if isinstance(fact, CashFact):
            self.books.book_cash(fact)
            return []
        name = self.blotter.name_of(fact)
        if name is None and isinstance(fact, OrderFact) and fact.parent in self.tickets:
            name = self.books.adopt(fact, self.rules.code, now)
        if name is None:
            return None
        if isinstance(fact, FillFact):
            return [self.hear(name, fill_of(self.tickets[name], fact), now)]
        steps = []
        if fact.filled > self.tickets[name].booked:
            steps.append(self.hear(name, Total(fact.filled, fact.average), now))
        if fact.replaced_by:
            self.doubts[name] = None
            event = replaced(self.tickets[name], fact)
            return steps if event is None else [*steps, self.hear(name, event, now)]
        if fact.vendor_id in self.tickets[name].vendor_ids[:-1]:
            return steps  # another has taken its place: what it was is told late
        steps.append(self.hear(name, status_of(fact), now))
        self.books.confirm(name, Terms(fact.qty, fact.limit_price, fact.stop_price))
        return steps

    def looked_up(
        self, name: str, fact: OrderFact | None, now: int, proves: bool = True
    ) -> list[Step]:
        """Take in what a look-up says of an order; None: the broker says that there is none.

        A change of which nobody knew whether it arrived is settled by it: it stands, or it is
        asked for again. `proves`: the link is up, and the call that sent it has returned.
        """
        ticket = self.tickets[name]
        self.doubts.pop(name, None)
        self.refused.pop(name, None)
        if fact is None:
            looks = (*self._missed.get(name, ()), now)
            self._missed[name] = looks
            if is_absent(Absence(ticket.sent, looks, True, proves), self.absence_after):
                return [self.hear(name, Absent(), now)]
            if ticket.state in OPEN:
                self.doubts[name] = None
            return []
        self._missed.pop(name, None)
        steps, terms = [], Terms(fact.qty, fact.limit_price, fact.stop_price)
        if fact.replaced_by:  # what it is now, the other order says
            return self.told(fact, now) or []
        if fact.filled != ticket.booked:
            total = Total(fact.filled, fact.average, in_look=True)
            steps.append(self.hear(name, total, now))
        if ticket.wanted is not None and same(terms, ticket.wanted.over(terms)):
            steps.append(self.hear(name, Replaced(terms, fact.vendor_id), now))
        elif self.tickets[name].asked is not Asked.NONE:
            self.blotter.change(name, asked=Asked.NONE, wanted=None)
        steps.append(self.hear(name, Found(State(fact.state), fact.vendor_id), now))
        if State(fact.state) is State.UNKNOWN:
            self.doubts[name] = None
        self.books.confirm(name, terms)
        return steps

    def is_missed(self, name: str, now: int) -> bool:
        """Whether two looks, apart and late enough, did not have a ticket."""
        sent, looks = self.tickets[name].sent, self._missed.get(name, ())
        return is_absent(Absence(sent, looks, True, True), self.absence_after)

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
            booked=frozenset(self.books.booked),
            equity=equity,
            gap=gap,
            has_ids=self.books.has_ids,
        )

    def carry_out(self, actions: Sequence[Action], now: int) -> list[Step]:
        """Do what reconciliation asks of the book; the rest is the session's."""
        steps = []
        for action in actions:
            if isinstance(action, LookUp):
                self.doubts[action.ticket] = None
            elif isinstance(action, Stands):
                self.books.stand(action.ticket, action.terms)
            elif isinstance(action, Tell):
                steps.append(self.hear(action.ticket, action.event, now))
            elif isinstance(action, Book):
                self.books.book_foreign(action)
        return steps

    def hear(self, name: str, event: Event, now: int) -> Step:
        """Let an event make of a ticket what it makes of it (`Bookkeeping.hear`)."""
        return self.books.hear(name, event, now)

    def _ends(self, command: np.void) -> bool:
        """Whether a change leaves its order nothing to fill."""
        if command["kind"] != state.MODIFY:
            return False
        orders = self.machine.book.orders[self.machine.working()]
        mine = orders[orders["id"] == command["id"]]
        return bool(len(mine)) and bool(command["qty"] <= mine["filled"][0])

    def _sending(self, intent: Intent, rows: dict[int, Row], now: int) -> Sending:
        if intent.kind == "cancel":
            return self.cancel(intent.ticket)
        assert intent.terms is not None
        if intent.kind == "replace":
            return self._change(intent, intent.terms)
        row = rows[intent.order]
        group = [self._request(row, intent)]
        # A market entry goes alone: its exits are sized to what it has filled.
        if self.rules.native and (self.rules.nets or row.type != "market"):
            group += children_of(group[0], row, self._tick(row.symbol))
        for request in group:
            self.blotter.keep(ticket_of(request, row, now))
        return Sending(intent.name, tuple(group))

    def _tick(self, symbol: str) -> float:
        return self.machine.instruments[self.books.symbols.index(symbol)].tick_size

    def _change(self, intent: Intent, terms: Terms) -> Sending:
        ref, ticket = self.ref(intent.ticket), self.tickets[intent.ticket]
        name = intent.name if intent.name != intent.ticket else ""
        also = (*ticket.also, name) if name else ticket.also
        self.blotter.change(intent.ticket, asked=Asked.REPLACE, wanted=terms, also=also)
        change = Change(terms.qty, terms.limit_price, terms.stop_price, name)
        return Sending(intent.ticket, change=change, ref=ref)

    def _linked(self, sendings: list[Sending]) -> list[Sending]:
        """A stop and a target that leave at once are one group, where they are alternatives."""
        if self.rules.nets or not self.rules.oco:
            return sendings
        at = {x.group[0].client_id: x for x in sendings if len(x.group) == 1}
        linked = []
        for sending in sendings:
            partner = at.get(sending.group[0].oco) if len(sending.group) == 1 else None
            if partner is None or partner not in linked:
                linked.append(sending)
                continue
            group = (*partner.group, *sending.group)
            linked[linked.index(partner)] = Sending(partner.ticket, group)
        return linked

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
