"""Training by PPO (Schulman et al., arXiv:1707.06347), as stable-baselines3 has it: one seed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from intrabar.engine.lanes.lane import Fate
from intrabar.exits.network import Network
from intrabar.learn.passes import passes
from intrabar.learn.ppo_net import UNITS, Layers, flat, layers_of
from intrabar.learn.vec_environment import LANES
from intrabar.learn.watch import Watch
from intrabar.learn.world import World
from intrabar.model.bars import Floats
from intrabar.model.values import Bounds, number, whole
from intrabar.strategy.lane_room import CHOOSE, Scaling

CHECK_EVERY, PATIENCE = 50_000, 5  # steps, checks
CHECKED = 2_000  # starts
PLAYED = 256  # lanes of a check
NEVER = 1_000_000_000  # what is logged is read at each check


@dataclass(frozen=True)
class PpoSettings:
    """How an exit is trained by PPO.

    Parameters
    ----------
    steps : int
        At most.
    lanes : int
        Campaigns side by side.
    n_steps : int
        Of each lane between two updates.
    batch, epochs : int
    rate : float
        Of Adam, falling to 0.
    entropy, clip, lam : float
        Weight of the entropy; range of the ratio; lambda of the advantages.

    Raises
    ------
    ConfigError
    """

    steps: int = 1_000_000
    lanes: int = LANES
    n_steps: int = 128
    batch: int = 1024
    epochs: int = 4
    rate: float = 1e-3
    entropy: float = 0.005
    clip: float = 0.2
    lam: float = 0.98

    def __post_init__(self) -> None:
        for name, most in (("steps", 1_000_000_000), ("lanes", 4_096), ("n_steps", 1_000_000)):
            whole(name, getattr(self, name), Bounds(1, most, whole=True))
        for name in ("batch", "epochs"):
            whole(name, getattr(self, name), Bounds(1, 1_000_000, whole=True))
        number("rate", self.rate, Bounds(0.0, 1.0, above=True))
        for name in ("entropy", "clip", "lam"):
            number(name, getattr(self, name), Bounds(0.0, 1.0))


@dataclass(frozen=True, eq=False)
class Checked:
    """The starts that a seed is checked on, and what single arms make of them.

    Parameters
    ----------
    world : World
    scaling : Scaling
    scores : (m, K) float64
        0 where there is no campaign.
    static : int
        The arm with the highest mean of the train.
    """

    world: World
    scaling: Scaling
    scores: Floats
    static: int


@dataclass(eq=False)
class Seed:
    """A seed that is trained, or was.

    Parameters
    ----------
    seed : int
    step : int
        Steps done.
    score : float
        The highest mean score of a check; -inf before one.
    best : list of layers or None
        The actor's weights of that check.
    model : bytes
        The model of that check as stable-baselines3 stores it.
    curve : list of dict
        A row per check.
    stopped : str
        Why it is done; "" while it is not.
    last_bar : int
        The last row of the timeline that any of its campaigns has touched.
    counts : dict of "played" and "skipped" to dict of fate to int
        What became of the starts; skipped are those that no arm could enter.
    """

    seed: int
    step: int = 0
    score: float = -math.inf
    best: Layers | None = None
    model: bytes = b""
    curve: list[dict[str, Any]] = field(default_factory=list)
    stopped: str = ""
    last_bar: int = -1
    counts: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Played:
    """Starts that a network has played greedily.

    Parameters
    ----------
    scores : (m,) float64
        0 where there was no campaign.
    shares : (K,) float64
        How often each arm was chosen, of all decisions.
    last_bar : int
    """

    scores: Floats
    shares: Floats
    last_bar: int


def greedy(net: Network, world: World, scaling: Scaling) -> Played:
    """Play all starts of a world, each with the arm of the highest number: what trades.

    Parameters
    ----------
    net : Network
        Its features are already normalised.
    world : World
    scaling : Scaling
    """
    going = world.stepped(scaling, min(PLAYED, len(world)))
    scores, chosen = np.zeros(len(world)), np.zeros(len(world.arms), np.int64)
    going.begin(np.arange(len(world)))
    last = -1
    while not going.is_over:
        room = going.room
        arms = passes(net, room.seen).argmax(axis=1)
        chosen += np.bincount(arms[room.lanes["due"] == CHOOSE], minlength=len(chosen))
        going.step(arms)
        ended = np.flatnonzero(room.ended)
        won = np.nan_to_num(room.last.net[ended, 0] / room.last.budget[ended, 0])
        scores[room.first[ended]] = won
        last = max(last, going.last_bar)
    return Played(scores, chosen / max(1, int(chosen.sum())), last)


def plain_network(layers: Layers) -> Network:
    """The network of inputs that are normalised already."""
    n = layers[0][0].shape[1]
    return Network(*flat(layers), np.zeros(n, np.int8), np.zeros(n), np.ones(n))


def train_seed(
    world: World, checked: Checked, s: PpoSettings, seed: Seed, watch: Watch | None = None
) -> None:
    """Train a seed from its beginning to its end.

    A `KeyboardInterrupt` leaves its best check so far; it begins again if it is trained again.

    Parameters
    ----------
    world : World
        Of the training starts.
    checked : Checked
    s : PpoSettings
    seed : Seed
        Changed.
    watch : callable or None
    """
    from stable_baselines3 import PPO
    from stable_baselines3.common.logger import Logger
    from torch import nn

    from intrabar.learn.vec_environment import ExitVecEnv

    seed.__dict__.update(Seed(seed.seed).__dict__)
    env = ExitVecEnv(world, checked.scaling, seed.seed, s.lanes)
    model = PPO(
        "MlpPolicy",
        env,
        learning_rate=lambda left: s.rate * left,
        n_steps=s.n_steps,
        batch_size=min(s.batch, s.lanes * s.n_steps),
        n_epochs=s.epochs,
        gamma=1.0,
        gae_lambda=s.lam,
        clip_range=s.clip,
        ent_coef=s.entropy,
        policy_kwargs={"net_arch": list(UNITS), "activation_fn": nn.Tanh},
        seed=seed.seed,
        device="cpu",
        verbose=0,
    )
    model.set_logger(Logger(None, []))  # its own makes a folder that stays
    watching = _watching()(checked, s, seed, watch)
    try:
        model.learn(s.steps, callback=watching, log_interval=NEVER)
        seed.step = model.num_timesteps
        watching.check()
        seed.stopped = f"{s.steps:,} steps"
    except _Done as done:
        seed.stopped = str(done)
    seed.last_bar = max(seed.last_bar, env.last_bar)
    room = env.going.room
    counts = {"played": room.fates.sum(axis=1), "skipped": room.skipped}
    for name, each in counts.items():
        seed.counts[name] = {f.word: int(each[f]) for f in Fate if each[f]}


class _Done(Exception):  # noqa: N818
    """A seed is done before its last step."""


@cache
def _watching() -> Any:
    from stable_baselines3.common.callbacks import BaseCallback

    class Watching(BaseCallback):
        """Checks a model as it is trained."""

        def __init__(
            self, checked: Checked, s: PpoSettings, seed: Seed, watch: Watch | None
        ) -> None:
            super().__init__()
            self.checked, self.s, self.seed, self.watch = checked, s, seed, watch
            self.due = CHECK_EVERY

        def _on_rollout_start(self) -> None:
            self.seed.step = self.model.num_timesteps
            if self.watch is not None:
                self.watch(self.seed.step, self.s.steps)
            if self.seed.step >= self.due:
                self.check()
                self.due += CHECK_EVERY
            elif not self._is_finite():
                raise _Done(self._not_finite())

        def _on_step(self) -> bool:
            return True

        def _is_finite(self) -> bool:
            loss = self.model.logger.name_to_value.get("train/loss", 0.0)
            return math.isfinite(loss)

        def _not_finite(self) -> str:
            return f"the loss is not finite at step {self.seed.step:,} of seed {self.seed.seed}"

        def check(self) -> None:
            """Play the validation starts; keep the best, and stop after five without progress."""
            seed, c = self.seed, self.checked
            layers = layers_of(self.model.policy)
            finite = all(np.isfinite(x).all() for pair in layers for x in pair)
            if not (finite and self._is_finite()):
                raise _Done(self._not_finite())
            played = greedy(plain_network(layers), c.world, c.scaling)
            seed.last_bar = max(seed.last_bar, played.last_bar)
            score = float(played.scores.mean())
            seed.curve.append(self._row(score, played))
            if score > seed.score:
                seed.score, seed.best, seed.model = score, layers, _stored(self.model)
            scores = [row["score"] for row in seed.curve]
            if len(scores) - 1 - int(np.argmax(scores)) >= PATIENCE:
                raise _Done(f"{PATIENCE} checks without a higher score")

        def _row(self, score: float, played: Played) -> dict[str, Any]:
            c, logged = self.checked, self.model.logger.name_to_value
            told = {
                "seed": self.seed.seed,
                "step": self.seed.step,
                "score": score,
                "static": float(c.scores[:, c.static].mean()),
                "loss": float(logged["train/loss"]),
                "entropy": -float(logged["train/entropy_loss"]),
                "kl": float(logged["train/approx_kl"]),
                "explained_variance": float(logged["train/explained_variance"]),
            }
            pairs = zip(c.world.arms.tolist(), played.shares.tolist(), strict=True)
            return told | {f"chosen_{arm:g}": share for arm, share in pairs}

    return Watching


def _stored(model: Any) -> bytes:
    import io

    out = io.BytesIO()
    model.save(out, exclude=["env"])
    return out.getvalue()
