"""The one loop: it runs to the end, for some bars, or until a hook stops it, and goes on.

The account holds the place (bar and step), so a pause is a return and going on is a call. A bar
on which nothing can happen takes the short way (`pass_quietly`); every other walks through the
steps of `fill-model` section 2 in `work_through`. Both leave the same bits.
"""

from __future__ import annotations

from intrabar.kernel import kernel
from intrabar.model.enums import RunStatus
from intrabar.sim.access import as_book, as_tape
from intrabar.sim.close import close_phase, worst_is_covered
from intrabar.sim.hook import GO_ON, STOP, call_hook
from intrabar.sim.intrabar import intrabar_phase
from intrabar.sim.margin import equity_at_marks, open_profit
from intrabar.sim.open import cancel_immediate, mark_at_open, open_phase
from intrabar.sim.orders import set_touch, take_inbox
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

# Why the loop came back.
ENDED, PAUSED, FULL, BROKEN = 0, 1, 2, 3


@kernel
def has_room(book: Book) -> bool:
    """Whether every array can take what the rest of the bar may add at most.

    Each order that works or waits in the inbox may be done, and may bring two children, which may
    be done as well; each sleeve may be liquidated, and closed at the end of data.
    """
    account = book.account[0]
    most = 3 * (account.working + account.inbox) + 2 * book.sleeves.shape[0] + 1
    return (
        book.orders.shape[0] - 1 - account.working >= most
        and book.log.shape[0] - account.log >= most
        and book.fills.shape[0] - account.fills >= most
        and book.notices.shape[0] - account.notices >= 2 * most
        and book.levels.shape[0] - account.levels >= account.inbox
    )


@kernel
def is_awake(book: Book, tape: Tape, i: int, s: int) -> bool:
    """Whether a strategy wants this bar's close, flat or in a position as it is."""
    bits = tape.wake[i, s]
    held = book.strategies[s].open_sleeves
    return (bits & WAKE_HELD != 0 and held > 0) or (
        bits & WAKE_FLAT != 0 and held < book.instruments.shape[0]
    )


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
        if strategy.on_close != 0 and is_awake(book, tape, i, s):
            if not obey(book, call_hook(strategy.on_close, strategy.context, i)):
                return False
    return True


@kernel
def pass_quietly(book: Book, tape: Tape, i: int) -> bool:
    """Value a bar on which no order can trigger and nobody wants to act; False if it is not one."""
    account = book.account[0]
    if account.timed > 0 or account.pending > 0:
        return False
    for s in range(book.strategies.shape[0]):
        if tape.wake[i, s] != 0 and (
            tape.wake[i, s] & WAKE_OPEN != 0 or is_awake(book, tape, i, s)
        ):
            return False
    if account.working > 0:
        for j in range(book.instruments.shape[0]):
            up, down = book.instruments[j].touch_up, book.instruments[j].touch_down
            if tape.high[i, j] >= up or tape.low[i, j] <= down:
                return False
            if tape.open[i, j] >= up or tape.open[i, j] <= down:
                return False
            if tape.close[i, j] >= up or tape.close[i, j] <= down:
                return False
    equity = account.cash
    if account.open_sleeves > 0:
        if not worst_is_covered(book, tape, i):
            return False
        for j in range(book.instruments.shape[0]):
            equity += open_profit(book, j, tape.close[i, j])
    if equity <= 0.0:
        return False
    account.equity = equity
    tape.equity[i] = equity
    tape.cash[i] = account.cash
    return True


@kernel
def work_through(book: Book, tape: Tape, until_step: int) -> int:
    """Take the steps of the present bar from where the account stands; why it came back.

    A step that finds an array too full returns before it has changed anything.
    """
    account = book.account[0]
    i = account.bar
    while account.step < until_step:
        step = account.step
        if (step == STEP_OPEN or account.inbox > 0) and not has_room(book):
            return FULL
        if step == STEP_OPEN:
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
            if account.status == RUINED:
                return ENDED
        elif step == STEP_ON_CLOSE:
            take_inbox(book, step, tape.time[i])
            if not wake_at_close(book, tape, i):
                return BROKEN
        else:
            take_inbox(book, step, tape.time[i])
            for j in range(book.instruments.shape[0]):
                set_touch(book, j)
            account.bar = i + 1
            account.step = STEP_OPEN
            return ENDED
        account.step = step + 1
        if account.stop != 0:
            account.stop = 0
            return PAUSED
    return PAUSED


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
    last = tape.time.shape[0] - 1
    while account.bar <= last and account.status != RUINED:
        i = account.bar
        if i > until_bar or (i == until_bar and account.step >= until_step):
            return PAUSED
        if i < until_bar and account.step == STEP_OPEN:
            if not (i == last and account.close_at_end) and pass_quietly(book, tape, i):
                account.bar = i + 1
                continue
        code = work_through(book, tape, until_step if i == until_bar else STEP_END + 1)
        if code != ENDED:
            return code
    return ENDED
