"""In a world whose arm 3 is best above a threshold: what a hybrid earns in 500 campaigns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intrabar.exits.bandit import learn, scores, start
from intrabar.exits.network import highest

Array = NDArray[np.float64]

CAMPAIGNS, ARMS, D, WORLDS = 500, 8, 6, 40
ALWAYS = np.array([0.0, 0.05, 0.1, 0.1, 0.1, 0.1, 0.05, 0.0])


def world(seed: int) -> tuple[Array, Array, Array, Array]:
    """Contexts, the mean of each arm, what each would earn, and a prior of noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(0.0, 1.0, (CAMPAIGNS, D - 1))
    above = features[:, 0] > 0.5
    mean = np.tile(ALWAYS, (CAMPAIGNS, 1))
    mean[:, 3] += np.where(above, 0.6, -0.1)
    x = np.hstack([np.ones((CAMPAIGNS, 1)), features.clip(-3.0, 3.0)])
    return x, mean, mean + rng.normal(0.0, 1.2, mean.shape), rng.normal(0.0, 0.3, mean.shape)


def earned(x: Array, mean: Array, rewards: Array, q: Array, n0: float) -> Array:
    """The mean of each arm that was taken."""
    bandit, factors = np.empty((ARMS, D + 1, D)), np.empty((ARMS, D + 1, D))
    start(bandit, factors, n0)
    score, work, got = np.empty(ARMS), np.empty(D), np.empty(CAMPAIGNS)
    for i in range(CAMPAIGNS):
        scores(factors, q[i], x[i], 0.05, work, score)
        arm = highest(score)
        got[i] = mean[i, arm]
        learn(bandit, factors, arm, x[i], q[i, arm], rewards[i, arm])
    return got


def test_a_right_prior_is_kept_and_a_prior_of_noise_is_left() -> None:
    begun, ended = [], []
    for seed in range(WORLDS):
        x, mean, rewards, noise = world(seed)
        right = mean - mean.mean(axis=1, keepdims=True)
        by_prior = mean[np.arange(CAMPAIGNS), right.argmax(axis=1)].mean()
        assert earned(x, mean, rewards, right, 200.0).mean() >= 0.9 * by_prior
        misled = earned(x, mean, rewards, noise, 200.0)
        assert misled.mean() >= mean.mean(axis=0).min()
        begun.append(misled[:100].mean())
        ended.append(misled[-100:].mean())
    assert np.mean(ended) > np.mean(begun)
