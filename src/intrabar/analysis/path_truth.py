"""Path truth: how often the rules that guess the path inside a bar are right.

Detail bars tell what a longer bar hides. Two questions are asked of each bar. Which extreme came
first? And, for a stop and a target that both lie inside the bar, with an entry at its open: which
of the two was reached first? A bar whose detail cannot tell, because both happen inside one
detail bar, is counted apart and enters no share.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.model.bars import Bars, Floats
from intrabar.model.prices import near
from intrabar.sim.path import nearest, shortest

Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]

Z95 = 1.959964  # two-sided 95 % of the normal distribution

BRACKETS = ((0.1, 0.1), (0.25, 0.25), (0.25, 0.5), (0.5, 0.5))
"""Distances of stop and target from the open, in median ranges of the bars; in whole ticks."""


class Tally(NamedTuple):
    """How often something was right, of how many cases that the detail could tell."""

    right: int
    told: int

    @property
    def share(self) -> float:
        """Fraction, NaN of no cases."""
        return self.right / self.told if self.told else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the share; 0 to 1 of no cases.

        Notes
        -----
        Wilson (1927), Probable inference, JASA 22. It takes the cases as independent.
        """
        if not self.told:
            return 0.0, 1.0
        n, z = self.told, Z95
        middle = (self.share + z * z / (2 * n)) / (1 + z * z / n)
        spread = z / (1 + z * z / n)
        spread *= math.sqrt(self.share * (1 - self.share) / n + z * z / (4 * n * n))
        return max(0.0, middle - spread), min(1.0, middle + spread)


class Extremes(NamedTuple):
    """Which extreme of a bar came first.

    `flat` bars have one price, of `untold` ones both extremes lie in one detail bar. A tie is
    where a rule falls back on another one (`shortest`: the close is the open; `nearest`: both
    extremes are as far from it).
    """

    bars: int
    flat: int
    untold: int
    shortest: Tally
    shortest_ties: Tally
    nearest: Tally
    nearest_ties: Tally


class Pairs(NamedTuple):
    """Which of a stop and a target inside a bar was reached first, the entry being its open.

    `stop` and `target` are their distances in median ranges. A coin decides whether a bar's pair
    is of a long or a short position.
    """

    stop: float
    target: float
    pairs: int
    untold: int
    stop_first: Tally
    shortest: Tally
    nearest: Tally


class LengthTruth(NamedTuple):
    """What detail bars tell of bars of one length, ns."""

    period: int
    extremes: Extremes
    pairs: tuple[Pairs, ...]

    @property
    def trust(self) -> Tally:
        """How often `shortest` was right for the pairs of all widths together.

        Not the share of the extremes: that one is higher, because it counts the many bars that
        open near an extreme, which no stop and target fit into.
        """
        return Tally(
            sum(p.shortest.right for p in self.pairs), sum(p.shortest.told for p in self.pairs)
        )


def length_truth(
    bars: Bars, detail: Bars, first: Rows, count: Rows, tick: float, seed: int = 0
) -> LengthTruth:
    """Measure the rules on bars of one length.

    Parameters
    ----------
    bars : Bars
        Made of the detail bars.
    detail : Bars
    first, count : (n,) int64
        Row of the first detail bar of each bar, and how many it has, at least one.
    tick : price
        Smallest price step; 0 where there is no grid.
    seed : int
        Of the coin that gives each bar a long or a short pair.
    """
    top = float(bars.high.max())
    tolerance = float(near(top, top, tick))
    inside = _Inside(detail, first, count, tolerance)
    low, high = inside.first_at_or_below(bars.low), inside.first_at_or_above(bars.high)
    prices = np.column_stack([bars.open, bars.high, bars.low, bars.close]).tolist()
    low_first = {
        name: np.array([rule(x[0], x[1], x[2], x[3], tick) for x in prices], np.bool_)
        for name, rule in (("shortest", shortest), ("nearest", nearest))
    }
    long = np.random.default_rng(seed).random(len(bars)) < 0.5
    typical = float(np.median(bars.high - bars.low))
    # Where a tick is wide, two brackets may be one; without a grid a thousandth serves.
    tick = tick or typical / 1_000 or 1.0
    steps = {
        tuple(max(1, round(part * typical / tick)) for part in bracket): bracket
        for bracket in reversed(BRACKETS)
    }
    pairs = tuple(
        _pairs(bars, inside, low_first, long, bracket, tick * np.array(ticks))
        for ticks, bracket in reversed(steps.items())
    )
    return LengthTruth(bars.period, _extremes(bars, low, high, low_first, tolerance), pairs)


class _Inside:
    """The detail bars of each bar, searched for the first that reaches a price."""

    def __init__(self, detail: Bars, first: Rows, count: Rows, tolerance: float) -> None:
        self.count = count
        self.tolerance = tolerance
        # The detail bars of all bars, in one row: a bar's own are neighbors there.
        self.start = np.cumsum(count) - count
        rows = np.repeat(first - self.start, count) + np.arange(int(count.sum()))
        self.high, self.low = detail.high[rows] + tolerance, detail.low[rows] - tolerance

    def first_at_or_above(self, price: Floats) -> Rows:
        return self._first(self.high >= np.repeat(price, self.count))

    def first_at_or_below(self, price: Floats) -> Rows:
        return self._first(self.low <= np.repeat(price, self.count))

    def _first(self, hit: Flags) -> Rows:
        rows = np.append(np.flatnonzero(hit), hit.size)
        return np.asarray(rows[np.searchsorted(rows, self.start)], np.int64)


def _extremes(
    bars: Bars, low: Rows, high: Rows, low_first: dict[str, Flags], tolerance: float
) -> Extremes:
    flat = bars.high - bars.low <= tolerance
    told = ~flat & (low != high)
    up, down = bars.high - bars.open, bars.open - bars.low
    ties = {
        "shortest": np.abs(bars.close - bars.open) <= tolerance,
        "nearest": np.abs(down - up) <= tolerance,
    }
    tallies = {}
    for rule, tie in ties.items():
        right = low_first[rule] == (low < high)
        tallies[rule] = _tally(right, told & ~tie)
        tallies[f"{rule}_ties"] = _tally(right, told & tie)
    return Extremes(len(bars), int(flat.sum()), int((~flat & ~told).sum()), **tallies)


def _pairs(
    bars: Bars,
    inside: _Inside,
    low_first: dict[str, Flags],
    long: Flags,
    bracket: tuple[float, float],
    distance: Floats,
) -> Pairs:
    stop, target = distance
    lower = bars.open - np.where(long, stop, target)
    upper = bars.open + np.where(long, target, stop)
    holds = (lower >= bars.low - inside.tolerance) & (upper <= bars.high + inside.tolerance)
    low, high = inside.first_at_or_below(lower), inside.first_at_or_above(upper)
    told = holds & (low != high)
    truth = low < high
    return Pairs(
        *bracket,
        int(holds.sum()),
        int((holds & ~told).sum()),
        _tally(truth == long, told),
        _tally(low_first["shortest"] == truth, told),
        _tally(low_first["nearest"] == truth, told),
    )


def _tally(right: Flags, told: Flags) -> Tally:
    return Tally(int((right & told).sum()), int(told.sum()))
