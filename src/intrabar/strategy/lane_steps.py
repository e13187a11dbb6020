"""Campaigns that are stepped from decision to decision, many side by side, by one call.

As in `lane_kernel`, nothing here fills, stops or costs: each lane is a book of its own, put to the
bytes of a flat account at a signal's close, and the one loop takes it on to the next close at which
an exit would be asked. The arm that was chosen is the ATR multiple of the lane's exit until then.

All that a lane begins with lies in one row of words, so that nothing can be forgotten when it is
put back.
"""

from __future__ import annotations

import math

import numpy as np

from intrabar.exits.network import normalise
from intrabar.exits.position import marked_profit, tell_position
from intrabar.kernel import carray, inlined, kernel
from intrabar.model.enums import Gate
from intrabar.sim.loop import ENDED, PAUSED, run_one
from intrabar.sim.state import STEP_ON_CLOSE, STEP_OPEN, Book
from intrabar.sim.tables import as_book_of_one, pointer
from intrabar.strategy.lane_kernel import (
    PLAYED,
    WARMS_UP,
    Bet,
    Words,
    begin_with,
    budget_of,
    copy,
    fate_of,
    read,
)
from intrabar.strategy.lane_room import (
    CHOOSE,
    DONE,
    EVERY,
    MORE,
    NONE,
    OVER,
    READY,
    RUN,
    SEEK,
    Floats,
    Room,
)

GATES = len(Gate)


@kernel
def step(room: Room, arms: Words, first: int) -> tuple[int, int]:
    """Take all lanes on by one decision: with its arm to the next one, or to a campaign's end.

    A lane whose campaign ends begins with its next start at once.

    Parameters
    ----------
    room : Room
    arms : (k,) int64
        What each has chosen; places in `Room.arms`.
    first : int
        Lane to go on with, where a call before came back for it.

    Returns
    -------
    (lane, why)
        DONE; MORE, NONE; or what the loop came back for in this lane, to be called again.
    """
    for k in range(first, room.lanes.shape[0]):
        lane = room.lanes[k]
        if lane.due == CHOOSE:
            lane.steps += 1
            lane.arm = arms[k]
            if math.isnan(lane.budget):
                code = enter(room, k, lane.arm)
                if code != PAUSED and code != ENDED:
                    lane.steps -= 1
                    return k, code
                _begin(room, k)
            lane.multiple = room.arms[lane.arm]
            lane.due = RUN
        if lane.due == RUN:
            code = _run(room, k)
            if code != PAUSED and code != ENDED:
                return k, code
        if lane.due == SEEK:
            code = _seek(room, k)
            if code != DONE:
                return k, code
    for k in range(room.lanes.shape[0]):
        if room.lanes[k].due == READY:
            room.lanes[k].due = CHOOSE
    return room.lanes.shape[0], DONE


@inlined
def put_at(room: Room, k: int) -> int:
    """Let a lane be flat at the close of its bar, before its hooks; why the loop came back."""
    lane = room.lanes[k]
    place = room.places[lane.place]
    words = room.memory.shape[1]
    flats = carray(pointer(place.flats), (1 + (place.bars - 1) // EVERY, words), np.int64)
    copy(room.memory[k], flats[lane.bar // EVERY])
    room.memory[k, room.at.book] = room.own[k, 1]
    room.memory[k, room.at.counts] = room.own[k, 2]
    room.memory[k, room.at.held] = room.own[k, 3]
    code = run_one(room.books[k], place.tape, lane.bar, STEP_ON_CLOSE)
    begin_with(as_book_of_one(room.books[k]).account[0], place.cash)
    copy(room.flat[k], room.memory[k])
    return code


@inlined
def enter(room: Room, k: int, arm: int) -> int:
    """Let the bot of a lane decide at the close of its bar; why the loop came back."""
    lane = room.lanes[k]
    place, at = room.places[lane.place], room.at
    copy(room.memory[k], room.flat[k])
    hooks = carray(pointer(place.hooks), place.hooks_count, np.int64)
    copy(room.memory[k, at.strategy : at.strategy + place.hooks_count], hooks)
    room.memory[k, at.context] = room.own[k, 0]
    side = carray(pointer(place.side), place.bars, np.float64)
    carray(pointer(place.multiple), 1, np.float64)[0] = room.arms[arm]
    side[lane.bar] = lane.side
    code = run_one(room.books[k], place.tape, lane.bar + 1, STEP_OPEN)
    side[lane.bar] = 0.0
    return code


@inlined
def _begin(room: Room, k: int) -> None:
    """Note the budget of a decision that has just been made; 0 where there is no order."""
    lane = room.lanes[k]
    place, book = room.places[lane.place], as_book_of_one(room.books[k])
    bet = Bet(
        carray(pointer(place.side), (place.bars, 1), np.float64),
        carray(pointer(place.multiple), 1, np.float64),
        carray(pointer(place.atr), (place.bars, 1), np.float64),
        place.cash,
        place.risk_fraction,
    )
    mark = book.instruments[0].mark
    lane.budget, lane.wanted = budget_of(book, bet, lane.bar, lane.side, mark)
    lane.budget = 0.0 if math.isnan(lane.budget) else lane.budget


@inlined
def _run(room: Room, k: int) -> int:
    """Take a lane on to the next decision or the campaign's end; why the loop came back."""
    lane = room.lanes[k]
    place, book = room.places[lane.place], as_book_of_one(room.books[k])
    while True:
        if _is_over(book):
            _end(room, k)
            return ENDED
        until = place.bars
        if room.by_bar:
            until = carray(pointer(place.next), place.bars, np.int64)[lane.bar]
        carray(pointer(place.multiple), 1, np.float64)[0] = lane.multiple
        part = STEP_ON_CLOSE if until < place.bars else STEP_OPEN
        code = run_one(room.books[k], place.tape, until, part)
        if code != PAUSED and code != ENDED:
            return code
        if code == ENDED or _is_over(book):
            _end(room, k)
            return ENDED
        lane.bar = until
        if _is_asked(room, k, book):
            profit = _so_far(book)
            room.reward[k] = profit / lane.budget - lane.profit / lane.budget
            lane.profit = profit
            lane.due = READY
            return PAUSED
        lane.multiple = math.inf


@inlined
def _is_over(book: Book) -> bool:
    """Whether a campaign has ended, or has never begun and cannot any more."""
    account, sleeve = book.account[0], book.sleeves[0]
    for f in range(account.fills):
        if book.fills[f].position == 0.0:
            return True
    return sleeve.qty == 0.0 and sleeve.entries == 0


@inlined
def _so_far(book: Book) -> float:
    """What a campaign has gained so far, marked, less the costs that it has paid."""
    gross, costs = 0.0, 0.0
    for f in range(book.account[0].fills):
        gross += book.fills[f].realized
        costs += book.fills[f].cost
    return gross + marked_profit(book.sleeves[0], book.instruments[0]) - costs


@inlined
def _is_asked(room: Room, k: int, book: Book) -> bool:
    """Write down what the exit sees at this close; whether it would be asked there.

    It is not where nothing is held yet, where the position leaves by its age, and where something
    is not known: the stop stays there.
    """
    lane = room.lanes[k]
    place, sleeve = room.places[lane.place], book.sleeves[0]
    bars = room.memory[k, room.at.bars] + 1  # the bot counts this one when it is called
    if sleeve.qty == 0.0 or bars >= room.max_bars:
        return False
    atr = carray(pointer(place.atr), place.bars, np.float64)[lane.bar]
    widest = room.arms[room.arms.shape[0] - 1]
    x, profit = book.instruments[0], _so_far(book)
    tell_position(sleeve, x, profit, lane.budget, bars, room.max_bars, atr, widest, room.scratch)
    return _see(room, k, room.scratch)


@inlined
def _see(room: Room, k: int, position: Floats) -> bool:
    """Write down the features of a lane's bar, and its position; whether all are numbers."""
    lane = room.lanes[k]
    place = room.places[lane.place]
    row = carray(pointer(place.row_of), place.bars, np.int64)[lane.bar]
    table = carray(pointer(place.table), (place.rows, room.scaling.mean.shape[0]), np.float64)
    return normalise(room.scaling, table[row : row + 1], lane.side, position, room.seen[k])


@inlined
def _end(room: Room, k: int) -> None:
    """Write down the campaign that has ended."""
    lane, at = room.lanes[k], room.at
    book = as_book_of_one(room.books[k])
    counts = room.memory[k, at.gates : at.gates + GATES]
    before = room.flat[k, at.gates : at.gates + GATES]
    read(book, counts, before, lane.budget, lane.wanted, room.last, k, 0)
    fate = room.last.fate[k, 0]
    room.fates[fate, lane.arm] += 1
    if fate == PLAYED:
        room.reward[k] = room.last.net[k, 0] / lane.budget - lane.profit / lane.budget
    room.ended[k], room.steps[k], room.first[k] = True, lane.steps, lane.start
    lane.due = SEEK


@inlined
def _seek(room: Room, k: int) -> int:
    """Give a lane its next start: one that some arm can enter."""
    lane, missed = room.lanes[k], 0
    lane.budget, lane.profit, lane.steps = math.nan, 0.0, 0
    while True:
        turn = lane.number + lane.drawn * room.of
        if turn >= room.order.shape[0]:
            if room.repeats:
                return MORE
            lane.due = OVER
            room.seen[k] = 0.0
            return DONE
        lane.start = room.order[turn]
        lane.place = room.start_place[lane.start]
        lane.bar, lane.side = room.start_bar[lane.start], room.start_side[lane.start]
        code = put_at(room, k)
        if code != PAUSED:
            return code
        book = as_book_of_one(room.books[k])
        for arm in range(room.arms.shape[0]):
            code = enter(room, k, arm)
            if code != PAUSED and code != ENDED:
                return code
            if book.account[0].working > 0:
                break
        lane.drawn += 1
        room.scratch[:] = 0.0
        position = room.scratch if room.by_bar else room.scratch[:0]
        is_known = _see(room, k, position)
        if is_known and book.account[0].working > 0:
            lane.due = READY
            return DONE
        counts = room.memory[k, room.at.gates : room.at.gates + GATES]
        before = room.flat[k, room.at.gates : room.at.gates + GATES]
        room.skipped[fate_of(book, counts, before) if is_known else WARMS_UP] += 1
        missed += 1
        if missed > room.start_bar.shape[0]:
            return NONE
