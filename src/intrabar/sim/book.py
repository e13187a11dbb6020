"""The book of a run before its first bar, and what is taken out of it and put back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.model.instrument import Instrument
from intrabar.sim import state
from intrabar.sim.account import Account
from intrabar.sim.inbox import LEAST
from intrabar.sim.state import Book
from intrabar.sim.tape import has_nights

# What the records have of an instrument and of an account, by the same name. The rest of them is
# worked out when the book is made, or does not reach the market; the rest of a record is state.
# `require_names` holds the lists to both sides.
OF_INSTRUMENT = (
    "tick_size",
    "lot",
    "commission_per_contract",
    "fee_per_trade",
    "commission_rate",
    "commission_min",
    "commission_max",
    "slippage_ticks",
    "slippage_pct",
    "slippage_volatility",
    "slippage_impact",
    "max_volume_share",
    "limit_through_ticks",
    "initial_margin",
    "maintenance_margin",
    "initial_margin_rate",
    "maintenance_margin_rate",
    "borrow_rate",
    "swap_long",
    "swap_short",
)
OF_ACCOUNT = (
    "cash",
    "margin_call",
    "margin_check",
    "path_policy",
    "cash_account",
    "close_at_end",
    "seed",
    "path_trust",
    "interest_rate",
    "debit_rate",
    "settlement",
)

WORKED_OUT = ("maker_rate", "point_value", "tiers")  # of an instrument, into its record
NOT_OF_INSTRUMENT = ("symbol", "calendar", "currency")
NOT_OF_ACCOUNT = ("currency", "close_delisted")


def require_names(
    thing: type[Any], record: np.dtype[Any], into: Iterable[str], others: Iterable[str]
) -> None:
    """Refuse a name that one side has and the other does not.

    Parameters
    ----------
    thing : dataclass
    record : dtype
    into : names
        What goes from the thing into the record under its own name.
    others : names
        What else the thing has.

    Raises
    ------
    TypeError
        The message has the names.
    """
    odd = {f.name for f in fields(thing)} ^ {*into, *others} | {*into} - {*(record.names or ())}
    if odd:
        raise TypeError(f"{thing.__name__} and its record differ in {', '.join(sorted(odd))}")


require_names(Instrument, state.INSTRUMENT, OF_INSTRUMENT, (*WORKED_OUT, *NOT_OF_INSTRUMENT))
require_names(Account, state.ACCOUNT, OF_ACCOUNT, NOT_OF_ACCOUNT)

FIRST_ROOM = 262_144  # rows
BARS_PER_ROW = 8  # of a long history: few rules trade more often, and copying records is slow


class Records(NamedTuple):
    """What a run leaves behind, in the order of happening: ORDER, FILL, LEVEL, LEDGER."""

    orders: NDArray[Any]
    fills: NDArray[Any]
    levels: NDArray[Any]
    ledger: NDArray[Any]


class Snapshot(NamedTuple):
    """All that changes in a run, copied."""

    book: Book
    equity: NDArray[np.float64]


class Checkpoint(NamedTuple):
    """What changes in a run but for the records that only grow, and the orders that work."""

    book: Book
    rows: NDArray[np.int64]
    orders: NDArray[Any]


def empty_book(
    instruments: Sequence[Instrument], account: Account, strategies: int, bars: int
) -> Book:
    """Allocate the arrays of a run before its first bar."""
    n, room = len(instruments), max(FIRST_ROOM, bars // BARS_PER_ROW)
    tiers = [tier for x in instruments for tier in x.tiers]
    book = Book(
        account=np.zeros(1, state.ACCOUNT),
        instruments=np.zeros(n, state.INSTRUMENT),
        sleeves=np.zeros(n * strategies, state.SLEEVE),
        strategies=np.zeros(strategies, state.STRATEGY),
        inbox=np.zeros(2 * max(LEAST, 4 * n) + 4 * n * strategies, state.COMMAND),
        notices=np.empty(1024, state.NOTICE),
        watched=np.zeros(2 * n, np.int64),
        # A record is written whole; pages that are never touched cost nothing.
        orders=np.empty(room, state.ORDER),
        log=np.empty(room, np.int64),
        fills=np.empty(room, state.FILL),
        levels=np.empty(4096, state.LEVEL),
        ledger=np.empty(4096 + 6 * n * strategies, state.LEDGER),
        tiers=np.array(tiers, state.TIER),
        reports=np.zeros(0, state.REPORT),
    )
    _open_account(book.account[0], account, instruments)
    first_tier = 0
    for row, instrument in zip(book.instruments, instruments, strict=True):
        for name in OF_INSTRUMENT:
            row[name] = getattr(instrument, name)
        row["maker_rate"] = np.nan if instrument.maker_rate is None else instrument.maker_rate
        row["unit_value"] = row["point_value"] = instrument.point_value
        row["fx"] = 1.0
        row["first_tier"], row["tiers"] = first_tier, len(instrument.tiers)
        first_tier += len(instrument.tiers)
        row["month"] = -1
        row["mark"] = row["high"] = row["low"] = np.nan
        row["head"] = row["tail"] = -1
    book.sleeves["stop"] = book.sleeves["target"] = np.nan
    return book


def _open_account(row: Any, account: Account, instruments: Sequence[Instrument]) -> None:
    for name in OF_ACCOUNT:
        row[name] = getattr(account, name)
    row["equity"] = row["carried_cash"] = account.cash
    row["converts"] = any(x.currency != account.currency for x in instruments)
    row["reads_volume"] = any(x.reads_volume for x in instruments)
    row["nights"] = has_nights(account, instruments)


def keep_orders(book: Book, working: NDArray[np.int64], over: NDArray[np.int64]) -> None:
    """Move the orders that work, and those of some rows that are over, to the front; the rest goes.

    Parameters
    ----------
    working, over : (k,) int64
        Rows of `Book.orders`; the log has those that are over.
    """
    account = book.account[0]
    rows = np.unique(np.concatenate([working, over]))
    place = np.full(int(account["orders"]) + 1, -1, np.int64)  # the last is for -1
    place[rows] = np.arange(len(rows))
    kept = book.orders[rows]
    for name in ("next", "prev", "oco"):
        kept[name] = place[kept[name]]
    book.orders[: len(rows)] = kept
    for name in ("head", "tail"):
        book.instruments[name] = place[book.instruments[name]]
    waiting = book.notices[: account["notices"]]
    waiting["order"] = place[waiting["order"]]
    book.log[: len(over)] = place[over]
    account["orders"], account["log"] = len(rows), len(over)


def take_away(book: Book, working: NDArray[np.int64]) -> Records:
    """Take the records of what is over out of a book; what is still to be told of stays.

    Parameters
    ----------
    working : (k,) int64
        Rows of `Book.orders` that work.
    """
    account = book.account[0]
    waiting = book.notices[: account["notices"]]
    told = waiting["fill"][waiting["fill"] >= 0]
    fills = int(told.min()) if len(told) else int(account["fills"])
    rows = book.log[: account["log"]].copy()
    kept = np.flatnonzero(np.isin(rows, waiting["order"]))
    done = int(kept[0]) if len(kept) else len(rows)
    given = Records(
        book.orders.take(rows[:done]),
        book.fills[:fills].copy(),
        book.levels[: account["levels"]].copy(),
        book.ledger[: account["ledger"]].copy(),
    )
    left = book.fills[fills : account["fills"]].copy()
    book.fills[: len(left)] = left
    waiting["fill"] -= np.where(waiting["fill"] >= 0, fills, 0)
    account["fills"] = len(left)
    account["levels"] = account["ledger"] = 0
    keep_orders(book, working, rows[done:])
    return given


def cash_at_closes(
    cash: float, fills: NDArray[Any], ledger: NDArray[Any], bars: int
) -> NDArray[np.float64]:
    """Cash at the close of every bar, (bars,) account currency, of what began with `cash`."""
    moved = np.concatenate([fills["bar"], ledger["bar"]])
    # In the order in which they happened: a line of the ledger knows the fills before it.
    place = np.concatenate([np.arange(1, len(fills) + 1) * 2.0, ledger["fills"] * 2.0 + 1.0])
    order = np.argsort(place, kind="stable")
    after = np.concatenate([[cash], np.concatenate([fills["cash"], ledger["cash"]])[order]])
    seen = np.searchsorted(moved[order], np.arange(bars), "right")
    at_closes: NDArray[np.float64] = after[seen]
    return at_closes
