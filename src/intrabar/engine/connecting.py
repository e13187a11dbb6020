"""Strategies of every kind connected to a machine, as a run at one go and one in pieces do it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.tables.feature_table import FeatureTables
from intrabar.errors import ConfigError
from intrabar.model.bars import Floats, Timeline, Times
from intrabar.model.session import Clock
from intrabar.sim.machine import Machine
from intrabar.strategy.bot import Bot
from intrabar.strategy.copied import FOR_A_RUN, copied
from intrabar.strategy.desk import HigherSeries
from intrabar.strategy.gates import Timetable
from intrabar.strategy.lessons import Lessons
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.running_bot import RunningBot
from intrabar.strategy.signals import RunningSignals, Signals
from intrabar.strategy.strategy import RunningStrategy
from intrabar.strategy.weights import RunningWeights, Weights

Chosen = Callable[[FeatureTables, Hashable], tuple[NDArray[np.int32], ...]]
"""Where runs over the same tables note the arms of the same policies (`Prepared.chosen`)."""

Running = RunningBot | RunningStrategy | RunningSignals | RunningWeights


def given_columns(
    name: str, columns: Mapping[str, Any], shape: tuple[int, ...]
) -> dict[str, Floats]:
    """Columns that a setup gives to a strategy, as kernels read them.

    Raises
    ------
    ConfigError
        One has not a row per bar and a column per instrument, or holds no numbers.
    """
    own: dict[str, Floats] = {}
    for key, values in columns.items():
        try:
            own[key] = np.ascontiguousarray(values, np.float64)
        except (TypeError, ValueError) as e:
            raise ConfigError(f"column {key!r} of {name}: must be numbers: {e}") from None
        if own[key].shape != shape:
            raise ConfigError(f"column {key!r} of {name} is {own[key].shape}, must be {shape}")
    return own


def arrays_of(
    strategies: Mapping[str, AnyStrategy], timeline: Timeline
) -> dict[str, RunningSignals | RunningWeights]:
    """The signals and weights among some strategies, over all rows of a timeline.

    Raises
    ------
    ConfigError
        They do not fit the timeline.
    """
    found: dict[str, RunningSignals | RunningWeights] = {}
    for name, strategy in strategies.items():
        if isinstance(strategy, Signals):
            found[name] = RunningSignals(strategy, timeline)
        elif isinstance(strategy, Weights):
            found[name] = RunningWeights(strategy, timeline)
    return found


def learning(
    strategy: AnyStrategy,
    machine: Machine,
    row: int,
    columns: dict[str, Floats],
    table: Timetable,
    lessons: Lessons,
    keeps_log: bool,
) -> RunningBot:
    """A bot with a learned exit connected to a machine, as its row there."""
    assert isinstance(strategy, Bot)
    return RunningBot(strategy, machine, row, columns, table, lessons, keeps_log)


def lay_tables(running: Running, tables: FeatureTables | None, time: Times, first_bar: int) -> None:
    """Let a learned exit read these feature tables from a bar on."""
    assert isinstance(running, RunningBot)
    assert running.learner is not None
    running.learner.lay(tables, time, first_bar)


def share_arms(running: Running, tables: FeatureTables, chosen: Chosen) -> None:
    """Let a learned exit take the arms that the same policies have chosen in other runs."""
    assert isinstance(running, RunningBot)
    assert running.learner is not None
    learner, own = running.learner, running.learner.lessons
    if learner.decides_alike:
        by = (tables.features.hash, own.policies, own.ready)
        learner.share(chosen(tables, by))


def connected(
    strategy: AnyStrategy,
    machine: Machine,
    row: int,
    columns: dict[str, Floats],
    table: Timetable | None,
    higher: HigherSeries,
    clock: Clock,
) -> RunningBot | RunningStrategy:
    """A bot or a Python strategy connected to a machine, as its row there."""
    if isinstance(strategy, Bot):
        assert table is not None
        return RunningBot(strategy, machine, row, columns, table)
    assert not isinstance(strategy, Signals | Weights)
    # On a copy: what a strategy remembers must not reach the next run of the setup.
    own = copied(strategy, {}, FOR_A_RUN)
    return RunningStrategy(own, machine, row, columns, higher, clock, table)
