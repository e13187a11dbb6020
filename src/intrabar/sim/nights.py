"""What moves cash without a fill at a CLOSE: borrow, swap, interest, and daily settlement.

A night is a step from one trade date to the next (fill model, section 5, Nights and Futures).
"""

from __future__ import annotations

from intrabar.kernel import code, kernel
from intrabar.model.enums import LedgerKind
from intrabar.sim.margin import net_position
from intrabar.sim.state import Book, Tape

BORROW, SWAP = code(LedgerKind.BORROW), code(LedgerKind.SWAP)
INTEREST, SETTLEMENT = code(LedgerKind.INTEREST), code(LedgerKind.SETTLEMENT)
DAYS = 365.0  # a year


@kernel
def enter(book: Book, kind: int, strategy: int, j: int, amount: float) -> None:
    """Move cash, and write the line of the ledger that says why."""
    account = book.account[0]
    account.cash += amount
    line = book.ledger[account.ledger]
    line.bar = account.bar
    line.fills = account.fills
    line.amount = amount
    line.cash = account.cash
    line.strategy = strategy
    line.instrument = j
    line.kind = kind
    account.ledger += 1


@kernel
def accrue(book: Book, tape: Tape, i: int) -> None:
    """Charge what was carried over the nights before this bar; note what is carried on."""
    account = book.account[0]
    n = book.instruments.shape[0]
    nights = tape.day[i] - tape.day[i - 1] if i > 0 else 0
    if nights > 0:
        for j in range(n):
            if book.instruments[j].carried != 0.0:
                charge_position(book, j, tape.close[i - 1, j], float(nights))
        rate = account.interest_rate if account.free_cash > 0.0 else account.debit_rate
        interest = account.free_cash * rate * nights / DAYS
        if interest != 0.0:
            enter(book, INTEREST, -1, -1, interest)
    free = account.cash
    for j in range(n):
        x = book.instruments[j]
        x.carried = net_position(book, j)
        if x.initial_margin == 0.0:
            for k in range(j, book.sleeves.shape[0], n):
                if book.sleeves[k].qty > 0.0:
                    free -= book.sleeves[k].qty * book.sleeves[k].avg * x.point_value
    account.free_cash = free


@kernel
def charge_position(book: Book, j: int, close: float, nights: float) -> None:
    """Borrow cost and swap of what was carried in one instrument."""
    x = book.instruments[j]
    if x.carried < 0.0 and x.borrow_rate > 0.0:
        worth = -x.carried * abs(close) * x.point_value
        enter(book, BORROW, -1, j, -worth * x.borrow_rate * nights / DAYS)
    swap = x.swap_long if x.carried > 0.0 else x.swap_short
    if swap != 0.0:
        enter(book, SWAP, -1, j, abs(x.carried) * swap * x.fx * nights)


@kernel
def settle(book: Book, tape: Tape, i: int) -> None:
    """Move the open profit of futures to cash at the end of their session."""
    n = book.instruments.shape[0]
    for j in range(n):
        x = book.instruments[j]
        if not tape.session_end[i, j] or x.initial_margin == 0.0:
            continue
        close = tape.close[i, j]
        for k in range(j, book.sleeves.shape[0], n):
            sleeve = book.sleeves[k]
            if sleeve.qty != 0.0 and close != sleeve.basis:
                profit = sleeve.qty * (close - sleeve.basis) * x.point_value
                sleeve.basis = close
                enter(book, SETTLEMENT, k // n, j, profit)
