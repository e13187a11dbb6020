"""Where two results of one scenario differ, in words; and a smaller scenario that still does.

Numbers that are decisions (prices, quantities, times) must be equal to the last bit; sums of
money may differ by the order of additions, 1e-9 of the account.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator

from tests.oracles.naive_market import run_with_notes

WORDS = ("at", "phase", "order", "symbol", "side", "reason")


def money_differs(a: float, b: float, scale: float) -> bool:
    return not abs(a - b) <= 1e-9 * max(scale, abs(a), abs(b))


def quantity_differs(a: float, b: float, lot: float) -> bool:
    """Exactly, but for lots like 0.1 that binary numbers cannot hold (3 * 0.1 is not 0.3)."""
    return abs(a - b) > (0 if lot % 0.125 == 0 else 1e-9 * lot)


def differences(scenario: dict, expected: dict, actual: dict) -> list[str]:
    """The differences, the earliest first; empty where the results agree."""
    scale = max(1.0, abs(scenario.get("account", {}).get("cash", 100_000)))
    lots = {i["symbol"]: i.get("lot", 1) for i in scenario["instruments"]}
    found = []
    for n, (want, got) in enumerate(zip(expected["fills"], actual["fills"], strict=False)):
        named = [w for w in WORDS if w in want and want[w] != got[w]]
        if want["price"] != got["price"]:
            named.append("price")
        if quantity_differs(want["qty"], got["qty"], lots[want["symbol"]]):
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
    if expected["status"] != actual["status"]:
        found.append(f"status: expected {expected['status']}, got {actual['status']}")
    return found


def oracle_differs(scenario: dict, run: Callable[[dict], dict]) -> list[str]:
    """How `run` differs from the oracle; nothing where a margin ties to the last bit.

    Margins are compared without tolerance. Where equity and margin agree to nine digits, the
    order of additions decides, and either decision is right.
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


def shrink(scenario: dict, still_fails: Callable[[dict], bool]) -> dict:
    """Take away whatever can be taken away while the scenario still fails."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in simpler(scenario):
            try:
                fails = still_fails(candidate)
            except Exception:  # taken apart too far: not a scenario any more
                fails = False
            if fails:
                scenario, smaller = candidate, True
                break
    return scenario


def simpler(scenario: dict) -> Iterator[dict]:
    """Scenarios with one thing less than this one, the largest things first."""
    yield from with_fewer_instruments(scenario)
    yield from with_fewer_bars(scenario)
    for n in range(len(scenario["orders"])):
        yield {**scenario, "orders": scenario["orders"][:n] + scenario["orders"][n + 1 :]}
    for part in ("orders", "instruments"):
        for n, thing in enumerate(scenario[part]):
            for name in thing:
                if name in ("id", "at", "phase", "symbol", "side", "type", "cancel", "modify"):
                    continue
                rest = {k: v for k, v in thing.items() if k != name}
                yield {**scenario, part: [*scenario[part][:n], rest, *scenario[part][n + 1 :]]}
    for name in scenario.get("account", {}):
        rest = {k: v for k, v in scenario["account"].items() if k != name}
        yield {**scenario, "account": rest}
    for name in ("seed", "path_policy", "account"):
        if name in scenario:
            yield {k: v for k, v in scenario.items() if k != name}
    for symbol, bars in scenario["bars"].items():
        for n, bar in enumerate(bars):
            for flatter in flatter_bars(bar):
                changed = [*bars[:n], flatter, *bars[n + 1 :]]
                yield {**scenario, "bars": {**scenario["bars"], symbol: changed}}


def flatter_bars(bar: list | None) -> Iterator[list]:
    if bar is None:
        return
    o, h, l, c, v = bar  # noqa: E741
    for flatter in ([o, o, o, o, 1], [o, max(o, c), min(o, c), c, 1], [o, h, l, o, 1]):
        if flatter[:4] != bar[:4]:
            yield flatter
    if v != 1:
        yield [o, h, l, c, 1]


def with_fewer_instruments(scenario: dict) -> Iterator[dict]:
    for instrument in scenario["instruments"][1:] + scenario["instruments"][:1]:
        symbol = instrument["symbol"]
        yield {
            **scenario,
            "instruments": [i for i in scenario["instruments"] if i["symbol"] != symbol],
            "bars": {s: b for s, b in scenario["bars"].items() if s != symbol},
            "orders": [o for o in scenario["orders"] if o.get("symbol", "") != symbol],
        }


def with_fewer_bars(scenario: dict) -> Iterator[dict]:
    """One bar less; what was to happen at it happens at the next one."""
    length = len(next(iter(scenario["bars"].values())))
    if length == 1:  # a scenario without bars is no scenario
        return
    half = length // 2
    if half > 1:
        kept = {s: b[:half] for s, b in scenario["bars"].items()}
        yield {
            **scenario,
            "bars": kept,
            "orders": [o for o in scenario["orders"] if o["at"] < half],
        }
    for n in reversed(range(length)):
        kept = {s: b[:n] + b[n + 1 :] for s, b in scenario["bars"].items()}
        moved = [{**o, "at": o["at"] - (o["at"] > n)} for o in scenario["orders"]]
        yield {**scenario, "bars": kept, "orders": [o for o in moved if o["at"] < length - 1]}
