"""The same run under other conditions: other costs, a larger size, decisions that come late."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run, Setup
from intrabar.model.bars import Floats, Market
from intrabar.model.instrument import Instrument
from intrabar.research.entry_sides import entry_sides, with_sides
from intrabar.strategy.desk import Desk
from intrabar.strategy.signals import ARRAYS, Signals
from intrabar.strategy.strategy import RunningStrategy
from intrabar.strategy.weights import Weights

COSTS = (
    "commission_per_contract",
    "fee_per_trade",
    "commission_rate",
    "commission_min",
    "commission_max",
    "slippage_ticks",
    "slippage_pct",
    "slippage_volatility",
    "slippage_impact",
    "borrow_rate",
)

IMPACT = 0.5
"""Slippage at a fill of the whole volume of a bar, in mean true ranges.

The square-root law with a constant near one in deviations of a day (Toth et al. 2011, Anomalous
price impact and the critical nature of liquidity); a true range is some 1.6 deviations, and an
order pays some two thirds of the move that it causes.
"""

VOLUME_SHARE = 0.05
"""Of a bar's volume that one account takes without being noticed."""


def with_costs(setup: Setup, multiple: float) -> Setup:
    """The same run with all costs times a number: commissions, fees, slippage, borrow and swap.

    Rebates and swaps in favour stay as they are.
    """
    made = tuple(_dearer(x, multiple) for x in setup.instruments)
    return replace(setup, instruments=made)


def _dearer(x: Instrument, multiple: float) -> Instrument:
    changed: dict[str, Any] = {name: getattr(x, name) * multiple for name in COSTS}
    changed |= {s: v * multiple for s in ("swap_long", "swap_short") if (v := getattr(x, s)) < 0}
    if x.maker_rate is not None and x.maker_rate > 0.0:
        changed["maker_rate"] = x.maker_rate * multiple
    changed["tiers"] = tuple((q, a * multiple, b * multiple) for q, a, b in x.tiers)
    return replace(x, **changed)


def has_costs(setup: Setup) -> bool:
    """Whether any instrument costs anything to trade."""
    return any(getattr(x, name) > 0.0 for x in setup.instruments for name in COSTS) or any(
        a > 0.0 or b > 0.0 for x in setup.instruments for _, a, b in x.tiers
    )


def larger(setup: Setup, times: float) -> Setup:
    """The same run as an account so many times the size would meet it.

    Quantities stay, what they do to the market grows: the share of the volume that fills may take
    is divided by the size, and the impact, which grows with the square root of the participation,
    is multiplied by the root of it. Where an instrument has none of the two, `VOLUME_SHARE` and
    `IMPACT` stand in.
    """
    made = tuple(
        replace(
            x,
            max_volume_share=(x.max_volume_share or VOLUME_SHARE) / times,
            slippage_impact=(x.slippage_impact or IMPACT) * math.sqrt(times),
        )
        for x in setup.instruments
    )
    return replace(setup, instruments=made)


def late(setup: Setup) -> Result:
    """The run with every decision one bar late.

    The entry of a bot takes the side of the bar before, with the levels and the size of the bar on
    which it now acts; its stop is moved on time. Signals and weights are moved down a row. A Python
    strategy is called a bar later and reads prices and indicators of the bar before, while its
    positions and the clock are those of now; series on higher time frames are not moved.
    """
    told = entry_sides(setup)
    market = setup.market
    sides = {name: _a_bar_later(one.sides, one.asked) for name, one in told.items()}
    changed = with_sides(setup, told, sides)
    strategies = {
        name: one if name in told else _arrays_later(one, market)
        for name, one in changed.strategies.items()
    }
    run = Run(replace(changed, strategies=strategies))
    for k, running in enumerate(run.running.values()):
        if isinstance(running, RunningStrategy):
            run.machine.wake[:, k] = np.append(np.uint8(0), run.machine.wake[:-1, k])
            for desk in running.desks:
                _read_the_bar_before(desk)
    return finish(run)


def _a_bar_later(sides: Floats, asked: NDArray[np.bool_]) -> Floats:
    """Sides at the next bar on which the entry is asked, column by column."""
    moved = np.zeros_like(sides)
    for j in range(sides.shape[1]):
        rows = np.flatnonzero(asked[:, j])
        moved[rows[1:], j] = sides[rows[:-1], j]
    return moved


def _arrays_later(strategy: Any, market: Market) -> Any:
    return moved_rows(strategy, market, lambda grid: shifted(grid, 1))


def shifted(grid: Floats, rows: int) -> Floats:
    """Values so many rows later, NaN before the first."""
    moved = np.full_like(grid, np.nan)
    moved[rows:] = grid[: len(grid) - rows]
    return moved


def moved_rows(strategy: Any, market: Market, move: Any) -> Any:
    """Signals or weights with their rows moved; any other strategy as it is.

    Parameters
    ----------
    strategy : any strategy
    market : Market
    move : callable
        From a (t, n) array to one of the same shape.
    """
    if isinstance(strategy, Weights):
        return replace(strategy, weight=move(strategy.grid(market)))
    if not isinstance(strategy, Signals):
        return strategy
    grids = {what: strategy.grid(market, what) for what in ARRAYS}
    moved = {what: grid if len(grid) == 1 else move(grid) for what, grid in grids.items()}
    arrays: dict[str, Any] = {}
    for what, grid in moved.items():
        # A stop or a target that is 0 everywhere is none.
        said = [what in ("side", "qty") or bool(column.any()) for column in grids[what].T]
        arrays[what] = {
            symbol: grid[0, j] if len(grid) == 1 else grid[:, j]
            for j, symbol in enumerate(market.symbols)
            if said[j]
        }
    return replace(strategy, **arrays)


def _read_the_bar_before(desk: Desk) -> None:
    """Let a Python strategy read every series a row late."""
    desk.arrays = {name: np.append(np.nan, array[:-1]) for name, array in desk.arrays.items()}
    desk.views = {name: memoryview(array) for name, array in desk.arrays.items()}
    desk.closes = desk.views["close"]
    desk.indicator_views = {name: desk.views[name] for name in desk.indicator_views}
