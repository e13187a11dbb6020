"""The one loop: it runs to the end, for some bars, or until a hook stops it, and goes on.

The account holds the place (bar and step), so a pause is a return and going on is a call. Bars on
which nothing can happen are passed in one stretch (`glide`); every other walks through the steps
of `fill-model` section 2 in `work_through`. Both leave the same bits.
"""

from __future__ import annotations

import math

import numpy as np

from intrabar.kernel import kernel
from intrabar.model.enums import RunStatus, Settlement
from intrabar.sim.access import as_book, as_tape
from intrabar.sim.actions import act
from intrabar.sim.close import close_phase
from intrabar.sim.costs import TOLERANCE
from intrabar.sim.hook import GO_ON, STOP, call_hook
from intrabar.sim.intrabar import intrabar_phase
from intrabar.sim.margin import equity_at_marks, maintenance_margin, net_position, open_profit
from intrabar.sim.open import cancel_immediate, mark_at_open, open_phase
from intrabar.sim.orders import MOC, is_market, is_stop, take_inbox
from intrabar.sim.state import (
    STEP_CLOSE,
    STEP_END,
    STEP_INTRABAR,
    STEP_LATE_NOTICES,
    STEP_NEW,
    STEP_NOTICES,
    STEP_ON_CLOSE,
    STEP_ON_OPEN,
    STEP_OPEN,
    WAKE_FLAT,
    WAKE_HELD,
    WAKE_OPEN,
    Book,
    Tape,
)

RUINED = int(RunStatus.RUINED)
DAILY = int(Settlement.DAILY)

# Why the loop came back.
ENDED, PAUSED, FULL, BROKEN = 0, 1, 2, 3


@kernel
def has_room(book: Book) -> bool:
    """Whether every array can take what the rest of the bar may add at most.

    Each order that works or waits in the inbox may fill, be done, and bring two children, which may
    fill and be done as well; each sleeve may be split, rolled, liquidated, closed at the end of
    data, paid a dividend and settled, and each instrument charged for its nights.
    """
    account = book.account[0]
    sleeves = book.sleeves.shape[0]
    most = 3 * (account.working + account.inbox) + 6 * sleeves + 1
    return (
        book.orders.shape[0] - account.orders >= most
        and book.fills.shape[0] - account.fills >= most
        and book.notices.shape[0] - account.notices >= 2 * most
        and book.levels.shape[0] - account.levels >= account.inbox
        and book.ledger.shape[0] - account.ledger >= 5 * sleeves + 1
    )


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


@kernel
def obey(book: Book, code: int) -> bool:
    """Take a hook's answer; False when it failed."""
    if code == STOP:
        book.account[0].stop = 1
    return code == GO_ON or code == STOP


@kernel
def deliver(book: Book) -> bool:
    """Give the notices of fills and orders to their strategies, in the order they happened."""
    account = book.account[0]
    for n in range(account.notices):
        strategy = book.strategies[book.notices[n].strategy]
        if not obey(book, call_hook(strategy.on_notice, strategy.context, n)):
            return False
    account.notices = 0
    return True


@kernel
def wake_at_open(book: Book, tape: Tape, i: int) -> bool:
    """Run `on_open` of the strategies that want this bar."""
    book.account[0].equity = equity_at_marks(book)
    for s in range(book.strategies.shape[0]):
        strategy = book.strategies[s]
        if strategy.on_open != 0 and tape.wake[i, s] & WAKE_OPEN != 0:
            if not obey(book, call_hook(strategy.on_open, strategy.context, i)):
                return False
    return True


@kernel
def wake_at_close(book: Book, tape: Tape, i: int) -> bool:
    """Run `on_close` of the strategies that want this bar."""
    for s in range(book.strategies.shape[0]):
        strategy = book.strategies[s]
        wanted = wakes_at(book, s) & ~WAKE_OPEN
        if strategy.on_close != 0 and tape.wake[i, s] & wanted != 0:
            if not obey(book, call_hook(strategy.on_close, strategy.context, i)):
                return False
    return True


@kernel
def touch(book: Book, j: int) -> tuple[float, float]:
    """Between which two prices no order of an instrument can trigger.

    Anything that must be looked at in any case (a market order, a market-on-close) makes the band
    empty.
    """
    up, down = np.inf, -np.inf
    k = book.instruments[j].head
    while k >= 0:
        order = book.orders[k]
        if order.type == MOC or is_market(order):
            return -np.inf, np.inf
        stops = is_stop(order)
        price = order.stop_price if stops else order.limit_price
        if stops == (order.side > 0):
            up = min(up, price)
        else:
            down = max(down, price)
        k = order.next
    tolerance = TOLERANCE * book.instruments[j].tick_size
    return up - tolerance, down + tolerance


@kernel
def last_calm_bar(book: Book, tape: Tape, i: int, end: int) -> int:
    """How far no more than prices can change: up to a bar before which something must be done."""
    account = book.account[0]
    if account.timed > 0 or account.pending > 0 or account.trailing > 0 or account.converts:
        return i
    if account.close_at_end and end == tape.time.shape[0]:
        end -= 1
    if account.actions < tape.actions.shape[0]:
        end = min(end, tape.actions[account.actions].bar)
    return end


@kernel
def glide(book: Book, tape: Tape, i: int, end: int) -> int:
    """Value bars on which no order can trigger and nobody wants to act; the first other one.

    Parameters
    ----------
    i, end : bars
        From `i` on, and not beyond `end`.
    """
    account = book.account[0]
    end = last_calm_bar(book, tape, i, end)
    if i >= end:
        return i
    n, strategies = book.instruments.shape[0], book.strategies.shape[0]
    watched, holding, working = book.watched, 0, 0
    for j in range(n):
        x = book.instruments[j]
        if x.head >= 0:
            x.up, x.down = touch(book, j)
            watched[n + working] = j
            working += 1
        if account.open_sleeves > 0 and is_held(book, j):
            watched[holding] = j
            holding += 1
    wanted = wakes_at(book, 0)
    cash = account.cash
    equity = account.equity
    start = i
    while i < end:
        if strategies == 1:
            if tape.wake[i, 0] & wanted != 0:
                break
        elif is_wanted(book, tape, i):
            break
        if working > 0 and may_trigger(book, tape, i, working):
            break
        if account.nights and i > 0 and tape.day[i] != tape.day[i - 1]:
            break
        equity = cash
        if holding > 0:
            worst, required = cash, 0.0
            settles = False
            for h in range(holding):
                j = watched[h]
                close = tape.close[i, j]
                net = net_position(book, j)
                price = close
                if net != 0.0 and not math.isnan(tape.open[i, j]):
                    price = tape.low[i, j] if net > 0.0 else tape.high[i, j]
                required += maintenance_margin(book, j, net, close)
                worst += open_profit(book, j, price)
                equity += open_profit(book, j, close)
                settles = settles or tape.session_end[i, j] != 0
            if not worst >= required or (settles and account.settlement == DAILY):
                break
        if not equity > 0.0:
            break
        tape.equity[i] = equity
        i += 1
    if i > start:
        account.equity = tape.equity[i - 1]
    return i


@kernel
def is_wanted(book: Book, tape: Tape, i: int) -> bool:
    """Whether one of several strategies wants a bar."""
    for s in range(book.strategies.shape[0]):
        if tape.wake[i, s] & wakes_at(book, s) != 0:
            return True
    return False


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


@kernel
def take_step(book: Book, tape: Tape, i: int, step: int) -> int:
    """Take one step of a bar; GO_ON, or why the loop must come back."""
    account = book.account[0]
    if step == STEP_OPEN:
        act(book, tape, i)
        mark_at_open(book, tape, i)
        open_phase(book, tape, i, False)
    elif step == STEP_ON_OPEN:
        if account.wakes_at_open and not wake_at_open(book, tape, i):
            return BROKEN
    elif step == STEP_NEW:
        if account.inbox > 0:
            take_inbox(book, step, tape.time[i])
            open_phase(book, tape, i, True)
        cancel_immediate(book, tape, i, False)
    elif step == STEP_INTRABAR:
        intrabar_phase(book, tape, i)
    elif step == STEP_NOTICES or step == STEP_LATE_NOTICES:
        if account.notices > 0 and not deliver(book):
            return BROKEN
    elif step == STEP_CLOSE:
        take_inbox(book, step, tape.time[i])
        close_phase(book, tape, i)
    elif step == STEP_ON_CLOSE:
        take_inbox(book, step, tape.time[i])
        if not wake_at_close(book, tape, i):
            return BROKEN
    else:
        take_inbox(book, step, tape.time[i])
    return GO_ON


@kernel
def work_through(book: Book, tape: Tape, until_step: int) -> int:
    """Take the steps of the present bar from where the account stands; why it came back.

    ENDED when the bar is done, or the account ruined.
    """
    account = book.account[0]
    i = account.bar
    for step in range(account.step, STEP_END + 1):
        if step >= until_step:
            return PAUSED
        account.step = step
        if not has_room(book):
            return FULL
        code = take_step(book, tape, i, step)
        if code != GO_ON:
            return code
        if account.status == RUINED:
            return ENDED
        if step < STEP_END:
            account.step = step + 1
        else:
            account.bar = i + 1
            account.step = STEP_OPEN
        if account.stop != 0:
            account.stop = 0
            return PAUSED
    return ENDED


@kernel
def run(book_table: int, tape_table: int, until_bar: int, until_step: int) -> int:
    """Advance to a place, or to the end of the tape; returns why it came back.

    Parameters
    ----------
    book_table, tape_table : int
        Addresses of the tables of the run's arrays (`access.table_of`).
    until_bar, until_step : int
        Where to stop: before this step of this bar (`STEP_*`).

    Returns
    -------
    ENDED (end of the tape, or ruin), PAUSED (the place is reached, or a hook asked to stop), FULL
    (an array must grow; nothing is lost, call again), BROKEN (a hook failed).
    """
    book, tape = as_book(book_table), as_tape(tape_table)
    account = book.account[0]
    bars = tape.time.shape[0]
    while account.bar < bars and account.status != RUINED:
        if account.step == STEP_OPEN:
            account.bar = glide(book, tape, account.bar, min(until_bar, bars))
        i = account.bar
        if i > until_bar or (i == until_bar and account.step >= until_step):
            return PAUSED
        if i == bars:
            break
        code = work_through(book, tape, until_step if i == until_bar else STEP_END + 1)
        if code != ENDED:
            return code
    return ENDED
