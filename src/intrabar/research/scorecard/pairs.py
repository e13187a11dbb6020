"""Pairs: the learned exit and a static one at the same entries, each campaign by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.bootstrap import Interval, ratio_interval
from intrabar.analysis.figure import Figure, Undefined
from intrabar.model.bars import Floats
from intrabar.research.scorecard.evidence import Entries, Evidence, Ints

SHIFTS = 1000
LEAST_SHIFT = 0.1  # of the entries of the test
FEWEST_SHIFTED = 20  # entries from which shifts say anything


@dataclass(frozen=True, slots=True)
class Compared:
    """Differences of scores, learned less static.

    Parameters
    ----------
    name : str
        Which pairs.
    pairs, days : int
        Of which both campaigns are there; days on which they began.
    mean : float or None
        None without a pair.
    interval : Interval or Undefined
        95 %, by days.
    """

    name: str
    pairs: int
    days: int
    mean: float | None
    interval: Interval | Undefined

    def as_json(self) -> dict[str, Any]:
        """Plain values; an interval that is not there has its reason."""
        told: dict[str, Any] = {
            "name": self.name,
            "pairs": self.pairs,
            "days": self.days,
            "mean": self.mean,
        }
        if isinstance(self.interval, Undefined):
            return {**told, "low": None, "high": None, "reason": self.interval.reason}
        return {**told, "low": self.interval.low, "high": self.interval.high}

    @property
    def text(self) -> str:
        """The mean with its interval."""
        if self.mean is None:
            return "no pair"
        if isinstance(self.interval, Undefined):
            return f"{self.mean:+.4f} (no interval: {self.interval.reason})"
        return f"{self.mean:+.4f} ({self.interval.low:+.4f} to {self.interval.high:+.4f})"


def differences(entries: Entries, arm: Ints, other: bool = False) -> Floats:
    """Score of the learned exit less that of a static arm at each entry; NaN without both.

    Parameters
    ----------
    entries : Entries
    arm : (n,) int64
        Index of the static arm.
    other : bool
        Under the opposite path.
    """
    scores = entries.other if other else entries.here
    return np.asarray(scores.learned - scores.static[np.arange(len(entries)), arm])


def compared(name: str, d: Floats, day: Ints, seed: int) -> Compared:
    """Mean of differences and its interval: days are resampled whole, in blocks.

    Parameters
    ----------
    name : str
    d : (n,) float64
        NaN is no pair.
    day : (n,) int64
    seed : int
    """
    there = np.isfinite(d)
    d, day = d[there], day[there]
    if not len(d):
        return Compared(name, 0, 0, None, Undefined("no pair"))
    days, at = np.unique(day, return_inverse=True)
    over = np.asarray(np.bincount(at, d), np.float64)
    under = np.asarray(np.bincount(at), np.float64)
    found = ratio_interval(over, under, seed=seed)
    return Compared(name, len(d), len(days), float(d.mean()), found)


def by_group(
    d: Floats, day: Ints, group: NDArray[Any], names: Sequence[str], seed: int
) -> tuple[Compared, ...]:
    """The same of each group, numbered as their names; groups without a pair are left out."""
    found = (compared(name, d[group == k], day[group == k], seed) for k, name in enumerate(names))
    return tuple(one for one in found if one.pairs)


def groups_of(evidence: Evidence, d: Floats, seed: int) -> dict[str, tuple[Compared, ...]]:
    """Differences by side, symbol, year and window."""
    entries, day = evidence.entries, evidence.entries.day
    year = day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    years = np.unique(year)
    sides = np.where(entries.side > 0, 0, 1)
    windows = [one.name for one in evidence.windows]
    return {
        "side": by_group(d, day, sides, ("long", "short"), seed),
        "symbol": by_group(d, day, entries.symbol, entries.symbols, seed),
        "year": by_group(d, day, np.searchsorted(years, year), [str(y) for y in years], seed),
        "window": by_group(d, day, entries.window, windows, seed),
    }


def best_of_test(evidence: Evidence) -> int | None:
    """The static arm with the highest mean over the entries of the test; None without any."""
    own = evidence.entries.here.static[:, : evidence.learnable]
    whole = np.isfinite(own).all(axis=1)
    return int(np.argmax(own[whole].mean(axis=0))) if whole.any() else None


def shares_of(evidence: Evidence) -> Floats | Undefined:
    """How often each arm was taken, (K,), summing to 1."""
    arm = evidence.entries.arm
    if not len(arm) or (arm < 0).any():
        return Undefined("no arm is kept for a whole campaign" if len(arm) else "no entry")
    return np.asarray(np.bincount(arm, minlength=len(evidence.arms)) / len(arm))


def against_own_shares(evidence: Evidence, shares: Floats) -> Floats:
    """Learned score less what its own arms, drawn by their shares, would expect at each entry."""
    taken = shares > 0.0
    here = evidence.entries.here
    return np.asarray(here.learned - here.static[:, taken] @ shares[taken])


def timing(evidence: Evidence, seed: int) -> Figure:
    """How likely the same decisions, dealt to other entries, score as high: circular shifts.

    Each shift is at least a tenth of the entries of the test, in either direction; 1,000 are drawn
    where there are as many.
    """
    arm, static = evidence.entries.arm, evidence.entries.here.static
    n = len(arm)
    if n and (arm < 0).any():
        return Undefined("its arm changes while held, so it cannot be dealt to another entry")
    if n < FEWEST_SHIFTED:
        return Undefined(f"{n} entries, {FEWEST_SHIFTED} are needed")
    least = int(np.ceil(LEAST_SHIFT * n))
    shifts = np.arange(least, n - least + 1)
    if len(shifts) > SHIFTS:
        shifts = np.random.default_rng(seed).choice(shifts, SHIFTS, replace=False)
    rows = np.arange(n)

    def mean(shift: int) -> float:
        score = static[rows, np.roll(arm, shift)]
        there = np.isfinite(score)
        return float(score[there].mean()) if there.any() else -np.inf

    itself = mean(0)
    reached = sum(mean(int(shift)) >= itself for shift in shifts)
    return (1 + reached) / (1 + len(shifts))
