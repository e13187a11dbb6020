"""`ExitEnv`: one campaign after the other as an environment of Gymnasium.

It is the one compiled market: a step is the lane's way to the next close at which an exit is asked.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from intrabar.engine.lanes.lane import Fate
from intrabar.engine.lanes.stepped import SteppedLanes
from intrabar.exits.network import FARTHEST
from intrabar.exits.policy_arrays import POSITION
from intrabar.learn.extra import require_ml
from intrabar.learn.world import World
from intrabar.strategy.lane_room import SEEK, Scaling

if TYPE_CHECKING:
    ExitEnv: Any


def spaces_of(world: World) -> tuple[Any, Any]:
    """What is seen, and what can be chosen, as spaces of Gymnasium."""
    from gymnasium.spaces import Box, Discrete

    inputs = len(world.tables.features.names) + (POSITION if world.when == "bar" else 0)
    return Box(-FARTHEST, FARTHEST, (inputs,), np.float32), Discrete(len(world.arms))


def order_of(seed: int | None) -> np.random.Generator:
    """What draws the order of starts."""
    return np.random.default_rng(np.random.SeedSequence(seed))


def told_of(going: SteppedLanes, k: int) -> dict[str, Any]:
    """What is told of a campaign that has ended."""
    last = going.room.last
    return {
        "fate": Fate(int(last.fate[k, 0])).word,
        "score": float(last.net[k, 0] / last.budget[k, 0]),
        "steps": int(going.room.steps[k]),
        "start": int(going.room.first[k]),
    }


@cache
def _exit_env() -> Any:
    """The class: it is made when Gymnasium is there."""
    require_ml()
    from gymnasium import Env

    class ExitEnv(Env):
        """Choose the ATR multiple of a stop, campaign by campaign.

        Parameters
        ----------
        world : World
        scaling : Scaling
            By what features are normalised.
        seed : int, optional
            Of the order of starts; any.
        number, of : int
            It plays the starts of that lane of so many.

        Notes
        -----
        Observation: `Box(-5, 5, (F,) or (F + 4,), float32)`, the normalised features of this
        close, and with `when: bar` what is told of the position (`exits.position`), 0 at the
        signal's close; all 0 when the campaign is over. Action: `Discrete(arms)`. Reward: change of
        (marked profit less costs so far) / budget; it sums to the score. An episode is a campaign,
        `terminated` at its end and never truncated. A start that no arm can enter is skipped, and
        counted in `going.room.skipped`; one that the chosen arm cannot enter ends at once with 0.
        """

        metadata = {"render_modes": []}  # noqa: RUF012

        def __init__(
            self,
            world: World,
            scaling: Scaling,
            seed: int | None = None,
            *,
            number: int = 0,
            of: int = 1,
        ) -> None:
            self.observation_space, self.action_space = spaces_of(world)
            self.going = world.stepped(scaling, 1, number, of)
            self._seed, self._begun = seed, False

        def reset(
            self, *, seed: int | None = None, options: dict[str, Any] | None = None
        ) -> tuple[Any, dict[str, Any]]:
            """Begin with the next start; with a seed, with the first of its order."""
            super().reset(seed=seed)
            if seed is not None or not self._begun:
                self.going.begin(order_of(self._seed if seed is None else seed))
                self._begun = True
            elif self.going.room.lanes["steps"][0] > 0:  # a campaign is left before its end
                self.going.room.lanes["due"] = SEEK
                self.going.step(np.zeros(1, np.int64))
            return self._seen(), {}

        def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
            """Choose an arm, and go on to the next decision or the campaign's end."""
            self.going.step(np.array([int(action)]))
            room = self.going.room
            reward = float(room.reward[0])
            if room.ended[0]:
                over = np.zeros(room.seen.shape[2], np.float32)
                return over, reward, True, False, told_of(self.going, 0)
            return self._seen(), reward, False, False, {}

        def _seen(self) -> Any:
            return self.going.room.seen[0, 0].astype(np.float32)

    return ExitEnv


def __getattr__(name: str) -> Any:
    if name == "ExitEnv":
        return _exit_env()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
