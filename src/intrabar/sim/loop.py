"""The one loop: it runs to the end, for some bars, or until a hook stops it, and goes on.

The account holds the place (bar and step), so a pause is a return and going on is a call. Bars on
which nothing can happen are passed in one stretch (`glide`); every other walks through the steps
of `fill-model` section 2 in `work_through`. Both leave the same bits.
"""

from __future__ import annotations

from typing import Any

from intrabar.kernel import code as code_of
from intrabar.kernel import inlined, kernel
from intrabar.model.enums import RunStatus
from intrabar.sim.actions import act
from intrabar.sim.close import close_phase
from intrabar.sim.glide import glide, wakes_at
from intrabar.sim.hook import GO_ON, STOP, call_hook
from intrabar.sim.inbox import has_room_for_hook
from intrabar.sim.intrabar import intrabar_phase
from intrabar.sim.margin import equity_at_marks
from intrabar.sim.open import cancel_immediate, mark_at_open, open_phase, read_volume
from intrabar.sim.orders import take_inbox
from intrabar.sim.outside import take_reports
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
    WAKE_OPEN,
    Book,
    Tape,
)
from intrabar.sim.tables import as_book, as_book_of_one, as_tape, as_tape_of_one

RUINED = int(RunStatus.RUINED)
NO_ACTIONS = code_of(0)

# Why the loop came back.
ENDED, PAUSED, FULL, BROKEN, LOST = 0, 1, 2, 3, 4


@inlined
def most_of_bar(account: Any, sleeves: int, actions: int) -> int:
    """How many records of one kind the rest of a bar may add at most.

    Each order that works or waits in the inbox may fill, be done, and bring two children, which may
    fill and be done as well, and so may each report from outside; each sleeve may be split or
    rolled by each action, liquidated, closed at the end of data and settled, and each instrument
    charged for its nights.
    """
    orders = account.working + account.inbox + account.reports
    return 3 * orders + (6 + 2 * actions) * sleeves + 1


@inlined
def has_room(book: Book, actions: int) -> bool:
    """Whether every array can take what the rest of the bar may add, with so many actions."""
    account = book.account[0]
    most = most_of_bar(account, book.sleeves.shape[0], actions)
    return (
        book.orders.shape[0] - account.orders >= most
        and book.log.shape[0] - account.log >= most
        and book.fills.shape[0] - account.fills >= most
        and book.notices.shape[0] - account.notices >= 2 * most
        and book.levels.shape[0] - account.levels >= account.inbox + account.reports
        and book.ledger.shape[0] - account.ledger >= most
    )


@kernel
def actions_of(book: Book, tape: Tape, i: int) -> int:
    """How many actions take effect in a bar."""
    first = book.account[0].actions
    k = first
    while k < tape.actions.shape[0] and tape.actions[k].bar <= i:
        k += 1
    return k - first


@inlined
def obey(book: Book, code: int) -> bool:
    """Take a hook's answer; False when it failed."""
    if code == STOP:
        book.account[0].stop = 1
    return code == GO_ON or code == STOP


# The steps that call hooks go by `account.turn`: whatever interrupts them, no hook is called twice.


@inlined
def call(book: Book, turn: int, hook: int, context: int, argument: int) -> int:
    """Call a hook when it is its turn; ENDED, FULL before it, BROKEN after it.

    `turn` is whose turn it is then: one that fails is not called again.
    """
    account = book.account[0]
    account.turn = turn
    if not has_room_for_hook(book):
        return FULL
    account.turn = turn + 1
    account.waited = account.inbox
    return ENDED if obey(book, call_hook(hook, context, argument)) else BROKEN


@inlined
def deliver(book: Book) -> int:
    """Give the notices of fills and orders to their strategies, in the order they happened."""
    account = book.account[0]
    for n in range(account.turn, account.notices):
        strategy = book.strategies[book.notices[n].strategy]
        if strategy.on_notice != 0:  # one that was taken off is told nothing more
            code = call(book, n, strategy.on_notice, strategy.context, n)
            if code != ENDED:
                return code
    account.turn = 0
    account.notices = 0
    return ENDED


@kernel
def wake_at_open(book: Book, tape: Tape, i: int) -> int:
    """Run `on_open` of the strategies that want this bar."""
    account = book.account[0]
    account.equity = equity_at_marks(book)
    for s in range(account.turn, book.strategies.shape[0]):
        strategy = book.strategies[s]
        if strategy.on_open != 0 and tape.wake[i, s] & WAKE_OPEN != 0:
            code = call(book, s, strategy.on_open, strategy.context, i)
            if code != ENDED:
                return code
    account.turn = 0
    return ENDED


@inlined
def wake_at_close(book: Book, tape: Tape, i: int) -> int:
    """Run `on_close` of the strategies that want this bar."""
    account = book.account[0]
    for s in range(account.turn, book.strategies.shape[0]):
        strategy = book.strategies[s]
        wanted = wakes_at(book, s) & ~WAKE_OPEN
        if strategy.on_close != 0 and tape.wake[i, s] & wanted != 0:
            code = call(book, s, strategy.on_close, strategy.context, i)
            if code != ENDED:
                return code
    account.turn = 0
    return ENDED


@inlined
def take_commands(book: Book, tape: Tape, step: int) -> int:
    """Take what waits in the inbox: ENDED, FULL or LOST."""
    account = book.account[0]
    if account.lost > 0:
        return LOST
    if account.inbox > 0:
        if not has_room(book, NO_ACTIONS):
            return FULL
        take_inbox(book, tape, step)
    return ENDED


@inlined
def work_through(book: Book, tape: Tape, until: int) -> int:
    """Take the steps of the present bar from where the account stands; why it came back.

    ENDED when the bar is done, or the account ruined. A step is left for the next one only when
    it is done; a hook that asks to stop is obeyed after its step.
    """
    account = book.account[0]
    i, step, fills_here = account.bar, account.step, account.outside == 0
    if step == STEP_OPEN:
        if not has_room(book, actions_of(book, tape, i)):
            return FULL
        if account.reads_volume:
            for j in range(book.instruments.shape[0]):
                read_volume(book.instruments[j], tape, i, j)
        if account.actions < tape.actions.shape[0]:
            act(book, tape, i)
        mark_at_open(book, tape, i)
        if fills_here:
            open_phase(book, tape, i, False)
        step = STEP_ON_OPEN
    if step == STEP_ON_OPEN:
        if step >= until:
            return leave(account, step, PAUSED)
        if account.wakes_at_open:
            account.step = step
            code = wake_at_open(book, tape, i)
            if code != ENDED:
                return code
        step = STEP_NEW
        if account.stop:
            return leave(account, step, PAUSED)
    if step == STEP_NEW:
        if step >= until:
            return leave(account, step, PAUSED)
        if account.inbox > 0:
            code = take_commands(book, tape, step)
            if code != ENDED:
                return leave(account, step, code)
            if fills_here:
                open_phase(book, tape, i, True)
        if fills_here:
            cancel_immediate(book, tape, i, False)
        step = STEP_INTRABAR
    if step == STEP_INTRABAR:
        if step >= until:
            return leave(account, step, PAUSED)
        if fills_here:
            intrabar_phase(book, tape, i)
        step = STEP_NOTICES
    if step == STEP_NOTICES:
        if step >= until:
            return leave(account, step, PAUSED)
        if account.notices > 0:
            account.step = step
            code = deliver(book)
            if code != ENDED:
                return code
        step = STEP_CLOSE
        if account.stop:
            return leave(account, step, PAUSED)
    if step == STEP_CLOSE:
        if step >= until:
            return leave(account, step, PAUSED)
        code = take_commands(book, tape, step)
        if code != ENDED:
            return leave(account, step, code)
        close_phase(book, tape, i)
        if account.status == RUINED:
            return leave(account, step, ENDED)
        step = STEP_LATE_NOTICES
    return work_on(book, tape, i, step, until)


@inlined
def work_on(book: Book, tape: Tape, i: int, step: int, until: int) -> int:
    """The steps of a bar after its valuation at the close."""
    account = book.account[0]
    if step == STEP_LATE_NOTICES:
        if step >= until:
            return leave(account, step, PAUSED)
        if account.notices > 0:
            account.step = step
            code = deliver(book)
            if code != ENDED:
                return code
        step = STEP_ON_CLOSE
        if account.stop:
            return leave(account, step, PAUSED)
    if step == STEP_ON_CLOSE:
        if step >= until:
            return leave(account, step, PAUSED)
        if account.turn == 0:  # else they are this step's own
            code = take_commands(book, tape, step)
            if code != ENDED:
                return leave(account, step, code)
        account.step = step
        code = wake_at_close(book, tape, i)
        if code != ENDED:
            return code
        step = STEP_END
        if account.stop:
            return leave(account, step, PAUSED)
    if step >= until:
        return leave(account, step, PAUSED)
    code = take_commands(book, tape, step)
    if code != ENDED:
        return leave(account, step, code)
    account.bar = i + 1
    return leave(account, STEP_OPEN, ENDED)


@kernel
def leave(account: Any, step: int, why: int) -> int:
    """Note the step that comes next, and say why the loop comes back."""
    account.step = step
    account.stop = 0
    return why


@kernel
def advance(book: Book, tape: Tape, until_bar: int, until_step: int) -> int:
    """Advance to a place, or to the end of the tape; returns why it came back (`run`)."""
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
    (an array must grow; nothing is lost, call again), BROKEN (a hook failed), LOST (a compiled hook
    has put more than the inbox holds).
    """
    return advance(as_book(book_table), as_tape(tape_table), until_bar, until_step)


@kernel
def run_one(book_table: int, tape_table: int, until_bar: int, until_step: int) -> int:
    """`run` for one strategy in one instrument."""
    book, tape = as_book_of_one(book_table), as_tape_of_one(tape_table)
    return advance(book, tape, until_bar, until_step)


@kernel
def report(book_table: int, tape_table: int) -> int:
    """Take what is reported from outside, between two calls of `run`; ENDED or FULL."""
    book = as_book(book_table)
    if not has_room(book, NO_ACTIONS):
        return FULL
    take_reports(book, as_tape(tape_table))
    return ENDED
