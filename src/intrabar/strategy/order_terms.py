"""What a strategy in Python says of an order, and what becomes of it: submitted, or refused.

A mistake of the program (a text for a price, a side of 2) raises. A number that came out wrong
while the run went on (a stop of NaN, a target on the wrong side) makes an order that is refused.
"""

from __future__ import annotations

import math
from datetime import date, datetime
from difflib import get_close_matches
from numbers import Integral
from typing import Any, TypedDict

import numpy as np

from intrabar.errors import NotFoundError, OrderError
from intrabar.model.enums import OrderType, Reject, Role, Side, TimeInForce
from intrabar.model.values import as_float, is_number, shown
from intrabar.sim import state
from intrabar.sim.costs import round_away
from intrabar.strategy.bot_kernel import interpret
from intrabar.strategy.desk import Desk
from intrabar.strategy.protection import is_level

is_level_here = interpret(is_level, {})
rounded_away = interpret(round_away, {})


class Terms(TypedDict, total=False):
    """How an order finds its price, and how long it works; see `View.order`."""

    limit: float | None
    stop: float | None
    trail: float | None
    at_close: bool
    stop_loss: float | None
    take_profit: float | None
    tif: str
    until: datetime | date | None
    reduce_only: bool
    oco: int | None


NAMES = tuple(Terms.__annotations__)
SIDES: dict[Any, Side] = {x.word: x for x in Side} | {int(x): x for x in Side}
TIFS = {x.word: x for x in TimeInForce}
PRICES: tuple[str, ...] = ("limit", "stop", "trail", "stop_loss", "take_profit")


def submit(desk: Desk, price: float, side: Any, qty: Any, terms: Terms) -> int:
    """Submit an order, or an order that is refused; returns its number.

    Parameters
    ----------
    desk : Desk
    price : price
        What the strategy sees as it asks; NaN before the first bar.
    side, qty, terms
        As of `View.order`.

    Raises
    ------
    OrderError, NotFoundError
        What is said can be no order.
    """
    given: dict[str, Any] = {name: value for name, value in terms.items() if value is not None}
    for name in given:
        if name not in NAMES:
            raise NotFoundError("option of an order", name, NAMES)
    way = _side_of(desk.symbol, side)
    size = quantity_of(desk.symbol, qty)
    prices = {name: number_of(desk.symbol, name, given[name]) for name in PRICES if name in given}
    flags = {name: _flag(desk.symbol, name, given) for name in ("at_close", "reduce_only")}
    tif = _tif_of(desk.symbol, given.get("tif", "gtc"))
    kind = _type_of(desk.symbol, prices, flags["at_close"])
    _require_sense(desk.symbol, given, prices, flags, tif)
    until = desk.instant(given["until"]) if "until" in given else None
    reject = _judge(desk, price, way, prices)
    partner = given.get("oco")
    if partner is not None and not _is_free(desk, partner):
        reject = Reject.NO_PARTNER
    keeps_back = desk.is_kept_back(int(way), size, flags["reduce_only"])
    number = desk.put(
        state.SUBMIT if reject is Reject.NONE else state.REFUSE,
        side=int(way),
        qty=size,
        type=kind,
        tif=tif,
        role=Role.PLAIN,
        reduce_only=flags["reduce_only"],
        limit_price=prices.get("limit"),
        stop_price=prices.get("stop"),
        trail=prices.get("trail"),
        stop_loss=prices.get("stop_loss"),
        take_profit=prices.get("take_profit"),
        oco=partner,
        until=until,
        reject=None if reject is Reject.NONE else reject,
    )
    if keeps_back and reject is Reject.NONE:
        desk.put(state.CANCEL, id=number)
    return number


def _judge(desk: Desk, price: float, side: int, prices: dict[str, float]) -> Reject:
    """Why an order cannot be submitted, as far as its prices tell."""
    tick = desk.tick
    own = []
    if "limit" in prices:
        own.append(rounded_away(prices["limit"], tick, -side))
    if "stop" in prices:
        own.append(rounded_away(prices["stop"], tick, side))
    elif "trail" in prices:
        own.append(price + side * prices["trail"])
    if not all(0.0 < x < math.inf for x in (*own, prices.get("trail", 1.0))):
        return Reject.INVALID_PRICE
    stop, target = prices.get("stop_loss"), prices.get("take_profit")
    return judge_bracket(side, own or [price], stop, target, tick)


def judge_bracket(
    side: int, own: list[float], stop: float | None, target: float | None, tick: float
) -> Reject:
    """Whether a stop and a target lie on the right sides of every price of their entry."""
    for level, way in ((stop, -side), (target, side)):
        if level is not None and not all(is_level_here(level, x, way, tick) for x in own):
            return Reject.NO_PROTECTION
    return Reject.NONE


def _is_free(desk: Desk, partner: Any) -> bool:
    """Whether an order works, or is about to, and is the alternative of no other yet."""
    order = desk.own_order(partner, "oco")
    if order is None or order["oco"] >= 0:
        return False
    waiting = desk.waiting
    names = (waiting["kind"] == state.SUBMIT) & (waiting["oco"] == int(partner))
    return not names.any()


def _require_sense(
    symbol: str,
    given: dict[str, Any],
    prices: dict[str, float],
    flags: dict[str, bool],
    tif: TimeInForce,
) -> None:
    """Refuse options that another one would switch off."""
    if (tif is TimeInForce.GTD) != ("until" in given):
        raise OrderError(
            f"{symbol}: a gtd order needs until"
            if "until" not in given
            else f"{symbol}: until is for orders with tif='gtd', this one has {tif.word!r}"
        )
    if flags["reduce_only"] and ("stop_loss" in prices or "take_profit" in prices):
        raise OrderError(
            f"{symbol}: a reduce_only order opens nothing that a stop_loss or a take_profit could "
            "protect"
        )


def _type_of(symbol: str, prices: dict[str, float], at_close: bool) -> OrderType:
    """The type of an order, by which of its prices are given."""
    limits, stops, trails = ("limit" in prices, "stop" in prices, "trail" in prices)
    if at_close and (limits or stops):
        raise OrderError(f"{symbol}: a market-on-close order has no limit and no stop")
    if trails and (limits or at_close):
        raise OrderError(f"{symbol}: a trailing stop has no limit and works in the bar")
    if at_close:
        return OrderType.MOC
    if trails:
        return OrderType.TRAILING_STOP
    if limits:
        return OrderType.STOP_LIMIT if stops else OrderType.LIMIT
    return OrderType.STOP if stops else OrderType.MARKET


def _side_of(symbol: str, side: Any) -> Side:
    """A side that is given as such, as its sign, or as its word."""
    if type(side) is Side:
        return side
    is_plain = isinstance(side, str) or (isinstance(side, Integral) and is_number(side))
    found = SIDES.get(side.lower() if isinstance(side, str) else side) if is_plain else None
    if found is None:
        raise OrderError(f"{symbol}: side is {shown(side)}, must be Side.BUY (1) or Side.SELL (-1)")
    return found


def _tif_of(symbol: str, tif: Any) -> TimeInForce:
    word = tif.word if isinstance(tif, TimeInForce) else str(tif).lower()
    if word not in TIFS:
        near = get_close_matches(word, TIFS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(TIFS)}"
        raise OrderError(f"{symbol}: tif is {shown(tif)}: {hint}")
    return TIFS[word]


def _flag(symbol: str, name: str, given: dict[str, Any]) -> bool:
    value = given.get(name, False)
    if value is False:
        return False
    if not isinstance(value, bool | np.bool_):
        raise OrderError(f"{symbol}: {name} is {shown(value)}, must be True or False")
    return bool(value)


def quantity_of(symbol: str, qty: Any) -> float:
    """A quantity that is given: a finite number above 0."""
    found = number_of(symbol, "qty", qty)
    if not 0.0 < found < math.inf:
        raise OrderError(f"{symbol}: qty is {shown(qty)}, must be a number above 0")
    return found


def number_of(symbol: str, name: str, value: Any) -> float:
    """A number that is given; NaN for one that is missing in a table.

    Raises
    ------
    OrderError
        It is a text, a truth value, an array, None.
    """
    if type(value) is float:
        return value
    if not is_number(value) and type(value).__name__ not in ("NAType", "NaTType"):
        raise OrderError(f"{symbol}: {name} is {shown(value)}, must be a number")
    return as_float(value)
