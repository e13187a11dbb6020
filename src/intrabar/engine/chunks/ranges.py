"""Mean true ranges of a market that comes piece by piece, for slippage that reads them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from intrabar.model.bars import Floats, Market
from intrabar.sim.tape import RANGE_BARS, mean_range

NAMES = ("open", "high", "low", "close")


class CarriedRanges:
    """The last real bars of each instrument, as far as ranges look back."""

    def __init__(self) -> None:
        self._kept: list[dict[str, Floats]] = []

    def advance(self, market: Market) -> Floats:
        """`mean_range` of the next rows, (t, n) price."""
        n = len(market.symbols)
        self._kept = self._kept or [dict.fromkeys(NAMES, np.zeros(0)) for _ in range(n)]
        out = np.zeros_like(market.open)
        for j, kept in enumerate(self._kept):
            rows = {name: np.append(kept[name], getattr(market, name)[:, j]) for name in NAMES}
            before = len(kept["open"])
            columns: dict[str, Any] = {n: column.reshape(-1, 1) for n, column in rows.items()}
            out[:, j] = mean_range(replace(market, **columns))[before:, 0]
            # One more than are read: the first range hangs on the close before it.
            real = np.flatnonzero(~np.isnan(rows["open"]))[-RANGE_BARS - 1 :]
            self._kept[j] = {name: column[real] for name, column in rows.items()}
        return out
