"""A backtest: strategies, a market and an account in, a result out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.adjusted import Adjusted
from intrabar.engine.time_frames import TimeFrames
from intrabar.errors import ConfigError
from intrabar.indicators import Columns, Indicator, require_length
from intrabar.model.bars import Market
from intrabar.model.enums import PathPolicy
from intrabar.model.instrument import Instrument
from intrabar.sim.loop import PAUSED
from intrabar.sim.machine import Account, Machine
from intrabar.strategy.bot import Bot, RunningBot, wake_of
from intrabar.strategy.gates import IsOpen, timetable
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.signals import RunningSignals, Signals
from intrabar.strategy.strategy import RunningStrategy, wake_of_strategy
from intrabar.strategy.weights import RunningWeights, Weights

Progress = Callable[[int, int], None]
"""Called now and then with the bars done and the bars there are."""

Running = RunningBot | RunningStrategy | RunningSignals | RunningWeights


@dataclass(frozen=True, eq=False)
class Setup:
    """Everything that decides a run.

    Parameters
    ----------
    market : Market
    instruments : tuple of Instrument
        In the order of the market's columns.
    strategies : mapping of name to strategy
        In the order in which they act.
    account : Account
    is_open : callable or None
        Whether instants lie in a session of a calendar; needed by the session gate.
    """

    market: Market
    instruments: tuple[Instrument, ...]
    strategies: Mapping[str, AnyStrategy]
    account: Account = field(default_factory=Account)
    is_open: IsOpen | None = None

    def __post_init__(self) -> None:
        if not self.strategies:
            raise ConfigError("there is no strategy to run; enable at least one")
        if not self.account.cash > 0.0:
            raise ConfigError(f"the account's cash is {self.account.cash}, must be above 0")

    def under(self, policy: PathPolicy) -> Setup:
        """The same run with another path inside the bars."""
        return replace(self, account=replace(self.account, path_policy=policy))


@dataclass(eq=False)
class Run:
    """A run that is set up and can be advanced, bar by bar or to the end.

    Parameters
    ----------
    setup : Setup
    """

    setup: Setup
    machine: Machine = field(init=False)
    running: dict[str, Running] = field(init=False)
    frames: TimeFrames = field(init=False)

    def __post_init__(self) -> None:
        setup = self.setup
        calendars = tuple(x.calendar for x in setup.instruments)
        adjusted = Adjusted(setup.market)
        self.frames = TimeFrames(adjusted.market, calendars)
        named = {name: strategy.indicators() for name, strategy in setup.strategies.items()}
        columns = {
            name: adjusted.shown(
                compute_columns(indicators, adjusted.market, self.frames), indicators
            )
            for name, indicators in named.items()
        }
        tables = {
            name: timetable(strategy.gates, setup.market, calendars, setup.is_open)
            for name, strategy in setup.strategies.items()
            if isinstance(strategy, Bot)
        }
        arrays: dict[str, RunningSignals | RunningWeights] = {}
        for name, strategy in setup.strategies.items():
            if isinstance(strategy, Signals):
                arrays[name] = RunningSignals(strategy, setup.market)
            elif isinstance(strategy, Weights):
                arrays[name] = RunningWeights(strategy, setup.market)
        rows = len(setup.market)
        wake = np.zeros((rows, len(setup.strategies)), np.uint8)
        for k, (name, strategy) in enumerate(setup.strategies.items()):
            if isinstance(strategy, Bot):
                wake[:, k] = wake_of(strategy, columns[name], tables[name], rows)
            elif isinstance(strategy, Signals | Weights):
                wake[:, k] = arrays[name].wake
            else:
                wake[:, k] = wake_of_strategy(strategy, columns[name], rows)
        self.machine = Machine(setup.market, setup.instruments, setup.account, wake)
        self.running = {}
        for k, (name, strategy) in enumerate(setup.strategies.items()):
            if isinstance(strategy, Bot):
                running: Running = RunningBot(
                    strategy, self.machine, k, columns[name], tables[name]
                )
            elif isinstance(strategy, Signals | Weights):
                running = arrays[name]
                running.connect(self.machine, k)
            else:
                # On a copy: what a strategy remembers must not reach the next run of the setup.
                history = self.frames.history(named[name])
                running = RunningStrategy(
                    deepcopy(strategy), self.machine, k, columns[name], history
                )
                running.scale(adjusted.scales(named[name]))
            self.running[name] = running

    def to_end(self, progress: Progress | None = None) -> None:
        """Run on to the last bar, or to ruin."""
        if self.machine.bar == 0:
            self.tell("on_start")
        total = len(self.setup.market)
        if progress is None:
            self.machine.advance()
        else:
            step = max(1, total // 100)
            while self.machine.advance(min(self.machine.bar + step, total)) == PAUSED:
                progress(self.machine.bar, total)
            progress(total, total)
        self.tell("on_stop")

    def tell(self, hook: str) -> None:
        """Call `on_start` or `on_stop` of the Python strategies."""
        for running in self.running.values():
            if isinstance(running, RunningStrategy):
                getattr(running.strategy, hook)()


def compute_columns(
    indicators: Mapping[str, Indicator], market: Market, frames: TimeFrames | None = None
) -> dict[str, NDArray[np.float64]]:
    """Indicators over every instrument of a market, each on its real bars.

    Parameters
    ----------
    indicators : mapping of name to Indicator
    market : Market
    frames : TimeFrames, optional
        The market's higher time frames; None: counted without a calendar.

    Returns
    -------
    dict of name to (t, n) float64
        NaN while warming up; carried over bars that the instrument does not have.

    Raises
    ------
    ConfigError
        An indicator needs more bars than the longest instrument has.
    """
    if not indicators:
        return {}
    t, n = market.open.shape
    columns = {name: np.full((t, n), np.nan) for name in indicators}
    real = [np.flatnonzero(~np.isnan(market.open[:, j])) for j in range(n)]
    longest = max(range(n), key=lambda j: len(real[j]))
    frames = frames or TimeFrames(market, [""] * n)
    for indicator in indicators.values():
        frames.require_length(indicator, longest)
        require_length(indicator, len(real[longest]), market.symbols[longest])
    for j in range(n):
        rows = real[j]
        whole = len(rows) == t
        part: Any = slice(None) if whole else rows
        bars = Columns(
            market.symbols[j],
            market.time[part],
            *(
                np.ascontiguousarray(getattr(market, name)[part, j])
                for name in ("open", "high", "low", "close", "volume")
            ),
        )
        last = None if whole else np.searchsorted(rows, np.arange(t), "right") - 1
        for name, indicator in indicators.items():
            values = frames.values(indicator, j, bars)
            if last is None:
                columns[name][:, j] = values
            elif len(rows):
                columns[name][:, j] = np.where(last >= 0, values[np.maximum(last, 0)], np.nan)
    return columns
