"""The indicators of strategies as columns of a market: each instrument on its real bars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.time_frames import TimeFrames
from intrabar.indicators import Indicator, require_length
from intrabar.model.bars import Floats, Market, Times

Named = Mapping[str, Mapping[str, Indicator]]
"""The indicators of each strategy, by the names that it calls them."""


class RealBars:
    """The real bars of one instrument of a market, as `compute` reads them.

    Parameters
    ----------
    market : Market
    j : int
        Column.
    rows : (k,) int64 or None
        Where the instrument has bars; None: everywhere.
    turned : dict
        Arrays of the market with a row per instrument, kept for the next one.
    """

    def __init__(
        self, market: Market, j: int, rows: Times | None, turned: dict[str, Floats]
    ) -> None:
        self.symbol = market.symbols[j]
        self._market, self._j, self._rows, self._turned = market, j, rows, turned

    def _column(self, name: str) -> Floats:
        if name not in self._turned:
            self._turned[name] = np.ascontiguousarray(getattr(self._market, name).T)
        column: Floats = self._turned[name][self._j]
        return column if self._rows is None else column[self._rows]

    @property
    def close_time(self) -> Times:
        """Ns since 1970 UTC."""
        return self._market.time if self._rows is None else self._market.time[self._rows]

    @property
    def open(self) -> Floats:
        """Price, as the next three."""
        return self._column("open")

    @property
    def high(self) -> Floats:  # noqa: D102
        return self._column("high")

    @property
    def low(self) -> Floats:  # noqa: D102
        return self._column("low")

    @property
    def close(self) -> Floats:  # noqa: D102
        return self._column("close")

    @property
    def volume(self) -> Floats:
        """Contracts."""
        return self._column("volume")


def compute_columns(
    named: Named, market: Market, frames: TimeFrames | None = None
) -> dict[str, dict[str, Floats]]:
    """The indicators of all strategies over every instrument of a market.

    Parameters
    ----------
    named : mapping
    market : Market
    frames : TimeFrames, optional
        The market's higher time frames; None: counted without a calendar.

    Returns
    -------
    dict of strategy to dict of name to (t, n) float64
        NaN while warming up; carried over bars that the instrument does not have.

    Raises
    ------
    ConfigError
        An indicator needs more bars than the longest instrument has.
    """
    wanted = {x for indicators in named.values() for x in indicators.values()}
    if not wanted:
        return {strategy: {} for strategy in named}
    real = real_rows(market)
    bars = [len(row) if row.all() else int(np.count_nonzero(row)) for row in real]
    longest = bars.index(max(bars))
    frames = frames or TimeFrames(market, [""] * len(bars))
    for indicator in wanted:
        frames.require_length(indicator, longest)
        require_length(indicator, bars[longest], market.symbols[longest])
    before = np.full(len(market.symbols), np.nan)
    grids = spread(
        wanted,
        market,
        real,
        lambda j, bars: (frames.values(x, j, bars) for x in wanted),
        dict.fromkeys(wanted, before),
    )
    return {
        strategy: {name: grids[x] for name, x in indicators.items()}
        for strategy, indicators in named.items()
    }


def real_rows(market: Market) -> NDArray[np.bool_]:
    """Where each instrument has bars, a row per instrument: (n, t)."""
    return np.isfinite(np.ascontiguousarray(market.open.T))


def spread(
    wanted: Iterable[Indicator],
    market: Market,
    real: NDArray[np.bool_],
    values_of: Callable[[int, RealBars], Iterable[Floats]],
    before: Mapping[Indicator, Floats],
) -> dict[Indicator, Floats]:
    """Values at real bars on the rows of a market.

    Parameters
    ----------
    wanted : indicators
    market : Market
    real : (n, t) bool
        Where each instrument has bars (`real_rows`).
    values_of : callable
        The values of each of them, in their order, at the real bars of a column.
    before : mapping of indicator to (n,) float64
        What each instrument had before the first row.

    Returns
    -------
    dict of indicator to (t, n) float64
        They cannot be written to.
    """
    t, n = market.open.shape
    turned: dict[str, Floats] = {}
    columns: dict[Indicator, list[Floats]] = {x: [] for x in wanted}
    for j, is_real in enumerate(real):
        rows = None if is_real.all() else np.flatnonzero(is_real)
        bars = RealBars(market, j, rows, turned)
        place = None if rows is None else np.cumsum(is_real)
        for (x, found), values in zip(columns.items(), values_of(j, bars), strict=True):
            found.append(values if place is None else np.append(before[x][j], values)[place])
    if n == 1:
        grids = {x: found[0].reshape(t, 1) for x, found in columns.items()}
    else:
        grids = {x: np.stack(found, axis=1) for x, found in columns.items()}
    for grid in grids.values():
        grid.flags.writeable = False  # runs share them, and signals need no copy
    return grids
