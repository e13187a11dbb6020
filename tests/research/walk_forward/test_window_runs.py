"""A window is run as if it began there, with warm indicators, and knows nothing beyond its end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from intrabar.app.calls.sweep import planned
from intrabar.engine.outcome.result import finish
from intrabar.engine.run import Run
from intrabar.errors import DataError
from intrabar.model.instrument import Instrument
from intrabar.research.look_ahead.futures import other_future
from intrabar.research.walk_forward.window_runs import Window, WindowResult, WindowRuns, run_in
from intrabar.sim.account import Account
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip, MovingAverageCrossover, TrendFollowing
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose
from intrabar.strategy.weights import Weights
from tests.research.planted import market
from tests.strategy.markets import setup_of

BARS = market(400, seed=6, symbols=("A", "B"), missing=0.1)
COSTS = [Instrument(s, slippage_ticks=1, commission_per_contract=0.1) for s in "AB"]
SIDES = np.random.default_rng(3).choice([-1.0, 0.0, 1.0, np.nan], (400, 2))


@dataclass
class Counting(Strategy):
    """Trades by its own count of the bars that it was called on."""

    seen: int = 0

    def on_close(self, now: AtClose) -> None:
        self.seen += 1
        if self.seen % 5 == 1:
            now.buy(1)
        if self.seen % 5 == 4:
            now.close_position()


STRATEGIES = [
    Bot(MovingAverageCrossover(3, 9)),
    Bot(TrendFollowing(5, 20)),
    Signals({"A": SIDES[:, 0], "B": SIDES[:, 1]}, qty=10.0),
    Weights(0.4 * SIDES),
    Counting(),
]


def window(first: int, last: int) -> Window:
    return Window(int(BARS.time[first]), int(BARS.time[last]))


def run(strategy: Any, first: int, last: int, bars: Any = BARS) -> WindowResult:
    return run_in(setup_of(bars, strategy, instruments=COSTS), window(first, last))


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.name)
def test_a_window_of_all_bars_is_the_run_itself(strategy: Any) -> None:
    alone = finish(Run(setup_of(BARS, strategy, instruments=COSTS, close_at_end=True)))
    assert alone.fills.height > 10
    made = run(strategy, 0, 399)
    assert made.result.digest == alone.digest
    assert made.figures.values == alone.metrics.values


def test_a_bot_decides_as_one_that_waited_for_the_window() -> None:
    bot = Bot(MovingAverageCrossover(3, 9))
    made = run(bot, 150, 300)
    cut = BARS.rows(slice(0, 301))
    waited = replace(bot, warm_up=150)
    alone = finish(Run(setup_of(cut, waited, instruments=COSTS, close_at_end=True)))
    assert made.result.digest == alone.digest
    assert made.result.fills.height > 4
    assert made.result.fills["bar"].min() > 150


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.name)
def test_what_comes_after_a_window_is_not_there(strategy: Any) -> None:
    other = other_future(BARS, 300, "noise")
    made, same = run(strategy, 150, 300), run(strategy, 150, 300, other)
    assert made.result.digest == same.result.digest
    np.testing.assert_array_equal(made.figures.returns, same.figures.returns)
    assert made.result.campaigns["end_bar"].null_count() == 0


def test_figures_are_those_of_a_history_that_begins_with_the_window() -> None:
    coin = Bot(CoinFlip(5, 0.2))
    bars = market(500, seed=9)
    made = run_in(setup_of(bars, coin), Window(int(bars.time[200]), int(bars.time[450])))
    # A strategy in Python that remembers nothing needs no warm-up: cut bars must give the same.
    always = setup_of(bars, Alternating())
    there = run_in(always, Window(int(bars.time[200]), int(bars.time[450])))
    cut = replace(
        always,
        market=bars.rows(slice(200, 451)),
        account=Account(close_at_end=True),
    )
    alone = finish(Run(cut))
    assert there.figures.values == alone.metrics.values
    assert len(there.figures.days) == len(made.figures.days) == 251


class Alternating(Strategy):
    """Long after a bar that rose, flat after one that fell."""

    def on_close(self, now: AtClose) -> None:
        if now.is_flat and now.close > now.open:
            now.buy(10)
        elif not now.is_flat and now.close < now.open:
            now.close_position()


def test_nothing_is_called_before_the_window() -> None:
    made = run(Counting(), 150, 200)
    strategy = made.result.run.running["s"].strategy  # type: ignore[union-attr]
    assert strategy.seen == 51  # type: ignore[union-attr]


def test_every_trial_runs_on_its_own_bars() -> None:
    # Two markets of one length and one timeline: only which one it is tells them apart.
    index = pd.date_range("2024-01-01", periods=200, freq="D", tz="UTC")
    bars = {}
    for k, symbol in enumerate("AB"):
        close = 100.0 + np.random.default_rng(k).normal(size=200).cumsum()
        columns = {"open": close, "high": close + 1, "low": close - 1, "close": close}
        bars[symbol] = pd.DataFrame({**columns, "volume": 1e6}, index=index)
    costs = {"tick_size": 0.01, "point_value": 1.0, "calendar": "24/7"}
    plan = planned(
        Bot(MovingAverageCrossover(3, 9), qty=1),
        bars,
        {"parameters": {"symbols": ["A", "B"]}},
        {"instruments": dict.fromkeys("AB", costs)},
    )
    span = Window(*(int(index[k].value) for k in (50, 150)))
    trials = list(plan.space)
    together = [one.digest for one in WindowRuns(plan.variants, span).run(trials)]
    alone = [WindowRuns(plan.variants, span).run([one])[0].digest for one in trials]
    assert together == alone
    assert all(together)
    assert together[0] != together[1]


def test_a_window_without_bars_says_so() -> None:
    with pytest.raises(DataError, match="no bars in the window"):
        run_in(setup_of(BARS, Counting()), Window(int(BARS.time[-1]) + 1, int(BARS.time[-1]) + 9))
