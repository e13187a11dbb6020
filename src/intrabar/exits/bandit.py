"""LinUCB with disjoint models, alone or over a prior: which arm, by what the arms have earned.

Li, Chu, Langford and Schapire, A contextual-bandit approach to personalized news article
recommendation (WWW 2010), with a prior taken from what is learned::

    A_a = n0 I + sum x x'                theta_a = A_a^-1 b_a
    b_a = sum (r - q_a(x)) x             score_a = q_a(x) + theta_a . x + alpha sqrt(x' A_a^-1 x)

`x` is 1 and the features, r what an arm has earned, q the prior. Without a prior q is 0, and it is
plain LinUCB. `A` and `b` are sums and the whole state. After each update `A` is factored anew
(Cholesky); a factor that is only ever corrected drifts from its sum.

A bandit is an array (K, d + 1, d): per arm `A`, and `b` in the last row. `factors` has the same
shape: the lower triangle L of A = L L', and theta in the last row.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from intrabar.exits.network import highest
from intrabar.indicators.elementary import exp, log
from intrabar.indicators.indicator import Floats
from intrabar.kernel import kernel

MOST_CONTEXT = 32  # d
FARTHEST_CONTEXT = 3.0  # standard deviations
FARTHEST_REWARD = 5.0
SCORE, LOG_ODDS = 0, 1  # what the numbers of a prior's network are
KAPPA, LEAST_SHARE = 0.1, 1e-6  # score per unit of log-odds; of an arm


@kernel
def start(bandit: Floats, factors: Floats, n0: float) -> None:
    """A bandit that has seen nothing: `A` is n0 times the identity."""
    bandit[:] = 0.0
    for a in range(bandit.shape[0]):
        for i in range(bandit.shape[2]):
            bandit[a, i, i] = n0
        factor(bandit[a], factors[a])


@kernel
def factor(arm: Floats, factors: Floats) -> bool:
    """Factor the `A` of one arm and solve its theta; whether `A` is positive definite.

    Parameters
    ----------
    arm : (d + 1, d)
    factors : (d + 1, d)
        Written.
    """
    d = arm.shape[1]
    for i in range(d):
        for j in range(i + 1):
            rest = arm[i, j]
            for k in range(j):
                rest -= factors[i, k] * factors[j, k]
            if i > j:
                factors[i, j] = rest / factors[j, j]
            elif rest > 0.0 and rest < math.inf:
                factors[i, i] = math.sqrt(rest)
            else:
                return False
        for j in range(i + 1, d):
            factors[i, j] = 0.0
    theta = factors[d]
    for i in range(d):  # L y = b
        rest = arm[d, i]
        for k in range(i):
            rest -= factors[i, k] * theta[k]
        theta[i] = rest / factors[i, i]
    for i in range(d - 1, -1, -1):  # L' theta = y
        rest = theta[i]
        for k in range(i + 1, d):
            rest -= factors[k, i] * theta[k]
        theta[i] = rest / factors[i, i]
    return True


@kernel
def learn(bandit: Floats, factors: Floats, a: int, x: Floats, prior: float, reward: float) -> bool:
    """Take in what an arm has earned, and whether that could be done.

    Parameters
    ----------
    bandit, factors : (K, d + 1, d)
        Changed.
    a : int
        The arm.
    x : (d,)
        The context at the decision.
    prior : float
        `q` of that arm at the decision.
    reward : float
        The score; clipped to +-5.

    Returns
    -------
    bool
        False where the reward, the prior or a number of the context is NaN or infinite: nothing
        was changed. False too where `A` can no longer be factored, which needs a context far
        beyond +-3: then the arm is spoilt.
    """
    d, arm = x.shape[0], bandit[a]
    known = math.isfinite(reward) and math.isfinite(prior)
    for i in range(d):
        known = known and math.isfinite(x[i])
    if not known:
        return False
    left = min(max(reward, -FARTHEST_REWARD), FARTHEST_REWARD) - prior
    for i in range(d):
        for j in range(d):
            arm[i, j] += x[i] * x[j]
        arm[d, i] += left * x[i]
    return factor(arm, factors[a])


@kernel
def expected(factors: Floats, a: int, x: Floats) -> float:
    """`theta . x` of an arm: what it earns beyond the prior."""
    total, theta = 0.0, factors[a, x.shape[0]]
    for i in range(x.shape[0]):
        total += theta[i] * x[i]
    return total


@kernel
def width(factors: Floats, a: int, x: Floats, work: Floats) -> float:
    """`sqrt(x' A^-1 x)` of an arm, as the length of L^-1 x; `work` is (d,) of scratch."""
    total, lower = 0.0, factors[a]
    for i in range(x.shape[0]):
        rest = x[i]
        for k in range(i):
            rest -= lower[i, k] * work[k]
        work[i] = rest / lower[i, i]
        total += work[i] * work[i]
    return math.sqrt(total)


@kernel
def scores(
    factors: Floats, prior: Floats, x: Floats, alpha: float, work: Floats, out: Floats
) -> None:
    """The score of each arm, (K,), from the prior's `q` (K,)."""
    for a in range(out.shape[0]):
        out[a] = prior[a] + expected(factors, a, x) + alpha * width(factors, a, x, work)


@kernel
def chosen(score: Floats, explore: float, draw: float) -> tuple[int, float]:
    """The arm that is taken, and the probability with which it was.

    Parameters
    ----------
    score : (K,)
    explore : 0 to 1
        Share of decisions that are drawn, each arm alike.
    draw : 0 to below 1
        Uniform, of this decision alone: by seed, symbol and time.

    Returns
    -------
    arm : int
        The highest score, of equal ones the smaller arm; or the one drawn.
    propensity : float
    """
    arms, best = score.shape[0], highest(score)
    arm = best
    if draw < explore:
        arm = min(int(draw / explore * arms), arms - 1)
    propensity = explore / arms
    return arm, (propensity + (1.0 - explore) if arm == best else propensity)


@kernel
def context(
    row: Floats, side: int, signs: NDArray[np.int8], mean: Floats, scale: Floats, x: Floats
) -> bool:
    """The context of a decision, and whether all of it is known.

    Parameters
    ----------
    row : (F,)
        The features at the decision's bar.
    side : 1 or -1
    signs, mean, scale : (F,)
        As in `Network`.
    x : (F + 1,)
        Written: 1, and the normalised features within +-3.
    """
    x[0] = 1.0
    for f in range(row.shape[0]):
        if not math.isfinite(row[f]):
            return False
        one = side * row[f] if signs[f] != 0 else row[f]
        one = (one - mean[f]) / scale[f]
        x[f + 1] = min(max(one, -FARTHEST_CONTEXT), FARTHEST_CONTEXT)
    return True


@kernel
def prior_of(
    numbers: Floats, kind: int, calibration: float, arm_means: Floats, out: Floats
) -> None:
    """The prior `q` of each arm, in units of score, from what a policy's network gives.

    Parameters
    ----------
    numbers : (K,)
    kind : SCORE or LOG_ODDS
    calibration : float
        The slope of scores; where it is not above 0 they say nothing, and q is `arm_means`. Or the
        temperature of log-odds: q is `KAPPA` times the logarithm of an arm's share in the
        largest share, shares of less than `LEAST_SHARE` being taken for that.
    arm_means : (K,)
    out : (K,)
        Written.
    """
    arms = numbers.shape[0]
    if kind == LOG_ODDS:
        largest, total = numbers[highest(numbers)], 0.0
        for a in range(arms):
            out[a] = exp((numbers[a] - largest) / calibration)
            total += out[a]
        for a in range(arms):
            out[a] = KAPPA * log(max(out[a], LEAST_SHARE * total))
    elif calibration > 0.0:
        mean = 0.0
        for a in range(arms):
            mean += numbers[a]
        mean /= arms
        for a in range(arms):
            out[a] = calibration * (numbers[a] - mean)
    else:
        out[:] = arm_means
