"""Combinatorially symmetric cross-validation, loop by loop."""

from __future__ import annotations

from itertools import combinations
from math import log
from statistics import fmean, stdev


def sharpe(values: list[float]) -> float:
    deviation = stdev(values)
    return fmean(values) / deviation if deviation > 1e-15 else 0.0


def splits(columns: list[list[float]], blocks: int) -> list[tuple[float, float, float]]:
    """Logit, Sharpe ratio inside and outside of the best, of each split."""
    length = len(columns[0]) // blocks
    spare = len(columns[0]) - length * blocks
    found = []
    for inner in combinations(range(blocks), blocks // 2):
        inside, outside = [], []
        for column in columns:
            cut = [column[spare + b * length : spare + (b + 1) * length] for b in range(blocks)]
            inside.append(sharpe([v for b in inner for v in cut[b]]))
            outside.append(sharpe([v for b in range(blocks) if b not in inner for v in cut[b]]))
        best = inside.index(max(inside))
        own = outside[best]
        below = sum(v < own - 1e-9 for v in outside)
        same = sum(abs(v - own) <= 1e-9 for v in outside)
        share = (below + (same + 1) / 2) / (len(columns) + 1)
        found.append((log(share / (1 - share)), inside[best], own))
    return found
