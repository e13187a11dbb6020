"""The page of a sweep as plain values; `frontend/src/sweep/view.ts` is the same in TypeScript."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, TypedDict, cast

import numpy as np
import polars as pl

from intrabar.analysis.neighbourhood import Axis, Indices, Neighbourhood, axes_of, neighbourhood
from intrabar.errors import RunError
from intrabar.model.bars import Floats
from intrabar.ui import shape
from intrabar.ui.coded import Coded, Number
from intrabar.ui.sweep_input import Sweep

SCHEMA = 1
TRIALS_PER_PAGE = 20_000
DIGITS = 6
PROFIT = ("net_profit", "total_return")


Value = Number | str
"""Of a parameter."""


class AxisView(TypedDict):
    """A parameter that varies: `values[codes[i]]` is that of row i.

    `label` is the end of its name that no other has. Numbers are `values` that rise; `edges` are
    those of bins where they were sampled.
    """

    name: str
    label: str
    is_number: bool
    values: list[Value]
    codes: list[int]
    edges: list[float]


class MetricView(TypedDict):
    """A metric of every row, null where it is undefined."""

    name: str
    label: str
    unit: str
    description: str
    lower_is_better: bool
    values: list[Number]


class BestView(TypedDict):
    """The best trial, by its row, with what is left of its Sharpe ratio."""

    row: int
    sharpe: Number
    deflated: Number
    by_luck: Number
    effective: Number
    reason: str


class AroundView(TypedDict):
    """The neighbours of the best, as `analysis.neighbourhood` has them, for one metric."""

    rows: list[int]
    without: int
    median: Number
    worst: Number
    profitable: Number
    kept: Number
    shape: Literal["plateau", "slope", "spike", "alone"]
    at_edge: list[str]


class FixedView(TypedDict):
    """A parameter that is the same in every trial."""

    label: str
    value: Value


class SweepView(TypedDict):
    """All that the page shows; `trials` and `failed` count what the table may not hold."""

    schema: int
    name: str
    created: str
    strategies: list[str]
    symbols: list[str]
    start: int | None
    end: int | None
    metric: str
    trials: int
    failed: int
    tried: int | None
    is_grid: bool
    best: BestView | None
    around: AroundView | None
    number: list[int]
    status: Coded
    error: Coded
    axes: list[AxisView]
    fixed: list[FixedView]
    metrics: list[MetricView]
    notes: list[str]
    manifest: dict[str, object]


def sweep_view(sweep: Sweep) -> SweepView:
    """Shape a sweep for its page.

    Raises
    ------
    RunError
        The table lacks a column, or the best is not in it.

    Notes
    -----
    Above `TRIALS_PER_PAGE` trials the page has an even sample of them, with the best and its
    neighbours; figures of the neighbourhood are of all trials.
    """
    _check(sweep)
    table = sweep.trials
    axes = axes_of({p: table[p].to_list() for p in sweep.parameters}, is_grid=sweep.is_grid)
    best = _row_of(sweep)
    around = _around(sweep, axes, best)
    kept = _kept(table.height, best, around)
    place = {int(row): i for i, row in enumerate(kept)}
    shown = table[kept]
    varying = {axis.name for axis in axes}
    label = _labels(sweep.parameters)
    return {
        "schema": SCHEMA,
        "name": sweep.name,
        "created": sweep.created,
        "strategies": list(sweep.strategies),
        "symbols": list(sweep.symbols),
        "start": None if sweep.start is None else sweep.start // shape.NS,
        "end": None if sweep.end is None else sweep.end // shape.NS,
        "metric": sweep.metric,
        "trials": table.height,
        "failed": int((table["status"] == "failed").sum()),
        "tried": sweep.tried,
        "is_grid": sweep.is_grid,
        "best": None
        if best is None
        else {
            "row": place[best],
            "sharpe": shape.number(sweep.deflation.sharpe),
            "deflated": shape.number(sweep.deflation.deflated),
            "by_luck": shape.number(sweep.deflation.by_luck),
            "effective": shape.number(sweep.deflation.effective),
            "reason": sweep.deflation.reason,
        },
        "around": None
        if around is None
        else {
            "rows": [place[int(row)] for row in around.rows],
            "without": around.without,
            "median": shape.number(around.median),
            "worst": shape.number(around.worst),
            "profitable": shape.number(around.profitable),
            "kept": shape.number(around.kept),
            "shape": around.shape,
            "at_edge": [label[name] for name in around.at_edge],
        },
        "number": shown["number"].to_list(),
        "status": shape.coded(shown["status"]),
        "error": shape.coded(shown["error"].replace("", None)),
        "axes": [_axis(axis, label[axis.name], kept) for axis in axes],
        "fixed": [
            {"label": label[name], "value": _value(table[name][0])}
            for name in sweep.parameters
            if name not in varying and table.height
        ],
        "metrics": [
            {
                "name": name,
                "label": shape.label(name),
                "unit": kind["unit"],
                "description": kind["description"],
                "lower_is_better": name in sweep.lower_is_better,
                "values": [shape.number(v, DIGITS) for v in shown[name].to_list()],
            }
            for name, kind in sweep.metrics.items()
        ],
        "notes": [*_sampled(table.height, len(kept)), *sweep.notes],
        "manifest": cast("dict[str, object]", shape.plain(dict(sweep.manifest))),
    }


def _check(sweep: Sweep) -> None:
    needed = ["number", "status", "error", *sweep.parameters, *sweep.metrics]
    missing = [name for name in needed if name not in sweep.trials.columns]
    if missing:
        raise RunError(f"the table of trials has no column {', '.join(missing)}")
    if sweep.metric not in sweep.metrics:
        raise RunError(f"the best is by {sweep.metric}, which is none of the page's metrics")


def _row_of(sweep: Sweep) -> int | None:
    if sweep.best is None:
        return None
    rows = np.flatnonzero(sweep.trials["number"].to_numpy() == sweep.best)
    if len(rows) != 1:
        raise RunError(f"trial {sweep.best}, the best, is in the table {len(rows)} times")
    return int(rows[0])


def _around(sweep: Sweep, axes: list[Axis], best: int | None) -> Neighbourhood | None:
    if best is None or not axes:
        return None
    by = next((name for name in PROFIT if name in sweep.metrics), sweep.metric)
    own = _floats(sweep.trials[sweep.metric])
    if np.isnan(own[best]):
        return None
    maximize = sweep.metric not in sweep.lower_is_better
    return neighbourhood(axes, own, _floats(sweep.trials[by]), best, maximize=maximize)


def _kept(trials: int, best: int | None, around: Neighbourhood | None) -> Indices:
    if trials <= TRIALS_PER_PAGE:
        return np.arange(trials)
    rows = np.linspace(0, trials - 1, TRIALS_PER_PAGE).astype(np.intp)
    more = [] if best is None else [best]
    near = np.empty(0, np.intp) if around is None else around.rows[:TRIALS_PER_PAGE]
    return np.unique(np.concatenate([rows, np.array(more, np.intp), near]))


def _sampled(trials: int, shown: int) -> list[str]:
    if trials == shown:
        return []
    return [
        f"{trials:,} trials are too many for one page: {shown:,} of them are here, an even sample "
        "with the best and its neighbours"
    ]


def _axis(axis: Axis, label: str, kept: Indices) -> AxisView:
    return {
        "name": axis.name,
        "label": label,
        "is_number": axis.is_number,
        "values": [_value(value) for value in axis.values],
        "codes": axis.codes[kept].tolist(),
        "edges": [] if axis.edges is None else shape.finite(axis.edges),
    }


def _labels(names: Sequence[str]) -> dict[str, str]:
    """For each name the shortest end, cut at dots, that no other name has."""
    ends = {
        name: [name.split(".", k)[-1] for k in range(name.count("."), -1, -1)] for name in names
    }
    every = Counter(end for own in ends.values() for end in own)
    return {name: next((end for end in own if every[end] == 1), name) for name, own in ends.items()}


def _value(value: object) -> Number | str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    return value if isinstance(value, str) else shape.number(value)


def _floats(column: pl.Series) -> Floats:
    return np.asarray(column.cast(pl.Float64).fill_null(np.nan).to_numpy(), dtype=np.float64)
