"""Where two results of one scenario differ, in words.

Numbers that are decisions (prices, quantities, times) must be equal to the last bit, but for
prices without a grid, where the order of a sum shows; sums of money may differ by the order of
additions, 1e-9 of the account.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable

from tests.oracles.naive_market import run_with_notes

WORDS = ("at", "phase", "order", "symbol", "side", "reason")


def money_differs(a: float, b: float, scale: float) -> bool:
    return not abs(a - b) <= 1e-9 * max(scale, abs(a), abs(b))


def price_differs(a: float, b: float, tick: float, size: float) -> bool:
    """To the last bit on a grid; without one, by more than 4 units in the last place (3).

    Of the instrument's largest price: a slipped one may be a small difference of two large ones.
    """
    return a != b if tick > 0 else abs(a - b) > 4 * math.ulp(max(abs(a), abs(b), size))


def sizes_of(scenario: dict) -> dict[str, float]:
    """The largest price of each symbol."""
    return {
        symbol: max((bar[1] for bar in bars if bar is not None), default=0.0)
        for symbol, bars in scenario["bars"].items()
    }


def quantity_differs(a: float, b: float, lot: float, reason: str) -> bool:
    """Exactly, but for what binary numbers cannot hold: 3 * 0.1, or a third of a share."""
    exact = lot % 0.125 == 0 and reason != "split"
    return abs(a - b) > (0 if exact else 1e-9 * lot)


def differences(scenario: dict, expected: dict, actual: dict) -> list[str]:
    """The differences, the earliest first; empty where the results agree."""
    scale = max(1.0, abs(scenario.get("account", {}).get("cash", 100_000)))
    lots = {i["symbol"]: i.get("lot", 1) for i in scenario["instruments"]}
    ticks = {i["symbol"]: i.get("tick_size", 0.01) for i in scenario["instruments"]}
    sizes = sizes_of(scenario)
    found = []
    for n, (want, got) in enumerate(zip(expected["fills"], actual["fills"], strict=False)):
        named = [w for w in WORDS if w in want and want[w] != got[w]]
        symbol = want["symbol"]
        if price_differs(want["price"], got["price"], ticks[symbol], sizes.get(symbol, 0.0)):
            named.append("price")
        if quantity_differs(want["qty"], got["qty"], lots[want["symbol"]], want["reason"]):
            named.append("qty")
        if money_differs(want["cost"], got["cost"], scale):
            named.append("cost")
        if named:
            found.append(f"fill {n}, {' '.join(named)}: expected {want}, got {got}")
            break
    if len(expected["fills"]) != len(actual["fills"]):
        n = min(len(expected["fills"]), len(actual["fills"]))
        rest = [r["fills"][n:][:1] for r in (expected, actual)]
        found.append(f"fill {n}: expected {rest[0]}, got {rest[1]}")
    if expected["orders"] != actual["orders"]:
        found.append(f"orders: expected {expected['orders']}, got {actual['orders']}")
    if len(expected["equity"]) != len(actual["equity"]) or any(
        money_differs(a, b, scale)
        for a, b in zip(expected["equity"], actual["equity"], strict=False)
    ):
        found.append(f"equity: expected {expected['equity']}, got {actual['equity']}")
    found += ledger_differences(expected, actual, scale)
    if expected["status"] != actual["status"]:
        found.append(f"status: expected {expected['status']}, got {actual['status']}")
    return found


def ledger_differences(expected: dict, actual: dict, scale: float) -> list[str]:
    """Lines of no more than rounding (a settlement at the average) may be there or not."""
    lines = [list(result.get("ledger", [])) for result in (expected, actual)]
    while any(lines):
        want, got = (side[0] if side else None for side in lines)
        if want and got and _is_same_line(want, got, scale):
            lines = [side[1:] for side in lines]
        elif want and not money_differs(want["amount"], 0, 2 * scale):
            lines[0] = lines[0][1:]
        elif got and not money_differs(got["amount"], 0, 2 * scale):
            lines[1] = lines[1][1:]
        else:
            return [f"ledger: expected {want}, got {got}"]
    return []


def _is_same_line(want: dict, got: dict, scale: float) -> bool:
    named = all(want[word] == got[word] for word in ("at", "kind", "symbol"))
    return named and not money_differs(want["amount"], got["amount"], scale)


def oracle_differs(scenario: dict, run: Callable[[dict], dict]) -> list[str]:
    """How `run` differs from the oracle; nothing where two amounts of money are 1e-9 apart.

    Nearer ones are equal, farther ones are not. There the order of additions decides which, and
    either decision is right.
    """
    expected, notes = run_with_notes(scenario)
    if any(what.startswith("knife edge") for what in notes):
        return []
    try:
        actual = run(copy.deepcopy(scenario))
    except Exception as error:
        return [f"it failed: {type(error).__name__}: {error}"]
    return differences(scenario, expected, actual)


def as_line(scenario: dict) -> str:
    """The scenario as one line of a scenario file."""
    return json.dumps(scenario)
