"""`ExitVecEnv`: many campaigns side by side, stepped by one compiled call."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from intrabar.learn.environment import order_of, spaces_of, told_of
from intrabar.learn.extra import require_ml
from intrabar.learn.world import World
from intrabar.strategy.lane_room import Scaling

if TYPE_CHECKING:
    ExitVecEnv: Any

LANES = 64


@cache
def _exit_vec_env() -> Any:
    """The class: it is made when stable-baselines3 is there."""
    require_ml()
    from stable_baselines3.common.vec_env import VecEnv

    class ExitVecEnv(VecEnv):
        """`ExitEnv` many times, as stable-baselines3 steps them.

        Parameters
        ----------
        world : World
        scaling : Scaling
        seed : int, optional
            Of the order of starts, which the lanes share.
        lanes : int
        """

        def __init__(
            self, world: World, scaling: Scaling, seed: int | None = None, lanes: int = LANES
        ) -> None:
            self.render_mode = None
            super().__init__(lanes, *spaces_of(world))
            self.going = world.stepped(scaling, lanes)
            self._seed = seed
            self._arms = np.zeros(lanes, np.int64)
            self._over = np.zeros(self.going.room.seen.shape[2], np.float32)
            self._nothing: list[dict[str, Any]] = [{} for _ in range(lanes)]
            self.last_bar = -1  # that any campaign has touched

        def reset(self) -> Any:
            """Begin with the first starts of the order."""
            seed = self._seed if self._seeds[0] is None else self._seeds[0]
            self.going.begin(order_of(seed))
            self._reset_seeds()
            return self._seen()

        def step_async(self, actions: Any) -> None:
            """Note the arms."""
            self._arms[:] = actions

        def step_wait(self) -> Any:
            """Take all lanes on; one whose campaign ended sees its next start."""
            self.going.step(self._arms)
            room = self.going.room
            told = self._nothing
            ended = np.flatnonzero(room.ended)
            self.last_bar = max(self.last_bar, self.going.last_bar)
            if len(ended):
                told = self._nothing.copy()
                for k in ended.tolist():
                    own = told_of(self.going, k)
                    sums = {"r": own["score"], "l": own["steps"]}
                    told[k] = {**own, "episode": sums, "terminal_observation": self._over}
            return self._seen(), room.reward.copy(), room.ended.copy(), told

        def _seen(self) -> Any:
            return self.going.room.seen[:, 0].astype(np.float32)

        def close(self) -> None:
            """Nothing is held."""

        def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
            """An attribute that all lanes share, once for each."""
            return [getattr(self, attr_name) for _ in self._get_indices(indices)]

        def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
            """Set an attribute that all lanes share."""
            setattr(self, attr_name, value)

        def env_method(
            self, method_name: str, *args: Any, indices: Any = None, **named: Any
        ) -> list[Any]:
            """The lanes have no methods of their own."""
            raise AttributeError(f"a lane has no method {method_name}")

        def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
            """None is."""
            return [False for _ in self._get_indices(indices)]

    return ExitVecEnv


def __getattr__(name: str) -> Any:
    if name == "ExitVecEnv":
        return _exit_vec_env()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
