"""Single campaigns: each by itself, on the one market, from a flat account.

A lane is a machine that is put back to a flat account at the close of a bar. There the bot is told
a side, and the exit an ATR multiple (an arm); the loop plays on until the position is gone. It is
the same loop with the same hooks as in a backtest: a lane has no fill, stop or cost of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.data.predictions import placed
from intrabar.engine.lanes.lane import Lane, room_for
from intrabar.engine.prepared import Prepared
from intrabar.engine.run import Setup
from intrabar.errors import ConfigError, NotFoundError, UsageError
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.indicators import atr
from intrabar.model.bars import Floats, Market
from intrabar.model.values import Bounds, taken
from intrabar.sim.path import seed_of
from intrabar.strategy.bot import Bot
from intrabar.strategy.given_side import GivenSide, given_side
from intrabar.strategy.lane_kernel import Campaigns

MAX_BARS = 250
ENDED_BEFORE = 20  # rows of the timeline without a bar: an instrument has ended
LONGEST = 1_000_000  # bars


class Lanes:
    """The campaigns of one bot in one instrument.

    Parameters
    ----------
    setup : Setup
        Market, account, instruments and bots as they would run. Positions still open at the last
        bar close there (`close_at_end`); of an instrument that ends earlier that is its own last.
    strategy, symbol : str
    exit_ : TrailingATR or FixedRatio
        How the position goes on; its `atr_multiple` is that of each arm.
    max_bars : bars, >= 1
        Held bars after which a position leaves at the next open.
    threads : int, >= 1
        How many share the work; the results are the same.

    Raises
    ------
    ConfigError
        The bot rests at prices, or is none; an exit of another kind.
    """

    def __init__(
        self,
        setup: Setup,
        strategy: str,
        symbol: str,
        exit_: TrailingATR | FixedRatio,
        max_bars: int = MAX_BARS,
        threads: int = 1,
    ) -> None:
        bot = bot_of(setup, strategy)
        if type(exit_) not in (TrailingATR, FixedRatio):
            raise ConfigError(f"a lane goes on with TrailingATR or FixedRatio, not {exit_!r}")
        if symbol not in setup.market.symbols:
            raise NotFoundError("symbol", symbol, setup.market.symbols)
        self.max_bars = taken("max_bars", max_bars, Bounds(1, LONGEST, whole=True))
        self.bot, self.column = bot, setup.market.symbols.index(symbol)
        market = setup.market.alone(self.column)
        self.real = np.flatnonzero(~np.isnan(market.open[:, 0]))
        last = int(self.real[-1]) if len(self.real) else -1
        self.has_ended = last < len(market) - ENDED_BEFORE
        if self.has_ended:
            market = market.rows(slice(0, last + 1))
        prepared = Prepared(market, (setup.instruments[self.column].calendar,), keeps=True)
        columns = _columns_of(setup, strategy, self.column, len(market))
        if hasattr(bot.entry, "wants_out"):  # it reads what the entry reads
            of_entry = bot.entry.indicators().items()
            read = {key: placed(x, setup.predicted) for key, x in of_entry}
            columns |= prepared.columns({"": read})[""]
        told = replace(bot, exit=exit_)
        own = _alone(setup, strategy, self.column, market, told, columns)
        self._lanes = [Lane(own, prepared, self.max_bars) for _ in range(threads)]
        self._trade_from, self._gates = setup.trade_from, None
        if bot.gates.min_atr > 0.0:
            named = {"": {"atr": atr(bot.gates.atr_period)}}
            self._gates = prepared.columns(named)[""]["atr"][:, 0] >= bot.gates.min_atr
        self.market = own.market

    @property
    def lane(self) -> Lane:
        """The first of its lanes."""
        return self._lanes[0]

    def starts(self) -> NDArray[np.int64]:
        """The bars that have rows: all real ones, but for the last where the data end, not it."""
        return self.real if self.has_ended else self.real[: -(self.max_bars + 2)]

    def allowed(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the gates and the warm-up of the bot would have let it enter at these closes."""
        free = rows >= self.bot.warm_up
        gates = self.bot.gates
        if gates.session or gates.flatten:
            free &= self._lanes[0].running.table.blocked[rows, 0] == 0
        if self._gates is not None:
            free &= self._gates[rows]
        if self._trade_from is not None:
            free &= self.market.time[rows] >= self._trade_from
        return free

    def play(
        self, rows: NDArray[np.int64], sides: NDArray[np.int8], arms: Sequence[float]
    ) -> Campaigns:
        """The campaigns that begin at the closes of bars.

        Parameters
        ----------
        rows : (k,) int64
            Real bars of the instrument, rows of the timeline, not falling.
        sides : (k,) int8
            1 or -1.
        arms : (a,) ATR multiples, > 0

        Raises
        ------
        UsageError
            A row without a bar, or out of order; a side or an arm that is none.
        """
        rows, sides = np.ascontiguousarray(rows, np.int64), np.ascontiguousarray(sides, np.int8)
        multiples = np.ascontiguousarray(arms, np.float64)
        self._require(rows, sides, multiples)
        out = room_for(len(rows), len(multiples))
        cuts = np.linspace(0, len(rows), len(self._lanes) + 1).astype(int)
        parts = [slice(a, b) for a, b in pairwise(cuts)]

        def work(lane: Lane, part: slice) -> None:
            lane.play(rows[part], sides[part], multiples, out.rows(part))

        if len(parts) == 1:
            work(self._lanes[0], parts[0])
            return out
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(work, self._lanes, parts))
        return out

    def _require(self, rows: NDArray[np.int64], sides: Any, arms: Floats) -> None:
        if rows.shape != sides.shape or rows.ndim != 1:
            raise UsageError(f"{rows.shape} rows and {sides.shape} sides: one of each is needed")
        if arms.ndim != 1 or len(arms) == 0 or not (np.isfinite(arms) & (arms > 0.0)).all():
            raise UsageError(f"arms are {list(arms)}, must be ATR multiples above 0")
        if not np.isin(sides, (1, -1)).all():
            raise UsageError(f"sides are {np.unique(sides).tolist()}, must be 1 or -1")
        if (np.diff(rows) < 0).any():
            at = int(np.argmax(np.diff(rows) < 0))
            raise UsageError(f"row {rows[at + 1]} comes after {rows[at]}; rows must not fall")
        odd = rows[~np.isin(rows, self.real)]
        if len(odd):
            symbol = self.market.symbols[0]
            raise UsageError(f"{symbol} has no bar at row {odd[0]}: a decision needs one")


def bot_of(setup: Setup, strategy: str) -> Bot:
    """A bot that decides at the close and enters at the market; other things are refused."""
    if strategy not in setup.strategies:
        raise NotFoundError("strategy", strategy, list(setup.strategies))
    bot = setup.strategies[strategy]
    if not isinstance(bot, Bot):
        raise ConfigError(f"{strategy} is no bot: campaigns are simulated of an entry and an exit")
    for rule in ("stop_entry", "limit_entry"):
        if hasattr(bot.entry, rule):
            raise ConfigError(
                f"{strategy}: {bot.name} has a {rule}; campaigns are simulated of market entries "
                "alone"
            )
    return bot


def _columns_of(setup: Setup, strategy: str, column: int, rows: int) -> dict[str, Floats]:
    """What the setup gives to a bot beside its indicators, of one instrument."""
    given = setup.columns.get(strategy, {})
    own = slice(column, column + 1)
    return {k: np.ascontiguousarray(np.asarray(v)[:rows, own]) for k, v in given.items()}


def _alone(
    setup: Setup,
    strategy: str,
    column: int,
    market: Market,
    bot: Bot,
    columns: dict[str, Floats],
) -> Setup:
    """The setup of lanes: one bot that is told its side, in one instrument."""
    entry: Any = GivenSide()
    if hasattr(bot.entry, "wants_out"):
        entry = given_side(bot.entry)
    told = replace(bot, entry=entry, warm_up=0, gates=replace(bot.gates, min_atr=0.0))
    account = replace(setup.account, close_at_end=True, seed=seed_of(setup.account.seed, column))
    return Setup(
        market,
        (setup.instruments[column],),
        {strategy: told},
        account,
        setup.is_open,
        {strategy: columns},
        predicted=setup.predicted,
    )
