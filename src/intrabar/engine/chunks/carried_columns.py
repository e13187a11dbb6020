"""The indicators of strategies over a market that comes piece by piece."""

from __future__ import annotations

import numpy as np

from intrabar.engine.chunks.carried_frames import CarriedFrames
from intrabar.engine.columns import Named, real_rows, spread
from intrabar.model.bars import Floats, Market


class CarriedColumns:
    """The indicators of all strategies over a market that comes piece by piece.

    Parameters
    ----------
    named : mapping
    symbols : sequence of str
        The columns of the market.
    frames : CarriedFrames
        Its longer bars.
    """

    def __init__(self, named: Named, symbols: tuple[str, ...], frames: CarriedFrames) -> None:
        self._named = named
        self._frames = frames
        wanted = dict.fromkeys(x for indicators in named.values() for x in indicators.values())
        self._going = [
            [frames.carried(x, symbol, j) for x in wanted] for j, symbol in enumerate(symbols)
        ]
        self._last = {x: np.full(len(symbols), np.nan) for x in wanted}

    def advance(self, market: Market) -> dict[str, dict[str, Floats]]:
        """The columns of the next rows, as `compute_columns` has them of the whole."""
        self._frames.show(market)
        grids = spread(
            self._last,
            market,
            real_rows(market),
            lambda j, bars: (one.advance(bars) for one in self._going[j]),
            self._last,
        )
        self._last = {x: grid[-1].copy() for x, grid in grids.items()}
        return {
            strategy: {name: grids[x] for name, x in indicators.items()}
            for strategy, indicators in self._named.items()
        }
