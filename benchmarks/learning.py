"""What learned exits cost: the marks of a forward pass and of a dataset, in CPU time.

Each pass is over another window. The networks have weights at random: a pass costs the same
whatever they are. The dataset is of minutes at random, both sides and eight arms; so are the
campaigns that PPO plays.

Usage: learning.py [--bars N] [--threads N] [--steps N]
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bars
import numpy as np
from ours import market_of

from intrabar.engine.run import Setup
from intrabar.exits import TrailingATR
from intrabar.exits.network import DENSE, LSTM, NONE, TANH, Network, forward, weights_of, work_size
from intrabar.kernel import kernel
from intrabar.learn.datasets import make_dataset
from intrabar.learn.exact import exact
from intrabar.learn.ppo_policy import ground_of
from intrabar.learn.ppo_training import PpoSettings, Seed, train_seed
from intrabar.learn.terms import Terms
from intrabar.learn.vec_environment import ExitVecEnv
from intrabar.learn.world import world_of
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import TrendFollowing

WINDOWS, ROUNDS, ARMS = 2_000, 5, 8

Layers = tuple[tuple[int, int, int, int], ...]  # op, in, out, activation
MLP: Layers = ((DENSE, 5, 32, TANH), (DENSE, 32, 32, TANH), (DENSE, 32, ARMS, NONE))
RECURRENT: Layers = ((LSTM, 8, 32, NONE), (DENSE, 32, ARMS, NONE))
MARKS = (("MLP 32x32, 5 features", 1, MLP, 1.5), ("LSTM 32 units, 32 bars", 32, RECURRENT, 40.0))


@kernel
def all_windows(net: Any, table: Any, window: int, position: Any, out: Any, work: Any) -> float:
    total = 0.0
    for i in range(table.shape[0] - window):
        forward(net, table[i : i + window], 1, position, out, work)
        total += out[0]
    return total


def network(layers: Layers, rng: np.random.Generator) -> Network:
    plan, place = [], 0
    for op, size, out, activation in layers:
        plan.append((op, size, out, place, activation))
        place += weights_of(op, size, out)
    features = layers[0][1]
    return Network(
        np.array(plan, np.int64),
        rng.normal(0.0, 0.3, place).astype(np.float32),
        np.ones(features, np.int8),
        np.zeros(features),
        np.ones(features),
    )


def microseconds(window: int, layers: Layers) -> float:
    """The best of `ROUNDS`, of one pass."""
    rng = np.random.default_rng(0)
    net, features = network(layers, rng), layers[0][1]
    table, alone, out = rng.normal(size=(WINDOWS + window, features)), np.empty(0), np.empty(ARMS)
    work = np.empty(work_size(net.plan, window, features))
    all_windows(net, table[: window + 1], window, alone, out, work)
    rounds = []
    for _ in range(ROUNDS):
        before = time.process_time()
        all_windows(net, table, window, alone, out, work)
        rounds.append(time.process_time() - before)
    return min(rounds) / WINDOWS * 1e6


def dataset(size: int, threads: int) -> None:
    """Make one; print campaigns per second of CPU and of the clock, and memory above the bars."""
    market = market_of(*bars.minutes(size), bars.MINUTE)
    traded = Instrument("A", tick_size=1e-6, commission_rate=0.0001, slippage_pct=0.0001)
    bot = Bot(TrendFollowing(), TrailingATR(), risk_fraction=0.01)
    setup = Setup(market, (traded,), {"bot": bot})
    with TemporaryDirectory() as home:
        small = Setup(market.rows(slice(0, 2_000)), (traded,), {"bot": bot})
        make_dataset(small, "bot", Terms(), Path(home) / "warm", {}, threads=threads)
        before = memory(), time.process_time(), time.perf_counter()
        made = make_dataset(setup, "bot", Terms(), Path(home) / "all", {}, threads=threads)
        after = memory(), time.process_time(), time.perf_counter()
    count = sum(arm["campaigns"] for arm in made.manifest["counts"]["arms"].values())
    peak, cpu, clock = (b - a for a, b in zip(before, after, strict=True))
    print(
        f"dataset of {size:,} bars, {threads} threads: {count / cpu:,.0f} campaigns a second of "
        f"CPU, bound 500,000; {count / clock:,.0f} of the clock; {peak:.0f} MB above, bound 300"
    )


def ppo(size: int, steps: int) -> None:
    """Train one seed; print CPU time for a million steps, and the share of the environment."""
    market = market_of(*bars.minutes(size), bars.MINUTE)
    traded = Instrument("A", tick_size=1e-6, commission_rate=0.0001, slippage_pct=0.0001)
    setup = Setup(market, (traded,), {"bot": Bot(TrendFollowing(), TrailingATR(), qty=1.0)})
    ground = ground_of(world_of(setup, "bot", Terms()), 0)
    spent = [0.0]
    plain = ExitVecEnv.step_wait

    def timed(self: Any) -> Any:
        before = time.process_time()
        made = plain(self)
        spent[0] += time.process_time() - before
        return made

    with exact():
        train_seed(ground.world, ground.checked, PpoSettings(steps=10_000), Seed(0))
        ExitVecEnv.step_wait = timed
        seed, before = Seed(0), time.process_time()
        train_seed(ground.world, ground.checked, PpoSettings(steps=steps), seed)
        total = time.process_time() - before
        ExitVecEnv.step_wait = plain
    print(
        f"PPO, {seed.step:,} steps in 64 lanes: {total / seed.step * 1e6:.1f} s of CPU for a "
        f"million, bound 60; environment {spent[0] / total:.1%} of it, bound 25 % ({seed.stopped})"
    )


def memory() -> float:
    """The most that this process has held, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bars", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=200_000)
    asked = parser.parse_args()
    ppo(min(asked.bars, 100_000), asked.steps)
    dataset(asked.bars, asked.threads)
    for name, window, layers, bound in MARKS:
        print(f"{name}: {microseconds(window, layers):.2f} us a pass, bound {bound} us")
