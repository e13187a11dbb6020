"""Whether orders fit an account: what it is able to, and its grids.

Every adapter asks before it sends, so that what a vendor would refuse, round or misread never
leaves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

from intrabar.errors import GateError
from intrabar.links.broker import Wanted
from intrabar.model.broker_facts import AccountFacts, Can, Change, Code, Grid, Ref, Refused, Request

LIMITED = frozenset({"limit", "stop_limit"})
STOPPED = frozenset({"stop", "stop_limit"})
NO_GRID = Grid()
PLACES, DUST = 9, 1e-9


def unfit(group: tuple[Request, ...], can: Can, grids: Mapping[str, Grid]) -> Refused | None:
    """Why a group may not leave; None: it may.

    Parameters
    ----------
    grids : mapping
        By symbol, as `connect` told them.
    """
    if len(group) > 1:
        entry, *others = group
        if any(x.parent for x in others) and not can.bracket:
            return _cannot("an entry with its stop or target in one (bracket)")
        if any(x.oco for x in others) and not (entry.parent or can.oco):
            return _cannot("a stop and a target as alternatives (oco)")
    for request in group:
        found = _unfit(request, can) or _off_grid(request, can, grids.get(request.symbol, NO_GRID))
        if found is not None:
            return found
    return None


def unheld(request: Request, held: float, taken: float) -> Refused | None:
    """Why an order is refused where nothing is netted; None: it opens, or leaves what is free.

    Parameters
    ----------
    held : signed
        Of the account.
    taken : quantity
        What other orders of that side would leave.
    """
    if held * request.side >= 0.0:
        return None
    if request.qty > abs(held):
        return _cannot(f"an order of {request.qty:g} that turns {held:g} round in one")
    if request.qty + taken > abs(held):
        return Refused(f"{taken:g} of {abs(held):g} are held by other orders", code="held")
    return None


def unfit_change(ref: Ref, change: Change, can: Can, grids: Mapping[str, Grid]) -> Refused | None:
    """Why a change may not leave; None: it may. What it leaves alone is not looked at."""
    order = ref.order
    if change.qty == change.qty and not (math.isfinite(change.qty) and change.qty > 0.0):
        return _no(
            "invalid_quantity", order.symbol, f"a quantity of {change.qty:g}; cancel it instead"
        )
    return _off_grid(change, can, grids.get(order.symbol, NO_GRID), order.symbol)


def require_wanted(wanted: Wanted, facts: AccountFacts) -> AccountFacts:
    """The account that has answered, if it is the one that was asked for.

    Raises
    ------
    GateError
        It is another one, of another kind, or what it shows of its kind differs.
    """
    if facts.id != wanted.account:
        raise GateError(f"the broker answers for account {facts.id}, not for {wanted.account}")
    if facts.kind != wanted.kind:
        said = ", ".join(f"{name} says {kind}" for name, kind in facts.signs.items()) or "nothing"
        raise GateError(f"account {facts.id} is refused as {wanted.kind}: {said}")
    return facts


def _unfit(request: Request, can: Can) -> Refused | None:
    if request.type not in can.types:
        return _cannot(f"orders of type {request.type}", can.types)
    if request.tif not in can.tifs:
        return _cannot(f"time in force {request.tif}", can.tifs)
    if not (math.isfinite(request.qty) and request.qty > 0.0):
        return _no("invalid_quantity", request.symbol, f"a quantity of {request.qty:g}")
    flips = not request.opens and not request.reduce_only and request.qty > abs(request.position)
    if flips and not can.nets:
        return _cannot(f"an order of {request.qty:g} that turns {request.position:g} round in one")
    for has, name, price in (
        (request.type in LIMITED, "limit_price", request.limit_price),
        (request.type in STOPPED, "stop_price", request.stop_price),
    ):
        if has != math.isfinite(price):
            what = f"{request.type} with a {name} of {price:g}"
            return _no("invalid_price", request.symbol, what)
    return None


def _off_grid(asked: Request | Change, can: Can, grid: Grid, symbol: str = "") -> Refused | None:
    symbol = symbol or getattr(asked, "symbol", "")
    lot = grid.lot if math.isfinite(grid.lot) or can.fractional else 1.0
    if not on_grid(asked.qty, lot):
        return _no("invalid_quantity", symbol, f"{asked.qty:g} is no multiple of the lot {lot:g}")
    for price in (asked.limit_price, asked.stop_price):
        if not on_grid(price, grid.tick):
            what = f"{price:g} is no multiple of the tick {grid.tick:g}"
            return _no("invalid_price", symbol, what)
    return None


def on_grid(value: float, step: float) -> bool:
    """Whether a value is a multiple of a step, but for what floats leave of it; NaN: it is."""
    if not (math.isfinite(value) and math.isfinite(step) and step > 0.0):
        return True
    return abs(value - round(value / step) * step) <= DUST * max(1.0, abs(value))


def decimal_text(value: float) -> str:
    """A price or quantity as it leaves: 90.07, not 90.07000000000001; 10, not 10.0."""
    whole, _, part = f"{Decimal(repr(round(value, PLACES))):f}".partition(".")
    part = part.rstrip("0")
    return f"{whole}.{part}" if part else whole


def _no(code: Code, symbol: str, what: str) -> Refused:
    return Refused(f"{symbol}: {what}", not_sent=True, code=code)


def _cannot(what: str, able: frozenset[str] = frozenset()) -> Refused:
    has = f"; it takes {', '.join(sorted(able))}" if able else ""
    return Refused(f"the account does not take {what}{has}", not_sent=True, code="cannot")
