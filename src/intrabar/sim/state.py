"""The state of a run: plain arrays that hold everything, the loop's own place included.

A copy of the arrays is a snapshot, putting a snapshot back is a rewind, and a digest of them is
the proof that two runs agree. Records are NumPy structured arrays: Python reads
`book.sleeves["qty"]`, a kernel reads `book.sleeves[k].qty`, and both are the same bytes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

ACCOUNT = np.dtype(
    [
        ("cash", "f8"),  # account currency
        ("equity", "f8"),  # at the last valuation: opens at OPEN, closes at CLOSE
        ("bar", "i8"),  # where the loop stands: row of the timeline ...
        ("step", "i8"),  # ... and the part of it that comes next (STEP_*)
        ("status", "i8"),  # RunStatus
        ("next_order", "i8"),  # id of the next order
        ("working", "i8"),  # orders in the book
        ("timed", "i8"),  # of these, orders that are not GTC
        ("open_sleeves", "i8"),  # sleeves that are not flat
        ("pending", "i8"),  # liquidations that wait for a real open
        ("inbox", "i8"),  # commands that wait to be taken
        ("fills", "i8"),
        ("log", "i8"),  # orders that are done
        ("notices", "i8"),
        ("levels", "i8"),
        ("margin_calls", "i8"),
        ("stop", "i8"),  # a hook asked the loop to stop
        ("wakes_at_open", "i8"),  # some strategy has an `on_open`
        ("path_policy", "i8"),
        ("path_trust", "f8"),  # probability that the shortest path is right (CALIBRATED)
        ("margin_call", "i8"),
        ("margin_check", "i8"),
        ("cash_account", "i8"),  # 1: margin rate 1, shorts refused
        ("close_at_end", "i8"),
        ("seed", "u8"),
    ]
)

INSTRUMENT = np.dtype(
    [
        ("tick_size", "f8"),
        ("point_value", "f8"),
        ("lot", "f8"),
        ("commission_per_contract", "f8"),
        ("fee_per_trade", "f8"),
        ("commission_rate", "f8"),
        ("commission_min", "f8"),
        ("commission_max", "f8"),
        ("slippage_ticks", "f8"),
        ("slippage_pct", "f8"),
        ("limit_through_ticks", "f8"),
        ("initial_margin", "f8"),
        ("maintenance_margin", "f8"),
        ("initial_margin_rate", "f8"),
        ("maintenance_margin_rate", "f8"),
        ("mark", "f8"),  # price at which the instrument is valued now; NaN before its first bar
        ("touch_up", "f8"),  # no working order can trigger while the bar stays between these two
        ("touch_down", "f8"),
        ("head", "i8"),  # first and last working order, as slots; -1 for none
        ("tail", "i8"),
    ]
)

SLEEVE = np.dtype(
    [
        ("qty", "f8"),  # signed
        ("avg", "f8"),  # average price; 0 when flat
        ("stop", "f8"),  # level of the protective stop, NaN for none
        ("target", "f8"),
        ("entries", "i8"),  # working orders that are not protective
        ("liquidated", "i8"),  # 1: its liquidation waits for the next real open
    ]
)

STRATEGY = np.dtype(
    [
        ("on_open", "i8"),  # addresses of the hooks, 0 for none
        ("on_close", "i8"),
        ("on_notice", "i8"),
        ("context", "i8"),  # address that the hooks are given
        ("open_sleeves", "i8"),
    ]
)

ORDER = np.dtype(
    [
        ("id", "i8"),
        ("parent", "i8"),  # id of the entry, -1 for none
        ("strategy", "i2"),
        ("instrument", "i4"),
        ("side", "i1"),
        ("type", "i1"),
        ("tif", "i1"),
        ("role", "i1"),
        ("status", "i1"),
        ("reject", "i1"),
        ("reduce_only", "i1"),
        ("triggered", "i1"),  # a STOP_LIMIT that has become a limit
        ("fresh", "i1"),  # submitted or changed in this on_open
        ("phase", "i1"),  # in which it was submitted
        ("qty", "f8"),
        ("filled", "f8"),
        ("limit_price", "f8"),  # rounded to the tick; NaN where the type has none
        ("stop_price", "f8"),
        ("stop_loss", "f8"),  # levels of the children to be, as asked for
        ("take_profit", "f8"),
        ("until", "i8"),  # GTD: ns UTC
        ("submitted", "i8"),  # bar
        ("starts", "i8"),  # bar in which it starts to work
        ("done", "i8"),  # bar, -1 while working
        ("oco", "i8"),  # slot of the partner, -1 for none
        ("next", "i8"),  # neighbours in the instrument's list, in order of acceptance
        ("prev", "i8"),
    ]
)

COMMAND = np.dtype(
    [
        ("kind", "i8"),
        ("id", "i8"),
        ("strategy", "i8"),
        ("instrument", "i8"),
        ("side", "i8"),
        ("type", "i8"),
        ("tif", "i8"),
        ("role", "i8"),
        ("reduce_only", "i8"),
        ("oco", "i8"),  # id of the partner, -1 for none
        ("until", "i8"),
        ("reject", "i8"),  # refused before it came here
        ("qty", "f8"),
        ("limit_price", "f8"),
        ("stop_price", "f8"),
        ("stop_loss", "f8"),
        ("take_profit", "f8"),
    ]
)

FILL = np.dtype(
    [
        ("bar", "i8"),
        ("order", "i8"),
        ("strategy", "i2"),
        ("instrument", "i4"),
        ("side", "i1"),
        ("phase", "i1"),
        ("reason", "i1"),
        ("ambiguous", "i1"),
        ("qty", "f8"),
        ("price", "f8"),
        ("cost", "f8"),
        ("realized", "f8"),
        ("position", "f8"),
        ("stop", "f8"),
        ("target", "f8"),
    ]
)

NOTICE = np.dtype(
    [
        ("strategy", "i8"),
        ("fill", "i8"),  # index of the fill, -1 for a change of an order
        ("order", "i8"),  # index in the log of done orders, -1 for a fill
    ]
)

LEVEL = np.dtype(
    [
        ("bar", "i8"),
        ("strategy", "i4"),
        ("instrument", "i4"),
        ("stop", "f8"),
        ("target", "f8"),
    ]
)

# What a command asks for.
SUBMIT, CANCEL, MODIFY, MOVE_STOP, MOVE_TARGET = 0, 1, 2, 3, 4

# The parts of one timestamp, in order (fill model, section 2).
STEP_OPEN, STEP_ON_OPEN, STEP_NEW, STEP_INTRABAR, STEP_NOTICES = 0, 1, 2, 3, 4
STEP_CLOSE, STEP_LATE_NOTICES, STEP_ON_CLOSE, STEP_END = 5, 6, 7, 8

# When a strategy wants to be called; bits of `Tape.wake`.
WAKE_OPEN, WAKE_FLAT, WAKE_HELD = 1, 2, 4


class Book(NamedTuple):
    """Everything that changes while a run goes on."""

    account: NDArray[Any]  # (1,) ACCOUNT
    instruments: NDArray[Any]  # (n,) INSTRUMENT
    sleeves: NDArray[Any]  # (strategies * n,) SLEEVE, instruments of one strategy together
    strategies: NDArray[Any]  # (strategies,) STRATEGY
    orders: NDArray[Any]  # (slots,) ORDER; `status` is -1 in a free slot, `next` its successor
    inbox: NDArray[Any]  # (c,) COMMAND
    fills: NDArray[Any]  # (f,) FILL, append-only
    log: NDArray[Any]  # (l,) ORDER that are done, append-only
    notices: NDArray[Any]  # (e,) NOTICE of this bar
    levels: NDArray[Any]  # (v,) LEVEL moved by a rule, append-only


class Tape(NamedTuple):
    """What the market shows: constant while a run goes on, but for the recorded equity."""

    time: NDArray[np.int64]  # (t,) ns UTC
    open: NDArray[np.float64]  # (t, n), as the rest
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    session_end: NDArray[np.uint8]
    wake: NDArray[np.uint8]  # (t, strategies) bits WAKE_*
    equity: NDArray[np.float64]  # (t,) account currency, at the close
    cash: NDArray[np.float64]  # (t,)
