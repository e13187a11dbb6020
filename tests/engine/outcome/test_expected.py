from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import intrabar as ib
from intrabar.analysis.path_truth import Extremes, LengthTruth, Pairs, Tally
from intrabar.engine.outcome.path_truth import PathTruth
from intrabar.errors import ConfigError, DataError, NotFoundError
from intrabar.exits import FixedRatio
from intrabar.model.enums import PathPolicy
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from tests.strategy.markets import MINUTE_NS, market_from, run_of, setup_of, walk

BARS = 200


class EveryBar(ib.Strategy):
    """Buys at each open, with a stop 1 below and a target 2 above."""

    def on_open(self, now: ib.AtOpen) -> None:
        if now.is_flat:
            now.buy(1, stop_loss=now.open - 1.0, take_profit=now.open + 2.0)


def coin_market() -> Any:
    """Bars that hold both levels and close above their open: `shortest` fills the stop."""
    return market_from([[100.0, 103.0, 98.0, 100.5]] * BARS)


def truth_of(right: int, told: int, period: int = MINUTE_NS, symbol: str = "A") -> PathTruth:
    none = Tally(0, 0)
    pairs = Pairs(0.25, 0.5, told, 0, none, Tally(right, told), none)
    length = LengthTruth(period, Extremes(told, 0, 0, none, none, none, none), (pairs,))
    return PathTruth(symbol, "1s", "", "", (length,))


@pytest.mark.parametrize("right", [0, 7, 10])
def test_it_is_the_binomial_where_every_bar_is_a_bet(right: int) -> None:
    # A bar loses 1 where the shortest path is right, and gains 2 where it is not.
    p = right / 10
    result = run_of(coin_market(), EveryBar())
    found = ib.expected(result, truth_of(right, 10), runs=200, seed=3)
    lost = (2 * BARS - (found.end_equity - 100_000.0)) / 3
    assert lost == pytest.approx(np.round(lost), abs=1e-6)
    sigma = math.sqrt(BARS * p * (1 - p))
    assert lost.mean() == pytest.approx(BARS * p, abs=4 * sigma / math.sqrt(200))
    assert lost.std() == pytest.approx(sigma, rel=0.25)
    assert found.ambiguous == BARS
    ends = {run.policy: run.total_return for run in found.band}
    assert ends[PathPolicy.WORST] == ends[PathPolicy.SHORTEST] == pytest.approx(-BARS / 1e5)
    assert ends[PathPolicy.BEST] == pytest.approx(2 * BARS / 1e5)
    if right == 7:
        # 5 and 95 % of a binomial of 200 and 0.7 are 129 and 151 lost bars.
        assert found.low == pytest.approx((2 * BARS - 3 * 151) / 1e5, abs=12e-5)
        assert found.high == pytest.approx((2 * BARS - 3 * 129) / 1e5, abs=12e-5)


def trades_of(seed: int) -> Bot:
    return Bot(CoinFlip(seed, 0.5), FixedRatio(3, 0.5, 1.0), 0.0, 5.0)


@settings(max_examples=10)
@given(st.integers(0, 99), st.integers(0, 99))
def test_a_trust_of_one_is_the_shortest_path(seed: int, chosen: int) -> None:
    setup = setup_of(walk(150, seed, ("A", "B"), wild=0.01), trades_of(seed))
    found = ib.expected(setup, 1.0, runs=2, seed=chosen)
    shortest = {run.policy: run.end_equity for run in found.band}[PathPolicy.SHORTEST]
    assert found.end_equity.tolist() == [shortest, shortest]


def test_the_same_seed_gives_the_same_paths_from_a_result_or_a_setup() -> None:
    market = walk(300, 5, wild=0.01)
    setup = setup_of(market, trades_of(5))
    first = ib.expected(setup, 0.7, runs=20, seed=1)
    again = ib.expected(run_of(market, trades_of(5)), 0.7, runs=20, seed=1)
    other = ib.expected(setup, 0.7, runs=20, seed=2)
    assert first.end_equity.tolist() == again.end_equity.tolist()
    assert first.end_equity.tolist() != other.end_equity.tolist()
    assert len(set(first.end_equity.tolist())) > 10
    assert first.as_json()["end_equity"]["median"] == np.median(first.end_equity)
    assert f"expected {first.mean:.2%}" in str(first)


@pytest.mark.parametrize(
    ("truth", "error", "told"),
    [
        (1.2, ConfigError, "truth: is"),
        (math.nan, ConfigError, "truth: is"),
        (truth_of(7, 10, symbol="ES"), ConfigError, "is of ES, the run trades A"),
        (truth_of(7, 10, period=5 * MINUTE_NS), NotFoundError, "path truth of A '1m'"),
        (truth_of(0, 0), DataError, "no stop and target in one bar"),
        ("no/such.json", DataError, "holds no path truth"),
    ],
)
def test_a_truth_that_does_not_fit(truth: Any, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        ib.expected(setup_of(coin_market(), EveryBar()), truth)


def test_there_must_be_a_run() -> None:
    with pytest.raises(ConfigError, match="runs: is 0"):
        ib.expected(setup_of(coin_market(), EveryBar()), 0.5, runs=0)


def test_progress_counts_the_runs() -> None:
    seen: list[Sequence[int]] = []
    setup = setup_of(coin_market(), EveryBar())
    ib.expected(setup, 0.5, runs=3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
