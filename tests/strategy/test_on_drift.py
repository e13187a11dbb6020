"""`on_drift: static`: the static arm of a policy trades as long as its features have drifted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from intrabar.analysis.drift import deciles_of, drift_of
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.prepared import Prepared
from intrabar.engine.run import Run
from intrabar.errors import ConfigError
from intrabar.exits import Hybrid, Learned, LinUCB
from intrabar.exits.psi import STRETCH
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from intrabar.strategy.running_bot import RunningBot
from tests.exits.traded import ARMS, FEATURES, traded_policy
from tests.strategy.markets import setup_of, walk


def wild(market: Any) -> Any:
    """The same bars with four times the reach in their third quarter."""
    n = len(market)
    part = slice(n // 2, 3 * n // 4)
    high, low = market.high.copy(), market.low.copy()
    middle = (high[part] + low[part]) / 2
    high[part] = middle + 4 * (high[part] - middle)
    low[part] = middle - 4 * (middle - low[part])
    return replace(market, high=high, low=low)


MARKET = wild(walk(5_000, 2, ("A", "B"), missing=0.05))


def trained(**changed: Any) -> Any:
    """A policy whose training were the bars of the first quarter, both sides of each."""
    features = replace(FEATURES, window=changed.pop("window", 3))
    table = np.concatenate([x[:1250] for x in Prepared(MARKET, ("", "")).feature_tables(
        features).tables])  # fmt: skip
    table = table[np.isfinite(table).all(axis=1)]
    both = np.concatenate([table, table * np.where(features.signs == 1, -1.0, 1.0)])
    both[len(table) :, -1] = -1.0
    return traded_policy(features=features, deciles=deciles_of(both), psi_limit=0.3, **changed)


def ran(exit_: Any, interpreted: bool = False, **how: Any) -> tuple[Result, str]:
    bot = Bot(CoinFlip(1, 0.4), exit_, risk_fraction=0.001, interpreted=interpreted)
    run = Run(setup_of(MARKET, bot), **how)
    result = finish(run)
    running = run.running["s"]
    assert isinstance(running, RunningBot)
    return result, running.memory_digest()


COMMON: dict[str, Any] = {"atr_period": 5, "max_bars": 3}


@pytest.mark.parametrize("kind", ["learned", "hybrid", "bar"])
def test_the_static_arm_trades_where_the_last_decisions_have_drifted(kind: str) -> None:
    policy = trained(when="bar", window=1) if kind == "bar" else trained()
    exit_: Any = Learned(policy, **COMMON)
    if kind == "hybrid":
        exit_ = Hybrid(policy, n0=2.0, alpha=0.5, explore=0.2, **COMMON)
    result, _ = ran(replace(exit_, on_drift="static"))
    told, _ = ran(exit_)
    found = result.decisions
    contexts = found.select(f"x_{name}" for name in FEATURES.names).to_numpy()
    values = contexts * policy.net.scale + policy.net.mean
    numbers = found.select(f"score_{arm:g}" for arm in ARMS).to_numpy()
    alarms = np.zeros(len(found), bool)
    for k in range(STRETCH, len(found)):
        drift = drift_of(values[:k], FEATURES.names, policy.deciles, policy.psi_limit)
        alarms[k] = drift is not None and drift.alarm
    assert 100 < alarms.sum() < len(found) - 1_000
    assert not alarms[-1]  # it decides again where they have drifted back
    arms = found["arm"].to_numpy()
    assert (arms[alarms] == policy.static_arm).all()
    assert (found["propensity"].to_numpy()[alarms] == 1.0).all()
    if kind == "learned":
        own = numbers.argmax(axis=1)
        assert (arms[~alarms] == own[~alarms]).all()
        assert (found["greedy"].to_numpy() == (arms == own)).all()
        assert (own[alarms] != policy.static_arm).sum() > 20
    assert result.digest != told.digest
    first = int(found["bar"][int(np.flatnonzero(alarms)[0]) - 1])  # the last that it is told by
    same = [x.decisions.filter(x.decisions["bar"] < first) for x in (result, told)]
    names = ["bar", "symbol", "arm", "multiple", "prior"]
    assert same[0].select(names).equals(same[1].select(names))


@pytest.mark.parametrize("when", ["entry", "bar"])
def test_compiled_interpreted_and_without_a_log_are_alike(when: str) -> None:
    policy = trained(when=when, window=1 if when == "bar" else 3)
    exit_ = Learned(policy, on_drift="static", **COMMON)
    one, memory = ran(exit_)
    for how in ({"interpreted": True}, {"keeps_log": False}):
        other, again = ran(exit_, **how)
        assert (other.digest, again) == (one.digest, memory)


def test_an_alarm_at_the_end_says_who_trades() -> None:
    policy = replace(trained(), deciles=trained().deciles + 100.0)
    for on_drift, then in (("tell", "drifted: "), ("static", "drifted; its static arm is taken: ")):
        result, _ = ran(Learned(policy, on_drift=on_drift, **COMMON))
        assert [x for x in result.warnings if then in x]


def test_what_has_no_training_to_be_held_against_is_refused() -> None:
    with pytest.raises(ConfigError, match="on_drift: static is for a policy"):
        Learned(arms="arms.parquet", static=1.0, on_drift="static")
    with pytest.raises(ConfigError, match="on_drift"):
        Learned(trained(), on_drift="stop")
    with pytest.raises(TypeError, match="on_drift"):
        LinUCB([1.0, 2.0], on_drift="static")
