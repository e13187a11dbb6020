"""How much a strategy in Python should trade, by the bots' own sizing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intrabar.errors import OrderError
from intrabar.model.enums import Gate
from intrabar.sim.state import Book
from intrabar.strategy.bot_kernel import interpret
from intrabar.strategy.desk import Desk
from intrabar.strategy.order_terms import number_of
from intrabar.strategy.sizing import size_for_risk

_size_for_risk = interpret(size_for_risk, {})


def size_of(desk: Desk, entry: Any, risk: Any, stop: Any) -> float:
    """Whole lots between an entry and a stop that risk a fraction of the equity; see `View.size`.

    Raises
    ------
    OrderError
        The risk is no fraction, or the stop no price beside the entry.
    """
    price, level = number_of(desk.symbol, "entry", entry), number_of(desk.symbol, "stop", stop)
    fraction = number_of(desk.symbol, "risk", risk)
    if not 0.0 < fraction <= 1.0:
        raise OrderError(f"{desk.symbol}: size: risk is {risk}, must be above 0, up to 1")
    if not 0.0 < level < math.inf or level == price:
        raise OrderError(f"{desk.symbol}: size: stop is {stop}, must be a price other than {price}")
    if math.isnan(price):
        return 0.0
    if not 0.0 < price < math.inf:
        raise OrderError(f"{desk.symbol}: size: entry is {entry}, must be a price above 0")
    book = Book(*(part.view(np.recarray) for part in desk.book))
    side = 1 if level < price else -1
    qty = float(_size_for_risk(book, desk.column, side, price, level, fraction, True))
    if qty <= 0.0:
        desk.count(Gate.SIZE_ZERO if qty == 0.0 else Gate.MARGIN)
    return max(qty, 0.0)
