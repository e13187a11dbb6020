"""Learned exits in runs that come in pieces, in replays, and in other processes."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from intrabar.data.pieces import WholeFeed
from intrabar.data.timeline import market_from_bars
from intrabar.engine.chunks.run import ChunkedRun
from intrabar.engine.chunks.setup import ChunkedSetup
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.replay.replay import Replay
from intrabar.engine.run import Run, Setup
from intrabar.errors import ConfigError
from intrabar.exits import Hybrid, Learned, LinUCB
from intrabar.indicators.features import features_of
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from intrabar.strategy.running_bot import RunningBot
from tests.engine.chunks.test_chunks import HOUR, START, walk
from tests.exits.traded import FEATURES, READS, traded_policy

LONGER = features_of([*READS, "far = close / ema(3).on(4h) - 1"], 5)
BARS = [walk("A", 1, 700), walk("B", 2, 700, missing=0.3)]


def exits() -> dict[str, Any]:
    """Of each kind; what is remembered between bars differs."""
    windows = [traded_policy(k, trained_until=START + HOUR * 150 * k) for k in range(3)]
    at_each = traded_policy(3, replace(FEATURES, window=1), when="bar")
    return {
        "one": Learned(traded_policy(3, LONGER), atr_period=5, max_bars=30),
        "windows": Learned(windows, atr_period=5, max_bars=30, exit="fixed"),
        "held": Learned(at_each, atr_period=5, max_bars=30),
        "hybrid": Hybrid(windows, n0=2.0, alpha=0.5, explore=0.2, atr_period=5, max_bars=30),
        "alone": LinUCB([0.5, 2.0], READS, alpha=0.5, atr_period=5, max_bars=9),
    }


def setups(bots: dict[str, Bot], chunk: int) -> tuple[Setup, ChunkedSetup]:
    instruments = tuple(Instrument(b.symbol, fee_per_trade=1.0) for b in BARS)
    account = Account(cash=50_000.0)
    feeds = tuple(WholeFeed(b) for b in BARS)
    whole = Setup(market_from_bars(BARS), instruments, bots, account)
    return whole, ChunkedSetup(feeds, instruments, bots, account, chunk)


def bots() -> dict[str, Bot]:
    return {
        name: Bot(CoinFlip(k, 0.2), exit_, risk_fraction=0.003)
        for k, (name, exit_) in enumerate(exits().items())
    }


def memories(running: Any) -> dict[str, str]:
    return {name: one.memory_digest() for name, one in running.items()}


@pytest.mark.parametrize("chunk", [1, 13, 1000])
def test_pieces_decide_as_the_whole_does(chunk: int, tmp_path: Path) -> None:
    setup, pieces = setups(bots(), chunk)
    run = Run(setup)
    whole = finish(run)
    told = ChunkedRun(pieces, tmp_path)
    result = told.to_end()
    assert result.digest == whole.digest
    assert memories(told.running) == memories(run.running)
    decisions = whole.decisions
    assert set(decisions["strategy"]) == set(bots())
    assert decisions.group_by("strategy").len()["len"].min() > 20  # type: ignore[operator]
    assert_frame_equal(result.table("decisions").collect(), decisions, check_exact=True)
    assert result.title == whole.title
    for key, state in whole.bandits.items():
        other = result.bandits[key]
        assert (state.bandit == other.bandit).all()
        for field in ("n", "learned_until", "last_campaign", "mean", "scale", "slot"):
            assert getattr(state, field) == getattr(other, field)
    assert len(whole.bandits) == 3  # of B there are too few bars for a context of its own
    assert [x for x in result.warnings if "decide" in x] == [
        x for x in whole.warnings if "decide" in x
    ]


def test_pieces_too_do_not_trade_what_was_trained_on() -> None:
    late = Learned(traded_policy(trained_until=START + 10 * HOUR))
    bot = {"late": Bot(CoinFlip(), late)}
    with pytest.raises(ConfigError, match="it knows 10 of 700 bars"):
        setups(bot, 50)[1]
    meant = {"late": Bot(CoinFlip(), replace(late, in_sample=True))}
    told = [x.text for x in setups(meant, 50)[1].remarks if x.severe]
    assert any("it knows 10 of the 700 bars" in x for x in told)


def test_a_replay_decides_as_the_run_does_whichever_way_it_is_walked() -> None:
    setup, _ = setups(bots(), 1)
    run = Run(setup)
    whole = finish(run)
    replay = Replay(setup)
    replay.seek(bar=400)
    replay.seek(bar=100)
    replay.seek(bar=650)
    replay.seek(bar=5)
    replay.seek(bar=len(setup.market))
    other = replay._track.run
    assert other.machine.digest() == whole.digest
    assert memories(other.running) == memories(run.running)
    assert_frame_equal(Result(other).decisions, whole.decisions, check_exact=True)


def test_a_campaign_that_somebody_closes_by_hand_teaches_nothing() -> None:
    setup, _ = setups({"one": bots()["one"]}, 1)
    replay = Replay(setup)
    replay.seek(bar=280)
    while ("one", "A") not in replay.positions():
        replay.step()
    replay.hand("A", "one").close_position()
    replay.seek(bar=len(setup.market))
    running = replay._track.run.running["one"]
    assert isinstance(running, RunningBot)
    assert running.learner is not None
    ends = running.learner.logged().ends
    assert ends["spoilt"].sum() == 1
    table = Result(replay._track.run).decisions
    assert table.filter(table["closed_bar"].is_not_null() & table["reward"].is_null()).height == 1


def test_a_result_that_is_sent_elsewhere_has_its_decisions() -> None:
    setup, _ = setups(bots(), 1)
    result = finish(Run(setup))
    there = pickle.loads(pickle.dumps(result))
    assert_frame_equal(there.decisions, result.decisions, check_exact=True)
