"""Which rule of a bot decided otherwise in one of two runs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.run import Run
from intrabar.model.enums import OrderType, Side
from intrabar.research.look_ahead.report import Leak
from intrabar.strategy.bot import Bot

ASKED = ("submitted", "strategy", "instrument", "side", "type", "tif", "role", "reject", "qty")
LEVELS = ("stop_loss", "take_profit")


def orders_differ(base: Run, other: Run) -> Leak | None:
    """The first order, or move of a stop, that two runs do not share; None where there is none."""
    found = [leak for leak in (_orders(base, other), _moves(base, other)) if leak is not None]
    return min(found, key=lambda leak: leak.bar) if found else None


def _orders(base: Run, other: Run) -> Leak | None:
    a, b = (_asked(run) for run in (base, other))
    one, two = _first_pair(a, b, (*ASKED, *LEVELS))
    if one is None and two is None:
        return None
    first = min((x for x in (one, two) if x is not None), key=lambda x: int(x["submitted"]))
    same = one is not None and two is not None and all(one[n] == two[n] for n in ASKED[:4])
    told = [
        _told(x) if x is not None and x["submitted"] == first["submitted"] else "no order"
        for x in (one, two)
    ]
    return _leak(base, first, "initial_levels" if same else "decide_side", "submitted", told)


def _moves(base: Run, other: Run) -> Leak | None:
    one, two = _first_pair(
        base.machine.levels(),
        other.machine.levels(),
        ("bar", "strategy", "instrument", "stop", "target"),
    )
    if one is None and two is None:
        return None
    first = min((x for x in (one, two) if x is not None), key=lambda x: int(x["bar"]))
    told = [
        f"stop at {x['stop']:g}" if x is not None and x["bar"] == first["bar"] else "no move"
        for x in (one, two)
    ]
    return _leak(base, first, "update_stop", "bar", told)


def _leak(base: Run, record: Any, rule: str, bar: str, told: list[str]) -> Leak:
    name = list(base.setup.strategies)[int(record["strategy"])]
    strategy = base.setup.strategies[name]
    symbol = base.setup.market.symbols[int(record["instrument"])]
    row = int(record[bar])
    if not isinstance(strategy, Bot):
        return Leak("hook", name, "orders", "", symbol, row, "", told[0], told[1])
    owner = strategy.entry if rule == "decide_side" else strategy.exit
    code = getattr(owner, rule).__code__
    place = f"{code.co_filename}:{code.co_firstlineno}"
    return Leak(
        "rule", name, f"{type(owner).__name__}.{rule}", place, symbol, row, "", told[0], told[1]
    )


def _asked(run: Run) -> NDArray[Any]:
    """Orders that a strategy asked for, not those that the market made of them."""
    orders = run.machine.orders()
    return orders[orders["parent"] < 0]


def _first_pair(a: NDArray[Any], b: NDArray[Any], names: tuple[str, ...]) -> tuple[Any, Any]:
    """The first records that are not equal in the fields named; None where one is missing."""
    n = min(len(a), len(b))
    unequal = np.zeros(n, bool)
    for name in names:
        x, y = a[name][:n], b[name][:n]
        unequal |= (x != y) & ~((x != x) & (y != y))  # NaN equals NaN
    k = int(np.argmax(unequal)) if unequal.any() else n
    return a[k] if k < len(a) else None, b[k] if k < len(b) else None


def _told(order: Any) -> str:
    levels = "".join(
        f" {word} {order[name]:g}"
        for name, word in (("stop_loss", "stop"), ("take_profit", "target"))
        if not np.isnan(order[name])
    )
    side, kind = Side(int(order["side"])).word, OrderType(int(order["type"])).word
    return f"{side} {order['qty']:g} {kind}{levels}"
