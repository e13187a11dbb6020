"""What a feature is worth: the one that tells the best arm, and no other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from intrabar.learn.importance import _deals, importance_of
from intrabar.learn.lstm_policy import seeds_to_train, train_lstm
from intrabar.learn.lstm_training import LstmSettings
from intrabar.learn.window_arrays import Windows
from intrabar.model.bars import DAY_NS
from tests.learn.planted import setup_of, windows_in


def test_the_feature_that_tells_the_arm_is_worth_the_most(tmp_path: Path) -> None:
    w = windows_in(tmp_path / "d", setup_of(900, ("A", "B")))
    up = w.of.last_rows[:, 0] > 0
    scores = np.zeros_like(w.of.scores)
    scores[:, 2], scores[:, 0] = np.where(up, 1.0, -1.0), np.where(up, -1.0, 1.0)
    spread = w.of.time * 200  # days in the place of minutes
    world = Windows(replace(w.of, scores=scores, time=spread), w.parted, w.normal)
    settings = LstmSettings(epochs=6, batch=64, rate=3e-3)
    policy = train_lstm(world, settings, seeds_to_train(3)).policy
    found = {x.feature: x for x in importance_of(policy, world)}
    assert max(found, key=lambda x: found[x].lost) == "trend"
    assert found["trend"].lost > 0.5
    assert abs(found["side"].lost) < 0.2


def test_days_of_a_symbol_and_side_are_dealt_whole(tmp_path: Path) -> None:
    w = windows_in(tmp_path / "d", setup_of(900, ("A", "B")))
    world = Windows(replace(w.of, time=w.of.time * 200), w.parted, w.normal)
    rows = world.validation
    order = next(_deals(world, rows, np.random.default_rng(1), 1))
    assert sorted(order.tolist()) == list(range(len(rows)))
    for of in (world.of.symbol, world.of.side):
        assert (of[rows][order] == of[rows]).all()
    own = (world.of.symbol[rows] == 0) & (world.of.side[rows] == 1)
    day = (world.of.time[rows] // DAY_NS)[order][own]
    assert len(np.flatnonzero(np.diff(day))) + 1 == len(np.unique(day))  # no day is torn
