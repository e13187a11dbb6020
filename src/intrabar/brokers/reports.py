"""Facts as reports of a machine: REPORT records, (1,), for `Machine.report`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.brokers.tickets import Booking, State, Terms, Ticket
from intrabar.model.enums import LedgerKind, OrderStatus, Reject
from intrabar.sim import state

ENDS = {
    State.CANCELLED: (OrderStatus.CANCELLED, Reject.NONE),
    State.EXPIRED: (OrderStatus.EXPIRED, Reject.NONE),
    State.REJECTED: (OrderStatus.REJECTED, Reject.BROKER),
    State.LOST: (OrderStatus.REJECTED, Reject.LOST),
    State.REFUSED: (OrderStatus.REJECTED, Reject.RISK),
}
_UNSAID = ("cost", "limit_price", "stop_price", "stop_loss", "take_profit")


def _blank(kind: int) -> NDArray[Any]:
    report = np.zeros(1, state.REPORT)
    report["kind"], report["id"] = kind, -1
    for field in _UNSAID:
        report[field] = math.nan
    return report


def booked(
    ticket: Ticket, booking: Booking, place: tuple[int, int, int], point_value: float
) -> NDArray[Any]:
    """A fill of an order, or what puts one right.

    Parameters
    ----------
    place : numbers of order, strategy and instrument
    """
    report = _blank(state.FIX if booking.is_fix else state.FILLED_OUTSIDE)
    report["id"], report["strategy"], report["instrument"] = place
    report["side"] = ticket.side if booking.qty >= 0.0 else -ticket.side
    report["qty"], report["price"], report["cost"] = abs(booking.qty), booking.price, booking.cost
    report["stop_loss"], report["take_profit"] = ticket.stop_loss, ticket.take_profit
    report["amount"] = -ticket.side * booking.of_qty * booking.price_change * point_value
    if booking.is_fix and math.isfinite(booking.cost):
        report["amount"] -= booking.cost
    return report


def foreign(side: int, qty: float, price: float, place: tuple[int, int]) -> NDArray[Any]:
    """A fill of nobody's order; `place`: numbers of strategy and instrument."""
    report = _blank(state.FILLED_OUTSIDE)
    report["strategy"], report["instrument"] = place
    report["side"], report["qty"], report["price"] = side, qty, price
    return report


def transfer(amount: float, instrument: int) -> NDArray[Any]:
    """Money that came or went; `instrument` -1 where it belongs to none."""
    report = _blank(state.CASH)
    report["line"], report["amount"], report["strategy"] = LedgerKind.TRANSFER, amount, -1
    report["instrument"] = instrument
    return report


def ended(order: int, how: State, wished: bool) -> NDArray[Any]:
    """An order is over at the broker; `wished`: a strategy or a person has cancelled it."""
    report = _blank(state.DONE)
    report["id"], report["wished"] = order, wished
    report["status"], report["reject"] = ENDS[how]
    return report


def changed(order: int, terms: Terms) -> NDArray[Any]:
    """What an order is at the broker."""
    report = _blank(state.SET)
    report["id"], report["qty"] = order, terms.qty
    report["limit_price"], report["stop_price"] = terms.limit_price, terms.stop_price
    return report
