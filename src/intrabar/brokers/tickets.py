"""Tickets: what the broker is known to have for one order, and what an event says of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum

import msgspec

from intrabar.model.broker_facts import Accepted, OrderFact

NAN = float("nan")
DUST = 1e-9
APART = 5_000_000_000  # ns between two looks that prove together what one alone does not


class State(StrEnum):
    """Where an order stands at the broker."""

    SENT = "sent"  # the intent is committed
    UNKNOWN = "unknown"  # no answer
    ACKED = "acked"  # the broker has it
    WORKING = "working"  # alive at the venue
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    LOST = "lost"  # proven absent
    REFUSED = "refused"  # by us: it never left


class Asked(StrEnum):
    """The change that is on its way."""

    NONE = "none"
    CANCEL = "cancel"
    REPLACE = "replace"


IN_DOUBT = frozenset({State.SENT, State.UNKNOWN})
ALIVE = frozenset({State.ACKED, State.WORKING, State.PARTIAL})
OPEN = IN_DOUBT | ALIVE


class Terms(msgspec.Struct, frozen=True):
    """What of an order may be changed; NaN where its type has no such price."""

    qty: float
    limit_price: float = NAN
    stop_price: float = NAN

    def over(self, before: Terms) -> Terms:
        """These, with the quantity from before where they leave it alone."""
        return msgspec.structs.replace(self, qty=before.qty) if math.isnan(self.qty) else self


def same(one: Terms, other: Terms) -> bool:
    """Whether two orders stand alike; NaN is NaN.

    9007 ticks of 0.01 are 90.07000000000001 in a book, and 90.07 at a broker.
    """
    pairs = zip(msgspec.structs.astuple(one), msgspec.structs.astuple(other), strict=True)
    return all(
        math.isclose(a, b, rel_tol=1e-12, abs_tol=DUST) or (a != a and b != b) for a, b in pairs
    )


class Seen(msgspec.Struct, frozen=True):
    """A fill that is known by its id, as it was last told; NaN where its cost was not."""

    qty: float
    price: float
    version: int = 0
    cost: float = NAN


class Ticket(msgspec.Struct, frozen=True):
    """One order at the broker.

    Parameters
    ----------
    name : str
        Client id.
    order : int
        The book's number.
    terms : Terms
        As the broker has confirmed them, or as they were sent.
    wanted : Terms, optional
        What a replace on its way asks for.
    booked : float
        How much of it has moved the position.
    by_difference : float
        Of that, what no fill with an id has accounted for.
    shown : float
        The highest cumulative quantity that the broker has shown.
    money : float
        Quantity times price of what is booked, and of `by_difference` in `difference_money`.
    waiting : dict
        By id, fills beyond what was shown: booked when a second look has them too.
    fallen : (quantity, ns), optional
        A lower cumulative quantity that a look has shown, and when.
    also : tuple of str
        Client ids that changes of it have left under, where each makes a new order.
    cost : float
        What has been booked as the cost of its fills, account currency.
    """

    name: str
    order: int
    strategy: str
    symbol: str
    side: int
    type: str
    terms: Terms
    sent: int
    stop_loss: float = NAN
    take_profit: float = NAN
    state: State = State.SENT
    asked: Asked = Asked.NONE
    wanted: Terms | None = None
    wished: bool = False
    vendor_ids: tuple[str, ...] = ()
    booked: float = 0.0
    by_difference: float = 0.0
    shown: float = 0.0
    money: float = 0.0
    difference_money: float = 0.0
    fills: dict[str, Seen] = {}
    waiting: dict[str, Seen] = {}
    fallen: tuple[float, int] | None = None
    tif: str = "gtc"
    until: int = 0
    reduce_only: bool = False
    also: tuple[str, ...] = ()
    cost: float = 0.0

    @property
    def open_qty(self) -> float:
        """What of it may still fill."""
        return max(0.0, self.terms.qty - self.booked) if self.state in OPEN else 0.0


def child_of(tickets: Mapping[str, Ticket], fact: OrderFact) -> Ticket | None:
    """The ticket of a child that left with its entry, of which the broker says the entry alone."""
    ticket = tickets.get(f"{fact.parent}{'t' if fact.type == 'limit' else 's'}")
    waits = fact.parent and ticket is not None and ticket.state in OPEN and not ticket.vendor_ids
    return ticket if waits else None


class SubmitRefused(msgspec.Struct, frozen=True):
    """The answer to the submit: no."""

    text: str = ""


class NoAnswer(msgspec.Struct, frozen=True):
    """A request went unanswered: a timeout, a dropped socket, an answer nobody can read."""

    text: str = ""


class Filled(msgspec.Struct, frozen=True):
    """A fill that the broker names.

    Parameters
    ----------
    id : str
    total : float
        The cumulative quantity that its frame shows; NaN where it shows none.
    in_look : bool
        It was in a look at the account, not in the stream.
    """

    id: str
    qty: float
    price: float
    cost: float = NAN
    total: float = NAN
    in_look: bool = False


class Total(msgspec.Struct, frozen=True):
    """The cumulative quantity and average price of an order, from a status or a look."""

    qty: float
    average: float = NAN
    in_look: bool = False


class Corrected(msgspec.Struct, frozen=True):
    """A fill that was told is another now; a quantity of 0 busts it."""

    id: str
    version: int
    qty: float
    price: float
    cost: float = NAN


class Ended(msgspec.Struct, frozen=True):
    """It works no more: CANCELLED or EXPIRED."""

    state: State


class Replaced(msgspec.Struct, frozen=True):
    """A change stands; under a new id where the vendor makes a new order of it."""

    terms: Terms
    vendor_id: str = ""


class ChangeRefused(msgspec.Struct, frozen=True):
    """The answer to a cancel or a replace: no. It never ends an order."""

    text: str = ""


class Found(msgspec.Struct, frozen=True):
    """What a look-up says: its state there, one of ACKED to REJECTED."""

    state: State
    vendor_id: str = ""


class Absent(msgspec.Struct, frozen=True):
    """It is proven not to be there."""


Event = (
    Accepted | SubmitRefused | NoAnswer | Filled | Total | Corrected | Ended | Replaced
    | ChangeRefused | Found | Absent
)  # fmt: skip


class Booking(msgspec.Struct, frozen=True):
    """What enters the book: a fill, or what puts one right.

    Parameters
    ----------
    key : str
        Of the fact; one key is booked once.
    qty : float
        Above 0 on the ticket's side, below against it; 0: only money.
    cost : float
        Of a fill; of what puts one right, beyond what was booked.
    price_change : float
        Of so much quantity as `of_qty`, against what was booked: a cost.
    is_fix : bool
        It puts right what was booked.
    """

    key: str
    qty: float
    price: float
    cost: float = NAN
    of_qty: float = 0.0
    price_change: float = 0.0
    is_fix: bool = False


def replaced(ticket: Ticket, fact: OrderFact) -> Event | None:
    """What it says that another order has taken the place of a ticket's; None: it was known.

    The order that was changed is over; its ticket is not, it has the new one.
    """
    if fact.replaced_by in ticket.vendor_ids:
        return None
    if ticket.wanted is not None:
        return Replaced(ticket.wanted, fact.replaced_by)
    return Accepted(fact.replaced_by, works=ticket.state is not State.ACKED)
