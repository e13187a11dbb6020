"""The same run in another order: campaigns shuffled, bars drawn in blocks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.returns import Floats
from intrabar.errors import UsageError

CELLS = 1_000_000  # of orders by campaigns at once


def shuffled_drawdowns(net: Floats, initial: float, count: int = 2000, seed: int = 0) -> Floats:
    """The deepest drawdown of the same campaigns in other orders.

    Sizes stay as they were: what a campaign won or lost does not depend on those before it.
    Drawdowns are measured where campaigns end, so the run's own belongs beside them only when
    measured by `drawdown_of`.

    Parameters
    ----------
    net : (m,) float64, account currency
    initial : account currency, > 0
    count : int
    seed : int

    Returns
    -------
    (count,) float64, fraction of the peak
        1 or more where the order loses all that there is.
    """
    rng = np.random.default_rng(seed)
    at_once = max(1, CELLS // max(net.shape[0], 1))
    found = np.zeros(count)
    for first in range(0, count, at_once):
        orders = np.tile(net, (min(at_once, count - first), 1))
        found[first : first + at_once] = drawdown_of(rng.permuted(orders, axis=1), initial)
    return found


def drawdown_of(net: Floats, initial: float) -> Floats:
    """The deepest drawdown of each row of campaigns, measured where they end.

    Parameters
    ----------
    net : (b, m) float64, account currency
    initial : account currency, > 0

    Returns
    -------
    (b,) float64, fraction of the peak
    """
    equity = initial + np.cumsum(net, axis=1)
    peak = np.maximum(np.maximum.accumulate(equity, axis=1), initial)
    return np.asarray(np.max(1.0 - equity / peak, axis=1, initial=0.0))


def resampled_bars(columns: Mapping[str, Floats], rows: NDArray[np.int64]) -> dict[str, Floats]:
    """A synthetic history: bars in another order, each with its shape.

    A bar keeps its open, high, low and close relative to the close before it, and its volume.
    Instruments stay together, so what moved on the same bar still does. Prices are not rounded to
    ticks.

    Parameters
    ----------
    columns : `open`, `high`, `low`, `close`, `volume`, each (t, n) float64
        Closes are there and above 0 on every row; a bar that is not there has NaN else.
    rows : (t - 1,) int64, of 1 to t - 1
        Which bar follows the first one, which stays: `resampled_rows(t - 1, ...) + 1`.

    Returns
    -------
    dict of the same columns

    Raises
    ------
    UsageError
        A close is missing, or 0 or below.
    """
    close = columns["close"]
    bad = np.argwhere(~(close > 0.0))
    if bad.shape[0]:
        row, column = bad[0].tolist()
        raise UsageError(
            f"row {row}, column {column}: a close of {close[row, column]:g}; synthetic bars need "
            "a close above 0 on every row, so start where all instruments have bars"
        )
    before = close[rows - 1]
    path = np.vstack([close[:1], close[:1] * np.cumprod(close[rows] / before, axis=0)])
    scale = path[:-1] / before
    made = {
        name: np.vstack([columns[name][:1], columns[name][rows] * scale])
        for name in ("open", "high", "low")
    }
    # Rounding may not put an extreme inside the bar.
    made["high"] = np.maximum(made["high"], np.maximum(made["open"], path))
    made["low"] = np.minimum(made["low"], np.minimum(made["open"], path))
    volume = columns["volume"]
    return {**made, "close": path, "volume": np.vstack([volume[:1], volume[rows]])}
