"""Walk-forward runs: the choice is that of a slow loop, and the tests are stitched as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import intrabar as ib
from intrabar.analysis.splits.walk_forward import walk_forward
from intrabar.model.bars import Bars, Market
from intrabar.model.instrument import Instrument
from intrabar.research.walk_forward.window_runs import Window, run_in
from intrabar.sim.account import Account
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import MovingAverageCrossover
from tests.research.planted import market
from tests.strategy.markets import setup_of

PAIRS = {"fast": [2, 5], "slow": [10, 20]}


def bars_of(plain: Market) -> Bars:
    """One instrument as bars."""
    columns = [getattr(plain, n)[:, 0] for n in ("open", "high", "low", "close", "volume")]
    day = np.arange(len(plain), dtype=np.int64)
    return Bars("A", plain.time, *columns, plain.period, plain.open_time[:, 0], day)


PLAIN = market(700, seed=12)
BARS = bars_of(PLAIN)


def walked(**how: Any) -> ib.WalkForward:
    given: dict[str, Any] = {"parameters": PAIRS, "train": 200, "test": 100, "workers": 1}
    given["instruments"] = {"A": Instrument("A")}
    return ib.walk_forward("MovingAverageCrossover", BARS, **{**given, **how})


def test_windows_choose_and_trade_as_a_slow_loop_does() -> None:
    found = walked()
    cuts = walk_forward(PLAIN.time, 200, 100)
    assert len(found.steps) == len(cuts) == 5
    for step, cut in zip(found.steps, cuts, strict=True):
        train, test = (Window(int(PLAIN.time[r[0]]), int(PLAIN.time[r[-1]])) for r in cut)
        ratios = {}
        for fast in PAIRS["fast"]:
            for slow in PAIRS["slow"]:
                setup = setup_of(PLAIN, Bot(MovingAverageCrossover(fast, slow)))
                inside = run_in(setup, train).figures.returns
                ratios[fast, slow] = inside.mean() / inside.std(ddof=1)
        best = max(ratios, key=lambda pair: ratios[pair])
        assert dict(step.chosen) == {"fast": best[0], "slow": best[1]}
        setup = setup_of(PLAIN, Bot(MovingAverageCrossover(*best)))
        np.testing.assert_array_equal(step.returns, run_in(setup, test).figures.returns)
    np.testing.assert_array_equal(found.returns, np.concatenate([s.returns for s in found.steps]))
    assert len(found.days) == 500
    assert found.equity[-1] == pytest.approx(np.prod(1.0 + found.returns))


def test_workers_do_not_matter() -> None:
    one, two = walked(), walked(workers=2)
    np.testing.assert_array_equal(one.returns, two.returns)
    assert one.as_json() == two.as_json()


def test_another_metric_chooses_by_it() -> None:
    found = walked(metric="max_drawdown")
    for step in found.steps:
        assert step.inside["max_drawdown"] is not None
    assert found.metric == "max_drawdown"


def side_of(way: int, market: Market) -> ib.Signals:
    """Long or short all along."""
    return ib.Signals(np.full(len(market), float(way)), qty=100.0)


def turning() -> Bars:
    """Up for 400 days, then down."""
    line = np.exp(np.where(np.arange(800) < 400, 0.003, -0.003).cumsum())[:, None]
    plain = market(800, seed=2)
    for name in ("open", "high", "low", "close"):
        getattr(plain, name)[:] = np.round(getattr(plain, name) * line, 2)
    return bars_of(plain)


def test_what_is_chosen_follows_the_market_and_drifts() -> None:
    found = ib.walk_forward(
        side_of, turning(), parameters={"way": [-1, 1]}, train=200, test=100, workers=1
    )
    ways = [step.chosen["way"] for step in found.steps]
    assert ways[0] == 1
    assert ways[-1] == -1
    assert found.drift == {"way": pytest.approx(1 / (len(ways) - 1))}
    # On the turn it was still long, and lost.
    turn = ways.index(-1) - 1
    assert found.steps[turn].outside["annual_return"] < 0.0  # type: ignore[operator]


def test_an_anchored_train_begins_at_the_first_bar_and_purge_ends_it_early() -> None:
    anchored = walked(anchored=True)
    assert {step.train.first for step in anchored.steps} == {int(PLAIN.time[0])}
    purged = walked(purge=7, embargo=3)
    for step, plain in zip(purged.steps, walked().steps, strict=True):
        assert step.test == plain.test
        at = np.searchsorted(PLAIN.time, [step.train.last, step.test.first])
        assert at[1] - at[0] == 1 + 7
    apart = walked(purge=3, embargo=7).steps[0]
    assert int(np.searchsorted(PLAIN.time, apart.train.last)) == 200 - 1 - 7


def test_windows_by_calendar_come_from_the_configuration(tmp_path: Path) -> None:
    config = {"walk_forward": {"train": "12m", "test": "3m"}, "sweep": {"parameters": PAIRS}}
    found = ib.walk_forward("MovingAverageCrossover", BARS, config=config, workers=1)
    first = np.array([s.test.first for s in found.steps], "datetime64[ns]").astype("datetime64[M]")
    assert set(np.diff(first).astype(int)) == {3}


def test_efficiency_is_the_return_outside_over_that_inside() -> None:
    found = ib.walk_forward(
        side_of, turning(), parameters={"way": [1]}, end="1971-01-20", train=100, test=50, workers=1
    )
    inside = np.mean([s.inside["annual_return"] for s in found.steps])
    outside = np.prod(1.0 + found.returns) ** (252 / len(found.returns)) - 1.0
    assert found.figures["efficiency"] == pytest.approx(outside / inside)
    assert found.figures["efficiency"] == pytest.approx(1.0, abs=0.5)


def test_a_sharpe_of_a_train_stands_beside_its_deflated_one() -> None:
    table = walked().table
    columns = table.columns
    assert columns.index("deflated_in") == columns.index("sharpe_in") + 1
    assert ((table["deflated_in"] >= 0.0) & (table["deflated_in"] <= 1.0)).all()


def test_every_window_is_closed_at_its_end() -> None:
    found = ib.walk_forward(
        side_of, BARS, parameters={"way": [1]}, train=200, test=100, workers=1, account=Account()
    )
    assert [step.outside["campaigns"] for step in found.steps] == [1.0] * 5


def test_what_is_wrong_is_a_sentence() -> None:
    with pytest.raises(ib.UsageError, match=r"a history of 700 bars from 1970-01-02 to 1971-12"):
        walked(train=600, test=200)
    with pytest.raises(ib.UsageError, match="give all in bars, or all as stretches"):
        walked(train="1y")
    with pytest.raises(ib.ConfigError, match=r"walk_forward.purge: .*-1"):
        walked(purge=-1)
    with pytest.raises(ib.ConfigError, match="no trial has a sharpe from 1970-01-02"):
        walked(parameters={"fast": [5], "slow": [300]})


def fragile(way: int, market: Market) -> Any:
    """Raises for one of the ways."""
    if way < 0:
        raise ValueError("no shorts here")
    return side_of(way, market)


def test_trials_that_raise_are_counted_and_the_walk_goes_on() -> None:
    found = ib.walk_forward(
        fragile, BARS, parameters={"way": [-1, 1]}, train=200, test=100, workers=1
    )
    assert [step.failed for step in found.steps] == [1] * 5
    with pytest.raises(ib.ConfigError, match="no shorts here"):
        ib.walk_forward(fragile, BARS, parameters={"way": [-1]}, train=200, test=100, workers=1)
