"""The look-ahead audit: change every bar after a place, and nothing before it may change.

A strategy can only see the future through something that was worked out before the run. So the
run is set up anew for each other future (indicators, signals, and the strategy itself where a
function makes it from the market), goes to the place, and is held against the run as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.outcome.foresight import foresight
from intrabar.engine.outcome.held_arrays import held_arrays
from intrabar.engine.run import Progress, Run, Setup
from intrabar.errors import ConfigError, DataError, StrategyError
from intrabar.model.bars import Market
from intrabar.research.look_ahead.compare import leaks_between, locate
from intrabar.research.look_ahead.futures import (
    COLUMNS,
    KINDS,
    first_difference,
    other_future,
)
from intrabar.research.look_ahead.report import AuditReport, Leak, Trial, Tried
from intrabar.research.look_ahead.warm_up import first_warm_row, later_starts, recursions
from intrabar.research.look_ahead.watch import Watched, watch
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.strategy import RunningStrategy

Make = Callable[[Market], Mapping[str, AnyStrategy]]
"""Strategies by label, made for a market."""


def audit(
    setup: Setup,
    make: Make | None = None,
    *,
    cuts: int = 20,
    seed: int = 0,
    progress: Progress | None = None,
) -> AuditReport:
    """Look for decisions that know the future, and for values that depend on where data begin.

    Parameters
    ----------
    setup : Setup
    make : callable or None
        Makes the strategies anew for a market. None: those of the setup, on copies.
    cuts : int, >= 1
        Bars after which the future is replaced: half of them where the run decides something,
        half spread over it.
    seed : int
        Of the bars chosen and of the values put in.
    progress : callable or None
        Called with the trials done and the trials there are.

    Raises
    ------
    ConfigError, DataError
        There is nothing to try.
    StrategyError
        The strategy fails as it is, or two runs over the same bars differ.
    """
    if cuts < 1:
        raise ConfigError(f"cuts is {cuts}, must be 1 or more")
    if seed < 0:
        raise ConfigError(f"seed is {seed}, must be 0 or more")
    # A position closed at the end of the data is no decision, and some trials end the data.
    kept = replace(setup, account=replace(setup.account, close_at_end=False, close_delisted=False))
    return _Audit(kept, make or (lambda _: setup.strategies), cuts, seed).carry_out(progress)


@dataclass
class _Audit:
    """One audit under way."""

    setup: Setup
    make: Make
    cuts: int
    seed: int
    base: Watched = field(init=False)
    rows: list[int] = field(init=False)
    report: AuditReport = field(init=False)
    arrays: dict[str, dict[str, NDArray[Any]]] = field(init=False)
    is_rebuilt: bool = field(init=False)
    located: dict[tuple[str, ...], str] = field(default_factory=dict)
    following: set[tuple[str, str]] = field(default_factory=set)
    knowing: dict[tuple[str, str], int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = len(self.setup.market)
        asked = _orders_asked(self.setup)
        self.rows = _places(self.setup, asked, self.cuts, self.seed)
        self.report = AuditReport(rows, len(self.rows), orders=len(asked["rows"]))
        self.base = _run_twice(self.setup, self.rows)
        self.arrays = {
            name: held_arrays(strategy, rows) for name, strategy in self.setup.strategies.items()
        }
        self.is_rebuilt = self._gets_shorter()

    def carry_out(self, progress: Progress | None) -> AuditReport:
        """All trials, then the warm-up."""
        report = self.report
        trials = list(self._trials())
        tally: dict[tuple[str, str], list[int]] = {}
        for number, trial in enumerate(trials):
            if progress is not None:
                progress(number, len(trials))
            other = self._run(trial, number)
            if other is None:
                continue
            self._compare_arrays(other.run.setup, trial)
            found = leaks_between(self.base, other, trial)
            for leak in found:
                self._add(leak, other.run.setup, trial)
            counts = tally.setdefault((trial.kind, trial.column), [0, 0])
            counts[0] += 1
            counts[1] += bool(found)
        report.trials = sum(tried for tried, _ in tally.values())
        report.tried = [Tried(*key, *counts) for key, counts in tally.items()]
        self._tell_arrays()
        report.recursions = recursions(self.setup)
        if self.is_rebuilt:
            report.later_starts = later_starts(
                self.setup, self.make, report.recursions, report.unchecked
            )
        if progress is not None:
            progress(len(trials), len(trials))
        return report

    def _gets_shorter(self) -> bool:
        """Whether the arrays that strategies hold are as long as the market they are made for."""
        rows = len(self.setup.market)
        try:
            made = self.make(self.setup.market.rows(slice(0, rows - 1)))
        except Exception:  # a maker that needs all bars; the trials will tell more
            return False
        return not any(held_arrays(strategy, rows) for strategy in made.values())

    def _trials(self) -> Iterator[Trial]:
        for k, row in enumerate(self.rows):
            for kind in KINDS if self.is_rebuilt else KINDS[:3]:
                yield Trial(row, kind)
            for c, column in enumerate(COLUMNS):
                yield Trial(row, KINDS[(k + c) % 3], column)
            yield Trial(row, "noise", at_open=True)
            yield Trial(row, KINDS[k % 2], COLUMNS[1 + k % 4], at_open=True)

    def _run(self, trial: Trial, number: int) -> Watched | None:
        """The run over another future; None where it could not be set up."""
        try:
            market = other_future(
                self.setup.market,
                trial.row,
                trial.kind,
                trial.column,
                at_open=trial.at_open,
                seed=(self.seed, number),
            )
            setup = replace(self.setup, market=market, strategies=self.make(market))
            return watch(setup, [trial.row], at_open=trial.at_open)
        except Exception as error:  # whatever a user's maker raises
            told = f"{type(error).__name__}: {error}"
            self.failed[told] = self.failed.get(told, 0) + 1
            return None

    def _compare_arrays(self, setup: Setup, trial: Trial) -> None:
        """Note which arrays follow the market, and which of them know what comes later."""
        known = trial.row + (0 if trial.at_open else 1)
        for name, strategy in setup.strategies.items():
            for path, array in held_arrays(strategy, len(setup.market)).items():
                base = self.arrays[name].get(path)
                if base is None:
                    continue
                if first_difference(base, array, len(base)) is not None:
                    self.following.add((name, path))
                row = first_difference(base, array, known)
                if row is not None:
                    self.knowing[name, path] = min(self.knowing.get((name, path), row), row)

    def _add(self, leak: Leak, other: Setup, trial: Trial) -> None:
        """Take a leak into the report, or count it where it is there already."""
        site = leak.key
        if site not in self.located:
            self.located[site] = locate(self.setup, other, leak)
        leak.place = self.located[site]
        known = {one.key: one for one in self.report.leaks}
        one = known.get(leak.key)
        if one is None:
            self.report.leaks.append(leak)
            one = leak
        if one is leak or (leak.decides, -leak.bar) > (one.decides, -one.bar):
            one.bar, one.symbol, one.decides = leak.bar, leak.symbol, leak.decides
            one.before, one.after, one.trial = leak.before, leak.after, str(trial)
            one.time = str(np.datetime64(int(self.setup.market.time[one.bar]), "ns"))[:19] + "Z"
        one.trials += 1
        if trial.column != "all" and trial.column not in one.columns:
            one.columns.append(trial.column)

    def _tell_arrays(self) -> None:
        """Which arrays know the future, and which could not be looked at."""
        report = self.report
        leaking = {leak.strategy for leak in report.leaks}
        for leak in report.leaks:
            leak.arrays = [path for name, path in self.knowing if name == leak.strategy]
        report.suspects = [
            f"{name}: {path} knows the future from bar {row} on, but nothing was seen to use it"
            for (name, path), row in self.knowing.items()
            if name not in leaking
        ]
        market = self.setup.market
        report.unchecked = [
            f"{name}: holds an array of the whole timeline ({path}) that stayed as it is when the "
            "bars changed; if it comes from bars, pass a function of the market instead"
            for name, held in self.arrays.items()
            for path, array in held.items()
            if (name, path) not in self.following
            and not any(array is one for one in (market.time, market.open_time, market.session_end))
        ]
        waiting = {
            name
            for name, held in self.arrays.items()
            if any((name, path) not in self.following for path in held)
        }
        report.foretells = [
            f"{name}: {one}"
            for name in sorted(waiting)
            for one in foresight(self.setup.strategies[name], market)
        ]
        report.unchecked += [
            f"{count} other futures could not be set up: {told}"
            for told, count in self.failed.items()
        ]


def _orders_asked(setup: Setup) -> dict[str, Any]:
    """The bars of the orders that the strategies ask for, and the bar at which the run ends."""
    run = Run(setup)
    for running in run.running.values():
        if isinstance(running, RunningStrategy):
            running.strategy.on_start()
    run.machine.advance()
    orders = run.machine.orders()
    return {"rows": orders["submitted"][orders["parent"] < 0], "end": run.machine.bar}


def _places(setup: Setup, asked: dict[str, Any], cuts: int, seed: int) -> list[int]:
    """The bars after which the future is replaced."""
    first = first_warm_row(setup)
    last = min(len(setup.market) - 2, asked["end"] - 1)
    if last < first:
        raise DataError(
            "the audit needs a bar with values of all indicators, and one after it: the first "
            f"such bar is {first}, the run ends before bar {asked['end']}; give it more bars"
        )
    draw = np.random.default_rng(seed)
    decided = np.unique(asked["rows"])
    decided = decided[(decided >= first) & (decided <= last)]
    chosen = _spread(decided, min(len(decided), (cuts + 1) // 2), draw)
    others = np.setdiff1d(np.arange(first, last + 1), chosen)
    chosen += _spread(others, min(len(others), cuts - len(chosen)), draw)
    return sorted(chosen)


def _spread(rows: NDArray[Any], count: int, draw: np.random.Generator) -> list[int]:
    """So many of the rows, one from each of as many equal parts."""
    return [int(draw.choice(part)) for part in np.array_split(rows, count)] if count else []


def _run_twice(setup: Setup, rows: list[int]) -> Watched:
    """The run as it is, which must repeat itself."""
    one, two = watch(setup, rows), watch(setup, rows)
    if one.error is not None:
        raise one.error
    if one.commands != two.commands or one.moments != two.moments:
        raise StrategyError(
            "two runs over the same bars differ: a strategy draws numbers without a seed, reads "
            "the clock, or keeps something between runs; an audit needs one that repeats itself"
        )
    return one
