"""Strategies without an edge do not beat chance more often than chance does; planted edges do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from intrabar.analysis.figure import Undefined
from intrabar.engine.outcome.result import Result
from intrabar.research.validate.nulls import (
    Null,
    permuted_blocks,
    permuted_entry,
    random_entry,
    synthetic_bars,
)
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip, MovingAverageCrossover
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.weights import Weights
from tests.research.planted import MarksInPython, market, marks_as_sides, on_marks, with_edge
from tests.strategy.markets import run_of

EDGE = with_edge(market(1500), 0.02)
SIDES = marks_as_sides(EDGE)
WITH_EDGE = [
    on_marks(),
    Signals(SIDES, qty=100.0),
    Weights((0.5 * SIDES)[:, None]),
    MarksInPython(),
]
Test = Callable[..., Null | Undefined]


@pytest.mark.parametrize("strategy", WITH_EDGE, ids=lambda s: type(s).__name__)
def test_a_planted_edge_beats_entries_at_random(strategy: Any) -> None:
    found = random_entry(run_of(EDGE, strategy), 60)
    assert isinstance(found, Null)
    assert found.p_value == 1 / 61
    assert found.observed > 3.0 * found.draws.std() + found.draws.mean()


@pytest.mark.parametrize("strategy", WITH_EDGE[:3], ids=lambda s: type(s).__name__)
def test_a_planted_edge_is_lost_when_its_entries_are_permuted(strategy: Any) -> None:
    found = permuted_entry(run_of(EDGE, strategy), 60)
    assert isinstance(found, Null)
    assert found.p_value == 1 / 61


@pytest.mark.parametrize("test", [random_entry, permuted_entry])
def test_coins_do_not_beat_chance_more_often_than_chance(test: Test) -> None:
    p = []
    for seed in range(40):
        bot = Bot(CoinFlip(seed, 0.1))
        found = test(run_of(market(400, seed=seed + 100), bot), 39, seed=seed)
        assert isinstance(found, Null)
        p.append(found.p_value)
    # Of 40 draws with a chance of 10 %, more than 9 come once in a hundred times.
    assert np.count_nonzero(np.array(p) <= 0.1) <= 9
    assert 0.3 < np.mean(p) < 0.7


@pytest.mark.parametrize("strategy", [Signals, Weights])
def test_arrays_without_an_edge_do_not_beat_chance(strategy: Any) -> None:
    p = []
    for seed in range(20):
        bars = market(300, seed=seed + 50)
        side = np.repeat(np.random.default_rng(seed).choice([-1.0, 0.0, 1.0], 60), 5)
        made = Signals(side, qty=10.0) if strategy is Signals else Weights(0.5 * side[:, None])
        found = random_entry(run_of(bars, made), 19, seed=seed)
        assert isinstance(found, Null)
        p.append(found.p_value)
    assert np.count_nonzero(np.array(p) <= 0.1) <= 6


def test_entries_at_random_are_as_many_as_those_of_the_run() -> None:
    bars = market(1500, seed=3, symbols=("A", "B"))
    result = run_of(bars, Bot(MovingAverageCrossover(3, 8)))
    found = random_entry(result, 40)
    assert isinstance(found, Null)
    assert found.campaigns == pytest.approx(result.campaigns.height, rel=0.1)
    python = run_of(EDGE, MarksInPython())
    placed = random_entry(python, 20)
    assert isinstance(placed, Null)
    # Campaigns that come to touch each other are one.
    assert 0.8 * python.campaigns.height < placed.campaigns <= python.campaigns.height


def test_the_same_seed_gives_the_same_draws_and_another_one_others() -> None:
    result = run_of(market(300), Bot(CoinFlip(1)))
    for test in (random_entry, permuted_entry, synthetic_bars):
        one, same, other = (test(result, 5, seed=seed) for seed in (1, 1, 2))
        assert isinstance(one, Null)
        assert isinstance(same, Null)
        assert isinstance(other, Null)
        np.testing.assert_array_equal(one.draws, same.draws)
        assert (one.draws != other.draws).any()


def test_synthetic_bars_keep_their_marks_and_lose_their_order() -> None:
    # The edge comes one bar after the mark. Drawn bar by bar it is lost; the drift stays.
    found = synthetic_bars(run_of(EDGE, on_marks()), 60)
    assert isinstance(found, Null)
    assert found.p_value < 0.05
    assert found.campaigns > 20


def test_synthetic_bars_of_instruments_that_begin_at_different_times() -> None:
    late = market(300, symbols=("A", "B"))
    for name in ("open", "high", "low", "close"):
        getattr(late, name)[:200, 1] = np.nan
    late.volume[:200, 1] = 0.0
    found = synthetic_bars(run_of(late, Bot(CoinFlip(1, 0.3))), 10)
    assert isinstance(found, Null)
    assert found.draws.std() > 0.1


def test_what_cannot_be_tested_says_why() -> None:
    silent = run_of(market(200), Bot(CoinFlip(1, 0.0)))
    python = run_of(EDGE, MarksInPython())
    arrays = run_of(EDGE, Signals(SIDES))
    short = run_of(market(5), MarksInPython())
    few = run_of(market(5), Signals(np.array([0.0, 1.0, 1.0, 0.0, 0.0])))
    told: list[tuple[Result, Test, str]] = [
        (silent, random_entry, "it did not trade"),
        (python, permuted_entry, "no entry rule"),
        (arrays, synthetic_bars, "belong to the true bars"),
        (short, synthetic_bars, "too few"),
        (few, permuted_entry, "too few to be permuted"),
    ]
    for result, test, words in told:
        found = test(result, 3)
        assert isinstance(found, Undefined)
        assert words in found.reason


def test_a_strategy_that_raises_on_other_bars_says_so() -> None:
    class Fragile(Strategy):
        def on_close(self, now: Any) -> None:
            if now.bar == 60:
                now.buy(1)
            if now.bar == 61 and now.close != EDGE.close[61, 0]:
                raise ValueError("other bars")

    found = synthetic_bars(run_of(EDGE, Fragile()), 5)
    assert isinstance(found, Undefined)
    assert "other bars" in found.reason


def test_blocks_are_permuted_whole() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        order = permuted_blocks(103, 10, rng)
        assert sorted(order) == list(range(103))
        assert np.count_nonzero(np.diff(order) == 1) >= 103 - 12
