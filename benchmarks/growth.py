"""How the cost of a run grows: with bars, instruments, fills and strategies.

Each point is the least CPU time of a few runs, set-up and indicators included. The exponent is
the slope of the upper half of the points on logarithmic axes: 1 is linear. Writes growth.json
and docs/growth.svg, and the table in docs/benchmarks.md.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import bars
import numpy as np
from charts import STYLE
from engines import HERE
from ours import MARGINS, SLIPPED, TRADED, market_of
from report import facts, replace_between
from workloads import ATR, CASH, EMA_FAST, EMA_SLOW, FEE, STOP, TARGET, WARM

from intrabar.engine.run import Run, Setup
from intrabar.exits import FixedRatio
from intrabar.model.bars import Market
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import MovingAverageCrossover
from intrabar.strategy.signals import Signals

REPEATS = 3


@dataclass(frozen=True)
class Axis:
    """One thing that grows.

    Parameters
    ----------
    what : str
    sizes : sizes that are measured, rising
    setup : from a size to a run
    held : what stays the same
    """

    what: str
    sizes: tuple[int, ...]
    setup: Callable[[int], Setup]
    held: str


def bot(fast: int = EMA_FAST) -> Bot:
    """The bracket bot of W2."""
    entry = MovingAverageCrossover(fast, EMA_SLOW + fast - EMA_FAST, seed="first")
    leave = FixedRatio(ATR, STOP, TARGET / STOP, seed="first")
    return Bot(entry, leave, risk_fraction=0.0, qty=10.0, warm_up=WARM)


def of_bars(size: int) -> Setup:
    market = market_of(*bars.minutes(size), bars.MINUTE)
    return Setup(market, (SLIPPED,), {"s": bot()}, Account(cash=CASH))


def of_instruments(size: int) -> Setup:
    market: Market = market_of(*bars.days(5_000, size), bars.DAY)
    traded = tuple(
        Instrument(s, tick_size=0.001, commission_rate=FEE, **MARGINS) for s in market.symbols
    )
    return Setup(market, traded, {"s": bot()}, Account(cash=100 * CASH))


def of_fills(size: int) -> Setup:
    """Long and short in turn, so many times in as many bars."""
    market = market_of(*bars.minutes(200_000), bars.MINUTE)
    side = np.full(200_000, np.nan)
    rows = np.linspace(0, 199_998, size).astype(int)
    side[rows] = np.resize([1.0, -1.0], size)
    return Setup(market, (TRADED,), {"s": Signals(side, qty=10.0)}, Account(cash=CASH))


def of_strategies(size: int) -> Setup:
    market = market_of(*bars.minutes(200_000), bars.MINUTE)
    bots = {f"s{k}": bot(EMA_FAST + k) for k in range(size)}
    return Setup(market, (SLIPPED,), bots, Account(cash=100 * CASH))


AXES = (
    Axis(
        "bars",
        (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000),
        of_bars,
        "the bot of W2 on one instrument",
    ),
    Axis("instruments", (1, 2, 5, 10, 20, 50, 100, 200, 500), of_instruments, "5,000 daily bars"),
    Axis(
        "fills",
        (2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 199_999),
        of_fills,
        "200,000 bars; the time of a run without a fill is taken off",
    ),
    Axis(
        "strategies",
        (1, 2, 4, 8, 16, 32, 64, 128, 256),
        of_strategies,
        "200,000 bars, one bot of W2 each; from 32 on one acts on nearly every bar",
    ),
)


def seconds(setup: Setup) -> float:
    """The least CPU time of a few runs."""
    taken = []
    for _ in range(REPEATS + 1):  # the first one compiles
        began = process_time()
        Run(setup).to_end()
        taken.append(process_time() - began)
    return min(taken[1:])


def measured(axis: Axis) -> dict[str, Any]:
    """Points of one axis and the exponent of their upper half."""
    least = 0.0
    if axis.what == "fills":
        silent = axis.setup(1)
        least = seconds(Setup(silent.market, silent.instruments, {"s": Signals("HOLD")}))
    taken = []
    for size in axis.sizes:
        taken.append(seconds(axis.setup(size)) - least)
        print(f"{size:>12,} {axis.what:12} {1e3 * taken[-1]:10.2f} ms", flush=True)
    half = len(axis.sizes) // 2
    x, y = np.log(axis.sizes[half:]), np.log(taken[half:])
    exponent = float(np.polyfit(x, y, 1)[0])
    print(f"{axis.what}: exponent {exponent:.2f}\n", flush=True)
    return {"sizes": list(axis.sizes), "seconds": taken, "exponent": exponent}


WIDTH, HEIGHT, LEFT, TOP, PLOT_WIDTH, PLOT_HEIGHT = 760, 520, 56, 40, 290, 170


def panel(axis: Axis, found: dict[str, Any], left: float, top: float) -> str:
    """One axis on logarithmic scales, with a line per power of ten."""
    x, y = np.log10(found["sizes"]), np.log10(1e3 * np.array(found["seconds"]))
    low_x, high_x = math.floor(x.min()), max(math.ceil(x.max()), math.floor(x.min()) + 1)
    low_y, high_y = math.floor(y.min()), math.ceil(y.max())

    def place(a: float, b: float) -> tuple[float, float]:
        across = left + (a - low_x) / (high_x - low_x) * PLOT_WIDTH
        return across, top + PLOT_HEIGHT - (b - low_y) / (high_y - low_y) * PLOT_HEIGHT

    parts = [f'<text class="title" x="{left}" y="{top - 14}">CPU time by {axis.what}, exponent ']
    parts.append(f"{found['exponent']:.2f}</text>")
    for k in range(low_x, high_x + 1):
        across, bottom = place(k, low_y)
        parts.append(f'<path class="grid" d="M{across:.1f} {top}V{bottom:.1f}"/>')
        parts.append(f'<text class="soft" x="{across:.1f}" y="{bottom + 16:.1f}" ')
        parts.append(f'text-anchor="middle">{10**k:,}</text>')
    for k in range(low_y, high_y + 1):
        across, up = place(low_x, k)
        parts.append(f'<path class="grid" d="M{left} {up:.1f}h{PLOT_WIDTH}"/>')
        parts.append(f'<text class="soft" x="{left - 6}" y="{up + 4:.1f}" ')
        parts.append(f'text-anchor="end">{10.0**k:g} ms</text>')
    points = [place(a, b) for a, b in zip(x, y, strict=True)]
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    parts.append(f'<polyline class="line" points="{line}" fill="none" stroke-width="1.6"/>')
    parts += [f'<circle class="dot" cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b in points]
    return "".join(parts)


def picture(results: dict[str, Any], file: Path) -> None:
    """Draw all axes into one SVG."""
    places = [(LEFT, TOP), (LEFT + 366, TOP), (LEFT, TOP + 248), (LEFT + 366, TOP + 248)]
    panels = [
        panel(axis, results[axis.what], *place) for axis, place in zip(AXES, places, strict=True)
    ]
    file.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="CPU time by bars, instruments, fills and strategies"><style>{STYLE}</style>'
        f'<rect class="card" width="{WIDTH}" height="{HEIGHT}" rx="6"/>{"".join(panels)}</svg>\n'
    )


def main() -> int:
    results = {axis.what: measured(axis) for axis in AXES}
    (HERE / "growth.json").write_text(json.dumps({"machine": facts(), **results}, indent=1) + "\n")
    docs = HERE.parent / "docs"
    picture(results, docs / "growth.svg")
    lines = ["| what grows | from | to | last point, CPU ms | exponent | held |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | --- |")
    for axis in AXES:
        found = results[axis.what]
        ends = f"{axis.sizes[0]:,} | {axis.sizes[-1]:,} | {1e3 * found['seconds'][-1]:,.0f}"
        lines.append(f"| {axis.what} | {ends} | {found['exponent']:.2f} | {axis.held} |")
    replace_between(docs / "benchmarks.md", "growth", "\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
