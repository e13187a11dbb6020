"""What the account is worth and what it must hold (fill model, section 5).

Margin is asked on the net position of an instrument, over all strategies.
"""

from __future__ import annotations

import math

import numpy as np

from intrabar.kernel import inlined, kernel
from intrabar.sim.state import Book

OF_THE_LARGER = 1e-9  # two amounts of money this near are one: rounding must not decide


@kernel
def falls_short(amount: float, needed: float, gross: float) -> bool:
    """Whether an amount of money is less than another, and not equal to it.

    Equal is within 1e-9 of the larger one, `gross` included: the worth of all that is held, of
    which both were summed (fill model, section 3).
    """
    return needed - amount > OF_THE_LARGER * max(abs(amount), abs(needed), gross)


@inlined
def net_position(book: Book, j: int) -> float:
    """Signed quantity of instrument `j` over all strategies."""
    n = book.instruments.shape[0]
    net = 0.0
    for k in range(j, book.sleeves.shape[0], n):
        net += book.sleeves[k].qty
    return net


@inlined
def open_profit(book: Book, j: int, price: float) -> float:
    """Profit of the open positions in instrument `j` at a price, account currency."""
    n = book.instruments.shape[0]
    profit = 0.0
    for k in range(j, book.sleeves.shape[0], n):
        qty = book.sleeves[k].qty
        if qty != 0.0:
            profit += qty * (price - book.sleeves[k].basis) * book.instruments[j].point_value
    return profit


@kernel
def initial_margin(book: Book, j: int, qty: float, price: float) -> float:
    """Initial margin of a net position of `qty` at a price, account currency."""
    x = book.instruments[j]
    rate = (
        max(x.initial_margin_rate, 1.0) if book.account[0].cash_account else x.initial_margin_rate
    )
    return abs(qty) * (x.initial_margin * x.fx + rate * abs(price) * x.point_value)


@kernel
def maintenance_margin(book: Book, j: int, qty: float, price: float) -> float:
    """Maintenance margin of a net position of `qty` at a price, account currency."""
    x = book.instruments[j]
    return abs(qty) * (
        x.maintenance_margin * x.fx + x.maintenance_margin_rate * abs(price) * x.point_value
    )


@inlined
def gross_at(book: Book, j: int, price: float) -> float:
    """Worth of what all strategies hold in instrument `j` at a price, longs and shorts added."""
    held = 0.0
    for k in range(j, book.sleeves.shape[0], book.instruments.shape[0]):
        held += abs(book.sleeves[k].qty)
    return held * abs(price) * book.instruments[j].point_value if held > 0.0 else 0.0


@inlined
def is_ruined(equity: float, gross: float) -> bool:
    """Whether an equity is 0 or less; one that is equal to 0 is."""
    return equity <= OF_THE_LARGER * gross


@kernel
def gross_at_marks(book: Book) -> float:
    """Worth of all that is held at the present marks."""
    gross = 0.0
    if book.account[0].open_sleeves > 0:
        for j in range(book.instruments.shape[0]):
            gross += gross_at(book, j, book.instruments[j].mark)
    return gross


@inlined
def equity_at_marks(book: Book) -> float:
    """Cash and open profit at the present marks."""
    equity = book.account[0].cash
    if book.account[0].open_sleeves > 0:
        for j in range(book.instruments.shape[0]):
            equity += open_profit(book, j, book.instruments[j].mark)
    return equity


@inlined
def worth_at_marks(book: Book) -> tuple[float, float]:
    """`equity_at_marks` and `gross_at_marks`, looking at each position once."""
    equity, gross = book.account[0].cash, 0.0
    if book.account[0].open_sleeves > 0:
        n = book.instruments.shape[0]
        for j in range(n):
            x, profit, held = book.instruments[j], 0.0, 0.0
            for k in range(j, book.sleeves.shape[0], n):
                qty = book.sleeves[k].qty
                if qty != 0.0:
                    profit += qty * (x.mark - book.sleeves[k].basis) * x.point_value
                    held += abs(qty)
            equity += profit
            if held > 0.0:
                gross += held * abs(x.mark) * x.point_value
    return equity, gross


@inlined
def stake(book: Book, j: int, price: float) -> tuple[float, float]:
    """Open profit and initial margin of one instrument at a price, account currency."""
    net = net_position(book, j)
    required = initial_margin(book, j, net, price) if net != 0.0 else 0.0
    return open_profit(book, j, price), required


@kernel
def free_of_others(book: Book, j: int) -> float:
    """What the other instruments leave free at their marks, about; NaN where there are none.

    Summing over all instruments at each fill would make the cost of a run grow with their square.
    So the sum is made at the first fill after the marks have changed, and carried on from fill to
    fill (`count_free`). It only saves work: near the limit `is_covered` sums exactly.
    """
    n, account = book.instruments.shape[0], book.account[0]
    if n == 1:
        return np.nan
    if math.isnan(account.free):
        account.free, account.free_scale = account.cash, abs(account.cash)
        for other in range(n):
            profit, required = stake(book, other, book.instruments[other].mark)
            account.free += profit - required
            account.free_scale += abs(profit) + required
    profit, required = stake(book, j, book.instruments[j].mark)
    return account.free - account.cash - (profit - required)


@kernel
def count_free(book: Book, j: int, others: float) -> None:
    """Carry the free equity on after a fill in one instrument."""
    account = book.account[0]
    if not math.isnan(others):
        profit, required = stake(book, j, book.instruments[j].mark)
        account.free = account.cash + others + profit - required
        account.free_scale += abs(account.cash) + abs(profit) + required


@inlined
def is_covered(book: Book, j: int, price: float, others: float) -> bool:
    """Whether equity covers the initial margin of all positions as they stand.

    Instrument `j` is marked at `price` (that of the fill just made), the others at their present
    marks. Equality passes. `others` is what those leave free, where it is known.
    """
    account = book.account[0]
    profit, required = stake(book, j, price)
    if account.cash + others + profit - required > OF_THE_LARGER * account.free_scale:
        return True
    equity = account.cash
    required = 0.0
    for other in range(book.instruments.shape[0]):
        mark = price if other == j else book.instruments[other].mark
        profit, asked = stake(book, other, mark)
        equity += profit
        required += asked
    if required <= equity:
        return True
    gross = 0.0
    for other in range(book.instruments.shape[0]):
        gross += gross_at(book, other, price if other == j else book.instruments[other].mark)
    return not falls_short(equity, required, gross)
