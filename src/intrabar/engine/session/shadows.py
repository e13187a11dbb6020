"""The learned exits of a session that are in shadow, and what trades in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.outcome.bandits import Bandits
from intrabar.engine.session.bandits import States
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.shadow import Asked, Shadow, Told
from intrabar.engine.session.turn import Notice
from intrabar.engine.tables.policies import policies_of
from intrabar.errors import ConfigError, StrategyError
from intrabar.exits.learned import SHADOW, LinUCB, is_filed
from intrabar.exits.static import static_exit
from intrabar.model.bars import Market
from intrabar.model.entry import Entry, whole
from intrabar.strategy.bot import Bot
from intrabar.strategy.parts import learns
from intrabar.strategy.registry import AnyStrategy


def in_shadow(
    strategies: Mapping[str, AnyStrategy],
) -> tuple[dict[str, AnyStrategy], dict[str, Bot]]:
    """What trades in a session, and the bots whose learned exit is in shadow.

    Raises
    ------
    ConfigError
        There is no static arm; or the bot rests at prices, and its campaigns cannot be simulated.
    """
    traded, shadowed = dict(strategies), dict[str, Bot]()
    for name, one in strategies.items():
        if not isinstance(one, Bot) or not learns(one.exit):
            continue
        exit_: Any = one.exit
        if exit_.session != SHADOW:
            continue
        for rule in ("stop_entry", "limit_entry"):
            if hasattr(one.entry, rule):
                raise ConfigError(
                    f"{name}: {one.name} has a {rule}, and a shadow simulates market entries "
                    "alone: write session: act in its exit"
                )
        arm = static_of(name, exit_)
        shadowed[name] = one
        traded[name] = replace(one, exit=static_exit(exit_.rule, arm, exit_.max_bars))
    return traded, shadowed


def acting(strategies: Mapping[str, AnyStrategy]) -> list[str]:
    """The strategies whose exit learns and trades what it decides."""
    exits: dict[str, Any] = {n: s.exit for n, s in strategies.items() if isinstance(s, Bot)}
    return [name for name, one in exits.items() if learns(one) and one.session != SHADOW]


def static_of(name: str, exit_: Any) -> float:
    """The arm that trades where a learned exit is in shadow."""
    if isinstance(exit_, LinUCB) or is_filed(exit_):
        if exit_.static:
            return float(exit_.static)
        raise ConfigError(
            f"{name}: in a session its exit is in shadow, and the arm that trades meanwhile is "
            "missing: write static: one of its arms, or session: act"
        )
    first = policies_of(exit_)[0]
    return float(first.arms[first.static_arm])


def entries_of(records: Sequence[Entry], plan: Plan) -> list[Asked]:
    """The entries of bots in shadow among records, without those that were refused."""
    asked: dict[tuple[int, int, int], Asked] = {}
    for entry in records:
        if entry.kind == "refused" and entry.body["rule"] != "person":
            asked.pop((entry.bar, entry.step, int(entry.body["command"])), None)
        elif entry.kind == "command" and entry.body["strategy"] in plan.shadowed:
            body = whole("command", entry.body)
            plain = body["by"] == "strategy" and body["role"] == "plain"
            if plain and body["kind"] == "submit" and not body["reduce_only"]:
                column = plan.symbols.index(body["symbol"])
                asked[entry.bar, entry.step, body["index"]] = Asked(
                    body["strategy"], column, body["side"]
                )
    return list(asked.values())


class Shadows:
    """All learned exits in shadow, one after the other.

    Parameters
    ----------
    plan : Plan
    trade_from : int, ns UTC
    states : States
        What their bandits have learned before.
    """

    def __init__(self, plan: Plan, trade_from: int, states: States) -> None:
        self._plan = plan
        self._each = [Shadow(plan, name, trade_from, states) for name in plan.shadowed]

    @property
    def bandits(self) -> Bandits:
        """What their bandits know."""
        return {key: state for one in self._each for key, state in one.bandits.items()}

    def lay(self, market: Market, wakes: NDArray[np.uint8]) -> None:
        """Lay rows before them."""
        for one in self._each:
            one.lay(market, wakes)

    def wait(self, end: int) -> None:
        """Stay flat up to a bar."""
        for one in self._each:
            one.wait(end)

    def forget(self) -> None:
        """Let go of the rows that nobody reads any more."""
        for one in self._each:
            one.forget()

    def run(self, bar: int, time: int, records: Sequence[Entry]) -> tuple[list[Told], list[Notice]]:
        """Play a row of which these are the records; what there is to record, and whom to page."""
        told, notices = list[Told](), list[Notice]()
        entries = entries_of(records, self._plan) if self._each else []
        for one in tuple(self._each):
            try:
                told += one.run(bar, time, entries)
            except StrategyError as error:  # a rule in Python: what trades raises by itself
                self._each.remove(one)
                told.append(("shadow", {"strategy": one.name, "text": str(error)}))
                notices.append(Notice("page", f"shadow {one.name}", str(error)))
        return told, notices
