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
