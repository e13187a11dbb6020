"""What the kernels of a learned exit read behind addresses, for the interpreted run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from intrabar.exits.learned_kernel import Mind
from intrabar.exits.network import Network

if TYPE_CHECKING:
    from intrabar.strategy.learner import Learner


class LearnerViews:
    """The same arrays as Python sees them.

    Parameters
    ----------
    learner : Learner
    """

    def __init__(self, learner: Learner) -> None:
        self._own = learner

    def replacements(self) -> dict[str, Callable[..., Any]]:
        """By the names that `learner_record` has for them."""
        own = self._own
        memory = own.memory.view(np.recarray)
        return {
            "memory_of": lambda _, j: memory[j],
            "time_at": lambda _, i: int(own.time[i]),
            "model_at": lambda _, i: own.model_at(i),
            "filed_at": self._filed_at,
            "cells_at": lambda _, model: own.cells[model],
            "normal_at": lambda _: (own.networks[0].scale, own.networks[0].mean),
            "chosen_at": lambda _, i, j: own.chosen_at(i, j),
            "bandit_of": lambda _, j: own.bandit[j],
            "factors_of": lambda _, j: own.factors[j],
            "context_of": lambda _, j: own.contexts[j],
            "position_of": lambda _: own.position,
            "held_bars": lambda _, j: int(own.held[j]),
            "largest_arm": lambda _: float(own.arms[-1]),
            "set_arm": self._set_arm,
            "mind_of": self._mind_of,
            "log_of": lambda _: own.log.view(np.recarray),
            "values_of": lambda _: own.values,
            "ends_of": lambda _: own.ends.view(np.recarray),
        }

    def _filed_at(self, _: Any, i: int, j: int, side: int) -> int:
        rows = self._own.filed[j]
        found = rows[(rows["time"] == self._own.time[i]) & (rows["side"] == side)]
        return int(found["arm"][0]) if len(found) else -1

    def _set_arm(self, _: Any, j: int, arm: int) -> None:
        self._own.multiples[j, self._own.multiple_at] = self._own.arms[arm]

    def _mind_of(self, _: Any, i: int, j: int, model: int) -> Mind:
        own, row = self._own, self._own.record[0]
        one = max(model, 0)
        net: Network = own.networks[one]
        return Mind(
            net,
            int(own.models[one]["numbers_are"]),
            float(own.models[one]["calibration"]),
            own.arm_means[one],
            own.past(i, j),
            own.position[: int(row["positions"])],
            own.signs,
            own.means[j],
            own.scales[j],
            float(row["alpha"]),
            float(row["explore"]),
            own.factors[j],
            own.x,
            own.numbers,
            own.prior,
            own.scores,
            own.work,
        )
