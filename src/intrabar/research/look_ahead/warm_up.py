"""How much a result depends on where the data begin.

An average that remembers all bars (EMA, Wilder's) has another value when the data start later.
The same indicators are worked out from several later starts and held against those of the whole
data at the same bars; then the decisions are, both runs silent until the same bar.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.adjusted import Adjusted
from intrabar.engine.columns import compute_columns
from intrabar.engine.run import Run, Setup
from intrabar.errors import ConfigError
from intrabar.indicators import Indicator
from intrabar.indicators.compute import lookback
from intrabar.model.bars import Floats, Market
from intrabar.model.enums import PathPolicy
from intrabar.research.look_ahead.report import LaterStart, Recursion
from intrabar.strategy.bot import Bot
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.strategy import RunningStrategy

STARTS = 3
SAME = 1e-6  # of a price or quantity in two orders that count as one


def least_bars(setup: Setup) -> int:
    """Bars before the indicators of every strategy have a value, at least 1."""
    found = [1]
    for strategy in setup.strategies.values():
        found += [lookback(indicator) for indicator in strategy.indicators().values()]
        if isinstance(strategy, Bot):
            found.append(strategy.warm_up + 1)
    return max(found)


def first_warm_row(setup: Setup) -> int:
    """The first row at which some instrument has that many bars."""
    bars = np.cumsum(~np.isnan(setup.market.open), axis=0).max(axis=1)
    return int(np.searchsorted(bars, least_bars(setup)))


def starts_of(setup: Setup) -> list[int]:
    """Later starts, spread over the first half of the data, with room behind the warm-up."""
    rows, least = len(setup.market), first_warm_row(setup)
    made = {least + k * max(0, rows // 2 - least) // STARTS for k in range(1, STARTS + 1)}
    return sorted(s for s in made if rows - s > 2 * least)


def recursions(setup: Setup) -> list[Recursion]:
    """Every indicator of every strategy, whole data against later starts."""
    found = []
    starts = starts_of(setup)
    for name, strategy in setup.strategies.items():
        # Values that are there already do not depend on where the bars begin.
        named = strategy.indicators().items()
        indicators = {key: x for key, x in named if not x.reads_given}
        if not indicators or not starts:
            continue
        whole = _columns(indicators, setup.market)
        worst: dict[str, list[tuple[float, float, float]]] = {key: [] for key in indicators}
        for start in starts:
            market = setup.market.rows(slice(start, None))
            try:
                later = _columns(indicators, market)
            except ConfigError:  # too few bars of every instrument are left
                continue
            real = np.cumsum(~np.isnan(market.open), axis=0)
            for key in indicators:
                for j in range(len(market.symbols)):
                    told = _settling(whole[key][start:, j], later[key][:, j], real[:, j])
                    if told is not None:
                        worst[key].append(told)
        for key, rows in worst.items():
            if rows:
                first, six, nine = (max(column) for column in zip(*rows, strict=True))
                found.append(
                    Recursion(
                        name,
                        key,
                        str(indicators[key]),
                        lookback(indicators[key]),
                        first,
                        None if np.isinf(six) else int(six),
                        None if np.isinf(nine) else int(nine),
                    )
                )
    return found


def _columns(indicators: Mapping[str, Indicator], market: Market) -> dict[str, Floats]:
    adjusted = Adjusted(market)
    return adjusted.shown(compute_columns({"": indicators}, adjusted.market)[""], indicators)


def _settling(
    whole: Floats, later: Floats, bars: NDArray[Any]
) -> tuple[float, float, float] | None:
    """The difference at the first value, and the bars after which it is small for good."""
    both = np.flatnonzero(~np.isnan(whole) & ~np.isnan(later))
    if not both.size:
        return None
    a, b = whole[both], later[both]
    # Near a crossing of zero a ratio says nothing: the usual size of the series is the measure.
    size = np.maximum(np.abs(a), max(float(np.median(np.abs(a))), 1e-300))
    off = np.abs(a - b) / size

    def settled(limit: float) -> float:
        above = np.flatnonzero(off > limit)
        if not above.size:
            return float(bars[both[0]])
        after = int(above[-1]) + 1
        return float(bars[both[after]]) if after < both.size else np.inf

    return float(off[0]), settled(1e-6), settled(1e-9)


def later_starts(
    setup: Setup,
    make: Callable[[Market], Mapping[str, AnyStrategy]],
    found: list[Recursion],
    unchecked: list[str],
) -> list[LaterStart]:
    """Decisions with the least warm-up, and with the one that settles the indicators.

    Starts that cannot be tried are told in `unchecked`.
    """
    least = first_warm_row(setup) + 1
    enough = max([least, *(r.bars_1e9 or 0 for r in found)])
    told = []
    for warm_up in dict.fromkeys((least, enough)):
        starts = [s for s in starts_of(setup) if s + warm_up < len(setup.market) - 1]
        compared = orders = changed = 0
        for start in starts:
            market = setup.market.rows(slice(start, None))
            try:
                short = replace(setup, market=market, strategies=make(market))
                a, b = _decisions(setup, start + warm_up), _decisions(short, warm_up)
            except Exception as error:  # whatever a user's maker or strategy raises
                unchecked.append(f"data that begin at bar {start} could not be tried: {error}")
                continue
            a["submitted"] -= start
            compared += 1
            orders += len(a)
            changed += _unlike(a, b)
        if compared:
            told.append(LaterStart(warm_up, compared, orders, changed))
    return told


def _decisions(setup: Setup, first: int) -> NDArray[Any]:
    """Orders asked for by a run that is silent before a bar."""
    # The random path draws by the number of the bar, which is another one here.
    run = Run(setup.under(PathPolicy.WORST))
    run.machine.wake[:first] = 0
    for running in run.running.values():
        if isinstance(running, RunningStrategy):
            running.strategy.on_start()
    run.machine.advance()
    orders = run.machine.orders()
    return orders[orders["parent"] < 0]


def _unlike(a: NDArray[Any], b: NDArray[Any]) -> int:
    """Orders of either run that the other does not have."""
    exact = ("submitted", "strategy", "instrument", "side", "type")
    near = ("qty", "stop_loss", "take_profit")
    others: dict[tuple[Any, ...], list[Any]] = {}
    for order in b:
        others.setdefault(tuple(order[n].item() for n in exact), []).append(order)
    missing = 0
    for order in a:
        twins = others.get(tuple(order[n].item() for n in exact), [])
        twin = next((t for t in twins if all(_near(order[n], t[n]) for n in near)), None)
        if twin is None:
            missing += 1
        else:
            twins.remove(twin)
    return max(missing, sum(map(len, others.values())))


def _near(x: float, y: float) -> bool:
    return bool(x == y or (np.isnan(x) and np.isnan(y)) or abs(x - y) <= SAME * abs(x))
