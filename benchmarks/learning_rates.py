"""How often the scorecard says *worth it*, where there is something to find and where not.

Fixed beforehand: planted, 2,000 pairs: in 90 of 100 samples or more. Nothing planted: in at most 5
of 100, for one symbol and for ten whose days correlate by 0.3. Each row follows from its world and
seed alone. Rows are written as they come, and those that are there are not made again.

Usage: learning_rates.py [--samples 100] [--out docs/learning-rates.json] [--seeds 3,7]

With --seeds the rows of these seeds are made again and held against the file; 1 where one differs.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

from learning_world import World, sample

from intrabar.analysis.figure import Undefined
from intrabar.research.scorecard.scorecard import figures_of, judged, look_of

WORLDS = (
    World(planted=True, pairs=2_000, known=True),
    World(planted=False, pairs=2_000),
    World(planted=False, pairs=2_000, symbols=10, correlation=0.3),
    World(planted=True, pairs=1_000, known=True),
    World(planted=True, pairs=500, known=True),
    World(planted=True, pairs=250, known=True),
    World(planted=True, pairs=2_000),
)
MEANT = ("at least 90", "at most 5", "at most 5")  # of 100, fixed before any was drawn
SURE = 0.95
SAME = 1e-9  # another processor's last bits


def row_of(world: World, seed: int) -> dict[str, Any]:
    """One sample and what the scorecard says of it; it is the first look."""
    evidence, found = sample(world, seed)
    figures = figures_of(evidence, seed)
    card = judged(evidence, figures, [look_of(evidence, figures, seed)], seed)
    pairs, interval = figures.pairs, figures.pairs.interval
    ends = (None, None) if isinstance(interval, Undefined) else (interval.low, interval.high)
    deflated = card.deflated.probability
    windows = [x.mean for x in figures.groups["window"]]
    return {
        "world": world.name,
        "seed": seed,
        "verdict": card.verdict.word,
        "pairs": pairs.pairs,
        "days": pairs.days,
        "mean": pairs.mean,
        "low": ends[0],
        "high": ends[1],
        "other_path": figures.other_path.mean,
        "windows_above": sum(x is not None and x > 0.0 for x in windows),
        "deflated": None if isinstance(deflated, Undefined) else deflated,
        "rule_found": found,
    }


def upper_end(hits: int, samples: int) -> float:
    """The largest rate at which as few hits still come in 5 of 100 (Clopper and Pearson)."""
    low, high = 0.0, 1.0
    for _ in range(60):
        p = (low + high) / 2.0
        terms = (math.comb(samples, k) * p**k * (1.0 - p) ** (samples - k) for k in range(hits + 1))
        low, high = (p, high) if sum(terms) > 1.0 - SURE else (low, p)
    return high


def told_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How often each verdict came, by world."""
    told = []
    for k, world in enumerate(WORLDS):
        own = [r for r in rows if r["world"] == world.name]
        if not own:
            continue
        hits = sum(r["verdict"] == "worth it" for r in own)
        words = ("worth it", "open", "not worth it")
        told.append(
            {
                "world": world.name,
                "samples": len(own),
                **{word: sum(r["verdict"] == word for r in own) for word in words},
                "upper_end": round(upper_end(hits, len(own)), 4),
                "meant": MEANT[k] if k < len(MEANT) else None,
                "interval_alone": sum((r["low"] or 0.0) > 0.0 for r in own),
            }
        )
    return told


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """The whole file, one row a line; it is the old one or the new one."""
    order = {world.name: k for k, world in enumerate(WORLDS)}
    rows = sorted(rows, key=lambda r: (order[r["world"]], r["seed"]))
    lines = [",\n".join("  " + json.dumps(x) for x in part) for part in (told_of(rows), rows)]
    text = f'{{"rates": [\n{lines[0]}\n],\n"rows": [\n{lines[1]}\n]}}\n'
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def read(path: Path) -> list[dict[str, Any]]:
    """The rows that are there."""
    if not path.is_file():
        return []
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return rows


def differs(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names of what is not the same in two rows."""
    names = []
    for name in one:
        a, b = one[name], other.get(name)
        both = isinstance(a, float) and isinstance(b, float)
        if not (math.isclose(a, b, rel_tol=SAME, abs_tol=SAME) if both else a == b):
            names.append(f"{name}: {a} now, {b} in the file")
    return names


def again(path: Path, seeds: list[int]) -> int:
    """Make the rows of some seeds again."""
    known = {(r["world"], r["seed"]): r for r in read(path)}
    wrong = compared = 0
    for world in WORLDS:
        for seed in seeds:
            if (world.name, seed) not in known:
                continue
            found = differs(row_of(world, seed), known[world.name, seed])
            compared, wrong = compared + 1, wrong + bool(found)
            print(f"{world.name}, seed {seed}: {'; '.join(found) or 'as in the file'}", flush=True)
    if not compared:
        print(f"{path} has no row of these seeds")
        return 1
    print(f"{compared} rows made again, {wrong} differ")
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path("docs/learning-rates.json"))
    parser.add_argument("--seeds", default="")
    asked = parser.parse_args()
    if asked.seeds:
        return again(asked.out, [int(x) for x in asked.seeds.split(",")])
    rows = read(asked.out)
    there = {(r["world"], r["seed"]) for r in rows}
    # Seed by seed, so that a run that was stopped has something of each world.
    for seed in range(asked.samples):
        for world in WORLDS:
            if (world.name, seed) in there:
                continue
            before = time.process_time()
            rows.append(row_of(world, seed))
            write(asked.out, rows)
            seconds = time.process_time() - before
            print(f"{world.name}, seed {seed}: {rows[-1]['verdict']}, {seconds:.1f} s", flush=True)
    for one in told_of(rows):
        print(json.dumps(one))
    return 0


if __name__ == "__main__":
    sys.exit(main())
