"""Noise is not called real, a planted edge is, and what cannot be tested says why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import intrabar as ib
from intrabar.engine.outcome.result import Result
from intrabar.model.bars import Market
from intrabar.model.instrument import Instrument
from intrabar.research.finding import Finding
from intrabar.research.validate.check import Check, Validation
from intrabar.research.validate.of_a_sweep import Trials, longest_days, sweep_checks
from intrabar.research.validate.validate import validate_run, validate_sweep, verdict
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose
from tests.research.planted import market, on_marks, with_edge
from tests.research.walk_forward.test_walk_forward_run import bars_of
from tests.strategy.markets import run_of

DAYS = np.arange(1, 757) * 86_400_000_000_000
COSTS = [Instrument("A", slippage_ticks=1, commission_per_contract=0.005)]


def checks(found: Validation) -> dict[str, Check]:
    return {one.name: one for one in found.checks}


def lasting(bars: int, lift: float, seed: int = 1) -> Market:
    """An edge of several bars, in a market that takes any size."""
    plain = market(bars, seed)
    for delay in (1, 2, 3, 4, 5, 6):
        plain = with_edge(plain, lift / 6, every=24, delay=delay)
    return replace(plain, volume=np.where(plain.volume >= 1e6, 1e6, 9e5))


def coin(seed: int) -> Result:
    return run_of(market(500, seed=seed + 300), Bot(CoinFlip(seed, 0.1)), instruments=COSTS)


def test_coins_are_not_called_real() -> None:
    marks = [validate_run(coin(seed), runs=19, seed=seed).mark for seed in range(12)]
    # At the nominal 5 % one of twelve would be likely enough; all tests together are stricter.
    assert marks.count("pass") == 0
    assert marks.count("fail") >= 8


def test_a_planted_edge_is_called_real() -> None:
    result = run_of(lasting(3000, 0.03), on_marks(2.0, 2.0), instruments=COSTS)
    found = validate_run(result, runs=60)
    told = [one.name for one in found.checks if one.mark == "fail"]
    told += [one.name for one in found.findings if one.mark == "fail"]
    assert (found.mark, told) == ("pass", [])
    made = checks(found)
    assert made["random entry"].figures["p_value"] == 1 / 61
    assert made["deflated Sharpe ratio"].mark == "pass"
    assert "likely to be real" in found.sentence


def test_many_variants_tried_take_the_result_away() -> None:
    result = run_of(lasting(1000, 0.012, seed=3), on_marks(2.0, 2.0), instruments=COSTS)
    one = checks(validate_run(result, runs=5))["deflated Sharpe ratio"]
    many = checks(validate_run(result, runs=5, tried=100_000))["deflated Sharpe ratio"]
    assert one.figures["probability"] > many.figures["probability"]  # type: ignore[operator]
    assert "100,000 variants" in many.meaning


def test_a_variance_of_the_trials_raises_the_bar() -> None:
    result = coin(2)
    luck = [
        checks(validate_run(result, runs=3, tried=50, spread=spread))["deflated Sharpe ratio"]
        for spread in (None, 0.0, 9.0)
    ]
    assert luck[0].figures["luck"] == luck[1].figures["luck"]
    # Fifty trials with a deviation of 3 a year: Bailey and Lopez de Prado's expected maximum.
    assert luck[2].figures["luck"] == pytest.approx(3.0 * 2.2764, rel=1e-3)


def noise(trials: int, seed: int) -> Trials:
    returns = np.random.default_rng(seed).normal(0.0, 0.01, (len(DAYS), trials))
    best = int(np.argmax(returns.mean(axis=0) / returns.std(axis=0)))
    return Trials(DAYS, returns, best, trials)


def test_the_best_of_noise_is_not_called_real() -> None:
    found = [validate_sweep(noise(30, seed), None) for seed in range(8)]
    assert "pass" not in [one.mark for one in found]
    name = "probability of backtest overfitting"
    pbo = [checks(one)[name].figures["probability"] or 0.0 for one in found]
    assert 0.25 < np.mean(pbo) < 0.75
    assert "cannot be run again" in found[0].notes[0]


def test_an_edge_among_noise_is_called_real() -> None:
    trials = noise(60, 1)
    trials.returns[:, 7] += 0.003
    best = trials._replace(best=7)
    made = {one.name: one for one in sweep_checks(best)}
    assert {name for name, one in made.items() if one.mark != "pass"} == set()
    # All choose the seventh, so every path and every window is its own returns.
    ratio = best.returns[:, 7].mean() / best.returns[:, 7].std(ddof=1) * np.sqrt(252)
    assert made["combinatorial cross-validation"].figures["median"] == pytest.approx(ratio)
    assert made["walk-forward"].figures["chosen"] == 1.0


def test_one_trial_is_told_and_not_crashed_on() -> None:
    found = validate_sweep(noise(1, 3), None)
    made = checks(found)
    for name in (
        "probability of backtest overfitting",
        "combinatorial cross-validation",
        "walk-forward",
    ):
        assert made[name].mark == "unknown"
        assert "one trial only" in made[name].meaning
    assert made["minimum backtest length"].mark == "unknown"
    assert found.mark in ("doubt", "fail")


@pytest.mark.parametrize("days", [0, 1, 3, 7, 12])
def test_short_histories_are_told(days: int) -> None:
    trials = noise(5, 4)
    short = trials._replace(days=DAYS[:days], returns=trials.returns[:days])
    made = sweep_checks(short)
    assert all(one.mark == "unknown" for one in made if one.name.startswith("prob"))
    assert all(one.meaning for one in made)


def test_trials_without_returns_are_left_out() -> None:
    trials = noise(20, 5)
    trials.returns[:, 3] = np.nan
    trials.returns[400:, 4] = np.nan
    made = {one.name: one for one in sweep_checks(trials)}
    assert made["deflated Sharpe ratio"].figures["tried"] == 20.0
    assert made["walk-forward"].mark != "unknown"
    nothing = trials._replace(returns=np.full_like(trials.returns, np.nan))
    assert {one.mark for one in sweep_checks(nothing)} == {"unknown"}


def test_a_run_that_did_nothing_is_told() -> None:
    found = validate_run(run_of(market(100), Bot(CoinFlip(1, 0.0))), runs=3)
    assert found.mark == "fail"
    assert "made no money" in found.sentence
    made = checks(found)
    assert made["random entry"].mark == "unknown"
    assert made["confidence interval"].mark == "unknown"
    assert made["order of campaigns"].meaning.startswith("Could not be made: 0 closed campaigns")


class Once(Strategy):
    def on_close(self, now: AtClose) -> None:
        if now.bar == 50:
            now.buy(1)


def test_python_strategies_are_asked_too() -> None:
    found = checks(validate_run(run_of(market(300), Once()), runs=5))
    assert found["permuted entry"].mark == "unknown"
    assert found["synthetic bars"].mark != "unknown"


def check(name: str, mark: Any) -> Check:
    return Check(name, mark, "", "", "")


def finding(name: str, mark: Any) -> Finding:
    return Finding(name, mark, "It lost.", "")


def test_the_verdict_follows_from_the_marks() -> None:
    decisive = [check("deflated Sharpe ratio", "pass"), check("random entry", "pass")]
    assert verdict(decisive, [finding("profit", "pass")])[1] == "pass"
    assert verdict(decisive, [finding("profit", "fail")])[1] == "fail"
    assert verdict(decisive, [finding("campaigns", "fail")])[1] == "doubt"
    assert verdict([*decisive, check("synthetic bars", "fail")], [])[1] == "doubt"
    assert verdict(decisive, [finding("delay sensitivity", "doubt")])[1] == "doubt"
    assert verdict([*decisive, check("foresight", "fail")], [])[1] == "fail"
    assert verdict([*decisive, check("look-ahead of arrays", "unknown")], [])[1] == "doubt"
    assert verdict([*decisive, check("order of campaigns", "doubt")], [])[1] == "pass"
    for mark, expected in (("fail", "fail"), ("doubt", "doubt"), ("unknown", "doubt")):
        sentence, found = verdict([decisive[0], check("random entry", mark)], [])
        assert found == expected
        assert "random entry" in sentence


def test_the_same_seed_gives_the_same_validation() -> None:
    one, same = (validate_run(coin(1), runs=9, seed=4).as_json() for _ in range(2))
    assert one == same
    assert one != validate_run(coin(1), runs=9, seed=5).as_json()


def test_what_is_wrong_is_a_sentence() -> None:
    with pytest.raises(ib.ConfigError, match="tried: is 0, must be from 1"):
        validate_run(coin(1), tried=0)
    with pytest.raises(ib.ConfigError, match="runs: is 0, must be from 1"):
        validate_run(coin(1), runs=0)


def test_the_horizon_is_the_longest_campaign() -> None:
    day = 86_400_000_000_000
    assert longest_days(np.array([1.0, 3.0]), day) == 3
    assert longest_days(np.array([5.0]), day // 24) == 1
    assert longest_days(np.array([]), day) == 0


def test_python_validates_runs_and_sweeps() -> None:
    bars = bars_of(lasting(1500, 0.03))
    sweep = ib.sweep(
        on_marks(2.0, 2.0),
        bars,
        parameters={"exit.atr_multiple": [1.5, 2.0], "exit.reward": [1.0, 2.0]},
        keep=False,
        workers=1,
        instruments={"A": COSTS[0]},
    )
    found = ib.validate(sweep, runs=20)
    made = checks(found)
    assert made["deflated Sharpe ratio"].figures["tried"] == 4.0
    assert made["random entry"].mark == "pass"
    assert {"sharpe", "max_drawdown", "win_rate"} <= set(found.intervals)
    assert sweep.best is not None
    alone = ib.validate(sweep.run(sweep.best.number), runs=20)
    assert checks(alone)["random entry"].figures == made["random entry"].figures
    more = checks(ib.validate(sweep, runs=2, tried=1000))["deflated Sharpe ratio"]
    assert more.figures["tried"] == 1000.0
    assert found.sentence in str(found)
