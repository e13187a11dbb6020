"""LinUCB against its formulas with inverses, a case by hand, and the limits of a hybrid."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from intrabar.exits import bandit as module
from intrabar.exits.bandit import (
    LOG_ODDS,
    SCORE,
    chosen,
    context,
    expected,
    factor,
    learn,
    prior_of,
    scores,
    start,
    width,
)
from intrabar.exits.network import highest
from intrabar.kernel import kernel, plain
from tests.assembly import FUSED, assembly

Array = NDArray[np.float64]


def new(arms: int, d: int, n0: float = 1.0) -> tuple[Array, Array]:
    state, factors = np.empty((arms, d + 1, d)), np.empty((arms, d + 1, d))
    start(state, factors, n0)
    return state, factors


def scored(factors: Array, q: Array, x: Array, alpha: float) -> Array:
    out = np.empty(len(factors))
    scores(factors, q, x, alpha, np.empty(len(x)), out)
    return out


class Inverses:
    """LinUCB as MABWiser has it (`_Linear` with `l2_lambda`): an inverse, and its products."""

    def __init__(self, arms: int, d: int, l2_lambda: float) -> None:
        self.a = np.array([l2_lambda * np.eye(d)] * arms)
        self.b = np.zeros((arms, d))

    def fit(self, arm: int, x: Array, left: float) -> None:
        self.a[arm] += np.outer(x, x)
        self.b[arm] += left * x

    def expectations(self, x: Array, alpha: float) -> Array:
        inverse = np.linalg.inv(self.a)
        beta = np.einsum("kij,kj->ki", inverse, self.b)
        return beta @ x + alpha * np.sqrt(np.einsum("i,kij,j->k", x, inverse, x))


@kernel
def learn_all(
    state: Array, factors: Array, arms: NDArray[np.int64], xs: Array, q: Array, r: Array
) -> None:
    for i in range(xs.shape[0]):
        learn(state, factors, arms[i], xs[i], q[i], r[i])


@pytest.mark.parametrize(("d", "spread"), [(5, 1.0), (8, 0.05), (32, 1.0)])
def test_twenty_thousand_updates_as_with_inverses(d: int, spread: float) -> None:
    rng, arms, alpha = np.random.default_rng(d), 4, 0.7
    state, factors = new(arms, d)
    known = Inverses(arms, d, 1.0)
    for _ in range(20):
        xs = np.hstack([np.ones((1_000, 1)), rng.normal(0.0, spread, (1_000, d - 1))])
        taken, r, q = rng.integers(0, arms, 1_000), rng.normal(0.0, 1.0, 1_000), np.zeros(1_000)
        learn_all(state, factors, taken, xs, q, r)
        for a, x, one in zip(taken.tolist(), xs, r, strict=True):
            known.fit(a, x, one)
        assert np.linalg.cond(known.a).max() < 1e5
        x = np.concatenate([[1.0], rng.normal(0.0, spread, d - 1)])
        np.testing.assert_allclose(
            scored(factors, np.zeros(arms), x, alpha), known.expectations(x, alpha), atol=1e-12
        )
    np.testing.assert_allclose(state[:, :d], known.a, rtol=1e-12)


def test_two_by_two_by_hand() -> None:
    # A = I + (1, 2)(1, 2)' = [2 2; 2 5], b = (3 - 1)(1, 2) = (2, 4).
    # A^-1 = [5 -2; -2 2] / 6, so theta = (2/6, 4/6), and for x = (1, 1): theta.x = 1,
    # x' A^-1 x = (5 - 2 - 2 + 2) / 6 = 1/2.
    state, factors = new(2, 2)
    assert learn(state, factors, 1, np.array([1.0, 2.0]), 1.0, 3.0)
    assert state[1].tolist() == [[2.0, 2.0], [2.0, 5.0], [2.0, 4.0]]
    np.testing.assert_allclose(factors[1, 2], [1 / 3, 2 / 3], rtol=1e-15)
    x = np.array([1.0, 1.0])
    assert expected(factors, 1, x) == pytest.approx(1.0, rel=1e-15)
    assert width(factors, 1, x, np.empty(2)) == pytest.approx(math.sqrt(0.5), rel=1e-15)
    # The other arm has seen nothing: theta 0, and the length of x.
    got = scored(factors, np.array([0.25, -0.5]), x, 2.0)
    np.testing.assert_allclose(got, [0.25 + 2.0 * math.sqrt(2.0), 0.5 + math.sqrt(2.0)])


def test_rewards_are_clipped_before_the_prior_is_taken_off() -> None:
    x = np.array([1.0])
    for reward, left in ((50.0, 4.5), (-50.0, -5.5), (5.0, 4.5), (0.2, -0.3)):
        state, factors = new(1, 1)
        learn(state, factors, 0, x, 0.5, reward)
        assert state[0, 1, 0] == pytest.approx(left, rel=1e-15)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_teaches_nothing(bad: float) -> None:
    state, factors = new(2, 2)
    learn(state, factors, 0, np.array([1.0, 0.5]), 0.0, 1.0)
    before = state.tobytes() + factors.tobytes()
    assert not learn(state, factors, 0, np.ones(2), 0.0, bad)
    assert not learn(state, factors, 0, np.ones(2), bad, 0.0)
    assert not learn(state, factors, 0, np.array([1.0, bad]), 0.0, 0.0)
    assert state.tobytes() + factors.tobytes() == before


def test_what_is_not_positive_definite_has_no_factor() -> None:
    factors = np.empty((3, 2))
    assert factor(np.array([[2.0, 1.0], [1.0, 2.0], [0.0, 0.0]]), factors)
    assert not factor(np.array([[1.0, 2.0], [2.0, 1.0], [0.0, 0.0]]), factors)
    assert not factor(np.array([[math.nan, 0.0], [0.0, 1.0], [0.0, 0.0]]), factors)


# -- the limits of a hybrid ---------------------------------------------------------------------


def test_without_exploring_it_takes_the_arm_of_the_prior_before_any_update() -> None:
    rng = np.random.default_rng(1)
    _, factors = new(6, 5, n0=200.0)
    for _ in range(500):
        q, x = rng.normal(0.0, 1.0, 6), rng.normal(0.0, 1.0, 5)
        assert scored(factors, q, x, 0.0).tobytes() == q.tobytes()


def test_with_an_infinite_trust_it_takes_the_arm_of_the_prior_ever_after() -> None:
    rng = np.random.default_rng(2)
    state, factors = new(4, 5, n0=1e12)
    for _ in range(2_000):
        q, x = rng.normal(0.0, 1.0, 4), np.concatenate([[1.0], rng.uniform(-3.0, 3.0, 4)])
        first, second = np.sort(q)[[-1, -2]]
        if first - second > 1e-6:
            assert highest(scored(factors, q, x, 0.0)) == highest(q)
        taken = int(rng.integers(0, 4))
        learn(state, factors, taken, x, q[taken], float(rng.normal(0.0, 3.0)))


def test_without_a_prior_it_is_plain_linucb() -> None:
    rng = np.random.default_rng(3)
    state, factors = new(3, 4)
    known = Inverses(3, 4, 1.0)
    for _ in range(500):
        x = np.concatenate([[1.0], rng.normal(0.0, 1.0, 3)])
        got, want = scored(factors, np.zeros(3), x, 1.5), known.expectations(x, 1.5)
        np.testing.assert_allclose(got, want, atol=1e-12)
        arm = highest(got)
        reward = float(rng.normal(x[1] * arm, 0.5))
        learn(state, factors, arm, x, 0.0, reward)
        known.fit(arm, x, min(max(reward, -5.0), 5.0))


def test_what_the_prior_leaves_over_is_learned() -> None:
    """Arm 1 earns 1 more than a prior says that prefers arm 0 by 0.5."""
    rng = np.random.default_rng(4)
    state, factors = new(2, 2, n0=20.0)
    q = np.array([0.5, 0.0])
    assert highest(scored(factors, q, np.array([1.0, 0.0]), 0.0)) == 0
    for _ in range(200):
        x = np.array([1.0, rng.uniform(-1.0, 1.0)])
        arm = int(rng.integers(0, 2))
        learn(state, factors, arm, x, q[arm], (0.5, 1.0)[arm] + rng.normal(0.0, 0.3))
    assert highest(scored(factors, q, np.array([1.0, 0.0]), 0.0)) == 1


# -- choosing, the context, the prior -----------------------------------------------------------


def test_of_equal_scores_the_smaller_arm_and_its_propensity() -> None:
    score = np.array([0.0, 2.0, 2.0, 1.0])
    assert chosen(score, 0.0, 0.0) == (1, 1.0)
    # A fifth of the decisions is drawn: 0.05 for each arm, and the rest for the best.
    assert chosen(score, 0.2, 0.2) == (1, pytest.approx(0.85))
    assert [chosen(score, 0.2, u)[0] for u in (0.0, 0.049, 0.06, 0.11, 0.1999)] == [0, 0, 1, 2, 3]
    assert chosen(score, 0.2, 0.0)[1] == pytest.approx(0.05)
    assert chosen(score, 0.2, 0.06)[1] == pytest.approx(0.85)
    assert chosen(score, 1.0, np.nextafter(1.0, 0.0)) == (3, 0.25)


def test_shares_of_arms_are_their_propensities() -> None:
    draws = np.random.default_rng(6).random(40_000)
    taken = [chosen(np.array([0.0, 1.0, 0.5]), 0.3, u) for u in draws.tolist()]
    share = np.bincount([arm for arm, _ in taken], minlength=3) / len(taken)
    np.testing.assert_allclose(share, [0.1, 0.8, 0.1], atol=0.01)
    assert {(arm, round(p, 12)) for arm, p in taken} == {(0, 0.1), (1, 0.8), (2, 0.1)}


def test_the_context_is_one_and_the_features_within_three() -> None:
    x = np.empty(4)
    signs = np.array([1, 0, 0], np.int8)
    mean, scale = np.array([0.5, 0.0, 1.0]), np.array([0.5, 1.0, 2.0])
    assert context(np.array([1.0, -9.0, 2.0]), -1, signs, mean, scale, x)
    assert x.tolist() == [1.0, -3.0, -3.0, 0.5]
    assert context(np.array([1.0, 2.5, 2.0]), 1, signs, mean, scale, x)
    assert x.tolist() == [1.0, 1.0, 2.5, 0.5]
    assert not context(np.array([1.0, math.nan, 2.0]), 1, signs, mean, scale, x)
    assert not context(np.array([math.inf, 1.0, 2.0]), 1, signs, mean, scale, x)


def test_priors_in_units_of_score() -> None:
    numbers, means, q = np.array([0.3, 0.0, -0.9]), np.array([0.0, 0.2, 0.1]), np.empty(3)
    prior_of(numbers, SCORE, 0.5, means, q)
    np.testing.assert_allclose(q, 0.5 * (numbers - numbers.mean()), rtol=1e-15)
    for slope in (0.0, -0.2):  # what was predicted says nothing: the static arm
        prior_of(numbers, SCORE, slope, means, q)
        assert q.tolist() == means.tolist()
    prior_of(numbers, LOG_ODDS, 2.0, means, q)
    shares = np.exp(numbers / 2.0) / np.exp(numbers / 2.0).sum()
    np.testing.assert_allclose(q, 0.1 * np.log(shares / shares.max()), rtol=1e-13)
    assert q[0] == 0.0
    prior_of(np.array([1000.0, 0.0, -1000.0]), LOG_ODDS, 1.0, means, q)
    np.testing.assert_allclose(q, [0.0, 0.1 * math.log(1e-6), 0.1 * math.log(1e-6)], rtol=1e-14)


def test_plain_python_has_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, names = np.random.default_rng(8), ("factor", "expected", "width", "highest", "exp", "log")
    xs, r = rng.normal(0.0, 1.0, (40, 6)), rng.normal(0.0, 1.0, 40)
    row, numbers = rng.normal(0.0, 1.0, 5), rng.normal(0.0, 1.0, 3)

    def run(take: Any) -> bytes:
        state, factors = np.empty((3, 7, 6)), np.empty((3, 7, 6))
        take(start)(state, factors, 20.0)
        q, out, x = np.empty(3), np.empty(3), np.empty(6)
        for i in range(40):
            take(learn)(state, factors, i % 3, xs[i], 0.1, r[i])
        take(prior_of)(numbers, LOG_ODDS, 1.3, np.zeros(3), q)
        take(context)(row, -1, np.ones(5, np.int8), np.zeros(5), np.ones(5), x)
        take(scores)(factors, q, x, 0.3, np.empty(6), out)
        drawn = take(chosen)(out, 0.25, 0.2)
        arrays = b"".join(array.tobytes() for array in (state, factors, q, x, out))
        return arrays + repr((int(drawn[0]), float(drawn[1]))).encode()

    compiled = run(lambda function: function)
    for name in names:
        monkeypatch.setattr(module, name, plain(getattr(module, name)))
    assert run(plain) == compiled


CODE = """
import numpy as np
from intrabar.exits import bandit as b
state, factors, x = np.empty((2, 4, 3)), np.empty((2, 4, 3)), np.ones(3)
b.start(state, factors, 1.0)
b.learn(state, factors, 0, x, 0.0, 1.0)
b.scores(factors, np.zeros(2), x, 0.1, np.empty(3), np.empty(2))
b.prior_of(np.ones(2), b.LOG_ODDS, 1.0, np.ones(2), np.empty(2))
show(b.learn, b.scores, b.factor, b.width, b.expected, b.prior_of)
"""


def test_no_fused_multiply_add(tmp_path: Path) -> None:
    text = assembly(CODE, tmp_path)
    assert len(text) > 5_000
    assert FUSED.search(text) is None
