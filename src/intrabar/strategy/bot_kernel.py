"""What a bot does at the open and at the close of a bar, compiled.

`act_at_close` and `act_at_open` are the only order of steps there is: the interpreted run executes
the same code objects with the rules' Python functions in place of their addresses (`interpret`).
"""

from __future__ import annotations

import math
import types as python_types
from collections.abc import Callable
from typing import Any

import numpy as np

from intrabar.kernel import carray, cfunc, code, inlined, kernel
from intrabar.model.enums import Gate, OrderType, Role, TimeInForce
from intrabar.sim import state
from intrabar.sim.access import as_book, pointer
from intrabar.sim.costs import lots_down, round_down, round_up, slipped
from intrabar.sim.inbox import put
from intrabar.sim.state import Book
from intrabar.strategy.rules import call_levels, call_side, call_stop

# What a compiled bot is given: numbers, and addresses of arrays.
BOT = np.dtype(
    [
        ("strategy", "i8"),
        ("instruments_count", "i8"),
        ("columns_count", "i8"),
        ("book", "i8"),
        ("columns", "i8"),  # (columns,) addresses of (t, n) float64
        ("now", "i8"),  # (columns,) float64, what the rules may see
        ("levels", "i8"),  # (2,) float64, stop and target that a rule has answered
        ("blocked", "i8"),  # (t, n) uint8, bits 1 << Gate known from the calendar; 0 for none
        ("flatten", "i8"),  # (t, n) uint8, 1 at opens where positions are closed; 0 for none
        ("day", "i8"),  # (t,) int64, the day that a bar belongs to
        ("equity", "i8"),  # (t,) float64, recorded equity
        ("counts", "i8"),  # (n, gates) int64, how often each gate blocked
        ("entry_rule", "i8"),
        ("entry_p", "i8"),
        ("levels_rule", "i8"),
        ("stop_rule", "i8"),
        ("exit_p", "i8"),
        ("warm_up", "i8"),  # bars before the first decision
        ("risk_fraction", "f8"),  # of the equity at risk per campaign; 0: fixed quantity
        ("qty", "f8"),
        ("close_column", "i8"),  # of the bar's close among the columns
        ("opens", "i8"),  # (t, n) float64, NaN where an instrument has no bar
        ("atr_column", "i8"),  # of the ATR gate, -1 for none
        ("atr_least", "f8"),
        ("daily_loss", "f8"),  # fraction of the day's first equity, 0 for none
        ("day_now", "i8"),
        ("day_equity", "f8"),
        ("day_halted", "i8"),
    ]
)

SESSION, ATR, FLATTEN = int(Gate.SESSION), int(Gate.ATR), int(Gate.FLATTEN)
DAILY_LOSS, SIZE_ZERO, MARGIN = int(Gate.DAILY_LOSS), int(Gate.SIZE_ZERO), int(Gate.MARGIN)
WARM_UP, NO_LEVELS = int(Gate.WARM_UP), int(Gate.NO_LEVELS)
GATES = len(Gate)
SUBMIT, MOVE_STOP = code(state.SUBMIT), code(state.MOVE_STOP)
MARKET, GTC = int(OrderType.MARKET), int(TimeInForce.GTC)
PLAIN, ROLE_SESSION = int(Role.PLAIN), int(Role.SESSION)


# What touches memory behind an address; the interpreted run has Python functions in their place.


@inlined
def ask_side(bot: Any) -> int:
    """Ask the entry for a side."""
    return call_side(bot.entry_rule, bot.now, bot.entry_p)


@inlined
def ask_levels(bot: Any, side: int, price: float) -> tuple[float, float]:
    """Ask the exit for the first stop and target."""
    call_levels(bot.levels_rule, bot.now, bot.exit_p, side, price, bot.levels)
    levels = carray(pointer(bot.levels), 2, np.float64)
    return levels[0], levels[1]


@kernel
def ask_stop(bot: Any, side: int, entry: float, stop: float) -> float:
    """Ask the exit where the stop should be now."""
    return call_stop(bot.stop_rule, bot.now, bot.exit_p, side, entry, stop)


@inlined
def look(bot: Any, i: int, j: int) -> bool:
    """Read the columns of one instrument at bar `i`; whether all of them are known."""
    n = bot.instruments_count
    columns = carray(pointer(bot.columns), bot.columns_count, np.int64)
    now = carray(pointer(bot.now), bot.columns_count, np.float64)
    known = True
    for column in range(bot.columns_count):
        value = carray(pointer(columns[column]), (i + 1) * n, np.float64)[i * n + j]
        now[column] = value
        known = known and not math.isnan(value)
    return known


@kernel
def seen(bot: Any, column: int) -> float:
    """A column as it was looked up."""
    return carray(pointer(bot.now), bot.columns_count, np.float64)[column]


@kernel
def has_bar(bot: Any, i: int, j: int) -> bool:
    """Whether an instrument has a real bar."""
    n = bot.instruments_count
    return not math.isnan(carray(pointer(bot.opens), (i + 1) * n, np.float64)[i * n + j])


@kernel
def blocked_at(bot: Any, i: int, j: int) -> int:
    """The gates that the calendar closes, as bits."""
    if bot.blocked == 0:
        return 0
    n = bot.instruments_count
    return int(carray(pointer(bot.blocked), (i + 1) * n, np.uint8)[i * n + j])


@kernel
def flattens_at(bot: Any, i: int, j: int) -> bool:
    """Whether positions are closed at this open."""
    n = bot.instruments_count
    return carray(pointer(bot.flatten), (i + 1) * n, np.uint8)[i * n + j] != 0


@kernel
def day_of(bot: Any, i: int) -> int:
    """The day that a bar belongs to."""
    return carray(pointer(bot.day), i + 1, np.int64)[i]


@kernel
def recorded_before(bot: Any, i: int) -> float:
    """The equity at the close before, NaN on the first bar."""
    return carray(pointer(bot.equity), i, np.float64)[i - 1] if i > 0 else math.nan


@kernel
def count(bot: Any, j: int, gate: int) -> None:
    """Count a gate that has blocked."""
    counts = carray(pointer(bot.counts), (bot.instruments_count, GATES), np.int64)
    counts[j, gate] += 1


@inlined
def put_order(
    book: Book, strategy: int, j: int, side: int, qty: float, stop: float, target: float
) -> Any:
    """Leave a market order in the inbox, with the bracket that its fill brings to life."""
    command = put(book, SUBMIT)
    command.strategy = strategy
    command.instrument = j
    command.side = side
    command.type = MARKET
    command.tif = GTC
    command.role = PLAIN
    command.qty = qty
    command.stop_loss = stop
    command.take_profit = target
    return command


@kernel
def margin_of_one(account: Any, x: Any, price: float) -> float:
    """Initial margin of one contract of an instrument at a price, account currency."""
    rate = max(x.initial_margin_rate, 1.0) if account.cash_account else x.initial_margin_rate
    return x.initial_margin * x.fx + rate * abs(price) * x.point_value


@kernel
def margin_in_use(book: Book) -> float:
    """Initial margin of all positions at the present marks, account currency."""
    account, instruments, sleeves = book.account[0], book.instruments, book.sleeves
    n = instruments.shape[0]
    used = 0.0
    if account.open_sleeves == 0:
        return used
    for j in range(n):
        net = 0.0
        for k in range(j, sleeves.shape[0], n):
            net += sleeves[k].qty
        if net != 0.0:
            used += abs(net) * margin_of_one(account, instruments[j], instruments[j].mark)
    return used


@inlined
def quantity(bot: Any, book: Book, j: int, side: int, price: float, stop: float) -> float:
    """How much to buy or sell so that the stop costs the risk that was asked for.

    `risk_per_unit = |entry - stop| * point_value + slippage of entry and stop + commissions of
    both`, then at most what the equity that is free covers in initial margin (fill model, section
    7). `price` is the last close, the best guess of the entry; the stop counts where the order
    will lie, on the tick, and each commission at its slipped price.

    Returns
    -------
    float
        Whole lots; 0 where the risk is too small for one, negative where the margin is.
    """
    if bot.risk_fraction <= 0.0:
        return bot.qty
    account, x = book.account[0], book.instruments[j]
    placed = round_down(stop, x.tick_size) if side > 0 else round_up(stop, x.tick_size)
    # The impact of a quantity that is not known yet is left out.
    entry_fill, stop_fill = slipped(x, side, price, 0.0), slipped(x, -side, placed, 0.0)
    commissions = 2.0 * x.commission_per_contract * x.fx + x.commission_rate * x.point_value * (
        abs(entry_fill) + abs(stop_fill)
    )
    risk = side * (entry_fill - stop_fill) * x.point_value + commissions
    at_risk = account.equity * bot.risk_fraction - 2.0 * x.fee_per_trade * x.fx
    if not risk > 0.0:
        return 0.0
    qty = lots_down(at_risk / risk, x.lot)
    margin = margin_of_one(account, x, price)
    if qty > 0.0 and margin > 0.0:
        most = lots_down((account.equity - margin_in_use(book)) / margin, x.lot)
        if most < x.lot:
            return -1.0
        qty = min(qty, most)
    return max(qty, 0.0)


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
    if blocked & (1 << SESSION):
        return SESSION
    if blocked & (1 << FLATTEN):
        return FLATTEN
    if bot.day_halted != 0:
        return DAILY_LOSS
    if bot.atr_column >= 0 and not seen(bot, bot.atr_column) >= bot.atr_least:
        return ATR
    return -1


@inlined
def enter(bot: Any, book: Book, i: int, j: int) -> None:
    """Ask a flat bot for a side, and if nothing stands against it submit the bracket."""
    side = ask_side(bot)
    if side == 0:
        return
    gate = WARM_UP if i < bot.warm_up else closed_gate(bot, blocked_at(bot, i, j))
    if gate >= 0:
        count(bot, j, gate)
        return
    price = seen(bot, bot.close_column)
    stop, target = ask_levels(bot, side, price)
    if not side * (price - stop) > 0.0:
        count(bot, j, NO_LEVELS)
        return
    qty = quantity(bot, book, j, side, price, stop)
    if qty <= 0.0:
        count(bot, j, SIZE_ZERO if qty == 0.0 else MARGIN)
        return
    put_order(book, bot.strategy, j, side, qty, stop, target)


@kernel
def trail(bot: Any, book: Book, sleeve: Any, j: int) -> None:
    """Move the stop of an open position to where the exit wants it, if that is tighter."""
    side = 1 if sleeve.qty > 0.0 else -1
    wanted = ask_stop(bot, side, sleeve.avg, sleeve.stop)
    if not side * (wanted - sleeve.stop) > 0.0:
        return
    command = put(book, MOVE_STOP)
    command.strategy = bot.strategy
    command.instrument = j
    command.stop_price = wanted


@inlined
def act_at_close(bot: Any, book: Book, i: int) -> None:
    """One bot at one close: enter where flat, move the stop where not. Phase: CLOSE, step 12."""
    n = bot.instruments_count
    watch_day(bot, book.account[0], i)
    for j in range(n):
        sleeve = book.sleeves[bot.strategy * n + j]
        acts = bot.stop_rule != 0 if sleeve.qty != 0.0 else sleeve.entries == 0
        if not acts or not has_bar(bot, i, j):
            continue  # without a bar there is nothing new to decide on
        known = look(bot, i, j)
        if sleeve.qty != 0.0:
            trail(bot, book, sleeve, j)
        elif known:
            enter(bot, book, i, j)


@kernel
def act_at_open(bot: Any, book: Book, i: int) -> None:
    """One bot at one open: close what may not stay over the maintenance break. Phase: OPEN."""
    n = bot.instruments_count
    for j in range(n):
        qty = book.sleeves[bot.strategy * n + j].qty
        if qty != 0.0 and flattens_at(bot, i, j):
            side = -1 if qty > 0.0 else 1
            command = put_order(book, bot.strategy, j, side, abs(qty), np.nan, np.nan)
            command.role = ROLE_SESSION
            command.reduce_only = 1


@cfunc("int64(int64, int64)")
def close_hook(context: int, i: int) -> int:
    """`on_close` of a compiled bot: the arrays behind the addresses of its context."""
    bot = carray(pointer(context), 1, BOT)[0]
    act_at_close(bot, as_book(bot.book), i)
    return 0


@cfunc("int64(int64, int64)")
def open_hook(context: int, i: int) -> int:
    """`on_open` of a compiled bot."""
    bot = carray(pointer(context), 1, BOT)[0]
    act_at_open(bot, as_book(bot.book), i)
    return 0


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
