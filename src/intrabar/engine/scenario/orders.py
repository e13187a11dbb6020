"""What the orders of a scenario may say: refused with the place and the remedy.

Only what no market could understand is refused here: what a market refuses (a quantity that is
not whole lots, a price that is missing or not above 0) is let through.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from intrabar.engine.scenario.values import (
    check_flag,
    check_keys,
    check_name,
    check_number,
    check_whole,
    check_word,
    shown,
)
from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.enums import OrderType, TimeInForce

PRICES = ("limit_price", "stop_price", "trail", "stop_loss", "take_profit")
MOMENT = {"at", "phase"}
ORDER = {"id", "symbol", "side", "qty", "type", "tif", "until", "reduce_only", "oco"}
CHANGES = {"limit_price", "stop_price", "qty"}
MOST_AT_ONCE = 1024  # what a strategy can ask for in one call
LAST_UNTIL = 100_000  # bars; a day each, they must fit 64-bit nanoseconds


def check_orders(orders: list[Any], symbols: Iterable[str], length: int) -> None:
    """Refuse orders that name what is not there, or could not be understood."""
    names: dict[str, int] = {}
    for n, order in enumerate(orders):
        place = f"orders[{n}]"
        is_change = isinstance(order, dict) and ("cancel" in order or "modify" in order)
        if not is_change:
            check_order(place, order, symbols)
            if order["id"] in names:
                raise ConfigError(
                    f"{place}.id: {order['id']!r} is the id of orders[{names[order['id']]}] already"
                )
            names[order["id"]] = n
        elif "cancel" in order:
            check_keys(place, order, MOMENT | {"cancel"})
        else:
            check_keys(place, order, MOMENT | CHANGES | {"modify"})
            check_figures(place, order)
        check_moment(place, order, length)
    children = {f"{name}.{leg}" for name in names for leg in ("stop", "target")}
    for n, order in enumerate(orders):
        if order.get("id") in children:
            raise ConfigError(f"orders[{n}].id: {order['id']!r} is the name of a bracket's child")
        for key, known in (("cancel", children), ("modify", children), ("oco", set())):
            name = order.get(key)
            if name is not None and (not isinstance(name, str) or name not in known | {*names}):
                raise NotFoundError(f"order in orders[{n}].{key}", str(name), names)
        if order.get("oco") is not None and order.get("oco") == order.get("id"):
            raise ConfigError(f"orders[{n}].oco: an order cannot cancel itself; name the other one")
    crowd = Counter((order["at"], order["phase"]) for order in orders)
    for (at, phase), count in crowd.items():
        if count > MOST_AT_ONCE:
            raise ConfigError(
                f"orders: {count} at {at} in phase {phase}, at most {MOST_AT_ONCE} fit"
            )


def check_moment(place: str, order: dict[str, Any], length: int) -> None:
    """Refuse a moment outside the timeline."""
    check_whole(f"{place}.at", order.get("at"), 0, length - 1, "an index of the timeline")
    if order.get("phase") not in ("open", "close"):
        raise ConfigError(f"{place}.phase: {shown(order.get('phase'))}, must be 'open' or 'close'")


def check_figures(place: str, order: dict[str, Any]) -> None:
    """Refuse prices and quantities that are not numbers; null is none."""
    for name in (*PRICES, "qty"):
        if order.get(name) is not None:
            check_number(f"{place}.{name}", order[name])


def check_order(place: str, order: Any, symbols: Iterable[str]) -> None:
    """Refuse an order of the script that no market could understand."""
    check_keys(place, order, MOMENT | ORDER | {*PRICES})
    for name in ("id", "symbol", "side", "qty", "type"):
        if order.get(name) is None:
            raise ConfigError(f"{place}: {name} is missing")
    check_name(f"{place}.id", order["id"])
    if order["symbol"] not in list(symbols):
        raise NotFoundError(f"symbol in {place}", str(order["symbol"]), symbols)
    if order["side"] not in ("buy", "sell"):
        raise NotFoundError(f"side in {place}", str(order["side"]), ("buy", "sell"))
    check_word(f"type in {place}", order["type"], OrderType)
    check_word(f"tif in {place}", order.get("tif", "gtc"), TimeInForce)
    check_figures(place, order)
    check_flag(f"{place}.reduce_only", order.get("reduce_only", False))
    if order.get("tif") == "gtd" and order.get("until") is None:
        raise ConfigError(f"{place}: tif gtd needs until, an index of the timeline")
    if order.get("until") is not None:
        check_whole(f"{place}.until", order["until"], 0, LAST_UNTIL, "an index of the timeline")
