"""Runs without skill that a run has to beat: entries at random, entries and bars in another order.

Each null is the real engine run again, with the costs, the sizing and the gates of the run; only
when it enters is left to chance. The result is held against many of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.bootstrap import FEWEST, block_length, resampled_rows
from intrabar.analysis.figure import Undefined
from intrabar.analysis.lean_sheet import Calendar
from intrabar.analysis.monte_carlo import resampled_bars
from intrabar.engine.adjusted import Adjusted
from intrabar.engine.outcome.result import Result
from intrabar.engine.prepared import Prepared
from intrabar.engine.run import Progress, Run, Setup
from intrabar.errors import ConfigError, IntrabarError
from intrabar.model.bars import Floats, Market
from intrabar.research.conditions import moved_rows
from intrabar.research.entry_sides import entry_sides, with_sides
from intrabar.research.sweep.lean import figures_of
from intrabar.research.validate.random_entries import (
    as_signals,
    at_random_places,
    chances,
    drawn,
    placed_campaigns,
)
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.weights import Weights

RUNS = 200
"""Runs of a null: the smallest p-value is 1 in 201."""

COLUMNS = ("open", "high", "low", "close", "volume")

Draw = Callable[[np.random.Generator], Setup]
"""One run without skill."""


@dataclass(frozen=True, slots=True, eq=False)
class Null:
    """A run held against runs without skill.

    Parameters
    ----------
    name : str
    observed : float
        Annual Sharpe ratio of the run.
    draws : (n,) float64
        Those of the runs without skill; 0 where one did not trade.
    campaigns : float
        Mean number of campaigns in them.
    seed : int
    how : str
        What was left to chance, and what was kept.
    """

    name: str
    observed: float
    draws: Floats
    campaigns: float
    seed: int
    how: str

    @property
    def p_value(self) -> float:
        """How often chance does as well: (1 + draws at least as high) / (1 + draws).

        Phipson, Smyth: Permutation P-values Should Never Be Zero (2010).
        """
        return float(1 + np.count_nonzero(self.draws >= self.observed)) / (1 + len(self.draws))


def random_entry(
    result: Result, runs: int = RUNS, seed: int = 0, progress: Progress | None = None
) -> Null | Undefined:
    """Entries at random, as often as the run's and with its shares of long and short.

    A bot keeps its exit, its size and its gates; where it is flat and may enter, a coin decides.
    Signals and weights are moved along the bars by a random distance, the end coming around to the
    beginning. The campaigns of a Python strategy are placed at random in another order, with their
    sides, sizes and lengths, entered and left at the open; the run is then held as what that makes
    of its own campaigns at their true places.
    """
    setup = result.setup
    told = entry_sides(setup)
    odds = {name: chances(result, name, one) for name, one in told.items()}
    placed = placed_campaigns(result)

    def draw(rng: np.random.Generator) -> Setup:
        sides = {name: drawn(odds[name], told[name].asked, rng) for name in told}
        made = with_sides(setup, told, sides)
        strategies = dict(made.strategies)
        for name, one in setup.strategies.items():
            if isinstance(one, Signals | Weights):
                by = int(rng.integers(1, max(2, len(setup.market))))
                strategies[name] = moved_rows(
                    one, setup.market, lambda grid, by=by: np.roll(grid, by, axis=0)
                )
            elif isinstance(one, Strategy):
                strategies[name] = at_random_places(placed[name], setup.market, rng)
        return replace(made, strategies=strategies)

    true = None
    if placed:
        kept = {name: as_signals(rows, setup.market) for name, rows in placed.items()}
        true = replace(setup, strategies={**setup.strategies, **kept})
    return _held(
        "random entry",
        "entries at random, as many and with the same sides; exits, sizes and gates are kept",
        result,
        draw,
        (runs, seed, progress),
        true,
    )


def permuted_entry(
    result: Result, runs: int = RUNS, seed: int = 0, progress: Progress | None = None
) -> Null | Undefined:
    """The answers of the entry, in blocks, at other bars.

    Blocks of the cube root of the bars keep what comes in bursts together (Hall, Horowitz, Jing
    1995). All instruments keep their common order. Signals and weights are permuted as they are; a
    Python strategy has no entry that could be asked.
    """
    setup = result.setup
    if any(isinstance(one, Strategy) for one in setup.strategies.values()):
        return Undefined("a Python strategy has no entry rule that can be asked apart from it")
    told = entry_sides(setup)
    rows = len(setup.market)
    block = max(1, round(rows ** (1 / 3)))
    if rows < 4 * block:
        return Undefined(f"{rows} bars are too few to be permuted in blocks of {block}")

    def draw(rng: np.random.Generator) -> Setup:
        order = permuted_blocks(rows, block, rng)
        made = with_sides(setup, told, {n: one.sides[order] for n, one in told.items()})
        strategies = {
            name: moved_rows(one, setup.market, lambda grid: grid[order])
            for name, one in made.strategies.items()
        }
        return replace(made, strategies=strategies)

    how = f"the answers of the entry rule at other bars, in blocks of {block}"
    return _held("permuted entry", how, result, draw, (runs, seed, progress))


def synthetic_bars(
    result: Result, runs: int = RUNS, seed: int = 0, progress: Progress | None = None
) -> Null | Undefined:
    """The strategy on histories made of the same bars in another order.

    Bars are drawn in blocks as long as the dependence of their returns asks for (the stationary
    bootstrap). What reaches further than a block is gone; drift and the shape of bars stay.
    """
    setup = result.setup
    if any(isinstance(one, Signals | Weights) for one in setup.strategies.values()):
        return Undefined("signals and weights belong to the true bars: others need other arrays")
    if setup.market.detail is not None:
        return Undefined("there are no lower bars of synthetic bars; use another path policy")
    market = replace(Adjusted(setup.market).market, actions=())
    columns = {name: getattr(market, name) for name in COLUMNS}
    # Before its first bar an instrument stands where it begins, so that every row can be drawn.
    first = np.argmax(np.isfinite(market.close), axis=0)
    begins = market.close[first, np.arange(len(first))]
    columns["close"] = np.where(np.isnan(market.close), begins, market.close)
    if not (columns["close"] > 0.0).all():
        return Undefined("a close is 0 or below")
    rows = len(market) - 1
    if rows < FEWEST:
        return Undefined(f"{rows + 1} bars are too few to be drawn in another order")
    moves = np.diff(np.log(columns["close"]), axis=0).mean(axis=1)
    block = block_length(moves)

    def draw(rng: np.random.Generator) -> Setup:
        order = resampled_rows(rows, 1, block, rng)[0] + 1
        made: dict[str, Any] = resampled_bars(columns, order)
        made |= {name: np.ascontiguousarray(values) for name, values in made.items()}
        return replace(
            setup, market=replace(market, **made, open_time=_open_times(market, made["open"]))
        )

    how = f"the bars in another order, drawn in blocks of {block:.1f} on average"
    return _held("synthetic bars", how, result, draw, (runs, seed, progress))


def _open_times(market: Market, opens: Floats) -> NDArray[np.int64]:
    """Where bars have moved to: a bar that is not there opens when it closes."""
    length = np.where(np.isnan(market.open), 0, market.time[:, None] - market.open_time)
    usual = np.max(length, axis=0, initial=0)
    times = np.where(np.isnan(opens), market.time[:, None], market.time[:, None] - usual)
    same = np.isnan(opens) == np.isnan(market.open)
    return np.ascontiguousarray(np.where(same, market.open_time, times))


def permuted_blocks(rows: int, block: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Every row once, in blocks that come in another order; the first cut is drawn too."""
    first = int(rng.integers(block))
    cuts = np.arange(first or block, rows, block)
    parts = np.split(np.arange(rows), cuts)
    return np.concatenate([parts[k] for k in rng.permutation(len(parts))])


def _held(
    name: str,
    how: str,
    result: Result,
    draw: Draw,
    many: tuple[int, int, Progress | None],
    true: Setup | None = None,
) -> Null | Undefined:
    """Run a null many times and hold the run against it."""
    runs, seed, progress = many
    if runs < 1:
        raise ConfigError(f"runs is {runs}, must be at least 1")
    if not result.fills.height:
        return Undefined("it did not trade")
    observed = _ratio(result.run) if true is None else _ratio(_ended(true))
    if isinstance(observed, Undefined):
        return observed
    draws, campaigns = np.zeros(runs), 0.0
    setup = result.setup
    same = Prepared(setup.market, tuple(x.calendar for x in setup.instruments), keeps=True)
    for k, one in enumerate(_seeded(seed, runs)):
        try:
            run = _ended(draw(one), same)
        except IntrabarError as error:
            return Undefined(f"run {k} failed: {error}")
        ratio = _ratio(run)
        draws[k] = 0.0 if isinstance(ratio, Undefined) else ratio
        campaigns += _campaigns_of(run) / runs
        if progress is not None:
            progress(k + 1, runs)
    return Null(name, observed, draws, campaigns, seed, how)


def _seeded(seed: int, runs: int) -> Iterator[np.random.Generator]:
    for child in np.random.SeedSequence(seed).spawn(runs):
        yield np.random.default_rng(child)


def _ended(setup: Setup, prepared: Prepared | None = None) -> Run:
    """A run to its end; the indicators of the bars at hand are worked out only once."""
    fits = prepared is not None and prepared.market is setup.market
    run = Run(setup, prepared if fits else None)
    run.to_end()
    return run


def _ratio(run: Run) -> float | Undefined:
    """Annual Sharpe ratio of the daily returns of a run that has ended."""
    found = figures_of(run, Calendar(run.setup.market)).values["sharpe"]
    return Undefined("its daily returns have no Sharpe ratio") if found is None else found


def _campaigns_of(run: Run) -> int:
    """Fills that leave flat or flip."""
    fills = run.machine.fills()
    change = fills["qty"] * fills["side"]
    before = fills["position"] - change
    return int(np.count_nonzero((fills["position"] != 0.0) & (before * fills["position"] <= 0.0)))
