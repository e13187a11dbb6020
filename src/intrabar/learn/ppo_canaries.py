"""The canaries of PPO: what the next bars bring is learned where it is told, and only there.

`leak` tells each start's scores, `late leak` the next bar's return at each close: a trainer that
does not earn by that does not learn. `null` is a walk that nothing can be known of: a trainer that
earns there has seen a bar that was not there yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.lanes.stepped import Starts
from intrabar.engine.run import Setup
from intrabar.engine.tables.feature_table import FeatureTables
from intrabar.exits import TrailingATR
from intrabar.indicators.features import Features, features_of
from intrabar.learn.canaries import Verdict
from intrabar.learn.exact import exact, seeds_of
from intrabar.learn.ppo_training import (
    Checked,
    PpoSettings,
    Seed,
    greedy,
    plain_network,
    train_seed,
)
from intrabar.learn.terms import ARMS, Terms
from intrabar.learn.walk import STEPS_A_BAR, TICK, walk_of
from intrabar.learn.world import World, world_of
from intrabar.model.bars import Floats, Market
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import TrendFollowing
from intrabar.strategy.lane_room import Scaling

LEVEL = 1_000_000  # ticks
GAIN = 0.95  # of the oracle's
FRESH, PATHS = 2_000, 5_000  # starts
MAX_BARS = 20
WARM = 60  # bars before the first start
TRAINED = 20_000  # bars that are trained on
LEAK_STEPS, NULL_STEPS, BEFORE_STEPS = 200_000, 100_000, 50_000


def walk(bars: int, seed: int) -> Market:
    """A walk of steps of one tick, 60 a bar, without drift or gaps."""
    draw = np.random.default_rng(seed)
    steps = 2 * draw.integers(0, 2, (bars, STEPS_A_BAR), dtype=np.int8) - 1
    return walk_of(steps, LEVEL, draw)


def world_on(market: Market, when: str, arms: Sequence[float] = ARMS) -> World:
    """Campaigns without costs on a walk, with the features of exits."""
    bot = Bot(TrendFollowing(), TrailingATR(), risk_fraction=0.01)
    setup = Setup(market, (Instrument("WALK", TICK),), {"s": bot})
    return world_of(setup, "s", Terms(arms=tuple(arms), max_bars=MAX_BARS), when)


def leak(seed: int = 0, settings: PpoSettings | None = None, seeds: int = 3) -> Verdict:
    """Whether each seed earns 95 % of what can be, where each start's scores are told."""
    s = settings or PpoSettings(steps=LEAK_STEPS)
    train, checked, fresh = (
        _telling_scores(world_on(walk(bars, seed + k), "entry"))
        for k, bars in enumerate((TRAINED, FRESH, FRESH + WARM + MAX_BARS + 2))
    )
    fresh = fresh.of(np.arange(min(FRESH, len(fresh))))
    scores = fresh.outcome().score
    best, static = float(scores.max(axis=1).mean()), float(scores.mean(axis=0).max())
    means = [float(x.mean()) for x in _played(train, checked, fresh, s, seeds_of(seed, seeds))]
    shares = [(mean - static) / (best - static) for mean in means]
    return Verdict(
        "leak",
        min(shares) >= GAIN,
        f"gains of the seeds {_told(shares, '.1%')} of the oracle's over the best static arm, at "
        f"least {GAIN:.0%}",
    )


def late_leak(seed: int = 0, settings: PpoSettings | None = None, seeds: int = 3) -> Verdict:
    """Whether each seed earns more than each arm alone, where the next bar's return is told."""
    s = settings or PpoSettings(steps=LEAK_STEPS)
    train, checked, fresh = (
        _telling_the_next(world_on(walk(bars, seed + k), "bar"))
        for k, bars in enumerate((TRAINED, FRESH, FRESH * (MAX_BARS + 2) // 2))
    )
    fresh = _apart(fresh)
    scores = fresh.outcome().score
    static = scores[:, int(np.argmax(scores.mean(axis=0)))]
    lows = []
    for played in _played(train, checked, fresh, s, seeds_of(seed, seeds)):
        d = played - static
        lows.append(float(d.mean()) - NormalDist().inv_cdf(0.995) * _error(d))
    return Verdict(
        "late leak",
        min(lows) > 0.0,
        f"lower ends of the 99 % intervals of the seeds, against the best static arm, "
        f"{_told(lows, '.3f')}; must be above 0",
    )


def null(
    seed: int = 0, settings: PpoSettings | None = None, seeds: int = 3, errors: float = 3.0
) -> Verdict:
    """Whether each seed earns nothing on a walk, within three standard errors."""
    zs = null_scores(seed, settings or PpoSettings(steps=NULL_STEPS), seeds)
    return Verdict(
        "null",
        max(map(abs, zs)) <= errors,
        f"mean scores of the seeds are {_told(zs, '.2f')} standard errors from 0, at most "
        f"{errors:g}",
    )


def before_training() -> list[Verdict]:
    """What is asked before anything is trained: one seed of two canaries, some seconds.

    Their worlds are those of seed 0, which are known to hold: what alarms is a trainer that is
    wrong, not a walk that is unusual.
    """
    return [leak(seeds=1), null(settings=PpoSettings(steps=BEFORE_STEPS), seeds=1)]


def null_scores(seed: int, s: PpoSettings, seeds: int) -> list[float]:
    """Mean scores of seeds on a walk, in standard errors."""
    bars = WARM + PATHS * (MAX_BARS + 3)
    train, checked, fresh = (
        world_on(walk(size, seed + k), "bar") for k, size in enumerate((TRAINED, FRESH, bars))
    )
    fresh = _apart(fresh)
    played = _played(train, checked, fresh, s, seeds_of(seed, seeds))
    return [float(x.mean() / _error(x)) for x in played]


def _played(
    train: World, checked: World, fresh: World, s: PpoSettings, seeds: Sequence[int]
) -> list[Floats]:
    """What each seed, trained, makes of fresh starts."""
    rows = train.features
    scaling = Scaling(train.tables.features.signs, rows.mean(axis=0), rows.std(axis=0))
    checked = checked.of(np.arange(0, len(checked), max(1, len(checked) // FRESH)))
    scores = np.nan_to_num(checked.outcome().score)
    told = Checked(checked, scaling, scores, int(np.argmax(scores.mean(axis=0))))
    found = []
    with exact():
        for each in seeds:
            one = Seed(each)
            train_seed(train, told, s, one)
            if one.best is None:
                found.append(np.full(len(fresh), -np.inf))
            else:
                found.append(greedy(plain_network(one.best), fresh, scaling).scores)
    return found


def _telling_scores(world: World) -> World:
    """Long starts, and as features of each what its arms will earn."""
    world = world.of(np.flatnonzero(world.starts.side > 0))
    scores = world.outcome().score
    kept = np.isfinite(scores).all(axis=1)
    features = features_of([f"won_{k} = close + {k + 1}" for k in range(len(world.arms))])
    table = np.full((len(world.market), len(world.arms)), np.nan)
    table[world.starts.bar] = scores
    return _told_by(world, features, table).of(np.flatnonzero(kept))


def _telling_the_next(world: World) -> World:
    """As a feature of each close the way to the next one, in ATRs."""
    market, lane = world.market, world.lanes[0].lane
    away = np.diff(market.close[:, 0], append=market.close[-1, 0])
    table = (away / lane.bet.atr[:, 0])[:, None]
    known = np.isfinite(table[world.starts.bar, 0])
    features = features_of(["signed next = close - lag(close, 1)"])
    return _told_by(world, features, table).of(np.flatnonzero(known))


def _told_by(world: World, features: Features, table: Floats) -> World:
    """The same campaigns with other features, a row per bar."""
    table = np.ascontiguousarray(table)
    row_of = np.arange(len(table), dtype=np.int32)[:, None].copy()
    return replace(world, tables=FeatureTables(features, (table,), row_of, (0,)))


def _apart(world: World) -> World:
    """Starts so far apart that no two campaigns share a bar: a path each, sides in turn."""
    bars = np.arange(WARM, len(world.market) - MAX_BARS - 2, MAX_BARS + 3)
    sides = np.where(np.arange(len(bars)) % 2 == 0, 1, -1).astype(np.int8)
    return replace(world, starts=Starts(np.zeros(len(bars), np.int32), bars, sides))


def _error(x: Floats) -> float:
    return float(x.std(ddof=1) / np.sqrt(len(x)))


def _told(values: Sequence[float] | NDArray[np.float64], form: str) -> str:
    return ", ".join(format(x, form) for x in values)
