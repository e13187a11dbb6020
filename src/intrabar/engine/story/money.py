"""What a step did without an order, in words: actions of instruments, and lines of the ledger."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from intrabar.engine.story import words as words
from intrabar.engine.story.changes import View
from intrabar.model.enums import ActionKind, LedgerKind
from intrabar.sim.machine import Machine

MARGINS = (
    "initial_margin",
    "maintenance_margin",
    "initial_margin_rate",
    "maintenance_margin_rate",
)


def action_sentences(machine: Machine, before: View) -> Iterator[tuple[str, str]]:
    """Symbol and sentence of each action that the step has let take effect."""
    tape, book = machine.tape, machine.book
    margins = {j: {n: float(x[n]) for n in MARGINS} for j, x in enumerate(before.instruments)}
    for action in tape.actions[before.actions : int(book.account[0]["actions"])]:
        j, value = int(action["instrument"]), float(action["value"])
        symbol, tick = machine.market.symbols[j], float(book.instruments[j]["tick_size"])
        kind = ActionKind(int(action["kind"]))
        if kind is ActionKind.SPLIT:
            yield symbol, f"{symbol} splits: {words.split_text(value)}"
        elif kind is ActionKind.DIVIDEND:
            yield symbol, f"{symbol} pays a dividend of {words.quantity(value)} for each contract"
        elif kind is ActionKind.ROLL:
            new = float(tape.open[action["bar"], j])
            yield (
                symbol,
                f"{symbol} rolls from {words.price_text(value, tick)} in the old contract to "
                f"{words.price_text(new, tick)} in the new one: order prices move by "
                f"{words.price_text(new - value, tick)}",
            )
        elif kind is ActionKind.DELISTING:
            yield symbol, f"{symbol} has no further bars: what is held closes at its last close"
        else:
            said = []
            for name in MARGINS:
                if not np.isnan(action[name]):
                    was, now = margins[j][name], float(action[name])
                    margins[j][name] = now
                    figure = words.quantity if name.endswith("rate") else words.money
                    said.append(f"{name.replace('_', ' ')} {figure(was)} becomes {figure(now)}")
            yield symbol, f"{symbol} has new margins: {', '.join(said)}"


def ledger_sentences(machine: Machine, before: View) -> Iterator[tuple[int, str]]:
    """Index of each line of the ledger that the step has written, and its sentence."""
    for n in range(before.ledger, int(machine.book.account[0]["ledger"])):
        yield n, ledger_text(machine, before, n)


def ledger_text(machine: Machine, before: View, index: int) -> str:
    """What moved cash without a fill, with the figures that it comes from."""
    book, tape = machine.book, machine.tape
    line = book.ledger[index]
    bar, j, amount = int(line["bar"]), int(line["instrument"]), float(line["amount"])
    kind, sum_ = LedgerKind(int(line["kind"])), words.money(abs(amount))
    symbol = machine.market.symbols[j] if j >= 0 else ""
    if kind is LedgerKind.DIVIDEND:
        return f"{symbol}: dividend {'received' if amount > 0 else 'paid'}, {sum_}"
    x = book.instruments[j]
    if kind is LedgerKind.SETTLEMENT:
        close = words.price_text(float(tape.close[bar, j]), float(x["tick_size"]))
        what = "profit goes to" if amount > 0 else "loss is taken from"
        return f"{symbol} is settled at its close {close}: the open {what} cash, {sum_}"
    nights = words.nights_text(int(tape.day[bar] - tape.day[bar - 1]))
    if kind is LedgerKind.INTEREST:
        account = book.account[0]
        rate = float(account["interest_rate"] if amount > 0 else account["debit_rate"])
        free = words.money(amount / rate * 365 / int(tape.day[bar] - tape.day[bar - 1]))
        how = f"{rate:g} a year for {nights} on a free cash of {free}"
        return f"interest {'received' if amount > 0 else 'paid'}, {sum_}: {how}"
    held = float(before.instruments[j]["carried"])
    what = f"{symbol}: {kind.word} {'received' if amount > 0 else 'paid'}, {sum_}: "
    if kind is LedgerKind.BORROW:
        close = words.price_text(float(tape.close[bar - 1, j]), float(x["tick_size"]))
        how = f"{x['borrow_rate']:g} a year for {nights} on {words.position_text(held)} at {close}"
    else:
        swap = words.quantity(x["swap_long" if held > 0 else "swap_short"])
        how = f"{swap} for each contract and night, {words.position_text(held)}, {nights}"
    return what + how
