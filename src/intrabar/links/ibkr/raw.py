"""What TWS says, frame by frame: frozen values, as they came, nothing concluded from them.

A number that TWS leaves unset is NaN. Times are ns since 1970 UTC, 0 where there is none.
"""

from __future__ import annotations

import msgspec

NAN = float("nan")


class Listed(msgspec.Struct, frozen=True):
    """What is traded, by IB's own number and names.

    Parameters
    ----------
    kind : str
        STK, FUT, CASH, ...
    local : str
        Its symbol at the exchange: ESZ6, EUR.USD.
    expiry : str
        YYYYMMDD, or "".
    """

    con_id: int
    symbol: str
    kind: str
    currency: str
    local: str = ""
    expiry: str = ""
    multiplier: str = ""
    exchange: str = ""
    primary: str = ""


class Details(msgspec.Struct, frozen=True):
    """A contract that IB knows (frame 10).

    Parameters
    ----------
    tick, lot : float
        NaN where IB does not say.
    magnifier : int
        By how much prices are larger than in the currency: 100 where they are in cents.
    order_types : frozenset of str
        LMT, GTC, OCA, ...
    """

    request: int
    listed: Listed
    tick: float
    lot: float
    magnifier: int = 1
    order_types: frozenset[str] = frozenset()


class Order(msgspec.Struct, frozen=True):
    """An order as TWS has it (frame 5)."""

    order_id: int
    client_id: int
    perm_id: int
    ref: str
    account: str
    listed: Listed
    action: str
    qty: float
    type: str
    limit: float
    stop: float
    tif: str
    oca: str
    parent_id: int
    status: str
    warning: str = ""


class Status(msgspec.Struct, frozen=True):
    """How an order stands (frame 3)."""

    order_id: int
    client_id: int
    perm_id: int
    status: str
    filled: float
    remaining: float
    average: float
    held: str = ""


class Completed(msgspec.Struct, frozen=True):
    """An order that is over (frame 101); it has no number but the permanent one."""

    perm_id: int
    ref: str
    account: str
    listed: Listed
    action: str
    qty: float
    type: str
    limit: float
    stop: float
    status: str
    filled: float
    time: str = ""
    text: str = ""


class Execution(msgspec.Struct, frozen=True):
    """A fill (frame 11); `request` is -1 where it has just happened."""

    request: int
    id: str
    order_id: int
    client_id: int
    perm_id: int
    ref: str
    account: str
    listed: Listed
    side: str
    qty: float
    price: float
    total: float
    average: float
    time: int


class Commission(msgspec.Struct, frozen=True):
    """What a fill has cost (frame 59)."""

    id: str
    amount: float
    currency: str


class Held(msgspec.Struct, frozen=True):
    """A position (frame 61)."""

    account: str
    listed: Listed
    qty: float
    average: float


class Value(msgspec.Struct, frozen=True):
    """A figure of an account (frame 63)."""

    request: int
    account: str
    tag: str
    value: str
    currency: str


class Bar(msgspec.Struct, frozen=True):
    """A bar, by its start: seconds since 1970, or YYYYMMDD of a daily one."""

    request: int
    start: str
    open: float
    high: float
    low: float
    close: float
    volume: float


class Tick(msgspec.Struct, frozen=True):
    """A price, size or time of a quote, by the number of its kind."""

    request: int
    kind: int
    value: float


class Time(msgspec.Struct, frozen=True):
    """What time it is at TWS (frame 49): it answers the sign of life."""

    at: int


class Notice(msgspec.Struct, frozen=True):
    """What TWS remarks (frame 4); `id` is -1, or that of an order or a request."""

    id: int
    code: int
    text: str


class Garbage(msgspec.Struct, frozen=True):
    """A frame that nobody can read, by the number of its kind; 0 where not even that is there."""

    kind: int
    text: str


class Lost(msgspec.Struct, frozen=True):
    """The connection is gone."""

    why: str


Fact = (
    Details | Order | Status | Completed | Execution | Commission | Held | Value | Bar | Tick
    | Time | Notice | Garbage | Lost
)  # fmt: skip
