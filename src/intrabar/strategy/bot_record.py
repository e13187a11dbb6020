"""What a compiled bot is given, and how it reads what lies behind the addresses in it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intrabar.kernel import carray, inlined, kernel
from intrabar.sim.tables import pointer
from intrabar.strategy.caller import CALLER
from intrabar.strategy.learner_record import LEARNER, memory_of
from intrabar.strategy.rules import (
    call_decide,
    call_held,
    call_levels,
    call_out,
    call_price,
    call_side,
    call_stop,
)

# What a compiled bot is given: numbers, and addresses of arrays.
BOT = np.dtype(
    [
        ("caller", CALLER),
        ("columns_count", "i8"),
        ("columns", "i8"),  # (columns,) addresses of (t, n) float64
        ("now", "i8"),  # (columns,) float64, what the rules may see
        ("levels", "i8"),  # (2,) float64, stop and target that a rule has answered
        ("day", "i8"),  # (t,) int64, the day that a bar belongs to
        ("entry_rule", "i8"),
        ("entry_p", "i8"),
        ("levels_rule", "i8"),
        ("stop_rule", "i8"),
        ("out_rule", "i8"),  # of the entry, 0 for none
        ("exit_out_rule", "i8"),
        ("price_rule", "i8"),  # of an entry that rests at a price, 0 for none
        ("entry_type", "i8"),  # OrderType of such an entry
        ("exit_p", "i8"),
        ("exit_width", "i8"),  # words from one instrument's to the next's; 0: all have the same
        ("decide_rule", "i8"),  # of an exit that learns, 0 for none
        ("held_rule", "i8"),  # of one that decides at each close as well
        ("learner", "i8"),
        ("draw_column", "i8"),  # -1 where nothing is explored
        ("exit_atr_column", "i8"),
        ("warm_up", "i8"),  # bars before the first decision
        ("max_bars", "i8"),  # that a position may be held, 0 for any number
        ("held", "i8"),  # (n,) int64, bars that the present position has been held
        ("risk_fraction", "f8"),  # of the equity at risk per campaign; 0: fixed quantity
        ("equity_fraction", "f8"),  # of the equity held per campaign; 0: by risk or quantity
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


# What touches memory behind an address; the interpreted run has Python functions in their place.


@inlined
def ask_side(bot: Any) -> int:
    """Ask the entry for a side."""
    return call_side(bot.entry_rule, bot.now, bot.entry_p)


@kernel
def ask_out(bot: Any, side: int) -> bool:
    """Ask the entry and the exit whether the position should be left."""
    out = bot.out_rule != 0 and call_out(bot.out_rule, bot.now, bot.entry_p, side) != 0
    if not out and bot.exit_out_rule != 0:
        out = call_out(bot.exit_out_rule, bot.now, bot.exit_p, side) != 0
    return out


@kernel
def ask_price(bot: Any, side: int) -> float:
    """Ask the entry at which price its order should rest; NaN for a market order."""
    return call_price(bot.price_rule, bot.now, bot.entry_p, side)


@inlined
def ask_levels(bot: Any, j: int, side: int, price: float) -> tuple[float, float]:
    """Ask the exit for the first stop and target."""
    p = bot.exit_p + 8 * bot.exit_width * j
    call_levels(bot.levels_rule, bot.now, p, side, price, bot.levels)
    levels = carray(pointer(bot.levels), 2, np.float64)
    return levels[0], levels[1]


@kernel
def ask_stop(bot: Any, j: int, side: int, entry: float, stop: float) -> float:
    """Ask the exit where the stop should be now."""
    p = bot.exit_p + 8 * bot.exit_width * j
    return call_stop(bot.stop_rule, bot.now, p, side, entry, stop)


@kernel
def ask_arm(bot: Any, i: int, j: int, side: int) -> int:
    """Let an exit that learns choose the arm of an entry; below 0 where it cannot."""
    draw = seen(bot, bot.draw_column) if bot.draw_column >= 0 else 1.0
    return call_decide(bot.decide_rule, bot.learner, i, j, side, draw)


@kernel
def ask_arm_held(bot: Any, i: int, j: int) -> None:
    """Let an exit that learns choose the arm of an open position anew."""
    atr = seen(bot, bot.exit_atr_column)
    caller = bot.caller
    call_held(bot.held_rule, bot.learner, caller.book, i, j, caller.strategy, atr)


@kernel
def memory_at(bot: Any, j: int) -> Any:
    """What an exit that learns remembers of an instrument."""
    return memory_of(carray(pointer(bot.learner), 1, LEARNER)[0], j)


@inlined
def look(bot: Any, i: int, j: int) -> bool:
    """Read the columns of one instrument at bar `i`; whether all of them are known."""
    n = bot.caller.instruments_count
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
    n = bot.caller.instruments_count
    return not math.isnan(carray(pointer(bot.opens), (i + 1) * n, np.float64)[i * n + j])


@kernel
def one_bar_more(bot: Any, j: int) -> int:
    """Count a bar of a position; how many there are now."""
    held = carray(pointer(bot.held), bot.caller.instruments_count, np.int64)
    held[j] += 1
    return held[j]


@kernel
def forget_bars(bot: Any, j: int) -> None:
    """Count the bars of the next position from 0."""
    carray(pointer(bot.held), bot.caller.instruments_count, np.int64)[j] = 0


@kernel
def day_of(bot: Any, i: int) -> int:
    """The day that a bar belongs to."""
    return carray(pointer(bot.day), i + 1, np.int64)[i]


@kernel
def recorded_before(bot: Any, i: int) -> float:
    """The equity at the close before, NaN on the first bar."""
    return carray(pointer(bot.caller.equity), i, np.float64)[i - 1] if i > 0 else math.nan
