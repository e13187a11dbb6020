"""Which arm a learned exit takes: by a policy's network, by a bandit, or by a bandit over a prior.

Everything here reads arrays alone. What a run keeps of decisions is in `strategy/learner_kernel`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.exits.bandit import SCORE, chosen, context, prior_of, scores
from intrabar.exits.network import Network, forward, highest
from intrabar.indicators.indicator import Floats
from intrabar.kernel import kernel

UNDECIDED = -1


class Mind(NamedTuple):
    """What a decision in one instrument reads, and where it writes.

    Attributes
    ----------
    net : Network
        Without rows in its plan where there is no policy.
    numbers_are : SCORE or LOG_ODDS
        What comes out of it.
    calibration : float
    arm_means : (K,)
    past : (L, F)
        The last rows of the feature table; none where there are too few.
    position : (0,) or (4,)
        What is known of the own position.
    signs, mean, scale : (F,)
        Of the context.
    alpha, explore : float
    factors : (K, d + 1, d)
        Of the bandit; none of its arms where there is none.
    x : (F + 1,)
        Written: the context.
    numbers, prior, scores : (K,)
        Written: what the network gives, what that is in units of score, what is chosen by.
    work : scratch
    """

    net: Network
    numbers_are: int
    calibration: float
    arm_means: Floats
    past: Floats
    position: Floats
    signs: NDArray[np.int8]
    mean: Floats
    scale: Floats
    alpha: float
    explore: float
    factors: Floats
    x: Floats
    numbers: Floats
    prior: Floats
    scores: Floats
    work: Floats


@kernel
def choose(mind: Any, side: int, draw: float) -> tuple[int, int, float]:
    """Choose an arm. Phase: CLOSE.

    Parameters
    ----------
    mind : Mind
    side : 1 or -1
    draw : 0 to below 1
        As `bandit.chosen`.

    Returns
    -------
    arm, greedy : int
        What is taken, and what would be taken without exploration; UNDECIDED where a number that is
        read is NaN or infinite, or not there.
    propensity : float
        The probability of the arm.
    """
    last = mind.past.shape[0] - 1
    if last < 0:
        return UNDECIDED, UNDECIDED, math.nan
    mind.prior[:] = 0.0
    greedy = 0
    if mind.net.plan.shape[0] > 0:
        if not forward(mind.net, mind.past, side, mind.position, mind.numbers, mind.work):
            return UNDECIDED, UNDECIDED, math.nan
        numbers, kind = mind.numbers, mind.numbers_are
        prior_of(numbers, kind, mind.calibration, mind.arm_means, mind.prior)
        # Predicted scores of which nothing is true say nothing.
        is_empty = kind == SCORE and mind.calibration <= 0.0
        greedy = highest(mind.arm_means) if is_empty else highest(numbers)
    if not context(mind.past[last], side, mind.signs, mind.mean, mind.scale, mind.x):
        return UNDECIDED, UNDECIDED, math.nan
    if mind.factors.shape[0] == 0:
        mind.scores[:] = mind.prior
        return greedy, greedy, 1.0
    scores(mind.factors, mind.prior, mind.x, mind.alpha, mind.work, mind.scores)
    arm, propensity = chosen(mind.scores, mind.explore, draw)
    return arm, highest(mind.scores), propensity


@kernel
def gather(
    rows: Floats,
    first: int,
    signs: NDArray[np.int8],
    wanted: int,
    mean: Floats,
    scale: Floats,
    seen: NDArray[np.int64],
) -> None:
    """Take mean and standard deviation of the first known rows, both sides of each.

    Parameters
    ----------
    rows : (m, F)
        The next rows of a feature table.
    first : int
        Number of the first of them.
    signs : (F,)
    wanted : int
        Known rows that are taken.
    mean, scale : (F,)
        Written on the way: `scale` holds sums of squares until all are seen.
    seen : (2,) int64
        Known rows so far, and the number of the one that was the last of them, -1 before.
    """
    for r in range(rows.shape[0]):
        if seen[0] >= wanted:
            return
        known = True
        for f in range(rows.shape[1]):
            known = known and math.isfinite(rows[r, f])
        if not known:
            continue
        seen[0] += 1
        for f in range(rows.shape[1]):
            value = rows[r, f]
            before = value - mean[f]
            if signs[f] == 0:  # a signed one is as often turned as not
                mean[f] += before / seen[0]
            scale[f] += before * (value - mean[f])
        if seen[0] == wanted:
            seen[1] = first + r
            for f in range(rows.shape[1]):
                scale[f] = math.sqrt(scale[f] / wanted)
                if not scale[f] > 0.0:
                    scale[f] = 1.0
