"""A run says where the features of its last decisions are no longer those of the training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from intrabar.analysis.drift import NO_LIMIT, deciles_of
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run, Setup
from intrabar.exits.learned import Learned
from intrabar.exits.policy import Policy
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from tests.exits.traded import FEATURES, traded_policy
from tests.strategy.markets import walk


def ran(policy: Policy) -> Result:
    market = walk(6000, 3, wild=0.01)
    bot = Bot(CoinFlip(), Learned(policy, max_bars=3), risk_fraction=0.001)
    return finish(Run(Setup(market, (Instrument("A", 0.01, lot=0.001),), {"s": bot})))


def told(result: Result) -> list[Any]:
    return [x for x in result.remarks if "moved furthest" in x.text]


def test_an_alarm_is_severe_no_limit_is_told_and_the_same_features_say_nothing() -> None:
    policy = traded_policy(9, psi_limit=0.25)
    first = ran(policy)
    assert not told(first)  # its deciles are not known
    decisions = first.decisions
    assert decisions.height >= 500
    x = decisions.select(f"x_{name}" for name in FEATURES.names).to_numpy()
    values = x * policy.net.scale + policy.net.mean
    known = replace(policy, deciles=deciles_of(values[-500:]))
    assert not told(ran(known))
    moved = values[-500:] + np.array([2.0, 0.0, 0.0]) * policy.net.scale
    alarm = told(ran(replace(policy, deciles=deciles_of(moved))))
    assert [x.severe for x in alarm] == [True]
    assert "s: the features of its last 500 decisions have drifted: reach" in alarm[0].text
    without = told(ran(replace(known, psi_limit=NO_LIMIT)))
    assert [x.severe for x in without] == [False]
    assert "there is no alarm" in without[0].text
