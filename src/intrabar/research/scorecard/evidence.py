"""What a scorecard is worked out of: plain values, whatever they came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.returns import days_of
from intrabar.errors import UsageError
from intrabar.model.bars import Floats, Times

Ints = NDArray[np.int64]
Span = tuple[int, int]
"""First and last instant, ns UTC."""


class Scores(NamedTuple):
    """Scores of the campaigns that begin at the same entries, under one path inside the bars.

    Parameters
    ----------
    learned : (n,) float64
        NaN where there is no campaign.
    static : (n, K) float64
        Of each arm, kept for the whole campaign.
    """

    learned: Floats
    static: Floats


@dataclass(frozen=True, eq=False)
class Entries:
    """The entries of a learned run, out of sample, in the order of their times.

    Parameters
    ----------
    symbols : tuple of str
    time : (n,) int64, ns UTC
        Close of the decision.
    symbol, window : (n,) int64
        Index of `symbols`, and of the windows.
    side : (n,) int64
        1 or -1.
    arm : (n,) int64
        Index of the arm taken; -1 where it changes while held.
    here, other : Scores
        Under the path of the configuration, and under the opposite one.
    """

    symbols: tuple[str, ...]
    time: Times
    symbol: Ints
    window: Ints
    side: Ints
    arm: Ints
    here: Scores
    other: Scores

    @property
    def day(self) -> Ints:
        """UTC days of the entries."""
        return days_of(self.time)

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, eq=False)
class Window:
    """A train and the test that follows it.

    Parameters
    ----------
    name : str
    train, test : Span
    scores : (m, K) float64
        Of each arm at the bot's entries of the train, in lanes.
    own_entries : int
        Entries that the bot had there; where they were too few, `scores` are of every bar.
    """

    name: str
    train: Span
    test: Span
    scores: Floats
    own_entries: int


@dataclass(frozen=True, eq=False)
class Returns:
    """Daily returns of the account, out of sample, with each of the two bots run whole.

    Parameters
    ----------
    day : (m,) int64, days since 1970
    learned, static : (m,) float64, fraction
    """

    day: Ints
    learned: Floats
    static: Floats


@dataclass(frozen=True)
class Training:
    """What is known of how the exit was trained.

    Parameters
    ----------
    name : str
        Of the policy, or what else decides.
    hash : str
    doubts : tuple of str
        Why it cannot be called worth it whatever it earns: in sample, an unknown training.
    canaries : tuple of (name, holds, told), or None
        None where nothing was trained, so that there is none.
    seeds : tuple of int
        All that were trained; one was chosen on the train.
    declared : bool
        When it was trained is told by a person: what counts is a test after it was first seen.
    """

    name: str
    hash: str
    doubts: tuple[str, ...] = ()
    canaries: tuple[tuple[str, bool, str], ...] | None = ()
    seeds: tuple[int, ...] = ()
    declared: bool = False


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that a scorecard follows from.

    Parameters
    ----------
    bot : str
        Its kind: that of its entry.
    arms : (K,) float64
        ATR multiples; the first `learnable` are those that the exit chooses among.
    learnable : int
    own : int or None
        Index of the arm that the user would trade without learning.
    paths : (str, str)
        What the two paths are called.
    entries : Entries
    windows : tuple of Window
    returns : Returns
    training : Training
    data : str
        Hash of the bars; "" where there is none.
    remarks : tuple of str
    """

    bot: str
    arms: Floats
    learnable: int
    own: int | None
    paths: tuple[str, str]
    entries: Entries
    windows: tuple[Window, ...]
    returns: Returns
    training: Training
    data: str = ""
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n, k = len(self.entries), len(self.arms)
        for scores in (self.entries.here, self.entries.other):
            if scores.learned.shape != (n,) or scores.static.shape != (n, k):
                raise UsageError(
                    f"scores of {scores.learned.shape} and {scores.static.shape}: {n} entries and "
                    f"{k} arms were expected"
                )
        if not self.windows:
            raise UsageError("there is no window: a scorecard needs a train and a test after it")
        if (np.diff(self.entries.time) < 0).any():
            raise UsageError("entries are not in the order of their times")

    @property
    def test(self) -> Span:
        """From the first test's first instant to the last one's last."""
        return min(w.test[0] for w in self.windows), max(w.test[1] for w in self.windows)
