"""Feature tables of a market that comes piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from intrabar.data.clock import ExchangeClock
from intrabar.engine.adjusted import Adjusted
from intrabar.engine.chunks.carried_frames import CarriedFrames
from intrabar.engine.columns import RealBars, real_rows
from intrabar.engine.tables.feature_table import FeatureTables, InstrumentRows, rows_of
from intrabar.indicators import Carried, Indicator
from intrabar.indicators.features import Features
from intrabar.model.bars import Floats


class CarriedTables:
    """The feature tables of a market that comes piece by piece.

    Parameters
    ----------
    features : Features
    symbols : sequence of str
        The columns of the market.
    frames : CarriedFrames
        Its longer bars; shown each piece before this is.
    clock : ExchangeClock
    """

    def __init__(
        self,
        features: Features,
        symbols: tuple[str, ...],
        frames: CarriedFrames,
        clock: ExchangeClock,
    ) -> None:
        self._features = features
        self._rows = [InstrumentRows(features, clock.zone(j).key) for j in range(len(symbols))]
        read = [x for x in features.leaves if isinstance(x, Indicator)]
        self._going = [
            {x: frames.carried(x, symbol, j) for x in read} for j, symbol in enumerate(symbols)
        ]
        none = np.empty((0, len(features.features)))
        self._last: list[Floats] = [none] * len(symbols)
        self._seen = np.zeros(len(symbols), np.int64)

    def advance(self, adjusted: Adjusted) -> FeatureTables:
        """The tables of the next rows, and in each the `window` rows before them.

        Parameters
        ----------
        adjusted : Adjusted
            The piece as indicators read it, with the factors of the pieces before.
        """
        market = adjusted.market
        real = real_rows(market)
        turned: dict[str, Floats] = {}
        tables = []
        for j, is_real in enumerate(real):
            rows = np.flatnonzero(is_real)
            over = partial(_over, self._going[j], RealBars(market, j, rows, turned))
            fresh = self._rows[j].advance(adjusted, j, rows, over)
            tables.append(np.concatenate([self._last[j], fresh]))
        row_of = rows_of(real, self._seen)
        self._seen = self._seen + real.sum(axis=1)
        kept = self._features.window  # where a piece begins without a bar, a window ends before it
        self._last = [table[max(len(table) - kept, 0) :] for table in tables]
        first = tuple(int(n) - len(t) for n, t in zip(self._seen, tables, strict=True))
        return FeatureTables(self._features, tuple(tables), row_of, first)


def _over(going: Mapping[Indicator, Carried], bars: RealBars, indicator: Indicator) -> Floats:
    return going[indicator].advance(bars)
