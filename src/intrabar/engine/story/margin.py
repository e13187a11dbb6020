"""What a story says of the margin at the worst prices of a bar, and of the equity at its close."""

from __future__ import annotations

from intrabar.engine.story import words as words
from intrabar.engine.story.walk import prices_of
from intrabar.sim.machine import Machine
from intrabar.sim.margin import equity_at_marks, maintenance_margin, net_position, open_profit


def margin_figures(machine: Machine, bar: int) -> str:
    """Equity at the worst prices of the bar and the margin to hold; "" without positions."""
    book, tape = machine.book, machine.tape
    if book.account[0]["converts"]:  # CLOSE begins with the new rates
        now = book.instruments.copy()
        now["fx"] = tape.fx[bar]
        now["point_value"] = now["unit_value"] * now["fx"]
        book = book._replace(instruments=now)
    equity, required, worst = float(book.account[0]["cash"]), 0.0, []
    for j, symbol in enumerate(machine.market.symbols):
        net, prices = float(net_position(book, j)), prices_of(machine, bar, j)
        if net == 0.0:
            continue
        close = float(tape.close[bar, j])
        required += float(maintenance_margin(book, j, net, close))
        price, word = close, "last close"
        if prices is not None:
            price, word = (prices[2], "low") if net > 0 else (prices[1], "high")
        equity += float(open_profit(book, j, price))
        tick = float(book.instruments[j]["tick_size"])
        worst.append(f"{symbol} at its {word} {words.price_text(price, tick)}")
    if not worst or (required == 0.0 and equity >= 0.0):
        return ""
    sign = "covers" if equity >= required else "is below"
    return (
        f"{words.listed(worst)}, the equity {words.money(equity)} {sign} "
        f"the maintenance margin {words.money(required)}"
    )


def equity_text(machine: Machine) -> str:
    """Equity, cash and what is held: the end of a bar."""
    book = machine.book
    held = []
    for j, symbol in enumerate(machine.market.symbols):
        sleeve = book.sleeves[j]
        if sleeve["qty"]:
            tick = float(book.instruments[j]["tick_size"])
            average = words.price_text(round(float(sleeve["avg"]), 8), tick)
            held.append(f"{symbol} {words.position_text(float(sleeve['qty']))} from {average}")
    equity = words.money(float(equity_at_marks(book)))
    cash = words.money(float(book.account[0]["cash"]))
    return f"equity {equity}, cash {cash}; {words.listed(held) or 'flat'}"
