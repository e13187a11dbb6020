"""Whether the best of a sweep stands on a plateau: what the trials beside it made.

A result that rests on a market, not on luck, changes little when a parameter moves a step. In
noise the neighbours of the best are like any other trial. What is measured here is therefore how
much of its lead over the median trial the best shares with its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from intrabar.model.bars import Floats

Value = bool | int | float | str | None
Indices = NDArray[np.intp]
Shape = Literal["plateau", "slope", "spike", "alone"]

FEWEST_BINS, MOST_BINS = 3, 16

# Shares of the lead that neighbours keep. Thirds, because the measure is rough.
PLATEAU_FROM, SPIKE_BELOW = 2 / 3, 1 / 3

# A median of fewer neighbours is that of one of them.
FEWEST_NEIGHBOURS = 2


@dataclass(frozen=True, eq=False, slots=True)
class Axis:
    """A parameter that varies over the trials of a sweep.

    Parameters
    ----------
    name : str
    values : list of Value
        Distinct ones: numbers rising, anything else in the order in which it appears.
    codes : (n,) intp
        `values[codes[i]]` is that of trial i.
    is_number : bool
        Every value is a number; then there is an order to take steps in.
    steps : (n,) intp
        Where each trial is on the axis in steps: its code, or its bin.
    edges : (k + 1,) float64 or None
        Of the k bins, where the values were sampled, not laid out on a grid.
    """

    name: str
    values: list[Value]
    codes: Indices
    is_number: bool
    steps: Indices
    edges: Floats | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Neighbourhood:
    """The trials one step away from the best in each parameter.

    Parameters
    ----------
    rows : (k,) intp
        The neighbours.
    without : int
        Those of them that have no figure, because they failed or it is undefined. The other
        figures leave them out.
    median, worst : float
        Of the metric over the neighbours; NaN where none has a figure.
    profitable : fraction
        Of the neighbours made money; NaN where none has a figure.
    kept : fraction
        Of the best's lead over the median trial, by the median neighbour; it can be negative.
    shape : {"plateau", "slope", "spike", "alone"}
        The neighbours keep two thirds of the lead or more, less, less than one third; or there
        are too few of them to say.
    at_edge : list of str
        Parameters of which the best has the lowest or the highest number.
    """

    rows: Indices
    without: int
    median: float
    worst: float
    profitable: float
    kept: float
    shape: Shape
    at_edge: list[str]


def axes_of(parameters: Mapping[str, Sequence[Value]], *, is_grid: bool) -> list[Axis]:
    """The parameters that vary, as axes.

    Parameters
    ----------
    parameters : {name: n values}
    is_grid : bool
        The values were laid out, and a step leads to the next one. Otherwise they were sampled,
        and numbers are put into bins that hold about the same count of trials: so many that a
        cell of all axes together holds about one.
    """
    found = [_axis(name, values) for name, values in parameters.items()]
    varying = [axis for axis in found if len(axis.values) > 1]
    if is_grid or not varying:
        return varying
    n, numbers = len(varying[0].codes), sum(axis.is_number for axis in varying)
    bins = int(np.clip(round(n ** (1 / max(1, numbers))), FEWEST_BINS, MOST_BINS))
    return [_binned(a, bins) if a.is_number and len(a.values) > bins else a for a in varying]


def neighbours(axes: Sequence[Axis], row: int) -> Indices:
    """Rows of the trials at most one step away in each number, and alike in all else.

    Raises
    ------
    ValueError
        No axis.
    """
    if not axes:
        raise ValueError("a sweep in which no parameter varies has no neighbours")
    near = np.ones(axes[0].steps.shape, dtype=np.bool_)
    for axis in axes:
        near &= np.abs(axis.steps - axis.steps[row]) <= (1 if axis.is_number else 0)
    near[row] = False
    return np.flatnonzero(near)


def neighbourhood(
    axes: Sequence[Axis], metric: Floats, profit: Floats, best: int, *, maximize: bool = True
) -> Neighbourhood:
    """How the trials beside the best did.

    Parameters
    ----------
    axes : sequence of Axis, at least one
    metric, profit : (n,) float64
        What the best is the best by, and what is above zero where money was made; NaN where
        unknown.
    best : int
        Its row; it has a metric.
    maximize : bool
        More of the metric is better.
    """
    rows = neighbours(axes, best)
    sign = 1.0 if maximize else -1.0
    own = metric[rows]
    known = ~np.isnan(own)
    count = int(known.sum())
    median = float(np.median(own[known])) if count else np.nan
    lead = sign * (metric[best] - float(np.nanmedian(metric)))
    lost = sign * (metric[best] - median)
    kept = 1.0 - lost / lead if lead > 0.0 else np.nan
    return Neighbourhood(
        rows=rows,
        without=len(rows) - count,
        median=median,
        worst=float(sign * np.min(sign * own[known])) if count else np.nan,
        profitable=float(np.mean(profit[rows][known] > 0.0)) if count else np.nan,
        kept=kept,
        shape=_shape(kept) if count >= FEWEST_NEIGHBOURS else "alone",
        at_edge=[a.name for a in axes if a.is_number and _is_at_edge(a, best)],
    )


def _shape(kept: float) -> Shape:
    if np.isnan(kept) or kept >= PLATEAU_FROM:  # without a lead, all are alike
        return "plateau"
    return "spike" if kept < SPIKE_BELOW else "slope"


def _is_at_edge(axis: Axis, row: int) -> bool:
    low, high = axis.steps.min(), axis.steps.max()
    return bool(high - low > 1 and axis.steps[row] in (low, high))


def _axis(name: str, values: Sequence[Value]) -> Axis:
    # True is equal to 1, so the type is a part of what is told apart.
    known: dict[tuple[bool, Value], int] = {}
    codes = [known.setdefault((isinstance(v, bool), v), len(known)) for v in values]
    found = [value for _, value in known]
    is_number = all(isinstance(v, int | float) and not isinstance(v, bool) for v in found)
    at = np.array(codes, dtype=np.intp)
    if is_number:
        order = np.argsort(np.array(found, dtype=np.float64), kind="stable")
        found = [found[i] for i in order]
        at = np.argsort(order)[at]
    return Axis(name, found, at, is_number, at)


def _binned(axis: Axis, bins: int) -> Axis:
    values = np.array(axis.values, dtype=np.float64)[axis.codes]
    edges = np.unique(np.quantile(values, np.linspace(0.0, 1.0, bins + 1)))
    steps = np.clip(np.searchsorted(edges, values, "right") - 1, 0, len(edges) - 2)
    return Axis(axis.name, axis.values, axis.codes, True, steps.astype(np.intp), edges)
