"""Whether the errors of a forecast are smaller than those of a rival, by more than chance.

Sources
-------
- Diebold, Mariano: Comparing Predictive Accuracy, Journal of Business & Economic Statistics 13
  (1995).
- Harvey, Leybourne, Newbold: Testing the Equality of Prediction Mean Squared Errors,
  International Journal of Forecasting 13 (1997), for small samples and Student's t.
- Holm: A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of
  Statistics 6 (1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from intrabar.analysis.figure import Undefined
from intrabar.analysis.returns import Floats
from intrabar.analysis.student import above


@dataclass(frozen=True, slots=True)
class DieboldMariano:
    """Whether squared errors are smaller than those of a rival.

    Parameters
    ----------
    statistic : float
        Above 0: smaller. With the correction of Harvey, Leybourne and Newbold.
    better : probability
        One-sided p: of so high a value where both are equally good.
    """

    statistic: float
    better: float


def diebold_mariano(rival: Floats, errors: Floats, horizon: int = 1) -> DieboldMariano | Undefined:
    """Squared errors against those of a rival.

    Parameters
    ----------
    rival, errors : (n,) float64
    horizon : bars, >= 1
        The variance counts `horizon - 1` autocovariances; where they make it no positive number,
        each with the weight of Bartlett.
    """
    n = len(errors)
    if n < 2 or n <= horizon:
        return Undefined(f"{n} forecasts, {max(2, horizon + 1)} are needed")
    gain = rival**2 - errors**2
    apart = gain - gain.mean()
    lags = range(1, horizon)
    own = [float(apart @ apart) / n, *(float(apart[k:] @ apart[:-k]) / n for k in lags)]
    variance = own[0] + 2.0 * math.fsum(own[1:])
    if not variance > 0.0:
        weights = (1.0 - k / horizon for k in lags)
        variance = own[0] + 2.0 * math.fsum(w * x for w, x in zip(weights, own[1:], strict=True))
    if not variance > 0.0:
        return Undefined("its errors differ from those of its rival by the same at every bar")
    small = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    statistic = float(gain.mean()) / math.sqrt(variance / n) * math.sqrt(max(small, 0.0))
    return DieboldMariano(statistic, above(statistic, n - 1))


def holm(p: Sequence[float]) -> list[float]:
    """P values of several tests, as high as it takes to be wrong in none of them."""
    order = sorted(range(len(p)), key=lambda k: p[k])
    adjusted, highest = [0.0] * len(p), 0.0
    for rank, k in enumerate(order):
        highest = max(highest, min(1.0, (len(p) - rank) * p[k]))
        adjusted[k] = highest
    return adjusted
