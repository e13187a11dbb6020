"""Rows of several arrays that come one after the other, and go when they are no longer read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


class GrowingRows:
    """Arrays with as many rows each, appended in place: a row costs its own width.

    Parameters
    ----------
    doubles : bool
        Make room for as many rows again when it is used up; else for no more than there are.
    """

    def __init__(self, doubles: bool) -> None:
        self.first = 0  # number of the first row in memory, of all that ever were
        self._doubles = doubles
        self._arrays: dict[str, NDArray[Any]] = {}
        self._start = self._count = self._room = 0

    def __len__(self) -> int:
        """How many are in memory."""
        return self._count

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Those of one array; good until more rows come."""
        return self._arrays[name][self._start : self._start + self._count]

    def with_room(self, name: str) -> NDArray[Any]:
        """The same, with the rows behind them that there is room for; of those nothing is said."""
        return self._arrays[name][self._start : self._room]

    def keep(self, rows: int) -> None:
        """Let go of all but the last rows."""
        gone = max(self._count - rows, 0)
        self.first += gone
        self._start += gone
        self._count -= gone

    def append(self, rows: Mapping[str, NDArray[Any]], count: int) -> bool:
        """Put rows behind the others, by the same names each time; whether all had to move."""
        moves = not self._arrays or self._start + self._count + count > self._room
        if moves:
            self._make_room(rows, count)
        begin = self._start + self._count
        for name, values in rows.items():
            self._arrays[name][begin : begin + count] = values
        self._count += count
        return moves

    def _make_room(self, rows: Mapping[str, NDArray[Any]], count: int) -> None:
        room = (self._count + count) * (2 if self._doubles else 1)
        arrays = {}
        for name, values in rows.items():
            arrays[name] = np.empty((room, *values.shape[1:]), values.dtype)
            if self._count:
                arrays[name][: self._count] = self[name]
        self._arrays, self._start, self._room = arrays, 0, room
