"""Where the time of a run goes: the parts of W1 and W2, and what a bar and an order cost.

Each figure is the median CPU time of some runs. The cost of a bar is that of a million bars on
which nothing else happens; that of an order or a campaign what the loop takes beyond its bars.
Writes the table in docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import process_time

import bars
import numpy as np
import workloads as w
from engines import HERE
from ours import BRACKET, SLIPPED, TRADED, market_of
from report import replace_between

from intrabar.engine.columns import compute_columns
from intrabar.engine.run import Run, Setup
from intrabar.indicators import Indicator, cross, sma
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.signals import Signals

BARS, ROUNDS = 1_000_000, 9
MARKET = market_of(*bars.minutes(BARS), bars.MINUTE)


def taken(task: Callable[[], object]) -> float:
    """CPU seconds of a task."""
    began = process_time()
    task()
    return process_time() - began


def indicators(named: Mapping[str, Indicator]) -> float:
    """Milliseconds that indicators take."""
    times = [taken(lambda: compute_columns({"": named}, MARKET)) for _ in range(ROUNDS + 1)]
    return median(times[1:]) * 1e3


def parts(strategy: AnyStrategy, traded: Instrument) -> tuple[float, float, int]:
    """Milliseconds before the first bar and of the loop, and the fills."""
    before, loop, fills = [], [], 0
    for _ in range(ROUNDS + 1):  # the first one compiles
        made: list[Run] = []
        setup = Setup(MARKET, (traded,), {"s": strategy}, Account(cash=w.CASH))
        before.append(taken(lambda made=made, setup=setup: made.append(Run(setup))))
        loop.append(taken(made[0].to_end))
        fills = len(made[0].machine.fills())
    return median(before[1:]) * 1e3, median(loop[1:]) * 1e3, fills


def once(side: float, **distances: float) -> Signals:
    """One order on the first bar, and nothing more."""
    sides = np.full(BARS, np.nan)
    sides[0] = side
    return Signals(sides, qty=1.0, **distances)


def main() -> None:
    crossing = {"cross": cross(sma(w.FAST), sma(w.SLOW))}
    averages, both = indicators(crossing), indicators(BRACKET.indicators())
    crossed = compute_columns({"": crossing}, MARKET)[""]["cross"][:, 0]
    w1 = parts(Signals(crossed, qty=w.UNITS, zero="hold"), TRADED)
    w2 = parts(BRACKET, SLIPPED)
    flat = parts(once(np.nan), TRADED)[1]
    held = parts(once(1.0), TRADED)[1]
    bracket = parts(once(1.0, stop=1e5, target=1e5), TRADED)[1]
    turned = parts(Signals(np.resize([1.0, -1.0], BARS), qty=1.0), TRADED)
    rows = [
        ("W1: two averages and their crosses", averages, "ms"),
        ("W1: checks, set-up", w1[0], "ms"),
        (f"W1: the loop, {w1[2]:,} fills", w1[1], "ms"),
        ("W2: two averages, crosses, mean range", both, "ms"),
        ("W2: the rest of the set-up", w2[0] - both, "ms"),
        (f"W2: the loop, {w2[2]:,} fills", w2[1], "ms"),
        ("a bar, flat", flat / BARS * 1e6, "ns"),
        ("a bar with a position", held / BARS * 1e6, "ns"),
        ("a bar with a position, a stop and a target", bracket / BARS * 1e6, "ns"),
        ("a bar with an order, its fill and the next decision", turned[1] / BARS * 1e6, "ns"),
        (
            "a campaign of W2 beyond its bars: three orders, two fills",
            (w2[1] - (flat + bracket) / 2) / (w2[2] / 2) * 1e6,
            "ns",
        ),
    ]
    lines = ["| part | time |", "| --- | ---: |"]
    lines += [f"| {what} | {value:,.1f} {unit} |" for what, value, unit in rows]
    print("\n".join(lines))
    replace_between(HERE.parent / "docs" / "benchmarks.md", "parts", "\n".join(lines))


if __name__ == "__main__":
    main()
