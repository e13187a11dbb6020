"""A backtest: strategies, a market and an account in, a result out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.data.calendars import next_open, zone_of
from intrabar.data.heard import Heard
from intrabar.data.prediction_place import Placement
from intrabar.engine.connecting import (
    Running,
    arrays_of,
    connected,
    given_columns,
    lay_tables,
    learning,
    share_arms,
)
from intrabar.engine.judged import Limited, RiskLog
from intrabar.engine.kept import Saves, ended, require_findable
from intrabar.engine.prepared import Prepared
from intrabar.engine.steps import refuse_all, walk_row
from intrabar.engine.tables.lessons import lessons_in, require_unseen
from intrabar.engine.tables.predicted import placements, read_by
from intrabar.engine.time_frames import TimeFrames
from intrabar.engine.waking import allowed, clock_fields, gates_of, wake_bits
from intrabar.errors import ConfigError, RunError
from intrabar.exits.bandit_state import BanditState
from intrabar.forks import require_threads
from intrabar.indicators.given import Request
from intrabar.model.bars import DatedTimeline, Floats, Market
from intrabar.model.enums import PathPolicy, RunStatus
from intrabar.model.instrument import Instrument
from intrabar.model.remark import Remark
from intrabar.model.session import Clock
from intrabar.risk.limits import Limits
from intrabar.sim.account import Account
from intrabar.sim.loop import PAUSED
from intrabar.sim.machine import Machine
from intrabar.strategy.contract import require_hooks
from intrabar.strategy.gates import IsOpen, timetable
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import RunningStrategy, Strategy
from intrabar.strategy.weights import Weights

Progress = Callable[[int, int], None]
"""Called now and then with the bars done and the bars there are."""

NewMachine = Callable[[Market, Sequence[Instrument], Account, NDArray[np.uint8]], Machine]
"""Makes a machine for a market, instruments, an account, and when its strategies wake."""


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
    columns : mapping of strategy to mapping of name to (t, n) float64
        Columns that the rules of a bot read beside its indicators.
    remarks : tuple of Remark
        What was guessed, left out or contradicted while bars and instruments came in.
    given : Saves or None
        Knows what it was made from, and stores a run of it; None where it was made by hand.
    trade_from : int, ns UTC, or None
        Rows that close before it wake nobody: they warm up. A class with `hears_warm_up` is called
        on them all the same.
    wakes : (t,) uint8 or None
        Of each row, the bits of `WAKE_*` that count; None: all. Some rows of a session wake nobody.
    risk : Limits or None
        What its orders obey, by the same check and at the same steps as those of a session.
    predicted : mapping of Request to Placement
        On which bars the predictions were made that its strategies read. It is told once, by the
        prices, and stays where bars are put in the place of later ones.
    states : mapping of strategy to mapping of symbol to BanditState, or None
        What bandits have learned before; None: what the `state` of their exits names is read.
    """

    market: Market
    instruments: tuple[Instrument, ...]
    strategies: Mapping[str, AnyStrategy]
    account: Account = field(default_factory=Account)
    is_open: IsOpen | None = None
    columns: Mapping[str, Mapping[str, Floats]] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()
    given: Saves | None = None
    trade_from: int | None = None
    wakes: NDArray[np.uint8] | None = None
    risk: Limits | None = None
    predicted: Mapping[Request, Placement | Heard] = field(default_factory=dict)
    states: Mapping[str, Mapping[str, BanditState]] | None = None

    def __post_init__(self) -> None:
        require_start(self.strategies, self.account)
        strategies, told = with_rows(self.strategies, self.market, self.instruments)
        object.__setattr__(self, "strategies", strategies)
        found, more = placements(strategies, self.market, self.instruments, self.predicted)
        object.__setattr__(self, "predicted", found)
        told += more
        told += require_unseen(
            strategies,
            self.market.symbols,
            self.market.time,
            self.trade_from,
            self.market.period,
            self.states,
        )
        told = [*told, *(r for r in ticks_of_nothing(self.instruments) if r not in self.remarks)]
        object.__setattr__(self, "remarks", (*self.remarks, *told))

    def under(self, policy: PathPolicy) -> Setup:
        """The same run with another path inside the bars."""
        return replace(self, account=replace(self.account, path_policy=policy))


def require_start(strategies: Mapping[str, AnyStrategy], account: Account) -> None:
    """Refuse a run that cannot begin.

    Raises
    ------
    ConfigError
    """
    if not strategies:
        raise ConfigError("there is no strategy to run; enable at least one")
    if not account.cash > 0.0:
        raise ConfigError(f"the account's cash is {account.cash}, must be above 0")
    require_runnable(strategies)


def ticks_of_nothing(instruments: tuple[Instrument, ...]) -> list[Remark]:
    """What is said in ticks of instruments that have none."""
    return [
        Remark(
            f"{x.symbol}: {name} is {getattr(x, name):g}, and without a grid (tick_size 0) that is "
            f"nothing; write {other}"
        )
        for x in instruments
        if x.tick_size == 0.0
        for name, other in (
            ("slippage_ticks", "slippage_pct, a fraction of the price"),
            ("limit_through_ticks", "the tick_size"),
        )
        if getattr(x, name) > 0.0
    ]


@dataclass(eq=False)
class Run:
    """A run that is set up and can be advanced, bar by bar or to the end.

    Parameters
    ----------
    setup : Setup
    prepared : Prepared, optional
        The setup's market with what other runs have worked out of it.
    new_machine : callable
        Gives the machine; a `Machine` by default.
    keeps_log : bool
        Of what learned exits decide.
    """

    setup: Setup
    prepared: Prepared | None = None
    new_machine: NewMachine = Machine
    keeps_log: bool = True
    machine: Machine = field(init=False)
    running: dict[str, Running] = field(init=False)
    frames: TimeFrames = field(init=False)
    clock: Clock = field(init=False)
    risk: RiskLog | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        require_threads()
        setup = self.setup
        calendars = tuple(x.calendar for x in setup.instruments)
        prepared = self.prepared or Prepared(setup.market, calendars)
        if prepared.market is not setup.market:
            raise RunError("what was prepared is of another market than that of the run")
        adjusted, self.frames = prepared.adjusted, prepared.frames
        self.clock = prepared.clock
        named = {
            name: read_by(name, one, setup.predicted) for name, one in setup.strategies.items()
        }
        shape = setup.market.close.shape
        columns = {
            name: {**own, **given_columns(name, setup.columns.get(name, {}), shape)}
            for name, own in prepared.columns(named).items()
        }
        for name, fields in clock_fields(setup.strategies, columns).items():
            columns[name] |= prepared.clock_columns(fields)
        tables = {
            name: timetable(gates, setup.market, calendars, setup.is_open, next_open=next_open)
            for name, gates in gates_of(setup.strategies).items()
        }
        arrays = arrays_of(setup.strategies, setup.market)
        wake = wake_bits(setup.strategies, columns, tables, len(setup.market), arrays)
        wake &= allowed(setup.strategies, setup.market.time, setup.trade_from, setup.wakes)
        self.machine = self.new_machine(setup.market, setup.instruments, setup.account, wake)
        symbols, period = setup.market.symbols, setup.market.period
        lessons = lessons_in(setup.strategies, symbols, period, setup.states)
        self.running = {}
        for k, (name, strategy) in enumerate(setup.strategies.items()):
            own = lessons.get(name)
            if own is not None:
                self.running[name] = learning(
                    strategy, self.machine, k, columns[name], tables[name], own, self.keeps_log
                )
                features = own.features
                read = None if features is None else prepared.feature_tables(features)
                lay_tables(self.running[name], read, setup.market.time, 0)
                if read is not None:
                    share_arms(self.running[name], read, prepared.chosen)
            elif name in arrays:
                arrays[name].connect(self.machine, k, tables.get(name))
                self.running[name] = arrays[name]
            else:
                self.running[name] = connected(
                    strategy,
                    self.machine,
                    k,
                    columns[name],
                    tables.get(name),
                    self.frames.history(named[name]),
                    self.clock,
                )
                if isinstance(running := self.running[name], RunningStrategy):
                    running.scale(adjusted.scales(named[name]))

    def __getstate__(self) -> dict[str, Any]:
        """What is kept of a run that is over: its records; it cannot go on elsewhere."""
        require_findable(self.setup.strategies)
        machine = (self.machine.wake, self.machine.snapshot())
        running = {name: ended(one) for name, one in self.running.items()}
        return {
            "setup": self.setup,
            "prepared": None,
            "machine": machine,
            "running": running,
            "risk": self.risk,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        setup, (wake, snapshot) = self.setup, state["machine"]
        self.machine = Machine(setup.market, setup.instruments, setup.account, wake)
        self.machine.restore(snapshot)

    def to_end(self, progress: Progress | None = None) -> None:
        """Run on to the last bar, or to ruin."""
        try:
            self._to_end(progress)
        except BaseException:
            self.machine.disconnect()
            raise
        finish_strategies(self.machine, self.running)

    def _to_end(self, progress: Progress | None) -> None:
        if self.machine.bar == 0:
            tell(self.running, "on_start")
            if self.setup.trade_from is not None:
                first = int(np.searchsorted(self.setup.market.time, self.setup.trade_from))
                warm_up(self.machine, self.setup.strategies.values(), first)
        total = len(self.setup.market)
        if self.setup.risk is not None:
            self._limited(self.setup.risk, total, progress)
        elif progress is None:
            self.machine.advance()
        else:
            step = max(1, total // 100)
            while self.machine.advance(min(self.machine.bar + step, total)) == PAUSED:
                progress(self.machine.bar, total)
            progress(total, total)

    def _limited(self, limits: Limits, total: int, progress: Progress | None) -> None:
        """Run on under limits."""
        limited = Limited(self.machine, limits, tuple(self.setup.strategies))
        self.risk = limited.log
        step = max(1, total // 100)
        for end in (*range(self.machine.bar + step, total, step), total):
            limited.advance(end)
            if progress is not None:
                progress(end, total)


def warm_up(machine: Machine, strategies: Iterable[AnyStrategy], end: int) -> None:
    """Walk through the rows before trading begins, where somebody hears them."""
    hears = any(getattr(s, "hears_warm_up", False) for s in strategies)
    while hears and machine.bar < end and machine.status is not RunStatus.RUINED:
        walk_row(machine, lambda _: refuse_all(machine))


def tell(running: Mapping[str, Running], hook: str) -> None:
    """Call `on_start` or `on_stop` of the Python strategies."""
    for one in running.values():
        if isinstance(one, RunningStrategy):
            one.tell(hook)


def finish_strategies(machine: Machine, running: Mapping[str, Running]) -> None:
    """Tell Python strategies that a run is over, and let the machine go of all."""
    with ExitStack() as stack:  # whatever one of them raises
        stack.callback(machine.disconnect)
        for one in reversed(list(running.values())):
            if isinstance(one, RunningStrategy):
                stack.callback(one.finish)


def require_runnable(strategies: Mapping[str, AnyStrategy]) -> None:
    """Refuse strategies that could not do what they are meant to; raises as `require_hooks`."""
    for strategy in strategies.values():
        if isinstance(strategy, Strategy):
            require_hooks(strategy, Strategy)


def with_rows(
    strategies: Mapping[str, AnyStrategy],
    timeline: DatedTimeline,
    instruments: Sequence[Instrument],
) -> tuple[Mapping[str, AnyStrategy], list[Remark]]:
    """Signals and weights with dates as ones with a row per bar, and what was left out of them.

    Raises
    ------
    ConfigError
        A stamp fits no bar.
    """
    made: dict[str, AnyStrategy] = {}
    remarks: list[Remark] = []
    for name, strategy in strategies.items():
        made[name] = strategy
        if isinstance(strategy, Signals | Weights):
            made[name], told = strategy.on(timeline, lambda j: zone_of(instruments[j].calendar))
            remarks += [Remark(text) for text in told]
    return made, remarks
