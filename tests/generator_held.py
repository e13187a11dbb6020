"""A position with its bracket, and all that can befall it: thin volume, a call, a split, a roll."""

from __future__ import annotations

from tests.choices import Source, chance, choose
from tests.generator_bars import rates_from

OTHER = {"buy": "sell", "sell": "buy"}
LENGTH = 9
WEEKS = ([1, 1, 2, 2, 2, 5, 5, 6, 6], [0, 1, 4, 5, 6, 7, 8, 11, 12])


def held(source: Source) -> dict:
    symbols = choose(source, ("A", "A", "AB"))
    margin = choose(source, (0, 30, 30))
    qty = {symbol: source.integer(2, 9) for symbol in symbols}
    sides = {symbol: choose(source, ("buy", "sell")) for symbol in symbols}
    crash = {symbol: source.integer(2, 5) * chance(source, 60) for symbol in symbols}
    bars = {symbol: drift(source, sides[symbol], crash[symbol]) for symbol in symbols}
    for n in range(2, LENGTH):  # of the first there is a bar at every index
        if len(symbols) > 1 and chance(source, 12):
            bars[symbols[1]][n] = None
    scenario = {
        "name": "held",
        "instruments": [thin(source, symbol, margin) for symbol in symbols],
        "account": {
            "cash": margin * sum(qty.values()) * choose(source, (1, 1, 2))
            + choose(source, (20, 200)),
            "margin_call": choose(source, ("all", "reduce")),
            "margin_check": choose(source, ("reject", "reduce")),
            "close_at_end": chance(source, 20),
            "settlement": choose(source, ("none", "daily")),
        },
        "path_policy": choose(source, ("worst", "best", "shortest")),
        "bars": bars,
        "orders": [],
    }
    for symbol in symbols:
        scenario["orders"].append(entry(source, symbol, sides[symbol], qty[symbol]))
    for n in range(source.integer(0, 5)):
        symbol = choose(source, symbols)
        scenario["orders"].append(companion(source, f"o{n}", symbol, sides[symbol]))
    alone = [o for o in scenario["orders"][len(symbols) :] if "id" in o]
    if len(alone) > 1 and chance(source, 60):
        alone[1]["oco"] = alone[0]["id"]
    if chance(source, 70):
        actions = [
            befalling(source, symbol, crash[symbol])
            for symbol in (choose(source, symbols) for _ in range(source.integer(1, 3)))
        ]
        scenario["actions"] = [a for a in actions if bars[a["symbol"]][a["at"]]]
    if chance(source, 25):
        scenario["instruments"][0]["currency"] = "EUR"
        scenario["fx"] = {"EUR": rates_from(source, LENGTH)}
        scenario["account"]["cash"] *= 2
    if chance(source, 30):
        scenario["days"] = choose(source, WEEKS)
    return scenario


def thin(source: Source, symbol: str, margin: float) -> dict:
    made = {"symbol": symbol, "tick_size": 1, "initial_margin": margin}
    made["maintenance_margin"] = margin * choose(source, (1, 0.9, 0.6))
    made["slippage_ticks"] = source.integer(0, 1)
    if chance(source, 65):
        made["max_volume_share"] = 0.01
    if chance(source, 30):
        made["slippage_impact"] = choose(source, (0.5, 0.1))
    if chance(source, 30):
        made.update({"commission_rate": 0.001, "maker_rate": choose(source, (0.0005, -0.001))})
    if chance(source, 20):
        made.update({"swap_long": -0.25, "borrow_rate": 0.1})
    return made


def drift(source: Source, side: str, crash: int) -> list:
    """Small steps, at times one large one against the position; volumes of 0 to 9 lots."""
    last, row = 100, []
    against = -1 if side == "buy" else 1
    for n in range(LENGTH):
        opened = max(2, last + source.integer(-3, 3))
        last = max(2, opened + source.integer(-6, 6))
        if crash and n == crash:
            last = max(2, opened + against * source.integer(10, 40))
        high = max(opened, last) + source.integer(0, 3)
        low = max(1, min(opened, last) - source.integer(0, 3))
        row.append([opened, high, low, last, 100 * source.integer(0, 9)])
    return row


def entry(source: Source, symbol: str, side: str, qty: int) -> dict:
    order = {"id": f"in{symbol}", "at": 0, "phase": "close", "symbol": symbol, "side": side}
    order.update({"qty": qty, "type": choose(source, ("market", "market", "moc", "limit", "stop"))})
    way = 1 if side == "buy" else -1
    if order["type"] == "limit":
        order["limit_price"] = 100 - way * source.integer(-1, 3)
    if order["type"] == "stop":
        order["stop_price"] = 100 + way * source.integer(-1, 3)
    if chance(source, 85):
        order["stop_loss"] = 100 - way * source.integer(2, 20)
    if chance(source, 70):
        order["take_profit"] = 100 + way * source.integer(2, 12)
    return order


def companion(source: Source, name: str, symbol: str, side: str) -> dict:
    """An order, or a change of the bracket, while the position is held."""
    moment = {"at": source.integer(0, LENGTH - 2), "phase": choose(source, ("close", "open"))}
    if chance(source, 25):
        child = choose(source, ("", ".stop", ".target"))
        change = choose(
            source,
            (
                {"cancel": f"in{symbol}{child}"},
                {"modify": f"in{symbol}{child}", "qty": source.integer(1, 9)},
                {
                    "modify": f"in{symbol}{child}",
                    "stop_price": source.integer(85, 115),
                    "limit_price": source.integer(85, 115),
                },
            ),
        )
        return {**moment, **change}
    side = choose(source, (side, OTHER[side], OTHER[side]))
    way = 1 if side == "buy" else -1
    order = {"id": name, **moment, "symbol": symbol, "side": side, "qty": source.integer(1, 12)}
    kind = choose(source, ("market", "limit", "stop", "trailing_stop", "stop_limit", "moc"))
    order["type"] = kind
    if kind in ("limit", "stop_limit"):
        order["limit_price"] = 100 - way * source.integer(-4, 6)
    if kind in ("stop", "stop_limit"):
        order["stop_price"] = 100 + way * source.integer(-4, 6)
    if kind == "trailing_stop":
        order["trail"] = source.integer(1, 8)
    if chance(source, 40):
        order["tif"] = choose(source, ("day", "ioc", "fok"))
    if chance(source, 30):
        order["reduce_only"] = True
    elif chance(source, 40):
        order["stop_loss"] = 100 - way * source.integer(1, 9)
    return order


def befalling(source: Source, symbol: str, crash: int) -> dict:
    action = {"at": source.integer(1, LENGTH - 2), "symbol": symbol}
    if crash and chance(source, 50):  # while the rest of a liquidation waits
        action["at"] = crash + 1
    kinds = (
        {"split": choose(source, (0.5, 2, 0.3, 1.5))},
        {"roll_from": 100 + source.integer(-20, 20)},
        {"dividend": 1.25},
        {"initial_margin": choose(source, (0, 45)), "maintenance_margin": 40},
    )
    return {**action, **choose(source, kinds)}
