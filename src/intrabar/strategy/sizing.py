"""How much to buy or sell: by the risk to a stop, or by a fraction of the equity; compiled."""

from __future__ import annotations

from typing import Any

from intrabar.kernel import inlined, kernel
from intrabar.sim.costs import lots_down, round_down, round_up, slipped
from intrabar.sim.state import Book


@kernel
def margin_of_one(account: Any, x: Any, price: float) -> float:
    """Initial margin of one contract of an instrument at a price, account currency."""
    rate = max(x.initial_margin_rate, 1.0) if account.cash_account else x.initial_margin_rate
    return x.initial_margin * x.fx + rate * abs(price) * x.point_value


@kernel
def margin_in_use(book: Book) -> float:
    """Initial margin of all positions at the present marks, account currency."""
    account, instruments, sleeves = book.account[0], book.instruments, book.sleeves
    n = instruments.shape[0]
    used = 0.0
    if account.open_sleeves == 0:
        return used
    for j in range(n):
        net = 0.0
        for k in range(j, sleeves.shape[0], n):
            net += sleeves[k].qty
        if net != 0.0:
            used += abs(net) * margin_of_one(account, instruments[j], instruments[j].mark)
    return used


@inlined
def risk_of_one(x: Any, side: int, price: float, stop: float, slips: bool) -> float:
    """What one contract of an instrument loses at its stop, costs included, account currency."""
    placed = round_down(stop, x.tick_size) if side > 0 else round_up(stop, x.tick_size)
    # The impact of a quantity that is not known yet is left out.
    entry_fill = slipped(x, side, price, 0.0) if slips else price
    stop_fill = slipped(x, -side, placed, 0.0)
    commissions = 2.0 * x.commission_per_contract * x.fx + x.commission_rate * x.point_value * (
        abs(entry_fill) + abs(stop_fill)
    )
    return side * (entry_fill - stop_fill) * x.point_value + commissions


@inlined
def size_for_risk(
    book: Book, j: int, side: int, price: float, stop: float, risk_fraction: float, slips: bool
) -> float:
    """How much to buy or sell so that the stop costs a fraction of the equity.

    `risk_per_unit = |entry - stop| * point_value + slippage of entry and stop + commissions of
    both`, then at most what the equity that is free covers in initial margin (fill model, section
    7). `price` is the last close, the best guess of the entry, or that of a resting order, which
    does not slip where it is a limit; the stop counts where the order will lie, on the tick, and
    each commission at its slipped price.

    Returns
    -------
    float
        Whole lots; 0 where the risk is too small for one, negative where the margin is.
    """
    account, x = book.account[0], book.instruments[j]
    risk = risk_of_one(x, side, price, stop, slips)
    at_risk = account.equity * risk_fraction - 2.0 * x.fee_per_trade * x.fx
    if not risk > 0.0:
        return 0.0
    return within_margin(book, j, lots_down(at_risk / risk, x.lot), price)


@inlined
def size_of_equity(book: Book, j: int, price: float, fraction: float) -> float:
    """How much is worth a fraction of the equity at a price; returns as `size_for_risk`."""
    account, x = book.account[0], book.instruments[j]
    if not price > 0.0:
        return 0.0
    qty = lots_down(fraction * account.equity / (price * x.point_value), x.lot)
    return within_margin(book, j, qty, price)


@inlined
def within_margin(book: Book, j: int, qty: float, price: float) -> float:
    """A quantity, or what the equity that is free covers in initial margin, if that is less."""
    account, x = book.account[0], book.instruments[j]
    margin = margin_of_one(account, x, price)
    if qty > 0.0 and margin > 0.0:
        most = lots_down((account.equity - margin_in_use(book)) / margin, x.lot)
        if most < x.lot:
            return -1.0
        qty = min(qty, most)
    return max(qty, 0.0)
