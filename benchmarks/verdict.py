"""What `intrabar validate` says where the truth is known: coins, the best of many coins, an edge.

Everything goes through the real engine: bars that wander, bots with costs, and the verdict of
`intrabar.validate`. A verdict of "pass" on coins is a false positive. The edge is a rise over the
three bars after a marked one, which the bot knows. Writes verdict.json, and the table in
docs/validate.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from report import facts, replace_between

import intrabar as ib

HERE = Path(__file__).parent
DAY_NS = 86_400_000_000_000
DAYS, TRIALS, RUNS, NOMINAL = 1500, 40, 99, 0.05
EVERY, LASTS, MARK = 8, 3, 1e6
LIFTS = (0.0025, 0.005, 0.01, 0.02)
COSTS = {"A": ib.Instrument("A", slippage_ticks=1, commission_per_contract=0.005)}


@dataclass(frozen=True)
class OnMarks:
    """Long after a marked bar."""

    wakes_on = ""

    def indicators(self) -> dict[str, Any]:
        return {}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        return 1 if now.volume >= 1e6 else 0


def bars(seed: int, lift: float = 0.0) -> ib.Bars:
    """Daily bars that wander; with a lift they rise by it after each marked bar."""
    draw = np.random.default_rng([11, seed])
    drift = np.zeros(DAYS)
    marks = np.arange(50, DAYS - LASTS - 1, EVERY)
    for later in range(1, LASTS + 1):
        drift[marks + later] = lift / LASTS
    close = 100.0 * np.exp(np.cumsum(draw.normal(0.0, 0.01, DAYS) + drift))
    open_ = np.append(100.0, close[:-1]) * np.exp(draw.normal(0.0, 0.002, DAYS))
    reach = np.abs(draw.normal(0.0, 0.006, (2, DAYS)))
    high, low = np.maximum(open_, close) * (1 + reach[0]), np.minimum(open_, close) * (1 - reach[1])
    volume = np.full(DAYS, 9e5)
    volume[marks] = MARK
    time = DAY_NS * np.arange(1, DAYS + 1, dtype=np.int64)
    prices = (np.round(x, 2) for x in (open_, high, low, close))
    day = np.arange(DAYS, dtype=np.int64)
    return ib.Bars("A", time, *prices, volume, DAY_NS, time - DAY_NS, day)


def coin(seed: int) -> ib.Validation:
    run = ib.backtest(ib.Bot(ib.CoinFlip(seed, 0.1)), bars(seed), instruments=COSTS)
    return ib.validate(run, runs=RUNS, seed=seed)


def best_coin(seed: int) -> ib.Validation:
    sweep = ib.sweep(
        ib.Bot(ib.CoinFlip(0, 0.1)),
        bars(seed),
        parameters={"seed": list(range(TRIALS))},
        keep=False,
        workers=1,
        instruments=COSTS,
    )
    return ib.validate(sweep, runs=RUNS, seed=seed)


def edge(lift: float) -> Callable[[int], ib.Validation]:
    def validated(seed: int) -> ib.Validation:
        bot = ib.Bot(OnMarks(), ib.FixedRatio(14, 1.0, 1.0))
        run = ib.backtest(bot, bars(seed, lift), instruments=COSTS)
        return ib.validate(run, runs=RUNS, seed=seed)

    return validated


WORLDS: dict[str, Callable[[int], ib.Validation]] = {
    "a coin": coin,
    f"the best of {TRIALS} coins": best_coin,
    **{f"an edge of {lift:.2%} in {LASTS} days": edge(lift) for lift in LIFTS},
}


def measured(validate: Callable[[int], ib.Validation], samples: int) -> dict[str, float]:
    found = [validate(seed) for seed in range(samples)]
    checks = [{one.name: one for one in validation.checks} for validation in found]
    shares = {mark: float(np.mean([v.mark == mark for v in found])) for mark in MARKS}
    for name in ("random entry", "permuted entry"):
        p = [one[name].figures.get("p_value") or 1.0 for one in checks]
        shares[name] = float(np.mean(np.array(p) <= NOMINAL))
    left = [one["deflated Sharpe ratio"].figures.get("probability") or 0.0 for one in checks]
    shares["deflated"] = float(np.mean(np.array(left) > 1.0 - NOMINAL))
    return shares


MARKS = ("pass", "doubt", "fail")
COLUMNS = (*MARKS, "deflated", "random entry", "permuted entry")


def table(results: dict[str, dict[str, float]]) -> str:
    lines = ["| world | real | open | not real | deflated above 95 % | random entry p ≤ 5 % | "]
    lines[0] += "permuted entry p ≤ 5 % |"
    lines.append("| --- " + "| ---: " * len(COLUMNS) + "|")
    for name, found in results.items():
        lines.append(f"| {name} | " + " | ".join(f"{found[c]:.0%}" for c in COLUMNS) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100)
    samples = parser.parse_args().samples
    began = process_time()
    results = {}
    for name, validate in WORLDS.items():
        results[name] = measured(validate, samples)
        print(f"{name}: {results[name]}", flush=True)
    seconds = process_time() - began
    whole = {"machine": facts(), "samples": samples, "days": DAYS, "cpu_seconds": seconds}
    (HERE / "verdict.json").write_text(json.dumps({**whole, "worlds": results}, indent=1) + "\n")
    told = f"{samples} samples of {DAYS:,} days each.\n\n{table(results)}"
    replace_between(HERE.parent / "docs" / "validate.md", "verdict", told)
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
