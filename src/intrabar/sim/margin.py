"""What the account is worth and what it must hold (fill model, section 5).

Margin is asked on the net position of an instrument, over all strategies.
"""

from __future__ import annotations

from intrabar.kernel import kernel
from intrabar.sim.state import Book


@kernel
def net_position(book: Book, j: int) -> float:
    """Signed quantity of instrument `j` over all strategies."""
    n = book.instruments.shape[0]
    net = 0.0
    for k in range(j, book.sleeves.shape[0], n):
        net += book.sleeves[k].qty
    return net


@kernel
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


@kernel
def equity_at_marks(book: Book) -> float:
    """Cash and open profit at the present marks."""
    equity = book.account[0].cash
    if book.account[0].open_sleeves > 0:
        for j in range(book.instruments.shape[0]):
            equity += open_profit(book, j, book.instruments[j].mark)
    return equity


@kernel
def is_covered(book: Book, j: int, price: float) -> bool:
    """Whether equity covers the initial margin of all positions as they stand.

    Instrument `j` is marked at `price` (that of the fill just made), the others at their present
    marks. Equality passes.
    """
    equity = book.account[0].cash
    required = 0.0
    for other in range(book.instruments.shape[0]):
        net = net_position(book, other)
        mark = price if other == j else book.instruments[other].mark
        equity += open_profit(book, other, mark)
        if net != 0.0:
            required += initial_margin(book, other, net, mark)
    return required <= equity
