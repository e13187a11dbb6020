"""An account is emptied without its session: cancel, leave, look, again until it is flat."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Literal, NamedTuple

from intrabar.app.workers.guarding import ref_of
from intrabar.brokers.managed import DEADLINE, LOGIN
from intrabar.brokers.names import emergency_id
from intrabar.brokers.tickets import OPEN, State
from intrabar.errors import IntrabarError, LinkError
from intrabar.links.broker import Broker
from intrabar.links.clock import Clock
from intrabar.links.lines import within
from intrabar.model.broker_facts import Accepted, Refused, Request, Snapshot
from intrabar.model.enums import OrderType
from intrabar.risk.gates import check_wire

FIRST, AGAIN = 5.0, 10.0  # seconds before the second look, and before each later one
LOOKS = 7  # in about a minute


class Left(NamedTuple):
    """What a look has shown at the end."""

    positions: dict[str, float]
    orders: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left."""
        return not self.positions and not self.orders


async def emptied(
    broker: Broker,
    clock: Clock,
    account: str,
    kind: Literal["paper", "live"],
    code: str,
    tell: Callable[[str], None],
) -> Left:
    """Empty an account; what is left after a minute.

    Never two exits for one share: while one is on its way the position is left alone.

    Parameters
    ----------
    broker : Broker
        Not connected yet.
    code : str
        Six letters that the names of the exits begin with.
    tell : callable
        Told of each thing that is done.

    Raises
    ------
    GateError
        Another account answers, or one of another kind.
    LinkError
        Nobody answers.
    """
    facts = await within(LOGIN, broker.connect(), "the broker's login")
    try:
        check_wire(account, kind, facts.id, facts.signs)
        number, left = 0, Left({}, 0)
        for k in range(LOOKS):
            look = await within(LOGIN, broker.snapshot(0), "a look at the account")
            left = _left(look)
            if left.is_empty and {"orders", "positions"} <= look.complete:
                return left
            await _cancel(broker, look, tell)
            if not _protects(look):
                number = await _leave(broker, look, code, number, tell)
            await clock.sleep(FIRST if k == 0 else AGAIN)
        return left
    finally:
        with suppress(IntrabarError):
            await within(DEADLINE, broker.close(), "the end of the broker's link")


def _left(look: Snapshot) -> Left:
    held = {symbol: qty for symbol, (qty, _) in look.positions.items() if qty}
    return Left(held, sum(State(order.state) in OPEN for order in look.orders))


def _protects(look: Snapshot) -> bool:
    """Whether something that is not an exit of ours still works: it is waited for."""
    return any(
        State(order.state) in OPEN and order.type != OrderType.MARKET.word for order in look.orders
    )


async def _cancel(broker: Broker, look: Snapshot, tell: Callable[[str], None]) -> None:
    for order in look.orders:
        if State(order.state) not in OPEN or order.type == OrderType.MARKET.word:
            continue
        try:
            await within(DEADLINE, broker.cancel(ref_of(order)), "a cancel")
            tell(f"cancel {order.client_id or order.vendor_id} {order.symbol}")
        except LinkError as error:
            tell(f"cancel {order.client_id or order.vendor_id} {order.symbol}: {error}")


async def _leave(
    broker: Broker, look: Snapshot, code: str, number: int, tell: Callable[[str], None]
) -> int:
    """Leave by MARKET what nothing leaves yet; the last number that a name has."""
    leaving = {x.symbol for x in look.orders if State(x.state) in OPEN}
    for symbol, (qty, _) in look.positions.items():
        if not qty or symbol in leaving:
            continue
        number += 1
        request = Request(
            emergency_id(code, number),
            symbol,
            -1 if qty > 0.0 else 1,
            OrderType.MARKET.word,
            abs(qty),
            tif="day",
            reduce_only=True,
            position=qty,
        )
        try:
            (outcome,) = await within(DEADLINE, broker.submit((request,)), "an exit")
            said = outcome.text if isinstance(outcome, Refused) else "sent"
            tell(f"leave {qty:g} {symbol}: {'sent' if isinstance(outcome, Accepted) else said}")
        except LinkError as error:
            tell(f"leave {qty:g} {symbol}: {error}")
    return number
