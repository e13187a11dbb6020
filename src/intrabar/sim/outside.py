"""Facts from outside: fills, ends and changes of orders, and money, as a broker reports them.

Where the account trades outside, nothing fills here; this is the only way in. What a fill does is
what it does everywhere: `move_position`, `book_fill`, `after_fill`. What happened, happened: no
quantity, price or margin is judged.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intrabar.kernel import code, kernel
from intrabar.model.enums import FillReason, LedgerKind, OrderStatus, Phase
from intrabar.sim.costs import cost_of, in_lots, lots_down, rates_of
from intrabar.sim.execute import after_fill, book_fill, move_position, record
from intrabar.sim.margin import worth_at_marks
from intrabar.sim.nights import enter
from intrabar.sim.orders import (
    PARTIALLY_FILLED,
    ROLE_TARGET,
    WORKING,
    find,
    finish,
    note_level,
    show_level,
    sleeve_of,
)
from intrabar.sim.state import (
    CASH,
    DONE,
    FILLED_OUTSIDE,
    FIX,
    STEP_CLOSE,
    STEP_INTRABAR,
    Book,
    Tape,
)

BY_OUTSIDE = code(FillReason.OUTSIDE)
COST = code(LedgerKind.COST)
OPEN, INTRABAR = code(Phase.OPEN), code(Phase.INTRABAR)
FILLED = code(OrderStatus.FILLED)
NO_ROW = code(-1)


@kernel
def take_reports(book: Book, tape: Tape) -> None:
    """Take what is reported, in order, in the present bar; one that is valued is valued anew."""
    account = book.account[0]
    for r in range(account.reports):
        report = book.reports[r]
        report.phase = OPEN if account.step <= STEP_INTRABAR else INTRABAR
        if report.kind == FILLED_OUTSIDE:
            take_fill(book, report)
        elif report.kind == FIX:
            fix(book, report)
        elif report.kind == DONE:
            end(book, report)
        elif report.kind == CASH:
            enter(book, report.line, report.strategy, report.instrument, report.amount)
        else:
            set_order(book, report)
    account.reports = 0
    account.free = np.nan
    if account.step > STEP_CLOSE:
        account.equity, _ = worth_at_marks(book)
        tape.equity[account.bar] = account.equity


@kernel
def take_fill(book: Book, report: Any) -> None:
    """Book a fill: on its order as far as that has something left, what is beyond it loose."""
    instrument = book.instruments[report.instrument]
    cost = report.cost
    if math.isnan(cost):
        per_contract, rate = rates_of(instrument, book.tiers, False)
        cost = cost_of(instrument, report.qty, report.price, per_contract, rate)
    asked = in_lots(report.qty, instrument.lot)
    k = find(book, report.id)
    rest = 0.0
    if k >= 0:
        rest = lots_down(book.orders[k].qty - book.orders[k].filled, instrument.lot)
    qty = min(asked, rest)
    if qty > 0.0:
        sleeve = sleeve_of(book, report)
        held, signed, price = sleeve.qty, report.side * qty, report.price
        realized = move_position(book.account[0], instrument, sleeve, signed, price, cost)
        ends = qty == rest
        phase = report.phase
        book_fill(book, k, held, qty, price, cost, realized, ends, phase, np.nan, np.nan)
        cost = 0.0
    if asked > qty:
        book_loose(book, report, in_lots(asked - qty, instrument.lot), cost)


@kernel
def book_loose(book: Book, report: Any, qty: float, cost: float) -> None:
    """Book a fill that no working order asked for; what its order asked for protects it."""
    instrument, sleeve = book.instruments[report.instrument], sleeve_of(book, report)
    held, signed, price = sleeve.qty, report.side * qty, report.price
    realized = move_position(book.account[0], instrument, sleeve, signed, price, cost)
    instrument.traded += qty
    x = record(book, report.strategy, report.instrument, report.side, report.phase, BY_OUTSIDE)
    x.qty = qty
    x.price = price
    x.cost = cost
    x.realized = realized
    after_fill(book, report, NO_ROW, held, qty, report.phase, True)


@kernel
def fix(book: Book, report: Any) -> None:
    """Put a fill right: the difference in quantity moves the position, that in price is a cost."""
    if report.qty > 0.0:
        report.stop_loss = np.nan
        report.take_profit = np.nan
        book_loose(book, report, report.qty, 0.0)
        k = find(book, report.id)
        if k >= 0:
            order, lot = book.orders[k], book.instruments[report.instrument].lot
            change = report.qty if report.side == order.side else -report.qty
            order.filled = max(0.0, in_lots(order.filled + change, lot))
            if lots_down(order.qty - order.filled, lot) < lot:
                finish(book, k, FILLED, 0)
            else:
                order.status = PARTIALLY_FILLED if order.filled > 0.0 else WORKING
    if report.amount != 0.0:
        enter(book, COST, report.strategy, report.instrument, report.amount)


@kernel
def end(book: Book, report: Any) -> None:
    """End an order; a stop or target that nobody has cancelled works on while it is needed."""
    k = find(book, report.id)
    if k < 0:
        return
    order = book.orders[k]
    is_needed = order.role <= ROLE_TARGET and sleeve_of(book, order).qty != 0.0
    if report.wished or not is_needed:
        finish(book, k, report.status, report.reject)


@kernel
def set_order(book: Book, report: Any) -> None:
    """Let an order be what the broker says that it is; NaN leaves a value alone."""
    k = find(book, report.id)
    if k < 0:
        return
    order = book.orders[k]
    if not math.isnan(report.qty):
        order.qty = report.qty
    if not math.isnan(report.limit_price):
        order.limit_price = report.limit_price
    if not math.isnan(report.stop_price):
        order.stop_price = report.stop_price
    if order.role <= ROLE_TARGET:
        show_level(book, order)
        note_level(book, order.strategy, order.instrument)
