"""From a run to evidence: rivals, pairs and accounts are those of ordinary backtests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run, Setup
from intrabar.errors import UsageError
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.exits.static import static_exit
from intrabar.model.enums import PathPolicy
from intrabar.model.instrument import Instrument
from intrabar.research.scorecard.evidence import Evidence, Training
from intrabar.research.scorecard.learned_run import (
    LearnedExit,
    Spans,
    daily_returns,
    entries_in,
    evidence_of,
    static_result,
)
from intrabar.research.scorecard.scorecard import figures_of, judged, look_of
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import TrendFollowing
from tests.research.scorecard.evidence import PASSED
from tests.strategy.markets import DAY_NS, walk

ARMS = (1.0, 2.0, 4.0)
TESTED = Training("made up", "abc", canaries=PASSED)


def learned_exit(bars: int = 1600, cuts: tuple[int, ...] = (800, 1200), **how: Any) -> LearnedExit:
    market = walk(bars, 4, ("A", "B"), wild=0.01, missing=0.05, period=DAY_NS)
    instruments = tuple(Instrument(s, 0.01, slippage_ticks=1.0, lot=1e-3) for s in "AB")
    bot = Bot(TrendFollowing(fast=5, slow=20), TrailingATR(), risk_fraction=0.01)
    time = market.time
    ends = [*(c - 1 for c in cuts[1:]), bars - 1]
    windows = tuple(
        Spans(f"w{k:03d}", (int(time[0]), int(time[c - 1])), (int(time[c]), int(time[e])))
        for k, (c, e) in enumerate(zip(cuts, ends, strict=True))
    )
    setup = Setup(market, instruments, {"s": bot}, trade_from=windows[0].test[0])
    return LearnedExit(setup, "s", TrailingATR(5), 30, ARMS, 1, windows, **how)


def decided(learned: LearnedExit, seed: int = 0) -> tuple[Result, pl.DataFrame]:
    """A static run, as if each of its entries had been decided."""
    result = static_result(learned, 2.0)
    made = entries_in(result)
    arm = np.random.default_rng(seed).integers(0, 3, made.height)
    table = made.with_columns(
        time=pl.Series(learned.setup.market.time[made["bar"]]).cast(pl.Datetime("ns", "UTC")),
        strategy=pl.lit("s"),
        campaign=pl.int_range(made.height),
        arm=pl.Series(arm),
        reward=pl.Series(np.full(made.height, 0.5)),
        simulated=pl.lit(value=False),
    )
    return result, table


def of(learned: LearnedExit, **how: Any) -> Evidence:
    return evidence_of(learned, *decided(learned), TESTED, **how)


def test_entries_are_where_the_bot_decided_and_what_it_took() -> None:
    learned = learned_exit()
    result = static_result(learned, 2.0)
    found = entries_in(result)
    campaigns = result.campaigns
    assert found.height == campaigns.height > 50
    real = ~np.isnan(learned.setup.market.open)
    for row in found.head(30).iter_rows(named=True):
        j = "AB".index(row["symbol"])
        next_bar = row["bar"] + 1 + int(np.argmax(real[row["bar"] + 1 :, j]))
        mine = campaigns.filter(symbol=row["symbol"], start_bar=next_bar)
        assert mine.height == 1
        assert (mine["side"][0] == "buy") == (row["side"] == 1)


def test_the_static_side_of_a_pair_is_the_campaign_of_an_ordinary_backtest() -> None:
    learned = learned_exit()
    found = of(learned)
    at = 0  # both accounts are flat with the cash before their first entry
    for k, arm in enumerate(ARMS):
        first = static_result(learned, arm).campaigns.row(0, named=True)
        budget = 0.01 * learned.setup.account.cash
        assert found.entries.here.static[at, k] == pytest.approx(first["net"] / budget)
    assert_array_equal(
        found.entries.here.learned,
        found.entries.here.static[np.arange(len(found.entries)), found.entries.arm],
    )


def test_a_static_exit_leaves_after_as_many_bars_as_the_learned_one() -> None:
    learned = learned_exit()
    campaigns = static_result(learned, 4.0).campaigns.filter(reason="max_bars")
    real = ~np.isnan(learned.setup.market.open)
    assert campaigns.height > 10
    for row in campaigns.iter_rows(named=True):
        bars = real[row["start_bar"] : row["end_bar"], "AB".index(row["symbol"])]
        assert bars.sum() == 30
    one = static_exit(FixedRatio(7, reward=3.0), 2.5, 9)
    assert (one.atr_period, one.reward, one.atr_multiple, one.max_bars) == (7, 3.0, 2.5, 9)


def test_the_rival_is_of_entries_that_end_before_the_test() -> None:
    learned = learned_exit()
    found = of(learned)
    time = learned.setup.market.time
    whole = replace(learned, setup=replace(learned.setup, trade_from=None))
    entered = entries_in(static_result(whole, 2.0))
    for window in found.windows:
        inside = time[entered["bar"]] <= window.train[1]
        assert 0 < window.own_entries <= int(inside.sum())
        assert window.own_entries >= int(inside.sum()) - 4
    assert found.windows[0].own_entries < 200  # so rows of every bar are taken
    assert len(found.windows[0].scores) > 1000


def test_two_bots_that_do_the_same_differ_by_nothing() -> None:
    learned = learned_exit()
    result, table = decided(learned)
    rivals = figures_of(evidence_of(learned, result, table, TESTED)).rivals
    arms = [one.arm for one in rivals]
    window = (table["bar"] >= 1200).cast(pl.Int64)
    same = table.with_columns(arm=pl.Series(np.array(arms)[window.to_numpy()]))
    found = evidence_of(learned, static_result(learned, ARMS[arms[0]]), same, TESTED)
    figures = figures_of(found)
    assert figures.pairs.mean == 0.0
    first = found.returns.day < found.entries.day[found.entries.window == 1][0] - 40
    assert_allclose(found.returns.learned[first], found.returns.static[first])
    card = judged(found, figures, [look_of(found, figures, 0)])
    assert card.verdict.word == "not worth it"


def test_the_account_is_that_of_the_runs() -> None:
    learned = learned_exit(cuts=(800,))
    result, table = decided(learned)
    found = evidence_of(learned, result, table, TESTED)
    equity = result.equity["equity"]
    assert np.prod(1.0 + found.returns.learned) == pytest.approx(
        equity[-1] / learned.setup.account.cash
    )
    arm = figures_of(found).rivals[0].arm
    other = static_result(learned, ARMS[arm]).equity["equity"]
    assert np.prod(1.0 + found.returns.static) == pytest.approx(
        other[-1] / learned.setup.account.cash
    )


def test_a_day_without_a_bar_of_a_ruined_account_has_no_return() -> None:
    learned = learned_exit()
    days, returns = daily_returns(static_result(learned, 1.0))
    assert len(days) == len(returns) == 1600
    assert returns[0] == 0.0


def test_another_arm_of_ones_own_is_played_too_and_is_no_rival() -> None:
    found = of(learned_exit(), own=3.0)
    assert found.arms.tolist() == [1.0, 2.0, 4.0, 3.0]
    assert (found.own, found.learnable) == (3, 3)
    assert of(learned_exit(), own=2.0).own == 1
    assert "arm 3, your own" in figures_of(found).against


def test_both_paths_are_played_whatever_the_configuration_has() -> None:
    learned = learned_exit()
    assert of(learned).paths == ("worst", "best")
    turned = replace(learned, setup=learned.setup.under(PathPolicy.BEST))
    assert of(turned).paths == ("best", "worst")


def test_a_bot_without_an_entry_before_the_test_has_no_rival() -> None:
    learned = learned_exit(cuts=(3,))
    with pytest.raises(UsageError, match="w000: no static arm has a campaign on its train"):
        of(learned)
    later = (learned.setup.market.time[0] - 2, learned.setup.market.time[0] - 1)
    window = learned.windows[0]._replace(train=later)
    with pytest.raises(UsageError, match="w000: the bot has no entry between"):
        of(replace(learned, windows=(window,)))


def test_threads_change_nothing() -> None:
    learned = learned_exit()
    one, two = of(learned), of(learned, threads=2)
    assert_array_equal(one.entries.here.static, two.entries.here.static)
    assert finish(Run(learned.setup)).digest
