"""What a bot does at the open and at the close of a bar, compiled.

`act_at_close`, and `act_at_open` in `caller`, are the only order of steps there is: the interpreted
run executes the same code objects with the rules' Python functions in place of their addresses
(`interpret`).
"""

from __future__ import annotations

import math
import types as python_types
from collections.abc import Callable
from typing import Any

from intrabar.kernel import carray, cfunc, code, inlined, kernel, rarely
from intrabar.model.enums import Gate, OrderType, Reject, Role, TimeInForce
from intrabar.sim import state
from intrabar.sim.costs import round_away
from intrabar.sim.hook import GO_ON
from intrabar.sim.hook import STOP as STOP_LOOP
from intrabar.sim.inbox import put, refuse
from intrabar.sim.state import Book
from intrabar.sim.tables import as_book, pointer
from intrabar.strategy.bot_record import (
    BOT,
    ask_arm,
    ask_arm_held,
    ask_levels,
    ask_out,
    ask_price,
    ask_side,
    ask_stop,
    day_of,
    forget_bars,
    has_bar,
    look,
    memory_at,
    one_bar_more,
    recorded_before,
    seen,
)
from intrabar.strategy.caller import (
    blocked_at,
    calendar_gate,
    count,
    is_entry,
    put_closing,
    put_order,
    take_back,
)
from intrabar.strategy.learner_record import LEARNER, is_filling
from intrabar.strategy.protection import is_level, protects
from intrabar.strategy.sizing import size_for_risk, size_of_equity

ATR = int(Gate.ATR)
DAILY_LOSS, SIZE_ZERO, MARGIN = int(Gate.DAILY_LOSS), int(Gate.SIZE_ZERO), int(Gate.MARGIN)
WARM_UP = int(Gate.WARM_UP)
SUBMIT, CANCEL, MOVE_STOP = code(state.SUBMIT), code(state.CANCEL), code(state.MOVE_STOP)
NONE, INVALID_PRICE = int(Reject.NONE), int(Reject.INVALID_PRICE)
NO_PROTECTION = int(Reject.NO_PROTECTION)
MARKET, STOP, LIMIT = int(OrderType.MARKET), int(OrderType.STOP), int(OrderType.LIMIT)
GTC, ROLE_TARGET = int(TimeInForce.GTC), int(Role.TARGET)
SAME_PRICE = 1e-4  # ticks
PLAIN, MAX_BARS = code(Role.PLAIN), code(Role.MAX_BARS)
ROLE_STOP = int(Role.STOP)


@inlined
def quantity(
    bot: Any, book: Book, j: int, side: int, price: float, stop: float, slips: bool
) -> float:
    """The size of an entry as the bot is told to choose it; returns as `size_for_risk`."""
    if bot.risk_fraction > 0.0:
        return size_for_risk(book, j, side, price, stop, bot.risk_fraction, slips)
    if bot.equity_fraction > 0.0:
        return size_of_equity(book, j, price, bot.equity_fraction)
    return bot.qty


@inlined
def watch_day(bot: Any, account: Any, i: int) -> None:
    """Remember the equity with which the day began, and halt it when too much of that is lost."""
    if bot.daily_loss <= 0.0:
        return
    day = day_of(bot, i)
    if day != bot.day_now:
        recorded = recorded_before(bot, i)
        bot.day_now = day
        bot.day_halted = 0
        bot.day_equity = recorded if not math.isnan(recorded) else account.equity
    if account.equity <= bot.day_equity * (1.0 - bot.daily_loss):
        bot.day_halted = 1


@inlined
def closed_gate(bot: Any, blocked: int) -> int:
    """The gate that keeps the bot from entering now, -1 when all are open."""
    gate = calendar_gate(blocked)
    if gate >= 0:
        return gate
    if bot.day_halted != 0:
        return DAILY_LOSS
    if bot.atr_column >= 0 and not seen(bot, bot.atr_column) >= bot.atr_least:
        return ATR
    return -1


@kernel
def is_leaving(book: Book, strategy: int, j: int) -> bool:
    """Whether an order that closes the position is working already."""
    k = book.instruments[j].head
    while k >= 0:
        order = book.orders[k]
        if order.strategy == strategy and order.role > ROLE_TARGET and order.reduce_only != 0:
            return True
        k = order.next
    return False


@kernel
def rests_at(bot: Any, book: Book, j: int, side: int, price: float) -> bool:
    """Whether the entry that rests has this side and, to the tick, this price; NaN: a market."""
    x = book.instruments[j]
    k = x.head
    while k >= 0:
        order = book.orders[k]
        if is_entry(order, bot.caller.strategy):
            if order.side != side:
                return False
            if math.isnan(price):
                return order.type == MARKET
            at = order.stop_price if order.type == STOP else order.limit_price
            return order.type == bot.entry_type and abs(at - price) <= SAME_PRICE * x.tick_size
        k = order.next
    return False


@inlined
def price_of_entry(bot: Any, book: Book, j: int, side: int) -> float:
    """Where the order of an entry will rest, on the tick; NaN for a market order."""
    if bot.price_rule == 0:
        return math.nan
    away = side if bot.entry_type == STOP else -side
    return round_away(ask_price(bot, side), book.instruments[j].tick_size, away)


@inlined
def seek(bot: Any, book: Book, i: int, j: int, rests: bool, known: bool) -> None:
    """Ask a flat bot for a side; take back what it no longer names; then try to enter."""
    side = ask_side(bot) if known else 0
    gate, price = -1, math.nan
    if side != 0:
        gate = WARM_UP if i < bot.warm_up else closed_gate(bot, blocked_at(bot.caller, i, j))
        price = price_of_entry(bot, book, j, side)
    if rests:
        if side != 0 and gate < 0 and rests_at(bot, book, j, side, price):
            return
        take_back(book, bot.caller.strategy, j)
    if side == 0:
        return
    if gate >= 0:
        count(bot.caller, j, gate)
        return
    enter(bot, book, i, j, side, price)


@inlined
def enter(bot: Any, book: Book, i: int, j: int, side: int, own: float) -> None:
    """Ask for the levels and the size, and submit the bracket; `own` is its price, if it rests."""
    if rarely(bot.decide_rule != 0) and ask_arm(bot, i, j, side) < 0:
        count(bot.caller, j, WARM_UP)
        return
    rests = not math.isnan(own)
    price = own if rests else seen(bot, bot.close_column)
    stop, target = ask_levels(bot, j, side, price)
    reject = NONE
    if rests and not 0.0 < own < math.inf:
        reject = INVALID_PRICE
    elif not protects(side, price, stop, target, book.instruments[j].tick_size):
        reject = NO_PROTECTION
    qty = bot.qty  # 0 where it would be sized
    if reject == NONE:
        qty = quantity(bot, book, j, side, price, stop, not rests or bot.entry_type == STOP)
        if qty <= 0.0:
            count(bot.caller, j, SIZE_ZERO if qty == 0.0 else MARGIN)
            return
    command = put_order(book, bot.caller.strategy, j, side, qty, stop, target)
    if reject != NONE:
        refuse(command, reject)
    elif rarely(bot.decide_rule != 0):
        remember(bot, book, j, command)
    if rests:
        command.type = bot.entry_type
        if bot.entry_type == STOP:
            command.stop_price = own
        else:
            command.limit_price = own


@kernel
def remember(bot: Any, book: Book, j: int, command: Any) -> None:
    """Keep which order a decision has led to, and its budget."""
    m = memory_at(bot, j)
    m.order = command.id
    if bot.risk_fraction > 0.0:
        m.budget = bot.risk_fraction * book.account[0].equity
    else:
        m.budget = command.qty * book.instruments[j].point_value * seen(bot, bot.exit_atr_column)


@inlined
def hold(bot: Any, book: Book, sleeve: Any, i: int, j: int, known: bool) -> None:
    """Leave a position where a rule wants out, else let the exit move its stop."""
    side = 1 if sleeve.qty > 0.0 else -1
    if sleeve.entries > 0 and bot.price_rule != 0:
        take_back(book, bot.caller.strategy, j)  # the rest of an entry that the volume has cut
    leaves = bot.out_rule != 0 or bot.exit_out_rule != 0
    is_over = bot.max_bars != 0 and one_bar_more(bot, j) >= bot.max_bars
    if leaves and known and ask_out(bot, side):
        leave(bot, book, sleeve, j, PLAIN)
    elif is_over:
        leave(bot, book, sleeve, j, MAX_BARS)
    elif bot.stop_rule != 0:
        if rarely(bot.held_rule != 0) and known:
            ask_arm_held(bot, i, j)
        trail(bot, book, sleeve, j)


@kernel
def leave(bot: Any, book: Book, sleeve: Any, j: int, role: int) -> None:
    """Close a position by a market order that only reduces it; one at a time."""
    if sleeve.entries > 0:
        if is_leaving(book, bot.caller.strategy, j):
            return
        if bot.price_rule == 0:
            take_back(book, bot.caller.strategy, j)
    command = put_closing(book, bot.caller.strategy, j, sleeve.qty)
    command.role = role
    if rarely(bot.decide_rule != 0):
        memory_at(bot, j).leaving = command.id


@kernel
def trail(bot: Any, book: Book, sleeve: Any, j: int) -> None:
    """Move the stop of an open position to where the exit wants it, if that is tighter."""
    side = 1 if sleeve.qty > 0.0 else -1
    wanted = ask_stop(bot, j, side, sleeve.avg, sleeve.stop)
    if not side * (wanted - sleeve.stop) > 0.0:
        return
    # One that the close has passed is a level: the market leaves at the next open.
    if not is_level(wanted, math.nan, -side, book.instruments[j].tick_size):
        refused = put_closing(book, bot.caller.strategy, j, sleeve.qty)
        refused.type = STOP
        refused.role = ROLE_STOP
        refused.stop_price = wanted
        refuse(refused, NO_PROTECTION)
        return
    command = put(book, MOVE_STOP)
    command.strategy = bot.caller.strategy
    command.instrument = j
    command.stop_price = wanted


@inlined
def act_at_close(bot: Any, book: Book, i: int) -> None:
    """One bot at one close: enter where flat, hold or leave where not. Phase: CLOSE, step 12."""
    n = bot.caller.instruments_count
    watch_day(bot, book.account[0], i)
    holds = bot.stop_rule != 0 or bot.out_rule != 0 or bot.exit_out_rule != 0
    holds = holds or bot.max_bars != 0
    may_rest = bot.price_rule != 0
    for j in range(n):
        sleeve = book.sleeves[bot.caller.strategy * n + j]
        is_held, rests = sleeve.qty != 0.0, sleeve.entries != 0
        if bot.max_bars != 0 and not is_held:
            forget_bars(bot, j)
        if not (holds or (may_rest and rests) if is_held else may_rest or not rests):
            continue
        if not has_bar(bot, i, j):  # there is nothing new to decide on
            if may_rest and rests and blocked_at(bot.caller, i, j) != 0:
                take_back(book, bot.caller.strategy, j)
            continue
        known = look(bot, i, j)
        if is_held:
            hold(bot, book, sleeve, i, j, known)
        elif known or rests:
            seek(bot, book, i, j, rests, known)


@cfunc("int64(int64, int64)")
def close_hook(context: int, i: int) -> int:
    """`on_close` of a compiled bot: the arrays behind the addresses of its context."""
    bot = carray(pointer(context), 1, BOT)[0]
    act_at_close(bot, as_book(bot.caller.book), i)
    if rarely(bot.decide_rule != 0) and is_filling(carray(pointer(bot.learner), 1, LEARNER)[0]):
        return STOP_LOOP
    return GO_ON


@kernel
def wake_where(column: Any, bits: int, wake: Any) -> None:
    """Set bits of the rows in which some instrument has a value that is neither 0 nor NaN."""
    if column.shape[1] == 1:
        alone = column.ravel()
        for i in range(column.shape[0]):  # many at a time
            wake[i] |= bits if abs(alone[i]) > 0.0 else 0
        return
    for i in range(column.shape[0]):
        for j in range(column.shape[1]):
            if abs(column[i, j]) > 0.0:
                wake[i] |= bits


def interpret(function: Any, replacements: dict[str, Callable[..., Any]]) -> Callable[..., Any]:
    """The Python function behind a kernel, with other functions under some of its names.

    The kernels that it calls are interpreted with the same replacements, so the order of steps
    is written once and runs compiled or under a debugger.
    """
    plain = function.py_func
    space = dict(plain.__globals__)
    copied = python_types.FunctionType(
        plain.__code__, space, plain.__name__, plain.__defaults__, plain.__closure__
    )
    for name in plain.__code__.co_names:
        called = space.get(name)
        if name in replacements:
            space[name] = replacements[name]
        elif hasattr(called, "py_func"):
            space[name] = interpret(called, replacements)
    return copied
