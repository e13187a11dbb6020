"""`ib.learn.ppo`: from a configuration to a policy, by playing campaigns."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from intrabar.app.calls.learn import named
from intrabar.app.compose.market_cache import data_hash
from intrabar.app.compose.recipe import Composed, Recipe
from intrabar.app.config.file import validated
from intrabar.app.config.learning import LearnConfig
from intrabar.app.folders.policies import note_seeds, require_place, store
from intrabar.app.progress import bar
from intrabar.exits import Learned
from intrabar.exits.policy import Policy
from intrabar.indicators.features import features_of
from intrabar.learn.canaries import require
from intrabar.learn.causal import causal
from intrabar.learn.datasets import bot_named
from intrabar.learn.exact import seeds_of
from intrabar.learn.extra import require_ml, versions_of
from intrabar.learn.ppo_canaries import before_training
from intrabar.learn.ppo_policy import ground_of, train_ppo
from intrabar.learn.ppo_training import PpoSettings, Seed
from intrabar.learn.resume import keep_seeds, kept_seeds, resume_file
from intrabar.learn.settings import hash_of
from intrabar.learn.terms import Terms
from intrabar.learn.world import World, world_of
from intrabar.model.instant import instant_text
from intrabar.model.values import SEEDS, path, truth, whole
from intrabar.sources import versions

TRAINED_BY = ("torch", "stable_baselines3", "gymnasium", "onnx", "onnxruntime")


def ppo(
    config: str | Path | Mapping[str, Any],
    *,
    bot: str | None = None,
    when: str | None = None,
    entries: str | None = None,
    steps: int | None = None,
    seed: int | None = None,
    name: str | None = None,
    out: str | Path = "policies",
    runs: str | Path = "runs",
    resume: bool = False,
    progress: bool = False,
) -> Policy:
    """Train an exit that chooses its arm by playing campaigns: three seeds, the median is kept.

    Parameters
    ----------
    config : path or mapping
        A configuration; what is not given here is that of its section `learn`. One bar of the
        features is read: `window` is for datasets.
    bot : str, optional
        Which of its strategies; the only bot among them.
    when : {"bar", "entry"}, optional
        Decide at each close while held as well, or at the signal's close alone; "bar".
    entries : {"every", "bot"}, optional
        Begin at each bar and side, or where the bot as configured has entered; "every".
    steps : int, optional
        Decisions that each seed makes at most; 1,000,000.
    seed : int, optional
        Of everything; 0.
    name : str, optional
        Of the folder that is written; None: none is.
    out : folder
        Of policies.
    runs : folder
        Of runs, whose ledger notes each seed.
    resume : bool
        Go on with what was interrupted under this name: with the first seed that is not done, from
        its beginning, so the policy is the same as without the interruption.
    progress : bool
        Show a progress bar on stderr.

    Raises
    ------
    UsageError
        The extra `ml` is missing, or there is too little to train on.
    RunError
        A canary does not hold, or a seed has no finite check. Nothing is saved.
    """
    require_ml()
    progress = truth("progress:", progress)
    recipe = Recipe.of_call(None, None, {"config": config})
    given = {"when": when, "entries": entries, "steps": steps, "seed": seed}
    over = {key: value for key, value in given.items() if value is not None}
    section = recipe.config.learn or LearnConfig()
    asked = validated(LearnConfig, {**section.model_dump(), **over}, "learn.")
    own_seed = whole("seed:", asked.seed, SEEDS)
    settings = PpoSettings(steps=asked.steps, lanes=asked.lanes)
    runs, resume = path("runs:", runs), truth("resume:", resume)
    folder = None if name is None else path("out:", out) / named(name)
    require_place(folder, runs, resume)
    features = features_of(asked.features, 1)
    terms = Terms(features, tuple(asked.arms), asked.exit, asked.max_bars)
    composed = recipe.whole()
    world = world_of(
        composed.setup, bot_named(composed.setup, bot), terms, asked.when, asked.entries
    )
    ground = ground_of(world, own_seed)
    found = [causal(world.tables, world.market, world.calendars, world.starts.bar, own_seed)]
    verdicts = require([*found, *before_training()], "PPO")
    told = _told(recipe, composed, world, asked, bot_named(composed.setup, bot))
    key = hash_of({**told, "settings": repr(settings), "seed": own_seed})
    kept = None if folder is None else resume_file(folder)
    seeds = kept_seeds(kept, key, Seed) if resume and kept is not None else None
    seeds = seeds or [Seed(each) for each in seeds_of(own_seed)]
    with bar(sys.stderr, "steps") if progress else nullcontext() as watched:
        try:
            made = train_ppo(ground, settings, seeds, watched)
        except KeyboardInterrupt:
            if kept is not None:
                keep_seeds(kept, key, seeds)
                print(f"{kept} has the best so far; go on with --resume", file=sys.stderr)
            raise
    remarks = [*map(str, composed.remarks), *made.remarks, *_to_trade(world, asked)]
    made = replace(made, remarks=remarks)
    told |= {"command": "learn ppo", "canaries": verdicts, "prior": None, "threads": 1}
    note_seeds(runs, [made], told, "PPO")
    if folder is not None and kept is not None:
        store(folder, [made], {**told, "cpu": platform.machine()}, False)
        kept.unlink(missing_ok=True)
    return made.policy


def _to_trade(world: World, asked: LearnConfig) -> list[str]:
    """What an exit must be given to trade as in training, where that is not what it has anyway."""
    period = world.lanes[0].lane.running.bot.exit.atr_period  # type: ignore[union-attr]
    trained = {"exit": asked.exit, "max_bars": asked.max_bars, "atr_period": period}
    usual = {f.name: f.default for f in fields(Learned)}
    other = [f"{name}: {value}" for name, value in trained.items() if value != usual[name]]
    return [f"an exit that trades it needs {', '.join(other)}, as in training"] if other else []


def _told(
    recipe: Recipe, composed: Composed, world: World, asked: LearnConfig, bot: str
) -> dict[str, Any]:
    """What a manifest says of what is trained on."""
    market = world.market
    contents = {x.symbol: x.as_json()["content"] for x in composed.origins}
    learned = {"when": asked.when, "entries": asked.entries, "starts": len(world)}
    of_rows = {**contents, **learned, "features": world.tables.features.hash, "bot": bot}
    return {
        "data": {
            "hash": data_hash(contents),
            "symbols": list(market.symbols),
            "span": [instant_text(int(market.time[0])), instant_text(int(market.time[-1]))],
        },
        "dataset": {"name": None, "rows": hash_of(of_rows)},
        "strategy": bot,
        "exit": asked.exit,
        "max_bars": asked.max_bars,
        "entries": asked.entries,
        "config": recipe.config.model_dump(mode="json", by_alias=True, exclude_unset=True),
        "versions": {**versions(), **versions_of(*TRAINED_BY)},
    }
