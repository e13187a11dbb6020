"""A learned exit in shadow: its static rival trades, and both are simulated at each entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.outcome.bandits import Bandits, bandits_of
from intrabar.engine.session.apart import Apart, Campaign
from intrabar.engine.session.bandits import States
from intrabar.engine.session.drifting import Drifting
from intrabar.engine.session.plan import Plan
from intrabar.exits.bandit import learn
from intrabar.exits.learned import TELL
from intrabar.model.bars import Market
from intrabar.model.entry import in_json
from intrabar.strategy.bot import Bot
from intrabar.strategy.learner import Learner

Told = tuple[str, dict[str, Any]]
"""Kind and body of a record."""


class Asked(NamedTuple):
    """An entry that was asked for at a close."""

    strategy: str
    column: int
    side: int


@dataclass
class Pair:
    """Both campaigns of a decision."""

    number: int
    side: int
    arm: int
    prior: float
    context: NDArray[np.float64]
    learned: Campaign
    static: Campaign

    @property
    def closed(self) -> int:
        """The bar at which the later of both was flat; -1 before."""
        both = self.learned.closed, self.static.closed
        return -1 if min(both) < 0 else max(both)


class Shadow:
    """A learned exit in shadow.

    Parameters
    ----------
    plan : Plan
    name : str
        Of the strategy.
    trade_from : int, ns UTC
    states : States
        What its bandits have learned before.
    """

    def __init__(self, plan: Plan, name: str, trade_from: int, states: States) -> None:
        self._plan, self.name = plan, name
        traded = plan.strategies[name]
        assert isinstance(traded, Bot)
        shadowed = plan.shadowed[name]
        exit_: Any = shadowed.exit
        if hasattr(exit_, "on_drift"):  # what trades is static already
            shadowed = replace(shadowed, exit=replace(exit_, on_drift=TELL))
        self._learned = Apart(plan, name, shadowed, trade_from, states)
        self._static = Apart(plan, name, traded, trade_from, {})
        self._open: list[Pair] = []
        self._count = 0
        self._drifting: Drifting | None = None

    @property
    def _learner(self) -> Learner:
        found = self._learned.running.learner
        assert found is not None
        return found

    @property
    def bandits(self) -> Bandits:
        """What its bandits know."""
        if not self._learned.is_laid:
            return {}
        return bandits_of({self.name: self._learner.decided}, self._plan.symbols)

    def lay(self, market: Market, wakes: NDArray[np.uint8]) -> None:
        """Lay rows before it."""
        self._learned.lay(market, wakes)
        self._static.lay(market, wakes)

    def forget(self) -> None:
        """Let go of the rows that nobody reads any more."""
        self._learned.forget()
        self._static.forget()

    def wait(self, end: int) -> None:
        """Stay flat up to a bar."""
        self._learned.wait(end)
        self._static.wait(end)

    def run(self, bar: int, time: int, entries: Sequence[Asked]) -> list[Told]:
        """Play a row; close the pairs that are flat, then decide at the entries of its close."""
        told: list[Told] = []
        for pair in self._open:
            if pair.learned.closed < 0:
                self._learned.play(pair.learned, bar)
                told += self._told(pair)
            if pair.static.closed < 0:
                self._static.play(pair.static, bar)
        told += self._close(time)
        for one in entries:
            if one.strategy == self.name:
                told += self._decide(bar, one)
        told += self._close(time)
        self.wait(bar + 1)
        return told

    def _decide(self, bar: int, one: Asked) -> list[Told]:
        learned = self._learned.begin(bar, one.column, one.side)
        lines, values = self._learned.decided
        if not len(lines):
            return []  # a window that is not known, or a policy that is not ready: no decision
        static = self._static.begin(bar, one.column, one.side)
        arm, prior = int(lines["arm"][0]), float(lines["prior"][0])
        context = values[0, len(self._learner.arms) :]
        pair = Pair(self._count, one.side, arm, prior, context, learned, static)
        self._count += 1
        self._open.append(pair)
        return self._told(pair)

    def _told(self, pair: Pair) -> list[Told]:
        """What its campaign has decided in the row that was played last."""
        each = zip(*self._learned.decided, strict=True)
        told = [("decision", self._line(pair, line, values)) for line, values in each]
        if self._drifting is None:
            self._drifting = Drifting(self.name, self._learner.lessons)
        drift = self._drifting.take(*self._learned.decided)
        return told if drift is None else [*told, ("drift", drift)]

    def _line(self, pair: Pair, line: Any, values: NDArray[np.float64]) -> dict[str, Any]:
        arms, policies = self._learner.arms, self._learner.lessons.policies
        model = int(line["model"])
        return {
            "strategy": self.name,
            "symbol": self._plan.symbols[pair.learned.column],
            "number": pair.number,
            "row": int(line["bar"]),
            "time": int(line["time"]),
            "side": pair.side,
            "policy": policies[model].hash if policies else self._learner.lessons.source,
            "arm": int(line["arm"]),
            "multiple": float(arms[line["arm"]]),
            "propensity": float(line["propensity"]),
            "greedy": int(line["greedy"]),
            "prior": in_json(float(line["prior"])),
            "scores": [in_json(float(x)) for x in values[: len(arms)]],
            "x": [in_json(float(x)) for x in values[len(arms) :]],
        }

    def _close(self, time: int) -> list[Told]:
        """Count the pairs that are flat; a bandit learns from its own arm's score."""
        over = [x for x in self._open if x.closed >= 0]
        self._open = [x for x in self._open if x.closed < 0]
        return [self._counted(pair, time) for pair in over]

    def _counted(self, pair: Pair, time: int) -> Told:
        learned, static = pair.learned.score, pair.static.score
        return "pair", {
            "strategy": self.name,
            "symbol": self._plan.symbols[pair.learned.column],
            "number": pair.number,
            "learned": in_json(learned),
            "static": in_json(static),
            "d": in_json(learned - static),
            "learned_row": pair.learned.closed,
            "static_row": pair.static.closed,
            "time": time,
            "taught": self._teach(pair, learned, time),
        }

    def _teach(self, pair: Pair, score: float, time: int) -> bool:
        own, j = self._learner, pair.learned.column
        if not own.has_bandit:
            return False
        bandit, factors = own.bandit[j], own.factors[j]
        if not learn(bandit, factors, pair.arm, pair.context, pair.prior, score):
            return False
        m = own.memory[j : j + 1]
        m["learned"] += 1
        m["learned_time"], m["last_campaign"] = time, pair.number
        return True
