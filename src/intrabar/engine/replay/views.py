"""What can be known where a replay stands: bars, orders and positions, copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.run import Run
from intrabar.model.enums import OrderType, Role, RunStatus, Side, TimeInForce
from intrabar.model.event import Step
from intrabar.strategy.desk import Position

# The step from which on a value of the present bar is known.
KNOWN_FROM = {
    "open": Step.ON_OPEN,
    "high": Step.NOTICES,
    "low": Step.NOTICES,
    "close": Step.LATE_NOTICES,
    "volume": Step.LATE_NOTICES,
}


class BarsSoFar(NamedTuple):
    """Columns of one instrument, oldest bar first; NaN where a value is not known yet."""

    time: NDArray[np.int64]  # ns since 1970 UTC, of the close
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WorkingOrder:
    """An order that stands in the market; NaN for a price that its type does not have."""

    order: int
    parent: int
    strategy: str
    symbol: str
    role: Role
    side: Side
    type: OrderType
    tif: TimeInForce
    qty: float
    filled: float
    limit_price: float
    stop_price: float


def bars_so_far(run: Run, column: int, step: int, last: int | None) -> BarsSoFar:
    """The bars up to where a run stands, the present one as far as it is known before a step."""
    market, bar = run.setup.market, run.machine.bar
    ruined = run.machine.status is RunStatus.RUINED
    rows = min(bar + (step > Step.OPEN), len(market))
    part = slice(0 if last is None else max(0, rows - last), rows)
    known = {name: getattr(market, name)[part, column].copy() for name in KNOWN_FROM}
    if rows > bar and not ruined:
        for name, since in KNOWN_FROM.items():
            if step < since:
                known[name][-1] = np.nan
    return BarsSoFar(market.time[part].copy(), **known)


def working_orders(run: Run) -> list[WorkingOrder]:
    """The orders that work, in order of acceptance."""
    working = run.machine.book.orders[run.machine.working()]
    return [_order(run, o) for o in working[np.argsort(working["id"])]]


def _order(run: Run, o: Any) -> WorkingOrder:
    return WorkingOrder(
        int(o["id"]),
        int(o["parent"]),
        list(run.setup.strategies)[o["strategy"]],
        run.setup.market.symbols[o["instrument"]],
        Role(int(o["role"])),
        Side(int(o["side"])),
        OrderType(int(o["type"])),
        TimeInForce(int(o["tif"])),
        *(float(o[name]) for name in ("qty", "filled", "limit_price", "stop_price")),
    )


def open_positions(run: Run) -> dict[tuple[str, str], Position]:
    """(strategy, symbol) -> position, of all sleeves that are not flat."""
    names = [(s, x) for s in run.setup.strategies for x in run.setup.market.symbols]
    return {
        name: Position(*(float(sleeve[x]) for x in ("qty", "avg", "stop", "target")))
        for name, sleeve in zip(names, run.machine.book.sleeves, strict=True)
        if sleeve["qty"] != 0.0
    }
