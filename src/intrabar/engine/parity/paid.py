"""How late decisions came, and the slippage that was paid beside the one that is modelled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from intrabar.engine.parity.money import AT_THEIR_PRICE, NO_ORDER, OrderLine, Prices, Scaled
from intrabar.engine.parity.traded import OUTSIDE
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.row import row_of
from intrabar.model.entry import Entry

BESIDE_TICKS = ("slippage_pct", "slippage_volatility", "slippage_impact")
"""What else an instrument may slip by."""


class Latency(NamedTuple):
    """Seconds from the close of a bar to the turn that decided on it.

    Parameters
    ----------
    rows : int
    median, p90, longest : seconds
    late : int
        Rows whose entries were refused because they came too late.
    """

    rows: int
    median: float
    p90: float
    longest: float
    late: int


class Slippage(NamedTuple):
    """Of the market and stop orders in a symbol.

    Parameters
    ----------
    symbol : str
    fills : int
    modelled, paid : ticks a contract, by quantity; NaN where the instrument has no tick
    modelled_money, paid_money : account currency
    now : ticks
        `slippage_ticks` of the instrument.
    proposal : ticks or None
        What `slippage_ticks` would have had to be, rounded up to a tenth, with what the instrument
        slips by beside it as it is; None where it fits, or where there is no tick.
    """

    symbol: str
    fills: int
    modelled: float
    paid: float
    modelled_money: float
    paid_money: float
    now: float
    proposal: float | None


def slippage_of(plan: Plan, prices: Prices, lines: Sequence[OrderLine]) -> list[Slippage]:
    """Of each symbol in which a market or a stop order was filled."""
    made = []
    for instrument in plan.instruments:
        of_it = [line for line in lines if line.symbol == instrument.symbol]
        ours = [x for line in of_it for x in line.fills if _slips(line, x)]
        theirs = [x for line in of_it for x in line.twin_fills if _slips(line, x)]
        if not ours:
            continue
        worth, tick = prices.worth[instrument.symbol], instrument.tick_size
        paid, modelled = (
            math.fsum(x.fill.side * (x.price - x.model) * x.qty for x in fills)
            for fills in (ours, theirs)
        )
        in_ticks = _each(modelled, theirs, tick), _each(paid, ours, tick)
        money = modelled * worth, paid * worth
        now = instrument.slippage_ticks
        beside = any(getattr(instrument, name) for name in BESIDE_TICKS)
        proposal = _proposal(*in_ticks, now if beside else None)
        made.append(Slippage(instrument.symbol, len(ours), *in_ticks, *money, now, proposal))
    return made


def latency_of(entries: Sequence[Entry]) -> Latency | None:
    """Of the rows that a session ran; None where there are none."""
    seconds, late = [], 0
    for entry in entries:
        if entry.kind == "row.closed":
            row = row_of(entry.body)
            seconds.append((entry.at - row.time) / 1e9)
            late += row.late
    if not seconds:
        return None
    median, p90, longest = np.quantile(seconds, [0.5, 0.9, 1.0]).tolist()
    return Latency(len(seconds), median, p90, longest, late)


def _slips(line: OrderLine, one: Scaled) -> bool:
    return one.fill.reason not in (*NO_ORDER, OUTSIDE) and line.type not in AT_THEIR_PRICE


def _each(sum_: float, fills: Sequence[Scaled], tick: float) -> float:
    """Ticks a contract."""
    qty = math.fsum(x.qty for x in fills)
    return sum_ / qty / tick if qty and tick else math.nan


def _proposal(modelled: float, paid: float, now: float | None) -> float | None:
    """Ticks, of which there are `now` where the model slips by something else too."""
    if math.isnan(paid) or abs(paid - modelled) <= 1e-9 * max(1.0, abs(paid)):
        return None
    wanted = paid if now is None else now + paid - modelled
    if math.isnan(wanted):
        return None  # the twin has no fill that would tell what else it slips by
    return max(0.0, math.ceil(10.0 * wanted - 1e-9) / 10.0)
