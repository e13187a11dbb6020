"""Campaigns one after the other: each begins with the same bytes, and the one loop plays it.

Nothing here fills, stops or costs: what a flat account is at a close, the loop itself has made;
what a campaign was is read from the fills that it has left.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.kernel import carray, cfunc, inlined, kernel
from intrabar.model.enums import Ambiguity, FillReason, Gate, OrderStatus
from intrabar.sim.hook import GO_ON, STOP
from intrabar.sim.loop import ENDED, PAUSED, run_one
from intrabar.sim.state import STEP_ON_CLOSE, STEP_OPEN, Book
from intrabar.sim.tables import as_book, as_book_of_one, pointer
from intrabar.strategy.caller import CALLER
from intrabar.strategy.sizing import risk_of_one

Words = NDArray[np.int64]
Floats = NDArray[np.float64]

SIZE_ZERO, MARGIN = int(Gate.SIZE_ZERO), int(Gate.MARGIN)
ENTRY, LIQUIDATION = int(FillReason.ENTRY), int(FillReason.LIQUIDATION)
AMBIGUOUS, REJECTED = int(Ambiguity.AMBIGUOUS), int(OrderStatus.REJECTED)
# What became of a lane.
PLAYED, WARMS_UP, TOO_SMALL, NO_MARGIN, REFUSED, NOT_FILLED = 0, 1, 2, 3, 4, 5


class State(NamedTuple):
    """All that a campaign begins with, as words of 8 bytes: of the market, and of the bot."""

    account: Words
    instruments: Words
    sleeves: Words
    strategies: Words
    record: Words
    counts: Words
    held: Words


class Bet(NamedTuple):
    """What is told to the bot of a lane, and what its budget follows from."""

    side: Floats  # (t, 1), 0 but at the close of the decision
    multiple: Floats  # (1,) view of the exit's `atr_multiple`
    atr: Floats  # (t, 1), of the exit
    cash: float
    risk_fraction: float  # 0: the budget follows from the quantity


class Campaigns(NamedTuple):
    """Campaigns of k decisions under a arms each, (k, a).

    Parameters
    ----------
    fate : int8
        `Fate`. Where it is not `played` the rest says nothing: NaN, -1, False.
    net : float64, account currency
        Realised profit less costs, as the table `campaigns` has it: dividends, borrow, swap and
        interest are the ledger's.
    budget : float64, account currency
        Of a bot sized by risk, that fraction of the equity at the decision; else quantity *
        point value * ATR at the decision.
    end_bar : int64, row of the timeline
    reason : int8
        `FillReason` of the fill that reached flat.
    ambiguous : bool
        Whether the bar of an exit held its partner's price too.
    bought : float64
        Quantity that entered, as a fraction of what the budget would buy without lots, margin and
        a cap on volume.
    """

    fate: NDArray[np.int8]
    net: Floats
    budget: Floats
    end_bar: NDArray[np.int64]
    reason: NDArray[np.int8]
    ambiguous: NDArray[np.bool_]
    bought: Floats

    @property
    def score(self) -> Floats:
        """Net profit / budget."""
        return self.net / self.budget

    def rows(self, part: slice) -> Campaigns:
        """Those of some decisions: views."""
        return Campaigns(
            self.fate[part],
            self.net[part],
            self.budget[part],
            self.end_bar[part],
            self.reason[part],
            self.ambiguous[part],
            self.bought[part],
        )


@inlined
def copy(now: Words, then: Words) -> None:
    """Words over words."""
    for k in range(now.shape[0]):
        now[k] = then[k]


@inlined
def put_back(now: State, then: State) -> None:
    """Let everything be as it was."""
    copy(now.account, then.account)
    copy(now.instruments, then.instruments)
    copy(now.sleeves, then.sleeves)
    copy(now.strategies, then.strategies)
    copy(now.record, then.record)
    copy(now.counts, then.counts)
    copy(now.held, then.held)


@cfunc("int64(int64, int64)")
def until_flat(context: int, n: int) -> int:
    """`on_notice` of a lane: stop at the fill that reaches flat, or when no entry is left."""
    caller = carray(pointer(context), 1, CALLER)[0]
    book = as_book(caller.book)
    fill = book.notices[n].fill
    if fill >= 0:
        return STOP if book.fills[fill].position == 0.0 else GO_ON
    sleeve = book.sleeves[caller.strategy]
    return STOP if sleeve.qty == 0.0 and sleeve.entries == 0 else GO_ON


@kernel
def play(
    book_table: int,
    tape_table: int,
    now: State,
    flat: State,
    hooks: Words,
    bet: Bet,
    rows: Words,
    sides: NDArray[np.int8],
    arms: Floats,
    first: int,
    out: Campaigns,
) -> tuple[int, int]:
    """Play the campaigns of rows under all arms; the row that it came to, and why it came back.

    Parameters
    ----------
    book_table, tape_table : int
        Addresses, as `run_one` takes them.
    now : State
        The machine's and the bot's own memory.
    flat : State
        A flat account that no strategy is called in; moved on from row to row.
    hooks : (words,) int64
        The strategy with its hooks, as a lane has it.
    rows : (k,) int64
        Bars of the timeline, from where `flat` stands on, not falling.
    sides : (k,) int8
    arms : (a,) float64, ATR multiples
    first : int
        Row to begin with.
    out : Campaigns
    """
    bars = bet.side.shape[0]
    book = as_book_of_one(book_table)
    for r in range(first, rows.shape[0]):
        i, side = rows[r], int(sides[r])
        code = go_flat(book_table, tape_table, now, flat, bet.cash, i)
        if code != PAUSED:
            return r, code
        bet.side[i, 0] = side
        for a in range(arms.shape[0]):
            put_back(now, flat)
            copy(now.strategies, hooks)
            bet.multiple[0] = arms[a]
            code = run_one(book_table, tape_table, i + 1, STEP_OPEN)
            if code == PAUSED or code == ENDED:
                budget, wanted = budget_of(book, bet, i, side, book.instruments[0].mark)
                if book.account[0].working > 0:
                    code = run_one(book_table, tape_table, bars, STEP_OPEN)
            if code != PAUSED and code != ENDED:
                bet.side[i, 0] = 0.0
                return r, code
            read(book, now.counts, flat.counts, budget, wanted, out, r, a)
        bet.side[i, 0] = 0.0
    return rows.shape[0], ENDED


@inlined
def go_flat(book_table: int, tape_table: int, now: State, flat: State, cash: float, i: int) -> int:
    """Move the flat account on to the close of a bar, with the cash that each lane has."""
    put_back(now, flat)
    code = run_one(book_table, tape_table, i, STEP_ON_CLOSE)
    begin_with(as_book_of_one(book_table).account[0], cash)
    copy(flat.account, now.account)
    copy(flat.instruments, now.instruments)
    copy(flat.sleeves, now.sleeves)
    return code


@inlined
def begin_with(account: Any, cash: float) -> None:
    """Let a flat account have this cash, and no past."""
    account.cash = cash
    account.equity = cash
    account.carried_cash = cash
    account.fills = 0
    account.ledger = 0


@inlined
def budget_of(book: Book, bet: Bet, i: int, side: int, close: float) -> tuple[float, float]:
    """The budget of the decision just made, and the quantity that it would buy uncut."""
    if book.account[0].orders == 0:
        return math.nan, math.nan
    order, x = book.orders[0], book.instruments[0]
    if bet.risk_fraction > 0.0:
        budget = bet.risk_fraction * bet.cash
        left = budget - 2.0 * x.fee_per_trade * x.fx
        return budget, left / risk_of_one(x, side, close, order.stop_loss, True)
    return order.qty * x.point_value * bet.atr[i, 0], order.qty


@inlined
def read(
    book: Book,
    counts: Words,
    before: Words,
    budget: float,
    wanted: float,
    out: Campaigns,
    r: int,
    a: int,
) -> None:
    """Write down what a campaign was, or why there is none, by what the gates count and did."""
    account = book.account[0]
    out.net[r, a] = out.budget[r, a] = out.bought[r, a] = math.nan
    out.end_bar[r, a], out.reason[r, a], out.ambiguous[r, a] = -1, -1, False
    out.fate[r, a] = fate_of(book, counts, before)
    if account.fills == 0:
        return
    gross, costs, entered, ambiguous, f = 0.0, 0.0, 0.0, False, 0
    fill = book.fills[0]
    for f in range(account.fills):
        fill = book.fills[f]
        gross += fill.realized
        costs += fill.cost
        ambiguous = ambiguous or fill.ambiguous == AMBIGUOUS
        if fill.reason == ENTRY:
            entered += fill.qty
        if fill.position == 0.0:
            break
    end_bar, reason = fill.bar, int(fill.reason)
    if fill.position != 0.0:  # ruined while its liquidation waits: marked, as the account is
        sleeve, x = book.sleeves[0], book.instruments[0]
        gross += sleeve.qty * (x.mark - sleeve.avg) * x.point_value
        end_bar, reason = account.bar, LIQUIDATION
    out.net[r, a] = gross - costs
    out.budget[r, a] = budget
    out.bought[r, a] = entered / wanted
    out.end_bar[r, a] = end_bar
    out.reason[r, a] = reason
    out.ambiguous[r, a] = ambiguous


@inlined
def fate_of(book: Book, counts: Words, before: Words) -> int:
    """What became of a lane that has come back."""
    account = book.account[0]
    if account.fills > 0:
        return PLAYED
    if account.orders == 0:
        if counts[SIZE_ZERO] != before[SIZE_ZERO]:
            return TOO_SMALL
        return NO_MARGIN if counts[MARGIN] != before[MARGIN] else WARMS_UP
    return REFUSED if book.orders[0].status == REJECTED else NOT_FILLED
