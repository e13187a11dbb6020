"""Random orders: on or near the corners of the bars that they are going to meet, and each other.

Known limit: what the rules leave open is not drawn (a GTD order that is over when it is
submitted, an order in two OCO pairs, an OCO across instruments of different lots).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.choices import Source, chance, choose
from tests.generator_bars import OFF_GRID

TYPES = (
    *("market", "market", "limit", "limit", "stop", "stop", "stop_limit", "stop_limit"),
    *("moc", "trailing_stop"),
)
PHASES = ("open", "close")
TIFS = ("gtc", "gtc", "gtc", "day", "gtd", "ioc", "fok")


@dataclass
class Desk:
    """What whoever writes the orders of a scenario has before them."""

    source: Source
    instruments: list[dict]
    bars: dict[str, list]
    length: int
    squeeze: bool
    orders: list[dict] = field(default_factory=list)
    levels: dict[str, list[float]] = field(default_factory=dict)  # prices that orders lie at
    without_partner: list[dict] = field(default_factory=list)


def orders_from(
    source: Source, instruments: list[dict], bars: dict[str, list], squeeze: bool
) -> list[dict]:
    length = len(bars[instruments[0]["symbol"]])
    desk = Desk(source, instruments, bars, length, squeeze)
    commands: list[dict] = []
    for n in range(source.integer(1, choose(source, (3, 8, 16, 24)))):
        if desk.orders and chance(source, 25):
            commands.append(change_from(desk))
            continue
        order = order_from(desk, f"o{n}", choose(source, instruments))
        pair_up(desk, order)
        desk.orders.append(order)
        commands.append(order)
    return commands


def order_from(desk: Desk, name: str, instrument: dict) -> dict:
    source, symbol = desk.source, instrument["symbol"]
    moment = {"at": source.integer(0, desk.length - 1), "phase": choose(source, PHASES)}
    last = desk.orders[-1] if desk.orders else {}
    if last.get("symbol") == symbol and chance(source, 40):
        moment = {"at": last["at"], "phase": last["phase"]}
    order = {
        "id": name,
        **moment,
        "symbol": symbol,
        "side": choose(source, ("buy", "sell")),
        "qty": round(choose(source, (1, 2, 3, 5, 8)) * instrument["lot"], 6),
        "type": choose(source, TYPES),
    }
    if desk.squeeze and chance(source, 70):  # as much as the margin allows, and early
        way = choose(source, ("buy", "sell", order["side"]))
        order.update({"type": "market", "side": way, "at": source.integer(0, 3)})
        order["qty"] = round(choose(source, (5, 9, 20)) * instrument["lot"], 6)
        return order
    if order["type"] in ("limit", "stop_limit"):
        order["limit_price"] = level_from(desk, moment, instrument)
    if order["type"] in ("stop", "stop_limit"):
        order["stop_price"] = level_from(desk, moment, instrument)
    if order["type"] == "trailing_stop":
        order["trail"] = trail_from(source, instrument["tick_size"])
        if chance(source, 40):
            order["stop_price"] = level_from(desk, moment, instrument)
    if chance(source, 15):
        make_twin(desk, order)
    tif = choose(source, TIFS)
    if tif != "gtc":
        order["tif"] = tif
    if tif == "gtd":
        order["until"] = order["at"] + 1 + source.integer(0, 3)
    if chance(source, 18):
        order["reduce_only"] = True
    elif chance(source, 60):
        order.update(bracket_from(desk, order, instrument))
    if chance(source, 3):
        order.update(choose(source, spoiled(order, instrument)))
    return order


def trail_from(source: Source, tick: float) -> float:
    trail = choose(source, (2, 4, 1, 9)) * tick
    if chance(source, 20):
        trail += choose(source, OFF_GRID) * tick
    return round(trail, 12)


def make_twin(desk: Desk, order: dict) -> None:
    """Lay the order where a child of an earlier bracket is going to lie, before the child."""
    brackets = [
        o
        for o in desk.orders
        if o["symbol"] == order["symbol"] and ("stop_loss" in o or "take_profit" in o)
    ]
    if not brackets:
        return
    bracket = choose(desk.source, brackets)
    order["at"] = max(0, bracket["at"] - desk.source.integer(0, 1))
    order["phase"] = "open"
    order["side"] = "sell" if bracket["side"] == "buy" else "buy"
    for name, kind in (("stop_loss", "stop"), ("take_profit", "limit")):
        if name in bracket:
            order["type"] = kind
            order[f"{kind}_price"] = bracket[name]


def bracket_from(desk: Desk, order: dict, instrument: dict) -> dict:
    """A stop and a target: mostly on their sides of the price, near or far, at times absurd."""
    source, tick = desk.source, instrument["tick_size"]
    way = 1 if order["side"] == "buy" else -1
    around = level_from(desk, order, instrument)
    bracket = {}
    for name, side in (("stop_loss", -way), ("take_profit", way)):
        kind = source.integer(0, 9)
        if kind >= 4:
            away = side * choose(source, (2, 4, 9, 20)) * tick
            bracket[name] = round(max(around + away, tick), 12)
        elif kind == 3:
            bracket[name] = level_from(desk, order, instrument)
        if name in bracket:
            desk.levels[instrument["symbol"]].append(bracket[name])
    return bracket


def spoiled(order: dict, instrument: dict) -> list[dict]:
    """Ways to make the order one that is refused or not whole."""
    ways = [{"qty": 0}, {"qty": 1.5 * instrument["lot"]}, {"qty": -instrument["lot"]}]
    for price in ("limit_price", "stop_price", "stop_loss", "take_profit", "trail"):
        if price in order:
            ways += [{price: 0}, {price: -instrument["tick_size"]}]
    return ways


def pair_up(desk: Desk, order: dict) -> None:
    """At times one cancels the other: two orders of one moment, or of two."""
    source = desk.source
    lots = {i["symbol"]: i["lot"] for i in desk.instruments}
    free = [o for o in desk.without_partner if lots[o["symbol"]] == lots[order["symbol"]]]
    if not free or not chance(source, 25):
        desk.without_partner.append(order)
        return
    other = choose(source, free)
    desk.without_partner.remove(other)
    first, second = (order, other) if chance(source, 50) else (other, order)
    first["oco"] = second["id"]
    if chance(source, 70):
        order["at"], order["phase"] = other["at"], other["phase"]
        if "until" in order:
            order["until"] = other["at"] + 2


def level_from(desk: Desk, moment: dict, instrument: dict) -> float:
    """A price where another order lies, or a corner of a bar that the order meets first."""
    source, tick = desk.source, instrument["tick_size"]
    used = desk.levels.setdefault(instrument["symbol"], [])
    if used and chance(source, 45):
        return choose(source, used[-3:])
    first = moment["at"] + (moment["phase"] == "close")
    row = desk.bars[instrument["symbol"]]
    ahead = [bar for bar in row[first : first + 3] if bar] or [b for b in row if b]
    near = choose(source, ahead)[source.integer(0, 3)] if ahead else 50 * tick
    level = near + choose(source, (0, 0, 0, 1, -1, 2, -3)) * tick
    if chance(source, 20):
        level += choose(source, OFF_GRID) * tick
    level = round(max(level, tick), 12)
    used.append(level)
    return level


def change_from(desk: Desk) -> dict:
    """A cancel or a modify, at or after the order's own moment, of it or of a child."""
    source, order = desk.source, choose(desk.source, desk.orders)
    later = min(order["at"] + choose(source, (0, 0, 1, 2, 3)), desk.length - 1)
    moment = {"at": later, "phase": choose(source, PHASES)}
    if chance(source, 30):  # together with what the last order does
        moment = {"at": max(desk.orders[-1]["at"], order["at"]), "phase": desk.orders[-1]["phase"]}
    children = [
        order["id"] + child
        for child, price in ((".stop", "stop_loss"), (".target", "take_profit"))
        if price in order
    ]
    name = choose(source, children) if children and chance(source, 60) else order["id"]
    if chance(source, 30):
        return {**moment, "cancel": name}
    instrument = next(i for i in desk.instruments if i["symbol"] == order["symbol"])
    change = {**moment, "modify": name}
    if chance(source, 50):
        change["limit_price"] = level_from(desk, moment, instrument)
    if chance(source, 50):
        change["stop_price"] = level_from(desk, moment, instrument)
    if chance(source, 40 if name == order["id"] else 70):
        change["qty"] = round(source.integer(0, 4) * instrument["lot"], 6)
    if chance(source, 3):
        change.update(choose(source, spoiled(change, instrument)))
    return change
