"""PPO: what is trained is what trades, again and again the same."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from stable_baselines3 import PPO

import intrabar.engine.prepared as prepared
from intrabar.engine.run import Setup
from intrabar.engine.tables.feature_table import FeatureTables, feature_tables
from intrabar.errors import ConfigError, RunError, UsageError
from intrabar.exits import TrailingATR
from intrabar.exits.network import FARTHEST
from intrabar.learn.causal import causal
from intrabar.learn.exact import median_of
from intrabar.learn.passes import passes
from intrabar.learn.ppo_canaries import null
from intrabar.learn.ppo_net import Layers, module_of
from intrabar.learn.ppo_policy import Ground, ground_of, train_ppo
from intrabar.learn.ppo_training import PpoSettings, Seed, greedy, plain_network, train_seed
from intrabar.learn.resume import keep_seeds, kept_seeds
from intrabar.learn.terms import Terms
from intrabar.learn.trained import Trained
from intrabar.learn.world import World, world_of
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from tests.strategy.markets import Told, walk

ARMS = (0.5, 1.0, 2.0, 4.0)
SMALL = PpoSettings(steps=3_000, lanes=16, n_steps=32, batch=256)
MARKET = walk(1_200, 3, ("A", "B"), missing=0.05)


def world(when: str = "bar", market: Any = MARKET) -> World:
    bot = Bot(Told(), TrailingATR(), risk_fraction=0.01)
    traded = tuple(Instrument(x, 0.01, commission_per_contract=0.1) for x in market.symbols)
    setup = Setup(market, traded, {"s": bot})
    return world_of(setup, "s", Terms(arms=ARMS, max_bars=20), when)


def trained(ground: Ground, seeds: Any = (5, 6, 7)) -> Trained:
    return train_ppo(ground, SMALL, [Seed(x) for x in seeds])


@pytest.fixture(scope="module")
def ground() -> Ground:
    return ground_of(world(), 0)


@pytest.fixture(scope="module")
def made(ground: Ground) -> Trained:
    return trained(ground)


def layers(inputs: int, arms: int, seed: int) -> Layers:
    draw = np.random.default_rng(seed)
    sizes = (inputs, 32, 32, arms)
    return [
        (draw.normal(0, 0.5, (b, a)).astype(np.float32), draw.normal(0, 0.5, b).astype(np.float32))
        for a, b in pairwise(sizes)
    ]


def test_the_compiled_pass_is_torch_on_10_000_windows_and_extremes() -> None:
    own = layers(9, 8, 1)
    seen = np.random.default_rng(2).normal(0.0, 2.0, (10_000, 1, 9)).clip(-FARTHEST, FARTHEST)
    seen[:3] = np.array([-FARTHEST, 0.0, FARTHEST])[:, None, None]
    found = passes(plain_network(own), seen)
    with torch.no_grad():
        exactly = module_of(own).double()(torch.from_numpy(seen)).numpy()
        nearly = module_of(own).float()(torch.from_numpy(seen).float()).numpy()
    assert np.abs(found - exactly).max() < 1e-12
    assert np.abs(found - nearly).max() < 1e-5
    second, first = np.sort(found, axis=1)[:, -2:].T
    clear = first - second > 1e-5
    assert (found.argmax(axis=1) == nearly.argmax(axis=1))[clear].all()


def test_a_policy_is_that_of_the_median_seed_and_says_what_it_knows(
    ground: Ground, made: Trained
) -> None:
    told, policy = made.told, made.policy
    scores = told["metrics"]["validation_scores"]
    assert told["seed"] == told["seeds"][median_of(scores)]
    assert told["metrics"]["validation_score"] == sorted(scores)[1]
    assert (policy.loss, policy.when, policy.window) == ("ppo", "bar", 1)
    assert policy.static_arm == ground.checked.static
    curve = made.curves
    arms = [f"chosen_{arm:g}" for arm in ARMS]
    named = ["seed", "step", "score", "static", "loss", "entropy", "kl", "explained_variance"]
    assert curve.columns == [*named, *arms]
    assert set(curve["seed"]) == {5, 6, 7}
    assert np.allclose(curve.select(arms).sum_horizontal(), 1.0)
    cut, until = ground.parted.cut, policy.trained_until
    assert ground.world.latest_end.max() < cut < until <= MARKET.time[-1]
    assert until >= ground.checked.world.time.max()


def test_the_files_of_other_tools_decide_as_the_policy(made: Trained, tmp_path: Path) -> None:
    inputs = np.ascontiguousarray(made.policy.probes.inputs, np.float32)
    wanted = np.array([made.policy.pass_over(x) for x in made.policy.probes.inputs])
    session = onnxruntime.InferenceSession(made.others[".onnx"])
    assert np.abs(session.run(None, {"windows": inputs})[0] - wanted).max() < 1e-5
    model = PPO.load(BytesIO(made.others[".zip"]), device="cpu")
    arms, _ = model.predict(inputs[:, 0], deterministic=True)
    second, first = np.sort(wanted, axis=1)[:, -2:].T
    clear = first - second > 1e-5
    assert (arms == wanted.argmax(axis=1))[clear].all()
    assert max(made.told["parity"].values()) < 1e-5


def test_the_score_of_a_check_is_that_of_its_starts_played(ground: Ground, made: Trained) -> None:
    checked, net = ground.checked, made.policy.net
    plain = net._replace(signs=np.zeros(9, np.int8), mean=np.zeros(9), scale=np.ones(9))
    played = greedy(plain, checked.world, checked.scaling)
    assert played.scores.mean() == made.told["metrics"]["validation_score"]
    assert np.isclose(played.shares.sum(), 1.0)


TWICE = """
from tests.learn.test_ppo import ground_of, trained, world
print(trained(ground_of(world(), 0)).policy.hash)
"""


def test_two_processes_train_the_same_policy(made: Trained) -> None:
    root = Path(__file__).parents[2]
    told = subprocess.run(
        [sys.executable, "-c", TWICE], capture_output=True, text=True, cwd=root, check=True
    )
    assert told.stdout.split()[-1] == made.policy.hash


def test_an_interrupted_training_goes_on_to_the_same_policy(
    ground: Ground, made: Trained, tmp_path: Path
) -> None:
    seeds = [Seed(x) for x in (5, 6, 7)]

    def interrupt(done: int, total: int) -> None:
        if done > total * 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_ppo(ground, SMALL, seeds, interrupt)
    assert [bool(x.stopped) for x in seeds] == [True, False, False]
    file = tmp_path / "part" / ".p.w000.resume"
    keep_seeds(file, "key", seeds)
    again = kept_seeds(file, "key", Seed)
    assert again is not None
    first = again[0].__dict__.copy()
    assert train_ppo(ground, SMALL, again).policy.hash == made.policy.hash
    assert again[0].__dict__ == first  # it was not trained again
    with pytest.raises(UsageError, match="other data, settings"):
        kept_seeds(file, "another", Seed)
    assert kept_seeds(tmp_path / "none", "key", Seed) is None


def test_a_loss_that_is_not_finite_stops_and_names_step_and_seed(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = PPO.train

    def spoiled(self: Any) -> None:
        plain(self)
        if self.num_timesteps > 2_000:
            self.logger.record("train/loss", float("nan"))

    monkeypatch.setattr(PPO, "train", spoiled)
    with pytest.raises(RunError, match=r"not finite at step 2,048 of seed 5, before any check"):
        trained(ground)


def test_nothing_is_left_in_the_temporary_folder(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    train_seed(ground.world, ground.checked, replace(SMALL, steps=512), Seed(5))
    assert not list(tmp_path.iterdir())


def test_where_an_arm_cannot_be_traded_that_is_told() -> None:
    market = walk(1_200, 3)
    bot = Bot(Told(), TrailingATR(), risk_fraction=4e-5)
    setup = Setup(market, (Instrument("A", 0.01),), {"s": bot})
    ground = ground_of(world_of(setup, "s", Terms(arms=ARMS, max_bars=20), "entry"), 0)
    assert ground.known[0] > ground.known[-1]
    made = trained(ground, (5,))
    assert any("arm 4 has no campaign at" in x for x in made.remarks)
    counts = made.told["starts"]["5"]
    assert counts["played"].keys() >= {"played", "size_zero"}
    assert set(counts["skipped"]) <= {"size_zero"}


@pytest.mark.parametrize(("bars", "words"), [(200, "it takes 1,000"), (60, "no bar to start from")])
def test_too_little_to_learn_from_is_told(bars: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        ground_of(world(market=walk(bars, 1)), 0)


def test_settings_that_cannot_be_are_refused() -> None:
    for wrong in ({"steps": 0}, {"lanes": 0}, {"rate": 0.0}, {"clip": 2.0}):
        with pytest.raises(ConfigError):
            PpoSettings(**wrong)  # type: ignore[arg-type]


def of_the_next_bar(*given: Any) -> FeatureTables:
    tables = feature_tables(*given)
    later = tuple(np.concatenate([x[1:], x[-1:]]) for x in tables.tables)
    return replace(tables, tables=later, row_of=tables.row_of.copy())


def test_features_of_the_next_bar_are_seen_by_both(monkeypatch: pytest.MonkeyPatch) -> None:
    short = PpoSettings(steps=50_000)
    assert null(settings=short, seeds=1).holds
    monkeypatch.setattr(prepared, "feature_tables", of_the_next_bar)
    one = world()
    verdict = causal(one.tables, one.market, one.calendars, one.starts.bar)
    assert not verdict.holds
    assert "changes with bars after" in verdict.told
    assert not null(settings=short, seeds=1).holds
