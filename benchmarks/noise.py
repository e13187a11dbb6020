"""What the statistics say where there is nothing: trials without skill, many times over.

Each world has trials of a different kind, none of which has an edge. The best of them is taken to
be real where its deflated Sharpe ratio is above 95 %, or the p-value of Hansen's or White's test
is below 5 %: that may happen in 5 % of the samples at most. The probability of backtest
overfitting is one half on average. Writes noise.json and docs/noise.svg, and the table in
docs/validation.md.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import charts
import numpy as np
from numpy.typing import NDArray
from report import facts, replace_between

from intrabar.analysis.figure import Undefined
from intrabar.analysis.overfitting import overfitting
from intrabar.analysis.sharpe import (
    average_correlation_trials,
    deflate,
    deflated_sharpe,
    moments,
    probabilistic_sharpe,
    sharpes,
)
from intrabar.analysis.snooping import snooping

HERE = Path(__file__).parent
DAYS, TRIALS, NOMINAL = 500, 100, 0.05
RESAMPLES, BLOCKS = 300, 10

Floats = NDArray[np.float64]
Random = np.random.Generator


@dataclass(frozen=True)
class World:
    """Trials of one kind.

    Parameters
    ----------
    name : str
    draw : from a generator to (DAYS, TRIALS) returns
    """

    name: str
    draw: Callable[[Random], Floats]


def independent(rng: Random) -> Floats:
    return rng.standard_normal((DAYS, TRIALS))


def fat_tails(rng: Random) -> Floats:
    return rng.standard_t(4, (DAYS, TRIALS))


def skewed(rng: Random) -> Floats:
    """Small gains and large losses."""
    return 1.0 - rng.exponential(size=(DAYS, TRIALS))


def alike(share: float) -> Callable[[Random], Floats]:
    """Every pair of trials correlated the same."""

    def draw(rng: Random) -> Floats:
        own, common = independent(rng), rng.standard_normal((DAYS, 1))
        return math.sqrt(1.0 - share) * own + math.sqrt(share) * common

    return draw


def copies(rng: Random) -> Floats:
    """Ten ideas, of which one was tried in 91 variants that are nearly the same."""
    ideas = rng.standard_normal((DAYS, 10))
    returns = ideas[:, np.minimum(np.arange(TRIALS), 9)]
    return returns + 0.01 * independent(rng)


def crossovers(rng: Random) -> Floats:
    """Moving averages that cross, fast and slow in ten steps each, on a random walk."""
    warm = 220
    change = rng.standard_normal(DAYS + warm)
    path = np.concatenate(([0.0], np.cumsum(np.cumsum(change))))

    def average(period: int) -> Floats:
        at = np.arange(warm, DAYS + warm)  # up to the day before the return
        return (path[at] - path[at - period]) / period

    fast = [average(p) for p in range(2, 22, 2)]
    slow = [average(p) for p in range(30, 230, 20)]
    side = np.array([np.sign(f - s) for f in fast for s in slow]).T
    return side * change[warm:, None]


def dependent(rng: Random) -> Floats:
    """Today's return carries a fifth of yesterday's, which the formulas do not know."""
    noise = rng.standard_normal((DAYS + 50, TRIALS))
    for k in range(1, noise.shape[0]):
        noise[k] += 0.2 * noise[k - 1]
    return noise[50:]


WORLDS = (
    World("independent", independent),
    World("fat tails (t, 4)", fat_tails),
    World("skewed to losses", skewed),
    World("correlated 0.5", alike(0.5)),
    World("correlated 0.9", alike(0.9)),
    World("91 copies of one, 9 others", copies),
    World("moving averages that cross", crossovers),
    World("dependent in time (0.2)", dependent),
)
METHODS = ("deflated", "spa", "reality_check", "mean_correlation")
WORDS = (
    "deflated Sharpe",
    "SPA, consistent",
    "reality check",
    "deflated, trials by mean correlation",
)


def judged(returns: Floats, seed: int) -> dict[str, float]:
    """Each method's verdict on the best: 1 where it takes it to be real."""
    best = moments(returns[:, np.argmax(sharpes(returns))])
    ours = deflate(returns, seed=seed)
    tested = snooping(returns, resamples=RESAMPLES, seed=seed)
    split = overfitting(returns, BLOCKS)
    paper = average_correlation_trials(returns)
    for found in (best, ours, tested, split, paper):
        assert not isinstance(found, Undefined), found
    plain = deflated_sharpe(best, paper, float(np.var(sharpes(returns), ddof=1)))
    return {
        "single": float(probabilistic_sharpe(best) > 1.0 - NOMINAL),
        "deflated": float(ours.probability > 1.0 - NOMINAL),
        "mean_correlation": float(plain > 1.0 - NOMINAL),
        "spa": float(tested.consistent < NOMINAL),
        "reality_check": float(tested.reality_check < NOMINAL),
        "pbo": split.probability,
        "effective": ours.effective,
    }


def measured(number: int, world: World, samples: int) -> dict[str, Any]:
    """Means over samples, and every probability of overfitting."""
    rows = []
    for seed in range(samples):
        returns = 0.01 * world.draw(np.random.default_rng([number, seed]))
        rows.append(judged(returns, seed))
    pbo = [row["pbo"] for row in rows]
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    return {**means, "pbo_error": float(np.std(pbo) / math.sqrt(samples)), "pbos": pbo}


def table(results: dict[str, Any]) -> str:
    lines = ["| trials | one alone | deflated | SPA | reality check | by mean correlation | "]
    lines[0] += "effective trials | overfitting |"
    lines.append("| --- " + "| ---: " * 7 + "|")
    for name, found in results.items():
        rates = " | ".join(f"{found[m]:.1%}" for m in ("single", *METHODS))
        lines.append(
            f"| {name} | {rates} | {found['effective']:.0f} | "
            f"{found['pbo']:.3f} ± {found['pbo_error']:.3f} |"
        )
    return "\n".join(lines)


def picture(results: dict[str, Any], file: Path) -> None:
    """False positives of each world and method, and how the probability of overfitting spreads."""
    names = list(results)
    highest = max(found[m] for found in results.values() for m in METHODS)
    end = max(0.1, math.ceil(highest * 50) / 50)
    rates = charts.Panel(
        "False positives, nominal 5 %", 176, 58, 300, 24 * len(names), (0, end), (0, len(names))
    )
    steps = [(k / 50, f"{2 * k} %") for k in range(round(end * 50) + 1)]
    rates.ticks(steps[:: max(1, len(steps) // 6)], [])
    rates.mark(NOMINAL)
    for row, name in enumerate(names):
        up = len(names) - row - 0.5
        rates.word(168, rates.place(0, up)[1] + 4, name, "end")
        for series, method in enumerate(METHODS):
            rates.dot(results[name][method], up + 0.24 - 0.16 * series, series)
    for series, word in enumerate(WORDS):
        at = 84 + 24 * len(names) + 18 * series
        key = charts.Panel("", 176, at, 10, 10, (0, 1), (0, 1))
        key.dot(0.5, 0.5, series)
        rates.parts += key.parts[1:]
        rates.word(194, at + 9, word)
    pbos = results["independent"]["pbos"]
    counts, edges = np.histogram(pbos, bins=20, range=(0, 1))
    top = float(counts.max())
    spread = charts.Panel(
        f"Probability of overfitting, {len(pbos):,} samples, independent",
        540, 58, 240, 24 * len(names), (0, 1), (0, top),
    )  # fmt: skip
    spread.ticks([(k / 4, f"{k / 4:g}") for k in range(5)], [])
    for count, edge in zip(counts.tolist(), edges.tolist(), strict=False):
        spread.bar(edge, 0.0, count, 0.05)
    spread.mark(float(np.mean(pbos)))
    spread.word(540, 84 + 24 * len(names) + 9, f"dashed: the mean, {np.mean(pbos):.3f}")
    height = 84 + 24 * len(names) + 18 * len(WORDS) + 8
    said = "False-positive rates by kind of trials and method, and the spread of PBO on noise"
    charts.write(file, 804, height, said, [rates, spread])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=600, help="of each kind of trials")
    samples = parser.parse_args().samples
    results = {}
    began = process_time()
    for number, world in enumerate(WORLDS):
        results[world.name] = measured(number, world, samples)
        print(table({world.name: results[world.name]}).splitlines()[-1], flush=True)
    how = {
        "days": DAYS,
        "trials": TRIALS,
        "samples": samples,
        "blocks": BLOCKS,
        "cpu_seconds": process_time() - began,
    }
    kept = {n: {k: v for k, v in found.items() if k != "pbos"} for n, found in results.items()}
    document = {"machine": facts(), **how, "worlds": kept}
    (HERE / "noise.json").write_text(json.dumps(document, indent=1) + "\n")
    docs = HERE.parent / "docs"
    picture(results, docs / "noise.svg")
    replace_between(docs / "validation.md", "noise", table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
