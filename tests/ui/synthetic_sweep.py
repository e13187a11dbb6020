"""Sweeps for the page, without running anything."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import polars as pl

from intrabar.ui.sweep_input import Deflation, MetricKind, Sweep

KINDS: dict[str, MetricKind] = {
    "sharpe": {"unit": "ratio", "description": "Mean daily return over its deviation, a year"},
    "total_return": {"unit": "fraction", "description": "Last equity over the first, less 1"},
    "max_drawdown": {"unit": "fraction", "description": "Deepest fall below a peak"},
    "campaigns": {"unit": "count", "description": "Closed campaigns"},
    "expectancy_r": {"unit": "R", "description": "Mean net profit in units of the risk"},
}


def trials(parameters: dict[str, list[Any]], seed: int = 1, failed: int = 3) -> pl.DataFrame:
    """A smooth hill over the first two parameters, with noise; the first so many failed."""
    rng = np.random.default_rng(seed)
    n = len(next(iter(parameters.values())))
    x, y = (_rank(values) for values in list(parameters.values())[:2])
    hill = 1.6 * np.exp(-((x - 0.4) ** 2 + (y - 0.6) ** 2) / 0.1)
    sharpe = hill + rng.normal(0, 0.15, n) - 0.3
    known = np.arange(n) >= failed
    figures = {
        "sharpe": sharpe,
        "total_return": sharpe / 5,
        "max_drawdown": 0.3 / (1 + np.abs(sharpe)),
        "campaigns": rng.integers(20, 400, n).astype(float),
        "expectancy_r": sharpe / 10,
    }
    errors = np.where(np.arange(n) % 2 == 0, "ValueError: no bars left <b>", "ConfigError: fast")
    return pl.DataFrame(
        {
            "number": np.arange(n),
            **parameters,
            "status": np.where(known, "finished", "failed"),
            **{k: np.where(known, v, np.nan) for k, v in figures.items()},
            "error": np.where(known, "", errors),
        }
    ).with_columns(pl.col(name).fill_nan(None) for name in figures)


def _rank(values: list[Any]) -> np.ndarray:
    distinct, places = np.unique(values, return_inverse=True)
    return places / max(1, len(distinct) - 1)


def grid(*axes: tuple[str, list[Any]]) -> dict[str, list[Any]]:
    """Every combination, a column per parameter."""
    points = list(itertools.product(*(values for _, values in axes)))
    return {name: [p[i] for p in points] for i, (name, _) in enumerate(axes)}


def sweep(parameters: dict[str, list[Any]], **changes: Any) -> Sweep:
    """A sweep by Sharpe ratio whose best is the highest."""
    table = changes.pop("trials", None)
    table = trials(parameters) if table is None else table
    best = table["sharpe"].arg_max()
    given: dict[str, Any] = {
        "name": "MovingAverageCrossover on MES",
        "trials": table,
        "parameters": list(parameters),
        "metrics": KINDS,
        "metric": "sharpe",
        "best": None if best is None else table["number"][best],
        "deflation": Deflation(
            sharpe=None if best is None else table["sharpe"][best],
            deflated=0.71,
            by_luck=1.31,
            effective=38.4,
        ),
        "lower_is_better": {"max_drawdown"},
        "tried": table.height + 240,
        "strategies": ["MovingAverageCrossover"],
        "symbols": ["MES"],
        "start": 1_640_995_200_000_000_000,
        "end": 1_704_067_200_000_000_000,
        "created": "2026-01-01 00:00 UTC",
        "manifest": {"seed": 1},
    }
    return Sweep(**{**given, **changes})
