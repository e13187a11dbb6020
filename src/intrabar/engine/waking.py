"""When each strategy of a run wants to be called, and whether it may be."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from intrabar.model.bars import Floats, Times
from intrabar.model.session import CLOCK_FIELDS
from intrabar.model.values import taken
from intrabar.sim.state import WAKE_FLAT, WAKE_HELD, WAKE_OPEN
from intrabar.strategy.bot import Bot
from intrabar.strategy.gates import Gates, Timetable
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.rules import fields_read
from intrabar.strategy.running_bot import rules_of, wake_of
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import wake_of_strategy
from intrabar.strategy.weights import Weights

ALL_BITS = WAKE_OPEN | WAKE_FLAT | WAKE_HELD


class HasWake(Protocol):
    """Signals or weights, as far as they say when they act."""

    @property
    def wake(self) -> NDArray[np.uint8]: ...  # noqa: D102


Arrays = Mapping[str, HasWake]


def gates_of(strategies: Mapping[str, AnyStrategy]) -> dict[str, Gates]:
    """The gates of each bot, and of each other strategy that has any.

    Raises
    ------
    ConfigError
        A strategy that is no bot has those of a bot, or something else under that name.
    """
    found: dict[str, Gates] = {}
    for name, strategy in strategies.items():
        if isinstance(strategy, Bot):
            found[name] = strategy.gates
        elif taken(f"{name}: gates", strategy.gates, Gates) != Gates():
            strategy.gates.require_calendar_alone(name)
            found[name] = strategy.gates
    return found


def clock_fields(
    strategies: Mapping[str, AnyStrategy], columns: Mapping[str, Container[str]]
) -> dict[str, tuple[str, ...]]:
    """What the rules of each bot read of the clock, but for names that it has columns for."""
    return {
        name: tuple(
            field
            for field in fields_read(CLOCK_FIELDS, *rules_of(strategy))
            if field not in columns[name]
        )
        for name, strategy in strategies.items()
        if isinstance(strategy, Bot)
    }


def wake_bits(
    strategies: Mapping[str, AnyStrategy],
    columns: Mapping[str, dict[str, Floats]],
    tables: Mapping[str, Timetable],
    rows: int,
    arrays: Arrays,
    warming: Mapping[str, dict[str, Floats]] | None = None,
) -> NDArray[np.uint8]:
    """When each strategy wants to be called.

    Parameters
    ----------
    strategies, columns, tables : by name
        The strategies, their indicators, and the timetables of bots.
    rows : int
        Of the market.
    arrays : by name
        Signals and weights.
    warming : by name
        The indicators that a Python strategy waits for; None: all of its own.

    Returns
    -------
    (t, strategies) uint8
    """
    wake = np.zeros((rows, len(strategies)), np.uint8)
    for k, (name, strategy) in enumerate(strategies.items()):
        if name in arrays:
            wake[:, k] = arrays[name].wake
            if name in tables:
                wake[tables[name].flatten.any(axis=1), k] |= WAKE_OPEN
        elif isinstance(strategy, Bot):
            wake[:, k] = wake_of(strategy, columns[name], tables[name], rows)
        else:
            assert not isinstance(strategy, Signals | Weights)
            wake[:, k] = wake_of_strategy(
                strategy, (warming or columns)[name], rows, name in tables
            )
    return wake


def allowed(
    strategies: Mapping[str, AnyStrategy],
    time: Times,
    trade_from: int | None,
    wakes: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """The bits of `WAKE_*` that count, by row and strategy: (t, strategies), or (1, 1) for all.

    Parameters
    ----------
    strategies, trade_from, wakes
        As `Setup`.
    time : (t,) int64, ns UTC
    """
    if trade_from is None and wakes is None:
        return np.full((1, 1), ALL_BITS, np.uint8)
    bits = np.full((len(time), len(strategies)), ALL_BITS, np.uint8)
    if wakes is not None:
        bits &= wakes[:, None]
    if trade_from is not None and time[0] < trade_from:
        hears = [getattr(s, "hears_warm_up", False) for s in strategies.values()]
        bits[np.ix_(time < trade_from, ~np.array(hears, bool))] = 0
    return bits
