"""LinUCB against MABWiser's own, update by update."""

from __future__ import annotations

import numpy as np
import pytest
from mabwiser.mab import MAB, LearningPolicy
from numpy.typing import NDArray

from intrabar.exits.bandit import learn, scores, start

Array = NDArray[np.float64]


@pytest.mark.parametrize(("alpha", "d"), [(0.0, 3), (0.05, 5), (1.25, 8)])
def test_every_expectation_is_mabwisers(alpha: float, d: int) -> None:
    rng, arms = np.random.default_rng(d), list(range(4))
    theirs = MAB(arms, LearningPolicy.LinUCB(alpha=alpha, l2_lambda=1.0), seed=1)
    state, factors = np.empty((4, d + 1, d)), np.empty((4, d + 1, d))
    start(state, factors, 1.0)
    prior, work, out = np.zeros(4), np.empty(d), np.empty(4)
    for step in range(40):
        xs = np.hstack([np.ones((500, 1)), rng.normal(0.0, 1.0, (500, d - 1))])
        taken, rewards = rng.integers(0, 4, 500), rng.normal(0.0, 1.0, 500)
        (theirs.fit if step == 0 else theirs.partial_fit)(taken, rewards, xs)
        for a, x, reward in zip(taken.tolist(), xs, rewards, strict=True):
            assert learn(state, factors, a, x, 0.0, reward)
        asked = np.concatenate([[1.0], rng.normal(0.0, 1.0, d - 1)])
        scores(factors, prior, asked, alpha, work, out)
        expected = theirs.predict_expectations(asked[None])
        np.testing.assert_allclose(out, [expected[a] for a in arms], rtol=0.0, atol=1e-12)
