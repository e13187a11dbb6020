"""What changes before an OPEN without an order: splits, dividends, margins, rolls, delistings.

Prices are traded raw, so positions and orders follow the price (fill model, section 5).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intrabar.kernel import code, kernel
from intrabar.model.enums import ActionKind, FillReason, LedgerKind, Phase
from intrabar.sim.close import END_OF_DATA, close_order
from intrabar.sim.costs import OF_A_LOT, cost_of, in_lots, lots_down, rates_of, slipped
from intrabar.sim.execute import SLIPS, count_open, execute, move_position, record
from intrabar.sim.nights import enter
from intrabar.sim.orders import (
    CANCELLED,
    LIQUIDATION,
    NONE,
    ROLE_TARGET,
    cancel_all,
    cancel_protective,
    finish,
    on_grid,
    show_level,
    sleeve_of,
)
from intrabar.sim.state import Book, Tape

SPLIT, DIVIDEND = int(ActionKind.SPLIT), int(ActionKind.DIVIDEND)
MARGIN, DELISTING = int(ActionKind.MARGIN), int(ActionKind.DELISTING)
PAID = code(LedgerKind.DIVIDEND)
BY_SPLIT, BY_ROLL = code(FillReason.SPLIT), code(FillReason.ROLL)
PHASE = code(Phase.OPEN)
NO_ROW = code(-1)


@kernel
def act(book: Book, tape: Tape, i: int) -> None:
    """Let the actions of a bar take effect, in the order in which they are given."""
    account = book.account[0]
    while account.actions < tape.actions.shape[0] and tape.actions[account.actions].bar <= i:
        action = tape.actions[account.actions]
        account.actions += 1
        j = action.instrument
        if action.kind == SPLIT:
            split(book, j, action.value, tape.open[i, j])
        elif action.kind == MARGIN:
            set_margins(book.instruments[j], action)
        elif account.outside:
            continue  # what it paid or closed, the broker reports
        elif action.kind == DIVIDEND:
            pay_dividend(book, j, action.value)
        elif action.kind == DELISTING:
            delist(book, j)
        else:
            roll(book, j, action.value, tape.open[i, j])


@kernel
def set_margins(instrument: Any, action: Any) -> None:
    """Give an instrument new margins; NaN leaves one alone."""
    if not math.isnan(action.initial_margin):
        instrument.initial_margin = action.initial_margin
    if not math.isnan(action.maintenance_margin):
        instrument.maintenance_margin = action.maintenance_margin
    if not math.isnan(action.initial_margin_rate):
        instrument.initial_margin_rate = action.initial_margin_rate
    if not math.isnan(action.maintenance_margin_rate):
        instrument.maintenance_margin_rate = action.maintenance_margin_rate


@kernel
def pay_dividend(book: Book, j: int, amount: float) -> None:
    """Pay every long position of an instrument, and charge every short one."""
    n = book.instruments.shape[0]
    for k in range(j, book.sleeves.shape[0], n):
        if book.sleeves[k].qty != 0.0:
            paid = book.sleeves[k].qty * amount * book.instruments[j].point_value
            enter(book, PAID, k // n, j, paid)


@kernel
def split(book: Book, j: int, ratio: float, open_: float) -> None:
    """Multiply quantities, divide prices; what is no whole lot of a position goes at the open."""
    n = book.instruments.shape[0]
    lot = book.instruments[j].lot
    k = book.instruments[j].head
    while k >= 0:
        order = book.orders[k]
        after = order.next
        order.qty = lots_down(order.qty * ratio, lot)
        order.filled *= ratio
        nothing_left = lots_down(order.qty - order.filled, lot) < lot
        rescale(book, k, ratio, 0.0, nothing_left and order.role != LIQUIDATION)
        k = after
    for s in range(j, book.sleeves.shape[0], n):
        sleeve = book.sleeves[s]
        if sleeve.qty == 0.0:
            continue
        held = sleeve.qty * ratio
        sleeve.qty = held
        sleeve.avg /= ratio
        sleeve.basis /= ratio
        x = record(book, s // n, j, 1 if held > 0.0 else -1, PHASE, BY_SPLIT)
        x.qty = 0.0
        x.price = ratio
        x.position = held
        whole = math.copysign(lots_down(abs(held), lot), held)
        if abs(held) - abs(whole) > OF_A_LOT * lot:
            sell_fraction(book, s, held - whole, open_)
        sleeve.qty = in_lots(whole, lot)
    k = book.instruments[j].head
    while k >= 0:
        order = book.orders[k]
        after = order.next
        if order.role == LIQUIDATION:  # it is for the whole position, whatever that is now
            left = abs(sleeve_of(book, order).qty)
            order.qty = order.filled + left
            if left == 0.0:
                finish(book, k, CANCELLED, NONE)
        k = after


@kernel
def sell_fraction(book: Book, s: int, fraction: float, open_: float) -> None:
    """Close the signed part of a position that a split leaves beside whole lots."""
    n = book.instruments.shape[0]
    j, sleeve, account = s % n, book.sleeves[s], book.account[0]
    instrument = book.instruments[j]
    realized = fraction * (open_ - sleeve.avg) * instrument.point_value
    account.cash += fraction * (open_ - sleeve.basis) * instrument.point_value
    sleeve.qty = in_lots(sleeve.qty - fraction, instrument.lot)
    instrument.traded += abs(fraction)
    x = record(book, s // n, j, -1 if fraction > 0.0 else 1, PHASE, BY_SPLIT)
    x.qty = abs(fraction)
    x.price = open_
    x.realized = realized
    if sleeve.qty == 0.0:
        sleeve.avg = 0.0
        sleeve.basis = 0.0
        sleeve.stop = np.nan
        sleeve.target = np.nan
        cancel_protective(book, s // n, j, NO_ROW)
        count_open(book, s // n, -1)


@kernel
def rescale(book: Book, k: int, ratio: float, shift: float, is_over: bool) -> None:
    """Give the prices of a working order their new scale; cancel one that cannot go on."""
    order = book.orders[k]
    order.limit_price = order.limit_price / ratio + shift
    order.stop_price = order.stop_price / ratio + shift
    order.stop_loss = order.stop_loss / ratio + shift
    order.take_profit = order.take_profit / ratio + shift
    order.trail /= ratio
    if is_over or not on_grid(order, book.instruments[order.instrument].tick_size):
        finish(book, k, CANCELLED, NONE)
    elif order.role <= ROLE_TARGET:
        show_level(book, order)


@kernel
def roll(book: Book, j: int, old: float, new: float) -> None:
    """Close every position in the old contract and open it in the new one; shift the orders."""
    n = book.instruments.shape[0]
    k = book.instruments[j].head
    while k >= 0:
        after = book.orders[k].next
        rescale(book, k, 1.0, new - old, False)
        k = after
    for s in range(j, book.sleeves.shape[0], n):
        held = book.sleeves[s].qty
        if held != 0.0:
            trade_roll(book, s, -held, old)
            x = trade_roll(book, s, held, new)
            x.stop = book.sleeves[s].stop
            x.target = book.sleeves[s].target


@kernel
def delist(book: Book, j: int) -> None:
    """Cancel every order of an instrument without further bars; close it at its last close.

    The close is slipped, as at the end of the data.
    """
    cancel_all(book, j, True)
    close = book.instruments[j].mark
    for s in range(j, book.sleeves.shape[0], book.instruments.shape[0]):
        if book.sleeves[s].qty != 0.0:
            k = close_order(book, s, END_OF_DATA, PHASE)
            execute(book, k, close, SLIPS, close, PHASE, np.nan, np.nan)


@kernel
def trade_roll(book: Book, s: int, signed: float, market: float) -> Any:
    """One leg of a roll: a fill that asks neither margin nor volume."""
    n = book.instruments.shape[0]
    j, sleeve = s % n, book.sleeves[s]
    instrument = book.instruments[j]
    qty = abs(signed)
    side = 1 if signed > 0.0 else -1
    price = slipped(instrument, side, market, qty)
    per_contract, rate = rates_of(instrument, book.tiers, False)
    cost = cost_of(instrument, qty, price, per_contract, rate)
    realized = move_position(book.account[0], instrument, sleeve, signed, price, cost)
    instrument.traded += qty
    x = record(book, s // n, j, side, PHASE, BY_ROLL)
    x.qty = qty
    x.price = price
    x.cost = cost
    x.realized = realized
    return x
