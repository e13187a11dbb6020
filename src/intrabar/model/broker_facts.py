"""What a broker tells of an account: frozen values, as they came.

Prices are in the instrument's currency, quantities in its units, times in ns since 1970 UTC.
"""

from __future__ import annotations

import msgspec

NAN = float("nan")


class OrderFact(msgspec.Struct, frozen=True):
    """An order at the broker.

    Parameters
    ----------
    client_id : str
        "" where the broker does not say it.
    state : str
        Of `brokers.tickets.State`, `acked` to `rejected`: the adapter reads the vendor's words.
    filled, average : float
        So far in all, and at which price on the average.
    parent : str
        Client id of the entry whose child it is, where the broker has made it itself.
    """

    vendor_id: str
    client_id: str
    symbol: str
    side: int
    type: str
    qty: float
    state: str
    filled: float = 0.0
    average: float = NAN
    limit_price: float = NAN
    stop_price: float = NAN
    time: int = 0
    parent: str = ""


class FillFact(msgspec.Struct, frozen=True):
    """A fill at the broker; `total` is the cumulative quantity of its order after it."""

    id: str
    vendor_id: str
    client_id: str
    symbol: str
    side: int
    qty: float
    price: float
    cost: float = NAN
    total: float = NAN
    time: int = 0


class CashFact(msgspec.Struct, frozen=True):
    """Money that came or went without a fill, by the vendor's id: account currency."""

    id: str
    amount: float
    symbol: str = ""


class Snapshot(msgspec.Struct, frozen=True):
    """One look at an account.

    Parameters
    ----------
    complete : frozenset of str
        Which of its parts are complete: `orders`, `fills`, `positions`, `balance`. What is not
        proves nothing.
    positions : dict
        By symbol: quantity (signed) and average price.
    """

    at: int
    complete: frozenset[str]
    orders: tuple[OrderFact, ...] = ()
    fills: tuple[FillFact, ...] = ()
    positions: dict[str, tuple[float, float]] = {}
    balance: float = NAN


class Request(msgspec.Struct, frozen=True):
    """An order that is asked for.

    Parameters
    ----------
    parent, oco : str
        Client ids: of the entry whose child it is, of the order that it is the alternative of.
    """

    client_id: str
    symbol: str
    side: int
    type: str
    qty: float
    limit_price: float = NAN
    stop_price: float = NAN
    tif: str = "gtc"
    until: int = 0
    reduce_only: bool = False
    parent: str = ""
    oco: str = ""


class Change(msgspec.Struct, frozen=True):
    """What an order is to be: its quantity in all, and its prices; NaN leaves one alone."""

    qty: float
    limit_price: float = NAN
    stop_price: float = NAN


class Accepted(msgspec.Struct, frozen=True):
    """The broker has the order; `works` where it is alive at the venue."""

    vendor_id: str = ""
    works: bool = False


class Refused(msgspec.Struct, frozen=True):
    """The broker says no; `not_sent` where nothing has left."""

    text: str
    not_sent: bool = False


class Unknown(msgspec.Struct, frozen=True):
    """Nobody knows whether it arrived."""

    text: str


Outcome = Accepted | Refused | Unknown


class Can(msgspec.Struct, frozen=True):
    """What an account is able to.

    Parameters
    ----------
    types, tifs : frozenset of str
        Words of `OrderType` and `TimeInForce`.
    bracket : bool
        An entry takes its stop and target with it.
    replaces_same : bool
        A changed order stays the same order.
    fill_ids : bool
        Stream and looks are proven to show the same ids of fills.
    nets : bool
        It keeps reduce-only itself, and flips in one order.
    paper : bool
        It has paper accounts.
    """

    types: frozenset[str]
    tifs: frozenset[str]
    bracket: bool
    replaces_same: bool
    fill_ids: bool
    nets: bool
    paper: bool


class AccountFacts(msgspec.Struct, frozen=True):
    """What the wire says of the account that has answered; `signs` as `risk.gates` reads them."""

    id: str
    signs: dict[str, str]
    currency: str
