"""The order table: what each event makes of a ticket in each state (live, section 3.3).

`TABLE` is the rule, in the words below; `take` carries it out. Fills are counted against the
cumulative quantity (`counting.py`) whatever the state: what happened, happened.
"""

from __future__ import annotations

import msgspec

from intrabar.brokers.counting import Count, correct, count_fill, count_total
from intrabar.brokers.tickets import (
    ALIVE,
    OPEN,
    Absent,
    Asked,
    Booking,
    ChangeRefused,
    Corrected,
    Ended,
    Event,
    Filled,
    Found,
    NoAnswer,
    Replaced,
    State,
    SubmitRefused,
    Ticket,
    Total,
)
from intrabar.model.broker_facts import Accepted

COLUMNS = {
    State.SENT: 0, State.UNKNOWN: 0,
    State.ACKED: 1, State.WORKING: 1,
    State.PARTIAL: 2,
    State.FILLED: 3,
    State.CANCELLED: 4, State.EXPIRED: 4,
    State.REJECTED: 5, State.LOST: 5, State.REFUSED: 5,
}  # fmt: skip

STATES = frozenset(state.value for state in State)

# A cell's words. A state: it goes there. `told`: to the state that the event tells.
# `!`: an anomaly: alarm, reconcile now, no entries of the symbol until clean. `?`: look up, no
# entries of the symbol until answered. `id`: its vendor id is noted. `set`: the book's row is told
# the terms that stand. `asked`: no change is on its way any more. `alive`: only where it is alive
# there. An empty cell: dropped.
TABLE: dict[type[Event], tuple[str, ...]] = {
    #               sent, unknown  acked, working  partial       filled  cancelled..    rejected..
    Accepted:      ("told id",     "told id",      "id",         "id",   "id ?",        "id ?"),
    SubmitRefused: ("rejected",    "rejected",     "! ?",        "!",    "",            ""),
    NoAnswer:      ("unknown ?",   "?",            "?",          "",     "",            ""),
    Filled:        ("",            "",             "",           "",     "",            ""),
    Total:         ("",            "",             "",           "",     "",            ""),
    Corrected:     ("!",           "!",            "!",          "!",    "!",           "!"),
    Ended:         ("told",        "told",         "told",       "",     "",            ""),
    Replaced:      ("working set asked id", "set asked id", "set asked id",
                                                                 "id ?", "id ! ?",      "id ! ?"),
    ChangeRefused: ("asked ?",     "set asked ?",  "set asked ?", "",    "",            ""),
    Found:         ("told id",     "told id",      "told id",    "id",   "alive id",    "alive id"),
    Absent:        ("lost",        "lost !",       "lost !",     "",     "",            ""),
}  # fmt: skip


class Step(msgspec.Struct, frozen=True):
    """What an event has made of a ticket.

    Parameters
    ----------
    bookings : tuple of Booking
        What enters the book.
    anomaly : str
        Why it is one; "" where it is none.
    looks_up : bool
    sets : bool
        The book's row is told the terms that stand.
    cuts_younger : bool
        It lives, or has filled, though a later attempt may have taken its place: that is cut.
    """

    ticket: Ticket
    bookings: tuple[Booking, ...] = ()
    anomaly: str = ""
    looks_up: bool = False
    sets: bool = False
    cuts_younger: bool = False


def take(ticket: Ticket, event: Event, now: int, has_ids: bool = True) -> Step:
    """What an event makes of a ticket.

    Parameters
    ----------
    now : int, ns
        When it came.
    has_ids : bool
        Whether the broker's stream and looks are proven to show the same ids of fills
        (`can.fill_ids`); else only the cumulative quantity is booked.
    """
    before = ticket.state
    words = TABLE[type(event)][COLUMNS[before]].split()
    count = _counted(ticket, event, now, has_ids)
    after, anomaly = _after_fills(count.ticket, before, count)
    if "!" in words:
        anomaly = anomaly or f"{type(event).__name__} while {before}"
    if "id" in words and (vendor_id := getattr(event, "vendor_id", "")):
        after = _with_id(after, vendor_id)
    to = _state_told(after, event, words)
    if "alive" in words and to in ALIVE:
        anomaly = anomaly or f"alive, though {before}"
    after = _in_state(after, to)
    if "asked" in words:
        terms = event.terms.over(after.terms) if isinstance(event, Replaced) else after.terms
        after = msgspec.structs.replace(after, terms=terms, wanted=None, asked=Asked.NONE)
        if after.state in OPEN and 0.0 < after.terms.qty <= after.booked:
            after = _in_state(after, State.FILLED)
    is_behind = to is not State.FILLED and getattr(event, "state", None) is State.FILLED
    lives_again = before not in OPEN and (to in ALIVE or bool(count.bookings))
    return Step(
        after,
        count.bookings,
        anomaly,
        "?" in words or count.looks_up or is_behind,
        "set" in words,
        lives_again and COLUMNS[before] == 5,
    )


def _counted(ticket: Ticket, event: Event, now: int, has_ids: bool) -> Count:
    match event:
        case Filled():
            return count_fill(ticket, event, has_ids)
        case Total():
            return count_total(ticket, event, now, has_ids)
        case Corrected():
            return correct(ticket, event)
    return Count(ticket)


def _after_fills(ticket: Ticket, before: State, count: Count) -> tuple[Ticket, str]:
    """The state that fills bring about, and why they are an anomaly."""
    if not count.bookings:
        return ticket, count.anomaly
    moved = sum(b.qty for b in count.bookings)
    if before in OPEN:
        if ticket.booked >= ticket.terms.qty:
            over = "" if ticket.booked == ticket.terms.qty else "filled beyond its quantity"
            return _in_state(ticket, State.FILLED), count.anomaly or over
        partial = State.PARTIAL if ticket.booked > 0.0 else before
        return _in_state(ticket, State.WORKING if _is_emptied(ticket) else partial), count.anomaly
    late = f"a fill after {before}" if moved > 0.0 else ""
    return ticket, count.anomaly or late


def _is_emptied(ticket: Ticket) -> bool:
    """Whether all that had filled was busted."""
    return ticket.state is State.PARTIAL and ticket.booked == 0.0


def _state_told(ticket: Ticket, event: Event, words: list[str]) -> State:
    """The state that a cell names, or that the event tells; a fill is believed before a status."""
    for word in words:
        if word in STATES:
            return State(word)
    told = ticket.state
    if isinstance(event, Accepted):
        told = State.WORKING if event.works else State.ACKED
    elif isinstance(event, Ended | Found):
        told = event.state
    lives = told in ALIVE
    if "alive" in words:
        returns = lives and ticket.booked < ticket.terms.qty
        return _living(ticket, told) if returns else ticket.state
    if "told" not in words:
        return ticket.state
    if told is State.FILLED and ticket.booked < ticket.terms.qty:
        return ticket.state  # its fills are on their way
    return _living(ticket, told) if lives else told


def _living(ticket: Ticket, told: State) -> State:
    if ticket.booked > 0.0:
        return State.PARTIAL
    return State.ACKED if told is State.ACKED else State.WORKING


def _in_state(ticket: Ticket, state: State) -> Ticket:
    if state is ticket.state:
        return ticket
    asked = ticket.asked if state in OPEN else Asked.NONE
    wanted = ticket.wanted if state in OPEN else None
    return msgspec.structs.replace(ticket, state=state, asked=asked, wanted=wanted)


def _with_id(ticket: Ticket, vendor_id: str) -> Ticket:
    if vendor_id in ticket.vendor_ids:
        return ticket
    return msgspec.structs.replace(ticket, vendor_ids=(*ticket.vendor_ids, vendor_id))
