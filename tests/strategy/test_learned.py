"""A bot with a learned exit: which arm it takes, what it remembers, and what it logs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.engine.lanes.lanes import Lanes
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.prepared import Prepared
from intrabar.engine.run import Run
from intrabar.engine.steps import walk_row
from intrabar.errors import ConfigError
from intrabar.exits import FixedRatio, Learned, TrailingATR
from intrabar.exits.network import highest
from intrabar.indicators import atr
from intrabar.model.instrument import Instrument
from intrabar.strategy import learner
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from intrabar.strategy.gates import Gates
from intrabar.strategy.learner_models import models_of
from intrabar.strategy.running_bot import RunningBot
from tests.exits.traded import ARMS, FEATURES, traded_policy
from tests.strategy.markets import AtALimit, AtAStop, Told, flat_market, run_of, setup_of, walk

POLICY = traded_policy()
AT_EACH_CLOSE = traded_policy(3, replace(FEATURES, window=1), when="bar")
COIN = CoinFlip(1, 0.2)
BOT = Bot(COIN, Learned(POLICY, atr_period=5, max_bars=40), risk_fraction=0.01)
MARKET = walk(900, 1, ("A", "B"), missing=0.05)


def ran(bot: Bot, market: Any = MARKET, **how: Any) -> tuple[Result, RunningBot]:
    run = Run(setup_of(market, bot, **how))
    running = run.running["s"]
    assert isinstance(running, RunningBot)
    assert running.is_compiled is not bot.interpreted
    return finish(run), running


def test_a_decision_is_the_pass_of_its_window() -> None:
    result, _ = ran(BOT)
    found = result.decisions
    assert found.height > 40
    assert found["arm"].n_unique() > 1
    tables = Prepared(MARKET, ("", "")).feature_tables(FEATURES)
    net = POLICY.net
    for row in found.rows(named=True):
        j = "AB".index(row["symbol"])
        past = tables.window(j, row["bar"])
        assert past is not None
        turned = np.where(net.signs == 1, row["side"] * past, past)
        inputs = np.clip((turned - net.mean) / net.scale, -5.0, 5.0)
        numbers = POLICY.pass_over(inputs)
        assert row["arm"] == highest(numbers)
        assert row["multiple"] == ARMS[row["arm"]]
        calibrated = POLICY.calibration * (numbers - numbers.sum() / len(numbers))
        scores = [row[f"score_{arm:g}"] for arm in ARMS]
        assert scores == pytest.approx(calibrated.tolist(), rel=1e-12)
        assert row["prior"] == scores[row["arm"]]
        context = [row[f"x_{name}"] for name in ("1", *FEATURES.names)]
        assert context == [1.0, *np.clip(inputs[-1], -3.0, 3.0)]
        assert (row["policy"], row["propensity"], row["greedy"]) == (POLICY.hash, 1.0, True)


def test_a_campaign_goes_on_as_that_of_its_arm_in_a_lane() -> None:
    market = MARKET.alone(0)
    for exit_, rule in (("trailing", TrailingATR(5)), ("fixed", FixedRatio(5, reward=2.0))):
        learned = Learned(POLICY, atr_period=5, max_bars=40, exit=exit_)
        told = {"cash": 10_000_000.0, "close_at_end": True}
        bot = Bot(COIN, learned, qty=10.0)
        found = ran(bot, market, **told)[0].decisions.drop_nulls("campaign")
        lanes = Lanes(setup_of(market, bot, **told), "s", "A", rule, max_bars=40)
        kept = found.filter(pl.col("bar").is_in(lanes.starts()))
        assert kept.height > 20
        lived = lanes.play(
            kept["bar"].to_numpy(), kept["side"].to_numpy().astype(np.int8), ARMS.tolist()
        )
        rows, arms = np.arange(kept.height), kept["arm"].to_numpy()
        assert lived.end_bar[rows, arms].tolist() == kept["closed_bar"].to_list()
        assert np.abs(lived.score[rows, arms] - kept["reward"].to_numpy()).max() < 1e-12


@settings(max_examples=25)
@given(
    st.integers(0, 999),
    st.sampled_from((POLICY, AT_EACH_CLOSE)),
    st.sampled_from((COIN, AtALimit(), AtAStop())),
    st.sampled_from(("trailing", "fixed")),
    st.sampled_from((0.0, 0.01)),
    st.sampled_from((Gates(), Gates(flatten="17:00"), Gates(min_atr=0.6, atr_period=5))),
)
def test_compiled_is_interpreted(
    seed: int, policy: Any, entry: Any, exit_: str, risk: float, gates: Gates
) -> None:
    if policy.when == "bar":
        exit_ = "trailing"
    market = walk(150, seed, ("A", "B"), missing=0.1, period=5 * 60_000_000_000)
    learned = Learned(policy, atr_period=3, max_bars=9, exit=exit_)
    bot = Bot(entry, learned, risk or None, 0.0 if risk else 2.0, gates)
    instruments = [
        Instrument(s, 0.01, 5.0, 1.0, 0.7, 0.3, slippage_ticks=1.0, initial_margin=900.0,
                   calendar="NYSE", max_volume_share=0.01) for s in market.symbols
    ]  # fmt: skip
    results = [
        ran(replace(bot, interpreted=how), market, instruments=instruments) for how in (False, True)
    ]
    (one, first), (other, second) = results
    assert one.digest == other.digest
    assert first.memory_digest() == second.memory_digest()
    assert one.decisions.equals(other.decisions)
    assert one.gates.rows() == other.gates.rows()


def test_at_each_close_the_stop_goes_by_the_arm_of_that_close() -> None:
    learned = Learned(AT_EACH_CLOSE, atr_period=5, max_bars=40)
    result, _ = ran(Bot(COIN, learned, risk_fraction=0.01))
    found = result.decisions.drop_nulls("campaign")
    first = found.filter(pl.col("bar") == pl.col("bar").min().over("campaign"))
    changes = found.filter(pl.col("bar") > pl.col("bar").min().over("campaign"))
    assert changes.height > 20
    assert found.select((pl.col("arm").diff().over("campaign") != 0).sum()).item() == changes.height
    joined = changes.join(first, on="campaign")
    assert (joined["reward"] - joined["reward_right"]).abs().max() == 0.0
    ranges = Prepared(MARKET, ("", "")).columns({"": {"atr": atr(5)}})[""]["atr"]
    moved = result.levels.join(result.campaigns, on="symbol").filter(
        (pl.col("bar") > pl.col("start_bar"))
        & (pl.col("bar") <= pl.col("end_bar"))
        & pl.col("target").is_nan()
    )
    told = 0
    for row in moved.rows(named=True):
        own = found.filter((pl.col("campaign") == row["campaign"]) & (pl.col("bar") <= row["bar"]))
        j, i = "AB".index(row["symbol"]), row["bar"]
        side, multiple = own["side"][-1], own["multiple"][-1]
        wanted = MARKET.close[i, j] - side * multiple * ranges[i, j]
        assert abs(row["stop"] - wanted) <= 0.0101
        told += 1
    assert told > 50


def test_rewards_are_net_profit_over_the_budget_of_the_decision() -> None:
    instruments = [
        Instrument("A", 0.01, 5.0, 1.0, 0.7, 0.3, max_volume_share=0.02),
        Instrument("B", 0.01, fee_per_trade=2.0),
    ]
    for bot in (BOT, Bot(COIN, BOT.exit, qty=30.0)):
        result, _ = ran(bot, instruments=instruments)
        both = result.decisions.join(result.campaigns, on="campaign").drop_nulls("end_bar")
        assert both.height > 40
        assert (both["start_bar"] > both["bar"]).all()
        equity = result.equity["equity"].to_numpy()[both["bar"].to_numpy()]
        if bot.risk_fraction:
            score = both["net"].to_numpy() / (bot.risk_fraction * equity)
            assert np.abs(score - both["reward"].to_numpy()).max() < 1e-12
        assert (both["closed_bar"] == both["end_bar"]).all()


def test_a_window_that_is_not_known_is_no_decision() -> None:
    market = flat_market(60)
    gone = market.close.copy()
    gone[:20] += np.arange(20)[:, None]  # then nothing moves, and `gain` is 0 / 0
    market = replace(market, open=gone, high=gone, low=gone, close=gone)
    bot = Bot(Told(1e9), Learned(POLICY, atr_period=2), qty=1.0)
    result, running = ran(bot, market)
    blocked = dict(result.gates.select("gate", "count").rows())
    assert running.learner is not None
    assert running.learner.memory["undecided"][0] == blocked["warm_up"] > 0
    told = [x for x in result.remarks if "did not decide" in x.text]
    assert len(told) == 1
    assert told[0].severe


def test_the_newest_policy_that_could_have_been_trained_decides() -> None:
    until = [int(MARKET.time[k]) for k in (100, 400)]
    policies = [traded_policy(k + 3, trained_until=x) for k, x in enumerate(until)]
    learned = Learned(policies, atr_period=5, max_bars=40, refit_lag=20)
    result, _ = ran(replace(BOT, exit=learned))
    by = {
        policy: (own["bar"].min(), own["bar"].max())
        for (policy,), own in result.decisions.group_by("policy")
    }
    assert set(by) == {x.hash for x in policies}
    assert by[policies[0].hash][0] > 120
    assert by[policies[0].hash][1] <= 420 < by[policies[1].hash][0]
    assert dict(result.gates.select("gate", "count").rows())["warm_up"] > 0


def test_a_policy_does_not_trade_what_it_was_trained_on() -> None:
    late = traded_policy(trained_until=int(MARKET.time[10]))
    with pytest.raises(
        ConfigError, match=r"trained_until is .* it knows 11 of 900 bars.*in_sample"
    ):
        run_of(MARKET, replace(BOT, exit=Learned(late)))
    result = run_of(MARKET, replace(BOT, exit=Learned(late, in_sample=True)))
    assert result.title == "s (in sample) on A, B"
    assert any(x.severe and "in sample" in x.text for x in result.remarks)
    after = setup_of(MARKET, BOT)
    replace(
        after, strategies={"s": replace(BOT, exit=Learned(late))}, trade_from=late.trained_until + 1
    )
    two = [traded_policy(k, trained_until=int(MARKET.time[-1]) + k) for k in range(2)]
    with pytest.raises(ConfigError, match="the first decides after"):
        run_of(MARKET, replace(BOT, exit=Learned(two)))


def test_a_declared_training_is_told() -> None:
    result = run_of(MARKET, replace(BOT, exit=Learned(traded_policy(declared=True))))
    assert result.title == "s (training declared) on A, B"
    assert any(x.severe and "declared" in x.text for x in result.remarks)


@pytest.mark.parametrize("interpreted", [False, True])
def test_a_log_grows_and_nothing_else_changes(
    interpreted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = MARKET.rows(slice(0, 300))
    whole, _ = ran(BOT, market)
    monkeypatch.setattr(learner, "LEAST_LOG", 1)
    grown, running = ran(replace(BOT, interpreted=interpreted), market)
    assert running.learner is not None
    assert len(running.learner.log) > 8
    assert grown.digest == whole.digest
    assert grown.decisions.equals(whole.decisions)
    quiet = Run(setup_of(market, BOT), keeps_log=False)
    quiet.to_end()
    assert quiet.machine.digest() == whole.digest
    assert quiet.running["s"].memory_digest() == running.memory_digest()  # type: ignore[union-attr]


@pytest.mark.parametrize("interpreted", [False, True])
@pytest.mark.parametrize("policy", [POLICY, AT_EACH_CLOSE])
def test_a_rewind_remembers_what_was_decided(interpreted: bool, policy: Any) -> None:
    learned = Learned(policy, atr_period=5, max_bars=40)
    bot = replace(BOT, exit=learned, interpreted=interpreted)
    market = MARKET.rows(slice(0, 200))
    whole, first = ran(bot, market)
    run = Run(setup_of(market, bot))
    running = run.running["s"]
    assert isinstance(running, RunningBot)
    kept = []
    for bar in (40, 80, 120):
        run.machine.advance(bar)
        kept.append((run.machine.checkpoint(), running.checkpoint()))
    for machine, own in (kept[0], kept[2], kept[1], kept[0]):
        run.machine.return_to(machine)
        running.return_to(own)
        run.machine.advance(run.machine.bar + 7)
    run.to_end()
    assert run.machine.digest() == whole.digest
    assert running.memory_digest() == first.memory_digest()
    assert Result(run).decisions.equals(whole.decisions)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "give a policy"),
        ({"policy": POLICY, "arms": "arms.parquet"}, "one of both"),
        ({"policy": 3}, "policy is 3, must be a folder"),
        ({"policy": []}, r"policy is \[\]"),
        ({"policy": POLICY, "exit": "tight"}, "exit"),
        ({"policy": POLICY, "max_bars": 0}, "max_bars"),
        ({"policy": POLICY, "static": 2.0}, "static is for a file"),
        ({"arms": "arms.parquet"}, "static is missing"),
        ({"policy": POLICY, "in_sample": 3}, "in_sample"),
    ],
)
def test_what_is_no_learned_exit_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Learned(**given)


def test_a_fixed_exit_has_no_policy_that_decides_at_each_close() -> None:
    with pytest.raises(ConfigError, match="exit: trailing"):
        run_of(MARKET, replace(BOT, exit=Learned(AT_EACH_CLOSE, exit="fixed")))


def test_runs_of_the_same_policies_share_their_arrays_and_others_do_not() -> None:
    """What is the same for all runs of a sweep is made once, and known by what it is made of."""
    one, other = traded_policy(), traded_policy(seed=4)
    early, late = (one, other), (other, one)
    own = models_of(early, (0, 5), len(ARMS), 3, 3)
    assert models_of((one, other), (0, 5), len(ARMS), 3, 3) is own
    assert models_of(early, (0, 6), len(ARMS), 3, 3).table["ready"].tolist() == [0, 6]
    turned = models_of(late, (0, 5), len(ARMS), 3, 3).table
    assert turned["weights"].tolist() == own.table["weights"].tolist()[::-1]
    with pytest.raises(ValueError, match="read-only"):
        own.table["ready"] = 1


@pytest.mark.parametrize("interpreted", [False, True])
def test_runs_of_a_sweep_take_the_arms_of_each_other_and_change_by_nothing(
    interpreted: bool,
) -> None:
    """An arm is the same wherever row, side and policy are: it is worked out for the first."""
    middle = int(MARKET.time[450])
    late = traded_policy(seed=4, trained_until=middle)
    bot = replace(BOT, exit=Learned((POLICY, late), atr_period=5, max_bars=40))
    bots = [replace(bot, risk_fraction=x, interpreted=interpreted) for x in (0.01, 0.02)]
    bots.append(replace(bots[0], entry=CoinFlip(2, 0.2)))
    shared = Prepared(MARKET, ("", ""), keeps=True)
    alone = [kept_from(setup_of(MARKET, x), None) for x in bots]
    assert [kept_from(setup_of(MARKET, x), shared) for x in bots] == alone
    assert len({digest for digest, _ in alone}) == 3

    lessons = Run(setup_of(MARKET, bot)).running["s"].learner.lessons
    by = (FEATURES.hash, lessons.policies, lessons.ready)
    own = shared.chosen(shared.feature_tables(FEATURES), by)
    noted = np.concatenate(own)
    assert set(np.unique((noted[noted > 0] - 1) // len(ARMS))) == {0, 1}
    for part in own:
        part[part > 0] = 1  # the first arm of the first policy: so it is seen that they are taken
    assert kept_from(setup_of(MARKET, bots[0]), shared) != alone[0]


def kept_from(setup: Any, prepared: Prepared | None) -> tuple[str, str]:
    """The digests of a run that keeps no log, of the machine and of what is remembered."""
    run = Run(setup, prepared, keeps_log=False)
    run.to_end()
    running = run.running["s"]
    assert isinstance(running, RunningBot)
    return run.machine.digest(), running.memory_digest()


def test_a_log_grows_where_a_run_is_stopped_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """As sessions and replays do: a stop for room and the goal are the same place there."""
    monkeypatch.setattr(learner, "LEAST_LOG", 8)
    run = Run(setup_of(MARKET, BOT))
    running = run.running["s"]
    assert isinstance(running, RunningBot)
    assert running.learner is not None
    own = running.learner.record[0]
    for bar in range(len(MARKET)):
        walk_row(run.machine, lambda step: None)
        assert max(own["decisions"], own["ended"]) < own["log_rows"], bar
    assert own["decisions"] > 40
    assert running.memory_digest() == ran(BOT)[1].memory_digest()
