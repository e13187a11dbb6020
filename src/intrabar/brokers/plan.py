"""The plan: what must be sent so that the broker has what the book wants (live, section 3.2).

A pure function of the book's rows, the tickets and the positions. The same one serves the running
session, a reconnect and a start after a crash: nothing remembers what was going to be sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from intrabar.brokers.names import PROTECTS, Name, Part, name_of
from intrabar.brokers.tickets import OPEN, Asked, State, Terms, Ticket, same

Sleeve = tuple[str, str]
"""Strategy and symbol."""

NAN = float("nan")
MARKET = "market"
PROTECTIVE = {role.word: part for part, role in PROTECTS.items()}


class Row(msgspec.Struct, frozen=True):
    """An order of the book that works: what is wanted.

    Parameters
    ----------
    role : str
        A word of `Role`.
    terms : Terms
        The quantity in all, what has filled included.
    made : int, ns
        When it was asked for, or the moment that it was held for.
    is_held : bool
        It waits for its market to open; it goes then.
    """

    order: int
    strategy: str
    symbol: str
    side: int
    type: str
    role: str
    terms: Terms
    made: int
    filled: float = 0.0
    parent: int = -1
    oco: int = -1
    tif: str = "gtc"
    until: int = 0
    reduce_only: bool = False
    stop_loss: float = NAN
    take_profit: float = NAN
    is_held: bool = False

    @property
    def sleeve(self) -> Sleeve:
        """Whose position it moves."""
        return self.strategy, self.symbol

    @property
    def rest(self) -> float:
        """What it still wants."""
        return max(0.0, round(self.terms.qty - self.filled, 9))


class Rules(msgspec.Struct, frozen=True):
    """What of the account and the session the plan must know.

    Parameters
    ----------
    code : str
        Of the session.
    nets : bool
        The account itself keeps reduce-only and flips in one order.
    native : bool
        An entry takes its stop and target with it.
    replaces_same : bool
        A changed order stays the same order.
    act_within : int, ns
        How old an entry may be when it leaves.
    oco : bool
        A stop and a target may leave as alternatives; else the target is watched.
    """

    code: str
    act_within: int
    nets: bool = False
    native: bool = False
    replaces_same: bool = True
    oco: bool = False


class Intent(NamedTuple):
    """What is to be sent.

    Parameters
    ----------
    name : str
        Client id of the order; of a replace that makes a new order, the new one's.
    terms : Terms, optional
        Of a submit or a replace; a quantity that is NaN stays as it is there.
    ticket : str
        Of the order that is changed or cancelled.
    """

    kind: Literal["submit", "replace", "cancel"]
    name: str
    order: int
    symbol: str
    terms: Terms | None = None
    side: int = 0
    type: str = ""
    ticket: str = ""


class Plan(NamedTuple):
    """What is to be sent now.

    Parameters
    ----------
    intents : tuple of Intent
        Cancels, then what protects, then exits, then entries.
    late : tuple of int
        Orders that waited too long to enter: their rows end, refused.
    exits : tuple of Row
        They leave by an exit chain.
    climbs : tuple of Row
        Stops and targets whose ticket has ended: the ladder has them.
    """

    intents: tuple[Intent, ...]
    late: tuple[int, ...] = ()
    exits: tuple[Row, ...] = ()
    climbs: tuple[Row, ...] = ()


def plan(
    rows: Iterable[Row],
    tickets: Iterable[Ticket],
    positions: Mapping[Sleeve, float],
    rules: Rules,
    now: int,
) -> Plan:
    """The difference between what the book wants and what the broker has.

    Parameters
    ----------
    rows : iterable of Row
        All that work, in the order in which they were accepted.
    tickets : iterable of Ticket
        All of the session.
    positions : mapping
        Signed, of the sleeves that are not flat.
    now : int, ns
    """
    works = {row.order: row for row in rows}
    of_order: dict[int, list[Ticket]] = {}
    busy: set[str] = set()
    for ticket in tickets:
        of_order.setdefault(ticket.order, []).append(ticket)
        if ticket.state is State.UNKNOWN or (ticket.state in OPEN and ticket.asked is Asked.CANCEL):
            busy.add(ticket.symbol)
    intents = _cancels(works, of_order, rules, now)
    late: list[int] = []
    exits: list[Row] = []
    climbs: list[Row] = []
    for row in works.values():
        mine = _attempts(of_order, row)
        living = [ticket for ticket in mine if ticket.state in OPEN]
        if living:
            change = _replace(row, living[0], mine, positions, rules)
            if change is not None:
                intents.append(change)
        elif row.is_held or row.rest <= 0.0:
            continue
        elif row.role in PROTECTIVE and any(t.state is not State.REFUSED for t in mine):
            climbs.append(row)
        elif row.role not in PROTECTIVE and _leaves(row, positions, rules):
            exits.append(row)
        elif adds(row, positions) and now - row.made > rules.act_within:
            late.append(row.order)
        elif adds(row, positions) and row.symbol in busy:
            continue
        else:
            intents.append(_submit(row, mine, positions, rules))
    order = {"cancel": 0, "replace": 1, "submit": 2}
    intents = [x for x in intents if x.terms is None or not x.terms.qty <= 0.0]
    # An account that nets is a market of its own: there the order of acceptance counts.
    urgency = {k: 0 if rules.nets else _urgency(row, positions) for k, row in works.items()}
    intents.sort(key=lambda x: (order[x.kind], urgency.get(x.order, 0)))
    return Plan(tuple(intents), tuple(late), tuple(exits), tuple(climbs))


def _urgency(row: Row, positions: Mapping[Sleeve, float]) -> int:
    """What protects goes first, what adds last."""
    if row.role in PROTECTIVE:
        return 0
    return 2 if adds(row, positions) else 1


def adds(row: Row, positions: Mapping[Sleeve, float]) -> bool:
    """Whether it may make the position larger, as far as anybody knows."""
    held = positions.get(row.sleeve, 0.0)
    if row.reduce_only or row.role in PROTECTIVE:
        return False
    return held * row.side >= 0.0 or row.rest > abs(held)


def _leaves(row: Row, positions: Mapping[Sleeve, float], rules: Rules) -> bool:
    """Whether it takes the position down by itself: such a row leaves by an exit chain."""
    held = positions.get(row.sleeve, 0.0)
    return not rules.nets and held * row.side < 0.0


def _attempts(of_order: Mapping[int, Sequence[Ticket]], row: Row) -> list[Ticket]:
    """The tickets of a row, the older first; a native child stands under its parent's name."""
    mine = list(of_order.get(row.order, ()))
    if row.role in PROTECTIVE:
        part = PROTECTIVE[row.role]
        mine += [t for t in of_order.get(row.parent, ()) if _part(t) is part]
    return sorted((t for t in mine if row.role in PROTECTIVE or not _is_child(t)), key=_age)


def _part(ticket: Ticket) -> Part:
    name = name_of(ticket.name)
    return Part.WHOLE if name is None else name.part


def _is_child(ticket: Ticket) -> bool:
    return _part(ticket) in PROTECTS


def _age(ticket: Ticket) -> tuple[int, int]:
    name = name_of(ticket.name)
    return ticket.sent, 0 if name is None else name.attempt


def _cancels(
    rows: Mapping[int, Row], of_order: Mapping[int, Sequence[Ticket]], rules: Rules, now: int
) -> list[Intent]:
    """What the broker has and nobody wants: of rows that are done, by wish, twice, too slow."""
    children = {(row.parent, PROTECTIVE[row.role]): row.order for row in rows.values()
                if row.role in PROTECTIVE}  # fmt: skip
    intents = []
    for order, tickets in of_order.items():
        seen: set[int] = set()
        for ticket in sorted(tickets, key=_age):
            if ticket.state not in OPEN or (order < 0 and ticket.type == MARKET):
                continue  # of no row: an exit that left without a journal is not called back
            part = _part(ticket)
            wanted = children.get((order, part)) if _is_child(ticket) else order
            row = rows.get(-1 if wanted is None else wanted)
            is_new = _is_child(ticket) and order in rows  # its entry has not filled yet
            unwanted = (row is None and not is_new) or ticket.wished
            unwanted = unwanted or (row is not None and row.order in seen)
            if row is not None:
                seen.add(row.order)
                waits = ticket.state in (State.SENT, State.UNKNOWN, State.ACKED)
                is_entry = row.role not in PROTECTIVE and not row.reduce_only
                stuck = waits and is_entry and now - ticket.sent > rules.act_within
                unwanted = unwanted or stuck
            if unwanted and ticket.asked is Asked.NONE:
                intents.append(
                    Intent("cancel", ticket.name, order, ticket.symbol, ticket=ticket.name)
                )
    return intents


def _terms(row: Row, ticket: Ticket | None, positions: Mapping[Sleeve, float]) -> Terms:
    """What the broker should have: what is left of the row, and what the ticket has filled."""
    rest = row.rest
    if row.role in PROTECTIVE:
        rest = min(rest, abs(positions.get(row.sleeve, 0.0)))
    booked = 0.0 if ticket is None else ticket.booked
    return Terms(round(rest + booked, 9), row.terms.limit_price, row.terms.stop_price)


def _replace(
    row: Row,
    ticket: Ticket,
    mine: Sequence[Ticket],
    positions: Mapping[Sleeve, float],
    rules: Rules,
) -> Intent | None:
    """The change that brings a ticket to what its row wants; one at a time."""
    wanted = _terms(row, ticket, positions)
    busy = ticket.asked is not Asked.NONE or ticket.wished or ticket.state is State.UNKNOWN
    if busy or ticket.type != row.type or same(wanted, ticket.terms):
        return None
    if wanted.qty <= ticket.booked:
        return Intent("cancel", ticket.name, row.order, row.symbol, ticket=ticket.name)
    if _is_child(ticket) and wanted.qty == ticket.terms.qty:
        # Its quantity follows its entry's fills there, perhaps one that nobody here knows of yet.
        wanted = msgspec.structs.replace(wanted, qty=NAN)
    name = ticket.name
    if not rules.replaces_same:
        name = str(Name(rules.code, row.order, _next(row, mine)))
    return Intent("replace", name, row.order, row.symbol, wanted, row.side, row.type, ticket.name)


def _submit(
    row: Row, mine: Sequence[Ticket], positions: Mapping[Sleeve, float], rules: Rules
) -> Intent:
    # What is left of an order that has closed a position opens one.
    opens = row.filled > 0.0 and not rules.nets and any(t.state is State.FILLED for t in mine)
    part = Part.OPENING if opens and row.role not in PROTECTIVE else Part.WHOLE
    name = Name(rules.code, row.order, _next(row, mine), part)
    terms = _terms(row, None, positions)
    return Intent("submit", str(name), row.order, row.symbol, terms, row.side, row.type)


def leaving(row: Row, tickets: Iterable[Ticket], qty: float, rules: Rules) -> Intent:
    """The MARKET with which an exit chain leaves, in the name of a row."""
    of_order: dict[int, list[Ticket]] = {}
    for ticket in tickets:
        of_order.setdefault(ticket.order, []).append(ticket)
    name = Name(rules.code, row.order, _next(row, _attempts(of_order, row)))
    return Intent("submit", str(name), row.order, row.symbol, Terms(qty), row.side, "market")


def again(
    row: Row, tickets: Iterable[Ticket], positions: Mapping[Sleeve, float], rules: Rules
) -> Intent:
    """A new attempt of a stop or target whose ticket has ended."""
    of_order: dict[int, list[Ticket]] = {}
    for ticket in tickets:
        of_order.setdefault(ticket.order, []).append(ticket)
    return _submit(row, _attempts(of_order, row), positions, rules)


def _next(row: Row, mine: Sequence[Ticket]) -> int:
    """The attempt after all that have left; what never left gives its name back."""
    left = [x for t in mine if t.state is not State.REFUSED for x in (t.name, *t.also)]
    names = [name_of(x) for x in left]
    return 1 + max((n.attempt for n in names if n and n.order == row.order), default=-1)
