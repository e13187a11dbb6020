"""What a broker tells of an account: frozen values, as they came.

Prices are in the instrument's currency, quantities in its units, times in ns since 1970 UTC.
"""

from __future__ import annotations

from typing import Literal

import msgspec

NAN = float("nan")


class OrderFact(msgspec.Struct, frozen=True):
    """An order at the broker.

    Parameters
    ----------
    client_id : str
        "" where the broker does not say it.
    state : str
        Of `brokers.tickets.State`: `acked` to `rejected`, or `unknown` where the adapter cannot
        read the vendor's word. A stop is `working` only where it triggers by itself
        (`Can.covers`); one that the broker has and that would not is `acked`.
    filled, average : float
        So far in all, and at which price on the average.
    parent : str
        Client id of the entry whose child it is, where the broker has made it itself.
    text : str
        The vendor's own words where it was refused, or where its state is unknown; redacted.
    replaced_by : str
        Vendor id of the order that a change has put in its place.
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
    text: str = ""
    replaced_by: str = ""


class FillFact(msgspec.Struct, frozen=True):
    """A fill at the broker; `total` is the cumulative quantity of its order after it.

    A higher `version` corrects what was told under that id; one of quantity 0 takes it back.
    """

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
    version: int = 0


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
    balance : float
        Equity, in the account's currency.
    done_since : int, ns
        Orders that are over are all here from then on.
    funds, settled : float
        What may be spent, and what of it has settled; NaN where nobody says.
    day_trades_left : float
        NaN where nobody counts them.
    """

    at: int
    complete: frozenset[str]
    orders: tuple[OrderFact, ...] = ()
    fills: tuple[FillFact, ...] = ()
    positions: dict[str, tuple[float, float]] = {}
    balance: float = NAN
    done_since: int = 0
    funds: float = NAN
    settled: float = NAN
    day_trades_left: float = NAN


class Request(msgspec.Struct, frozen=True):
    """An order that is asked for.

    Parameters
    ----------
    parent, oco : str
        Client ids: of the entry whose child it is, of the order that it is the alternative of.
    position : float
        What the account holds of the symbol when it fills, signed: of a child its entry's.
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
    position: float = 0.0

    @property
    def opens(self) -> bool:
        """Whether it adds to a position (BUY, SELLSHORT), or leaves one (SELL, BUYTOCOVER)."""
        return not self.reduce_only and self.side * self.position >= 0.0


class Ref(msgspec.Struct, frozen=True):
    """An order of ours by all that is known of it: an adapter keeps nothing.

    Parameters
    ----------
    order : Request
        As it stands.
    vendor_ids : tuple of str
        The newest last; empty before an answer or an event has shown one.
    sent : int, ns
        When its request was committed.
    others : tuple of str
        Vendor ids that other orders of ours have, while its own is not known: where the broker does
        not say our names, the order that fits is none of these.
    """

    order: Request
    vendor_ids: tuple[str, ...] = ()
    sent: int = 0
    others: tuple[str, ...] = ()

    @property
    def client_id(self) -> str:
        """Our name of it."""
        return self.order.client_id


class Change(msgspec.Struct, frozen=True):
    """What an order is to be: its quantity in all, and its prices; NaN leaves one alone.

    `client_id` is that of the order which takes its place, where a change makes a new one.
    """

    qty: float
    limit_price: float = NAN
    stop_price: float = NAN
    client_id: str = ""


class Accepted(msgspec.Struct, frozen=True):
    """The broker has the order; `works` where it is alive at the venue."""

    vendor_id: str = ""
    works: bool = False


Code = Literal[
    "",
    "id_clash",
    "funds",
    "unsettled",
    "pdt",
    "no_borrow",
    "held",
    "wash_trade",
    "not_open",
    "invalid_price",
    "invalid_quantity",
    "unknown_symbol",
    "closed",
    "cannot",
    "rate",
    "risk",
]
"""Why a broker says no; `risk`: our own second look, right before the wire, has refused it.

"": read the text. `id_clash`: another order has that client id. `pdt`: too many day trades.
`held`: the shares are held by another order. `wash_trade`: an own order stands on the other side.
`not_open`: look it up. `invalid_price`: off the tick, or through the market. `invalid_quantity`:
off the lot. `closed`: the market. `cannot`: the account is not able to (`Can`).
"""


class Refused(msgspec.Struct, frozen=True):
    """The broker says no; `not_sent` where nothing has left."""

    text: str
    not_sent: bool = False
    code: Code = ""


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
    oco : bool
        A stop and a target of a position may leave as alternatives.
    replace : "same" or "new_order"
        A changed order stays the same order, or a new one takes its place.
    dedups : bool
        A client id that is sent twice makes one order.
    echoes_id : bool
        Looks and stream say the client id.
    fill_ids : bool
        Stream and looks are proven to show the same ids of fills.
    lists_done : int, ns
        How far back a look has the orders that are over, at least; 0: since the vendor's midnight.
    covers : frozenset of str
        The vendor's words of a stop that rests and triggers by itself.
    nets : bool
        It keeps reduce-only itself, and flips in one order.
    fractional : bool
        It takes parts of a share.
    paper : bool
        It has paper accounts.
    """

    types: frozenset[str]
    tifs: frozenset[str]
    bracket: bool
    oco: bool
    replace: Literal["same", "new_order"]
    dedups: bool
    echoes_id: bool
    fill_ids: bool
    lists_done: int
    covers: frozenset[str]
    nets: bool
    fractional: bool
    paper: bool


class Grid(msgspec.Struct, frozen=True):
    """What prices and quantities of an instrument are multiples of; NaN where nobody says."""

    tick: float = NAN
    lot: float = NAN
    point_value: float = NAN


class AccountFacts(msgspec.Struct, frozen=True):
    """What the wire says of the account that has answered.

    Parameters
    ----------
    signs : dict
        What host, port, pattern of the id and the vendor's own flag say: "live", "paper", or
        anything else (`risk.gates.check_wire`).
    grids : dict
        By symbol, of those that were named.
    """

    id: str
    signs: dict[str, str]
    currency: str
    grids: dict[str, Grid] = {}

    @property
    def kind(self) -> Literal["paper", "live", "unknown"]:
        """What all signs say; unknown where they differ, or where there are none."""
        said = set(self.signs.values())
        if said == {"paper"}:
            return "paper"
        return "live" if said == {"live"} else "unknown"
