"""The canary `hindsight`: from features of noise nobody learns more than which arm earns most.

The world is a walk of steps of one tick, 60 a bar, that drifts, with costs. Its volume is noise
and all that is read. The tightest arm is oftenest the best in hindsight, since it scatters most,
and earns least: a trainer that learns labels takes it.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from intrabar.engine.run import Setup
from intrabar.exits import TrailingATR
from intrabar.exits.network import Network
from intrabar.indicators.features import features_of
from intrabar.learn.canaries import Verdict
from intrabar.learn.datasets import make_dataset
from intrabar.learn.exact import exact, seeds_of
from intrabar.learn.lstm_loop import Seed
from intrabar.learn.lstm_net import flat
from intrabar.learn.lstm_policy import numbers_at
from intrabar.learn.lstm_training import LstmSettings, train_seed
from intrabar.learn.terms import Terms
from intrabar.learn.walk import STEPS_A_BAR, TICK, walk_of
from intrabar.learn.window_arrays import Decisions, Windows, decisions_of, windows_of
from intrabar.model.bars import Market
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import TrendFollowing

NAME = "hindsight"
MARGIN = 0.03  # score
BARS, FRESH = 8_000, 10_000
LEVEL, UP = 100_000, 0.515  # ticks; how likely a step goes up
TERMS = Terms(
    features_of(["noise = volume / sma(volume, 20) - 1"], 8), (0.25, 2.0, 2.5), max_bars=30
)
SETTINGS = LstmSettings(epochs=10)


def hindsight(seed: int = 0, settings: LstmSettings = SETTINGS) -> Verdict:
    """Whether each seed earns on fresh bars what the best single arm does, within 0.03.

    Parameters
    ----------
    seed : int
        Of the world and of what is trained.
    settings : LstmSettings
    """
    with TemporaryDirectory() as folder:
        w = windows_of(_decisions(Path(folder) / "train", BARS, seed))
        fresh = _decisions(Path(folder) / "fresh", FRESH, seed + 1)
    judged = Windows(fresh, w.parted, w.normal)
    rows = np.arange(len(fresh))
    static = float(judged.won.mean(axis=0).max())
    means = []
    with exact() as torch:
        for each in seeds_of(seed):
            one = Seed(each)
            train_seed(torch, w, settings, one)
            if one.best is None:
                return Verdict(NAME, False, one.stopped)
            net = Network(*flat(one.best), fresh.features.signs, w.normal.mean, w.normal.scale)
            chosen = numbers_at(net, judged, rows).argmax(axis=1)
            means.append(float(judged.won[rows, chosen].mean()))
    told = ", ".join(f"{mean:.3f}" for mean in means)
    return Verdict(
        NAME,
        min(means) >= static - MARGIN,
        f"mean scores of the seeds {told}; of the best arm {static:.3f}, at most {MARGIN} more",
    )


def _decisions(folder: Path, bars: int, seed: int) -> Decisions:
    costly = Instrument("WALK", TICK, slippage_ticks=1.0)
    bot = Bot(TrendFollowing(), TrailingATR(), risk_fraction=0.01)
    setup = Setup(_walk(bars, seed), (costly,), {"s": bot})
    return decisions_of(make_dataset(setup, "s", TERMS, folder, {}), setup)


def _walk(bars: int, seed: int) -> Market:
    draw = np.random.default_rng(seed)
    steps = np.where(draw.random((bars, STEPS_A_BAR)) < UP, 1, -1)
    return walk_of(steps, LEVEL, draw)
