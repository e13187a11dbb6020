"""The probability of backtest overfitting: does the best half predict the other half?

Combinatorially symmetric cross-validation. The days are cut into an even number of blocks; each
half of the blocks is once the sample in which the best trial is chosen, and the other half shows
what became of it.

Source: Bailey, Borwein, Lopez de Prado, Zhu: The Probability of Backtest Overfitting, Journal of
Computational Finance 20 (2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.figure import Undefined
from intrabar.analysis.returns import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Overfitting:
    """What choosing the best trial is worth outside the sample it was chosen in.

    Parameters
    ----------
    probability : float
        That the chosen trial lands in the lower half of all trials: share of splits with a logit
        of 0 or less.
    logits : (c,) float64
        Of the relative rank of the chosen trial outside, one per split; above 0 is better than
        the median.
    chosen : (c,) int64
        Column of the trial that was best inside.
    inside, outside : (c,) float64, Sharpe ratio per period
        Of the chosen trial, in the half that chose it and in the other one.
    slope, intercept, fit : float
        Line of `outside` on `inside`, and its R squared: how performance degrades.
    loss : float
        Share of splits in which the chosen trial lost outside.
    trials : int
        Columns that were compared.
    blocks : int
    """

    probability: float
    logits: Floats
    chosen: NDArray[np.int64]
    inside: Floats
    outside: Floats
    slope: float
    intercept: float
    fit: float
    loss: float
    trials: int
    blocks: int


def overfitting(returns: Floats, blocks: int = 16) -> Overfitting | Undefined:
    """Probability of backtest overfitting by the Sharpe ratio.

    Parameters
    ----------
    returns : (t, n) float64, fraction
        A column per trial, a row per day. Trials with a missing return are left out.
    blocks : int, even
        16 give 12,870 splits. Rows that do not fill a block are left out at the start.
    """
    ...
