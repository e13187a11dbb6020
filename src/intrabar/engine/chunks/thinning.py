"""Long curves made short as they come: of every stretch, the rows of its extremes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 20_000  # rows


class ThinnedCurve:
    """Columns of a table that comes piece by piece, thinned to at most so many rows.

    The lowest and the highest value of every stretch of so many rows stay, for each of the
    columns that are watched; the stretches grow as the table does.

    Parameters
    ----------
    watched : sequence of str
        Columns whose extremes are kept.
    most : rows
    """

    def __init__(self, *watched: str, most: int = MOST) -> None:
        self._watched = watched
        self._most = most
        self._stretch = 1
        self.total = 0
        self._rows: NDArray[np.int64] = np.zeros(0, np.int64)
        self.columns: dict[str, NDArray[Any]] = {}

    def take(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Take in the next rows."""
        count = len(next(iter(columns.values())))
        if not count:
            return
        rows = self.total + np.arange(count)
        before = self.columns or {name: values[:0] for name, values in columns.items()}
        self._rows = np.append(self._rows, rows)
        self.columns = {name: np.append(before[name], columns[name]) for name in columns}
        self.total += count
        if len(self._rows) > self._most:
            self._thin()
        while len(self._rows) > self._most:
            self._stretch *= 2
            self._thin()

    def _thin(self) -> None:
        stretch = self._rows // self._stretch
        first = np.flatnonzero(np.append(True, stretch[1:] != stretch[:-1]))
        of = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(stretch))))
        kept = {0, len(stretch) - 1}
        for name in self._watched:
            values = self.columns[name]
            # Within each stretch in order of value; the first of equals comes first.
            low, high = np.lexsort((values, of)), np.lexsort((-values, of))
            kept |= set(low[first].tolist()) | set(high[first].tolist())
        rows = np.array(sorted(kept), np.int64)
        self._rows = self._rows[rows]
        self.columns = {name: values[rows] for name, values in self.columns.items()}
