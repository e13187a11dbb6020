"""What a replay tells front ends while it goes on: frozen values, in the order of happening."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from intrabar.model.enums import (
    ActionKind,
    FillReason,
    Gate,
    LedgerKind,
    OrderStatus,
    Phase,
    Reject,
    RunStatus,
    Side,
)


class Step(IntEnum):
    """The parts of one timestamp in order; a replay can stand before each of them.

    The numbers are those of `STEP_*` in `sim/state.py`.
    """

    OPEN = 0
    ON_OPEN = 1
    NEW = 2
    INTRABAR = 3
    NOTICES = 4
    CLOSE = 5
    LATE_NOTICES = 6
    ON_CLOSE = 7
    END = 8


@dataclass(frozen=True, slots=True)
class BarUpdated:
    """One step of a bar was worked."""

    bar: int
    step: Step


@dataclass(frozen=True, slots=True)
class BarClosed:
    """The close of a bar is known and its equity recorded.

    Parameters
    ----------
    bar : int
    time : int, ns since 1970 UTC
    equity, cash : account currency
    """

    bar: int
    time: int
    equity: float
    cash: float


@dataclass(frozen=True, slots=True)
class BarAdvanced:
    """A bar is done; `bar` comes next."""

    bar: int


@dataclass(frozen=True, slots=True)
class BacktestFinished:
    """The run is over: the bars have ended, or the account is ruined at `bar`."""

    bar: int
    status: RunStatus


@dataclass(frozen=True, slots=True)
class Jumped:
    """The replay went to another place, or to another line; what is shown must be read anew."""

    bar: int
    step: Step
    line: str


@dataclass(frozen=True, slots=True)
class OrderFilled:
    """An order was filled, and why.

    Parameters
    ----------
    bar : int
    phase : Phase
        OPEN: at the open, over a gap where its price lay in it. INTRABAR: on a leg of the path.
        CLOSE: at the close.
    strategy, symbol : str
    order : int
        -1 for a split or a roll.
    side : Side
    qty : quantity, > 0
        0 for a split itself.
    price : price
        Of a split itself the ratio.
    met : price
        What the order met in the market, before slippage.
    slippage : price, >= 0
        How much worse than that it filled.
    reason : FillReason
    text : str
        The same as a sentence.
    """

    bar: int
    phase: Phase
    strategy: str
    symbol: str
    order: int
    side: Side
    qty: float
    price: float
    met: float
    slippage: float
    reason: FillReason
    text: str


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """An order began to work, was changed, or is done without a fill; the text says why."""

    bar: int
    phase: Phase
    strategy: str
    symbol: str
    order: int
    status: OrderStatus
    reject: Reject
    text: str


@dataclass(frozen=True, slots=True)
class InstrumentActed:
    """A split, a dividend, new margins or a roll took effect before the open of a bar."""

    bar: int
    symbol: str
    kind: ActionKind
    text: str


@dataclass(frozen=True, slots=True)
class CashMoved:
    """Cash moved without a fill; a line of the ledger.

    Parameters
    ----------
    bar : int
    phase : Phase
    strategy : str
        "" where it is of the account.
    symbol : str
        "" for interest.
    kind : LedgerKind
    amount : account currency
    text : str
        The same as a sentence, with what it comes from.
    """

    bar: int
    phase: Phase
    strategy: str
    symbol: str
    kind: LedgerKind
    amount: float
    text: str


@dataclass(frozen=True, slots=True)
class EntryBlocked:
    """A bot wanted to enter at the close of a bar, and a gate kept it from doing so."""

    bar: int
    strategy: str
    symbol: str
    gate: Gate


Event = (
    BarUpdated
    | BarClosed
    | BarAdvanced
    | BacktestFinished
    | Jumped
    | OrderFilled
    | OrderChanged
    | InstrumentActed
    | CashMoved
    | EntryBlocked
)
