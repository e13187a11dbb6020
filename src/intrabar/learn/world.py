"""What campaigns are learned from: the lanes of each instrument, its features, and all starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.lanes.lanes import Lanes, bot_of
from intrabar.engine.lanes.stepped import Starts, SteppedLanes, every_start
from intrabar.engine.prepared import Prepared
from intrabar.engine.run import Run, Setup
from intrabar.engine.tables.feature_table import FeatureTables
from intrabar.errors import UsageError
from intrabar.exits.policy import Course
from intrabar.indicators.features import features_of
from intrabar.learn.tally import Tally
from intrabar.learn.terms import Terms
from intrabar.model.bars import Floats, Market, Times
from intrabar.model.values import choice
from intrabar.strategy.lane_room import Scaling

LEAST_ENTRIES = 500
WHEN, ENTRIES = ("bar", "entry"), ("every", "bot")
AFTER = 2  # bars: the fill of the entry, and that of leaving by age


class Outcome(NamedTuple):
    """What came of starts under each arm.

    Attributes
    ----------
    score : (m, K) float64
        NaN where there is no campaign.
    end_time : (m,) int64, ns UTC
        The last exit of all arms; the start's own time where there is none.
    remarks : tuple of str
        Arms whose campaigns are often cut in size, or ended by their age.
    """

    score: Floats
    end_time: Times
    remarks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class World:
    """Campaigns that can be learned from, by their starts in order of time.

    Parameters
    ----------
    market : Market
    calendars : tuple of str
        Of its instruments.
    tables : FeatureTables
        With a window of 1.
    lanes : tuple of Lanes
        Of each instrument.
    starts : Starts
        By time, symbol, long before short.
    arms : (K,) float64, ATR multiples
    when : {"bar", "entry"}
    course : Course
        Of its campaigns.
    is_every : bool
        They are of every bar and side.
    """

    market: Market
    calendars: tuple[str, ...]
    tables: FeatureTables
    lanes: tuple[Lanes, ...]
    starts: Starts
    arms: Floats
    when: str
    course: Course
    is_every: bool = True

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def time(self) -> Times:
        """(m,) int64, ns UTC: when each start is decided."""
        return self.market.time[self.starts.bar]

    @property
    def latest_end(self) -> Times:
        """(m,) int64, ns UTC: when the campaign of each start is over under any arms."""
        made = np.empty(len(self), np.int64)
        for s, one in enumerate(self.lanes):
            own = self.starts.place == s
            after = np.searchsorted(one.real, self.starts.bar[own]) + one.max_bars + AFTER
            made[own] = self.market.time[one.real[np.minimum(after, len(one.real) - 1)]]
        return made

    @property
    def features(self) -> Floats:
        """(m, F) float64: at each start, after the side, before they are normalised."""
        made = np.empty((len(self), len(self.tables.features.names)))
        for s, one in enumerate(self.lanes):
            own = self.starts.place == s
            rows = self.tables.row_of[self.starts.bar[own], one.column]
            made[own] = self.tables.tables[one.column][rows]
        signed = self.tables.features.signs == 1
        made[:, signed] *= self.starts.side[:, None]
        return made

    def of(self, rows: NDArray[np.int64]) -> World:
        """The same with some of the starts."""
        return replace(self, starts=self.starts.of(rows))

    def outcome(self) -> Outcome:
        """Play all starts under each arm, held to its end."""
        tally = Tally(tuple(self.arms.tolist()), len(self.market))
        score, end = np.empty((len(self), len(self.arms))), self.starts.bar.copy()
        for s, one in enumerate(self.lanes):
            own = np.flatnonzero(self.starts.place == s)
            own = own[np.argsort(self.starts.bar[own], kind="stable")]
            found = one.play(self.starts.bar[own], self.starts.side[own], self.arms.tolist())
            score[own] = found.score
            tally.take(found, np.ones(len(own), np.bool_))
            end[own] = np.maximum(end[own], found.end_bar.max(axis=1, initial=-1))
        return Outcome(score, self.market.time[end], tuple(tally.remarks(0)))

    def stepped(
        self, scaling: Scaling, count: int, number: int = 0, of: int | None = None
    ) -> SteppedLanes:
        """Lanes that play the starts from decision to decision."""
        return SteppedLanes(
            self.lanes,
            self.tables,
            self.starts,
            self.arms.tolist(),
            scaling,
            by_bar=self.when == "bar",
            count=count,
            number=number,
            of=of,
        )


def world_of(
    setup: Setup, strategy: str, terms: Terms, when: str = "bar", entries: str = "every"
) -> World:
    """What an exit of a bot learns from.

    Parameters
    ----------
    setup : Setup
    strategy : str
        A bot of it.
    terms : Terms
        One bar of its features is read, whatever their window.
    when : {"bar", "entry"}
        Decide at each close while held as well, or at the signal's close alone.
    entries : {"every", "bot"}
        Starts: each bar and side, or where the bot as configured has entered.

    Raises
    ------
    UsageError
        Under 500 entries of the bot, or no start.
    """
    choice("when", when, WHEN)
    choice("entries", entries, ENTRIES)
    calendars = tuple(x.calendar for x in setup.instruments)
    features = features_of(terms.features, 1)
    tables = Prepared(setup.market, calendars).feature_tables(features)
    exit_ = terms.exit_of(bot_of(setup, strategy))
    symbols = setup.market.symbols
    lanes = tuple(Lanes(setup, strategy, x, exit_, terms.max_bars) for x in symbols)
    starts = every_start(lanes, tables)
    if entries == "bot":
        starts = _of_bot(setup, strategy, starts)
    if not len(starts):
        raise UsageError(
            f"no bar to start from: the features {features.set} need {features.rows} bars, and the "
            f"last {terms.max_bars + AFTER} of the data are left out; take more bars, or a smaller "
            "learn.max_bars"
        )
    order = np.lexsort((-starts.side, starts.place, setup.market.time[starts.bar]))
    arms = np.array(terms.arms, np.float64)
    return World(
        setup.market,
        calendars,
        tables,
        lanes,
        starts.of(order),
        arms,
        when,
        Course.of(exit_, terms.max_bars),
        entries == "every",
    )


def _of_bot(setup: Setup, strategy: str, starts: Starts) -> Starts:
    """Those starts at which the bot as configured has decided to enter."""
    alone = replace(setup, strategies={strategy: setup.strategies[strategy]})
    run = Run(alone)
    run.to_end()
    orders = run.machine.orders()
    entered = orders[(orders["reduce_only"] == 0) & (orders["parent"] < 0) & (orders["filled"] > 0)]
    keys = _keys(entered["submitted"], entered["instrument"], entered["side"])
    found = starts.of(np.isin(_keys(starts.bar, starts.place, starts.side), keys))
    if len(found) < LEAST_ENTRIES:
        raise UsageError(
            f"learn.entries: bot has {len(found):,} entries to start from (of {len(keys):,} that "
            f"{strategy} made), it takes {LEAST_ENTRIES:,}: take more bars or symbols, or write "
            "entries: every"
        )
    return found


def _keys(bar: NDArray[np.int64], place: NDArray[np.int32], side: NDArray[np.int8]) -> Times:
    """One number for a bar, an instrument and a side."""
    made: Times = (bar.astype(np.int64) << 24) + (place.astype(np.int64) << 1) + (side > 0)
    return made
