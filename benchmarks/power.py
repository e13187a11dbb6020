"""How often a real edge is found: one trial of a hundred has it, the others have none.

The edge is the true annual Sharpe ratio of that trial. It is found where the best trial is the
one that has it and its deflated Sharpe ratio is above 95 %, or Hansen's p-value below 5 %.
Writes power.json and docs/power.svg, and the table in docs/validation.md.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from time import process_time

import charts
import numpy as np
from report import facts, replace_between

from intrabar.analysis.figure import Undefined
from intrabar.analysis.overfitting import overfitting
from intrabar.analysis.sharpe import deflate, sharpes
from intrabar.analysis.snooping import snooping

HERE = Path(__file__).parent
TRIALS, YEAR, RESAMPLES, BLOCKS = 100, 252, 300, 10
EDGES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
YEARS = (1, 2, 4, 8)
FIGURES = ("deflated", "spa", "pbo")


def sample(edge: float, years: int, seed: int) -> dict[str, float]:
    """One draw; the trial with the edge is the first."""
    returns = np.random.default_rng([years, seed]).standard_normal((years * YEAR, TRIALS))
    returns[:, 0] += edge / math.sqrt(YEAR)
    returns *= 0.01
    found = deflate(returns, seed=seed)
    tested = snooping(returns, resamples=RESAMPLES, seed=seed)
    split = overfitting(returns, BLOCKS)
    for it in (found, tested, split):
        assert not isinstance(it, Undefined), it
    chosen = int(np.argmax(sharpes(returns))) == 0
    return {
        "chosen": float(chosen),
        "deflated": float(chosen and found.probability > 0.95),
        "spa": float(chosen and tested.consistent < 0.05),
        "pbo": split.probability,
    }


def measured(samples: int) -> list[dict[str, float]]:
    points = []
    for years in YEARS:
        for edge in EDGES:
            rows = [sample(edge, years, seed) for seed in range(samples)]
            mean = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
            points.append({"years": years, "edge": edge, **mean})
            print(points[-1], flush=True)
    return points


def table(points: list[dict[str, float]]) -> str:
    lines = ["| annual Sharpe | " + " | ".join(f"{y} y" for y in YEARS) + " |"]
    lines.append("| ---: " * (len(YEARS) + 1) + "|")
    for edge in EDGES:
        cells = []
        for years in YEARS:
            p = next(p for p in points if (p["years"], p["edge"]) == (years, edge))
            cells.append(f"{p['deflated']:.0%}, {p['spa']:.0%}, {p['pbo']:.2f}")
        lines.append(f"| {edge:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def picture(points: list[dict[str, float]], file: Path) -> None:
    titles = ("Found by the deflated Sharpe ratio", "Found by SPA", "Probability of overfitting")
    panels = []
    for k, (figure, title) in enumerate(zip(FIGURES, titles, strict=True)):
        panel = charts.Panel(title, 52 + 262 * k, 40, 210, 200, (0.0, EDGES[-1]), (0.0, 1.0))
        panel.ticks(
            [(e, f"{e:g}") for e in range(5)],
            [(s / 4, f"{s / 4:.2f}" if figure == "pbo" else f"{25 * s} %") for s in range(5)],
        )
        for series, years in enumerate(YEARS):
            own = [(p["edge"], p[figure]) for p in points if p["years"] == years]
            panel.line(own, series)
        panel.word(52 + 262 * k + 105, 274, "true annual Sharpe ratio", "middle")
        panels.append(panel)
    for series, years in enumerate(YEARS):
        key = charts.Panel("", 260 + 90 * series, 292, 10, 10, (0, 1), (0, 1))
        key.dot(0.5, 0.5, series)
        panels[0].parts += key.parts[1:]
        panels[0].word(276 + 90 * series, 301, f"{years} year" + "s" * (years > 1))
    charts.write(file, 812, 316, "Power by edge and length of the track record", panels)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100, help="of each point")
    samples = parser.parse_args().samples
    began = process_time()
    points = measured(samples)
    how = {"trials": TRIALS, "samples": samples, "cpu_seconds": process_time() - began}
    (HERE / "power.json").write_text(
        json.dumps({"machine": facts(), **how, "points": points}, indent=1) + "\n"
    )
    docs = HERE.parent / "docs"
    picture(points, docs / "power.svg")
    replace_between(docs / "validation.md", "power", table(points))
    return 0


if __name__ == "__main__":
    sys.exit(main())
