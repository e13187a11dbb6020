"""What time does to an account: borrow cost, swap and interest by the night, and settlement.

Part of the slow second market; the numbers in brackets are sections of the fill model.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.oracles.naive_execution import Execution
from tests.oracles.naive_instrument import Instrument


@dataclass
class Evening:
    """What was held at the CLOSE of a timestamp; money of instruments in their currencies."""

    day: int
    cash: float
    held: dict[Instrument, float]  # signed quantity
    close: dict[Instrument, float]
    paid: dict[Instrument, float]  # for what is paid in full: long, and no money margin


def evening(market: Execution) -> Evening:
    held = market.account.held()
    return Evening(
        day=market.days[market.at],
        cash=market.account.cash,
        held={i: i.position.lots * i.lot for i in held},
        close={i: i.mark for i in held},
        paid={
            i: i.position.lots * i.lot * i.position.average * i.point_value
            for i in held
            if i.position.lots > 0 and i.initial_margin == 0
        },
    )


def accrue(market: Execution, before: Evening | None) -> None:
    """At the first timestamp of a trade date, for the nights since the one before (5)."""
    if before is None or market.days[market.at] == before.day:
        return
    nights = market.days[market.at] - before.day
    if nights > 1:
        market.notes["several nights at once"] += 1
    for i in market.instruments:
        quantity = before.held.get(i, 0)
        if quantity < 0:
            notional = -quantity * abs(before.close[i]) * i.point_value
            market.enter("borrow", i, -notional * i.borrow_rate * nights / 365 * i.rate)
            market.enter("swap", i, -quantity * i.swap_short * nights * i.rate)
        elif quantity > 0:
            market.enter("swap", i, quantity * i.swap_long * nights * i.rate)
    free = before.cash - sum(money * i.rate for i, money in before.paid.items())
    rate = market.interest_rate if free > 0 else market.debit_rate
    market.enter("interest", None, free * rate * nights / 365)


def is_last_of_session(market: Execution, instrument: Instrument) -> bool:
    """Whether the instrument has its last bar of the trade date here."""
    day = market.days[market.at]
    later = range(market.at + 1, market.length)
    return instrument.bars[market.at] is not None and not any(
        instrument.bars[n] for n in later if market.days[n] == day
    )


def settle(market: Execution) -> None:
    """Daily settlement: the open profit goes to cash, the position counts from here on (5)."""
    for i in market.account.held() if market.settles_daily else []:
        if i.initial_margin == 0 or not is_last_of_session(market, i):
            continue
        profit = i.open_profit(i.position, i.mark) * i.rate
        i.position = type(i.position)(i.position.lots, i.position.average, i.mark)
        market.enter("settlement", i, profit)
