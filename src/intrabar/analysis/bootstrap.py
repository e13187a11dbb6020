"""The stationary bootstrap: how far a figure could have been elsewhere.

Blocks of a random, geometrically distributed length keep what lies next to each other together,
so dependent returns may be resampled.

Sources
-------
- Politis, Romano: The Stationary Bootstrap, Journal of the American Statistical Association 89
  (1994).
- Politis, White: Automatic Block-Length Selection for the Dependent Bootstrap, Econometric
  Reviews 23 (2004), with the correction of Patton, Politis, White in volume 28 (2009).
- Efron: Better Bootstrap Confidence Intervals, Journal of the American Statistical Association 82
  (1987); DiCiccio, Efron: Bootstrap Confidence Intervals, Statistical Science 11 (1996).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.figure import Undefined
from intrabar.analysis.returns import Floats

Statistic = Callable[[Floats], Floats]
"""A figure of many series at once: (b, n) to (b,); NaN where it has no value."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and where it could have been.

    Parameters
    ----------
    value : float
        Of the series itself.
    low, high : float
        Ends of the BCa interval.
    confidence : probability
    block : float
        Mean length of a block; 1 is the bootstrap of independent values.
    resamples : int
    """

    value: float
    low: float
    high: float
    confidence: float
    block: float
    resamples: int


def block_length(series: Floats) -> float:
    """The mean length of a block that fits the dependence of a series, at least 1.

    Parameters
    ----------
    series : (n,) float64
    """
    ...


def resampled_rows(
    rows: int, count: int, block: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Rows of `count` resamples of the stationary bootstrap.

    Returns
    -------
    (count, rows) int64
        After the last row follows the first.
    """
    ...


def interval(
    series: Floats,
    statistic: Statistic,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    block: float | None = None,
) -> Interval | Undefined:
    """BCa interval of a figure of a series.

    Parameters
    ----------
    series : (n,) float64
    statistic : function of (b, n) to (b,)
    confidence : probability
    resamples : int
    seed : int
    block : float or None
        None finds it.
    """
    ...


def return_intervals(
    returns: Floats,
    periods_per_year: float = 252.0,
    risk_free: float = 0.0,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Interval | Undefined]:
    """Intervals of the headline metrics that daily returns decide, by their names in `METRICS`.

    Drawdown is measured on days here, so `max_drawdown` and `calmar` are not quite the sheet's.

    Parameters
    ----------
    returns : (n,) float64, fraction
    periods_per_year : float
    risk_free : fraction a year
    """
    ...


def campaign_intervals(
    net: Floats, r: Floats, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> dict[str, Interval | Undefined]:
    """Intervals of the headline metrics that closed campaigns decide.

    Parameters
    ----------
    net : (m,) float64, account currency
        In the order in which the campaigns ended.
    r : (m,) float64, initial risks
        NaN where a campaign had no stop.
    """
    ...


def shuffled_drawdowns(net: Floats, initial: float, count: int = 2000, seed: int = 0) -> Floats:
    """The deepest drawdown of the same campaigns in other orders.

    Parameters
    ----------
    net : (m,) float64, account currency
    initial : account currency, > 0

    Returns
    -------
    (count,) float64, fraction of the peak
        Above 1 where the order would have lost more than there was.
    """
    ...


def resampled_bars(
    bars: dict[str, Floats], rows: NDArray[np.int64]
) -> dict[str, Floats]:
    """A synthetic history: bars in another order, each with its shape.

    Parameters
    ----------
    bars : columns `open`, `high`, `low`, `close`, `volume`, each (t, n) float64
    rows : (t - 1,) int64, of 1 to t - 1
        Which bar follows; the first one stays.
    """
    ...
