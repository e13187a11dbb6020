"""Short ways to write a scenario down and to read its result, for figures worked out by hand.

`A` has a tick of 1 and a point value of 1 unless the scenario says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from intrabar.engine.scenario.scenario import run_scenario
from tests.oracles.naive_market import run

BOTH = pytest.mark.parametrize("market", [run, run_scenario], ids=["oracle", "engine"])
Market = Callable[[dict], dict]
BUY, SELL = {"side": "buy"}, {"side": "sell"}
OF_THE_SCENARIO = ("path_policy", "path_trust", "seed", "days", "detail", "fx", "actions")


def flat(price: float, volume: float = 1) -> list[float]:
    return [price, price, price, price, volume]


def made(bars: Any, orders: list[dict], *, account: dict | None = None, **options: Any) -> dict:
    """A scenario; `bars` of one instrument A or of several by symbol.

    Orders are given at the close of the first bar, and are market orders of one, unless they
    say otherwise. Options that are not of the scenario are of all its instruments.
    """
    by_symbol = bars if isinstance(bars, dict) else {"A": bars}
    of_scenario = {k: options.pop(k) for k in OF_THE_SCENARIO if k in options}
    written = []
    for n, order in enumerate(orders):
        order = {"phase": "close", "at": 0, **order}
        if "cancel" not in order and "modify" not in order:
            order = {"id": f"o{n}", "symbol": "A", "type": "market", "qty": 1, **order}
        written.append(order)
    return {
        "instruments": [{"symbol": s, "tick_size": 1, **options} for s in by_symbol],
        "account": account or {},
        "bars": by_symbol,
        "orders": written,
        **of_scenario,
    }


def fills(result: dict) -> list[tuple]:
    return [(f["at"], f["phase"], f["order"], f["qty"], f["price"]) for f in result["fills"]]


def statuses(result: dict) -> list[tuple[str, str]]:
    return [(o["id"], o["status"]) for o in result["orders"]]


def costs(result: dict) -> list[float]:
    return [f["cost"] for f in result["fills"]]


def ledger(result: dict) -> list[tuple]:
    lines = result.get("ledger", [])
    return [(x["at"], x["kind"], x["symbol"], pytest.approx(x["amount"])) for x in lines]
