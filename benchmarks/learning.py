"""What learned exits cost: the marks of a forward pass and of a dataset, in CPU time.

Each pass is over another window. The networks have weights at random: a pass costs the same
whatever they are. The dataset is of minutes at random, both sides and eight arms; so are the
campaigns that PPO plays, and the windows that an LSTM is trained on. `learning_runs` has the marks
of bots in runs.

Usage: learning.py [--bars N] [--threads N] [--steps N] [--json]
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bars
import made_up
import numpy as np
import workloads as w
from learning_runs import Mark, campaigns, held, processes, swept
from made_up import Layers, network
from ours import market_of

from intrabar.engine.run import Setup
from intrabar.exits import TrailingATR
from intrabar.exits.network import DENSE, LSTM, NONE, TANH, forward, work_size
from intrabar.kernel import kernel
from intrabar.learn.datasets import make_dataset
from intrabar.learn.exact import exact
from intrabar.learn.lstm_loop import Seed as LstmSeed
from intrabar.learn.lstm_loop import Task, train
from intrabar.learn.lstm_training import LstmSettings
from intrabar.learn.ppo_policy import ground_of
from intrabar.learn.ppo_training import PpoSettings, Seed, train_seed
from intrabar.learn.terms import Terms
from intrabar.learn.vec_environment import ExitVecEnv
from intrabar.learn.world import world_of
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import TrendFollowing

WINDOWS, ROUNDS, ARMS = 2_000, 5, 8

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


def microseconds(window: int, layers: Layers) -> float:
    """The best of `ROUNDS`, of one pass."""
    rng = np.random.default_rng(0)
    features = layers[0][1]
    net = network(layers, rng, features)
    table, alone, out = rng.normal(size=(WINDOWS + window, features)), np.empty(0), np.empty(ARMS)
    work = np.empty(work_size(net.plan, window, features))
    all_windows(net, table[: window + 1], window, alone, out, work)
    rounds = []
    for _ in range(ROUNDS):
        before = time.process_time()
        all_windows(net, table, window, alone, out, work)
        rounds.append(time.process_time() - before)
    return min(rounds) / WINDOWS * 1e6


def dataset(size: int, threads: int) -> list[Mark]:
    """Make one: campaigns per second of CPU, and memory above the bars."""
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
    name = f"dataset of {size:,} bars, {threads} threads"
    of_clock = f"{count / clock:,.0f} of the clock"
    return [
        Mark(name, "campaigns / s of CPU", 500_000, count / cpu, True, of_clock),
        Mark(name, "MB above the bars", 300, peak),
    ]


def ppo(size: int, steps: int) -> list[Mark]:
    """Train one seed: CPU time for a million steps, and the share of the environment."""
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
    name = f"PPO, {seed.step:,} steps in 64 lanes"
    share = spent[0] / total * 100.0
    return [
        Mark(name, "s of CPU for a million", 60, total / seed.step * 1e6, beside=seed.stopped),
        Mark("environment of PPO", "% of its time", 25, share),
    ]


def lstm(rows: int) -> Mark:
    """Train one for an epoch: CPU time for a million windows of 32 bars."""
    rng, span, checked = np.random.default_rng(0), np.arange(32), 1_000
    table = rng.normal(size=(rows + checked + 32, made_up.FEATURES)).astype(np.float32)
    task = Task(
        made_up.FEATURES,
        ARMS,
        np.arange(rows),
        np.arange(rows, rows + checked),
        lambda at: table[at[:, None] + span],
        np.ones(rows + checked),
        rng.normal(size=(rows + checked, ARMS)).astype(np.float32),
        lambda torch, made, wanted: (made - wanted).square().mean(dim=1),
        lambda numbers: {"score": float(numbers.mean())},
    )
    with exact() as torch:
        before = time.process_time()
        train(torch, task, LstmSettings(epochs=1), LstmSeed(0))
        spent = time.process_time() - before
    beside = f"{rows / spent:,.0f} windows a second"
    return Mark("LSTM", "s of CPU for a million windows", 60, spent / rows * 1e6, beside=beside)


def memory() -> float:
    """The most that this process has held, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def marks(size: int, threads: int, steps: int) -> Iterator[Mark]:
    """All of them, one after the other."""
    for name, window, layers, bound in MARKS:
        yield Mark(name, "us a pass", bound, microseconds(window, layers))
    yield held(size // 2)
    yield from campaigns(size // 2)
    yield swept(w.HOURS)
    yield from processes()
    yield from ppo(min(size, 100_000), steps)
    yield from dataset(size, threads)
    yield lstm(100_000)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bars", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    for mark in marks(asked.bars, asked.threads, asked.steps):
        told = {**mark._asdict(), "holds": bool(mark.holds)}
        print(json.dumps(told) if asked.json else mark, flush=True)
