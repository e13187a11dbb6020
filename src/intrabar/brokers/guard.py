"""What goes on where the journal does not: three things, from fresh looks alone (live, section 4).

A session that cannot commit decides nothing. Orders of ours that add are cancelled; what is bare
gets one stop at the last level that was committed; a person's exits are carried out. Each deed is
a line of the emergency file before it is sent, and its number is never used again.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import msgspec

from intrabar.brokers.chain import SECOND
from intrabar.brokers.names import PROTECTS, emergency_id, is_ours
from intrabar.brokers.tickets import OPEN, State
from intrabar.model.broker_facts import OrderFact, Snapshot
from intrabar.model.enums import OrderType

SEEN_WITHIN = 30 * SECOND
"""How long what was sent counts although no look shows it: a second one would be worse."""
STOPS = (OrderType.STOP.word, OrderType.STOP_LIMIT.word, OrderType.TRAILING_STOP.word)


class Deed(msgspec.Struct, frozen=True):
    """A line of the emergency file: what is about to be sent.

    Parameters
    ----------
    name : str
        Client id: of the order that is cancelled, or of the new one.
    """

    kind: Literal["cancel", "stop", "exit"]
    at: int
    name: str
    symbol: str
    side: int = 0
    qty: float = 0.0
    stop_price: float = math.nan


def guard(
    look: Snapshot,
    levels: Mapping[str, float],
    exits: Collection[str],
    before: Iterable[Deed],
    code: str,
) -> list[Deed]:
    """What a look asks for.

    Parameters
    ----------
    look : Snapshot
        Without complete orders and positions nothing is done: nobody knows what covers.
    levels : mapping
        By symbol of ours: where its stop was last committed to be, NaN where there was none.
    exits : collection of str
        Symbols that a person has asked to leave.
    before : iterable of Deed
        All lines of the file.
    code : str
        Of the session.
    """
    if not {"orders", "positions"} <= look.complete:
        return []
    lines = list(before)
    numbers = sum(line.kind != "cancel" for line in lines)
    deeds: list[Deed] = []
    for symbol in levels:
        held = look.positions.get(symbol, (0.0, 0.0))[0]
        living = [o for o in look.orders if o.symbol == symbol and State(o.state) in OPEN]
        ours = [o for o in living if is_ours(o.client_id, frozenset({code}))]
        coming = _coming(lines, living, symbol, look.at)
        gone = [o for o in ours if _adds(o, held)]
        if symbol in exits and held:
            gone += [o for o in ours if o.side * held < 0.0 and o.type != OrderType.MARKET.word]
        deeds += [Deed("cancel", look.at, o.client_id, symbol) for o in gone]
        bare = abs(held) - sum(_rest(o) for o in living if _leaves(o, held)) - coming
        new = _new(symbol, held, bare, levels[symbol], symbol in exits, look.at)
        if new is not None:
            numbers += 1
            deeds.append(msgspec.structs.replace(new, name=emergency_id(code, numbers)))
    return deeds


def _new(symbol: str, held: float, bare: float, level: float, leaves: bool, at: int) -> Deed | None:
    """The one order that is missing: a way out, or a stop."""
    if bare <= 0.0:
        return None
    side = -1 if held > 0.0 else 1
    if leaves:
        return Deed("exit", at, "", symbol, side, bare)
    if level > 0.0:
        return Deed("stop", at, "", symbol, side, bare, level)
    return None


def _rest(order: OrderFact) -> float:
    return order.qty - order.filled


def _adds(order: OrderFact, held: float) -> bool:
    """Whether it may make the position larger; a child goes with its entry."""
    if order.parent or order.client_id[-1:] in PROTECTS:
        return False
    return held * order.side >= 0.0 or _rest(order) > abs(held)


def _leaves(order: OrderFact, held: float) -> bool:
    """Whether it stops the position out, or leaves it: what counts as cover."""
    return order.side * held < 0.0 and order.type in (*STOPS, OrderType.MARKET.word)


def _coming(lines: Iterable[Deed], living: Iterable[OrderFact], symbol: str, now: int) -> float:
    """What was sent a moment ago, and no look shows yet; what was cancelled none will show."""
    lines = list(lines)
    shown = {order.client_id for order in living}
    shown |= {line.name for line in lines if line.kind == "cancel"}
    return sum(
        line.qty
        for line in lines
        if line.symbol == symbol and line.name not in shown and now - line.at < SEEN_WITHIN
    )
