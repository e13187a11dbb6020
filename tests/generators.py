"""Random scenarios: small markets on small grids, where orders meet, tie and fail often.

One description of a scenario, two sources of choice: Hypothesis (which shrinks) and a seeded
`random.Random` (which is fast). Prices are a few ticks apart, orders lie on or near the corners
of the bars they are going to meet, and money is as short as margins need it to be.

Known limit: what the rules leave open is not drawn (a GTD order that is over when it is
submitted, an order in two OCO pairs, an OCO across instruments of different lots).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.choices import FromHypothesis, FromRandom, Source, chance, choose
from tests.generator_scenes import duel, stranded

POLICIES = (
    "worst",
    "worst",
    "best",
    "shortest",
    "shortest",
    "nearest",
    "low_first",
    "high_first",
    "random",
)
TICKS = (0.01, 0.05, 0.25, 1, 0.1)
LOTS = (1, 1, 1, 10, 0.25, 0.1)
OFF_GRID = (0.5, 1 / 3, 4e-10, -4e-10, 3e-9, -3e-9)  # of a tick; the tolerance is 1e-9
TYPES = ("market", "market", "limit", "limit", "stop", "stop", "stop_limit", "stop_limit", "moc")
PHASES = ("open", "close")
TIFS = ("gtc", "gtc", "gtc", "day", "gtd", "ioc", "fok")


def random_scenario(rng: random.Random) -> dict:
    """A scenario from a seeded generator; the same seed gives the same scenario."""
    return scenario_from(FromRandom(rng))


@st.composite
def scenarios(draw: Any) -> dict:
    """Hypothesis strategy of scenarios."""
    return scenario_from(FromHypothesis(draw))


def scenario_from(source: Source) -> dict:
    """Mostly anything at all; at times a scene for a rule that chance alone seldom sets up."""
    scene = source.integer(0, 9)
    if scene >= 7:
        return stranded(source) if scene == 9 else duel(source)
    return anything(source)


def anything(source: Source) -> dict:
    squeeze = chance(source, 30)  # wild prices, missing bars, little money, nothing protected
    count = choose(source, (2, 3) if squeeze else (1, 1, 2, 2, 3))
    length = choose(source, (8, 14) if squeeze else (2, 4, 8, 8, 14, 40))
    instruments = [instrument_from(source, "ABC"[n], squeeze) for n in range(count)]
    bars = bars_from(source, instruments, length, squeeze)
    scenario = {
        "name": "random",
        "instruments": instruments,
        "account": {
            "cash": cash_from(source, instruments, bars, squeeze),
            "margin_call": choose(source, ("all", "reduce")),
            "margin_check": choose(
                source, ("reduce", "reduce", "reject") if squeeze else ("reject", "reduce")
            ),
            "close_at_end": chance(source, 30),
        },
        "path_policy": choose(source, POLICIES),
        "bars": bars,
        "orders": orders_from(source, instruments, bars, squeeze),
    }
    if chance(source, 50):
        scenario["seed"] = source.integer(0, 1000)
    return scenario


def cash_from(source: Source, instruments: list[dict], bars: dict, squeeze: bool) -> float:
    """Plenty; or a little more than the margin of a few lots; or a few ticks of them."""
    kind = source.integer(3 if squeeze else 0, 9)
    if kind < 3:
        return 100_000
    lots = choose(source, (2, 4, 7))
    needs = []
    for i in instruments:
        price = next((bar[0] for bar in bars[i["symbol"]] if bar), 0)
        margin = i.get("initial_margin", 0)
        margin += i.get("initial_margin_rate", 0) * price * i["point_value"]
        ticks = choose(source, (9, 25)) * i["tick_size"] * i["point_value"]
        needs.append((margin + ticks if kind < 8 else ticks) * i["lot"] * lots)
    return round(max(needs) if chance(source, 50) else sum(needs), 6) + 0.0137


def instrument_from(source: Source, symbol: str, squeeze: bool) -> dict:
    tick = choose(source, TICKS)
    point_value = choose(source, (1, 2, 50, 0.5))
    worth = tick * point_value  # of one tick of one contract
    made = {
        "symbol": symbol,
        "tick_size": tick,
        "point_value": point_value,
        "lot": choose(source, LOTS),
    }
    if chance(source, 40):
        made["slippage_ticks"] = choose(source, (1, 2, 0.5))
    if chance(source, 20):
        made["slippage_pct"] = choose(source, (0.001, 0.0007, 0.02))
    if chance(source, 30):
        made["limit_through_ticks"] = choose(source, (1, 2, 0.5))
    if chance(source, 30):
        made["commission_per_contract"] = round(worth * choose(source, (0.1, 1, 0.37)), 8)
    if chance(source, 20):
        made["fee_per_trade"] = round(worth * choose(source, (1, 0.7)), 8)
    if chance(source, 20):
        made["commission_rate"] = choose(source, (0.001, 0.0003))
    if chance(source, 15):
        made["commission_min"] = round(worth * choose(source, (2, 5)), 8)
    if chance(source, 15):
        made["commission_max"] = round(worth * choose(source, (6, 9)), 8)
    if chance(source, 100 if squeeze else 50):
        amount = worth * choose(source, (29, 61) if squeeze else (7, 13, 29))
        made["initial_margin"] = round(amount, 8)
        made["maintenance_margin"] = round(amount * choose(source, (0.9, 0.5, 1, 0)), 8)
    if chance(source, 35):
        rate = choose(source, (0.05, 0.2, 0.51))
        made["initial_margin_rate"] = rate
        made["maintenance_margin_rate"] = round(rate * choose(source, (0.5, 0.9, 1, 0)), 8)
    return made


def on_grid(ticks: int, tick: float) -> float:
    """As a file would write it: 100.35, and not 10035 * 0.01."""
    return round(ticks * tick, 6)


def bars_from(
    source: Source, instruments: list[dict], length: int, squeeze: bool
) -> dict[str, list]:
    bars: dict[str, list] = {}
    for instrument in instruments:
        gaps_percent = choose(source, (0, 10, 50)) if len(instruments) > 1 else 0
        if squeeze:
            gaps_percent = 0 if instrument is instruments[0] else 50
        last = choose(source, (40, 100, 100, 333))
        wild = choose(source, (6, 15) if squeeze else (2, 4, 9))
        off_percent = choose(source, (0, 0, 25))
        row: list[list | None] = []
        for n in range(length):
            goes_on = squeeze and n > 2 and gaps_percent and row[-1] is None
            if not (squeeze and n < 2) and chance(source, 75 if goes_on else gaps_percent):
                row.append(None)
                continue
            bar, last = bar_from(source, last, wild, off_percent, instrument["tick_size"])
            row.append(bar)
        bars[instrument["symbol"]] = row
    for at in range(length):  # the timeline is the union of the bars: each index has one
        if all(row[at] is None for row in bars.values()):
            first = instruments[0]
            bars[first["symbol"]][at] = bar_from(source, 100, 2, 0, first["tick_size"])[0]
    return bars


def bar_from(
    source: Source, last: int, wild: int, off_percent: int, tick: float
) -> tuple[list, int]:
    """A bar that opens near the last close; returns it and its close in ticks."""
    gap = source.integer(-wild, wild) if chance(source, 35) else 0
    opened = max(1, last + gap)
    shape = source.integer(0, 9)
    closed = opened if shape in (7, 9) else max(1, opened + source.integer(-wild, wild))
    reach = 0 if shape >= 8 else wild
    high = max(opened, closed) + source.integer(0, reach)
    low = max(1, min(opened, closed) - source.integer(0, reach))
    if shape >= 6 and reach:  # as far to the low as to the high, which the paths tie on
        reach = max(high - opened, opened - closed)
        high, low = opened + reach, max(1, opened - reach)
    prices = [on_grid(ticks, tick) for ticks in (opened, high, low, closed)]
    if chance(source, off_percent):
        which = source.integer(0, 3)
        prices[which] += choose(source, OFF_GRID) * tick
        if chance(source, 80):  # else the open or the close may lie outside
            prices[1], prices[2] = max(prices), min(prices)
    return [*prices, source.integer(1, 9) * 100], closed


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
    for price in ("limit_price", "stop_price", "stop_loss", "take_profit"):
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
