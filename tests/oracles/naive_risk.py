"""The limits a second time: the formulas of the rules, in fractions, over plain dictionaries.

A world is `positions` {(strategy, symbol): qty}, `stops` of them, `orders` (dictionaries, in order
of acceptance), `marks`, `worth` of a point and `lot` by symbol, `x` and `x0`. No code in common
with `intrabar.risk`. Numbers are the decimals that they are written as, quantities whole lots.
"""

from __future__ import annotations

from fractions import Fraction

INFINITE = Fraction(10) ** 280


def decimal(value: float) -> Fraction:
    return Fraction(str(float(value)))


def lots(world: dict, symbol: str, qty: float) -> Fraction:
    lot = decimal(world["lot"][symbol])
    return round(decimal(qty) / lot) * lot


def size(world: dict, order: dict) -> Fraction:
    return lots(world, order["symbol"], order["qty"])


def sleeve(order: dict) -> tuple[str, str]:
    return order["strategy"], order["symbol"]


def leaves(world: dict, order: dict, before: list[dict]) -> bool:
    """Whether an order only takes from its sleeve, those before it on its side taken off."""
    if order.get("reduce_only"):
        return True
    held = world["positions"].get(sleeve(order), 0)
    held = lots(world, order["symbol"], held) * -order["side"]
    for other in before:
        if sleeve(other) == sleeve(order) and other["side"] == order["side"]:
            held -= size(world, other)
    return size(world, order) <= held


def entries(world: dict) -> list[dict]:
    """The working orders that add."""
    found = []
    for n, order in enumerate(world["orders"]):
        if not leaves(world, order, world["orders"][:n]):
            found.append(order)
    return found


def net(world: dict, symbol: str) -> Fraction:
    held = [q for (_, s), q in world["positions"].items() if s == symbol]
    return sum((lots(world, symbol, q) for q in held), Fraction(0))


def after(world: dict, order: dict) -> Fraction:
    """The symbol's position if this, all that adds on its side and its sleeve's exits fill."""
    total = net(world, order["symbol"]) + order["side"] * size(world, order)
    adds = entries(world)
    for other in world["orders"]:
        same = other["symbol"] == order["symbol"] and other["side"] == order["side"]
        if same and (other in adds or sleeve(other) == sleeve(order)):
            total += order["side"] * size(world, other)
    return total


def on_its_side(world: dict, order: dict) -> Fraction:
    return max(order["side"] * after(world, order), Fraction(0))


def position_size_pct(world: dict, order: dict) -> Fraction:
    symbol = order["symbol"]
    value = on_its_side(world, order) * decimal(world["marks"][symbol])
    return 100 * value * decimal(world["worth"][symbol]) / decimal(world["x"])


def leverage(world: dict, order: dict) -> Fraction:
    total = Fraction(0)
    symbols = {s for _, s in world["positions"]} | {o["symbol"] for o in world["orders"]}
    for symbol in symbols | {order["symbol"]}:
        if symbol == order["symbol"]:
            qty = on_its_side(world, order)
        else:
            qty = abs(net(world, symbol))
            for side in (1, -1):
                adds = [o for o in entries(world) if (o["symbol"], o["side"]) == (symbol, side)]
                more = sum((size(world, o) for o in adds), Fraction(0))
                qty = max(qty, abs(net(world, symbol) + side * more))
        total += qty * decimal(world["marks"][symbol]) * decimal(world["worth"][symbol])
    return total / decimal(world["x"])


def position_qty(world: dict, order: dict) -> Fraction:
    return on_its_side(world, order)


def order_qty(world: dict, order: dict) -> Fraction:
    return size(world, order)


def order_value(world: dict, order: dict) -> Fraction:
    symbol = order["symbol"]
    price = decimal(world["marks"][symbol]) * decimal(world["worth"][symbol])
    return size(world, order) * price


def positions(world: dict, order: dict) -> Fraction:
    held = {s for s, q in world["positions"].items() if q}
    return Fraction(len(held | {sleeve(o) for o in entries(world)} | {sleeve(order)}))


def loss_to_stops_pct(world: dict, order: dict) -> Fraction:
    """Of X0: what is lost by now, and to the stops of all that is held or would be."""
    lost = decimal(world["x0"]) - decimal(world["x"])
    for (strategy, symbol), qty in world["positions"].items():
        stop = world["stops"].get((strategy, symbol))
        lost += _to_stop(world, symbol, qty, world["marks"][symbol], stop)
    for entry in (*entries(world), order):
        price = entry.get("limit", world["marks"][entry["symbol"]])
        qty = entry["side"] * entry["qty"]
        lost += _to_stop(world, entry["symbol"], qty, price, entry.get("stop"))
    return 100 * lost / decimal(world["x0"])


def _to_stop(world: dict, symbol: str, qty: float, price: float, stop: float | None) -> Fraction:
    if not qty:
        return Fraction(0)
    if stop is None:
        return INFINITE if qty < 0 else _worth(world, symbol, qty) * decimal(price)
    return max(_worth(world, symbol, qty) * (decimal(price) - decimal(stop)), Fraction(0))


def _worth(world: dict, symbol: str, qty: float) -> Fraction:
    return lots(world, symbol, qty) * decimal(world["worth"][symbol])


FIGURES = {
    "max_position_size_pct": position_size_pct,
    "max_portfolio_leverage": leverage,
    "max_position_qty": position_qty,
    "max_order_qty": order_qty,
    "max_order_value": order_value,
    "max_positions": positions,
    "max_loss_to_stops_pct": loss_to_stops_pct,
}
"""The figure that each key limits: above it is refused."""


def daily_loss_pct(x0: float, x: float) -> Fraction:
    return 100 * (decimal(x0) - decimal(x)) / decimal(x0)


def daily_loss(x0: float, x: float) -> Fraction:
    return decimal(x0) - decimal(x)


def drawdown_pct(peak: float, x: float) -> Fraction:
    return 100 * (decimal(peak) - decimal(x)) / decimal(peak)
