"""What metrics read of an equity: taken in at once, or piece by piece."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.drawdown import dry, take
from intrabar.analysis.returns import last_of_day
from intrabar.kernel import plain
from intrabar.model.bars import Times

Floats = NDArray[np.float64]


class EquityPath:
    """The course of an equity; of the rows before, only what figures hang on is kept.

    Parameters
    ----------
    initial : account currency, > 0
        Before the first row.
    """

    def __init__(self, initial: float) -> None:
        self.initial = initial
        self.bars = 0
        self.held = 0  # bars at whose close a position is open
        self.days: Times = np.zeros(0, np.int64)
        self.daily: Floats = np.zeros(0)  # last equity of each day
        self._sum = 0.0
        self._water, self.spells = plain(dry)(initial)

    def take(self, time: Times, day: Times, equity: Floats, held: NDArray[np.bool_]) -> None:
        """Take in the next rows.

        Parameters
        ----------
        time : (k,) int64, ns UTC
        day : (k,) int64, days since 1970
        equity : (k,) float64, account currency
        held : (k,) bool
        """
        if not len(time):
            return
        last = slice(-1, None)  # the day of the last row may go on
        days, daily = last_of_day(
            np.append(self.days[last], day), np.append(self.daily[last], equity)
        )
        self.days = np.append(self.days[:-1], days)
        self.daily = np.append(self.daily[:-1], daily)
        take(np.array(equity), time, self._water, self.spells)
        self.bars += len(time)
        self.held += int(held.sum())
        self._sum += float(np.sum(equity))

    @property
    def mean(self) -> float:
        """Of the equity over all rows; 0 where there is none."""
        return self._sum / self.bars if self.bars else 0.0
