"""Margin calls, and the closing of positions at the end of the data.

Part of the slow second market; the numbers in brackets are sections of the fill model.
"""

from __future__ import annotations

from tests.oracles.naive_account import Account
from tests.oracles.naive_execution import Execution
from tests.oracles.naive_instrument import Instrument
from tests.oracles.naive_orders import Order


def check_maintenance(market: Execution) -> None:
    """Cancel and close where the worst price of the bar leaves too little (2.9, 5)."""
    account = market.account
    (worst, gross), needed = (
        account.worst_equity(market.at),
        account.maintenance(market.instruments),
    )
    if not account.less(worst, needed, gross, "maintenance check"):
        return
    market.notes[f"margin call: {market.margin_call_closes}"] += 1
    for order in market.working():
        if order.role != "liquidation":
            order.end("cancelled")
    pending = {o.instrument for o in market.working()}
    if pending:
        market.notes["margin call while a liquidation is pending"] += 1
    left = [i for i in account.held() if i not in pending]
    while left:
        chosen = left[0]
        if market.margin_call_closes == "reduce":
            asked = account.maintenance(left)
            if not account.less(account.equity(), asked, account.gross(), "reduce"):
                market.notes["margin call reduced and kept something"] += 1
                return
            chosen = largest_requirement(account, left)
        left.remove(chosen)
        liquidate(market, chosen)


def largest_requirement(account: Account, instruments: list[Instrument]) -> Instrument:
    """The position with the largest maintenance requirement; of equals the first."""
    chosen = instruments[0]
    for i in instruments[1:]:
        least, most = account.maintenance([chosen]), account.maintenance([i])
        if account.less(least, most, account.gross(), "largest requirement"):
            chosen = i
    return chosen


def liquidate(market: Execution, instrument: Instrument) -> None:
    """Close at the close; without a bar at the next real open, ahead of everything."""
    order = closing_order(market, instrument, "liquidation")
    if instrument.bars[market.at]:
        market.execute(order, instrument.mark, standing=None, slips=True)
        if order.works:
            market.notes["liquidation pending for want of volume"] += 1
    else:
        market.notes["liquidation pending"] += 1


def closing_order(market: Execution, instrument: Instrument, role: str) -> Order:
    lots = instrument.position.lots
    order = Order(
        id=role,
        number=len(market.orders),
        instrument=instrument,
        side=-1 if lots > 0 else 1,
        lots=abs(lots),
        type="liquidation",
        role=role,
    )
    market.orders.append(order)
    return order


def close_everything(market: Execution) -> None:
    """`close_at_end`: nothing works on, every position closes at its last close (6)."""
    for order in market.working():
        order.end("cancelled")
    for i in market.instruments:
        if i.position.lots:
            carried = "" if i.bars[market.at] else " at a carried close"
            market.notes[f"closed at the end{carried}"] += 1
            order = closing_order(market, i, "end_of_data")
            market.execute(order, i.mark, standing=None, slips=True)
