"""Entries of a made-up session: turns of a bar, commands, fills and a row each."""

from __future__ import annotations

from random import Random

from intrabar.model.entry import Entry

MINUTE = 60_000_000_000
SYMBOLS = ("ES", "NQ")


def turns(count: int, seed: int = 7) -> list[list[Entry]]:
    """What a session of `count` rows appends, a list for each turn."""
    draw = Random(seed)
    held = dict.fromkeys(SYMBOLS, 0.0)
    made = [[Entry(0, 0, 0, "session.started", {"code": "abc123", "seed": seed, "fence": 1})]]
    order = fills = 0
    cash = 100_000.0
    for bar in range(count):
        at = (bar + 1) * MINUTE
        price = 100.0 + draw.gauss(0.0, 1.0)
        bars = [[symbol, price, price + 1, price - 1, price, 10.0] for symbol in SYMBOLS]
        turn = [Entry(at, bar, 8, "row.closed", {"time": at, "bars": bars, "late": False})]
        for index, symbol in enumerate(SYMBOLS):
            side = draw.choice(["buy", "sell"])
            qty = float(draw.randint(1, 3))
            named = {"strategy": "bot", "symbol": symbol, "side": side, "qty": qty}
            asked = {**named, "index": index, "order": order, "kind": "submit", "type": "market"}
            turn.append(Entry(at, bar, 7, "command", {**asked, "limit_price": None}))
            if draw.random() < 0.3:
                why = {"rule": "max_order_qty", "scope": "account", "value": qty, "limit": 1.0}
                text = f"max_order_qty {symbol}: {qty:g}, limit 1"
                turn.append(Entry(at, bar, 7, "refused", {"command": index, **why, "text": text}))
                continue
            signed = qty if side == "buy" else -qty
            held[symbol] += signed
            row = {**named, "order": order, "type": "market", "tif": "gtc", "role": "plain"}
            turn.append(Entry(at, bar, 7, "order", {**row, "status": "working", "filled": 0.0}))
            turn.append(Entry(at, bar, 7, "order", {**row, "status": "filled", "filled": qty}))
            done = {**named, "index": fills, "order": order, "price": price, "cost": 1.25}
            done |= {"reason": "entry", "phase": "open", "time": at, "realized": draw.gauss(0, 9)}
            done |= {"position": held[symbol], "point_value": 50.0}
            turn.append(Entry(at, bar, 2, "fill", done))
            order, fills = order + 1, fills + 1
            cash -= 1.25
        row_closed = {"row": bar, "time": at, "equity": cash + draw.gauss(0, 50), "cash": cash}
        turn.append(Entry(at, bar, 8, "row", row_closed))
        made.append(turn)
    return made
