"""What must hold on every run (fill model, 8), held against the second market itself.

The engine equals the second market on random scenarios; here stands why to believe the latter.
"""

from __future__ import annotations

import random

import pytest

from tests.generators import random_scenario
from tests.oracles.naive_market import run

SEEDS = range(300)


@pytest.mark.parametrize("block", range(3))
def test_equity_is_what_the_fills_say(block: int) -> None:
    """Cash in and out for everything bought and sold, and the rest at its last close."""
    for seed in SEEDS:
        scenario = random_scenario(random.Random(f"money/{block}/{seed}"))
        result = run(scenario)
        last = len(result["equity"]) - 1
        equity = scenario.get("account", {}).get("cash", 100_000)
        for i in scenario["instruments"]:
            closes = [bar[3] for bar in scenario["bars"][i["symbol"]][: last + 1] if bar]
            for f in (f for f in result["fills"] if f["symbol"] == i["symbol"]):
                sign = 1 if f["side"] == "buy" else -1
                moved = sign * f["qty"] * (closes[-1] - f["price"])
                equity += moved * i.get("point_value", 1) - f["cost"]
        assert result["equity"][-1] == pytest.approx(equity, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("block", range(3))
def test_nothing_depends_on_later_bars(block: int) -> None:
    """Cut the run short: everything up to the cut stays as it was."""
    for seed in SEEDS:
        scenario = random_scenario(random.Random(f"cut/{block}/{seed}"))
        scenario.setdefault("account", {})["close_at_end"] = False
        whole = run(scenario)
        cut = max(1, len(whole["equity"]) // 2)
        bars = {symbol: row[:cut] for symbol, row in scenario["bars"].items()}
        part = run({**scenario, "bars": bars})
        assert part["equity"] == whole["equity"][:cut]
        assert part["fills"] == [f for f in whole["fills"] if f["at"] < cut]


def test_reduce_only_and_children_never_open_a_position() -> None:
    for seed in SEEDS:
        scenario = random_scenario(random.Random(f"reduce/{seed}"))
        careful = {o["id"] for o in scenario["orders"] if o.get("reduce_only")}
        held = {i["symbol"]: 0.0 for i in scenario["instruments"]}
        for f in run(scenario)["fills"]:
            before = held[f["symbol"]]
            held[f["symbol"]] += f["qty"] if f["side"] == "buy" else -f["qty"]
            if f["order"] in careful or f["reason"] in ("stop", "target", "liquidation"):
                assert before * held[f["symbol"]] >= -1e-9
                assert abs(held[f["symbol"]]) < abs(before)
