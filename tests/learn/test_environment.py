"""The environments: one market, the rewards of a backtest, the same bits alone and side by side."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env as check_for_sb3
from stable_baselines3.common.envs import IdentityEnv
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor

from intrabar.engine.lanes.lane import Fate
from intrabar.engine.outcome.result import finish
from intrabar.engine.run import Run, Setup
from intrabar.errors import UsageError
from intrabar.exits import TrailingATR
from intrabar.exits.position import PROFIT
from intrabar.learn.environment import ExitEnv
from intrabar.learn.terms import Terms
from intrabar.learn.vec_environment import ExitVecEnv
from intrabar.learn.world import World, world_of
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import TrendFollowing
from intrabar.strategy.lane_room import Scaling
from tests.strategy.markets import Told, walk

ARMS = (0.5, 1.0, 2.0, 4.0)


def setup_of(bars: int = 600, seed: int = 1, entry: Any = None, **size: Any) -> Setup:
    bot = Bot(entry or TrendFollowing(), TrailingATR(14, 0.5), **(size or {"risk_fraction": 0.01}))
    traded = tuple(Instrument(x, 0.01, commission_per_contract=0.1) for x in ("A", "B"))
    return Setup(walk(bars, seed, ("A", "B"), missing=0.1), traded, {"s": bot})


def world(when: str = "bar", **how: Any) -> World:
    return world_of(setup_of(**how), "s", Terms(arms=ARMS, max_bars=30), when)


def plain(one: World) -> Scaling:
    rows = one.features
    return Scaling(one.tables.features.signs, rows.mean(axis=0), rows.std(axis=0))


@pytest.mark.parametrize("when", ["bar", "entry"])
def test_check_env_passes_without_a_warning(when: str) -> None:
    one = world(when)
    env = ExitEnv(one, plain(one), 3)
    with warnings.catch_warnings(action="error"):
        check_env(env, skip_render_check=True)
        check_for_sb3(env, skip_render_check=True)


@pytest.mark.parametrize("when", ["bar", "entry"])
def test_the_same_actions_give_the_same_bits_alone_and_side_by_side(when: str) -> None:
    one, lanes = world(when), 5
    many = ExitVecEnv(one, plain(one), 7, lanes)
    alone = [ExitEnv(one, plain(one), 7, number=k, of=lanes) for k in range(lanes)]
    seen = many.reset()
    assert np.array_equal(seen, [env.reset()[0] for env in alone])
    draw, ends = np.random.default_rng(0), 0
    for _ in range(300):
        arms = draw.integers(0, len(ARMS), lanes)
        seen, rewards, ended, told = many.step(arms)
        for k, env in enumerate(alone):
            own, reward, terminated, truncated, info = env.step(arms[k])
            assert (reward, terminated, truncated) == (rewards[k], ended[k], False)
            if terminated:
                assert info == {x: told[k][x] for x in info}
                assert np.array_equal(told[k]["terminal_observation"], own)
                own, ends = env.reset()[0], ends + 1
            assert np.array_equal(seen[k], own)
    assert ends > 50


def test_rewards_sum_to_the_score_and_profit_is_what_was_earned() -> None:
    one = world()
    env, draw = ExitEnv(one, plain(one), 1), np.random.default_rng(1)
    compared = 0
    seen, _ = env.reset()
    total = 0.0
    for _ in range(2_000):
        assert seen[-4:][PROFIT] == pytest.approx(np.clip(total, -5.0, 5.0), abs=1e-6)
        seen, reward, over, _, told = env.step(draw.integers(0, len(ARMS)))
        total += reward
        if over:
            assert told["fate"] == Fate.PLAYED.word
            assert total == pytest.approx(told["score"], rel=1e-12, abs=1e-12)
            seen, total, compared = env.reset()[0], 0.0, compared + 1
    assert compared > 100


def test_one_arm_throughout_is_that_arm_in_lanes() -> None:
    one = world()
    wanted = one.outcome().score
    for arm in range(len(ARMS)):
        env = ExitEnv(one, plain(one), 5)
        env.reset()
        for _ in range(400):
            _, _, over, _, told = env.step(arm)
            if over:
                assert told["score"] == wanted[told["start"], arm]
                env.reset()


def test_another_first_arm_is_another_observation() -> None:
    """The size and the stop follow from the first arm, and the next close shows both."""
    one = world()
    found = []
    for arm in (2, 3):
        env = ExitEnv(one, plain(one), 11)
        env.reset()
        seen, _, over, _, _ = env.step(arm)
        assert not over
        found.append(seen)
    assert not np.array_equal(found[0][-2:], found[1][-2:])
    assert np.array_equal(found[0][:-4], found[1][:-4])


def test_a_campaign_can_be_left_and_the_next_one_begins() -> None:
    one = world()
    env = ExitEnv(one, plain(one), 2)
    first, _ = env.reset(seed=4)
    env.step(3)
    second, _ = env.reset()
    assert not np.array_equal(first, second)
    assert np.array_equal(env.reset(seed=4)[0], first)


def test_starts_of_the_bot_are_its_own_entries() -> None:
    setup = setup_of(8_000, entry=Told(long_below=98.0, short_above=102.0), qty=1.0)
    terms = Terms(arms=ARMS, max_bars=30)
    every, own = (world_of(setup, "s", terms, "entry", x) for x in ("every", "bot"))
    assert 500 <= len(own) < len(every) / 4
    starts = own.starts
    decided = set(
        zip(starts.bar.tolist(), starts.place.tolist(), starts.side.tolist(), strict=True)
    )
    table = finish(Run(setup)).campaigns
    made = set()
    for row in table.select("start_bar", "symbol", "side").iter_rows():
        j = setup.market.symbols.index(row[1])
        real = np.flatnonzero(~np.isnan(setup.market.open[: row[0], j]))
        made.add((int(real[-1]), j, 1 if row[2] == "buy" else -1))
    could = {x for x in made if x[0] in set(every.starts.bar[every.starts.place == x[1]].tolist())}
    assert decided == could
    with pytest.raises(UsageError, match=r"bot has \d+ entries .* it takes 500"):
        world_of(setup_of(300), "s", terms, "entry", "bot")


@pytest.mark.parametrize("env", [IdentityEnv(2), IdentityEnv(4)])
def test_the_library_learns_its_identity_environments(env: Any) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model = PPO("MlpPolicy", Monitor(env), n_steps=256, seed=0, device="cpu", gamma=0.4)
    model.learn(4_000)
    mean, _ = evaluate_policy(model, model.get_env(), n_eval_episodes=5)
    torch.set_num_threads(threads)
    assert mean > 90
