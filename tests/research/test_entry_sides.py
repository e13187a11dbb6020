"""The answers of an entry, given back to its bot, make the very same run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from intrabar.engine.outcome.result import finish
from intrabar.engine.run import Run
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.research.entry_sides import entry_sides, with_sides
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip, MovingAverageCrossover, TrendFollowing
from intrabar.strategy.gates import Gates
from tests.strategy.markets import setup_of, walk

BOTS = [
    Bot(CoinFlip(3, 0.2)),
    Bot(MovingAverageCrossover(4, 11), TrailingATR(5, 2.0)),
    Bot(TrendFollowing(5, 20), FixedRatio(7, 1.5, 3.0), gates=Gates(min_atr=0.2), warm_up=60),
    Bot(TrendFollowing(5, 20), gates=Gates(daily_loss=0.01)),
]


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("interpreted", [False, True])
@pytest.mark.parametrize("bot", BOTS, ids=lambda b: f"{b.name}-{b.exit.__class__.__name__}")
def test_a_bot_that_is_told_its_own_sides_makes_the_same_run(
    bot: Bot, interpreted: bool, missing: float
) -> None:
    market = walk(400, symbols=("A", "B"), missing=missing)
    setup = setup_of(market, replace(bot, interpreted=interpreted), Bot(CoinFlip(9)))
    told = entry_sides(setup)
    again = with_sides(setup, told, {name: one.sides for name, one in told.items()})
    result = finish(Run(setup))
    assert result.fills.height > 20
    assert finish(Run(again)).digest == result.digest


def test_sides_are_told_where_the_rule_can_be_asked() -> None:
    market = walk(100, missing=0.3)
    bot = Bot(MovingAverageCrossover(2, 5))
    told = entry_sides(setup_of(market, bot))["s"]
    real = ~np.isnan(market.open[:, 0])
    assert not told.asked[~real, 0].any()
    assert told.asked[real, 0][30:].all()
    assert set(np.unique(told.sides)) == {-1.0, 0.0, 1.0}
    assert not told.sides[~told.asked].any()


def test_rules_beyond_the_compiler_are_asked_in_python() -> None:
    compiled = entry_sides(setup_of(walk(120), Bot(CoinFlip(4, 0.3))))["s"]
    interpreted = entry_sides(setup_of(walk(120), Bot(CoinFlip(4, 0.3), interpreted=True)))["s"]
    np.testing.assert_array_equal(compiled.sides, interpreted.sides)
    np.testing.assert_array_equal(compiled.asked, interpreted.asked)


def test_other_sides_make_another_run() -> None:
    setup = setup_of(walk(300), Bot(CoinFlip(4, 0.3)))
    told: Any = entry_sides(setup)
    turned = with_sides(setup, told, {"s": -told["s"].sides})
    assert finish(Run(turned)).digest != finish(Run(setup)).digest
