"""Worlds whose best arm is known, and the evidence that an exit fitted in them gives.

Ten years of bars, a walk in steps of one tick, without costs: no arm is better than another. In
the planted world arm 1 earns 0.15 more everywhere, so that there is a best static arm, and arm 3
earns 0.3 more than arm 1 wherever the RSI is above 60. The scores are those of the market's own
lanes, the entries those of a bot that holds one position at a time, and enters by chance.

What is measured is the scorecard, not a trainer. An exit that is *known* takes arm 3 above an RSI
of 60, else the best static arm of its train. One that is *fitted* has one rule, "this arm where
this feature of `exit/1` lies beyond this decile, else the best static arm", the one that would
have earned most on its train, of all that there are: where nothing is planted it is what fitting
to chance makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.drift import deciles_of
from intrabar.analysis.returns import days_of
from intrabar.engine.lanes.lanes import Lanes
from intrabar.engine.prepared import Prepared
from intrabar.engine.run import Setup
from intrabar.exits import TrailingATR
from intrabar.indicators.features import features_of
from intrabar.model.bars import DAY_NS, Floats, Market
from intrabar.model.enums import PathPolicy
from intrabar.model.instrument import Instrument
from intrabar.research.scorecard.evidence import (
    Entries,
    Evidence,
    Returns,
    Scores,
    Training,
    Window,
)
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import TrendFollowing

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ARMS = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
USUAL, LEAD = 1, 0.15  # arm 1 is the best static one of a planted world, by this score
PLANTED, ABOVE, GAIN = 5, 0.2, 0.3  # arm 3 is better than it, by 0.3, above an RSI of 60
DAYS, FIRST_TEST, TEST_DAYS, WINDOWS = 2_520, 504, 504, 4
BARS_A_PAIR = 40.0 / 2_000  # bars a day for each pair: enough that none is missing, mostly
FIRST = 60  # bar from which all features are known
EVERY = 3  # bars from one row of the training to the next
SIGNALS = 1.0 / 9.0  # share of these rows on which the bot enters, if it is flat
MAX_BARS = 250
STEPS, START = 40, 20_000.0  # ticks up or down in a bar; the first price
RISK = 0.001  # so that no campaign lacks margin
FEATURES = features_of("exit/1", 1)
RSI = FEATURES.names.index("rsi_c")
BOOKED = 0.01  # of the account, a campaign's budget


@dataclass(frozen=True)
class World:
    """What a sample is drawn from.

    Parameters
    ----------
    planted : bool
    pairs : int
        Of all symbols together.
    known : bool
        Whether the exit is told what is planted; else it is fitted on each train.
    symbols : int
    correlation : float
        Of the days of two symbols.
    """

    planted: bool
    pairs: int
    known: bool = False
    symbols: int = 1
    correlation: float = 0.0

    @property
    def name(self) -> str:
        """How the file of rates calls it."""
        many = "" if self.symbols == 1 else f", {self.symbols} symbols"
        what = "planted" if self.planted else "empty"
        return f"{what}, {self.pairs} pairs{many}, {'known' if self.known else 'fitted'}"

    @property
    def bars_a_day(self) -> int:
        """So many that a bot with one position at a time has as many entries."""
        return int(np.ceil(BARS_A_PAIR * self.pairs / self.symbols))


class Rows(NamedTuple):
    """What one instrument would have made of each row, (k,) or (k, K).

    Attributes
    ----------
    row, side : (k,) int64
    x : (k, F) float64
        Features of a long.
    worst, best : (k, K) float64
    end : (k, K) int64
        Row on which the campaign ends.
    unit : (k,) float64
        ATR at the decision.
    signal : (k,) bool
        Whether the bot would enter.
    """

    row: Ints
    side: Ints
    x: Floats
    worst: Floats
    best: Floats
    end: Ints
    unit: Floats
    signal: Bools


class Rule(NamedTuple):
    """An exit: `arm` where a feature lies beyond an edge, else `static`."""

    arm: int
    static: int
    feature: int
    edge: float
    above: bool

    def arms(self, x: Floats) -> Ints:
        """What it takes at each row."""
        beyond = (x[:, self.feature] > self.edge) == self.above
        return np.where(beyond, self.arm, self.static)


def market_of(world: World, rng: np.random.Generator) -> Market:
    """Bars of walks in steps of one tick: a stop is met at its price, no jump is a gift."""
    n, a_day = world.symbols, world.bars_a_day
    tied = np.sin(world.correlation * np.pi / 2.0)  # signs of normal values correlate less
    shape = (DAYS, n)
    columns = {name: np.empty((DAYS * a_day, n)) for name in ("open", "high", "low", "close")}
    last = np.full(n, START)
    for day in range(shape[0]):
        own = rng.standard_normal((a_day * STEPS, n))
        shared = rng.standard_normal((a_day * STEPS, 1))
        up = own * np.sqrt(1.0 - tied) + shared * np.sqrt(tied) > 0.0
        path = (last + np.cumsum(np.where(up, 1.0, -1.0), axis=0)).reshape(a_day, STEPS, n)
        first = np.concatenate((last[None], path[:-1, -1]))
        rows = slice(day * a_day, (day + 1) * a_day)
        columns["open"][rows], columns["close"][rows] = first, path[:, -1]
        columns["high"][rows] = np.maximum(path.max(axis=1), first)
        columns["low"][rows] = np.minimum(path.min(axis=1), first)
        last = path[-1, -1]
    weekdays = np.busday_offset("2010-01-01", np.arange(DAYS), roll="forward").astype(np.int64)
    period = DAY_NS // 2 // a_day
    time = (weekdays[:, None] * DAY_NS + (1 + np.arange(a_day)) * period).ravel()
    return Market(
        symbols=tuple(f"S{j}" for j in range(n)),
        time=time,
        volume=np.ones((len(time), n)),
        session_end=np.zeros((len(time), n), np.uint8),
        open_time=np.repeat((time - period)[:, None], n, axis=1),
        period=period,
        **columns,
    )


def rows_of(world: World, market: Market, rng: np.random.Generator) -> list[Rows]:
    """Play a campaign of every row under every arm, and plant what there is to find."""
    bot = Bot(TrendFollowing(), TrailingATR(), risk_fraction=RISK)
    traded = tuple(Instrument(s, tick_size=1.0, lot=1e-3) for s in market.symbols)
    setup = Setup(market, traded, {"bot": bot})
    tables = Prepared(market, ("",) * world.symbols).feature_tables(FEATURES)
    made = []
    for j, symbol in enumerate(market.symbols):
        row = np.arange(FIRST, len(market) - 1, EVERY)
        side = np.where(rng.random(len(row)) < 0.5, 1, -1)
        worst, best = (
            Lanes(setup.under(path), "bot", symbol, TrailingATR(), MAX_BARS).play(
                row, side.astype(np.int8), ARMS.tolist()
            )
            for path in (PathPolicy.WORST, PathPolicy.BEST)
        )
        x = tables.tables[j][row]
        unit = x[:, FEATURES.names.index("atr_pct")] * market.close[row, j]
        scores = [worst.score.copy(), best.score.copy()]
        if world.planted:
            for one in scores:
                one[:, USUAL] += LEAD
                one[:, PLANTED] += np.where(x[:, RSI] > ABOVE, LEAD + GAIN, 0.0)
        signal = rng.random(len(row)) < SIGNALS
        made.append(Rows(row, side, x, *scores, worst.end_bar, unit, signal))
    return made


def traded(own: Rows, arms: Ints, first: int, last: int) -> Ints:
    """On which rows a bot enters that takes these arms, with one position at a time."""
    taken, free = [], first
    end = own.end[np.arange(len(arms)), arms]
    inside = own.signal & (own.row >= first) & (own.row < last)
    for k in np.flatnonzero(inside).tolist():
        if own.row[k] >= free:
            taken.append(k)
            free = end[k]
    return np.array(taken, np.int64)


def fitted(x: Floats, scores: Floats) -> Rule:
    """The rule that would have earned most on these rows, of all that there are."""
    static = int(np.argmax(scores.mean(axis=0)))
    gain = scores - scores[:, static : static + 1]
    best, found = 0.0, Rule(static, static, 0, 0.0, True)
    for feature, edges in enumerate(deciles_of(x).T):
        for edge in edges.tolist():
            above = x[:, feature] > edge
            for side, rows in ((True, above), (False, ~above)):
                sums = gain[rows].sum(axis=0)
                if sums.max() > best:
                    best = float(sums.max())
                    found = Rule(int(np.argmax(sums)), static, feature, edge, side)
    return found


def known_rule(scores: Floats) -> Rule:
    """What is planted; elsewhere the arm that is the best on these rows."""
    return Rule(PLANTED, int(np.argmax(scores.mean(axis=0))), RSI, ABOVE, above=True)


def sample(world: World, seed: int) -> tuple[Evidence, int]:
    """The evidence of one exit in one world, and in how many windows it found what is planted."""
    rng = np.random.default_rng([seed, world.planted, world.pairs, world.symbols])
    market = market_of(world, rng)
    symbols = rows_of(world, market, rng)
    a_day = world.bars_a_day
    cuts = [(FIRST_TEST + k * TEST_DAYS) * a_day for k in range(WINDOWS)]
    ends = [*cuts[1:], (FIRST_TEST + WINDOWS * TEST_DAYS) * a_day]
    windows, entries, rules = [], [], []
    for k, (cut, end) in enumerate(zip(cuts, ends, strict=True)):
        known = [s.end.max(axis=1) < cut for s in symbols]
        x, scores = (
            np.concatenate([part[rows] for part, rows in zip(parts, known, strict=True)])
            for parts in ([s.x for s in symbols], [s.worst for s in symbols])
        )
        rule = known_rule(scores) if world.known else fitted(x, scores)
        rules.append(rule)
        own = _own_entries(symbols, known, rule.static, cut)
        few = len(own) < 200
        train = int(market.time[0]), int(market.time[cut - 1])
        test = int(market.time[cut]), int(market.time[min(end, len(market)) - 1])
        windows.append(Window(f"w{k:03d}", train, test, scores if few else own, len(own)))
        for j, s in enumerate(symbols):
            arms = rule.arms(s.x)
            at = traded(s, arms, cut, end)
            entries.append(np.column_stack((at, arms[at], np.full((len(at), 2), (j, k)))))
    chosen = np.concatenate(entries)
    if len(chosen) > world.pairs:  # a bot that trades less often, not one that picks
        chosen = chosen[np.sort(rng.choice(len(chosen), world.pairs, replace=False))]
    static = np.array([int(np.argmax(w.scores.mean(axis=0))) for w in windows])
    found = sum(r.arm == PLANTED and r.feature == RSI and r.above for r in rules)
    return _evidence(market, symbols, chosen, tuple(windows), static), found


def _own_entries(symbols: list[Rows], known: list[Bools], static: int, cut: int) -> Floats:
    """Scores at the entries of the bot with its static arm, on a train."""
    parts = []
    for s, rows in zip(symbols, known, strict=True):
        at = traded(s, np.full(len(s.row), static), 0, cut)
        parts.append(s.worst[at[rows[at]]])
    return np.concatenate(parts)


def _evidence(
    market: Market,
    symbols: list[Rows],
    chosen: Ints,
    windows: tuple[Window, ...],
    static: Ints,
) -> Evidence:
    at, arm, symbol, window = chosen.T
    row = np.array([symbols[j].row[k] for j, k in zip(symbol, at, strict=True)])
    order = np.lexsort((symbol, row))
    at, arm, symbol, window, row = (x[order] for x in (at, arm, symbol, window, row))

    def of(name: str) -> NDArray[np.generic]:
        columns = [getattr(s, name) for s in symbols]
        return np.array([columns[j][k] for j, k in zip(symbol, at, strict=True)])

    worst, best, n = of("worst"), of("best"), np.arange(len(at))
    entries = Entries(
        symbols=market.symbols,
        time=market.time[row],
        symbol=symbol,
        window=window,
        side=of("side"),
        arm=arm,
        here=Scores(worst[n, arm], worst),
        other=Scores(best[n, arm], best),
    )
    day = days_of(market.time)
    days = np.unique(day[np.searchsorted(market.time, windows[0].test[0]) :])
    booked = [
        BOOKED * _daily(market, day, days, row, symbol, of("side"), chosen_end, unit, arms, score)
        for arms in (arm, static[window])
        for chosen_end, unit, score in ((of("end")[n, arms], of("unit"), worst[n, arms]),)
    ]
    return Evidence(
        bot="Chance",
        arms=ARMS,
        learnable=len(ARMS),
        own=None,
        paths=("worst", "best"),
        entries=entries,
        windows=windows,
        returns=Returns(days, *booked),
        training=Training("rule", "", canaries=None),
    )


def _daily(
    market: Market,
    day: Ints,
    days: Ints,
    row: Ints,
    symbol: Ints,
    side: NDArray[np.generic],
    end: Ints,
    unit: NDArray[np.generic],
    arms: Ints,
    score: Floats,
) -> Floats:
    """Profit of each day in budgets: campaigns are marked at each day's last close."""
    total = np.zeros(len(days))
    last = np.searchsorted(day, days, side="right") - 1
    size = side / (ARMS[arms] * unit)
    from_day, to_day = np.searchsorted(days, day[row + 1]), np.searchsorted(days, day[end])
    for k in range(len(row)):
        a, b = int(from_day[k]), int(to_day[k])
        j = symbol[k]
        marks = size[k] * (market.close[last[a:b], j] - market.open[row[k] + 1, j])
        total[a : b + 1] += np.diff(np.concatenate(([0.0], marks, [score[k]])))
    return total
