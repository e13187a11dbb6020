"""Data snooping: could the best of these trials be the best of nothing?

White's reality check and Hansen's test of superior predictive ability, computed by `arch`.

Sources: White, A Reality Check for Data Snooping, Econometrica 68 (2000); Hansen, A Test for
Superior Predictive Ability, Journal of Business and Economic Statistics 23 (2005).
"""

from __future__ import annotations

from dataclasses import dataclass

from intrabar.analysis.figure import Undefined
from intrabar.analysis.returns import Floats


@dataclass(frozen=True, slots=True)
class Snooping:
    """Probabilities of a best trial as good as this where none beats the benchmark.

    Parameters
    ----------
    reality_check : float
        White's, on mean returns.
    lower, consistent, upper : float
        Hansen's, on mean returns over their deviation. `consistent` is the one to read.
    block : float
        Mean length of the blocks of the stationary bootstrap, in rows.
    trials : int
        Columns that were compared.
    """

    reality_check: float
    lower: float
    consistent: float
    upper: float
    block: float
    trials: int


def snooping(
    returns: Floats,
    benchmark: Floats | None = None,
    resamples: int = 1000,
    seed: int = 0,
    block: float | None = None,
) -> Snooping | Undefined:
    """White's and Hansen's tests of the best trial.

    Parameters
    ----------
    returns : (t, n) float64, fraction
        A column per trial. Trials with a missing return, or none at all, are left out.
    benchmark : (t,) float64, fraction, or None
        What a trial has to beat; None is 0.
    resamples : int
    seed : int
    block : float or None, rows
        Mean length of a block; None finds it.

    Raises
    ------
    UsageError
        The extra `research` is not installed.
    """
    ...
