"""A run says where the features of its last decisions are no longer those of the training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from intrabar.analysis.drift import NO_LIMIT, deciles_of, psi_of
from intrabar.engine.outcome.decisions import decided_in
from intrabar.engine.outcome.drifted import drift_table
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run, Setup
from intrabar.exits.learned import Learned
from intrabar.exits.policy import Policy
from intrabar.exits.psi import STRETCH
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from tests.exits.traded import FEATURES, traded_policy
from tests.strategy.markets import walk


def ran(policy: Policy, bars: int = 6000) -> Result:
    market = walk(bars, 3, wild=0.01)
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


def test_stretches_end_with_the_last_decision_and_each_is_held_against_its_own_policy() -> None:
    policy = traded_policy(9, psi_limit=0.25)
    result = ran(policy, 13_000)
    one = decided_in(result.run.running)["s"]
    context = one.log.values[:, len(one.lessons.arms) + 1 :]
    values, n = context * policy.net.scale + policy.net.mean, len(context)
    assert n >= 2 * STRETCH
    moved = values + np.array([2.0, 0.0, 0.0]) * policy.net.scale
    first = replace(policy, deciles=deciles_of(values), psi_limit=NO_LIMIT)
    second = replace(policy, deciles=deciles_of(moved))
    decisions = one.log.decisions.copy()
    decisions["model"][-STRETCH:] = 1
    both = one._replace(
        log=one.log._replace(decisions=decisions),
        lessons=one.lessons._replace(policies=(first, second)),
    )
    table = drift_table({"s": both})
    ends = list(range(n, STRETCH - 1, -STRETCH))[::-1]
    times = result.decisions["time"].to_list()
    assert table["time"].to_list() == [times[end - 1] for end in ends]
    for row, end in zip(table.iter_rows(named=True), ends, strict=True):
        of = second if end == n else first
        psi = psi_of(values[end - STRETCH : end], of.deciles)
        assert row["psi"] == psi.max()
        assert row["feature"] == FEATURES.names[int(psi.argmax())]
        assert row["limit"] == (0.25 if end == n else None)
    assert not drift_table({"s": one}).height  # its deciles are not known
