"""Random scenarios around one question, for rules that chance alone seldom sets up."""

from __future__ import annotations

from tests.choices import Source, chance, choose
from tests.generator_bars import detail_from

OTHER = {"buy": "sell", "sell": "buy"}


def duel(source: Source) -> dict:
    """Which extreme first: orders on both sides of one bar, often as far up as down."""
    up = source.integer(2, 5)
    down = up if chance(source, 60) else source.integer(2, 5)
    close = 100 + choose(source, (0, 0, 0, 1, -1, up, -down))
    tail = [[close, close + 2, close - 2, close, 1]] if chance(source, 40) else []
    bars = [[100, 100, 100, 100, 1], [100, 100 + up, 100 - down, close, 1], *tail]
    moments = ({"at": 0, "phase": "close"}, {"at": 0, "phase": "close"}, {"at": 1, "phase": "open"})
    orders: list[dict] = []
    for n in range(source.integer(1, 4)):
        moment = choose(source, moments)
        if orders and chance(source, 20):
            name = choose(source, orders)["id"]
            prices = {p: 100 + source.integer(-4, 4) for p in ("limit_price", "stop_price")}
            orders.append({"id": name, "at": 1, "phase": "open", "modify": name, **prices})
            continue
        orders.append(duellist(source, f"o{n}", moment))
    instrument = {"symbol": "A", "tick_size": 1, "slippage_ticks": source.integer(0, 1)}
    policies = ("worst", "best", "shortest", "nearest", "random", "detail", "calibrated")
    return {
        "name": "duel",
        "instruments": [instrument],
        "path_policy": choose(source, policies),
        "path_trust": 0.5,
        "detail": detail_from(source, {"A": bars}, [instrument]),
        "seed": source.integer(0, 50),
        "bars": {"A": bars},
        "orders": [
            {k: v for k, v in o.items() if not (k == "id" and "modify" in o)} for o in orders
        ],
    }


def duellist(source: Source, name: str, moment: dict) -> dict:
    side = choose(source, ("buy", "sell"))
    way = 1 if side == "buy" else -1
    kind = choose(source, ("market", "stop", "limit", "stop_limit", "moc"))
    order = {"id": name, **moment, "symbol": "A", "side": side, "type": kind}
    order["qty"] = source.integer(1, 3)
    price = 100 + source.integer(-1, 4) * (-way if kind == "limit" else way)
    if kind in ("stop", "stop_limit"):
        order["stop_price"] = price
    if kind in ("limit", "stop_limit"):
        order["limit_price"] = price + (source.integer(-2, 2) if kind == "stop_limit" else 0)
    if chance(source, 30):
        order["reduce_only"] = True
    elif chance(source, 70):
        order["stop_loss"] = price - way * source.integer(1, 4)
        order["take_profit"] = price + way * source.integer(1, 4)
    return order


def stranded(source: Source) -> dict:
    """Margin calls while an instrument has no bars: its liquidation waits for its next open."""
    margin, slack = 30, source.integer(0, 25)
    held = {symbol: source.integer(1, 3) for symbol in choose(source, ("AB", "AB", "ABC"))}
    keep = choose(source, (1, 0.9, 0.6))
    bars = {symbol: strandable(source, symbol != "A") for symbol in held}
    actions = [
        {"at": n, "symbol": symbol, **choose(source, ({"split": 0.5}, {"roll_from": 90}))}
        for symbol, row in bars.items()
        for n in range(1, 9)
        if row[n] and not row[n - 1] and chance(source, 25)
    ]
    sides = {symbol: choose(source, ("buy", "sell")) for symbol in held}
    orders = [
        {**order, "id": f"in{symbol}", "symbol": symbol, "side": sides[symbol], "qty": held[symbol]}
        for symbol in held
        for order in [{"at": 0, "phase": "close", "type": "market"}]
    ]
    for n in range(source.integer(0, 4)):
        symbol = choose(source, list(held))
        order = {"id": f"o{n}", "at": source.integer(1, 7), "phase": "close", "symbol": symbol}
        order["phase"] = choose(source, ("close", "open"))
        order["side"] = choose(source, (sides[symbol], OTHER[sides[symbol]]))
        order.update({"qty": source.integer(1, 4), "type": choose(source, ("market", "moc"))})
        orders.append(order)
    scenario = {
        "name": "stranded",
        "instruments": [
            {
                "symbol": symbol,
                "tick_size": 1,
                "initial_margin": margin,
                "maintenance_margin": margin * keep,
                "slippage_ticks": source.integer(0, 1),
            }
            for symbol in held
        ],
        "account": {
            "cash": margin * sum(held.values()) + slack + 0.25,
            "margin_call": choose(source, ("all", "reduce")),
            "margin_check": choose(source, ("reject", "reduce")),
            "close_at_end": chance(source, 30),
        },
        "path_policy": choose(source, ("worst", "best")),
        "bars": bars,
        "orders": orders,
    }
    return {**scenario, "actions": actions} if actions else scenario


def strandable(source: Source, strands: bool) -> list:
    """Nine bars of small steps; those of an instrument that strands end for a while."""
    last, row = 100, []
    gone = range(source.integer(2, 4), source.integer(4, 9)) if strands else range(0)
    for n in range(9):
        opened = last + source.integer(-3, 3)
        last = opened + source.integer(-8, 8)
        high, low = max(opened, last), min(opened, last)
        row.append(None if n in gone else [opened, high + source.integer(0, 3), low, last, 1])
    return row


def even_money(source: Source) -> dict:
    """Cash that is exactly the margin, a low that leaves exactly what must be left, or a cent."""
    side = choose(source, ("buy", "sell"))
    against = -1 if side == "buy" else 1
    instruments, orders, bars, cash = [], [], {}, 0
    for symbol in choose(source, ("A", "A", "AB")):
        qty, fee = source.integer(1, 11), choose(source, (0, 7, 157))
        kept, slack = choose(source, (0, 1000, source.integer(1, 2000))), source.integer(1, 999)
        price, later = source.integer(5_000, 60_000), source.integer(-99, 99)
        instruments.append(
            {
                "symbol": symbol,
                "commission_per_contract": fee / 100,
                "initial_margin": (kept + choose(source, (slack, slack, 0))) / 100,
                "maintenance_margin": kept / 100,
            }
        )
        left = against * slack  # the move that leaves what must be left
        worst, close = price + left, choose(source, (0, 0, left, -7))
        if chance(source, 35):  # too far, and back
            worst, close = worst + 3 * against, left
        rows = [[price] * 4, [price] * 4, [price, price, worst, price + close], [price] * 4]
        if chance(source, 50):  # bought at two prices, of which no double is the average
            rows[1] = [price - later] * 4
            orders.append({"id": f"first{symbol}", "at": 1, "qty": qty})
            cash -= against * qty * later
        orders.append({"id": f"in{symbol}", "at": 2, "qty": qty})
        bought = sum(o["qty"] for o in orders if o["id"].endswith(symbol))
        cash += bought * (fee + kept + slack)
        bars[symbol] = [
            [x / 100 for x in (row[0], max(row), min(row), row[3])] + [1000] for row in rows
        ]
        for order in orders:
            order.setdefault("symbol", symbol)
    return {
        "name": "even money",
        "instruments": instruments,
        "account": {
            "cash": max(1, cash + choose(source, (0, 0, 0, 1, -1))) / 100,
            "margin_call": choose(source, ("all", "reduce")),
            "margin_check": choose(source, ("reject", "reduce")),
        },
        "bars": bars,
        "orders": [{**o, "phase": "open", "side": side, "type": "market"} for o in orders],
    }
