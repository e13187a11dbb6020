"""What a strategy in Python changes of its orders, and of the protection of its position."""

from __future__ import annotations

import math
from typing import Any

from intrabar.errors import OrderError
from intrabar.kernel import plain
from intrabar.model.enums import OrderType, Reject, Role, TimeInForce
from intrabar.sim import state
from intrabar.sim.costs import in_lots
from intrabar.sim.orders import is_whole
from intrabar.strategy.desk import Desk
from intrabar.strategy.order_terms import (
    is_level_here,
    judge_bracket,
    number_of,
    quantity_of,
    rounded_away,
)

LIMITED = (OrderType.LIMIT, OrderType.STOP_LIMIT)
STOPPED = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)


def cancel(desk: Desk, number: Any) -> None:
    """Cancel an order that works; raises as `Desk.own_order`."""
    if desk.own_order(number) is not None:
        desk.put(state.CANCEL, id=int(number))


def modify(
    desk: Desk, price: float, number: Any, *, limit: Any = None, stop: Any = None, qty: Any = None
) -> None:
    """Change an order that works, or add one that is refused and says why it was not changed.

    Parameters
    ----------
    desk : Desk
    price : price
        What the strategy sees as it asks.
    number, limit, stop, qty
        As of `View.modify`.
    """
    order = desk.own_order(number)
    prices = {
        name: number_of(desk.symbol, name, value)
        for name, value in (("limit", limit), ("stop", stop))
        if value is not None
    }
    size = None if qty is None else quantity_of(desk.symbol, qty)
    if not prices and size is None:
        raise OrderError(f"{desk.symbol}: modify order {number}: give limit, stop or qty")
    if order is None:
        return
    kind = OrderType(int(order["type"]))
    for name, kinds in (("limit", LIMITED), ("stop", STOPPED)):
        if name in prices and kind not in kinds:
            raise OrderError(
                f"{desk.symbol}: order {number} is a {kind.word} order and has no {name}"
            )
    changes = {
        "limit_price": prices.get("limit"),
        "stop_price": prices.get("stop"),
        "qty": size,
    }
    reject = _judge(desk, price, order, kind, changes)
    if reject is Reject.NONE:
        desk.put(state.MODIFY, id=int(number), **changes)
        return
    kept = ("side", "type", "tif", "role", "reduce_only", "stop_loss", "take_profit")
    as_asked = {name: order[name] if x is None else x for name, x in changes.items()}
    desk.put(state.REFUSE, reject=reject, **{name: order[name] for name in kept}, **as_asked)


def _judge(
    desk: Desk, price: float, order: Any, kind: OrderType, changes: dict[str, Any]
) -> Reject:
    """Why a change cannot be made."""
    side, tick = int(order["side"]), desk.tick
    size = changes["qty"]
    if size is not None and not plain(is_whole)(size, float(desk.instrument["lot"])):
        return Reject.INVALID_QUANTITY
    own = []
    for name, kinds, away in (("limit_price", LIMITED, -side), ("stop_price", STOPPED, side)):
        if kind in kinds:
            asked = order[name] if changes[name] is None else changes[name]
            own.append(rounded_away(float(asked), tick, away))
            if changes[name] is not None and not 0.0 < own[-1] < math.inf:
                return Reject.INVALID_PRICE
    role = Role(int(order["role"]))
    if role in (Role.STOP, Role.TARGET):
        way = side if role is Role.STOP else -side
        is_moved = changes["stop_price" if role is Role.STOP else "limit_price"] is not None
        is_fine = not is_moved or is_level_here(own[0], price, way, tick)
        return Reject.NONE if is_fine else Reject.NO_PROTECTION
    stop, target = float(order["stop_loss"]), float(order["take_profit"])
    return judge_bracket(
        side,
        own or [math.nan],
        None if math.isnan(stop) else stop,
        None if math.isnan(target) else target,
        tick,
    )


def protect(desk: Desk, price: float, role: Role, level: Any) -> None:
    """Move the stop, or the target, of the whole position; what has none gets one.

    Parameters
    ----------
    desk : Desk
    price : price
        What the strategy sees as it asks.
    role : Role
        STOP or TARGET.
    level : price
    """
    is_stop = role is Role.STOP
    number = number_of(desk.symbol, "price", level)
    held = desk.position.qty
    is_early = held == 0.0
    if is_early:  # an entry that carries no such order is taken to be what is meant
        held = desk.bare_entry("stop_loss" if is_stop else "take_profit")
        if held == 0.0:
            return
    side = -1 if held > 0.0 else 1  # of the orders that protect it
    order: dict[str, Any] = {
        "side": side,
        "type": OrderType.STOP if is_stop else OrderType.LIMIT,
        "tif": TimeInForce.GTC,
        "role": role,
        "reduce_only": True,
        "stop_price" if is_stop else "limit_price": number,
    }
    if is_early or not is_level_here(number, price, side if is_stop else -side, desk.tick):
        desk.put(state.REFUSE, reject=Reject.NO_PROTECTION, qty=abs(held), **order)
        return
    bare = abs(held) - desk.protected(role)
    if bare > 0.0:
        bare = plain(in_lots)(bare, float(desk.instrument["lot"]))
    if bare > 0.0:
        desk.put(state.SUBMIT, qty=bare, **order)
    desk.put(
        state.MOVE_STOP if is_stop else state.MOVE_TARGET,
        **{"stop_price" if is_stop else "limit_price": number},
    )
