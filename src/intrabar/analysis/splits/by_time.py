"""Train and validation rows of many symbols, parted at one instant.

The rows of one bar mean another day in another symbol, so everything goes by time. A train row's
label may not reach to the instant, nor into the first window that its own symbol is validated on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.model.bars import Times

TRAIN, VALIDATION, PURGED = range(3)
NAMES = ("train", "validation", "purged")
LAST = 0.2


class Parted(NamedTuple):
    """Rows, each with its part.

    Attributes
    ----------
    part : (n,) int8
        TRAIN, VALIDATION or PURGED.
    cut : int, ns UTC
        Validation rows are decided then or later.
    """

    part: NDArray[np.int8]
    cut: int

    def counts(self) -> dict[str, int]:
        """Rows of each part."""
        found = np.bincount(self.part, minlength=len(NAMES))
        return dict(zip(NAMES, found.tolist(), strict=True))


def part_by_time(
    time: Times, end_time: Times, begins: Times, symbol: NDArray[np.int64], last: float = LAST
) -> Parted:
    """Part rows at the instant before which all but the last share of them lie.

    Parameters
    ----------
    time : (n,) int64, ns UTC, never falling
        Of the decisions.
    end_time : (n,) int64, ns UTC
        When each label is over.
    begins : (n,) int64, ns UTC
        The first bar of each row's window.
    symbol : (n,) int64
        0, 1, ...
    last : fraction
        Share of the rows to validate on.
    """
    cut = int(time[min(int(len(time) * (1.0 - last)), len(time) - 1)])
    validated = time >= cut
    edge = np.full(int(symbol.max()) + 1, cut, np.int64)
    np.minimum.at(edge, symbol[validated], begins[validated])
    part = np.where(end_time < edge[symbol], TRAIN, PURGED)
    return Parted(np.where(validated, VALIDATION, part).astype(np.int8), cut)
