"""All rows of a session, from its journal: the market of which its paper is the backtest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from intrabar.data.heard import Heard, name_of
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.row import ClosedRow, market_of, row_of
from intrabar.engine.waking import ALL_BITS
from intrabar.indicators.given import Request
from intrabar.model.bars import Market
from intrabar.model.entry import Entry
from intrabar.sim.state import WAKE_OPEN


def rows_in(entries: Iterable[Entry]) -> list[ClosedRow]:
    """The rows that a journal has, those of the history first."""
    rows: list[ClosedRow] = []
    for entry in entries:
        if entry.kind == "history":
            rows += [row_of(row) for row in entry.body["rows"]]
        elif entry.kind == "row.closed":
            rows.append(row_of(entry.body))
    return rows


def heard_in(entries: Iterable[Entry], plan: Plan) -> dict[Request, Heard]:
    """What a journal has of predictions, as a run reads it."""
    heard = {name_of(x): Heard(x, names) for x, names in plan.columns.items()}
    for entry in entries:
        if entry.kind == "prediction":
            heard[entry.body["request"]].take(entry.body["rows"])
    return {one.request: one for one in heard.values()}


def market_in(rows: Sequence[ClosedRow], plan: Plan) -> Market:
    """The market made of all rows of a session: its backtest has the session's digest."""
    before = [float("nan")] * len(plan.instruments)
    return market_of(rows, plan.symbols, plan.period, before)


def wakes_of(rows: Sequence[ClosedRow], sees_opens: bool = True) -> NDArray[np.uint8]:
    """Of each row, the bits of `WAKE_*` that count (`Setup.wakes`)."""
    bits = np.array([_wakes(row) for row in rows], np.uint8)
    return bits if sees_opens else bits & ~np.uint8(WAKE_OPEN)


def _wakes(row: ClosedRow) -> int:
    if row.closing:
        return 0
    return ALL_BITS & ~WAKE_OPEN if row.opened else ALL_BITS
