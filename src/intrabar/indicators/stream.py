"""Indicators one bar at a time.

A stream that has taken in the bars 0 to i holds what `compute` has at i, bit for bit. It is not
pickled: after a restart feed it the bars again.
"""

from __future__ import annotations

import numpy as np

from intrabar.indicators.carried import Carried, carried
from intrabar.indicators.indicator import Columns, Indicator


class Stream:
    """An indicator that takes in closed bars one by one; made by `stream`."""

    def __init__(self, going: Carried, symbol: str) -> None:
        self._going = going
        prices = (np.zeros(1) for _ in range(5))
        self._bar = Columns(symbol, np.zeros(1, np.int64), *prices)

    def update(
        self,
        open: float,  # noqa: A002
        high: float,
        low: float,
        close: float,
        volume: float,
        time: int,
    ) -> float:
        """Take in one closed, real bar (prices, contracts, ns since 1970 UTC).

        Returns
        -------
        float
            The value at its close; NaN while warming up.
        """
        bar = self._bar
        bar.open[0], bar.high[0], bar.low[0], bar.close[0] = open, high, low, close
        bar.volume[0], bar.close_time[0] = volume, time
        return float(self._going.advance(bar)[0])


def stream(indicator: Indicator, symbol: str = "") -> Stream:
    """Start an indicator with no bar seen.

    Parameters
    ----------
    indicator : Indicator
    symbol : str
        Whose bars they are; only `uniform` depends on it.
    """
    indicator.require_here()
    return Stream(carried(indicator, symbol), symbol)
