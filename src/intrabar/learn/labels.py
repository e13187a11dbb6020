"""What is learned from scores: which arm was best, by how much, and how much rows share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.model.bars import Floats

TIED = 1e-9  # scores this near are one


class Best(NamedTuple):
    """The best arm of each row, (k,).

    Parameters
    ----------
    arm : float64
    label : int8
        Its index.
    gap : float64
        The highest score less the second.
    """

    arm: Floats
    label: NDArray[np.int8]
    gap: Floats


def best_of(scores: Floats, arms: Floats) -> Best:
    """The arm with the highest score; of those within 1e-9 of it the smallest, which ends sooner.

    Parameters
    ----------
    scores : (k, a) float64
        NaN where an arm has no campaign; two of a row at least are known.
    arms : (a,) float64, rising
    """
    known = np.where(np.isnan(scores), -np.inf, scores)
    two = np.sort(known, axis=1)[:, -2:]
    label = np.argmax(known >= two[:, 1:] - TIED, axis=1)
    return Best(arms[label], label.astype(np.int8), two[:, 1] - two[:, 0])


class Alive:
    """How many labels of one symbol and side live at each of its bars.

    They come in the order of their starts. A label lives on the bars after its decision, up to
    that of its last exit.

    Parameters
    ----------
    bars : int
        Of the instrument.
    """

    def __init__(self, bars: int) -> None:
        self._change = np.zeros(bars + 1, np.int32)
        self._summed = np.zeros(bars + 1)  # over the bars before, of 1 / labels alive
        self._settled = self._alive = 0

    def add(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> None:
        """Labels that live from one bar to another, both included."""
        np.add.at(self._change, first, 1)
        np.add.at(self._change, last + 1, -1)

    def settle(self, until: int) -> None:
        """No label that comes later starts before this bar."""
        done = self._settled
        alive = self._alive + np.cumsum(self._change[done:until], dtype=np.int64)
        if not len(alive):
            return
        shares = np.divide(1.0, alive, out=np.zeros(len(alive)), where=alive > 0)
        # One sum in the order of the bars, in however many pieces they come.
        self._summed[done + 1 : until + 1] = np.cumsum(np.append(self._summed[done], shares))[1:]
        self._settled, self._alive = until, int(alive[-1])

    def uniqueness(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> Floats:
        """Mean of 1 / labels alive over each span; its bars are settled."""
        whole: Floats = self._summed[last + 1] - self._summed[first]
        return whole / (last + 1 - first)
