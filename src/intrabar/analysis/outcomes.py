"""Figures of closed campaigns: how often they won, how much, and in what order.

A win is a campaign whose net profit is above zero, a loss one below; one at zero is neither.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.figure import Figure, Undefined

Floats = NDArray[np.float64]

NONE_CLOSED = Undefined("no campaign is closed")


def mean_of(values: Floats) -> Figure:
    """Mean over the campaigns."""
    return float(np.mean(values)) if values.shape[0] else NONE_CLOSED


def win_rate(net: Floats) -> Figure:
    """Share of wins among all closed campaigns."""
    return float(np.mean(net > 0.0)) if net.shape[0] else NONE_CLOSED


def profit_factor(net: Floats) -> Figure:
    """Sum of the wins over the sum of the losses."""
    if not net.shape[0]:
        return NONE_CLOSED
    lost = -float(net[net < 0.0].sum())
    return float(net[net > 0.0].sum()) / lost if lost > 0.0 else Undefined("no losses")


def payoff(net: Floats) -> Figure:
    """Mean win over mean loss."""
    if not net.shape[0]:
        return NONE_CLOSED
    wins, losses = net[net > 0.0], net[net < 0.0]
    if not wins.shape[0]:
        return Undefined("no wins")
    return float(wins.mean() / -losses.mean()) if losses.shape[0] else Undefined("no losses")


def expectancy_r(r: Floats) -> Figure:
    """Mean multiple of the initial risk, over the campaigns that had one."""
    known = r[~np.isnan(r)]
    return float(np.mean(known)) if known.shape[0] else Undefined("no campaign had a stop")


def sqn(r: Floats) -> Figure:
    """System quality number: root of n times the mean R over its sample deviation."""
    known = r[~np.isnan(r)]
    if known.shape[0] < 2:
        return Undefined(f"{known.shape[0]} campaigns with a stop, 2 are needed")
    deviation = float(np.std(known, ddof=1))
    if deviation <= 1e-12 * float(np.abs(known).max()):
        return Undefined("the R multiples do not vary")
    return float(np.sqrt(known.shape[0])) * float(np.mean(known)) / deviation


def cost_share(gross: float, costs: float) -> Figure:
    """Costs over the profit before costs."""
    return costs / gross if gross > 0.0 else Undefined("no profit before costs")


def longest_run(flags: NDArray[np.bool_]) -> int:
    """Length of the longest unbroken run of True."""
    edges = np.diff(np.concatenate(([0], flags.astype(np.int8), [0])))
    lengths = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
    return int(lengths.max(initial=0))
