"""Reconciliation: what a look at the account makes of what is known (live, section 5.2).

Pure. A difference is booked from a fact that has a key, or a person answers for it: nothing is
invented. A part of a look that is not complete proves nothing: an error is never "flat", and never
"no such order".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from intrabar.brokers.counting import fill_of, is_news
from intrabar.brokers.names import is_ours
from intrabar.brokers.tickets import (
    ALIVE,
    APART,
    IN_DOUBT,
    OPEN,
    Asked,
    Corrected,
    Event,
    Filled,
    Found,
    State,
    Terms,
    Ticket,
    Total,
    child_of,
    replaced,
    same,
)
from intrabar.model.broker_facts import FillFact, OrderFact, Snapshot

TRANSFER = 0.005  # of the equity
ACCOUNT = ""


class Tell(NamedTuple):
    """An event for the order table."""

    ticket: str
    event: Event


class Stands(NamedTuple):
    """What an order is at the broker, where nobody here has asked for it: it was made there."""

    ticket: str
    terms: Terms


class LookUp(NamedTuple):
    """A ticket that a complete list does not have."""

    ticket: str


class Book(NamedTuple):
    """A fill that no order of ours made: it takes the position towards zero."""

    key: str
    symbol: str
    side: int
    qty: float
    price: float


class Differs(NamedTuple):
    """A position that nothing explains: noted at the first look, a drift at the second."""

    symbol: str
    qty: float
    is_drift: bool


class Aside(NamedTuple):
    """Less than a lot: kept aside, no drift."""

    symbol: str
    qty: float


class Block(NamedTuple):
    """No entries, of a symbol or of the account; `pages` a person, `refuses` a start."""

    symbol: str
    why: str
    pages: bool = False
    refuses: bool = False


class Moved(NamedTuple):
    """A suspected transfer: the balance has moved by so much, and no fill explains it."""

    amount: float


class Clean(NamedTuple):
    """All is equal, complete, and nothing is on its way: what reconciliation blocked is free."""


Action = Tell | Stands | LookUp | Book | Differs | Aside | Block | Moved | Clean


class Known(msgspec.Struct, frozen=True):
    """What is known before the look.

    Parameters
    ----------
    positions : dict
        By symbol, signed, of the book, all sleeves together.
    lots : dict
        By symbol, of all that are ours.
    codes : frozenset of str
        Of this session, those of older ones that it has taken over included.
    acting : frozenset of str
        Symbols with a split or a change of name today, whose row is not sealed yet: `positions`
        and `tickets` are then those after it.
    differences : dict
        By symbol: what the last looks have found, and since when.
    booked : frozenset of str
        Ids of fills that no ticket has, and that are in the book.
    equity, gap : float
        E, and the G that balance and equity differ by.
    has_ids : bool
        Whether ids of fills prove something (`order_table.take`); else totals alone count.
    is_start : bool
    is_restored : bool
        A person has said that the journal was put back (`--restored`).
    tolerates : bool
        `foreign: tolerate`: what is foreign in other symbols only warns.
    """

    tickets: tuple[Ticket, ...]
    positions: dict[str, float]
    lots: dict[str, float]
    codes: frozenset[str]
    acting: frozenset[str] = frozenset()
    differences: dict[str, tuple[float, int]] = {}
    booked: frozenset[str] = frozenset()
    equity: float = math.nan
    gap: float = math.nan
    has_ids: bool = True
    is_start: bool = False
    is_restored: bool = False
    tolerates: bool = False


def reconcile(known: Known, look: Snapshot) -> list[Action]:
    """What a look makes of what is known, in the order in which it is done."""
    of_orders, strangers = _matched(known, look.orders)
    fills, foreign = _fills(known, look.fills, of_orders)
    actions: list[Action] = []
    if "fills" in look.complete:
        actions += [Tell(ticket, event) for ticket, event in fills]
    if "orders" in look.complete or look.orders:
        actions += _orders(known, look, of_orders)
    told = actions.copy()
    actions += _strangers(known, strangers)
    if "fills" in look.complete and "positions" in look.complete:
        actions += _positions(known, look, fills, of_orders, foreign)
    flying = any(t.state in IN_DOUBT or t.asked is not Asked.NONE for t in known.tickets)
    quiet = not told and not flying
    if "balance" in look.complete and quiet and not actions:
        actions += _balance(known, look)
    whole = {"orders", "fills", "positions", "balance"} <= look.complete
    only_aside = all(isinstance(action, Aside) for action in actions)
    if whole and quiet and only_aside and not known.acting:
        actions.append(Clean())
    return actions


def _matched(
    known: Known, orders: Iterable[OrderFact]
) -> tuple[dict[str, OrderFact], list[OrderFact]]:
    """The orders of our tickets, by client id, and those of nobody."""
    by_name = {name: t for t in known.tickets for name in (t.name, *t.also)}
    by_vendor = {x: ticket for ticket in known.tickets for x in ticket.vendor_ids}
    ours: dict[str, OrderFact] = {}
    others = []
    for fact in orders:
        ticket = by_name.get(fact.client_id) or by_vendor.get(fact.vendor_id)
        ticket = ticket or child_of(by_name, fact)
        if ticket is None:
            others.append(fact)
        elif fact.vendor_id in ticket.vendor_ids[:-1] and State(fact.state) not in ALIVE:
            continue  # another has taken its place, and says what the order is now
        elif not fact.replaced_by or ticket.name not in ours:
            ours[ticket.name] = fact  # of two the one that has taken the other's place
    strangers = []
    for fact in others:
        fits = [t for t in known.tickets if t.name not in ours and is_it(t, fact)]
        if len(fits) == 1 and not fact.client_id:
            ours[fits[0].name] = fact
        else:
            strangers.append(fact)
    return ours, strangers


def is_it(ticket: Ticket, fact: OrderFact) -> bool:
    """Whether an order without a name of ours may be a ticket whose id is not known yet."""
    if ticket.vendor_ids or ticket.state not in IN_DOUBT:
        return False
    asked = (ticket.symbol, ticket.side, ticket.type)
    there = (fact.symbol, fact.side, fact.type)
    terms = Terms(fact.qty, fact.limit_price, fact.stop_price)
    return asked == there and same(terms, ticket.terms) and fact.time >= ticket.sent


def _fills(
    known: Known, fills: Iterable[FillFact], of_orders: Mapping[str, OrderFact]
) -> tuple[list[tuple[str, Filled | Corrected]], list[FillFact]]:
    """Fills of ours that are not booked, or otherwise, and those of nobody."""
    by_vendor = {fact.vendor_id: name for name, fact in of_orders.items()}
    by_vendor |= {x: t.name for t in known.tickets for x in t.vendor_ids}
    by_name = {ticket.name: ticket for ticket in known.tickets}
    named = {name: t.name for t in known.tickets for name in (t.name, *t.also)}
    ours, foreign = [], []
    for fact in fills:
        name = named.get(fact.client_id) or by_vendor.get(fact.vendor_id)
        if name is None:
            if fact.id not in known.booked:
                foreign.append(fact)
        elif known.has_ids:
            ticket = by_name[name]
            if is_news(ticket, fact):
                ours.append((name, fill_of(ticket, fact, in_look=True)))
    return ours, foreign


def _orders(known: Known, look: Snapshot, of_orders: Mapping[str, OrderFact]) -> list[Action]:
    """Ours against the broker's: totals first, then states; what a list lacks is looked up."""
    actions: list[Action] = []
    for ticket in known.tickets:
        fact = of_orders.get(ticket.name)
        if fact is None:
            if ticket.state in OPEN and "orders" in look.complete:
                actions.append(LookUp(ticket.name))
            continue
        if fact.replaced_by:  # what it is now, the other order says
            event = replaced(ticket, fact)
            actions += [] if event is None else [Tell(ticket.name, event)]
            actions.append(LookUp(ticket.name))
            continue
        if fact.filled != ticket.booked:
            actions.append(Tell(ticket.name, Total(fact.filled, fact.average, in_look=True)))
        state = State(fact.state)
        is_known = not fact.vendor_id or fact.vendor_id in ticket.vendor_ids
        if not is_known or (state is not ticket.state and not _agree(ticket, state)):
            actions.append(Tell(ticket.name, Found(state, fact.vendor_id)))
        terms = Terms(fact.qty, fact.limit_price, fact.stop_price)
        is_quiet = ticket.state in OPEN and state in OPEN and ticket.asked is Asked.NONE
        if is_quiet and not same(terms, ticket.terms):
            actions.append(Stands(ticket.name, terms))
    return actions


def _agree(ticket: Ticket, state: State) -> bool:
    """Whether two words say the same of an order."""
    partial = ticket.state is State.PARTIAL and state in (State.WORKING, State.ACKED)
    over = ticket.state not in OPEN and state not in OPEN
    return partial or over


def _strangers(known: Known, strangers: Iterable[OrderFact]) -> list[Action]:
    """Orders that are not ours: of a copy of us, in our symbols, in others."""
    actions: list[Action] = []
    for fact in strangers:
        if State(fact.state) not in OPEN:
            continue
        if is_ours(fact.client_id, known.codes):
            refuses = known.is_start and not known.is_restored
            actions.append(
                Block(
                    fact.symbol, f"a copy of this session has sent {fact.client_id}", True, refuses
                )
            )
        elif fact.symbol in known.lots:
            actions.append(Block(fact.symbol, f"a foreign order {fact.vendor_id}", pages=True))
        elif not known.tolerates:
            why = f"a foreign order {fact.vendor_id} in {fact.symbol}"
            actions.append(Block(ACCOUNT, why, refuses=known.is_start))
    return actions


def _positions(
    known: Known,
    look: Snapshot,
    fills: Iterable[tuple[str, Filled | Corrected]],
    of_orders: Mapping[str, OrderFact],
    foreign: Iterable[FillFact],
) -> list[Action]:
    """The broker's positions against the book's, with what this look will book."""
    coming = _coming(known, fills, of_orders)
    doubt = {t.symbol for t in known.tickets if t.state in IN_DOUBT}
    actions: list[Action] = []
    for symbol in sorted({*known.lots, *look.positions}):
        there = look.positions.get(symbol, (0.0, 0.0))[0]
        if symbol not in known.lots:
            if there and not known.tolerates:
                why = f"a foreign position of {there:g} {symbol}"
                actions.append(Block(ACCOUNT, why, refuses=known.is_start))
            continue
        expected = known.positions.get(symbol, 0.0) + coming.get(symbol, 0.0)
        missing = round(there - expected, 9)
        for fact in foreign:
            if fact.symbol == symbol:
                booked, missing = _reduced(fact, expected, missing)
                expected += booked * fact.side
                if booked:
                    actions.append(Book(fact.id, symbol, fact.side, booked, fact.price))
        if not missing:
            continue
        if abs(missing) < known.lots[symbol]:
            actions.append(Aside(symbol, missing))
        elif symbol not in doubt:
            before = known.differences.get(symbol)
            apart = before is not None and look.at - before[1] >= APART
            actions.append(
                Differs(symbol, missing, apart and before is not None and before[0] == missing)
            )
    return actions


def _coming(
    known: Known,
    fills: Iterable[tuple[str, Filled | Corrected]],
    of_orders: Mapping[str, OrderFact],
) -> dict[str, float]:
    """By symbol, what the facts of this look move the book by: each order's total counts."""
    named: dict[str, float] = {}
    seen = {(t.name, id_): fill.qty for t in known.tickets for id_, fill in t.fills.items()}
    for name, event in fills:
        more = event.qty - seen.get((name, event.id), 0.0)
        named[name] = named.get(name, 0.0) + more
    moves: dict[str, float] = {}
    for ticket in known.tickets:
        more = named.get(ticket.name, 0.0)
        total = ticket.booked + (max(0.0, more - ticket.by_difference) if more > 0.0 else more)
        fact = of_orders.get(ticket.name)
        if fact is not None and more >= 0.0:
            total = max(ticket.booked, fact.filled)
        change = (total - ticket.booked) * ticket.side
        moves[ticket.symbol] = moves.get(ticket.symbol, 0.0) + change
    return moves


def _reduced(fact: FillFact, expected: float, missing: float) -> tuple[float, float]:
    """How much of a foreign fill takes the position to zero, and what is then still missing."""
    if expected * fact.side >= 0.0 or missing * fact.side <= 0.0:
        return 0.0, missing
    qty = min(fact.qty, abs(expected), abs(missing))
    return qty, round(missing - qty * fact.side, 9)


def _balance(known: Known, look: Snapshot) -> list[Action]:
    """Money that came or went without a fill."""
    amount = look.balance - known.equity - known.gap
    if math.isfinite(amount) and abs(amount) > TRANSFER * known.equity:
        return [Moved(amount)]
    return []


class Absence(NamedTuple):
    """What is asked before an order counts as absent.

    Parameters
    ----------
    call_ended : int, ns
        When the call that sent it had returned, or its thread had; 0: it has not.
    looks : tuple of int, ns
        Look-ups by id and by a complete list that did not have it.
    reaches_back : bool
        The list goes back past the send.
    """

    call_ended: int
    looks: tuple[int, ...]
    reaches_back: bool
    link_is_up: bool


def is_absent(found: Absence, after: int) -> bool:
    """Whether two looks, apart, late enough after the call, and far enough back, prove it."""
    if not (found.call_ended and found.reaches_back and found.link_is_up):
        return False
    late = [at for at in found.looks if at - found.call_ended >= after]
    return bool(late) and max(late) - min(late) >= APART
