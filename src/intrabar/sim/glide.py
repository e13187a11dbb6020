"""Gliding over the bars on which nothing can happen: they are valued, and that is all.

What a bar that is walked through step by step would leave, a bar that is passed leaves as well,
to the bit (decision 0014).
"""

from __future__ import annotations

import math

import numpy as np

from intrabar.kernel import carray, inlined, kernel
from intrabar.model.enums import Settlement
from intrabar.sim.intrabar import touch
from intrabar.sim.margin import OF_THE_LARGER, is_ruined, maintenance_margin
from intrabar.sim.open import read_volume
from intrabar.sim.processor import LANES, fetch_ahead, stay_between, value_eight, zeros_below
from intrabar.sim.state import (
    STEP_ON_CLOSE,
    STEP_OPEN,
    WAKE_FLAT,
    WAKE_HELD,
    WAKE_OPEN,
    Book,
    Tape,
)
from intrabar.sim.tables import address, pointer

DAILY = int(Settlement.DAILY)
LOOK_AHEAD = 128  # bars
SURELY = 2.0  # nearer to ruin than twice what is equal to 0, the bar is walked and judged there


@kernel
def wakes_at(book: Book, s: int) -> int:
    """The bits of `Tape.wake` on which a strategy wants a bar, flat or in a position as it is."""
    held = book.strategies[s].open_sleeves
    bits = WAKE_OPEN
    if held > 0:
        bits |= WAKE_HELD
    if held < book.instruments.shape[0]:
        bits |= WAKE_FLAT
    return bits


@inlined
def is_calm(book: Book) -> bool:
    """Whether nothing but prices can change while no order triggers."""
    account = book.account[0]
    return (
        account.inbox == 0
        and account.notices == 0  # a strategy hears of what was refused at the last close
        and account.timed == 0
        and account.pending == 0
        and account.trailing == 0
        and account.converts == 0
        and account.outside == 0
    )


@inlined
def glide(book: Book, tape: Tape, i: int, end: int) -> int:
    """Value bars on which no order can trigger and nothing is due; the first other one.

    A bar at whose close a strategy wants to be called is valued, and left at STEP_ON_CLOSE.

    Parameters
    ----------
    i, end : bars
        From `i` on, and not beyond `end`.
    """
    account = book.account[0]
    if account.close_at_end and end == tape.time.shape[0]:
        end -= 1
    if account.actions < tape.actions.shape[0]:
        end = min(end, tape.actions[account.actions].bar)
    if i >= end or not is_calm(book):
        return i
    for j in range(book.instruments.shape[0]):
        x = book.instruments[j]
        if x.head >= 0:
            x.up, x.down = touch(book, j)
            if x.up < x.down:
                return i  # an order that fills on any bar
    start = i
    if book.sleeves.shape[0] == 1 and account.nights == 0 and account.settlement != DAILY:
        i = glide_one(book, tape, i, end)
    else:
        i = glide_many(book, tape, i, end)
    passed = i + (account.step == STEP_ON_CLOSE)
    if passed > start and account.working > 0:
        meet_opens(book, tape, start, passed)
    if i > start and account.step == STEP_OPEN:
        account.equity = tape.equity[i - 1]
        if i == end:  # else the open of the next bar marks them anew
            mark_at_close(book, tape, i - 1)
    return i


@kernel
def meet_opens(book: Book, tape: Tape, start: int, stop: int) -> None:
    """Orders that an open has passed have met a market: they are makers from then on."""
    for j in range(book.instruments.shape[0]):
        k = book.instruments[j].head
        i = start if k >= 0 else stop
        while i < stop and math.isnan(tape.open[i, j]):
            i += 1
        while k >= 0 and i < stop:
            book.orders[k].fresh = 0
            k = book.orders[k].next


@kernel
def mark_at_close(book: Book, tape: Tape, i: int) -> None:
    """Value every instrument at its close: an action before the next open, or a pause, sees it."""
    for j in range(book.instruments.shape[0]):
        book.instruments[j].mark = tape.close[i, j]
    book.account[0].free = np.nan


@inlined
def leave_at_close(book: Book, tape: Tape, i: int) -> None:
    """Let the loop go on with STEP_ON_CLOSE of a bar that has been valued."""
    account = book.account[0]
    for j in range(book.instruments.shape[0]):
        book.instruments[j].mark = tape.close[i, j]
        if account.reads_volume:
            read_volume(book.instruments[j], tape, i, j)
    account.equity = tape.equity[i]
    account.step = STEP_ON_CLOSE


@inlined
def next_wanted(tape: Tape, i: int, end: int, wanted: int) -> int:
    """The first bar from `i` on that the only strategy wants; `end` where there is none."""
    start = address(tape.wake, 0)
    eight = np.uint64(wanted) * np.uint64(0x0101010101010101)
    while i + 8 <= end:  # eight bars at a time
        found = carray(pointer(start + i), 1, np.uint64)[0] & eight
        if found != 0:
            return i + zeros_below(found) // 8
        i += 8
    while i < end and tape.wake[i, 0] & wanted == 0:
        i += 1
    return min(i, end)


@inlined
def fetch_bar(book: Book, tape: Tape, i: int) -> None:
    """Ask for what will be read when bar `i` comes: waiting for memory is most of its cost."""
    for k in range(i, i + 3 * LANES, LANES):
        fetch_ahead(address(tape.open, k))
        fetch_ahead(address(tape.high, k))
        fetch_ahead(address(tape.low, k))
        fetch_ahead(address(tape.close, k))
    strategy = book.strategies[0]
    reads = carray(pointer(strategy.reads), strategy.reads_count, np.int64)
    for c in range(strategy.reads_count):
        fetch_ahead(reads[c] + 8 * i)


@inlined
def look_on(book: Book, tape: Tape, i: int, end: int, wanted: int) -> None:
    """Find the bar that is wanted after this stretch, and ask for what it will read."""
    account = book.account[0]
    due = next_wanted(tape, i, end, wanted)
    account.due_from, account.due = i, due
    account.due_bits = wanted if due < end else 0
    fetch_bar(book, tape, due)


@inlined
def glide_one(book: Book, tape: Tape, i: int, end: int) -> int:
    """`glide` for one strategy in one instrument."""
    account = book.account[0]
    wanted = wakes_at(book, 0)
    cash, equity = account.cash, tape.equity
    is_idle = account.working == 0 and book.sleeves[0].qty == 0.0 and cash > 0.0
    while i < end:
        ahead = min(i + LOOK_AHEAD, end)
        if account.due_bits == wanted and account.due_from <= i <= account.due:
            due = min(account.due, ahead)
        else:
            due = next_wanted(tape, i, ahead, wanted)
        if due < ahead:
            look_on(book, tape, due + 1, min(due + LOOK_AHEAD, end), wanted)
        is_asked = due < ahead and tape.wake[due, 0] & wanted & WAKE_OPEN == 0
        stop = due + is_asked
        if is_idle:
            for passed in range(i, stop):
                equity[passed] = cash
            i = stop
        else:
            i = value_bars(book, tape, i, stop)
        if is_asked and i == stop:
            leave_at_close(book, tape, due)
            return due
        if i < ahead:
            return i
    return i


@inlined
def value_bars(book: Book, tape: Tape, i: int, stop: int) -> int:
    """Value the only instrument while no order triggers and the margin holds; where that ends."""
    account, sleeve, x = book.account[0], book.sleeves[0], book.instruments[0]
    cash, works, up, down = account.cash, account.working > 0, x.up, x.down
    qty, basis, point_value = sleeve.qty, sleeve.basis, x.point_value
    margin, rate = x.maintenance_margin * x.fx, x.maintenance_margin_rate
    ruin = SURELY * OF_THE_LARGER * abs(qty) * point_value  # of a close
    opens, highs, lows, closes = tape.open, tape.high, tape.low, tape.close
    worst, equity = lows if qty > 0.0 else highs, tape.equity
    by_eights = i + LANES <= stop
    while by_eights and i < stop:
        at = min(i, stop - LANES)  # the last eight may overlap the ones before
        if works:
            bars = address(opens, at), address(highs, at), address(lows, at), address(closes, at)
            if not stay_between(*bars, up, down):
                break
        rows = address(closes, at), address(worst, at), address(equity, at)
        if not value_eight(*rows, cash, qty, basis, point_value, margin, rate, ruin):
            break
        i = at + LANES
    while i < stop:
        close = closes[i, 0]
        if works:
            open_, high, low = opens[i, 0], highs[i, 0], lows[i, 0]
            if high >= up or low <= down or close >= up or close <= down:
                break
            if open_ >= up or open_ <= down:
                break
        value, least = cash, 0.0
        if qty != 0.0:
            price = worst[i, 0]
            if math.isnan(price):
                price = close  # there is no bar
            required = abs(qty) * (margin + rate * abs(close) * point_value)
            if not cash + qty * (price - basis) * point_value >= required:
                break
            value += qty * (close - basis) * point_value
            least = ruin * abs(close)
        if not value > least:
            break
        equity[i] = value
        i += 1
    return i


@kernel
def glide_many(book: Book, tape: Tape, i: int, end: int) -> int:
    """`glide` for any number of instruments and strategies."""
    account = book.account[0]
    n, strategies = book.instruments.shape[0], book.strategies.shape[0]
    watched, holding, working = book.watched, 0, 0
    for j in range(n):
        if book.instruments[j].head >= 0:
            watched[n + working] = j
            working += 1
        if account.open_sleeves > 0 and is_held(book, j):
            watched[holding] = j
            holding += 1
    wanted = wakes_at(book, 0)
    while i < end:
        bits = tape.wake[i, 0] & wanted
        if strategies > 1:
            bits = wanted_bits(book, tape, i)
        if bits & WAKE_OPEN != 0 or (working > 0 and may_trigger(book, tape, i, working)):
            return i
        if account.nights and i > 0 and tape.day[i] != tape.day[i - 1]:
            return i
        equity, worst, required, gross = account.cash, account.cash, 0.0, 0.0
        for h in range(holding):
            j = watched[h]
            if account.settlement == DAILY and tape.session_end[i, j]:
                return i
            now = value_held(book, tape, i, j)
            equity, worst = equity + now[0], worst + now[1]
            required, gross = required + now[2], gross + now[3]
        if not worst >= required or is_ruined(equity, gross):
            return i
        tape.equity[i] = equity
        if bits != 0:
            leave_at_close(book, tape, i)
            return i
        i += 1
    return i


@inlined
def value_held(book: Book, tape: Tape, i: int, j: int) -> tuple[float, float, float, float]:
    """Open profit at the close and at the worst price, maintenance margin, and worth of a bar.

    Of one instrument, in the same steps as where each is asked for alone (`margin`).
    """
    n, x, close = book.instruments.shape[0], book.instruments[j], tape.close[i, j]
    net = held = 0.0
    for k in range(j, book.sleeves.shape[0], n):
        qty = book.sleeves[k].qty
        net += qty
        held += abs(qty)
    price, required = close, 0.0
    if net != 0.0:
        required = maintenance_margin(book, j, net, close)
        if not math.isnan(tape.open[i, j]):
            price = tape.low[i, j] if net > 0.0 else tape.high[i, j]
    profit = worst = 0.0
    for k in range(j, book.sleeves.shape[0], n):
        sleeve = book.sleeves[k]
        if sleeve.qty != 0.0:
            profit += sleeve.qty * (close - sleeve.basis) * x.point_value
            worst += sleeve.qty * (price - sleeve.basis) * x.point_value
    return profit, worst, required, held * abs(close) * x.point_value


@kernel
def wanted_bits(book: Book, tape: Tape, i: int) -> int:
    """What several strategies want of a bar."""
    bits = 0
    for s in range(book.strategies.shape[0]):
        bits |= tape.wake[i, s] & wakes_at(book, s)
    return bits


@kernel
def is_held(book: Book, j: int) -> bool:
    """Whether a strategy has a position in an instrument."""
    for k in range(j, book.sleeves.shape[0], book.instruments.shape[0]):
        if book.sleeves[k].qty != 0.0:
            return True
    return False


@kernel
def may_trigger(book: Book, tape: Tape, i: int, working: int) -> bool:
    """Whether a bar comes to the price of an order, in the instruments that have one."""
    n = book.instruments.shape[0]
    for w in range(n, n + working):
        j = book.watched[w]
        up, down = book.instruments[j].up, book.instruments[j].down
        if tape.high[i, j] >= up or tape.low[i, j] <= down:
            return True
        if tape.open[i, j] >= up or tape.open[i, j] <= down:
            return True
        if tape.close[i, j] >= up or tape.close[i, j] <= down:
            return True
    return False
