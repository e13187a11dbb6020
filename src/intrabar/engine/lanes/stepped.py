"""Lanes that are stepped from decision to decision, all by one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.lanes.lane import Fate, Lane, room_for
from intrabar.engine.lanes.lanes import Lanes
from intrabar.engine.tables.feature_table import FeatureTables
from intrabar.errors import ConfigError, RunError, UsageError
from intrabar.exits import TrailingATR
from intrabar.exits.policy_arrays import POSITION
from intrabar.indicators.elementwise import known_rows
from intrabar.sim import state
from intrabar.sim.loop import FULL
from intrabar.sim.room import grown
from intrabar.sim.state import Book
from intrabar.sim.tables import address_of, table_of
from intrabar.strategy.bot_record import BOT
from intrabar.strategy.caller import GATES
from intrabar.strategy.lane_room import (
    CHOOSE,
    DONE,
    EVERY,
    LANE,
    MORE,
    NONE,
    PLACE,
    SEEK,
    Offsets,
    Room,
    Scaling,
)
from intrabar.strategy.lane_steps import step

WORD = 8
PARTS = ("account", "instruments", "sleeves", "strategies")
SIZES = [x.itemsize // WORD for x in (state.ACCOUNT, state.INSTRUMENT, state.SLEEVE)]
STRATEGY_AT = sum(SIZES)
BOT_AT = STRATEGY_AT + state.STRATEGY.itemsize // WORD
GATES_AT = BOT_AT + BOT.itemsize // WORD
BARS_AT = GATES_AT + GATES
WORDS = BARS_AT + 1
FIRST_ROOM = 256  # records of a campaign; more are made where they are needed


def _word(record: np.dtype[Any], *names: str) -> int:
    """Where a field of a record lies, in words."""
    at = 0
    for name in names:
        assert record.fields is not None
        kind, offset = record.fields[name][:2]
        at, record = at + offset, kind
    return at // WORD


OFFSETS = Offsets(
    STRATEGY_AT,
    STRATEGY_AT + _word(state.STRATEGY, "context"),
    BOT_AT + _word(BOT, "caller", "book"),
    BOT_AT + _word(BOT, "caller", "counts"),
    BOT_AT + _word(BOT, "held"),
    GATES_AT,
    BARS_AT,
)
FIRST_TIER = SIZES[0] + _word(state.INSTRUMENT, "first_tier")


class Starts(NamedTuple):
    """Signals' closes at which campaigns may begin.

    Parameters
    ----------
    place : (m,) int32
        Which instrument of several.
    bar : (m,) int64
        Row of the timeline.
    side : (m,) int8
        1 or -1.
    """

    place: NDArray[np.int32]
    bar: NDArray[np.int64]
    side: NDArray[np.int8]

    def of(self, rows: Any) -> Starts:
        """Some of them."""
        return Starts(self.place[rows], self.bar[rows], self.side[rows])

    def __len__(self) -> int:
        return len(self.bar)


def every_start(lanes: Sequence[Lanes], tables: FeatureTables) -> Starts:
    """Each bar of each instrument whose features are known, long and short."""
    found = []
    for s, one in enumerate(lanes):
        table, bars = tables.tables[one.column], one.starts()
        whole = known_rows(table, tables.features.window)
        bars = np.repeat(bars[whole[tables.row_of[bars, one.column]]], 2)
        sides = np.tile(np.array([1, -1], np.int8), len(bars) // 2)
        found.append((np.full(len(bars), s, np.int32), bars, sides))
    return Starts(*(np.concatenate(x) for x in zip(*found, strict=True)))


class SteppedLanes:
    """Lanes that are stepped together, in one instrument or several.

    Parameters
    ----------
    lanes : sequence of Lanes
        One per instrument.
    tables : FeatureTables
        Of the whole market.
    starts : Starts
        Their `place` is one of `lanes`.
    arms : ATR multiples, rising
    scaling : Scaling
        Of the features.
    by_bar : bool
        Decide at each close while held as well.
    count : int
        How many lanes.
    number, of : int
        They are the lanes from `number` on, of so many that share the order of starts.

    Raises
    ------
    ConfigError
        The bot has rules that cannot be compiled; decisions at each bar of an exit that does not
        trail.
    """

    def __init__(
        self,
        lanes: Sequence[Lanes],
        tables: FeatureTables,
        starts: Starts,
        arms: Sequence[float],
        scaling: Scaling,
        *,
        by_bar: bool,
        count: int,
        number: int = 0,
        of: int | None = None,
    ) -> None:
        _require_steps(lanes, by_bar)
        self.starts, self._lanes = starts, [one.lane for one in lanes]
        inputs = len(tables.features.names) + (POSITION if by_bar else 0)
        self._kept: list[Any] = []
        tiers = np.concatenate([one.machine.book.tiers for one in self._lanes])
        memory = np.zeros((count, WORDS), np.int64)
        self._books = [_book(self._lanes[0], row, tiers) for row in memory]
        self._tables = np.array([table_of(book) for book in self._books])
        shape = self._tables.shape[1:]
        books = np.array([address_of(x, np.int64, shape) for x in self._tables], np.int64)
        self.room = Room(
            places=self._places(lanes, tables),
            lanes=np.zeros(count, LANE),
            memory=memory,
            flat=memory.copy(),
            books=books,
            own=np.array([_own(row, b) for row, b in zip(memory, books, strict=True)], np.int64),
            at=OFFSETS,
            start_place=np.ascontiguousarray(starts.place, np.int32),
            start_bar=np.ascontiguousarray(starts.bar, np.int64),
            start_side=np.ascontiguousarray(starts.side, np.int8),
            order=np.empty(0, np.int64),
            of=of or count,
            repeats=False,
            arms=np.array(arms, np.float64),
            scaling=scaling,
            by_bar=by_bar,
            max_bars=lanes[0].max_bars,
            seen=np.zeros((count, 1, inputs)),
            reward=np.zeros(count),
            ended=np.zeros(count, np.bool_),
            last=room_for(count, 1),
            steps=np.zeros(count, np.int64),
            first=np.zeros(count, np.int64),
            fates=np.zeros((len(Fate), len(arms)), np.int64),
            skipped=np.zeros(len(Fate), np.int64),
            scratch=np.zeros(POSITION),
        )
        self._number = number
        self._draw: np.random.Generator | None = None

    def begin(self, order: NDArray[np.int64] | np.random.Generator) -> None:
        """Give each lane its first start.

        Parameters
        ----------
        order : (n,) int64 or Generator
            The starts in their order, after which a lane is over; or what draws all of them in an
            order without repetition, and again when they are gone.
        """
        room, drawn = self.room, isinstance(order, np.random.Generator)
        self._draw = order if isinstance(order, np.random.Generator) else None
        first = np.empty(0, np.int64) if drawn else np.ascontiguousarray(order, np.int64)
        self.room = room._replace(order=first, repeats=drawn)
        room.lanes[:] = 0
        room.lanes["number"] = self._number + np.arange(len(room.lanes))
        room.lanes["due"] = SEEK
        self.step(np.zeros(len(room.lanes), np.int64))

    def step(self, arms: NDArray[np.int64]) -> None:
        """Take each lane on by one decision; what is seen then stands in `room`.

        Parameters
        ----------
        arms : (k,) int64
            Places in the arms.

        Raises
        ------
        UsageError
            No start can be entered.
        """
        self.room.ended[:] = False
        self.room.reward[:] = 0.0
        at = 0
        while True:
            at, why = step(self.room, arms, at)
            if why == DONE:
                return
            if why == MORE:
                self._more()
            elif why == FULL:
                self._grow(at)
            else:
                self._fail(at, why)

    @property
    def is_over(self) -> bool:
        """Whether no lane has a start left."""
        return bool((self.room.lanes["due"] != CHOOSE).all()) and self._draw is None

    @property
    def last_bar(self) -> int:
        """The last row of the timeline that the last step has touched."""
        room = self.room
        ends = room.last.end_bar[room.ended, 0].max(initial=-1)
        return max(int(ends), int(room.lanes["bar"].max()))

    def _more(self) -> None:
        assert self._draw is not None
        room = self.room
        if len(room.order) and room.skipped.sum() == room.lanes["drawn"].sum():
            self._fail(0, NONE)
        order = self._draw.permutation(len(self.starts))
        self.room = self.room._replace(order=np.concatenate([self.room.order, order]))

    def _grow(self, k: int) -> None:
        lane = self._lanes[self.room.lanes["place"][k]]
        self._books[k] = grown(self._books[k], lane.machine.tape)
        self._retell(k)

    def _retell(self, k: int) -> None:
        self._tables[k] = table_of(self._books[k])

    def _fail(self, k: int, why: int) -> None:
        if why != NONE:
            raise RunError(f"lane {k} cannot go on: a hook has failed ({why})")
        counts = {f.word: int(self.room.skipped[f]) for f in Fate if self.room.skipped[f]}
        raise UsageError(
            f"no start can be entered under any arm, of {self.room.skipped.sum():,} that were "
            f"tried: {counts}; give the account more cash, the bot more risk, or take smaller arms"
        )

    def _places(self, lanes: Sequence[Lanes], tables: FeatureTables) -> NDArray[Any]:
        """The records of the instruments; the arrays behind their addresses are kept."""
        places, tier = np.zeros(len(lanes), PLACE), 0
        for row, one in zip(places, lanes, strict=True):
            lane, bars = one.lane, len(one.market)
            flats = _flats(lane, bars, tier)
            tier += len(lane.machine.book.tiers)
            table = tables.tables[one.column]
            row_of = np.ascontiguousarray(tables.row_of[:bars, one.column], np.int64)
            after = np.searchsorted(one.real, np.arange(bars), "right")
            following = np.append(one.real, bars)[after].astype(np.int64)
            row["tape"], row["bars"] = lane.machine.tape_address, bars
            row["hooks_count"], row["rows"] = len(lane.hooks), len(table)
            row["cash"], row["risk_fraction"] = lane.bet.cash, lane.bet.risk_fraction
            arrays = {
                "flats": flats,
                "hooks": lane.hooks,
                "side": lane.bet.side,
                "multiple": lane.bet.multiple,
                "atr": lane.bet.atr,
                "table": table,
                "row_of": row_of,
                "next": following,
            }
            for name, array in arrays.items():
                row[name] = address_of(array, array.dtype, array.shape)
            self._kept.append(arrays)
        return places


def _require_steps(lanes: Sequence[Lanes], by_bar: bool) -> None:
    for one in lanes:
        if not one.lane.running.is_compiled:
            raise ConfigError(
                f"{one.bot.name} has a rule that cannot be compiled: no lane steps it"
            )
        if by_bar and not isinstance(one.lane.running.bot.exit, TrailingATR):
            raise ConfigError(
                "when: bar moves the stop at each close, and the exit fixed never does; write "
                "exit: trailing, or when: entry"
            )


def _flats(lane: Lane, bars: int, tier: int) -> NDArray[np.int64]:
    """Flat accounts at every 64th close, as rows of words."""
    for now, then in zip(lane.state, lane.first, strict=True):
        now[:] = then
    rows = np.empty((1 + (bars - 1) // EVERY, WORDS), np.int64)
    account = lane.machine.book.account
    for k, row in enumerate(rows):
        lane.machine.advance(k * EVERY, state.STEP_ON_CLOSE)
        account["cash"] = account["equity"] = account["carried_cash"] = lane.bet.cash
        account["fills"] = account["ledger"] = 0
        row[:] = np.concatenate(lane.state)
    rows[:, FIRST_TIER] += tier
    return rows


def _book(lane: Lane, row: NDArray[np.int64], tiers: NDArray[Any]) -> Book:
    """The book of one more lane, with its state in a row of words."""
    book, at = lane.machine.book, 0
    own: dict[str, Any] = {"tiers": tiers}
    for name in PARTS:
        part = getattr(book, name)
        size = part.nbytes // WORD
        own[name] = row[at : at + size].view(part.dtype)
        at += size
    for name in ("orders", "log", "fills"):
        own[name] = np.zeros(FIRST_ROOM, getattr(book, name).dtype)
    for name in ("inbox", "notices", "watched", "levels", "ledger"):
        own[name] = np.zeros_like(getattr(book, name))
    return book._replace(**own)


def _own(row: NDArray[np.int64], book: int) -> tuple[int, ...]:
    """The addresses that are a lane's own."""
    start = address_of(row, np.int64, (None,))
    return start + WORD * BOT_AT, book, start + WORD * GATES_AT, start + WORD * BARS_AT
