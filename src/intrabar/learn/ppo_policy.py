"""The PPO exit: three seeds trained, the one of the median score made a policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.analysis.splits.by_time import TRAIN, VALIDATION, Parted, part_by_time
from intrabar.errors import RunError, UsageError
from intrabar.exits.network import Network
from intrabar.exits.policy import Policy
from intrabar.exits.policy_arrays import Probes
from intrabar.learn.exact import exact, median_of
from intrabar.learn.export import onnx, parity_of, require_near, torchscript
from intrabar.learn.normal import OWN_PROBES, Normal, normal_of, probe_bars, probe_inputs
from intrabar.learn.passes import passes
from intrabar.learn.ppo_net import flat, module_of
from intrabar.learn.ppo_training import (
    CHECKED,
    Checked,
    PpoSettings,
    Seed,
    plain_network,
    train_seed,
)
from intrabar.learn.settings import hash_of
from intrabar.learn.trained import Trained
from intrabar.learn.watch import Watch, part_of
from intrabar.learn.world import World
from intrabar.model.bars import Floats
from intrabar.model.instant import instant_text
from intrabar.strategy.lane_room import Scaling

LEAST_STARTS = 1_000  # of every bar and side
JUDGED = 100_000  # starts over which the means of the arms are taken
MIXED = 8  # steps at random before the probes are taken
ALWAYS, NEVER = 0.99, 0.05


@dataclass(frozen=True, eq=False)
class Ground:
    """What seeds are trained and checked on.

    Parameters
    ----------
    world : World
        Of the training starts.
    checked : Checked
        Of validation starts.
    parted : Parted
    normal : Normal
        Of the features at the training starts alone.
    arm_means : (K,) float64
        Over training starts; 0 for one without a campaign.
    known : (K,) float64
        Share of the validation starts at which each arm has a campaign.
    touched : int, ns UTC
        The last exit of any arm on the validation starts that are checked.
    remarks : tuple of str
        Of these campaigns.
    """

    world: World
    checked: Checked
    parted: Parted
    normal: Normal
    arm_means: Floats
    known: Floats
    touched: int
    remarks: tuple[str, ...]


def ground_of(world: World, seed: int) -> Ground:
    """Part the starts of a world, and look at them with single arms.

    Raises
    ------
    UsageError
        There is too little to train on: the counts, and what to change.
    """
    if len(world) < LEAST_STARTS and world.is_every:
        raise UsageError(
            f"{len(world):,} starts to learn from, it takes {LEAST_STARTS:,}: take more bars or "
            "symbols (data, start), or a smaller learn.max_bars"
        )
    time, place = world.time, world.starts.place.astype(np.int64)
    parted = part_by_time(time, world.latest_end, time, place)
    told = ", ".join(f"{name} {count:,}" for name, count in parted.counts().items())
    train = world.of(np.flatnonzero(parted.part == TRAIN))
    if not len(train):
        raise UsageError(
            f"no start is left to train on ({told}): campaigns reach into the validation; take "
            "more bars, or a smaller learn.max_bars"
        )
    normal = normal_of(world.tables.features, train.features)
    scaling = Scaling(world.tables.features.signs, normal.mean, normal.scale)
    means = np.nan_to_num(_spread(train, JUDGED).outcome().score)
    validation = np.flatnonzero(parted.part == VALIDATION)
    draw = np.random.default_rng(np.random.SeedSequence(seed))
    some = draw.permutation(len(validation))[:CHECKED]
    checked = world.of(validation[np.sort(some)])
    outcome = checked.outcome()
    if not np.isfinite(outcome.score).any():
        raise UsageError(
            f"none of {len(checked):,} validation starts can be entered under any arm: give the "
            "account more cash, or the bot more risk"
        )
    arm_means = means.mean(axis=0)
    scores = np.nan_to_num(outcome.score)
    return Ground(
        train,
        Checked(checked, scaling, scores, int(np.argmax(arm_means))),
        parted,
        normal,
        arm_means,
        np.isfinite(outcome.score).mean(axis=0),
        int(outcome.end_time.max()),
        outcome.remarks,
    )


def _spread(world: World, most: int) -> World:
    """At most so many of the starts, spread over all."""
    if len(world) <= most:
        return world
    return world.of(np.linspace(0, len(world) - 1, most).astype(np.int64))


def train_ppo(
    ground: Ground, s: PpoSettings, seeds: Sequence[Seed], watch: Watch | None = None
) -> Trained:
    """Train those seeds that are not done, and make a policy of the one with the median score.

    Parameters
    ----------
    ground : Ground
    s : PpoSettings
    seeds : sequence of Seed
        Changed; a `KeyboardInterrupt` leaves those that are done, and the best of the one that is
        not.
    watch : callable or None

    Raises
    ------
    RunError
        A seed has not one finite check, or the exported files give other numbers.
    UsageError
        The extra `ml` is missing, or there are too few bars for the probes.
    """
    with exact() as torch:
        for k, seed in enumerate(seeds):
            if not seed.stopped:
                train_seed(ground.world, ground.checked, s, seed, part_of(watch, k, len(seeds)))
            if seed.best is None:
                raise RunError(f"{seed.stopped}, before any check: nothing was saved")
        return _made(torch, ground, s, seeds)


def _made(torch: Any, g: Ground, s: PpoSettings, seeds: Sequence[Seed]) -> Trained:
    scores = [seed.score for seed in seeds]
    chosen = seeds[median_of(scores)]
    assert chosen.best is not None
    module = module_of(chosen.best)
    policy = _policy(torch, module, g, chosen, _touched(g, seeds))
    inputs = policy.probes.inputs
    shape = 1, inputs.shape[2]
    files = {"torchscript": torchscript(torch, module, *shape), "onnx": onnx(torch, module, *shape)}
    parity = parity_of(torch, module, files, inputs)
    own = passes(plain_network(chosen.best), inputs)
    parity["compiled"] = require_near("the compiled pass", own, policy.probes.outputs)
    c = g.checked
    told: dict[str, Any] = {
        "seeds": [seed.seed for seed in seeds],
        "seed": chosen.seed,
        "spans": _spans(g),
        "hyperparameters": asdict(s),
        "parity": {name: parity[name] for name in ("onnx", "compiled")},
        "metrics": {
            "validation_score": chosen.score,
            "validation_scores": scores,
            "spread": max(scores) - min(scores),
            "static_arm": float(c.world.arms[c.static]),
            "static_score": float(c.scores[:, c.static].mean()),
            "steps": [seed.step for seed in seeds],
            "stopped": [seed.stopped for seed in seeds],
        },
        "rows": g.parted.counts(),
        "starts": {str(seed.seed): seed.counts for seed in seeds},
    }
    told["hyperparameters_hash"] = hash_of(told["hyperparameters"])
    curves = pl.DataFrame([row for seed in seeds for row in seed.curve], infer_schema_length=None)
    others = {".zip": chosen.model, ".onnx": files["onnx"]}
    return Trained(policy, curves, told, others, _remarks(g, seeds, chosen))


def _touched(g: Ground, seeds: Sequence[Seed]) -> int:
    """The last instant that any seed has touched, ns UTC: the median was chosen among all."""
    last = max(seed.last_bar for seed in seeds)
    return max(g.touched, int(g.world.market.time[last]))


def _policy(torch: Any, module: Any, g: Ground, seed: Seed, until: int) -> Policy:
    world, scaling = g.world, g.checked.scaling
    assert seed.best is not None
    bars, features = probe_bars(world.tables.features, world.market, g.parted.cut)
    inputs = probe_inputs(_seen(world, scaling, seed.seed))
    with torch.no_grad():
        outputs = module(torch.from_numpy(inputs.astype(np.float32))).numpy().astype(np.float64)
    return Policy(
        world.tables.features,
        world.when,
        "ppo",
        Network(*flat(seed.best), scaling.signs, scaling.mean, scaling.scale),
        world.arms,
        g.arm_means,
        1.0,
        g.normal.deciles,
        g.normal.psi_limit,
        Probes(bars, features, inputs, outputs),
        until,
        course=world.course,
    )


def _seen(world: World, scaling: Scaling, seed: int) -> NDArray[np.float64]:
    """What is seen in campaigns with arms at random: (62, 1, inputs)."""
    draw = np.random.default_rng(seed)
    going = world.stepped(scaling, OWN_PROBES)
    going.begin(draw)
    for _ in range(MIXED):
        going.step(draw.integers(0, len(world.arms), OWN_PROBES))
    return going.room.seen.copy()


def _spans(g: Ground) -> dict[str, list[str]]:
    train, checked = g.world, g.checked.world
    ends = {
        "train": (train.time.min(), train.latest_end.max()),
        "validation": (checked.time.min(), g.touched),
    }
    return {name: [instant_text(int(x)) for x in pair] for name, pair in ends.items()}


def _remarks(g: Ground, seeds: Sequence[Seed], chosen: Seed) -> list[str]:
    told = [*g.normal.remarks, *g.remarks]
    told += [
        f"{seed.stopped}: its best check before that, of {seed.score:.4f}, is kept"
        for seed in seeds
        if "not finite" in seed.stopped
    ]
    arms = g.world.arms.tolist()
    skipped, played = (sum(chosen.counts[name].values()) for name in ("skipped", "played"))
    if skipped > NEVER * (skipped + played):
        why = ", ".join(f"{word} {count:,}" for word, count in chosen.counts["skipped"].items())
        told.append(f"{skipped:,} starts were skipped, which no arm can enter ({why})")
    for arm, share in zip(arms, g.known.tolist(), strict=True):
        if share < 1.0 - NEVER:
            told.append(
                f"arm {arm:g} has no campaign at {1.0 - share:.0%} of the validation starts: there "
                "it counts as 0, a way not to trade; take it out of learn.arms, or give the "
                "account more cash"
            )
    best = max(chosen.curve, key=lambda row: row["score"])
    if chosen.score <= best["static"]:
        told.append(
            f"on the validation starts arm {arms[g.checked.static]:g} always earns as much or more "
            f"({best['static']:.4f} against {chosen.score:.4f}): nothing was learned beyond it"
        )
    for arm in arms:
        if best[f"chosen_{arm:g}"] > ALWAYS:
            told.append(f"arm {arm:g} is chosen in {best[f'chosen_{arm:g}']:.0%} of all decisions")
    return told
