"""What was sent while the journal was away, taken into the book of tickets (live, section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intrabar.brokers.door import Door
from intrabar.brokers.guard import Deed
from intrabar.brokers.tickets import State, Terms, Ticket
from intrabar.engine.session.bodies import body_from
from intrabar.model.enums import OrderType


def take_in(body: Mapping[str, Any], door: Door, now: int) -> None:
    """Know of an order of the emergency file, and that nobody knows what has become of it.

    A stop stands for the stop of its sleeve; an exit is of no row, so that its fill moves the
    position alone. Of a cancel a look says what has ended.

    Parameters
    ----------
    body : mapping
        A `Deed`, as the file has it.
    door : Door
    now : int, ns UTC
    """
    deed = body_from(body, Deed)
    if deed.kind == "cancel" or deed.name in door.tickets:
        return
    holders = [strategy for strategy, symbol in door.positions if symbol == deed.symbol]
    rows = [row for row in door.rows(now) if row.symbol == deed.symbol and row.role == "stop"]
    stop = rows[0] if rows and deed.kind == "stop" else None
    sleeve = holders[0] if holders else door.books.strategies[-1]
    kind = OrderType.STOP if deed.kind == "stop" else OrderType.MARKET
    ticket = Ticket(
        deed.name,
        -1 if stop is None else stop.order,
        sleeve if stop is None else stop.strategy,
        deed.symbol,
        deed.side,
        kind.word,
        Terms(deed.qty, stop_price=deed.stop_price),
        deed.at,
        state=State.UNKNOWN,
        reduce_only=True,
    )
    door.blotter.keep(ticket)
    door.doubts[deed.name] = None
