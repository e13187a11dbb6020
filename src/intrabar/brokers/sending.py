"""What leaves for a broker, made of what the book wants; and what its answers are to a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from intrabar.brokers.names import Part
from intrabar.brokers.plan import Row
from intrabar.brokers.tickets import (
    Ended,
    Event,
    Found,
    NoAnswer,
    State,
    SubmitRefused,
    Terms,
    Ticket,
)
from intrabar.model.broker_facts import (
    Accepted,
    Change,
    OrderFact,
    Outcome,
    Ref,
    Refused,
    Request,
)
from intrabar.model.enums import OrderType, Role, TimeInForce
from intrabar.sim.costs import round_away
from intrabar.sim.machine import Machine

NAN = float("nan")
PLACES = 9  # of a price
LIMITED = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
STOPPED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})


class Sending(msgspec.Struct, frozen=True):
    """What is to leave: a group of orders, a change, or a cancel.

    Parameters
    ----------
    ticket : str
        Client id of the order that it is about.
    ref : Ref, optional
        Of the order that is changed or cancelled.
    """

    ticket: str
    group: tuple[Request, ...] = ()
    change: Change | None = None
    ref: Ref | None = None


def rows_of(
    machine: Machine, strategies: Sequence[str], made: dict[int, int], now: int
) -> list[Row]:
    """What works in a book, in the order in which it was accepted.

    Parameters
    ----------
    strategies : sequence of str
        By their rows.
    made : dict
        By order: when it was first seen here; new ones are added.
    """
    book = machine.book
    rows = []
    for k in sorted(machine.working().tolist()):
        o = book.orders[k]
        number, tick = int(o["id"]), machine.instruments[o["instrument"]].tick_size
        rows.append(
            Row(
                number,
                strategies[o["strategy"]],
                machine.instruments[o["instrument"]].symbol,
                int(o["side"]),
                sent_as(OrderType(int(o["type"]))),
                Role(int(o["role"])).word,
                _terms_of(o, tick),
                made.setdefault(number, now),
                float(o["filled"]),
                int(o["parent"]),
                int(book.orders["id"][o["oco"]]) if o["oco"] >= 0 else -1,
                TimeInForce(int(o["tif"])).word,
                int(o["until"]),
                bool(o["reduce_only"]),
                _level(o["stop_loss"], tick, -o["side"]),
                _level(o["take_profit"], tick, o["side"]),
            )
        )
    return rows


def _terms_of(row: Any, tick: float) -> Terms:
    """Quantity and the prices that its type has; what else stands in a row is nobody's."""
    kind = OrderType(int(row["type"]))
    limit = _written(row["limit_price"], tick) if kind in LIMITED else NAN
    stop = _written(row["stop_price"], tick) if kind in STOPPED else NAN
    return Terms(float(row["qty"]), limit, stop)


def _written(price: Any, tick: float) -> float:
    """A price on a grid as a broker writes it: 90.07, not 9007 ticks, 90.07000000000001."""
    return round(float(price), PLACES) if tick else float(price)


def _level(price: Any, tick: float, side: Any) -> float:
    """A stop or target that an order asks for, on the grid as its own order will be."""
    return _written(round_away(float(price), tick, int(side)), tick)


def sent_as(kind: OrderType) -> str:
    """A trailing stop is a stop that rests at the broker, and that we move."""
    return OrderType.STOP.word if kind is OrderType.TRAILING_STOP else kind.word


def children_of(entry: Request, row: Row, tick: float) -> list[Request]:
    """The stop and the target that leave with an entry, on the grid as the book has them."""
    children, side = [], -entry.side
    if row.stop_loss == row.stop_loss:
        price = float(round_away(row.stop_loss, tick, side))
        children.append(_child(entry, Part.STOP, OrderType.STOP, stop_price=price))
    if row.take_profit == row.take_profit:
        price = float(round_away(row.take_profit, tick, -side))
        children.append(_child(entry, Part.TARGET, OrderType.LIMIT, limit_price=price))
    return children


def _child(
    entry: Request, part: Part, kind: OrderType, limit_price: float = NAN, stop_price: float = NAN
) -> Request:
    return Request(
        f"{entry.client_id}{part}",
        entry.symbol,
        -entry.side,
        kind.word,
        entry.qty,
        limit_price,
        stop_price,
        reduce_only=True,
        parent=entry.client_id,
        position=entry.side * entry.qty,
    )


def ticket_of(request: Request, row: Row, now: int) -> Ticket:
    """The ticket of an order that leaves."""
    terms = Terms(request.qty, request.limit_price, request.stop_price)
    is_entry = not request.parent
    return Ticket(
        request.client_id,
        row.order,
        row.strategy,
        row.symbol,
        request.side,
        request.type,
        terms,
        now,
        stop_loss=row.stop_loss if is_entry else NAN,
        take_profit=row.take_profit if is_entry else NAN,
        tif=request.tif,
        until=request.until,
        reduce_only=request.reduce_only,
    )


def ref_of(ticket: Ticket, position: float, others: tuple[str, ...] = ()) -> Ref:
    """An order that was sent, as an adapter is told of it."""
    order = Request(
        ticket.name,
        ticket.symbol,
        ticket.side,
        ticket.type,
        ticket.terms.qty,
        ticket.terms.limit_price,
        ticket.terms.stop_price,
        ticket.tif,
        ticket.until,
        ticket.reduce_only,
        position=position,
    )
    return Ref(order, ticket.vendor_ids, ticket.sent, others)


NEVER_LEFT = frozenset({"", "rate"})
"""Codes of what was not sent that say nothing against the order: it is decided anew."""


def never_left(outcome: Outcome) -> bool:
    """Whether a request has not left, and may leave later as it is."""
    return isinstance(outcome, Refused) and outcome.not_sent and outcome.code in NEVER_LEFT


def answer_of(outcome: Outcome) -> Event:
    """What the answer to a submit says."""
    if isinstance(outcome, Accepted):
        return outcome
    if isinstance(outcome, Refused):
        return SubmitRefused(outcome.text)
    return NoAnswer(outcome.text)


def status_of(fact: OrderFact) -> Event:
    """What a status of the stream says."""
    told = State(fact.state)
    if told is State.UNKNOWN:
        return NoAnswer(fact.text)
    if told in (State.CANCELLED, State.EXPIRED):
        return Ended(told)
    if told is State.REJECTED:
        return SubmitRefused(fact.text)
    if told is State.FILLED:
        return Found(State.FILLED, fact.vendor_id)
    return Accepted(fact.vendor_id, works=told is not State.ACKED)
