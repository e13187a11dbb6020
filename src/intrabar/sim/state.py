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
        ("working", "i8"),  # orders that work
        ("timed", "i8"),  # of these, orders that are not GTC
        ("trailing", "i8"),  # of these, trailing stops
        ("open_sleeves", "i8"),  # sleeves that are not flat
        ("pending", "i8"),  # liquidations that wait for a real open
        ("inbox", "i8"),  # commands that wait to be taken
        ("orders", "i8"),  # how many records of each kind there are
        ("log", "i8"),
        ("fills", "i8"),
        ("notices", "i8"),
        ("levels", "i8"),
        ("ledger", "i8"),
        ("actions", "i8"),  # actions that have taken effect
        ("margin_calls", "i8"),
        ("free", "f8"),  # equity less initial margin at the present marks, about; NaN: not counted
        ("free_scale", "f8"),  # the size of what was summed for it
        ("due_from", "i8"),  # from this bar on the only strategy is next wanted ...
        ("due", "i8"),  # ... at this one ...
        ("due_bits", "i8"),  # ... by these bits of `Tape.wake`; 0: not known
        ("carried_cash", "f8"),  # cash at the last CLOSE, where something accrues
        ("stop", "i8"),  # a hook asked the loop to stop
        ("turn", "i8"),  # of this step: the strategy, or notice, whose hook is called next
        ("waited", "i8"),  # commands that waited when the present hook was called
        ("lost", "i8"),  # commands for which the inbox had no room
        ("wakes_at_open", "i8"),  # some strategy has an `on_open`
        ("path_policy", "i8"),
        ("margin_call", "i8"),
        ("margin_check", "i8"),
        ("cash_account", "i8"),  # 1: margin rate 1, shorts refused
        ("close_at_end", "i8"),
        ("settlement", "i8"),
        ("nights", "i8"),  # 1: something accrues over nights
        ("converts", "i8"),  # 1: an instrument has another currency
        ("reads_volume", "i8"),  # 1: a cap or a slippage asks for volume or mean range
        ("path_trust", "f8"),  # probability that the shortest path is right (CALIBRATED)
        ("interest_rate", "f8"),  # fraction a year
        ("debit_rate", "f8"),
        ("seed", "u8"),
        ("outside", "i8"),  # 1: fills come from outside, nothing is filled here
        ("reports", "i8"),  # reports from outside that wait to be taken
    ]
)

INSTRUMENT = np.dtype(
    [
        ("tick_size", "f8"),
        ("unit_value", "f8"),  # of a move of 1.0 for one contract, instrument's currency
        ("fx", "f8"),  # present worth of one unit of that currency
        ("point_value", "f8"),  # unit_value * fx: account currency
        ("lot", "f8"),
        ("commission_per_contract", "f8"),
        ("fee_per_trade", "f8"),
        ("commission_rate", "f8"),
        ("commission_min", "f8"),
        ("commission_max", "f8"),
        ("maker_rate", "f8"),  # NaN: as any other
        ("first_tier", "i8"),  # its rows of `Book.tiers`
        ("tiers", "i8"),
        ("month", "i8"),  # that `traded` counts
        ("traded", "f8"),  # contracts
        ("slippage_ticks", "f8"),
        ("slippage_pct", "f8"),
        ("slippage_volatility", "f8"),
        ("slippage_impact", "f8"),
        ("max_volume_share", "f8"),  # 0: no cap
        ("limit_through_ticks", "f8"),
        ("initial_margin", "f8"),
        ("maintenance_margin", "f8"),
        ("initial_margin_rate", "f8"),
        ("maintenance_margin_rate", "f8"),
        ("borrow_rate", "f8"),  # fraction a year
        ("swap_long", "f8"),  # per contract and night
        ("swap_short", "f8"),
        ("mark", "f8"),  # price at which the instrument is valued now; NaN before its first bar
        ("volume", "f8"),  # of the present bar, where the account reads volume
        ("mean_range", "f8"),  # before the present bar
        ("high", "f8"),  # of the bar that is walked over its lower bars; NaN otherwise
        ("low", "f8"),
        ("up", "f8"),  # no working order can trigger while the bar stays between these two
        ("down", "f8"),
        ("room", "f8"),  # contracts that the cap leaves in the present bar
        ("carried", "f8"),  # net position at the last CLOSE, where something accrues
        ("carried_cost", "f8"),  # of its long positions, instrument's currency
        ("head", "i8"),  # first and last working order, as rows; -1 for none
        ("tail", "i8"),
    ]
)

SLEEVE = np.dtype(
    [
        ("qty", "f8"),  # signed
        ("avg", "f8"),  # average price; 0 when flat
        ("basis", "f8"),  # price from which profit is still open: the average, or a settlement
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
        ("reads", "i8"),  # address of the addresses of the (t, n) float64 that a hook reads
        ("reads_count", "i8"),
        ("open_sleeves", "i8"),
    ]
)

ORDER = np.dtype(
    [
        ("id", "i8"),
        ("parent", "i8"),  # id of the entry, -1 for none
        ("qty", "f8"),
        ("filled", "f8"),
        ("limit_price", "f8"),  # rounded to the tick; NaN where the type has none
        ("stop_price", "f8"),
        ("trail", "f8"),
        ("stop_loss", "f8"),  # levels of the children to be, as asked for
        ("take_profit", "f8"),
        ("until", "i8"),  # GTD: ns UTC
        ("submitted", "i4"),  # bar
        ("starts", "i4"),  # bar in which it starts to work
        ("done", "i4"),  # bar, -1 while working
        ("oco", "i4"),  # row of the partner, -1 for none
        ("next", "i4"),  # neighbours in the instrument's chain, in order of acceptance
        ("prev", "i4"),
        ("instrument", "i4"),
        ("strategy", "i2"),
        ("side", "i1"),
        ("type", "i1"),
        ("tif", "i1"),
        ("role", "i1"),
        ("status", "i1"),
        ("reject", "i1"),
        ("reduce_only", "i1"),
        (
            "triggered",
            "i1",
        ),  # a STOP_LIMIT that is a limit now, a stop whose rest is a market order
        ("fresh", "i1"),  # has met no market since it was submitted or changed
        ("phase", "i1"),  # in which it was submitted
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
        ("reject", "i8"),  # of a REFUSE: why
        ("until", "i8"),
        ("qty", "f8"),
        ("limit_price", "f8"),
        ("stop_price", "f8"),
        ("trail", "f8"),
        ("stop_loss", "f8"),
        ("take_profit", "f8"),
    ]
)

REPORT = np.dtype(  # a fact from outside, of an order or of the account
    [
        ("kind", "i8"),
        ("id", "i8"),  # number of the order, -1: none of ours
        ("strategy", "i8"),
        ("instrument", "i8"),
        ("side", "i8"),
        ("status", "i8"),  # of a DONE: OrderStatus ...
        ("reject", "i8"),  # ... and Reject
        ("wished", "i8"),  # of a DONE: 1 where a strategy or a person has cancelled the order
        ("line", "i8"),  # of a CASH: LedgerKind
        ("phase", "i8"),  # of the bar in progress, when it is taken
        ("qty", "f8"),  # whole lots
        ("price", "f8"),
        ("cost", "f8"),  # account currency; NaN: as the instrument has it
        ("limit_price", "f8"),  # of a SET; NaN: as it is
        ("stop_price", "f8"),
        ("stop_loss", "f8"),  # of a FILL: levels of the children that its order asked for
        ("take_profit", "f8"),
        ("amount", "f8"),  # of a CASH or a FIX, account currency
    ]
)

FILL = np.dtype(
    [
        ("bar", "i8"),
        ("order", "i8"),  # -1: a split or a roll
        ("qty", "f8"),  # 0: the split itself, whose ratio is the price
        ("price", "f8"),
        ("cost", "f8"),
        ("realized", "f8"),  # against the average price, account currency
        ("position", "f8"),  # of the sleeve after it
        ("stop", "f8"),  # levels of the children that it made
        ("target", "f8"),
        ("point_value", "f8"),  # account currency, at the fill
        ("cash", "f8"),  # after it
        ("instrument", "i4"),
        ("strategy", "i2"),
        ("side", "i1"),
        ("phase", "i1"),
        ("reason", "i1"),
        ("ambiguous", "i1"),  # Ambiguity
    ]
)

NOTICE = np.dtype(
    [
        ("strategy", "i8"),
        ("fill", "i8"),  # index of the fill, -1 for a change of an order
        ("order", "i8"),  # row of the order, -1 for a fill
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

LEDGER = np.dtype(
    [
        ("bar", "i8"),
        ("fills", "i8"),  # fills before it
        ("amount", "f8"),  # account currency
        ("cash", "f8"),  # after it
        ("strategy", "i4"),  # -1 for the account
        ("instrument", "i4"),  # -1 for interest
        ("kind", "i8"),  # LedgerKind
    ]
)

ACTION = np.dtype(
    [
        ("bar", "i8"),
        ("instrument", "i8"),
        ("kind", "i8"),  # ActionKind
        ("value", "f8"),  # ratio, amount, or price of the old contract
        ("initial_margin", "f8"),  # NaN: stays
        ("maintenance_margin", "f8"),
        ("initial_margin_rate", "f8"),
        ("maintenance_margin_rate", "f8"),
    ]
)

TIER = np.dtype([("from_qty", "f8"), ("commission_per_contract", "f8"), ("commission_rate", "f8")])

# What a command asks for; REFUSE: an order that the strategy's side has judged not to submit.
SUBMIT, CANCEL, MODIFY, MOVE_STOP, MOVE_TARGET, REFUSE = 0, 1, 2, 3, 4, 5

# What is reported (live, section 2.2).
FILLED_OUTSIDE, FIX, DONE, SET, CASH = 0, 1, 2, 3, 4

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
    inbox: NDArray[Any]  # (c,) COMMAND
    notices: NDArray[Any]  # (e,) NOTICE of this bar
    watched: NDArray[np.int64]  # (2n,) scratch: instruments with a position, with an order
    orders: NDArray[Any]  # (o,) ORDER; a row is written when an order is accepted or refused
    log: NDArray[np.int64]  # (o,) rows of the orders that are done, in that order
    fills: NDArray[Any]  # (f,) FILL, append-only, as the rest
    levels: NDArray[Any]  # (v,) LEVEL moved by a rule
    ledger: NDArray[Any]  # (m,) LEDGER
    tiers: NDArray[Any]  # (k,) TIER; never changes
    reports: NDArray[Any]  # (r,) REPORT


class Tape(NamedTuple):
    """What the market shows: constant while a run goes on, but for the recorded equity.

    Arrays that nothing in the run asks for have no rows.
    """

    time: NDArray[np.int64]  # (t,) ns UTC
    open: NDArray[np.float64]  # (t, n), as the rest
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    session_end: NDArray[np.uint8]
    wake: NDArray[np.uint8]  # (t, strategies) bits WAKE_*
    equity: NDArray[np.float64]  # (t,) account currency, at the close
    day: NDArray[np.int64]  # (t,) trade date
    volume: NDArray[np.float64]  # (t, n)
    mean_range: NDArray[np.float64]  # (t, n) mean true range of the 20 bars before
    fx: NDArray[np.float64]  # (t, n) rate at the close
    detail_first: NDArray[np.int64]  # (t, n) row of `detail`
    detail_count: NDArray[np.int64]  # (t, n) lower bars, 0 where there are none
    detail: NDArray[np.float64]  # (m, 4) open, high, low, close
    actions: NDArray[Any]  # (a,) ACTION, by bar
